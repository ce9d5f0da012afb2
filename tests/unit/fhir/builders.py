"""Small made-up resources, and a chart of them."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from app.chart import Availability, Chart, ObservationFact, Source, fact_of
from app.fhir.reader import ChartInput, read_chart
from app.wire.patient import Patient
from tests.support.wire import record, split

TODAY = date(2026, 6, 15)
ME = "me"
LOINC, SNOMED, ATC = "http://loinc.org", "http://snomed.info/sct", "http://www.whocc.no/atc"
ICD10, ICD10CM = "http://hl7.org/fhir/sid/icd-10", "http://hl7.org/fhir/sid/icd-10-cm"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SKS, ICD10SE, ICD10CN = (
    "urn:oid:1.2.208.176.2.4.12",
    "urn:oid:1.2.752.116.1.1.1.1.3",
    "urn:oid:2.16.156.10011.2.3.3.11",
)
NPU, FINDING, UCUM = "urn:oid:1.2.208.176.2.1", "urn:osteon:finding", "http://unitsofmeasure.org"

Json = dict[str, Any]


def coded(system: str, code: str, text: str | None = None, display: str | None = None) -> Json:
    """A CodeableConcept with one coding."""
    coding = {"system": system, "code": code} | ({"display": display} if display else {})
    return {"coding": [coding]} | ({"text": text} if text else {})


def resource(kind: str, identifier: str = "x", /, **members: Any) -> Json:
    """A resource of the patient."""
    holder = "patient" if kind in {"AllergyIntolerance", "FamilyMemberHistory"} else "subject"
    return {"resourceType": kind, "id": identifier, holder: {"reference": f"Patient/{ME}"}} | members


def observation(code: Json, value: float | str | None = None, unit: str | None = None, **members: Any) -> Json:
    """A final Observation of 1 May 2026, with a Quantity if there is a value."""
    content: Json = {"status": "final", "code": code, "effectiveDateTime": "2026-05-01"}
    if value is not None:
        content["valueQuantity"] = {"value": value} | ({"unit": unit} if unit else {})
    return resource("Observation", **(content | members))


def condition(code: Json, identifier: str = "x", clinical: str = "active", **members: Any) -> Json:
    """A confirmed Condition."""
    status = {"clinicalStatus": {"coding": [{"code": clinical}]}}
    content = status | {"verificationStatus": {"coding": [{"code": "confirmed"}]}, "code": code}
    return resource("Condition", identifier, **(content | members))


def dosage(amount: float, unit: str = "mg", every_days: float = 1, **members: Any) -> Json:
    """One Dosage: an amount every so many days."""
    repeat = {"frequency": 1, "period": every_days, "periodUnit": "d"} | members.pop("repeat", {})
    quantity = {"value": amount, "unit": unit}
    return {"timing": {"repeat": repeat}, "doseAndRate": [{"doseQuantity": quantity}]} | members


def statement(drug: Json, identifier: str = "x", status: str = "active", **members: Any) -> Json:
    """A MedicationStatement."""
    return resource("MedicationStatement", identifier, status=status, medicationCodeableConcept=drug, **members)


def request(drug: Json, identifier: str = "x", status: str = "active", **members: Any) -> Json:
    """A MedicationRequest, intent order."""
    content = {"intent": "order", "medicationCodeableConcept": drug} | members
    return resource("MedicationRequest", identifier, status=status, **content)


def chart(
    *resources: Json,
    tz: str = "UTC",
    patient: Json | None = None,
    availability: dict[Source, Availability] | None = None,
    **members: Any,
) -> Chart:
    """The chart of these resources."""
    whole = {"resourceType": "Patient", "id": ME, "gender": "female", "birthDate": "1950-03-02"} | (patient or {})
    records, damaged = split(resources)
    person = record(whole)
    assert isinstance(person, Patient)
    for name in ("draft_orders", "new_conditions"):
        members[name], more = split(members.get(name, ()))
        damaged += more
    data = ChartInput(ME, person, records, availability or {}, damaged=damaged, **members)
    return read_chart(data, today=TODAY, tz=ZoneInfo(tz))


def facts_in(read: Chart) -> list[ObservationFact]:
    """The observations of a chart, all of them read."""
    return [fact_of(record) for record in read.observations]
