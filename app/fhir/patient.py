"""The Patient resource: sex, birth date, death."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

from app.chart import DateRange, Patient, Sex
from app.fhir.dates import read_date
from app.wire.elements import Extension, Primitive
from app.wire.patient import Patient as PatientResource

_SEXES = {
    "female": Sex.FEMALE,
    "male": Sex.MALE,
    "248152002": Sex.FEMALE,  # SNOMED CT, in us-core-individual-sex
    "248153007": Sex.MALE,
    "f": Sex.FEMALE,
    "m": Sex.MALE,
}
_ABSENT = "data-absent-reason"
_SEX_EXTENSIONS = ("us-core-individual-sex", "us-core-sex", "us-core-birthsex", "individual-recordedSexOrGender")


def read_patient(resource: PatientResource, patient_id: str, today: date, tz: ZoneInfo) -> Patient:
    """Who the chart is about. What is absent, `other`, `unknown` or in the future stays unknown."""
    return Patient(
        id=patient_id,
        sex=_sex(resource),
        birth_date=None if is_said_absent(resource.birth_date_) else _birth_date(resource.birth_date, today, tz),
        deceased=_deceased(resource),
    )


def is_said_absent(beside: Primitive | None) -> bool:
    """Whether the extensions of a primitive member mark its value as absent (data-absent-reason)."""
    return beside is not None and any((one.url or "").endswith(_ABSENT) for one in beside.extension)


def unclear_members(resource: PatientResource) -> tuple[str, ...]:
    """Members of which it is said that the value is absent, where that leaves open what the record means.

    A date of death that is absent can be that of the dead or of the living; a birth date that stands beside the word
    that it is absent is not used.
    """
    death = is_said_absent(resource.deceased_date_time_) and not _deceased(resource)
    birth = is_said_absent(resource.birth_date_) and resource.birth_date is not None
    return (*(("deceasedDateTime",) if death else ()), *(("birthDate",) if birth else ()))


def _sex(resource: PatientResource) -> Sex | None:
    gender = resource.gender
    if gender is not None and gender.strip():
        return _SEXES.get(gender.strip().lower())
    for extension in resource.extension:
        if extension.url is None or not extension.url.endswith(_SEX_EXTENSIONS):
            continue
        for code in _codes_in(extension):
            sex = _SEXES.get(code.strip().lower())
            if sex is not None:
                return sex
    return None


def _codes_in(extension: Extension) -> Iterator[str]:
    if extension.value_code is not None:
        yield extension.value_code
    codings = [extension.value_coding] if extension.value_coding is not None else []
    codings += extension.value_codeable_concept.coding if extension.value_codeable_concept is not None else ()
    yield from (coding.code for coding in codings if coding.code is not None)


def _birth_date(value: str | None, today: date, tz: ZoneInfo) -> DateRange | None:
    born = read_date(value, tz)
    if born is None or born.earliest > today:
        return None
    return DateRange(born.earliest, min(born.latest, today))


def _deceased(resource: PatientResource) -> bool:
    when = resource.deceased_date_time
    return resource.deceased_boolean is True or (when is not None and bool(when.strip()))
