"""The source attributes say what the rules read, and cannot go stale."""

from __future__ import annotations

from typing import Any

import pytest

from app.docgen.safety import DOCS, hazards, read_hazards, transparency
from app.engine.knowledge import Knowledge
from app.engine.linker import load_knowledge
from app.features.evaluation import catalogue
from app.fhir.patient import _SEX_EXTENSIONS
from app.published.source_attributes import (
    BIRTH_DATE,
    BY_FORMULA,
    HEALTH_STATUS,
    SEX,
    SOCIAL,
    Attribute,
    from_the_patient,
    library,
    read_by,
    source_attributes,
)
from app.wire.resources import Patient

ROOT = DOCS.parent


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


@pytest.fixture(scope="module")
def attributes(knowledge: Knowledge) -> dict[str, Attribute]:
    return {attribute.key: attribute for attribute in source_attributes(knowledge)}


def test_there_are_thirteen_in_their_order(attributes: dict[str, Attribute]) -> None:
    assert [attribute.number for attribute in attributes.values()] == list(range(1, 14))
    assert all(attribute.value for attribute in attributes.values())


def test_every_feature_that_reads_the_patient_is_accounted_for() -> None:
    assert from_the_patient() == SEX | BIRTH_DATE | BY_FORMULA


def test_the_features_that_are_named_exist() -> None:
    known = catalogue()
    names = {spec.name for spec in known.features()} | {family.name for family in known.families()}
    assert names >= SEX | BIRTH_DATE | BY_FORMULA | SOCIAL | HEALTH_STATUS


def test_race_ethnicity_language_orientation_and_identity_cannot_be_read() -> None:
    """The type of the Patient has no member that could hold them."""
    told = {
        "id",
        "gender",
        "birth_date",
        "birth_date_",
        "deceased_boolean",
        "deceased_date_time",
        "deceased_date_time_",
    }
    assert set(Patient.__struct_fields__) == told | {"extension"}
    read = " ".join(_SEX_EXTENSIONS).lower()
    assert not any(word in read for word in ("race", "ethnic", "language", "orientation", "identity"))


@pytest.mark.parametrize(
    ("key", "rule", "rests"),
    [
        ("sex", "msd.dxa.women-65", True),
        ("dob", "msd.dxa.women-65", True),
        ("sex", "msd.secondary.copd", False),
        ("dob", "msd.contra.oral-bp-crcl-35", True),
        ("sdoh", "msd.secondary.drug-tobacco", True),
        ("health_status", "cn-elderly.monitor.fall-risk-assessment", True),
        ("health_status", "msd.secondary.copd", False),
    ],
)
def test_recommendations_that_rest_on_an_attribute(
    attributes: dict[str, Attribute], key: str, rule: str, rests: bool
) -> None:
    assert (rule in attributes[key].recommendations) is rests


def test_what_is_not_listed_reads_nothing_of_it(knowledge: Knowledge, attributes: dict[str, Attribute]) -> None:
    for key, features in (("sex", SEX | BY_FORMULA), ("dob", BIRTH_DATE), ("sdoh", SOCIAL)):
        listed = set(attributes[key].recommendations)
        for rule in knowledge.rules.values():
            if rule.citable:
                assert (rule.id in listed) is bool(features & read_by(rule)), (key, rule.id)


def test_the_library_has_them_all(knowledge: Knowledge) -> None:
    made = library(knowledge)
    numbers = [
        part["valueInteger"] for one in made["extension"] for part in one["extension"] if part["url"] == "number"
    ]
    assert numbers == list(range(1, 14))
    assert made["status"] == "draft"
    assert len(made["relatedArtifact"]) == len(knowledge.sources)


def test_the_pages_are_in_step() -> None:
    for name, text in (("transparency", transparency()), ("hazards", hazards())):
        assert (DOCS / f"{name}.md").read_text(encoding="utf-8") == text, "run: python -m app.docgen.safety"


@pytest.mark.parametrize("entry", read_hazards(), ids=lambda entry: entry["id"])
def test_each_control_of_the_hazard_log_has_a_test_that_exists(entry: dict[str, Any]) -> None:
    assert entry["tests"]
    for name in entry["tests"]:
        file, _, test = name.partition("::")
        assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), name
    assert entry["residual"].keys() == {"severity", "likelihood"}
