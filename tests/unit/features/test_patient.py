"""Age, sex, menopause, pregnancy."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.chart import Presence, Sex, Source
from app.features import FeatureSettings
from app.features.notes import NoteCode, note

from .charts import condition, features, observation


def test_age_is_in_completed_years() -> None:
    assert features(born="1960-06-16").feature("age_years").value == 65
    assert features(born="1960-06-15").feature("age_years").value == 66


def test_a_birth_year_gives_an_interval() -> None:
    age = features(born="1960").feature("age_years")
    assert (age.value, age.low, age.high) == (None, Decimal(65), Decimal(66))
    assert age.missing == ("age",)


def test_a_birth_year_decides_where_the_limit_lies_outside() -> None:
    assert features(born="1960").feature("elderly").value is True
    assert features(born="1961").feature("elderly").value is None
    assert features(born="1962").feature("elderly").value is False


@pytest.mark.parametrize(("born", "young"), [("2008-06-16", True), ("2008-06-15", False)])
def test_full_age_is_18(born: str, young: bool) -> None:
    assert features(born=born).feature("under_18").value is young


def test_no_birth_date_leaves_age_open() -> None:
    patient = features(born=None)
    assert patient.feature("under_18").value is None
    assert patient.feature("under_18").missing == ("age",)


def test_orthogeriatric_is_old_or_frail() -> None:
    assert features(born="1951-06-15").feature("orthogeriatric").value is True
    assert features(born="1951-06-16").feature("orthogeriatric").value is False
    assert (
        features(born="1970-01-01", observations=[observation("frail", boolean=True)]).feature("orthogeriatric").value
    )
    assert features(born="1970-01-01", without=(Source.OBSERVATIONS,)).feature("orthogeriatric").value is None


def test_women_from_65_count_as_postmenopausal_and_the_card_can_say_so() -> None:
    old = features(born="1961-06-15").feature("postmenopausal")
    assert old.value is True
    assert old.evidence[0].notes == (note(NoteCode.ASSUMED_FROM_AGE, 65),)
    young = features(born="1961-06-16").feature("postmenopausal")
    assert young.value is None
    assert young.missing == ("menopausal_status",)


def test_the_age_of_assumed_menopause_is_a_setting() -> None:
    assert (
        features(FeatureSettings(postmenopausal_from_age=55), born="1970-01-01").feature("postmenopausal").value is True
    )


def test_men_are_neither() -> None:
    man = features(sex=Sex.MALE, born="1950-01-01")
    assert man.feature("postmenopausal").value is False
    assert man.feature("premenopausal").value is False
    assert man.feature("menopausal_status").value is None


def test_without_a_sex_menopause_is_open() -> None:
    assert features(sex=None).feature("postmenopausal").missing == ("sex",)


@pytest.mark.parametrize(
    ("answer", "word"),
    [("menopausal_status_post", "post"), ("post", "post"), ("peri", "peri"), ("menopausal_status_pre", "pre")],
)
def test_the_stated_status_counts(answer: str, word: str) -> None:
    status = features(born="1975-01-01", observations=[observation("menopausal_status", answer=answer)])
    assert status.feature("menopausal_status").value == word


def test_a_status_can_be_an_observation_that_is_true_or_a_diagnosis() -> None:
    pre = features(born="1975-01-01", observations=[observation("menopausal_status_pre", boolean=True)])
    assert pre.feature("premenopausal").value is True
    coded = features(born="1975-01-01", conditions=[condition("menopausal_status_post", None)])
    assert coded.feature("postmenopausal").value is True
    early = features(born="1985-01-01", conditions=[condition("menopause_premature_early")])
    assert early.feature("postmenopausal").value is True


def test_the_newest_status_decides() -> None:
    both = [
        observation("menopausal_status", when="2024-01-01", answer="pre"),
        observation("menopausal_status", when="2026-01-01", answer="post"),
    ]
    for order in (both, both[::-1]):
        assert features(born="1975-01-01", observations=order).feature("menopausal_status").value == "post"


def test_premenopausal_recorded_long_ago_does_not_outlive_65() -> None:
    old = features(born="1955-01-01", observations=[observation("menopausal_status", when="2000-01-01", answer="pre")])
    assert old.feature("postmenopausal").value is True


def test_age_at_menopause_says_post_once_it_is_reached() -> None:
    reached = features(born="1980-01-01", observations=[observation("menopause_age", 44, "2025-01-01")])
    assert reached.feature("postmenopausal").value is True
    assert reached.feature("menopause_age_years").value == 44


def test_a_year_without_period_says_post() -> None:
    year = features(born="1975-01-01", observations=[observation("last_menstrual_period", text="2025-06-14")])
    assert year.feature("postmenopausal").value is True
    less = features(born="1975-01-01", observations=[observation("last_menstrual_period", text="2025-06-15")])
    assert less.feature("postmenopausal").value is None


def test_pregnancy_is_asked_of_younger_women_only() -> None:
    assert features(sex=Sex.MALE).feature("pregnant_or_breastfeeding").value is False
    assert features(born="1966-06-15").feature("pregnant_or_breastfeeding").value is False
    young = features(born="1985-01-01").feature("pregnant_or_breastfeeding")
    assert (young.value, young.missing) == (None, ("pregnancy",))


def test_pregnancy_is_on_record() -> None:
    said = observation("pregnancy_status", when="2026-05-01", answer="pregnancy_positive")
    assert features(born="1985-01-01", observations=[said]).feature("pregnant_or_breastfeeding").value is True
    coded = condition("pregnancy_positive", "2026-03-01")
    assert features(born="1985-01-01", conditions=[coded]).feature("pregnant_or_breastfeeding").value is True
    lactating = observation("lactation", boolean=True)
    assert features(born="1985-01-01", observations=[lactating]).feature("pregnant_or_breastfeeding").value is True


def test_pregnancy_denied_recently_is_no_and_long_ago_is_open() -> None:
    for when, value in (("2026-05-01", False), ("2024-05-01", None)):
        said = observation("pregnancy_status", when=when, answer="pregnancy_negative")
        assert features(born="1985-01-01", observations=[said]).feature("pregnant_or_breastfeeding").value is value


def test_recorded_menopause_answers_pregnancy() -> None:
    post = features(born="1975-01-01", conditions=[condition("menopausal_status_post", presence=Presence.PRESENT)])
    assert post.feature("pregnant_or_breastfeeding").value is False
