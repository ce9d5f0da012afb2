"""Generated patients as facts of the clinical cases, and what of an answer must not change."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st

from app.cases.builder import SERVICE, Builder
from app.cds_hooks.hooks import SERVICES_BY_ID
from app.cds_hooks.request import HookRequest, read_request
from app.pipeline import OsteonPipeline, build_pipeline
from app.settings import Settings
from tests.clinical.cases import TODAY
from tests.support.wire import call

Json = dict[str, Any]
PROFILES = ("se", "intl", "dk", "cn")
DISEASES = (
    "rheumatoid_arthritis",
    "celiac_disease",
    "dysphagia",
    "dementia",
    "myocardial_infarction",
    "stroke",
    "hypercalcaemia",
    "hypocalcaemia",
    "kidney_stones",
    "ckd_stage_4",
    "breast_cancer",
    "bone_metastasis",
    "osteoporosis",
    "low_back_pain",
    "fever",
    "pulmonary_embolism",
    "primary_hyperparathyroidism",
    "epilepsy",
)
SITES = ("hip", "vertebra", "wrist", "humerus", "pelvis", "rib", "ankle", "finger")
DRUGS: Mapping[str, Json] = {
    "alendronate": {"route": "oral", "dose_mg": 70, "every_days": 7},
    "risedronate": {"route": "oral", "dose_mg": 35, "every_days": 7},
    "zoledronic_acid": {"route": "intravenous", "dose_mg": 5, "every_days": 365},
    "denosumab": {"route": "subcutaneous", "dose_mg": 60, "every_days": 182},
    "teriparatide": {"route": "subcutaneous", "dose_mg": 0.02, "times_per_day": 1},
    "romosozumab": {"route": "subcutaneous", "dose_mg": 210, "every_days": 30},
    "prednisolone": {"route": "oral", "dose_mg": 10, "times_per_day": 1},
    "anastrozole": {"route": "oral", "dose_mg": 1, "times_per_day": 1},
    "omeprazole": {"route": "oral", "dose_mg": 20, "times_per_day": 1},
    "calcium_vitamin_d": {"route": "oral", "dose_mg": 500, "times_per_day": 2},
}

days = st.integers(1, 2500)


def _score(site: str) -> st.SearchStrategy[Json]:
    values = st.integers(-40, 10).map(lambda tenths: tenths / 10)
    return st.builds(
        lambda value, ago: {"concept": "dxa_t_score", "site": site, "value": value, "unit": "SD", "days_ago": ago},
        values,
        days,
    )


def _value(concept: str, unit: str, values: st.SearchStrategy[Any], **more: Any) -> st.SearchStrategy[Json]:
    return st.builds(
        lambda value, ago: {"concept": concept, "value": value, "unit": unit, "days_ago": ago} | more,
        values,
        st.integers(1, 700),
    )


OBSERVATIONS = st.one_of(
    _score("total_hip"),
    _score("lumbar_spine"),
    _value("crcl", "mL/min", st.integers(15, 90)),
    _value("creatinine", "umol/L", st.integers(40, 400)),
    _value("calcium_total", "mmol/L", st.sampled_from([1.9, 2.1, 2.35, 2.6]), reference_low=2.15, reference_high=2.5),
    _value("vitamin_d_25oh", "nmol/L", st.integers(10, 120)),
    _value("body_height", "cm", st.integers(145, 185)),
    _value("body_weight", "kg", st.integers(40, 100)),
    _value("frax_major", "%", st.integers(5, 40)),
    _value("falls_past_year", "1", st.integers(0, 4)),
    st.builds(
        lambda value: {"concept": "menopausal_status", "value": value, "days_ago": 400},
        st.sampled_from(["post", "pre"]),
    ),
)


@st.composite
def _medication(draw: st.DrawFn) -> Json:
    name = draw(st.sampled_from(sorted(DRUGS)))
    started = draw(st.integers(10, 2500))
    made = {"concept": name, "started_days_ago": started} | DRUGS[name]
    if draw(st.booleans()):
        return made
    return made | {"status": "completed", "ended_days_ago": draw(st.integers(1, started))}


CONDITIONS = st.one_of(
    st.builds(lambda name, ago: {"concept": name, "days_ago": ago}, st.sampled_from(DISEASES), days),
    st.builds(
        lambda site, ago, low: {"concept": "fragility_fracture", "site": site, "days_ago": ago, "low_energy": low},
        st.sampled_from(SITES),
        days,
        st.sampled_from([True, None]),
    ),
)


@st.composite
def cases(draw: st.DrawFn) -> Json:
    """A patient in the words of the clinical cases."""
    return {
        "profile": draw(st.sampled_from(PROFILES)),
        "patient": {"sex": draw(st.sampled_from(["female", "male"])), "age": draw(st.integers(40, 92))},
        "observations": draw(st.lists(OBSERVATIONS, max_size=8)),
        "conditions": draw(st.lists(CONDITIONS, max_size=4)),
        "medications": draw(st.lists(_medication(), max_size=3)),
        "procedures": draw(st.lists(st.builds(lambda ago: {"concept": "dxa_scan", "days_ago": ago}, days), max_size=2)),
        "family": draw(st.sampled_from([[], [{"relative": "mother", "concept": "hip_fracture"}]])),
        "allergies": draw(st.sampled_from([[], [{"concept": "alendronate", "reaction": "oesophagitis"}]])),
    }


def request_of(case: Json) -> Json:
    """The request of a generated patient."""
    return Builder(case, TODAY).request()


@lru_cache(maxsize=1)
def pipeline() -> OsteonPipeline:
    """The real pipeline, built once."""
    return build_pipeline(Settings())


def read(body: Json) -> HookRequest:
    """The checked request."""
    return read_request(call(body), SERVICES_BY_ID[SERVICE[body["hook"]]])


def cards_of(body: Json) -> list[Json]:
    """The cards for a request."""
    found: list[Json] = pipeline().answer(read(body), today=TODAY).to_json()["cards"]
    return found


def _orders(card: Json) -> list[tuple[object, ...]]:
    """What the suggestions of a card would do, without ids and words."""
    made: list[tuple[object, ...]] = []
    for suggestion in card.get("suggestions", []):
        for action in suggestion["actions"]:
            resource = action.get("resource", {})
            concept = resource.get("medicationCodeableConcept") or resource.get("code") or {}
            codes = tuple(sorted(coding["code"] for coding in concept.get("coding", [])))
            made.append((action["type"], resource.get("resourceType"), codes, str(resource.get("dosageInstruction"))))
    return made


def advice_in(body: Json) -> list[tuple[object, ...]]:
    """What is advised: topic, advice, urgency, ids cited with their roles, data missing, and what would be ordered."""
    found: list[tuple[object, ...]] = []
    for card in cards_of(body):
        explanation = card["extension"]["osteon.explanation"]
        cited = sorted((r["id"], r["role"], r["strength"]) for r in explanation.get("recommendations", []))
        found.append(
            (
                card["source"]["topic"]["code"],
                explanation["advice"],
                card["indicator"],
                tuple(cited),
                tuple(sorted(explanation.get("missing", []))),
                tuple(_orders(card)),
            )
        )
    return found
