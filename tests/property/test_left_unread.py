"""A result that is left unread says the same as one that is read at once, stands in the same place, and never fails."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.chart import Chart, ObservationFact, UnreadObservation
from app.features import PatientFeatures
from app.features.fact_index import newest_observations
from app.fhir.observations import read as observations
from app.fhir.reader import ChartInput, read_chart
from tests.property.patients import Json

ZONES = ("UTC", "Europe/Stockholm", "Asia/Shanghai", "Pacific/Kiritimati", "America/St_Johns")
LOINC, TODAY = "http://loinc.org", date(2026, 11, 22)
CODES = {"2160-0": "mg/dL", "17861-6": "mg/dL", "29463-7": "kg", "8302-2": "cm", "38267-1": "{T-score}"}

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(-9, 99, allow_nan=False)
    | st.sampled_from(["", "N", "H"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["low", "high", "value", "unit", "code", "coding", "type", "text"]), inner)
    ),
    max_leaves=6,
)
numbers = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.floats(0, 300).map(lambda value: round(value, 1))
    | st.integers(-10, 400)
    | st.sampled_from([0, 0.0, -0.0, 1e-40, 10**30, True, "7", "<7", None])
)
units = st.sampled_from(["mg/dL", "umol/L", "mmol/L", "kg", "g", "cm", "m", "[lb_av]", "flasks", "", None, 7, ["kg"]])
clocks = st.sampled_from(["T08:00:00", "T08:00:00.250", "T08:00:00.750", "T23:59:59"])
offsets = st.sampled_from(["Z", "+00:00", "+02:00", "-11:30", "+14:00"])
days = st.sampled_from(["2026-03-29", "2026-11-23", "2026-11-24"])
instants = st.builds("{}{}{}".format, days, clocks, offsets)
dates = (
    days
    | st.builds("{}{}".format, days, clocks)
    | st.sampled_from(["2026", "2026-05", "2026-W03-1", "20260503", "2026050312", " 2026-05-03", "2026-13-45", "never"])
    | st.sampled_from(["1700-01-01", "1800-01-01", "1850-01-01T00:00:00Z", "9999-12-31T23:59:59-11:30"])
    | st.sampled_from([None, 5, ["2026-05-03"]])
)
# As floats 1.15 m are a hair less than 115 cm, and 1.1 m a hair more than 110 cm.
heights = st.sampled_from(
    [(115, "cm"), (1.15, "m"), (110, "cm"), (1.1, "m"), (1.16, "m"), (45.5, "[in_i]"), (16, "cm")]
) | st.tuples(st.floats(110, 120), st.just("cm"))
days_of_life = st.sampled_from([f"{year}-01-01" for year in (1960, 1990, 2001, 2010, 2020, 2026)] + ["2026-05"])

members = {
    "referenceRange": anything,
    "interpretation": anything,
    "bodySite": anything,
    "method": anything,
    "valueBoolean": st.booleans(),
    "valueString": st.sampled_from(["7", "yes"]),
    "component": anything,
}


def result(code: str, value: Any, unit: Any, **more: Any) -> Json:
    """A final result."""
    coded = {"coding": [{"system": LOINC, "code": code}]}
    quantity = {"value": value, "unit": unit, "code": unit}
    return {
        "resourceType": "Observation",
        "id": "a",
        "status": "final",
        "code": coded,
        "valueQuantity": quantity,
    } | more


@st.composite
def odd_results(draw: st.DrawFn) -> Json:
    """A result of one day with a number, a unit and one other member that can be anything."""
    code = draw(st.sampled_from(sorted(CODES)))
    unit = draw(st.just(CODES[code]) | units)
    record = result(code, draw(numbers), unit, effectiveDateTime="2026-05-03T08:00:00Z")
    record["status"] = draw(st.sampled_from(["final", "preliminary"]))
    record["valueQuantity"]["code"] = draw(st.just(unit) | units)
    record["valueQuantity"]["comparator"] = draw(st.sampled_from([None, "<", ">=", "~", ""]))
    name = draw(st.sampled_from(sorted(members)))
    return record | ({name: draw(members[name])} if draw(st.booleans()) else {})


@st.composite
def dated_results(draw: st.DrawFn) -> list[Json]:
    """Ordinary results of one kind, with dates of any form."""
    forms = draw(st.sampled_from([instants, instants | dates]))
    records = []
    for number in range(draw(st.integers(2, 4))):
        record = result("2160-0", 0.8 + number / 10, "mg/dL", id=draw(st.sampled_from("abc")))
        record["issued"] = draw(st.none() | instants)
        record["effectiveDateTime"] = draw(forms)
        records.append(record)
    return records


def read(records: list[Json], zone: str) -> Chart:
    """The chart of these results."""
    patient = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1950-03-02"}
    data = ChartInput("p", patient, records, {})
    return read_chart(data, today=TODAY, tz=ZoneInfo(zone))


def in_order(chart: Chart) -> list[ObservationFact]:
    """All observations of a chart, as features look at them."""
    return list(newest_observations(chart.observations))


def both(records: list[Json], zone: str) -> tuple[Chart, Chart]:
    """The chart with results left unread where that can be, and with all of them read at once."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(observations, "left_unread", lambda *_, **__: None)
        at_once = read(records, zone)
    assert not any(isinstance(record, UnreadObservation) for record in at_once.observations)
    return read(records, zone), at_once


