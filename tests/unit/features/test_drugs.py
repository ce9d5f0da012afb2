"""Drug classes, exposure and orders."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.chart import (
    CourseStatus,
    IntoleranceFact,
    OrderAction,
    ProcedureFact,
    Route,
    Source,
)
from app.terminology.drug_classes import bone_classes, class_names

from .charts import condition, course, draft, features, observation, on, past

NO_LISTS = (Source.MEDICATIONS, Source.MEDICATION_REQUESTS)


@pytest.mark.parametrize("name", class_names())
def test_every_class_is_taken_not_taken_or_not_asked(name: str) -> None:
    taken = features(courses=[course(name)]).feature(f"takes.{name}")
    if name not in ("oral_glucocorticoid",):
        assert taken.value is True
        assert taken.evidence[0].date == on("2024-01-01")
    assert features().feature(f"takes.{name}").value is False
    open_ = features(without=NO_LISTS).feature(f"takes.{name}")
    assert open_.value is None
    if name in bone_classes():
        assert open_.missing == ("bone_drug_use",)


def test_one_of_the_two_medication_lists_is_enough() -> None:
    assert features(without=(Source.MEDICATIONS,)).feature("takes.denosumab").value is False
    assert features(without=(Source.MEDICATION_REQUESTS,)).feature("takes.denosumab").value is False


@pytest.mark.parametrize(
    ("status", "takes"),
    [
        (CourseStatus.CURRENT, True),
        (CourseStatus.PAST, False),
        (CourseStatus.PLANNED, False),
        (CourseStatus.ON_HOLD, False),
        (CourseStatus.UNKNOWN, None),
    ],
)
def test_only_a_running_course_is_taken(status: CourseStatus, takes: bool | None) -> None:
    patient = features(courses=[course("alendronate", "2024-01-01", status)])
    assert patient.feature("takes.alendronate").value is takes
    assert patient.feature("ever_took.alendronate").value is (status is not CourseStatus.PLANNED)


def test_a_stale_record_asks_for_current_use() -> None:
    stale = features(courses=[course("alendronate", "2018-01-01", CourseStatus.UNKNOWN)])
    assert stale.feature("takes.bone_drug").missing == ("bone_drug_use",)
    assert stale.feature("stopped.alendronate").value is None
    assert stale.feature("months_on.alendronate").value is None


def test_a_coded_long_term_use_contradicts_an_empty_list() -> None:
    coded = features(conditions=[condition("bisphosphonate_status")])
    assert coded.feature("takes.bisphosphonate").value is None
    assert coded.feature("takes.denosumab").value is False


def test_with_bone_metastasis_a_bone_drug_is_treatment_of_the_cancer() -> None:
    patient = features(courses=[course("denosumab")], conditions=[condition("bone_metastasis")])
    assert patient.feature("takes.denosumab").value is False
    assert patient.feature("takes.bone_drug").value is False
    assert patient.feature("takes.oncological_bone_drug").value is True
    stopped = features(
        courses=[past("denosumab", "2023-01-01", "2026-01-01")], conditions=[condition("bone_metastasis")]
    )
    assert stopped.feature("stopped.denosumab").value is True


def test_inhaled_and_topical_glucocorticoids_are_not_systemic() -> None:
    for route in (Route.INHALED, Route.TOPICAL, Route.NASAL):
        assert features(courses=[course("prednisolone", route=route)]).feature("takes.glucocorticoid").value is False
    injected = features(courses=[course("prednisolone", route=Route.INTRAVENOUS)])
    assert injected.feature("takes.glucocorticoid").value is True
    assert injected.feature("takes.oral_glucocorticoid").value is False
    assert features(courses=[course("prednisolone")]).feature("takes.oral_glucocorticoid").value is True


def test_calcium_and_vitamin_d_in_one_product_or_two() -> None:
    assert features(courses=[course("calcium_vitamin_d")]).feature("takes.calcium_vitamin_d").value is True
    assert features(courses=[course("calcium"), course("vitamin_d")]).feature("takes.calcium_vitamin_d").value is True
    assert features(courses=[course("calcium")]).feature("takes.calcium_vitamin_d").value is False


def test_months_on_a_drug_are_calendar_months() -> None:
    assert features(courses=[course("denosumab", "2026-03-15")]).feature("months_on.denosumab").value == 3
    assert features().feature("months_on.denosumab").value == 0
    assert features(courses=[course("denosumab", None)]).feature("months_on.denosumab").missing == ("start_date",)
    year = features(courses=[course("denosumab", "2025")]).feature("months_on.denosumab")
    assert (year.value, year.low is not None, year.high is not None) == (None, True, True)


def test_courses_without_a_break_are_one_use() -> None:
    joined = [past("alendronate", "2020-06-15", "2025-01-01"), course("risedronate", "2025-01-20")]
    assert features(courses=joined).feature("months_on.bisphosphonate").value == 72
    apart = [past("alendronate", "2020-06-15", "2024-01-01"), course("alendronate", "2025-06-15")]
    assert features(courses=apart).feature("months_on.bisphosphonate").value == 12


def test_an_earlier_course_without_start_leaves_the_duration_open() -> None:
    joined = [past("alendronate", None, "2025-01-01"), course("alendronate", "2025-01-10")]
    assert features(courses=joined).feature("months_on.alendronate").value is None


def test_depot_drugs_end_when_the_last_dose_ends() -> None:
    stopped = features(courses=[past("denosumab", "2023-06-15", "2025-06-15", last="2025-06-15")])
    assert stopped.feature("months_since_end.denosumab").value == 6
    assert stopped.feature("months_since_last_dose.denosumab").value == 12
    infused = features(courses=[past("zoledronate", "2023-06-15", "2025-03-15", last="2025-03-15")])
    assert infused.feature("months_since_end.zoledronate").value == 3
    tablets = features(courses=[past("alendronate", "2020-06-15", "2025-06-15", last="2025-06-01")])
    assert tablets.feature("months_since_end.alendronate").value == 12


def test_the_end_of_what_runs_or_never_was() -> None:
    assert features(courses=[course("alendronate")]).feature("months_since_end.alendronate").value == 0
    assert features().feature("months_since_end.alendronate").low == Decimal("Infinity")
    assert features(courses=[past("alendronate", "2020", None)]).feature("months_since_end.alendronate").value is None


def test_the_last_dose_is_asked_for_when_not_recorded() -> None:
    assert features(courses=[course("denosumab")]).feature("months_since_last_dose.denosumab").missing == (
        "last_dose_date",
    )
    assert features().feature("months_since_last_dose.denosumab").low == Decimal("Infinity")
    assert features(without=NO_LISTS).feature("months_since_last_dose.denosumab").missing == ("bone_drug_use",)


def test_a_running_course_without_a_recorded_dose_may_have_had_one_since() -> None:
    both = [past("denosumab", "2022-01-01", "2024-01-01", last="2024-06-15"), course("denosumab", "2026-01-01")]
    since = features(courses=both).feature("months_since_last_dose.denosumab")
    assert (since.value, since.low, since.high) == (None, Decimal(0), Decimal(24))
    assert since.missing == ("last_dose_date",)


def test_infusions_are_counted_from_administrations_or_dates() -> None:
    only_last = course("zoledronate", "2023-06-01", last="2025-06-10", refs=("MedicationAdministration/1",))
    assert features(courses=[only_last]).feature("infusions.zoledronate").value == 3
    undated = course("zoledronate", None, refs=("MedicationAdministration/1", "MedicationAdministration/2"))
    assert features(courses=[undated]).feature("infusions.zoledronate").value == 2
    dated = course("zoledronate", "2023-06-01", last="2025-06-10")
    assert features(courses=[dated]).feature("infusions.zoledronate").value == 3
    assert features(courses=[course("zoledronate", None)]).feature("infusions.zoledronate").value is None
    assert features().feature("infusions.zoledronate").value == 0


def test_stopped_is_ended_and_none_running() -> None:
    ended = past("denosumab", "2023-01-01", "2025-01-01")
    assert features(courses=[ended]).feature("stopped.denosumab").value is True
    assert features(courses=[ended, course("denosumab", "2025-06-01")]).feature("stopped.denosumab").value is False
    assert features().feature("stopped.denosumab").value is False
    assert features(without=NO_LISTS).feature("stopped.denosumab").value is None


def test_a_successor_begun_after_the_end() -> None:
    name = "started_after_end_of.bisphosphonate.denosumab"
    ended = past("denosumab", "2023-01-01", "2025-01-01")
    assert features(courses=[ended, course("alendronate", "2025-02-01")]).feature(name).value is True
    assert features(courses=[ended, course("alendronate", "2022-02-01")]).feature(name).value is False
    assert features(courses=[ended]).feature(name).value is False
    assert features(courses=[ended, course("alendronate", None)]).feature(name).missing == ("start_date",)


def test_intolerance_is_recorded_or_the_reason_for_stopping() -> None:
    allergy = IntoleranceFact("AllergyIntolerance/1", frozenset({"alendronate", "bisphosphonate"}), "oesophagitis")
    assert features(intolerances=[allergy]).feature("intolerant.bisphosphonate").value is True
    stopped = past("alendronate", "2024-01-01", "2024-03-01", stop_reason="Adverse effect: dyspepsia")
    assert features(courses=[stopped]).feature("intolerant.alendronate").value is True
    moved = past("alendronate", "2024-01-01", "2024-03-01", stop_reason="course completed")
    assert features(courses=[moved]).feature("intolerant.alendronate").value is False
    assert features(without=(Source.ALLERGIES,)).feature("intolerant.alendronate").value is None


def test_poor_adherence_is_asked_for() -> None:
    for answer, poor in (("poor", True), ("suspected-poor", True), ("good", False)):
        assert features(observations=[observation("adherence", answer=answer)]).feature("poor_adherence").value is poor
    assert features().feature("poor_adherence").missing == ("adherence",)


def test_zoledronate_is_due_a_month_before_the_year() -> None:
    for last, due in (("2025-07-15", True), ("2025-07-16", False)):
        assert features(courses=[course("zoledronate", last=last)]).feature("zoledronate_due").value is due
    assert features(courses=[course("zoledronate")]).feature("zoledronate_due").missing == ("last_dose_date",)
    assert features(draft_orders=[draft("zoledronate")]).feature("zoledronate_due").value is True
    assert features().feature("zoledronate_due").value is False


def test_drugs_that_affect_balance_are_named() -> None:
    assert features(courses=[course("balance_affecting")]).feature("balance_affecting_drugs").value == {
        "balance_affecting"
    }
    assert features().feature("balance_affecting_drugs").value == frozenset()
    assert features(without=NO_LISTS).feature("balance_affecting_drugs").value is None


def test_orders_start_or_stop() -> None:
    patient = features(draft_orders=[draft("denosumab"), draft("alendronate", OrderAction.STOP)])
    assert patient.feature("ordered.denosumab").value is True
    assert patient.feature("ordered.alendronate").value is False
    assert patient.feature("order_stops.alendronate").value is True
    assert patient.feature("stop_planned.alendronate").value is True
    assert features().feature("ordered.denosumab").value is False


def test_unselected_drafts_are_about_to_happen_but_not_at_hand() -> None:
    patient = features(draft_orders=[draft("denosumab", selected=False)])
    assert patient.feature("ordered.denosumab").value is False
    assert patient.feature("running_or_ordered.denosumab").value is True


def test_a_stop_is_planned_by_a_pause_or_an_announced_end() -> None:
    assert (
        features(courses=[course("denosumab", status=CourseStatus.ON_HOLD)]).feature("stop_planned.denosumab").value
        is True
    )
    assert features(courses=[course("denosumab", ended="2026-08-01")]).feature("stop_planned.denosumab").value is True
    assert features(courses=[course("denosumab")]).feature("stop_planned.denosumab").value is False
    assert features(without=NO_LISTS).feature("stop_planned.denosumab").value is None


def test_a_planned_dental_procedure() -> None:
    name = "planned_invasive_dental_procedure"
    extraction = ProcedureFact("Procedure/1", frozenset({"tooth_extraction"}), on("2026-07-01"), planned=True)
    assert features(procedures=[extraction]).feature(name).value is True
    done = ProcedureFact("Procedure/1", frozenset({"tooth_extraction"}), on("2020-07-01"))
    assert features(procedures=[done]).feature(name).value is False
    assert features(observations=[observation(name, boolean=True)]).feature(name).value is True
    assert features(without=(Source.PROCEDURES,)).feature(name).value is None


def test_orders_at_hand_tell_an_order_hook() -> None:
    assert features(draft_orders=[draft("calcium")]).feature("orders_at_hand").value is True
    assert features().feature("orders_at_hand").value is False


def test_denosumab_of_either_use_can_be_stopped() -> None:
    name = "stopped.denosumab_any"
    assert features(courses=[past("denosumab_any", "2023-01-01", "2026-01-01")]).feature(name).value is True
    metastatic = {"conditions": [condition("bone_metastasis")]}
    ended = past("denosumab", "2023-01-01", "2025-12-15", last="2025-12-15")
    assert features(courses=[ended], **metastatic).feature(name).value is True
    assert features(courses=[ended], **metastatic).feature("months_since_end.denosumab").value == 0
    assert features(courses=[ended], **metastatic).feature("months_since_last_dose.denosumab").value == 6


def test_the_length_of_the_last_ended_use() -> None:
    name = "last_course_months.bisphosphonate"
    joined = [past("alendronate", "2019-01-15", "2022-01-01"), past("risedronate", "2022-01-10", "2024-01-15")]
    assert features(courses=joined).feature(name).value == 60
    apart = [past("alendronate", "2010-01-15", "2012-01-01"), past("risedronate", "2022-01-15", "2024-01-15")]
    for order in (apart, apart[::-1]):
        assert features(courses=order).feature(name).value == 24
    assert features().feature(name).value == 0
    assert features(courses=[past("alendronate", None, "2024-01-15")]).feature(name).missing == ("start_date",)
    assert features(courses=[past("alendronate", "2020-01-15", None)]).feature(name).missing == ("end_date",)
    assert features(without=NO_LISTS).feature(name).value is None
