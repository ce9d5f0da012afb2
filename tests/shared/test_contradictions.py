"""No sample patient has cards that contradict each other (see `tests/clinical/test_contradictions.py`)."""

from __future__ import annotations

from pathlib import Path

from tests.bench.card_length import of_samples
from tests.clinical.test_contradictions import answered, contradictions

FILES = ("clinosim_us_hip.ndjson.gz", "clinosim_us_vertebral.ndjson.gz", "clinosim_us_wrist.ndjson.gz")


def test_no_sample_patient_has_cards_that_contradict_each_other(shared: Path) -> None:
    files = [shared / "samples" / "dev" / name for name in FILES]
    found = list(answered(of_samples(files, "en"), ()))
    assert len(found) > 100
    assert contradictions(found) == []
