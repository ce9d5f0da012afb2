"""A record that could be about anything is named and its list incomplete; a known system without an entry is known."""

from __future__ import annotations

import pytest

from app.terminology.codes import tells_nothing
from app.wire.elements import CodeableConcept, Coding

SNOMED, LOCAL = "http://snomed.info/sct", "urn:oid:1.2.3.4.5"


@pytest.mark.parametrize(
    ("concept", "nothing"),
    [
        (None, True),
        (CodeableConcept(), True),
        (CodeableConcept(coding=(Coding(system=LOCAL, code="A"),)), True),
        (CodeableConcept(coding=(Coding(code="A"),)), True),
        (CodeableConcept(coding=(Coding(system=SNOMED),)), True),
        (CodeableConcept(coding=(Coding(system=SNOMED, code="38341003"),)), False),
        (CodeableConcept(coding=(Coding(system=LOCAL, code="A"), Coding(system=SNOMED, code="38341003"))), False),
        (CodeableConcept(coding=(Coding(system=LOCAL, code="A", display="Migraine"),)), False),
        (CodeableConcept(text="Migraine"), False),
    ],
)
def test_only_a_concept_without_words_and_known_system_tells_nothing(
    concept: CodeableConcept | None, nothing: bool
) -> None:
    assert tells_nothing(concept) is nothing
