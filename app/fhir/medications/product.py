"""Which drug a medication record is about: coded in place, contained, included, or only named."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache

from app.fhir.resource import Reading
from app.terminology.code_sets import terminology
from app.terminology.codeable_concept import SEPARATOR, name_of, words
from app.terminology.codes import NO_MATCH, Match, canonical_system, match
from app.terminology.units import to_decimal
from app.terminology.word_lists import TextKind
from app.wire.elements import CodeableConcept, Quantity, Ratio
from app.wire.medications import Ingredient, Medication, MedicationRecord

_STRENGTH = re.compile(r"(?<!\d)(\d+(?:[.,]\d+)?)\s*(mg|milligram|g|µg|μg|ug|mcg|mikrogram)\b(?!\s*/)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Product:
    """A medication: its drugs, how the record names it, and mg per piece or per mL where that is known."""

    found: Match
    name: str
    strength_mg: Decimal | None = None
    mg_per_ml: Decimal | None = None


_DRUG_SYSTEMS = frozenset({"atc", "rxnorm", "snomed", "hcpcs"})
NO_PRODUCT = Product(NO_MATCH, "")


def drug_match(concept: CodeableConcept | None, kind: TextKind = TextKind.MEDICATION) -> Match:
    """The drugs of a CodeableConcept; of an allergy, where the words may speak of a reaction too."""
    return match(concept, kind, check_text=True)


def named_intolerance(concept: CodeableConcept | None) -> Match:
    """The drugs that an allergy or a substance of a reaction names."""
    return drug_match(concept, TextKind.ALLERGY)


def product_of(resource: MedicationRecord, reading: Reading) -> Product:
    """The medication of a statement, request, administration or dispense (R4; R5's CodeableReference too)."""
    concept, reference, either = (
        resource.medication_codeable_concept,
        resource.medication_reference,
        resource.medication,
    )
    if either is not None:
        concept, reference = concept or either.concept, reference or either.reference
    if concept is not None:
        return reading.recall(named_drug, concept)
    if reference is None:
        return NO_PRODUCT
    medication = reading.references.medication(resource, reference)
    if medication is not None:
        if medication.code is not None and medication.code.coding:
            reading.recall(named_drug, medication.code)  # its codes are counted where they are not recognised
        product = _product(medication.code, medication)
        if product.found.concepts or product.found.unclear or not reference.display:
            return product
    return _product(CodeableConcept(text=reference.display), None)


def named_drug(concept: CodeableConcept | None) -> Product:
    """The product that a concept names by itself."""
    return _product(concept, None)


def is_coded(resource: MedicationRecord, reading: Reading) -> bool:
    """Whether the drug has a code of a system that is known here: the drug is identified, ours or not."""
    either = resource.medication
    reference = resource.medication_reference or (either.reference if either is not None else None)
    medication = reading.references.medication(resource, reference) if reference is not None else None
    concepts = [
        resource.medication_codeable_concept,
        either.concept if either is not None else None,
        medication and medication.code,
        *(_ingredient_concept(part) for part in (medication.ingredient if medication is not None else ())),
    ]
    return any(_has_drugs(coding.system) for concept in concepts if concept for coding in concept.coding)


def _has_drugs(uri: str | None) -> bool:
    """Whether the tables know drugs of this code system: a code of it that is not there is another drug."""
    system = canonical_system(uri)
    return system is not None and system[0] in _DRUG_SYSTEMS


def _product(concept: CodeableConcept | None, medication: Medication | None) -> Product:
    found = drug_match(concept)
    name = name_of(concept)
    strength = per_ml = None
    ingredients = () if medication is None else medication.ingredient
    if not found.concepts and ingredients:  # a product without a known code, known by what is in it
        parts = [drug_match(_ingredient_concept(part)) for part in ingredients]
        concepts: frozenset[str] = frozenset().union(*(part.concepts for part in parts))
        found = Match(
            concepts,
            by_text=any(part.by_text for part in parts),
            text=found.text or SEPARATOR.join(part.text for part in parts if part.text),
            unclear=frozenset() if concepts else found.unclear.union(*(part.unclear for part in parts)),
        )
        name = name or ", ".join(name_of(_ingredient_concept(part)) for part in ingredients)
    if len(ingredients) == 1:
        strength, per_ml = _ratio(ingredients[0].strength or ingredients[0].strength_ratio)
    for meaning in found.meanings:
        strength = strength or meaning.strength_mg
        per_ml = per_ml or meaning.mg_per_ml
    if strength is None and per_ml is None and len(ingredients) <= 1:
        strength = strength_in(found.text)
    if found.concepts and not words(concept) and not ingredients:
        name = ", ".join(sorted(drug.removeprefix("gc_").replace("_", " ") for drug in found.concepts))
    return Product(found, name, strength, per_ml)


def _ingredient_concept(part: Ingredient) -> CodeableConcept | None:
    item = part.item_codeable_concept or part.item
    if item is None and part.item_reference is not None:
        return CodeableConcept(text=part.item_reference.display)
    return None if item is None else item.named


def _ratio(strength: Ratio | None) -> tuple[Decimal | None, Decimal | None]:
    """A strength as (mg per piece, mg per mL)."""
    if strength is None or strength.numerator is None:
        return None, None
    above, below = strength.numerator, strength.denominator or Quantity()
    amount = milligrams(to_decimal(above.value), above.code or above.unit)
    if amount is None:
        return None, None
    count = to_decimal(below.value) or Decimal(1)
    unit = (below.code or below.unit or "").strip().lower()
    if unit == "ml":
        return None, amount / count
    return (amount / count, None) if unit in _counts() or not unit else (None, None)


def milligrams(value: Decimal | None, unit: str | None) -> Decimal | None:
    """A mass in mg; None where the unit is no mass that is known. A remark in parentheses is no part of the unit."""
    factor = _mass(unit) if unit is not None else None
    return None if value is None or factor is None else value * factor


@lru_cache(maxsize=1024)
def _mass(unit: str) -> Decimal | None:
    """The mg in a unit. Remembered: units repeat, and are no patient data."""
    return _masses().get(unit.partition("(")[0].strip().lower())


@cache
def _masses() -> dict[str, Decimal]:
    return {unit.lower(): Decimal(factor) for unit, factor in terminology().raw["units"]["dose_mg"].items()}


@cache
def _counts() -> frozenset[str]:
    raw = terminology().raw
    return frozenset(str(unit).lower() for unit in (*raw["units"]["dose_count"], *raw["dosage"]["pieces"]))


def is_count(unit: str | None) -> bool:
    """Whether a unit counts pieces of a product (tablets, syringes)."""
    return (unit or "").strip().lower() in _counts()


def strength_in(text: str) -> Decimal | None:
    """The one strength in mg that the name of a product tells; None for none, several, or one per volume."""
    if not text or re.search(r"\d\s*+(mg|g|µg|mcg|ug)\s*+/\s*+\d*+\s*+ml", text, re.IGNORECASE):
        return None
    found = {milligrams(to_decimal(number), unit) for number, unit in _STRENGTH.findall(text)}
    return found.pop() if len(found) == 1 else None
