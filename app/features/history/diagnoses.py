"""Diagnoses: groups of concepts, each a three-valued question to the problem list.

A confirmed record counts, present or past unless the group asks for the present: symptoms, and diseases that can be
over (a Cushing's syndrome that was operated on), since contract section 2 tells past from present. A record that is
only suspected never counts and leaves the answer open. No record: false when the conditions came complete (contract
section 2), else unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from app.chart import ConditionFact, Interpretation, Presence, Source
from app.dates import months_since, within_months
from app.features.catalogue import OneOf, family
from app.features.model import (
    Evidence,
    Feature,
    Features,
    Kind,
    interval,
    known,
    never,
    none_on_record,
    observed,
    unknown,
)
from app.features.notes import Note, NoteCode, note
from app.features.readings import says


@dataclass(frozen=True, slots=True)
class Group:
    """One diagnosis as rules use it: the concepts that state it, procedures that prove it, codes too coarse to tell."""

    concepts: tuple[str, ...]
    present_only: bool = False
    procedures: tuple[str, ...] = ()
    coarse: tuple[str, ...] = ()  # codes that mean this diagnosis or another one: they leave the answer open
    missing: str | None = None


def _group(*concepts: str, present: bool = False, procedures: tuple[str, ...] = ()) -> Group:
    return Group(concepts, present, procedures)


CANCERS = (
    "malignancy_any",
    "malignancy_history",
    "breast_cancer",
    "prostate_cancer",
    "endometrial_cancer",
    "multiple_myeloma",
    "bone_metastasis",
    "bone_cancer_osteosarcoma",
)
MALABSORPTION = ("malabsorption", "coeliac", "gastric_bypass_bariatric", "severe_malabsorption", "short_bowel")
INFLAMMATORY = (
    "rheumatoid_arthritis",
    "sle",
    "vasculitis_gca_pmr",
    "ankylosing_spondylitis",
    "psoriatic_arthritis",
    "ibd",
    "sarcoidosis",
)
UPPER_GI = ("dyspepsia", "peptic_ulcer", "gord")
CARDIOVASCULAR = ("myocardial_infarction", "ischaemic_heart_disease", "stroke", "tia")

GROUPS: dict[str, Group] = {
    "achlorhydria": _group("achlorhydria"),
    "active_malignancy": Group(tuple(c for c in CANCERS if c != "malignancy_history"), present_only=True),
    "alcohol_high": _group("alcohol_high"),
    "amenorrhoea": _group("amenorrhoea"),
    "atypical_femoral_fracture": _group("atypical_femoral_fracture"),
    "biliary_disease": _group("biliary_disease", "cholelithiasis"),
    "bone_metastasis": _group("bone_metastasis"),
    "breast_cancer": _group("breast_cancer"),
    "cardiovascular_disease": _group(*CARDIOVASCULAR),
    "cauda_equina": _group("cauda_equina", present=True),
    "chest_pain": _group("chest_pain", present=True),
    "ckd": _group("ckd_any", "ckd_stage_1", "ckd_stage_2", "ckd_stage_3", "ckd_stage_4", "ckd_stage_5", "ckd_mbd"),
    "ckd_stage_4": _group("ckd_stage_4"),
    "ckd_stage_5_or_dialysis": _group("ckd_stage_5", "dialysis", procedures=("dialysis",)),
    "coeliac": _group("coeliac"),
    "copd": _group("copd"),
    "coronary_heart_disease": _group("ischaemic_heart_disease", "myocardial_infarction"),
    "dementia": _group("dementia"),
    "diabetes": _group("diabetes_any", "diabetes_type1", "diabetes_type2"),
    "dyspepsia": _group("dyspepsia", "peptic_ulcer", present=True),
    "dysphagia": _group("dysphagia", "cannot_swallow_tablets", present=True),
    "early_menopause": _group("menopause_premature_early"),
    "eating_disorder": _group("eating_disorder"),
    "endometrial_cancer": _group("endometrial_cancer"),
    "epilepsy": _group("epilepsy"),
    "faecal_incontinence": _group("faecal_incontinence", present=True),
    "fatigue": _group("fatigue", present=True),
    "fever": _group("fever", present=True),
    "gastric_bypass": _group("gastric_bypass_bariatric", procedures=("gastric_bypass_bariatric",)),
    "hip_prosthesis": _group("hip_prosthesis", procedures=("hip_prosthesis",)),
    "hiv": _group("hiv"),
    "hypercalcaemia": _group("hypercalcaemia", present=True),
    "hypercalciuria": _group("hypercalciuria"),
    "hypercortisolism": _group("cushing", present=True),
    "hyperparathyroidism": _group(
        "hyperparathyroidism", "hyperparathyroidism_primary", "secondary_hyperparathyroidism", present=True
    ),
    "hyperprolactinaemia": _group("hyperprolactinaemia", present=True),
    "hyperthyroidism": _group("hyperthyroidism", present=True),
    "hypocalcaemia": _group("hypocalcaemia", present=True),
    "hypogonadism": _group("hypogonadism_male", "hypogonadism"),
    # ICD-10 E83.3 covers both: it does not distinguish the two.
    "hypophosphataemia": Group(("hypophosphataemia",), coarse=("hypophosphataemia_hypophosphatasia",)),
    "hypophosphatasia": Group(("hypophosphatasia",), coarse=("hypophosphataemia_hypophosphatasia",)),
    "hysterectomy": _group("hysterectomy", procedures=("hysterectomy",)),
    "immobilisation": _group("immobilisation", present=True),
    "immunosuppression": _group(
        "immunosuppression", "hiv", "organ_transplant", present=True, procedures=("organ_transplant",)
    ),
    "iv_drug_use": _group("iv_drug_use"),
    "kidney_stones": _group("nephrolithiasis"),
    "kyphosis": _group("kyphosis", present=True),
    "liver_disease": _group("liver_disease_chronic"),
    "low_back_pain": _group("low_back_pain", present=True),
    "malabsorption": _group(*MALABSORPTION, procedures=("gastric_bypass_bariatric",)),
    "malignancy": _group(*CANCERS),
    "metabolic_acidosis": _group("metabolic_acidosis"),
    "mgus": _group("mgus"),
    "myalgia": _group("myalgia", present=True),
    "myeloma": _group("multiple_myeloma"),
    "myocardial_infarction": _group("myocardial_infarction"),
    "oesophageal_disease": _group("oesophageal_disorder", present=True),
    "organ_transplant": _group("organ_transplant", procedures=("organ_transplant",)),
    "osteogenesis_imperfecta": _group("osteogenesis_imperfecta"),
    "osteomalacia": _group("osteomalacia"),
    "osteonecrosis_of_jaw": _group("osteonecrosis_jaw"),
    "paget": _group("paget_bone"),
    "parkinson": _group("parkinson"),
    "pathological_fracture": _group("pathological_fracture_neoplasm", "pathological_fracture_unspecified"),
    "prostate_cancer": _group("prostate_cancer"),
    "radiation_history": _group("radiation_history", procedures=("radiation_history",)),
    "radiculopathy": _group("radiculopathy", present=True),
    "rheumatoid_arthritis": _group("rheumatoid_arthritis"),
    "saddle_anaesthesia": _group("saddle_anaesthesia", present=True),
    "sarcoidosis": _group("sarcoidosis", present=True),
    "secondary_hyperparathyroidism": Group(
        ("secondary_hyperparathyroidism",), present_only=True, coarse=("hyperparathyroidism",)
    ),
    "severe_malabsorption": Group(
        ("gastric_bypass_bariatric", "severe_malabsorption", "short_bowel"), procedures=("gastric_bypass_bariatric",)
    ),
    "spinal_infection": _group("spinal_infection"),
    "spinal_instrumentation": _group("spinal_instrumentation", procedures=("spinal_instrumentation",)),
    "stroke": _group("stroke"),
    "systemic_inflammatory_disease": _group(*INFLAMMATORY, present=True),
    "upper_gi_disease": _group(*UPPER_GI, present=True),
    "urinary_incontinence": _group("urinary_incontinence", present=True),
    "urinary_retention": _group("urinary_retention", present=True),
    "vitamin_d_deficiency": _group("vitamin_d_deficiency", present=True),
    "vte": Group(("vte",), missing="vte_history"),
    "weight_loss": _group("weight_loss", present=True),
}
"""The groups; concept ids are those of guidelines/concepts. What belongs together follows the inventories' inputs."""

