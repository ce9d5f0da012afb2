"""Findings that a clinician states: `urn:osteon:finding` codes, as Observation or as Condition.

The newest statement decides. Nothing on record is "none on record" where the lists came complete, except for the few
findings whose "no" is itself a sign or that a source asks for: a question not put is not "no" (decision 14).
"""

from __future__ import annotations

from app.chart import Source
from app.features.catalogue import OneOf, family, feature
from app.features.history.diagnoses import condition_evidence, confirmed, is_new, told_by_observation
from app.features.model import Feature, Features, Kind, any_of, known, none_on_record, observed, unknown
from app.features.readings import says

TRUTHS = (
    "back_pain",
    "back_pain_minor_trauma",
    "bone_pain",
    "cannot_stay_upright",
    "cannot_swallow_tablets",
    "cardiovascular_risk_assessed",
    "diffuse_bone_pain",
    "dyspnoea_or_early_satiety",
    "family_history_of_osteoporosis",
    "frail",
    "impending_fracture",
    "lactation",
    "localized_bone_pain",
    "low_bmd_on_imaging",
    "lower_limb_hypoaesthesia",
    "lower_limb_paralysis",
    "night_pain",
    "osteolytic_lesion",
    "pain_changes_with_position",
    "pain_constant",
    "pain_mechanical",
    "pain_on_weight_bearing",
    "pain_worsening",
    "paraesthesia",
    "parental_hip_fracture",
    "parental_vertebral_fracture",
    "planned_invasive_dental_procedure",
    "previous_bacterial_infection",
    "progressive_neurological_deficit",
    "prolonged_weightlessness",
    "radiating_pain",
    "rest_pain",
    "sclerotic_lesion",
    "severe_osteoporosis",
    "soft_tissue_swelling_over_bone",
    "spinal_cord_compression",
    "spinous_process_tenderness",
    "sudden_bladder_dysfunction",
    "suspected_vertebral_fracture",
    "thigh_pain",
    "very_high_fracture_risk",
    "visual_impairment",
    "walking_aid",
)
ASKED = frozenset(
    {"back_pain_minor_trauma", "cardiovascular_risk_assessed", "pain_changes_with_position", "pain_mechanical"}
)
"""Findings whose absence cannot be read as "no": their "no" is a sign, or a source asks for them."""

WORDS: dict[str, frozenset[str]] = {
    "adherence": frozenset({"good", "poor", "suspected-poor"}),
    "back_pain_severity": frozenset({"mild", "moderate", "severe"}),
    "back_pain_trigger": frozenset({"cough", "sneeze", "heavy-lifting", "low-fall", "high-energy", "none"}),
    "bone_scintigraphy_result": frozenset({"negative", "equivocal", "positive"}),
    "dental_status": frozenset({"good", "poor"}),
    "fracture_risk_stratum": frozenset({"low", "moderate", "high", "very-high"}),
    "general_condition": frozenset({"good", "poor"}),
    "nutrition_status": frozenset({"good", "poor"}),
    "pain_severity": frozenset({"mild", "moderate", "severe"}),
    "pain_trend": frozenset({"increasing", "unchanged", "decreasing"}),
    "paralysis_trend": frozenset({"increasing", "unchanged", "decreasing"}),
    "physical_activity": frozenset({"active", "sedentary", "immobilised"}),
}
MINOR_TRAUMA = frozenset({"cough", "sneeze", "heavy-lifting", "low-fall"})
MISSING = {"cardiovascular_risk_assessed": "cardiovascular_risk"}
"""The data element to ask for, where it is not the finding itself."""
ALSO_CODED = {"progressive_neurological_deficit": "neurological_deficit_progressive"}
"""Findings that guidelines/concepts also has as a diagnosis of another name.

The codes of paralysis do not mean that it progresses, and most are old: such a diagnosis counts while it is new.
"""


def _concepts(code: str) -> tuple[str, ...]:
    return (code, ALSO_CODED[code]) if code in ALSO_CODED else (code,)


