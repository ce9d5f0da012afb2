"""Kidney function: creatinine clearance, reported or by Cockcroft-Gault. eGFR never replaces it (decision 23)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from app.chart import Sex
from app.features.catalogue import OneOf, WholeNumber, family, feature
from app.features.laboratory.values import ANALYTES, CLEARANCE, reading
from app.features.model import (
    Evidence,
    Feature,
    Features,
    Kind,
    any_of,
    below,
    interval,
    known,
    none_on_record,
    observed,
    unknown,
)
from app.features.notes import NoteCode, note
from app.features.readings import newest_value, number_of, results_provided

# Cockcroft & Gault, Nephron 1976;16:31-41, for creatinine in umol/L; the factors hold the conversion from mg/dL and,
# for women, the 15 % less of the paper.
COCKCROFT_GAULT_YEARS = Decimal(140)
COCKCROFT_GAULT_FACTOR = {Sex.MALE: Decimal("1.23"), Sex.FEMALE: Decimal("1.04")}
SUSPICION = "egfr_below.35"
"""Below the strictest clearance limit of the sources (decision 23: eGFR below a drug's clearance limit)."""
READS = ("observations", "patient")


def _ends(number: Feature) -> tuple[Decimal | None, Decimal | None]:
    if isinstance(number.value, Decimal):
        return number.value, number.value
    return number.low, number.high


def cockcroft_gault(years: Decimal, weight_kg: Decimal, creatinine: Decimal, sex: Sex) -> Decimal:
    """Creatinine clearance in mL/min from age in years, weight in kg and creatinine in umol/L.

    Source: Cockcroft & Gault, Nephron 1976;16:31-41, SI form.
    """
    return (COCKCROFT_GAULT_YEARS - years) * weight_kg * COCKCROFT_GAULT_FACTOR[sex] / creatinine


@feature(
    "creatinine_clearance",
    Kind.NUMBER,
    "mL/min",
    meaning="Creatinine clearance, reported or by Cockcroft-Gault.",
    reads=READS,
)
def creatinine_clearance(context: Features) -> Feature:
    """The newest reported clearance within the renal age limit, else Cockcroft-Gault from creatinine, age, weight, sex.

    The evidence names the method. A partial birth date gives an interval. eGFR is not used.
    """
    reported = newest_value(context, CLEARANCE, "creatinine_clearance", age="renal", unit="mL/min")
    if reported.fact is not None:
        return number_of(reported.fact, "creatinine_clearance")
    computed = _computed(context)
    if computed.known or computed.low is not None or computed.high is not None:
        return _contradicted(context, computed)
    egfr = reading(context, "egfr").fact  # never used as a clearance, and never hidden (decision 23)
    evidence = (*reported.problem.evidence, *computed.evidence, *([observed("egfr", egfr)] if egfr else ()))
    missing = ("creatinine_clearance", *computed.missing)
    why = reported.problem.why_unknown if reported.problem.evidence else computed.why_unknown
    return unknown(why or "not recorded", *missing, evidence=evidence)


def _contradicted(context: Features, computed: Feature) -> Feature:
    """A computed clearance beside signs that it is lower (decision 59): no more than an interval is known then.

    It begins at the eGFR, and at 0 with CKD 5 or dialysis. A limit that lies inside it is not decided: both are named,
    and the clearance is to be measured. A measured or reported clearance decides alone.
    """
    suspicion = context.feature("renal_suspicion")
    _, high = _ends(computed)
    if suspicion.value is not True or high is None:
        return computed
    egfr = context.feature("lab.egfr")
    staged = context.feature("condition.ckd_stage_5_or_dialysis").value is True
    low = _ends(egfr)[0] if not staged else None
    if low is not None and low >= high:
        return computed
    return interval(
        low or Decimal(0),
        high,
        (*computed.evidence, *suspicion.evidence),
        missing=("creatinine_clearance",),
        why="kidney data contradict each other",
    )


def _computed(context: Features) -> Feature:
    creatinine = context.feature("lab.creatinine")
    weight = context.feature("weight_kg")
    age = context.feature("age_years")
    sex = context.chart.patient.sex
    parts = (creatinine, weight, age)
    evidence = [item for part in (creatinine, weight) for item in part.evidence]
    missing = [
        name for part in parts if not part.known and part.low is None and part.high is None for name in part.missing
    ]
    missing += ["sex"] if sex is None else []
    if missing or sex is None:
        return unknown("not reported and not to be computed", *missing, evidence=evidence)
    if not isinstance(creatinine.value, Decimal) or not isinstance(weight.value, Decimal) or creatinine.value <= 0:
        return unknown("only a limit was reported", "creatinine", evidence=evidence)
    youngest, oldest = _ends(age)
    if youngest is None or oldest is None:
        return unknown("age not known", "age", evidence=evidence)
    low, high = (cockcroft_gault(years, weight.value, creatinine.value, sex) for years in (oldest, youngest))
    years = str(youngest) if youngest == oldest else f"{youngest}-{oldest}"
    code = NoteCode.COCKCROFT_GAULT_MALE if sex is Sex.MALE else NoteCode.COCKCROFT_GAULT_FEMALE
    notes = (note(code, creatinine.value, weight.value, years),)
    first = creatinine.evidence[0]
    shown = Evidence("creatinine_clearance", low.quantize(Decimal("0.1")), "mL/min", first.date, first.resource, notes)
    return interval(low, high, [shown, *evidence], missing=("age",), why="birth date known only in part")


@family(
    "egfr_below", WholeNumber("n"), kind=Kind.TRUTH, meaning="eGFR below {} mL/min/1.73 m2.", reads=("observations",)
)
def egfr_below(context: Features, limit: str) -> Feature:
    """The newest eGFR within the renal age limit is below a number; ">90" is decided where it can be."""
    return below(context.feature("lab.egfr"), Decimal(limit))


@feature(
    "renal_suspicion",
    Kind.TRUTH,
    meaning="Kidney function may be too low for a bone drug: clearance needed.",
    reads=("observations", "conditions"),
)
def renal_suspicion(context: Features) -> Feature:
    """An eGFR below the strictest clearance limit, CKD stage 5 or dialysis (decision 23).

    No eGFR on record: no suspicion. One that is too old: open.
    """
    egfr = context.feature(SUSPICION)
    if not egfr.known and not egfr.evidence and results_provided(context):
        egfr = none_on_record()
    return any_of([egfr, context.feature("condition.ckd_stage_5_or_dialysis")])


@feature(
    "creatinine_known", Kind.TRUTH, meaning="Creatinine or clearance within its age limit is on record.", reads=READS
)
def creatinine_known(context: Features) -> Feature:
    """Asks for presence; a reported clearance counts as creatinine known (decision 27)."""
    found = reading(context, "creatinine")
    clearance = newest_value(context, CLEARANCE, "creatinine_clearance", age="renal", unit="mL/min")
    shown = [
        observed(name, fact)
        for name, fact in (("creatinine", found.fact), ("creatinine_clearance", clearance.fact))
        if fact is not None
    ]
    if shown:
        return known(True, shown)
    if results_provided(context):
        return known(False, found.problem.evidence)
    return unknown("observations not provided", "creatinine", evidence=found.problem.evidence)


@family(
    "zoledronate_lab_done",
    OneOf("analyte", ("calcium", "creatinine")),
    kind=Kind.TRUTH,
    meaning="Recent enough for an infusion of zoledronate: {}.",
    reads=READS,
)
def zoledronate_lab_done(context: Features, analyte: str) -> Feature:
    """A value of the last settings.zoledronate_lab_days; asks for presence.

    A reported clearance counts as creatinine known (decision 27).
    """
    first = context.today - timedelta(days=context.settings.zoledronate_lab_days)
    concepts = (*ANALYTES[analyte].concepts, *(CLEARANCE if analyte == "creatinine" else ()))
    return _since_day(context, analyte, concepts, first)


def _since_day(context: Features, name: str, concepts: tuple[str, ...], first: date) -> Feature:
    facts = [fact for fact in context.observations(*concepts) if fact.value is not None and fact.effective is not None]
    recent = [fact for fact in facts if fact.effective is not None and fact.effective.latest >= first]
    sure = [fact for fact in recent if fact.effective is not None and fact.effective.earliest >= first]
    if sure:
        return known(True, [observed(name, sure[0])])
    if recent:
        return unknown("date does not tell", name, evidence=[observed(name, recent[0])])
    return none_on_record() if results_provided(context) else unknown("observations not provided", name)
