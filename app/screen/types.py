"""The kinds of resources that a screening reads."""

from __future__ import annotations

from typing import Final

from app.chart import SOURCES_BY_TYPE

PATIENT: Final = "Patient"
MEDICATION: Final = "Medication"
READ: Final = frozenset({PATIENT, MEDICATION, *SOURCES_BY_TYPE})
"""All kinds that are read; records of others are counted as not needed."""
