"""What all resources have in common."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeAlias

from app.wire.elements import Extension, Reference, WireType

if TYPE_CHECKING:
    Resource: TypeAlias = "Record"
    """Any resource. `app.wire.resources` puts the union of all kinds here when it has them all."""


class Made(threading.local):
    """How many resources this thread has decoded. A count that differs from what can be reached tells of a loss."""

    count = 0


made = Made()


class Record(WireType, frozen=True, gc=False, tag_field="resourceType", tag=True):
    """A resource. Its kind is the name of its class, which is `resourceType`."""

    id: str | None = None

    def __post_init__(self) -> None:
        """Count what is made (decision 64): a list with a duplicate name leaves resources that nothing holds."""
        made.count += 1

    @property
    def kind(self) -> str:
        """`resourceType`."""
        return type(self).__name__


class ClinicalRecord(Record, frozen=True, gc=False):
    """A resource about a patient."""

    subject: Reference | None = None
    patient: Reference | None = None
    contained: tuple[Resource, ...] = ()
    modifier_extension: tuple[Extension, ...] = ()