FEVER_MONTHS = 1
PASSING_MONTHS = {"chest_pain": 3, "fever": FEVER_MONTHS, "weight_loss": 12}
"""How long a transient symptom counts as current although its status is still "active".

The sources write "at the same time" and give no number; 12 months are the span over which they count a loss of weight.
"""
NEW_MONTHS = 1
"""How long a sign from the nerves counts as new: the sources write "sudden" and "progressive", without a number."""
NAMES = tuple(sorted(GROUPS))
CONDITION = OneOf("condition", NAMES)


def condition_evidence(feature: str, fact: ConditionFact, *remarks: Note) -> Evidence:
    """The evidence for a diagnosis: its onset, else the day it was recorded."""
    notes = remarks
    if fact.matched_by_text:
        notes += (note(NoteCode.MATCHED_BY_TEXT),)
    if fact.onset is None and fact.recorded is not None:
        notes += (note(NoteCode.RECORD_DATE),)
    state = fact.presence.value if fact.presence is not Presence.UNKNOWN else True
    return Evidence(feature, state, None, fact.onset or fact.recorded, fact.ref, notes)


def confirmed(fact: ConditionFact, *, present_only: bool = False) -> bool:
    """Whether a record states the diagnosis, at present where asked; without a status it does unless it ended."""
    if fact.presence in {Presence.SUSPECTED, Presence.UNCLEAR}:
        return False
    if not present_only:
        return True
    return fact.presence is Presence.PRESENT or (fact.presence is Presence.UNKNOWN and fact.ended is None)


