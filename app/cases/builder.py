"""Compact facts of a clinical case -> a CDS Hooks request with FHIR R4 data.

The cases say what a clinician would say ("T-score -2.7 at the hip 30 days ago"); this says it in FHIR. A name without a
standard code in vocabulary.yaml is sent as `urn:osteon:finding`, as the contract allows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from app.chart import SOURCES_BY_TYPE

Json = dict[str, Any]
ATC, LOINC, SNOMED = "http://www.whocc.no/atc", "http://loinc.org", "http://snomed.info/sct"
ICD10, UCUM, FINDING = "http://hl7.org/fhir/sid/icd-10", "http://unitsofmeasure.org", "urn:osteon:finding"
HL7 = "http://terminology.hl7.org/CodeSystem/"
PATIENT = "case"
KEYS = ("observations", "medications", "conditions", "procedures", "family", "allergies")
SERVICE = {
    "patient-view": "osteoporosis-patient-view",
    "order-select": "osteoporosis-order-select",
    "order-sign": "osteoporosis-order-sign",
    "encounter-discharge": "osteoporosis-encounter-discharge",
    "problem-list-item-create": "osteoporosis-problem-list-item-create",
    "medication-refill": "osteoporosis-medication-refill",
    "allergyintolerance-create": "osteoporosis-allergyintolerance-create",
    "encounter-start": "osteoporosis-encounter-start",
}
FRACTURES = {"fracture", "fragility_fracture", "low_energy_fracture", "high_energy_fracture"}
PREFETCH_KEY = {"family": "familyHistory"}
DAY = re.compile(r"@[-+]\d+").fullmatch
DOSES = {"dose_mg": "mg", "dose_ug": "ug", "dose_iu": "[iU]"}
DOSE_WORDS = {"[iU]": "IU"}
UNITS = {"SD": "{T-score}", "mL/min/1.73m2": "mL/min/{1.73_m2}", "mIU/L": "m[IU]/L"}


@lru_cache(maxsize=1)
def vocabulary() -> Mapping[str, Any]:
    """The words of the cases and their codes."""
    path = Path(__file__).parent / "vocabulary.yaml"
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)  # type: ignore[no-any-return]


def kebab(name: str) -> str:
    """A finding code from a name of the cases."""
    return name.replace("_", "-")


class Builder:
    """Builds the request of one case."""

    def __init__(self, case: Mapping[str, Any], today: date) -> None:
        self.case, self.today, self.words = case, today, vocabulary()
        self._numbers: dict[str, int] = {}

    def request(self) -> Json:
        """The whole request."""
        case = self.case
        context: Json = {"userId": "Practitioner/p1", "patientId": PATIENT}
        prefetch: Json = {"patient": self.patient()}
        provided = case.get("provided") or list(KEYS)
        for key in KEYS:
            make = {"observations": self.observation, "medications": self.medication, "conditions": self.condition}
            make |= {"procedures": self.procedure, "family": self.relative, "allergies": self.allergy}
            if key in provided:
                prefetch[PREFETCH_KEY.get(key, key)] = self.bundle([make[key](fact) for fact in case.get(key) or []])
        given = [dose for fact in case.get("medications") or [] for dose in self.administration(fact)]
        if given:
            prefetch["medicationAdministrations"] = self.bundle(given)
        for record in case.get("records") or []:
            key = SOURCES_BY_TYPE[record["resourceType"]].value
            prefetch.setdefault(key, self.bundle([]))["entry"].append({"resource": self.raw(record)})
        hook = case.get("hook", "patient-view")
        if hook in {"order-select", "order-sign"}:
            facts = [fact for fact in case.get("draft_orders") or [] for _ in range(fact.get("times", 1))]
            drafts = [self.draft(fact) for fact in facts]
            context["draftOrders"] = self.bundle(drafts)
            if hook == "order-select":
                chosen = [draft for draft, fact in zip(drafts, facts, strict=True) if fact.get("selected", True)]
                context["selections"] = [f"{d['resourceType']}/{d['id']}" for d in chosen]
        if hook == "problem-list-item-create":
            context["conditions"] = self.bundle([self.condition(fact) for fact in case.get("new_conditions") or []])
        if hook == "medication-refill":
            context["medications"] = self.bundle([self.draft(fact) for fact in case.get("draft_orders") or []])
        if hook == "allergyintolerance-create":
            context["allergyIntolerance"] = self.allergy(case["new_allergies"][0])
        if hook in {"encounter-discharge", "encounter-start"}:
            context["encounterId"] = "e1"
        return {
            "hookInstance": "6bc883b2-b795-4dcb-b661-34884a31d472",
            "hook": hook,
            "context": context,
            "prefetch": prefetch,
            "extension": {"osteon.configuration": {"profile": case["profile"]}},
        }

    # ---------------------------------------------------------------------------------------------------- helpers
    def bundle(self, resources: list[Json]) -> Json:
        """A searchset."""
        return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": r} for r in resources]}

    def day(self, days_ago: float) -> str:
        """The date so many days ago."""
        return (self.today - timedelta(days=days_ago)).isoformat()

    def base(self, kind: str, *, subject: str = "subject") -> Json:
        """A resource with id and patient."""
        self._numbers[kind] = self._numbers.get(kind, 0) + 1
        return {
            "resourceType": kind,
            "id": f"{kind.lower()}-{self._numbers[kind]}",
            subject: {"reference": f"Patient/{PATIENT}"},
        }

    def raw(self, record: Mapping[str, Any]) -> Json:
        """A record as FHIR has it, where the shape itself is the case; "@-60" is the date 60 days ago."""

        def dated(value: Any) -> Any:
            if isinstance(value, Mapping):
                return {name: dated(member) for name, member in value.items()}
            if isinstance(value, list):
                return [dated(member) for member in value]
            return self.day(-int(value[1:])) if isinstance(value, str) and DAY(value) else value

        kind = record["resourceType"]
        subject = "patient" if kind in {"AllergyIntolerance", "FamilyMemberHistory"} else "subject"
        return {**self.base(kind, subject=subject), **dated(record)}

    def concept(self, table: str, name: str, system: str) -> Json:
        """A CodeableConcept for a name: of the table, there perhaps by words alone, else of `urn:osteon:finding`."""
        entry = self.words[table].get(name)
        if isinstance(entry, Mapping) and "words" in entry:
            return {"text": entry["words"]}
        if isinstance(entry, Mapping) and "local" in entry:
            return {"coding": [{"system": "urn:example:local", "code": entry["local"]}]}
        if entry is None:
            coding = {"system": FINDING, "code": kebab(name)}
        elif isinstance(entry, str):
            coding = {"system": system, "code": entry}
        else:
            coding = dict(entry)
        return {"coding": [coding], "text": name.replace("_", " ")}

    # -------------------------------------------------------------------------------------------------- resources
    def patient(self) -> Json:
        """The patient, born so that the age is right today and would be tomorrow."""
        facts = self.case["patient"]
        born = facts.get("born") or date(self.today.year - facts["age"], self.today.month, 1).isoformat()
        return {"resourceType": "Patient", "id": PATIENT, "gender": facts["sex"], "birthDate": str(born)}

    def observation(self, fact: Mapping[str, Any]) -> Json:
        """A measurement, an answer, or a finding that is true or false."""
        name, site = fact["concept"], fact.get("site")
        measure = self.words["measures"].get(f"{name}.{site}" if site else name) or self.words["measures"].get(name)
        made = self.base("Observation") | {"status": fact.get("status", "final")}
        if fact.get("days_ago") is not None:
            made["effectiveDateTime"] = self.day(fact["days_ago"])
        value = fact.get("value")
        if measure:
            unit = UNITS.get(fact.get("unit", ""), fact.get("unit")) or measure["unit"]
            loinc = measure.get("by_unit", {}).get(unit) or measure.get("loinc")
            coding = {"system": LOINC, "code": loinc} if loinc else {"system": FINDING, "code": measure["finding"]}
            made["code"] = {"coding": [coding]}
            made["valueQuantity"] = {"value": value, "unit": unit, "system": UCUM, "code": unit}
            if fact.get("comparator"):
                made["valueQuantity"]["comparator"] = fact["comparator"]
            if measure.get("site"):
                made["bodySite"] = {"text": measure["site"]}
        else:
            asked = self.words["asked"].get(name)
            made["code"] = {"coding": [{"system": LOINC if asked else FINDING, "code": asked or kebab(name)}]}
            if isinstance(value, bool):
                made["valueBoolean"] = value
            else:
                answer = self.words["answers"].get(f"{name}.{value}") or {"system": FINDING, "code": kebab(str(value))}
                made["valueCodeableConcept"] = {"coding": [dict(answer)], "text": str(value)}
        if fact.get("interpretation"):
            coding = {"system": HL7 + "v3-ObservationInterpretation", "code": fact["interpretation"]}
            made["interpretation"] = [{"coding": [coding]}]
        ends = {"low": fact.get("reference_low"), "high": fact.get("reference_high")}
        if any(end is not None for end in ends.values()):
            made["referenceRange"] = [{k: {"value": v} for k, v in ends.items() if v is not None}]
        return made

    def condition(self, fact: Mapping[str, Any]) -> Json:
        """A diagnosis or a fracture."""
        name = fact["concept"]
        code = self.fracture(fact) if name in FRACTURES else self.concept("conditions", name, ICD10)
        made = self.base("Condition") | {"code": code}
        status = fact.get("clinical_status", "active")
        made["clinicalStatus"] = {"coding": [{"system": HL7 + "condition-clinical", "code": status}]}
        if fact.get("verification_status"):
            coding = {"system": HL7 + "condition-ver-status", "code": fact["verification_status"]}
            made["verificationStatus"] = {"coding": [coding]}
        if fact.get("days_ago") is not None:
            made["onsetDateTime"] = self.day(fact["days_ago"])
        if fact.get("recorded_days_ago") is not None:
            made["recordedDate"] = self.day(fact["recorded_days_ago"])
        return made

    def fracture(self, fact: Mapping[str, Any]) -> Json:
        """The code of a fracture, with its energy as a second coding where the case tells it."""
        site = str(fact.get("site") or "")
        level = str(fact.get("level") or "")
        if site in {"vertebra", "spine"} and level:
            site = "lumbar_vertebra" if level.startswith("L") else "thoracic_vertebra"
        coding = [{"system": ICD10, "code": self.words["fractures"].get(site, "T14.2")}]
        if fact.get("low_energy") is True or fact["concept"] == "low_energy_fracture":
            coding.append({"system": FINDING, "code": "low-energy-fracture"})
        if fact.get("low_energy") is False or fact["concept"] == "high_energy_fracture":
            coding.append({"system": FINDING, "code": "high-energy-fracture"})
        return {"coding": coding, "text": f"fracture {level or site}".strip()}

    def medication(self, fact: Mapping[str, Any]) -> Json:
        """A drug course as MedicationStatement."""
        made = self.base("MedicationStatement") | {"status": fact.get("status", "active")}
        made["medicationCodeableConcept"] = self.concept("drugs", fact["concept"], ATC)
        period = {}
        if fact.get("started_days_ago") is not None:
            period["start"] = self.day(fact["started_days_ago"])
        if fact.get("ended_days_ago") is not None:
            period["end"] = self.day(fact["ended_days_ago"])
        if period:
            made["effectivePeriod"] = period
        if made["status"] == "active":
            told = fact.get("asserted_days_ago") or min(60, fact.get("started_days_ago") or 60)
            made["dateAsserted"] = self.day(told)
        if fact.get("stop_reason"):
            made["statusReason"] = [{"text": str(fact["stop_reason"]).replace("_", " ")}]
        made["dosage"] = [self.dosage(fact)]
        return made

    def administration(self, fact: Mapping[str, Any]) -> list[Json]:
        """The dose given last, or each of the doses that the case names (`given_days_ago`)."""
        last = fact.get("last_given_days_ago")
        given = [*fact.get("given_days_ago", ()), *([] if last is None else [last])]
        return [self._given(fact, days) for days in given]

    def _given(self, fact: Mapping[str, Any], days_ago: int) -> Json:
        made = self.base("MedicationAdministration") | {"status": "completed"}
        made["medicationCodeableConcept"] = self.concept("drugs", fact["concept"], ATC)
        made["effectiveDateTime"] = self.day(days_ago)
        if fact.get("dose_mg") is not None:
            made["dosage"] = {"dose": {"value": fact["dose_mg"], "unit": "mg", "system": UCUM, "code": "mg"}}
        return made

    def dosage(self, fact: Mapping[str, Any]) -> Json:
        """Dose, frequency and route."""
        made: Json = {}
        route = fact.get("route")
        if route:
            made["route"] = {"text": {"inhalation": "inhaled"}.get(route, route)}
        for key, unit in DOSES.items():
            if fact.get(key) is not None:
                quantity = {"value": fact[key], "unit": DOSE_WORDS.get(unit, unit), "system": UCUM, "code": unit}
                if fact.get("dose_basis") == "elemental":
                    quantity["unit"] += " (elemental)"
                    made["text"] = f"{fact[key]} {unit} elemental calcium"
                made["doseAndRate"] = [{"doseQuantity": quantity}]
        if fact.get("every_days"):
            made["timing"] = {"repeat": {"frequency": 1, "period": fact["every_days"], "periodUnit": "d"}}
        elif fact.get("times_per_day"):
            made["timing"] = {"repeat": {"frequency": fact["times_per_day"], "period": 1, "periodUnit": "d"}}
        if fact.get("duration_days"):
            repeat = made.setdefault("timing", {}).setdefault("repeat", {})
            repeat["boundsDuration"] = {"value": fact["duration_days"], "unit": "d", "system": UCUM, "code": "d"}
        return made

    def draft(self, fact: Mapping[str, Any]) -> Json:
        """A draft order: a drug, or an examination."""
        if fact["concept"] in self.words["procedures"]:
            return self.base("ServiceRequest") | {
                "status": "draft",
                "intent": "order",
                "code": self.concept("procedures", fact["concept"], SNOMED),
            }
        made = self.base("MedicationRequest") | {
            "status": fact.get("status", "draft"),
            "intent": "order",
            "medicationCodeableConcept": self.concept("drugs", fact["concept"], ATC),
            "dosageInstruction": [self.dosage(fact)],
        }
        if fact.get("replaces_medication"):  # the number of the medication in the case
            made["priorPrescription"] = {
                "reference": f"MedicationStatement/medicationstatement-{fact['replaces_medication']}"
            }
        return made

    def procedure(self, fact: Mapping[str, Any]) -> Json:
        """A procedure done, or planned."""
        made = self.base("Procedure") | {"code": self.concept("procedures", fact["concept"], SNOMED)}
        if fact.get("planned_in_days") is not None:
            return made | {"status": "preparation", "performedDateTime": self.day(-fact["planned_in_days"])}
        done: Json = {"status": "completed"}
        if fact.get("days_ago") is not None:
            done["performedDateTime"] = self.day(fact["days_ago"])
        return made | done

    def relative(self, fact: Mapping[str, Any]) -> Json:
        """A relative's condition."""
        made = self.base("FamilyMemberHistory", subject="patient") | {"status": "completed"}
        role = self.words["relatives"][fact["relative"]]
        made["relationship"] = {"coding": [{"system": HL7 + "v3-RoleCode", "code": role}]}
        site = str(fact["concept"]).removesuffix("_fracture")
        site = {"vertebral": "vertebra"}.get(site, site)
        if str(fact["concept"]).endswith("_fracture") and site in self.words["fractures"]:
            code = {"coding": [{"system": ICD10, "code": self.words["fractures"][site]}]}
        else:
            code = self.concept("conditions", fact["concept"], ICD10)
        made["condition"] = [{"code": code}]
        return made

    def allergy(self, fact: Mapping[str, Any]) -> Json:
        """An intolerance to a drug."""
        made = self.base("AllergyIntolerance", subject="patient")
        made["code"] = self.concept("drugs", fact["concept"], ATC)
        if fact.get("reaction"):
            made["reaction"] = [{"manifestation": [{"text": str(fact["reaction"])}]}]
        return made
