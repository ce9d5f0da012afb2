"""The page of the members that are read is in step with the types."""

from __future__ import annotations

from pathlib import Path

import pytest
from fhir.resources.R4B import get_fhir_model_class

from app.docgen import wire as wire_page
from app.wire.resources import READ

PAGE = Path(__file__).parents[3] / "docs" / "what-is-read.md"
OTHER_VERSIONS = {
    "abatementBoolean", "adherence", "assertedDate", "doNotPerform", "dosage", "dosageInstruction", "effectiveDateTime",
    "item", "medication", "notGiven", "occurenceDateTime", "occurencePeriod", "occurrenceDateTime", "occurrencePeriod",
    "reason", "reasonCode", "reasonNotTaken", "statusReason", "strengthQuantity", "strengthRatio", "substance", "taken",
    "intent", "valueDecimal",
}  # fmt: skip
"""Members of DSTU2, STU3 or R5, or that another kind of medication record has in R4."""
OF_THE_BASE = {"subject", "patient", "contained", "modifierExtension"}


def test_the_page_is_in_step() -> None:
    assert PAGE.read_text(encoding="utf-8") == wire_page.page(), "run: python -m app.docgen.wire docs/what-is-read.md"


@pytest.mark.parametrize("kind", READ, ids=lambda kind: kind.__name__)
def test_members_are_those_of_r4(kind: type) -> None:
    """A name that is misspelt would never be found in a request."""
    model = get_fhir_model_class(kind.__name__)
    known = set(model.elements_sequence()) | {"id", "extension", "text"} | OF_THE_BASE | OTHER_VERSIONS
    named = {name.removeprefix("_") for name in kind.__struct_encode_fields__}
    assert named <= known, named - known
