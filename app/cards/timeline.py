"""The record of a patient over time, as data for a picture: `timeline` of the explanation (contract, section 4).

It repeats what the chart holds and judges nothing. A partial date is told as recorded (`date`) and as the days that it
can mean (`first`, `last`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from app.cards.wording import Wording
from app.chart import Chart, CourseFact, DateRange, DensityFact, Dose, FractureFact, ObservationFact
from app.dates import newest_first
from app.features.bone.density import UNITS
from app.features.laboratory.values import CLEARANCE, EGFR
from app.features.model import Features
from app.record_text import shown
from app.terminology.drug_classes import bone_classes

MOST = 400
"""Entries of one kind, the newest: a picture of more shows nothing."""

_KIDNEY = {
    "creatinine_clearance": CLEARANCE,
    "egfr": EGFR,
    "creatinine": ("creatinine_serum_molar", "creatinine_serum_mass"),
}

T = TypeVar("T")


def timeline_of(chart: Chart, features: Features, wording: Wording) -> dict[str, Any]:
    """Who the patient is, bone density, fractures, drug courses and kidney function, each the earliest first."""
    return {
        "today": chart.today,
        "patient": _patient(chart, features),
        "densities": [_density(one, wording) for one in _in_order(chart.densities, lambda one: one.effective)],
        "fractures": [_fracture(one, wording) for one in _in_order(chart.fractures, lambda one: one.when)],
        "courses": [_course(one, wording) for one in _in_order(chart.courses, lambda one: one.started)],
        "kidney": [
            _laboratory(kind, one, wording)
            for kind, concepts in _KIDNEY.items()
            for one in _in_order(features.observations(*concepts), lambda one: one.effective)
        ],
    }


def _in_order(facts: Iterable[T], when: Callable[[T], DateRange | None]) -> list[T]:
    """The newest of the facts, the earliest first; those without a date before them."""
    return sorted(facts, key=lambda fact: newest_first(when(fact)))[:MOST][::-1]


def _patient(chart: Chart, features: Features) -> dict[str, Any]:
    born, age = chart.patient.birth_date, features.feature("age_years")
    return {
        "sex": chart.patient.sex,
        "birthDate": str(born) if born else None,
        "age": age.value,
        "deceased": chart.patient.deceased or None,
    }


def _time(when: DateRange | None) -> dict[str, Any]:
    return {} if when is None else {"date": str(when), "first": when.earliest, "last": when.latest}


def _density(fact: DensityFact, wording: Wording) -> dict[str, Any]:
    return {
        "kind": fact.kind,
        "site": fact.site,
        "side": fact.side,
        "name": wording.word(f"{fact.site}_{fact.side}" if fact.side else fact.site),
        "value": fact.value,
        "comparator": fact.comparator,
        "unit": UNITS[fact.kind],
        "readFromText": fact.from_text or None,
        "preliminary": fact.preliminary or None,
        "siteContradictory": fact.conflict is not None or None,
        "resource": shown(fact.ref),
        **_time(fact.effective),
    }


def _fracture(fact: FractureFact, wording: Wording) -> dict[str, Any]:
    said = [fact.level or "", wording.word(fact.side) if fact.side else ""]
    return {
        "site": fact.site,
        "name": wording.word(fact.site),
        "where": wording.phrases.list_separator.join(filter(None, said)),
        "energy": fact.energy,
        "suspected": fact.suspected or None,
        "pathological": fact.pathological_tumour or None,
        "atypicalFemoral": fact.atypical_femoral or None,
        "newInContext": fact.new_in_context or None,
        "resources": [shown(ref) for ref in fact.refs],
        **_time(fact.when),
    }


def _course(fact: CourseFact, wording: Wording) -> dict[str, Any]:
    return {
        "name": wording.course(fact),
        "recordedAs": shown(fact.name),
        "status": fact.status,
        "forBone": not fact.drugs.isdisjoint(bone_classes()) or None,
        "started": _time(fact.started),
        "ended": _time(fact.ended),
        "given": list(fact.given) or ([fact.last_given.latest] if fact.last_given else []),
        "route": fact.route,
        "dose": _dose(fact.dose),
        "periods": [
            {
                "first": period.first,
                "last": period.last,
                "leastMg": period.least_mg,
                "mostMg": period.most_mg,
                "unknownBecause": period.unknown_because,
            }
            for period in fact.doses
        ],
        "stopReason": shown(fact.stop_reason) if fact.stop_reason else None,
        "resources": [shown(ref) for ref in fact.refs],
    }


def _dose(dose: Dose) -> dict[str, Any]:
    """The dose of today: mg a day, or a single dose with its interval; and why a part is not known."""
    return {
        "dailyMg": dose.daily_mg,
        "singleMg": dose.single_mg,
        "intervalDays": dose.interval_days,
        "leastMg": dose.least_mg,
        "mostMg": dose.most_mg,
        "asNeeded": dose.as_needed or None,
        "unknownBecause": dose.unknown_because,
    }


def _laboratory(kind: str, fact: ObservationFact, wording: Wording) -> dict[str, Any]:
    return {
        "kind": kind,
        "name": wording.name(kind),
        "value": fact.value,
        "comparator": fact.comparator,
        "unit": wording.unit(fact.unit),
        "preliminary": fact.preliminary or None,
        "resource": shown(fact.ref),
        **_time(fact.effective),
    }
