"""The body of a CDS Hooks call. Members that a message has to name when they are wrong are checked by hand later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct

from app.wire.record import Record, made

if TYPE_CHECKING:
    Resource = Record
    """Any resource. `app.wire.resources` puts the union of all kinds here when it has them all."""


class Context(Struct, gc=False, rename="camel"):
    """What the hook is about."""

    user_id: Any = None
    patient_id: Any = None
    encounter_id: Any = None
    selections: Any = None
    draft_orders: Resource | None = None
    conditions: Resource | None = None
    medications: Resource | None = None
    allergy_intolerance: Resource | None = None
    allergy_intolerances: Resource | None = None

    def __post_init__(self) -> None:
        """Count it: of two contexts one would be lost."""
        made.count += 1

    @property
    def records(self) -> tuple[Record | None, ...]:
        """What it holds, whichever the hook is about."""
        return (
            self.draft_orders,
            self.conditions,
            self.medications,
            self.allergy_intolerance,
            self.allergy_intolerances,
        )


class Call(Struct, gc=False, rename="camel"):
    """A call."""

    hook: Any = None
    hook_instance: Any = None
    fhir_server: Any = None
    fhir_authorization: Any = None
    extension: Any = None
    context: Context | None = None
    prefetch: dict[str, Resource | None] | None = None


class Decoded(NamedTuple):
    """A call as it was decoded. `wrong`: paths of members that are no object where one is needed; they are None."""

    call: Call
    wrong: frozenset[str] = frozenset()
