"""Codes of a hospital: the three kinds of files, what is refused, and the report of what is not recognised."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from app.commands.codes import rates, report
from app.terminology.codes import meaning_of, use_local_codes
from app.terminology.local_codes import read_local_codes
from app.yaml_files import FilesError

LOCAL = "urn:oid:1.2.3.4.5"


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    yield
    use_local_codes({})


def use(folder: Path) -> None:
    use_local_codes(read_local_codes(folder))


def test_a_csv_file_says_what_codes_mean(tmp_path: Path) -> None:
    assert meaning_of(LOCAL, "ALEN70") is None
    (tmp_path / "drugs.csv").write_text(
        "system,code,concept,strength_mg,note\n"
        f"{LOCAL},ALEN70,alendronate,70,weekly tablet\n{LOCAL},HIP,fracture-hip,,\n"
    )
    use(tmp_path)
    meaning = meaning_of(LOCAL, "ALEN70")
    assert meaning is not None
    assert meaning.concepts == {"alendronate"}
    assert meaning.strength_mg == Decimal(70)
    hip = meaning_of(LOCAL, "HIP")
    assert hip is not None
    assert hip.site == "hip"


def test_a_concept_map_and_a_value_set_do_too(tmp_path: Path) -> None:
    mapped = [
        {"code": "A", "target": [{"code": "stroke", "equivalence": "equivalent"}]},
        {"code": "B", "target": [{"code": "stroke", "equivalence": "wider"}]},
        {"code": "C", "target": [{"code": "stroke", "equivalence": "narrower"}]},
        {"code": "D", "target": [{"code": "stroke", "equivalence": "relatedto"}]},
    ]
    group = {"source": LOCAL, "target": "urn:osteon:valueset:stroke", "element": mapped}
    (tmp_path / "map.json").write_text(json.dumps({"resourceType": "ConceptMap", "group": [group]}))
    value_set = {
        "resourceType": "ValueSet",
        "url": "urn:osteon:valueset:dxa-report",
        "compose": {"include": [{"system": LOCAL, "concept": [{"code": "DX1"}]}]},
    }
    (tmp_path / "set.json").write_text(json.dumps(value_set))
    use(tmp_path)
    assert [meaning_of(LOCAL, code) is not None for code in "ABCD"] == [True, True, False, False]
    dxa = meaning_of(LOCAL, "DX1")
    assert dxa is not None
    assert dxa.concepts == {"dxa_report"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("system,code,concept\nurn:x,A,alendronatte\n", "no concept alendronatte"),
        ("system,code\nurn:x,A\n", "no column concept"),
        ("system,code,concept\nurn:x,,alendronate\n", "are needed"),
        ("system,code,concept,strength_mg\nurn:x,A,alendronate,much\n", "no number"),
        ("system,code,concept\nurn:x,A,alendronate\nurn:x,A,denosumab\n", "means alendronate elsewhere"),
        ("system,code,concept\nhttp://www.whocc.no/atc,M05BA04,denosumab\n", "is known as"),
    ],
)
def test_a_mistake_stops_the_start_with_file_and_line(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "codes.csv").write_text(content)
    with pytest.raises(FilesError, match=message):
        use(tmp_path)


def test_a_folder_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(FilesError, match="no such folder"):
        read_local_codes(tmp_path / "missing")


def test_the_report_names_codes_and_concepts_and_nothing_of_the_patient(tmp_path: Path) -> None:
    coding = {"system": LOCAL, "code": "ALEN70", "display": "Alendronat veckotablett 70 mg"}
    record = {
        "resourceType": "MedicationRequest",
        "subject": {"display": "Anna Andersson"},
        "medicationCodeableConcept": {"coding": [coding], "text": "for Anna"},
    }
    hypertension = {"system": "http://hl7.org/fhir/sid/icd-10", "code": "I10"}
    known = {"resourceType": "Condition", "code": {"coding": [hypertension]}}
    chart = tmp_path / "chart.json"
    entries = [{"resource": each} for each in (record, record, known)]
    chart.write_text(json.dumps({"prefetch": {"x": {"entry": entries}}}))
    assert list(report([chart]))[1:] == [f"medication\t{LOCAL}\tALEN70\t2\talendronate"]


def test_rates_are_counted_by_value_set(tmp_path: Path) -> None:
    lists = tmp_path / "sets.tsv"
    lists.write_text(
        "Hip\thttp://snomed.info/sct\t359817006\tClosed fracture of hip\n"
        "Hip\thttp://snomed.info/sct\t1\tHip fracture\n"
        "Hip\thttp://snomed.info/sct\t2\tTeapot\n"
    )
    assert list(rates([lists]))[1:] == ["Hip\t3\t1\t2", "all\t3\t1\t2"]
