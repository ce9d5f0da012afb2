"""The codes of the standard that suggested resources use, and the small pieces that they are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, Protocol

SNOMED: Final = "http://snomed.info/sct"
UCUM: Final = "http://unitsofmeasure.org"
MEDICATION_REQUEST_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/medicationrequest-category"

ROUTES: Final[Mapping[str, tuple[str, str]]] = {
    "oral": ("26643006", "Oral route"),
    "intravenous": ("47625008", "Intravenous route"),
    "subcutaneous": ("34206005", "Subcutaneous route"),
}
"""SNOMED CT code and term of each route of a dose order (value set route-codes of FHIR R4)."""

SERVICE_CATEGORIES: Final[Mapping[str, tuple[str, str]]] = {
    "imaging": ("363679005", "Imaging"),
    "laboratory": ("108252007", "Laboratory procedure"),
    "procedure": ("386053000", "Evaluation procedure"),
    "referral": ("3457005", "Patient referral"),
}
"""SNOMED CT code and term of each category of an orderable; the first two are in FHIR's example value set."""

MEDICATION_CATEGORIES: Final[Mapping[str, tuple[str, str]]] = {
    "oral": ("community", "Community"),
    "subcutaneous": ("community", "Community"),
    "intravenous": ("outpatient", "Outpatient"),
}
"""Where the drug will be given, by route: FHIR's `community` is at home, an infusion needs a clinic."""

# Wider than FHIR's id: servers with longer ids or underscores exist, and their patients get suggestions too.
_ID = re.compile(r"[^\s/?#&]{1,128}")
_REFERENCE = re.compile(rf"([A-Z][A-Za-z]+)/({_ID.pattern})")


class OrderableLike(Protocol):
    """What is read of an orderable; `app.engine.schema.Orderable` has it."""

    @property
    def id(self) -> str:
        """The key of its texts."""

    @property
    def category(self) -> str:
        """A key of `SERVICE_CATEGORIES`."""

    @property
    def codes(self) -> Iterable[Mapping[str, str]]:
        """Codings: system, code and display."""


class DrugLike(Protocol):
    """What is read of a drug; `app.engine.schema.Drug` has it."""

    @property
    def id(self) -> str:
        """The key of its texts."""

    @property
    def orders(self) -> Mapping[str, DoseOrderLike]:
        """Its orders by source id or "any"."""

    @property
    def codes(self) -> Iterable[Mapping[str, str]]:
        """Codings: system, code and display."""


class DoseOrderLike(Protocol):
    """What is read of a dose order; `app.engine.schema.DoseOrder` has it."""

    @property
    def dose(self) -> Decimal:
        """The dose in `unit`; the lower end where `dose_high` is given."""

    @property
    def dose_high(self) -> Decimal | None:
        """The upper end of a range."""

    @property
    def unit(self) -> str:
        """UCUM."""

    @property
    def frequency(self) -> int:
        """Times per period."""

    @property
    def period(self) -> Decimal:
        """Length of the period in `period_unit`."""

    @property
    def period_unit(self) -> str:
        """UCUM: d, wk, mo or a."""

    @property
    def route(self) -> str:
        """A key of `ROUTES`."""


def number(value: Decimal) -> int | float:
    """A decimal as a JSON number; whole numbers without a fraction."""
    return int(value) if value == value.to_integral_value() else float(value)


def quantity(value: Decimal, unit: str) -> dict[str, Any]:
    """A Quantity in UCUM."""
    return {"value": number(value), "unit": unit, "system": UCUM, "code": unit}


def coding(system: str, code: str, display: str | None = None) -> dict[str, str]:
    """A Coding."""
    return {"system": system, "code": code} | ({"display": display} if display else {})


def concept(codes: Iterable[Mapping[str, str]], text: str = "") -> dict[str, Any]:
    """A CodeableConcept with all codings and the text that people read; without text the displays speak."""
    made: dict[str, Any] = {"coding": [coding(c["system"], c["code"], c.get("display")) for c in codes]}
    return made | ({"text": text} if text else {})


def reference_to(kind: str, id_or_reference: str) -> dict[str, str]:
    """A Reference to a resource of this type from its id or its "Type/id". Raises ValueError for anything else."""
    match = _REFERENCE.fullmatch(id_or_reference)
    if match and match[1] == kind:
        return {"reference": id_or_reference}
    if _ID.fullmatch(id_or_reference):
        return {"reference": f"{kind}/{id_or_reference}"}
    raise ValueError(f"not the id of a {kind}")  # the value itself may identify a person


def references_of_kind(references: Iterable[str], kinds: frozenset[str]) -> list[dict[str, str]]:
    """The relative references to resources of these types, each once, in their order; others are left out."""
    matches = (_REFERENCE.fullmatch(reference) for reference in dict.fromkeys(references))
    return [{"reference": match[0]} for match in matches if match and match[1] in kinds]
