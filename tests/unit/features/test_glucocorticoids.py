"""Glucocorticoid dose and duration, calcium supplements."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.chart import CourseStatus, Dose, OrderAction, Source

from .charts import course, draft, features, past

NO_LISTS = (Source.MEDICATIONS, Source.MEDICATION_REQUESTS)
DOSE = "glucocorticoid_daily_dose"


@pytest.mark.parametrize(
    ("drug", "mg", "prednisolone"),
    [("prednisolone", "7.5", "7.5"), ("hydrocortisone", "30", "7.5"), ("dexamethasone", "1.125", "7.5")],
)
def test_doses_are_exact_prednisolone_equivalents(drug: str, mg: str, prednisolone: str) -> None:
    assert features(courses=[course(drug, mg=mg)]).feature(DOSE).value == Decimal(prednisolone)


def test_courses_at_the_same_time_add_up_and_past_ones_do_not() -> None:
    running = [
        course("prednisolone", mg="5"),
        course("prednisolone", mg="2.5"),
        past("prednisolone", "2020", "2021", mg="20"),
    ]
    assert features(courses=running).feature(DOSE).value == Decimal("7.5")


def test_an_unknown_dose_leaves_the_least_it_can_be() -> None:
    as_needed = course("prednisolone", dose=Dose(daily_mg=Decimal(10), as_needed=True))
    total = features(courses=[course("prednisolone", mg="5"), as_needed]).feature(DOSE)
    assert (total.value, total.low, total.missing) == (None, Decimal(5), ("glucocorticoid_dose",))


def test_no_glucocorticoid_is_no_dose() -> None:
    assert features().feature(DOSE).value == 0
    assert features(without=NO_LISTS).feature(DOSE).missing == ("glucocorticoid_dose",)
    assert features(courses=[course("prednisolone", status=CourseStatus.UNKNOWN)]).feature(DOSE).value is None


def test_duration_of_the_current_use() -> None:
    patient = features(courses=[course("prednisolone", "2026-03-15", mg="5")])
    assert patient.feature("glucocorticoid_months").value == 3
    assert patient.feature("oral_glucocorticoid_months").value == 3
    undated = features(courses=[course("prednisolone", None)])
    assert undated.feature("glucocorticoid_months").missing == ("glucocorticoid_duration",)


def test_a_planned_end_makes_a_short_course() -> None:
    name = "glucocorticoid_short_course"
    for days, short in (("30", True), ("31", False)):
        running = course("prednisolone", "2026-06-10", planned_days=Decimal(days))
        assert features(courses=[running]).feature(name).value is short
    assert features(courses=[course("prednisolone", "2026-06-10")]).feature(name).value is False
    assert features(courses=[course("prednisolone", "2026-06-10", ended="2026-06-20")]).feature(name).value is True
    assert features(courses=[course("prednisolone", None, ended="2026-06-20")]).feature(name).value is None
    assert features().feature(name).value is False
    assert features(without=NO_LISTS).feature(name).value is None


def test_planned_months_of_the_whole_course() -> None:
    name = "glucocorticoid_planned_months"
    assert features(courses=[course("prednisolone", "2026-06-01", ended="2026-10-01")]).feature(name).value == 4
    assert features(courses=[course("prednisolone", "2026-06-01")]).feature(name).missing == (
        "glucocorticoid_duration",
    )
    assert features().feature(name).value == 0


def test_ordered_dose_and_duration() -> None:
    ordered = features(draft_orders=[draft("prednisolone", mg="20", planned_days=Decimal(122))])
    assert ordered.feature("ordered_glucocorticoid_daily_dose").value == 20
    assert ordered.feature("ordered_glucocorticoid_months").value == 4
    endless = features(draft_orders=[draft("prednisolone", mg="20")])
    assert endless.feature("ordered_glucocorticoid_months").missing == ("glucocorticoid_duration",)
    assert features().feature("ordered_glucocorticoid_daily_dose").value == 0
    assert features().feature("ordered_glucocorticoid_months").value == 0


def test_elemental_calcium_adds_up_where_the_dose_says_so() -> None:
    name = "elemental_calcium_daily_mg"
    assert (
        features(courses=[course("calcium", mg="500"), course("calcium_vitamin_d", mg="500")]).feature(name).value
        == 1000
    )
    salt = features(
        courses=[course("calcium", mg="500"), course("calcium", dose=Dose(daily_mg=Decimal(1250)))]
    ).feature(name)
    assert (salt.value, salt.low, salt.missing) == (None, Decimal(500), ("calcium_preparation",))
    assert features().feature(name).value == 0
    assert features(without=NO_LISTS).feature(name).value is None


def test_orders_of_calcium_add_or_replace() -> None:
    name = "elemental_calcium_with_orders_mg"
    running = course("calcium", mg="500", refs=("MedicationRequest/old",))
    assert features(courses=[running], draft_orders=[draft("calcium", mg="1000")]).feature(name).value == 1500
    replacing = draft("calcium", OrderAction.CHANGE, mg="1000", replaces="MedicationRequest/old")
    assert features(courses=[running], draft_orders=[replacing]).feature(name).value == 1000
    assert features(draft_orders=[draft("calcium", mg="1000")], without=NO_LISTS).feature(name).value is None


def test_replacement_is_hydrocortisone_or_cortisone_and_nothing_else() -> None:
    name = "glucocorticoid_replacement_drugs_only"
    assert features(courses=[course("hydrocortisone", mg="20")]).feature(name).value is True
    both = [course("hydrocortisone", mg="20"), course("prednisolone", mg="5")]
    assert features(courses=both).feature(name).value is False
    assert features(courses=[*both[:1], past("prednisolone", "2020", "2021", mg="20")]).feature(name).value is True
    assert features().feature(name).value is False
    assert features(without=NO_LISTS).feature(name).value is None
