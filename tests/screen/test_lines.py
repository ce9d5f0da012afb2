"""Lines: whom each is about, and that none vanishes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from app.screen.lines import ExportError, lines_of, patient_of, records_of


@pytest.mark.parametrize(
    ("reference", "patient"),
    [
        ("Patient/a", "a"),
        ("https://ehr.example.org/fhir/Patient/a", "a"),
        ("Patient/a/_history/7", "a"),
        ("https://ehr.example.org/fhir/Patient/a/_history/7", "a"),
        ("urn:uuid:0b7e4f0e-1111-4222-8333-444455556666", "0b7e4f0e-1111-4222-8333-444455556666"),
        ("Group/a", None),
        ("RelatedPatient/a", None),
        ("Patient/", None),
        ("Patient?identifier=x|1", None),
        ("#a", None),
        ("", None),
        (None, None),
    ],
)
def test_the_patient_of_a_reference(reference: str | None, patient: str | None) -> None:
    assert patient_of(reference) == patient


@pytest.mark.parametrize(
    "text",
    [
        b'{"resourceType":"Observation","subject":{"reference":"Patient/a"},"x":"\xff"}',
        b'{"resourceType":"Observation","subject":{"reference":"Patient/a"},"value',
        b'{"resourceType":"Observation","value":NaN,"subject":{"reference":"Patient/a/_history/2"}}',
        b'{"resourceType":"Observation","value":1e,"subject":{"reference":"https://x.example/fhir/Patient/a"}}',
        b'{"resourceType" : "AllergyIntolerance", "patient" : {"reference" : "urn:uuid:a"}, "x": tru',
    ],
)
def test_a_damaged_line_names_its_patient(text: bytes) -> None:
    (line,) = records_of(text, "Observation")
    assert (line.patient, line.text) == ("a", None)
    assert line.kind in {"Observation", "AllergyIntolerance"}


def test_a_damaged_line_without_a_subject_belongs_to_nobody() -> None:
    (line,) = records_of(b'{"resourceType":"Observation","subj', "Observation")
    assert (line.patient, line.kind, line.text) == ("", "Observation", None)


def test_a_bundle_of_one_patient_gives_its_records() -> None:
    entries = [
        {"fullUrl": "urn:uuid:p", "resource": {"resourceType": "Patient", "id": "p"}},
        {
            "fullUrl": "urn:uuid:c",
            "resource": {"resourceType": "Condition", "id": "c", "subject": {"reference": "urn:uuid:p"}},
        },
        {"resource": {"resourceType": "Condition", "id": "d", "subject": {"reference": "Patient/q"}}},
        {"resource": {"resourceType": "Observation", "id": "o"}},
    ]
    text = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()
    found = [(line.kind, line.id, line.patient, line.entry) for line in records_of(text, "")]
    assert found == [
        ("Patient", "p", "p", True),
        ("Condition", "c", "p", True),
        ("Condition", "d", "q", True),
        ("Observation", "o", "p", True),
    ]


def test_blank_lines_line_ends_and_byte_order_mark_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "Patient.ndjson"
    path.write_bytes(b'\xef\xbb\xbf{"a":1}\r\n\r\n  \n{"b":2}')
    assert list(lines_of(path)) == [(1, b'{"a":1}'), (4, b'{"b":2}')]


@pytest.mark.parametrize("damage", ["cut", "garbled", "plain"])
def test_a_damaged_gz_is_refused_with_its_name(tmp_path: Path, damage: str) -> None:
    whole = gzip.compress(b'{"resourceType":"Patient"}\n' * 5000)
    bad = {"cut": whole[: len(whole) // 2], "garbled": whole[:20] + b"\0\1\2" + whole[23:], "plain": b"no gzip"}
    path = tmp_path / "Patient.000.ndjson.gz"
    path.write_bytes(bad[damage])
    with pytest.raises(ExportError, match=r"Patient\.000\.ndjson\.gz.*export it again"):
        list(lines_of(path))
