"""Numbers with units."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.chart import UnusableReason
from app.terminology.units import (
    Measured,
    Unusable,
    measure,
    quantity_rules,
    to_decimal,
)
from tests.support.wire import quantity


def read(concept: str, value: object, unit: str | None = None, code: str | None = None) -> Measured | Unusable | None:
    return measure(quantity_rules()[concept], quantity({"value": value, "unit": unit, "code": code}))


@pytest.mark.parametrize(
    ("concept", "value", "unit", "code", "expected"),
    [
        ("body_height", 1.62, "m", "m", "162.00"),
        ("body_height", 162, "cm", None, "162"),
        ("creatinine_serum_molar", 81, "µmol/L", None, "81"),
        ("creatinine_serum_mass", 1.0, "mg/dL", "mg/dL", "88.40"),
        ("creatinine_serum_molar", 81, "mikromol/L", None, "81"),
        ("haemoglobin_molar", 8.1, "mmol/L", None, "130.41"),
        ("haemoglobin_mass", 13.1, "g/dL", None, "131.0"),
        ("alp_katal", 2.2, "mikrokat/L", None, "132.0"),
        ("vitamin_d_25oh_any_property", 50, "nmol/L", None, "20.0300"),
        ("calcium_total_mass", 10, "mg/dL", None, "2.4950"),
        ("egfr_ckdepi_2009_creatinine", 28, "mL/min", None, "28"),
        ("dxa_tscore_total_hip", -2.5, "T-Score", "1", "-2.5"),
        ("dxa_tscore_total_hip", -2.5, None, None, "-2.5"),
        ("dxa_bmd_femur_unspecified", 0.887, "g/cm²", "g/cm-2", "0.887"),
        ("frax_major_10y", 12, None, None, "12"),
    ],
)
def test_numbers_come_in_the_canonical_unit(
    concept: str, value: float, unit: str | None, code: str | None, expected: str
) -> None:
    result = read(concept, value, unit, code)
    assert isinstance(result, Measured)
    assert result.value == Decimal(expected)


@pytest.mark.parametrize(
    ("concept", "value", "unit", "code", "reason"),
    [
        ("creatinine_serum_mass", 1.0, None, None, UnusableReason.NO_UNIT),
        ("creatinine_serum_mass", 1.0, "mg/dl per day", None, UnusableReason.UNIT_OF_VALUE_NOT_KNOWN),
        ("creatinine_serum_molar", 1.0, "µmol/L", None, UnusableReason.IMPOSSIBLE),  # mg/dL sent as umol/L
        (
            "creatinine_serum_molar",
            81,
            "mg/dL",
            "umol/L",
            UnusableReason.UNIT_OF_VALUE_NOT_KNOWN,
        ),  # code and text disagree
        ("body_height", 1.62, "cm", None, UnusableReason.IMPOSSIBLE),
        ("dxa_tscore_lumbar_spine", 95, "%", None, UnusableReason.UNIT_OF_VALUE_NOT_KNOWN),
        ("dxa_tscore_lumbar_spine", 0.9, "g/cm2", "1", UnusableReason.UNIT_OF_VALUE_NOT_KNOWN),
        ("dxa_tscore_lumbar_spine", -25, "1", None, UnusableReason.IMPOSSIBLE),
        ("albumin_serum_mass", 4.1, "g/L", None, UnusableReason.IMPOSSIBLE),
    ],
)
def test_a_number_that_cannot_be_trusted_is_not_used(
    concept: str, value: float, unit: str | None, code: str | None, reason: str
) -> None:
    result = read(concept, value, unit, code)
    assert isinstance(result, Unusable)
    assert result.reason == reason


def test_comparators_are_kept_and_written_numbers_read() -> None:
    assert read("egfr_mdrd", ">90", "mL/min") == Measured(Decimal(90), "mL/min/{1.73_m2}", ">")
    assert read("dxa_tscore_total_hip", "-2,5") == Measured(Decimal("-2.5"), "1", None)
    assert read("egfr_mdrd", "normal", "mL/min") is None


@pytest.mark.parametrize(
    "value", [True, None, float("nan"), float("inf"), 1e308, 1e-320, 10**30, "9" * 40, "about 3", [], {}]
)
def test_only_conceivable_numbers_are_numbers(value: object) -> None:
    assert to_decimal(value) is None


def test_decimals_are_as_written() -> None:
    assert to_decimal(0.1) == Decimal("0.1")
    assert to_decimal(-3.5776262476366476) == Decimal("-3.5776262476366476")
