"""Fractures and osteoporosis in the family. A relative of unknown relationship is not taken for a parent."""

from __future__ import annotations

from collections.abc import Callable

from app.chart import FamilyFact, FractureSite, Source
from app.features.catalogue import feature
from app.features.history.diagnoses import condition_evidence, confirmed
from app.features.model import Evidence, Feature, Features, Kind, known, none_on_record, observed, unknown
from app.features.readings import says

READS = ("familyHistory", "observations", "conditions")
HIP = ("fracture_hip", "fracture_femoral_neck", "fracture_trochanteric")
VERTEBRA = ("fracture_vertebra_thoracic", "fracture_vertebra_lumbar", "fracture_vertebra_unspecified")
OSTEOPOROSIS = ("osteoporosis_without_fracture", "osteoporosis_with_fracture", "idiopathic_osteoporosis_young")


def _fractured(fact: FamilyFact, site: FractureSite, concepts: tuple[str, ...]) -> bool:
    return fact.fracture_site is site or not fact.concepts.isdisjoint(concepts)


def _history(
    context: Features,
    name: str,
    codes: tuple[str, ...],
    holds: Callable[[FamilyFact], bool],
    *,
    parents_only: bool,
) -> Feature:
    """A family history from relatives' records, statements about the patient, and coded family history."""
    relatives = sorted((fact for fact in context.chart.family if holds(fact)), key=lambda fact: fact.ref)
    counting = [fact for fact in relatives if fact.parent is True or not parents_only]
    evidence = [Evidence(name, fact.relationship or True, None, None, fact.ref) for fact in counting]
    evidence += [condition_evidence(name, fact) for fact in context.conditions(*codes) if confirmed(fact)]
    denied: list[Evidence] = []
    for fact in context.observations(*codes):
        answer = next((value for value in (says(fact, code) for code in codes) if value is not None), None)
        if answer is None:
            continue
        (evidence if answer else denied).append(observed(name, fact))
        break
    if evidence:
        return known(True, evidence)
    unclear = [fact for fact in relatives if fact.parent is None]
    if unclear:
        shown = [Evidence(name, fact.relationship or True, None, None, fact.ref) for fact in unclear]
        return unknown("relationship not told", name, evidence=shown)
    if denied:
        return known(False, denied)
    if context.chart.provided(Source.FAMILY_HISTORY):
        return none_on_record()
    return unknown("family history not provided", name)


@feature("parental_hip_fracture", Kind.TRUTH, meaning="A parent has had a hip fracture.", reads=READS)
def parental_hip_fracture(context: Features) -> Feature:
    """Hip fracture of mother or father, from family history or stated."""
    return _history(
        context,
        "parental_hip_fracture",
        ("parental_hip_fracture",),
        lambda fact: _fractured(fact, FractureSite.HIP, HIP),
        parents_only=True,
    )


@feature("parental_vertebral_fracture", Kind.TRUTH, meaning="A parent has had a vertebral fracture.", reads=READS)
def parental_vertebral_fracture(context: Features) -> Feature:
    """Vertebral fracture of mother or father, from family history or stated (000 counts it)."""
    return _history(
        context,
        "parental_vertebral_fracture",
        ("parental_vertebral_fracture",),
        lambda fact: _fractured(fact, FractureSite.VERTEBRA, VERTEBRA),
        parents_only=True,
    )


@feature("family_osteoporosis", Kind.TRUTH, meaning="Osteoporosis in the family.", reads=READS)
def family_osteoporosis(context: Features) -> Feature:
    """Osteoporosis of a relative of any degree, from family history, coded (Z82.62) or stated."""
    return _history(
        context,
        "family_osteoporosis",
        ("family_history_osteoporosis", "family_history_of_osteoporosis"),
        lambda fact: not fact.concepts.isdisjoint(OSTEOPOROSIS),
        parents_only=False,
    )
