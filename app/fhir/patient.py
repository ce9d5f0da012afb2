"""The Patient resource: sex, birth date, death."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from app.chart import DateRange, Patient, Sex
from app.fhir.dates import read_date
from app.terminology.codeable_concept import codings, objects

_SEXES = {
    "female": Sex.FEMALE,
    "male": Sex.MALE,
    "248152002": Sex.FEMALE,  # SNOMED CT, in us-core-individual-sex
    "248153007": Sex.MALE,
    "f": Sex.FEMALE,
    "m": Sex.MALE,
}
_SEX_EXTENSIONS = ("us-core-individual-sex", "us-core-sex", "us-core-birthsex", "individual-recordedSexOrGender")


def read_patient(resource: Mapping[str, Any], patient_id: str, today: date, tz: ZoneInfo) -> Patient:
    """Who the chart is about. What is absent, `other`, `unknown` or in the future stays unknown."""
    return Patient(
        id=patient_id,
        sex=_sex(resource),
        birth_date=_birth_date(resource.get("birthDate"), today, tz),
        deceased=_deceased(resource),
    )


def _sex(resource: Mapping[str, Any]) -> Sex | None:
    gender = resource.get("gender")
    if isinstance(gender, str) and gender.strip():
        return _SEXES.get(gender.strip().lower())
    for extension in objects(resource.get("extension")):
        url = extension.get("url")
        if not isinstance(url, str) or not url.endswith(_SEX_EXTENSIONS):
            continue
        values = [extension.get("valueCode"), *(extension.get(key) for key in ("valueCoding", "valueCodeableConcept"))]
        for value in values:
            for code in _codes_in(value):
                sex = _SEXES.get(code.strip().lower())
                if sex is not None:
                    return sex
    return None


def _codes_in(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    found = [value.get("code") if isinstance(value, dict) else None]
    found += [coding.get("code") for coding in codings(value)]
    return [code for code in found if isinstance(code, str)]


def _birth_date(value: object, today: date, tz: ZoneInfo) -> DateRange | None:
    born = read_date(value, tz)
    if born is None or born.earliest > today:
        return None
    return DateRange(born.earliest, min(born.latest, today))


def _deceased(resource: Mapping[str, Any]) -> bool:
    when = resource.get("deceasedDateTime")
    return resource.get("deceasedBoolean") is True or (isinstance(when, str) and bool(when.strip()))