def _not_stated(context: Features, code: str) -> Feature:
    chart = context.chart
    if code not in ASKED and chart.provided(Source.OBSERVATIONS) and chart.provided(Source.CONDITIONS):
        return none_on_record()
    return unknown("not recorded", MISSING.get(code, code))


@family(
    "finding",
    OneOf("code", TRUTHS),
    kind=Kind.TRUTH,
    meaning="Stated finding: {}.",
    reads=("observations", "conditions"),
)
def finding(context: Features, code: str) -> Feature:
    """Whether the newest statement affirms a finding of guidelines/concepts/findings.yaml.

    Age: no limit (the date is shown). A Condition of the same code counts while present.
    """
    if code == "back_pain_minor_trauma":
        trigger = context.feature("finding_word.back_pain_trigger")
        if trigger.known:
            return known(trigger.value in MINOR_TRAUMA, trigger.evidence)
    concepts = _concepts(code)
    facts = [
        fact
        for fact in context.conditions(*concepts)
        if confirmed(fact, present_only=True) and not told_by_observation(fact)
    ]
    if code in ALSO_CODED:
        facts = [fact for fact in facts if code in fact.concepts or is_new(context, fact)]
    stated = [condition_evidence(code, fact) for fact in facts]
    for fact in context.observations(*concepts):
        answers = [says(fact, concept) for concept in concepts]
        if True in answers:
            return known(True, [observed(code, fact), *stated])
        if False in answers and not stated:
            return known(False, [observed(code, fact)])
    if stated:
        return known(True, stated)
    return _not_stated(context, code)


def word_of_finding(context: Features, code: str) -> Feature:
    """The newest answer of a finding that is one word of a closed list."""
    for fact in context.observations(code):
        answers = {word.replace("_", "-") for word in fact.answer}
        allowed = sorted(answers & WORDS[code])
        if len(allowed) == 1:
            return known(allowed[0], [observed(code, fact)])
    return unknown("not recorded", code)


@family(
    "finding_word",
    OneOf("code", tuple(sorted(WORDS))),
    kind=Kind.WORD,
    words=WORDS.__getitem__,
    meaning="Stated finding, in one word: {}.",
    reads=("observations",),
)
def finding_word(context: Features, code: str) -> Feature:
    """The newest stated answer; an answer outside the list is not used. Nothing stated = unknown."""
    return word_of_finding(context, code)


@feature("poor_dental_status", Kind.TRUTH, meaning="The teeth are in poor state.", reads=("observations",))
def poor_dental_status(context: Features) -> Feature:
    """The newest recorded dental status is poor; not recorded = unknown (dental_status)."""
    status = context.feature("finding_word.dental_status")
    return known(status.value == "poor", status.evidence) if status.known else status


@feature("frail", Kind.TRUTH, meaning="Frail, or poor functional level.", reads=("observations", "conditions"))
def frail(context: Features) -> Feature:
    """Stated as frail."""
    return context.feature("finding.frail")


@feature(
    "walking_aid", Kind.TRUTH, meaning="Uses a walking aid, or gait is impaired.", reads=("observations", "conditions")
)
def walking_aid(context: Features) -> Feature:
    """Stated use of a walking aid."""
    return context.feature("finding.walking_aid")


@feature("visual_impairment", Kind.TRUTH, meaning="Impaired vision.", reads=("observations", "conditions"))
def visual_impairment(context: Features) -> Feature:
    """Stated impairment of vision."""
    return context.feature("finding.visual_impairment")


@feature(
    "cardiovascular_risk_assessed",
    Kind.TRUTH,
    meaning="The cardiovascular risk has been assessed.",
    reads=("observations",),
)
def cardiovascular_risk_assessed(context: Features) -> Feature:
    """Stated that the risk was assessed."""
    return context.feature("finding.cardiovascular_risk_assessed")


@feature("kyphosis_signs", Kind.TRUTH, meaning="Signs of kyphosis.", reads=("observations", "conditions"))
def kyphosis_signs(context: Features) -> Feature:
    """Kyphosis as a present diagnosis, or its signs (shortness of breath, early satiety, protruding abdomen)."""
    return any_of([context.feature("condition.kyphosis"), context.feature("finding.dyspnoea_or_early_satiety")])