def is_new(context: Features, fact: ConditionFact) -> bool:
    """Whether a diagnosis began, or was first recorded, within the last month; one without a date is not new."""
    return within_months(fact.onset or fact.recorded, NEW_MONTHS, context.today) is True


def told_by_observation(fact: ConditionFact) -> bool:
    """Whether the chart reader made this record of an Observation that says "yes"; the newest such answer decides."""
    return fact.ref.startswith("Observation/")


def _denied_since(context: Features, group: Group, fact: ConditionFact) -> bool:
    """Whether a "yes" of an Observation was followed by a later "no"."""
    if not told_by_observation(fact):
        return False
    for later in context.observations(*group.concepts):
        if later.ref == fact.ref:
            return False
        if any(says(later, concept) is False for concept in group.concepts):
            return True
    return False


def _is_over(context: Features, name: str, fact: ConditionFact) -> bool:
    """Whether a symptom that passes is so old that its record was only never closed."""
    months = PASSING_MONTHS.get(name)
    if months is None:
        return False
    dates = [when for when in (fact.onset, fact.recorded) if when is not None]
    return bool(dates) and all(within_months(when, months, context.today) is False for when in dates)


def diagnosis(context: Features, name: str, group: Group) -> Feature:
    """Whether a group of diagnoses is on record, with every supporting record."""
    missing = group.missing or name
    facts = [
        fact
        for fact in context.conditions(*group.concepts)
        if not _denied_since(context, group, fact) and not _is_over(context, name, fact)
    ]
    evidence = [condition_evidence(name, f) for f in facts if confirmed(f, present_only=group.present_only)]
    if group.procedures:
        evidence += [
            Evidence(name, True, None, procedure.when, procedure.ref, (note(NoteCode.PROCEDURE),))
            for procedure in context.procedures(*group.procedures)
            if not procedure.planned
        ]
    if evidence:
        return known(True, evidence)
    for fact in context.observations(*group.concepts):
        answers = [says(fact, concept) for concept in group.concepts]
        if True in answers:
            return known(True, [observed(name, fact)])
        if False in answers:
            return known(False, [observed(name, fact)])
    left_open = open_statement(name, facts, missing)
    if left_open is not None:
        return left_open
    coarse: list[ConditionFact] = []
    if group.coarse:
        coarse = [f for f in context.conditions(*group.coarse) if confirmed(f, present_only=group.present_only)]
    if coarse:
        shown = [condition_evidence(name, fact, note(NoteCode.OTHER_DIAGNOSES)) for fact in coarse]
        return unknown("the code on record does not say which", missing, evidence=shown)
    return nothing_on_record(context, missing)


def not_understood(name: str, facts: Iterable[ConditionFact], missing: str) -> Feature | None:
    """Unknown, where a record that could be about this was not understood (decision 62)."""
    unclear = [fact for fact in facts if fact.presence is Presence.UNCLEAR]
    shown = [condition_evidence(name, fact, note(NoteCode.TEXT_NOT_UNDERSTOOD)) for fact in unclear]
    return unknown("text not understood", missing, evidence=shown) if shown else None


