"""The hooks that the service answers, the context that each of them brings, and the occasion that each of them is.

Source: the hook definitions of HL7/cds-hooks-library (patient-view 1.0, order-select 1.0, order-sign 1.0 and 1.1,
encounter-start 1.0, encounter-discharge 1.0, problem-list-item-create, allergyintolerance-create and medication-refill
0.1.0).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.chart import Occasion


class Hook(StrEnum):
    """The moments in a clinician's work at which a client calls."""

    PATIENT_VIEW = "patient-view"
    ORDER_SELECT = "order-select"
    ORDER_SIGN = "order-sign"
    ENCOUNTER_DISCHARGE = "encounter-discharge"
    PROBLEM_LIST_ITEM_CREATE = "problem-list-item-create"
    MEDICATION_REFILL = "medication-refill"
    ALLERGYINTOLERANCE_CREATE = "allergyintolerance-create"
    ENCOUNTER_START = "encounter-start"


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the discovery answer, what its hook is about, and which context members the hook requires.

    `patientId` is required by every hook here.
    """

    id: str
    hook: Hook
    occasion: Occasion
    title: str
    description: str
    user_required: bool = True
    encounter_required: bool = False
    orders_in: str | None = None  # the context member that is required and holds the orders
    selections: bool = False  # context.selections is required
    conditions: bool = False  # context.conditions is required
    intolerance: bool = False  # context.allergyIntolerance is required


SERVICES: tuple[Service, ...] = (
    Service(
        id="osteoporosis-patient-view",
        hook=Hook.PATIENT_VIEW,
        occasion=Occasion.CHART,
        title="Osteoporosis: what is due now",
        description=(
            "Looks at fractures, bone density, glucocorticoids, other drugs, diseases and laboratory values, and tells "
            "what guidelines on osteoporosis advise for this patient now: DXA, work-up, treatment, follow-up."
        ),
    ),
    Service(
        id="osteoporosis-order-select",
        hook=Hook.ORDER_SELECT,
        occasion=Occasion.ORDERS,
        title="Osteoporosis: selected orders",
        description=(
            "Looks at the orders that are being selected: contraindications and limits of bone drugs, alternatives, "
            "what a bone-damaging drug makes necessary, and the review that is due when a running drug is renewed."
        ),
        orders_in="draftOrders",
        selections=True,
    ),
    Service(
        id="osteoporosis-order-sign",
        hook=Hook.ORDER_SIGN,
        occasion=Occasion.ORDERS,
        title="Osteoporosis: orders before signing",
        description=(
            "The last look at all draft orders before they are signed: safety of bone drugs, alternatives, and the "
            "review that is due when a running drug is renewed."
        ),
        orders_in="draftOrders",
    ),
    Service(
        id="osteoporosis-encounter-discharge",
        hook=Hook.ENCOUNTER_DISCHARGE,
        occasion=Occasion.DISCHARGE,
        title="Osteoporosis: fracture patient leaves",
        description="Secondary prevention when a patient with a fracture leaves the hospital.",
        encounter_required=True,
    ),
    Service(
        id="osteoporosis-problem-list-item-create",
        hook=Hook.PROBLEM_LIST_ITEM_CREATE,
        occasion=Occasion.PROBLEM,
        title="Osteoporosis: new problem",
        description="What a new fracture, or a new disease that damages bone, makes necessary.",
        conditions=True,
    ),
    Service(
        id="osteoporosis-medication-refill",
        hook=Hook.MEDICATION_REFILL,
        occasion=Occasion.REFILL,
        title="Osteoporosis: a drug is renewed",
        description=(
            "The review that is due for the drug that is renewed (years of a bisphosphonate, interval and years of "
            "denosumab, limits of an anabolic course, protection during glucocorticoids) and the safety of that drug."
        ),
        user_required=False,
        orders_in="medications",
    ),
    Service(
        id="osteoporosis-allergyintolerance-create",
        hook=Hook.ALLERGYINTOLERANCE_CREATE,
        occasion=Occasion.INTOLERANCE,
        title="Osteoporosis: a drug was not tolerated",
        description="Which drug comes in the place of a bone drug that was not tolerated, in order of suitability.",
        intolerance=True,
    ),
    Service(
        id="osteoporosis-encounter-start",
        hook=Hook.ENCOUNTER_START,
        occasion=Occasion.VISIT,
        title="Osteoporosis: this visit",
        description="Of what is due for this patient, only what is urgent or due within 30 days.",
        encounter_required=True,
    ),
)

SERVICES_BY_ID: dict[str, Service] = {service.id: service for service in SERVICES}
SERVICES_BY_HOOK: dict[str, Service] = {service.hook.value: service for service in SERVICES}
OCCASIONS: dict[Hook, Occasion] = {service.hook: service.occasion for service in SERVICES}

USER_TYPES = frozenset({"Practitioner", "PractitionerRole", "Patient", "RelatedPerson"})
"""Resource types that `context.userId` can name in the hooks above."""