def check(records: list[Json], zone: str) -> None:
    """Whether a result was read at once cannot be seen."""
    later, at_once = both(records, zone)
    for _ in range(2):  # and looking at them notes nothing
        for told in ("set_aside", "unusable", "densities", "conditions"):
            assert getattr(later, told) == getattr(at_once, told)
        assert in_order(later) == in_order(at_once)


@settings(max_examples=600, derandomize=True)
@given(odd_results())
def test_what_is_left_unread_can_be_read(record: Json) -> None:
    check([record], "UTC")


@settings(max_examples=600, derandomize=True)
@given(dated_results(), st.sampled_from(ZONES))
def test_what_is_left_unread_has_its_place(records: list[Json], zone: str) -> None:
    check(records, zone)


def test_an_ordinary_result_is_left_unread_and_the_older_of_two_stays_so() -> None:
    """The other side: the property above would hold of a reader that reads all."""
    years = ("2025-01-01", "2026-01-01")
    chart = read([result("2160-0", 0.9, "mg/dL", effectiveDateTime=day) for day in years], "UTC")
    older, newer = chart.observations
    assert newest_observations(chart.observations)[0].effective is not None
    assert isinstance(older, UnreadObservation)
    assert older._fact is None
    assert isinstance(newer, UnreadObservation)
    assert newer._fact is not None


@settings(max_examples=400, derandomize=True)
@given(st.lists(st.tuples(heights, days_of_life), min_size=2, max_size=6, unique_by=lambda told: told[1]))
def test_the_tallest_is_found_without_reading_all(told: list[tuple[tuple[float, str], str]]) -> None:
    """Loss of height is the same whether heights are left unread or not, equal ones in other units included."""
    records = [
        result("8302-2", value, unit, id=f"h{number}", effectiveDateTime=day)
        for number, ((value, unit), day) in enumerate(told)
    ]
    later, at_once = both(records, "UTC")
    assert PatientFeatures(later).feature("height_loss_cm") == PatientFeatures(at_once).feature("height_loss_cm")


def test_heights_between_the_newest_and_the_tallest_stay_unread() -> None:
    """The other side of the property: of twenty heights the newest and the tallest are read."""
    records = [result("8302-2", 170 - n, "cm", effectiveDateTime=f"20{n:02}-01-01") for n in range(1, 21)]
    chart = read(records, "UTC")
    assert PatientFeatures(chart).feature("height_loss_cm").value == 19
    assert sum(isinstance(r, UnreadObservation) and r._fact is not None for r in chart.observations) == 2
