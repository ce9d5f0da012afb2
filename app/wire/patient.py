"""Patient."""

from __future__ import annotations

from app.wire.elements import Extension, Primitive, underscored
from app.wire.record import Record


class Patient(Record, frozen=True, gc=False):
    """The person: sex, birth date, death."""

    gender: str | None = None
    birth_date: str | None = None
    birth_date_: Primitive | None = underscored("birthDate")
    deceased_boolean: bool | None = None
    deceased_date_time: str | None = None
    deceased_date_time_: Primitive | None = underscored("deceasedDateTime")
    extension: tuple[Extension, ...] = ()