def open_statement(name: str, facts: Sequence[ConditionFact], missing: str) -> Feature | None:
    """Unknown, where a record only suspects it, or could be about it and was not understood."""
    suspected = [
        condition_evidence(name, f, note(NoteCode.SUSPECTED)) for f in facts if f.presence is Presence.SUSPECTED
    ]
    if suspected:
        return unknown("suspected, not confirmed", missing, evidence=suspected)
    return not_understood(name, facts, missing)


def nothing_on_record(context: Features, missing: str) -> Feature:
    """False where the conditions came complete, else unknown."""
    if context.chart.provided(Source.CONDITIONS):
        return none_on_record()
    return unknown("conditions not provided", missing)


@family(
    "condition",
    CONDITION,
    kind=Kind.TRUTH,
    meaning="Diagnosis on record: {}.",
    reads=("conditions", "procedures"),
)
def condition(context: Features, name: str) -> Feature:
    """A confirmed diagnosis, present or past; symptoms and diseases that can be over only while present.

    Unit: none. Age: no limit. Source: the inventories' `inputs`, concepts of guidelines/concepts.
    """
    special = _SPECIAL.get(name)
    return special(context) if special else diagnosis(context, name, GROUPS[name])


def _fever(context: Features) -> Feature:
    """Fever as a diagnosis or finding, or a temperature that the record itself flags as high.

    The newest temperature counts, for a month: the fever of a spinal infection lasts for weeks.
    """
    stated = diagnosis(context, "fever", GROUPS["fever"])
    for fact in context.observations("body_temperature")[:1]:
        recent = within_months(fact.effective, FEVER_MONTHS, context.today)
        if stated.value is not True and fact.interpretation is Interpretation.HIGH and recent:
            return known(True, [observed("body_temperature", fact)])
    return stated


def _hypercalciuria(context: Features) -> Feature:
    """As a diagnosis, or a calcium of 24-hour urine that the laboratory judges as high."""
    stated = diagnosis(context, "hypercalciuria", GROUPS["hypercalciuria"])
    measured = context.feature("lab_high.urine_calcium")
    return measured if stated.value is not True and measured.value is True else stated


_SPECIAL: dict[str, Callable[[Features], Feature]] = {"fever": _fever, "hypercalciuria": _hypercalciuria}


@family(
    "suspected_condition", CONDITION, kind=Kind.TRUTH, meaning="Diagnosis suspected only: {}.", reads=("conditions",)
)
def suspected_condition(context: Features, name: str) -> Feature:
    """A diagnosis recorded as unconfirmed, provisional or differential, and not confirmed by another record."""
    group = GROUPS[name]
    confirmed_too = context.feature(f"condition.{name}")
    if confirmed_too.value is True:
        return known(False, confirmed_too.evidence)
    suspected = [f for f in context.conditions(*group.concepts) if f.presence is Presence.SUSPECTED]
    if suspected:
        return known(True, [condition_evidence(name, fact, note(NoteCode.SUSPECTED)) for fact in suspected])
    missing = group.missing or name
    unclear = not_understood(name, context.conditions(*group.concepts), missing)
    return unclear if unclear is not None else nothing_on_record(context, missing)


@family(
    "months_since_condition",
    CONDITION,
    kind=Kind.NUMBER,
    unit="months",
    meaning="Months since the latest onset of: {}.",
    reads=("conditions",),
)
def months_since_condition(context: Features, name: str) -> Feature:
    """Months since the latest onset. None on record: longer ago than every limit.

    The day a diagnosis was entered is not its onset, but the event is not later: without an onset it is at least as
    long ago as the record (decision 53).
    """
    group = GROUPS[name]
    missing = group.missing or name
    facts = [fact for fact in context.conditions(*group.concepts) if confirmed(fact)]
    if not facts:
        stated = context.feature(f"condition.{name}")
        if stated.value is False:
            return never()
        why = stated.why_unknown or "date not recorded"
        return unknown(why, *(stated.missing or (missing,)), evidence=stated.evidence)
    evidence = [condition_evidence(name, fact) for fact in facts]
    onsets = [months_since(fact.onset, context.today) for fact in facts if fact.onset is not None]
    least = [
        months_since(when, context.today)[0] if (when := fact.onset or fact.recorded) is not None else None
        for fact in facts
    ]
    if not onsets and None in least:
        return unknown("date not recorded", missing, evidence=evidence)
    high = min((span[1] for span in onsets), default=None)
    low = None if None in least else min(months for months in least if months is not None)
    if len(onsets) < len(facts):
        return interval(low, high, evidence, missing=(missing,), why="one record has no date")
    return interval(low, high, evidence, missing=(missing,))
