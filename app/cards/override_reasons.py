"""Which reasons for not following a card fit it.

A reason that cannot be meant is not offered: a question about missing data is not contraindicated, and an order is not
"already done". The reasons that a hospital lists itself stand on all cards.
"""

from __future__ import annotations

from collections.abc import Iterable

from app.cds_hooks.response import Coding

DONE, CONTRAINDICATED, REFUSES = "action-completed", "patient-contraindication", "patient-refuses"
NOT_APPLICABLE, DISAGREES = "cds-not-applicable", "recipient-disagrees-evidence"
NOT_FEASIBLE, NOT_AVAILABLE = "not-convenient-feasible", "service-not-available"

LEFT_OUT: dict[str, frozenset[str]] = {
    "red-flag": frozenset({CONTRAINDICATED, NOT_FEASIBLE}),
    "drug-safety": frozenset({CONTRAINDICATED, NOT_FEASIBLE, NOT_AVAILABLE}),
    "treatment": frozenset(),
    "drug-switch": frozenset(),
    "dxa-referral": frozenset({CONTRAINDICATED}),
    "imaging": frozenset({CONTRAINDICATED}),
    "secondary-workup": frozenset({CONTRAINDICATED}),
    "specialist-referral": frozenset({CONTRAINDICATED}),
    "monitoring": frozenset({CONTRAINDICATED}),
    "calcium-vitamin-d": frozenset({NOT_AVAILABLE}),
    "lifestyle-falls": frozenset(),
    "data-needed": frozenset({CONTRAINDICATED, DISAGREES, NOT_AVAILABLE}),
}
"""By topic, the reasons that cannot be meant."""

ABOUT_ORDERS = frozenset({DONE, REFUSES})
"""No reasons to sign an order that a card speaks against: nothing is done yet, and the patient is asked for nothing."""
STOPS_ORDER = frozenset({"do-not-start-drug", "not-tolerated-before", "duplicate-bone-drug", "check-before-signing"})
EMERGENCY = "emergency-cord-compression"


def fitting(reasons: Iterable[Coding], advice: str, topic: str) -> tuple[Coding, ...]:
    """The reasons, in their order, without those that cannot be meant for an advice of a topic."""
    without = LEFT_OUT[topic]
    if advice in STOPS_ORDER:
        without |= ABOUT_ORDERS
    if advice == "check-before-signing":
        without -= {DONE}  # the value is known elsewhere
    if advice == EMERGENCY:
        without |= {DISAGREES, NOT_AVAILABLE}
    return tuple(reason for reason in reasons if reason.code not in without)
