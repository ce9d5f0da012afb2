"""The hooks that the service answers, and the context that each of them brings.

Source: the hook definitions of HL7/cds-hooks-library (patient-view 1.0, order-select 1.0, order-sign 1.0 and 1.1,
encounter-discharge 1.0, problem-list-item-create 0.1.0).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Hook(StrEnum):
    """The moments in a clinician's work at which a client calls."""

    PATIENT_VIEW = "patient-view"
    ORDER_SELECT = "order-select"
    ORDER_SIGN = "order-sign"
    ENCOUNTER_DISCHARGE = "encounter-discharge"
    PROBLEM_LIST_ITEM_CREATE = "problem-list-item-create"


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the discovery answer, and which context members its hook requires.

    `userId` and `patientId` are required by every hook here.
    """

    id: str
    hook: Hook
    title: str
    description: str
    encounter_required: bool = False
    orders: bool = False  # context.draftOrders is required
    selections: bool = False  # context.selections is required
    conditions: bool = False  # context.conditions is required


SERVICES: tuple[Service, ...] = (
    Service(
        id="osteoporosis-patient-view",
        hook=Hook.PATIENT_VIEW,
        title="Osteoporosis: what is due now",
        description=(
            "Looks at fractures, bone density, glucocorticoids, other drugs, diseases and laboratory values, and tells "
            "what guidelines on osteoporosis advise for this patient now: DXA, work-up, treatment, follow-up."
        ),
    ),
    Service(
        id="osteoporosis-order-select",
        hook=Hook.ORDER_SELECT,
        title="Osteoporosis: selected orders",
        description=(
            "Looks at the orders that are being selected: contraindications and limits of bone drugs, alternatives, "
            "and what a bone-damaging drug makes necessary."
        ),
        orders=True,
        selections=True,
    ),
    Service(
        id="osteoporosis-order-sign",
        hook=Hook.ORDER_SIGN,
        title="Osteoporosis: orders before signing",
        description="The last look at all draft orders before they are signed: safety of bone drugs and alternatives.",
        orders=True,
    ),
    Service(
        id="osteoporosis-encounter-discharge",
        hook=Hook.ENCOUNTER_DISCHARGE,
        title="Osteoporosis: fracture patient leaves",
        description="Secondary prevention when a patient with a fracture leaves the hospital.",
        encounter_required=True,
    ),
    Service(
        id="osteoporosis-problem-list-item-create",
        hook=Hook.PROBLEM_LIST_ITEM_CREATE,
        title="Osteoporosis: new problem",
        description="What a new fracture, or a new disease that damages bone, makes necessary.",
        conditions=True,
    ),
)

SERVICES_BY_ID: dict[str, Service] = {service.id: service for service in SERVICES}

USER_TYPES = frozenset({"Practitioner", "PractitionerRole", "Patient", "RelatedPerson"})
"""Resource types that `context.userId` can name in the hooks above."""
