"""The catalogue answers for every name, and only for those."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.docgen.features import render
from app.features import FeatureCycle, Kind, PatientFeatures, UnknownFeature, catalogue
from app.features.catalogue import Catalogue
from app.features.model import Feature, Features, FeatureSpec

from .charts import chart, features


def test_a_wrong_name_is_refused_with_the_names_that_may_be_meant() -> None:
    with pytest.raises(UnknownFeature) as caught:
        catalogue().spec("takes.denosumabb")
    assert "takes.denosumab" in caught.value.close
    assert "did you mean" in str(caught.value)


@pytest.mark.parametrize(
    "name", ["takes", "takes.", "takes.aspirin", "dxa_since.nothing", "egfr_below.x", "egfr_below.0", "sex.female", ""]
)
def test_a_name_with_a_wrong_argument_is_no_feature(name: str) -> None:
    assert not catalogue().has(name)


def test_a_feature_can_be_the_argument_of_a_feature() -> None:
    spec = catalogue().spec("dxa_since.months_since_fracture.any")
    assert spec.kind is Kind.TRUTH


def test_the_unit_of_a_laboratory_value_is_that_of_its_analyte() -> None:
    assert catalogue().spec("lab.creatinine").unit == "umol/L"
    assert catalogue().spec("lab.vitamin_d").unit == "ng/mL"


def test_words_are_those_of_the_member() -> None:
    assert catalogue().spec("finding_word.dental_status").words == {"good", "poor"}


def test_a_name_can_be_defined_once() -> None:
    own = Catalogue()
    spec = FeatureSpec("twice", Kind.TRUTH, "meaning")
    own.add_feature(spec, lambda _: Feature(True))
    with pytest.raises(ValueError, match="twice"):
        own.add_feature(spec, lambda _: Feature(True))


def test_every_listed_feature_can_be_computed_on_an_empty_chart_and_keeps_its_kind() -> None:
    types = {Kind.TRUTH: bool, Kind.WORD: str, Kind.WORDS: frozenset}
    patient = features()
    for name in catalogue().names():
        spec, feature = catalogue().spec(name), patient.feature(name)
        assert spec.meaning
        if feature.value is None:
            assert feature.why_unknown, name
        elif spec.kind in types:
            assert isinstance(feature.value, types[spec.kind]), name


def test_nothing_is_known_of_a_patient_without_any_record() -> None:
    """Nothing sent: no question may be answered with no, apart from those about the orders at hand and the patient."""
    from app.chart import Chart, Patient

    bare = PatientFeatures(Chart(Patient("p1"), chart().today, {}))
    by_orders = (
        "ordered.",
        "order_stops.",
        "order_ends.",
        "ordered_glucocorticoid_",
        "orders_at_hand",
        "months_with_order.",
    )
    answered = [name for name in catalogue().names() if bare.feature(name).known and not name.startswith(by_orders)]
    assert answered == []


def test_a_feature_is_computed_once() -> None:
    patient = features()
    assert patient.feature("age_years") is patient.feature("age_years")


def test_features_that_ask_for_each_other_are_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    own = Catalogue()

    def ask(other: str) -> object:
        def compute(context: Features) -> Feature:
            return context.feature(other)

        return compute

    own.add_feature(FeatureSpec("a", Kind.TRUTH, "a"), ask("b"))  # type: ignore[arg-type]
    own.add_feature(FeatureSpec("b", Kind.TRUTH, "b"), ask("a"))  # type: ignore[arg-type]
    monkeypatch.setattr("app.features.evaluation.catalogue", lambda: own)
    with pytest.raises(FeatureCycle, match="a -> b -> a"):
        PatientFeatures(chart()).feature("a")


def test_the_published_page_is_in_step_with_the_catalogue() -> None:
    page = Path(__file__).parents[3] / "docs" / "features.md"
    assert page.read_text(encoding="utf-8") == render(), "run: python -m app.docgen.features"
