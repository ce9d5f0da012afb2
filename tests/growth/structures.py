"""Charts that grow in one direction: each takes n and gives the body of a call. Material of the growth test.

One structure for each way in which the size of a chart could be multiplied with itself: records of one list compared
with each other, with those of another list, parts of one record with each other.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

ICD = "http://hl7.org/fhir/sid/icd-10"

Body = dict[str, Any]


def obs(
    i: object,
    code: str = "8302-2",
    val: float = 164,
    unit: str = "cm",
    date: str = "2026-09-01",
    pid: str = "p1",
    **k: Any,
) -> Body:
    r = {
        "resourceType": "Observation",
        "id": f"o{i}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": f"Patient/{pid}"},
        "effectiveDateTime": date,
        "valueQuantity": {"value": val, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
    }
    r.update(k)
    return r


def cond(
    i: object, code: Any = "M81.0", system: str = ICD, pid: str = "p1", date: str = "2020-01-01", **k: Any
) -> Body:
    r = {
        "resourceType": "Condition",
        "id": f"c{i}",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": code if isinstance(code, dict) else {"coding": [{"system": system, "code": code}]},
        "subject": {"reference": f"Patient/{pid}"},
        "onsetDateTime": date,
    }
    r.update(k)
    return r


def med(
    i: object,
    code: str = "M05BA04",
    pid: str = "p1",
    status: str = "active",
    kind: str = "MedicationStatement",
    concept: Body | None = None,
    **k: Any,
) -> Body:
    r = {
        "resourceType": kind,
        "id": f"m{i}",
        "status": status,
        "medicationCodeableConcept": concept or {"coding": [{"system": "http://www.whocc.no/atc", "code": code}]},
        "subject": {"reference": f"Patient/{pid}"},
    }
    r.update(k)
    return r


def bundle(rs: Any) -> Body:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": r} for r in rs]}


def request(
    observations: Any = (),
    medications: Any = (),
    conditions: Any = None,
    hook: str = "patient-view",
    context: Body | None = None,
    **more: Any,
) -> Body:
    p: Body = {
        "patient": {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1950-03-14"},
        "observations": bundle(observations),
        "medications": bundle(medications),
    }
    if conditions is not None:
        p["conditions"] = bundle(conditions)
    for k, v in more.items():
        p[k] = bundle(v) if isinstance(v, (list, tuple)) else v
    return {
        "hook": hook,
        "hookInstance": "11111111-2222-3333-4444-555555555555",
        "context": {"userId": "Practitioner/u", "patientId": "p1", **(context or {})},
        "prefetch": p,
    }


def day(i: int) -> str:
    return (datetime.date(2026, 11, 1) - datetime.timedelta(days=i)).isoformat()


def concept(
    text: str | None = None, system: str | None = None, code: str | None = None, display: str | None = None
) -> Body:
    c: Body = {}
    if text:
        c["text"] = text
    if code:
        c["coding"] = [{"system": system, "code": code, **({"display": display} if display else {})}]
    return c


STRUCTURES: dict[str, Callable[[int], Body]] = {
    "meds same drug disjoint periods": lambda n: request(
        observations=[obs(1)],
        medications=[
            med(i, status="completed", effectivePeriod={"start": day(2 * i + 1), "end": day(2 * i + 1)})
            for i in range(n)
        ],
    ),
    "meds same drug other doses": lambda n: request(
        observations=[obs(1)],
        medications=[
            med(
                i,
                dosage=[
                    {
                        "doseAndRate": [{"doseQuantity": {"value": 1 + i / 1000, "code": "mg"}}],
                        "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
                    }
                ],
            )
            for i in range(n)
        ],
    ),
    "meds one course": lambda n: request(
        observations=[obs(1)], medications=[med(i, effectiveDateTime="2026-01-01") for i in range(n)]
    ),
    "meds GC disjoint": lambda n: request(
        observations=[obs(1)],
        medications=[
            med(i, code="H02AB06", status="completed", effectivePeriod={"start": day(2 * i + 1), "end": day(2 * i + 1)})
            for i in range(n)
        ],
    ),
    "meds GC other doses now": lambda n: request(
        observations=[obs(1)],
        medications=[
            med(
                i,
                code="H02AB06",
                effectivePeriod={"start": "2026-05-01"},
                dosage=[
                    {
                        "doseAndRate": [{"doseQuantity": {"value": 1 + i / 1000, "code": "mg"}}],
                        "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
                    }
                ],
            )
            for i in range(n)
        ],
    ),
    "meds unnamed text": lambda n: request(
        observations=[obs(1)], medications=[med(i, concept={"text": f"Qwert {i} zzz"}) for i in range(n)]
    ),
    "drafts unnamed text": lambda n: request(
        hook="order-sign",
        observations=[obs(1)],
        medications=[],
        context={
            "draftOrders": bundle(
                [
                    med(i, kind="MedicationRequest", status="draft", concept={"text": f"Qwert {i} zzz"}, intent="order")
                    for i in range(n)
                ]
            )
        },
    ),
    "drafts alendronate": lambda n: request(
        hook="order-sign",
        observations=[obs(1)],
        medications=[],
        context={
            "draftOrders": bundle([med(i, kind="MedicationRequest", status="draft", intent="order") for i in range(n)])
        },
    ),
    "drafts x courses": lambda n: request(
        hook="order-sign",
        observations=[obs(1)],
        medications=[
            med(f"x{i}", status="completed", effectivePeriod={"start": day(2 * i + 1), "end": day(2 * i + 1)})
            for i in range(n // 4)
        ],
        context={
            "draftOrders": bundle([med(i, kind="MedicationRequest", status="draft", intent="order") for i in range(n)])
        },
    ),
    "administrations x courses": lambda n: request(
        observations=[obs(1)],
        medications=[
            med(f"x{i}", status="completed", effectivePeriod={"start": day(2 * i + 1), "end": day(2 * i + 1)})
            for i in range(n // 4)
        ],
        medicationAdministrations=[
            med(i, kind="MedicationAdministration", status="completed", effectiveDateTime=day(i)) for i in range(n)
        ],
    ),
    "conditions same": lambda n: request(observations=[obs(1)], conditions=[cond(i) for i in range(n)]),
    "conditions distinct codes": lambda n: request(
        observations=[obs(1)], conditions=[cond(i, code=f"C{50 + i % 40}.{i % 10}") for i in range(n)]
    ),
    "conditions distinct texts": lambda n: request(
        observations=[obs(1)], conditions=[cond(i, code=concept(text=f"hip fracture nr {i}")) for i in range(n)]
    ),
    "conditions distinct displays": lambda n: request(
        observations=[obs(1)],
        conditions=[cond(i, code=concept(system="urn:l", code=str(i), display=f"fall nr {i}")) for i in range(n)],
    ),
    "fractures hip other days": lambda n: request(
        observations=[obs(1)], conditions=[cond(i, code="S72.0", date=day(i * 91 % 25000)) for i in range(n)]
    ),
    "fractures vertebra levels": lambda n: request(
        observations=[obs(1)],
        conditions=[
            cond(i, code=concept(text=f"vertebral fracture L{1 + i % 5}"), date=day(i % 20000)) for i in range(n)
        ],
    ),
    "fractures no date no site": lambda n: request(
        observations=[obs(1)],
        conditions=[
            {k: v for k, v in cond(i, code=concept(text=f"fracture nr {i}")).items() if k != "onsetDateTime"}
            for i in range(n)
        ],
    ),
    "results same day same code": lambda n: request(
        observations=[obs(i, "2160-0", 0.9, "mg/dL", "2026-11-01") for i in range(n)]
    ),
    "results same code other days": lambda n: request(
        observations=[obs(i, "2160-0", 0.9, "mg/dL", day(i % 9000)) for i in range(n)]
    ),
    "results distinct codes": lambda n: request(
        observations=[obs(i, f"{10000 + i}-1", 0.9, "mg/dL", day(1)) for i in range(n)]
    ),
    "weights heights days": lambda n: request(
        observations=[obs(i, "29463-7", 60 + i % 20, "kg", day(i % 9000)) for i in range(n // 2)]
        + [obs(f"h{i}", "8302-2", 160 + i % 20, "cm", day(i % 9000)) for i in range(n // 2)]
    ),
    "T-scores": lambda n: request(
        observations=[obs(i, "38267-1", -2.0 - (i % 20) / 10, "{T-score}", day(i % 9000)) for i in range(n)]
    ),
    "components": lambda n: request(
        observations=[
            obs(
                1,
                component=[
                    {
                        "code": {"coding": [{"system": "http://loinc.org", "code": "38267-1"}]},
                        "valueQuantity": {"value": -2.5, "unit": "{T-score}"},
                    }
                    for i in range(n)
                ],
            )
        ]
    ),
    "unusable units": lambda n: request(
        observations=[obs(i, "2160-0", 0.9, "furlong", day(i % 9000)) for i in range(n)]
    ),
    "findings true": lambda n: request(
        observations=[
            {
                "resourceType": "Observation",
                "id": f"f{i}",
                "status": "final",
                "code": {"coding": [{"system": "urn:osteon:finding", "code": "height-loss"}]},
                "valueQuantity": {"value": 5, "unit": "cm"},
                "effectiveDateTime": day(i % 9000),
            }
            for i in range(n)
        ]
    ),
    "procedures dxa": lambda n: request(
        observations=[obs(1)],
        procedures=[
            {
                "resourceType": "Procedure",
                "id": f"p{i}",
                "status": "completed",
                "code": {"text": "dxa"},
                "performedDateTime": day(i % 9000),
            }
            for i in range(n)
        ],
    ),
    "service requests distinct": lambda n: request(
        observations=[obs(1)],
        serviceRequests=[
            {
                "resourceType": "ServiceRequest",
                "id": f"p{i}",
                "status": "active",
                "intent": "order",
                "code": concept(system="urn:l", code=str(i)),
            }
            for i in range(n)
        ],
    ),
    "service requests dxa": lambda n: request(
        observations=[obs(1)],
        serviceRequests=[
            {
                "resourceType": "ServiceRequest",
                "id": f"p{i}",
                "status": "active",
                "intent": "order",
                "code": {"text": "dxa"},
                "authoredOn": day(i % 9000),
            }
            for i in range(n)
        ],
    ),
    "family conditions": lambda n: request(
        observations=[obs(1)],
        familyHistory=[
            {
                "resourceType": "FamilyMemberHistory",
                "id": "f",
                "status": "completed",
                "relationship": {"text": "mother"},
                "condition": [{"code": {"text": f"hip fracture {i}"}} for i in range(n)],
            }
        ],
    ),
    "allergies": lambda n: request(
        observations=[obs(1)],
        allergies=[
            {
                "resourceType": "AllergyIntolerance",
                "id": f"a{i}",
                "code": {"text": "alendronate"},
                "reaction": [{"manifestation": [{"text": f"rash {i}"}]}],
            }
            for i in range(n)
        ],
    ),
    "allergy reactions": lambda n: request(
        observations=[obs(1)],
        allergies=[
            {
                "resourceType": "AllergyIntolerance",
                "id": "a",
                "code": {"text": "alendronate"},
                "reaction": [{"manifestation": [{"text": f"rash {i}"}]} for i in range(n)],
            }
        ],
    ),
    "reports dxa": lambda n: request(
        observations=[obs(1)],
        diagnosticReports=[
            {
                "resourceType": "DiagnosticReport",
                "id": f"r{i}",
                "status": "final",
                "code": {"text": "dxa"},
                "effectiveDateTime": day(i % 9000),
                "conclusion": "T-score lumbar spine -2,4.",
            }
            for i in range(n)
        ],
    ),
    "report sentences": lambda n: request(
        observations=[obs(1)],
        diagnosticReports=[
            {
                "resourceType": "DiagnosticReport",
                "id": "r",
                "status": "final",
                "code": {"text": "dxa"},
                "effectiveDateTime": day(1),
                "conclusion": "T-score lumbar spine -2,4. " * n,
            }
        ],
    ),
    "report presentedForms": lambda n: request(
        observations=[obs(1)],
        diagnosticReports=[
            {
                "resourceType": "DiagnosticReport",
                "id": "r",
                "status": "final",
                "code": {"text": "dxa"},
                "effectiveDateTime": day(1),
                "presentedForm": [{"contentType": "text/plain", "data": "VC1zY29yZSBsdW1iYXIgLTIsNC4="}] * n,
            }
        ],
    ),
    "dosage parts": lambda n: request(
        observations=[obs(1)],
        medications=[
            med(
                1,
                code="H02AB06",
                dosage=[
                    {
                        "sequence": i,
                        "doseAndRate": [{"doseQuantity": {"value": 5, "code": "mg"}}],
                        "timing": {
                            "repeat": {
                                "frequency": 1,
                                "period": 1,
                                "periodUnit": "d",
                                "boundsDuration": {"value": 1, "unit": "d"},
                            }
                        },
                    }
                    for i in range(n)
                ],
            )
        ],
    ),
    "ingredients": lambda n: request(
        observations=[obs(1)],
        medications=[
            {
                "resourceType": "MedicationStatement",
                "id": "m",
                "status": "active",
                "medicationReference": {"reference": "#a"},
                "contained": [
                    {
                        "resourceType": "Medication",
                        "id": "a",
                        "code": {"text": "x"},
                        "ingredient": [{"itemCodeableConcept": {"text": f"calcium {i}"}} for i in range(n)],
                    }
                ],
            }
        ],
    ),
    "contained lookups": lambda n: request(
        observations=[obs(1)],
        medications=[
            {
                "resourceType": "MedicationStatement",
                "id": f"m{j}",
                "status": "active",
                "medicationReference": {"reference": f"#a{n - 1}"},
                "contained": [{"resourceType": "Medication", "id": f"a{i}", "code": {"text": "x"}} for i in range(n)],
            }
            for j in range(3)
        ],
    ),
    "codings": lambda n: request(
        observations=[obs(1)],
        conditions=[cond(1, code={"coding": [{"system": ICD, "code": f"M81.{i}"} for i in range(n)]})],
    ),
    "codings displays": lambda n: request(
        observations=[obs(1)],
        conditions=[
            cond(
                1, code={"coding": [{"system": "urn:l", "code": f"M81.{i}", "display": f"word {i}"} for i in range(n)]}
            )
        ],
    ),
    "long icd code": lambda n: request(observations=[obs(1)], conditions=[cond(1, code="S72" + "0" * (n * 10))]),
    "bodySites": lambda n: request(
        observations=[obs(1)], conditions=[cond(1, code="S72.0", bodySite=[{"text": f"site {i}"} for i in range(n)])]
    ),
    "referenceRanges": lambda n: request(
        observations=[
            obs(
                1,
                "2160-0",
                0.9,
                "mg/dL",
                "2026-11-01",
                referenceRange=[{"low": {"value": i, "unit": "x"}} for i in range(n)],
            )
        ]
    ),
    "selections": lambda n: request(
        hook="order-select",
        observations=[obs(1)],
        medications=[],
        context={
            "selections": [f"MedicationRequest/m{i}" for i in range(n)],
            "draftOrders": bundle(
                [med(i, kind="MedicationRequest", status="draft", intent="order") for i in range(n // 10)]
            ),
        },
    ),
    "other patients": lambda n: request(observations=[obs(i, pid="p2") for i in range(n)]),
    "unreadable": lambda n: request(
        observations=[
            {
                "resourceType": "Observation",
                "id": f"u{i}",
                "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": "2160-0"}]},
                "valueQuantity": {"value": 1e300, "unit": "mg/dL"},
            }
            for i in range(n)
        ]
    ),
    "set aside eie": lambda n: request(observations=[obs(i, status="entered-in-error") for i in range(n)]),
    "new conditions hook": lambda n: request(
        hook="problem-list-item-create",
        observations=[obs(1)],
        conditions=[cond(i) for i in range(n)],
        context={"conditions": bundle([cond(f"n{i}", code="S72.0", date=day(i % 9000)) for i in range(n)])},
    ),
}
