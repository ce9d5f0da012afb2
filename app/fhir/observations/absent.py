"""Values that a record marks as absent (Observation.dataAbsentReason).

A reason beside a value contradicts it (FHIR invariant obs-6): the value is not used, and named (decision 56).
"""

from __future__ import annotations

from app.chart import UnusableReason
from app.wire.observations import Result

_MAX_SHOWN = 60


def absent_value(part: Result) -> tuple[UnusableReason, str] | None:
    """Why the value of a part is not used, and what stands there; None where nothing contradicts it.

    A part without a value that gives the reason is no contradiction: it is understood, and holds nothing.
    """
    reason = part.data_absent_reason
    if reason is None:
        return None
    shown = _shown(part)
    if shown:
        return UnusableReason.SAID_ABSENT, shown
    return (UnusableReason.AS_TEXT_ONLY, "") if any(coding.code == "as-text" for coding in reason.coding) else None


def _shown(part: Result) -> str:
    quantity = part.value_quantity
    if quantity is not None and quantity.value is not None:
        return f"{quantity.value} {quantity.unit or quantity.code or ''}".strip()[:_MAX_SHOWN]
    for value in (
        part.value_integer,
        part.value_decimal,
        part.value_string,
        part.value_boolean,
        part.value_date_time,
    ):
        if value is not None:
            return str(value)[:_MAX_SHOWN]
    return "coded answer" if part.value_codeable_concept is not None else ""
