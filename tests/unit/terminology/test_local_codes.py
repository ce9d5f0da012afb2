"""Codes of a hospital: the three kinds of files, what is refused, and the report of what is not recognised."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.cds_hooks.hooks import SERVICES_BY_ID
from app.cds_hooks.request import read_request
from app.cds_hooks.response import HookAnswer
from app.commands.codes import rates, report
from app.decoding.call import decode_call
from app.fhir.observations.values import question_of
from app.pipeline import OsteonPipeline, build_pipeline
from app.published.local_codes import local_concept_map
from app.settings import Settings
from app.terminology.codes import meaning_of, use_local_codes
from app.terminology.local_codes import fingerprint, read_local_codes
from app.terminology.units import Measured, Unusable, measure
from app.wire.elements import CodeableConcept, Coding, Quantity
from app.yaml_files import FilesError
from tests.clinical.cases import TODAY

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
        ("system,code,concept\nurn:x,A,alendronatte\n", "no concept alendronatte, did you mean alendronate"),
        ("system,code,concept\nurn:x,A,qqqq\n", "no concept qqqq$"),
        ("system,code,concept,unit\nurn:x,A,calcium-total-mass,kg\n", "not measured in kg: one of"),
        ("system,code,concept,unit\nurn:x,A,alendronate,mg\n", "has no number"),
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


def test_the_fingerprint_is_of_the_mapping_not_of_the_files(tmp_path: Path) -> None:
    row = f"{LOCAL},A,alendronate\n"
    (tmp_path / "a.csv").write_text(f"system,code,concept\n{row}")
    first = fingerprint(read_local_codes(tmp_path))
    (tmp_path / "a.csv").rename(tmp_path / "b.csv")
    assert fingerprint(read_local_codes(tmp_path)) == first
    (tmp_path / "b.csv").write_text(f"system,code,concept\n{LOCAL},A,denosumab\n")
    assert fingerprint(read_local_codes(tmp_path)) != first


@pytest.mark.parametrize(
    ("sent", "value", "unit"),
    [
        ({"value": 9.2}, Decimal("2.3"), "mg/dL"),  # without a unit: that of the file
        ({"value": 2.3, "unit": "mmol/L"}, Decimal("2.3"), "mg/dL"),  # a unit that is sent decides
        ({"value": 2.3, "unit": "mmol/L"}, Decimal("2.3"), ""),
        ({"value": 9.2}, None, ""),  # no unit anywhere: not used
    ],
)
def test_the_unit_of_a_file_holds_for_results_without_one(
    tmp_path: Path, sent: dict[str, Any], value: Decimal | None, unit: str
) -> None:
    (tmp_path / "lab.csv").write_text(f"system,code,concept,unit\n{LOCAL},CA,calcium-total-mass,{unit}\n")
    use(tmp_path)
    question = question_of(CodeableConcept(coding=(Coding(system=LOCAL, code="CA"),)))
    assert question is not None
    assert question.rule is not None
    measured = measure(question.rule, Quantity(**sent))
    if value is None:
        assert isinstance(measured, Unusable)
    else:
        assert isinstance(measured, Measured)
        assert round(measured.value, 1) == value


def body_with(coding: dict[str, str]) -> dict[str, Any]:
    empty: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "entry": []}
    drug = {
        "resourceType": "MedicationStatement",
        "id": "drug",
        "status": "active",
        "subject": {"reference": "Patient/p"},
        "effectivePeriod": {"start": "2018-01-10"},
        "dateAsserted": TODAY.isoformat(),
        "medicationCodeableConcept": {"coding": [coding]},
        "dosage": [{"route": {"text": "oral"}}],
    }
    medications = {**empty, "entry": [{"resource": drug}]}
    patient = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1950-01-01"}
    return {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": "p"},
        "prefetch": {"patient": patient, "observations": empty, "medications": medications},
    }


def answer_to(body: dict[str, Any], pipeline: OsteonPipeline) -> HookAnswer:
    request = read_request(decode_call(json.dumps(body).encode()), SERVICES_BY_ID["osteoporosis-patient-view"])
    return pipeline.answer(request, today=TODAY)


def test_cards_and_version_say_what_rests_on_a_local_code(tmp_path: Path) -> None:
    (tmp_path / "drugs.csv").write_text(f"system,code,concept\n{LOCAL},ALEN70,alendronate\n")
    with_local = build_pipeline(Settings(local_codes=str(tmp_path)))
    answer = answer_to(body_with({"system": LOCAL, "code": "ALEN70"}), with_local)
    told = json.dumps(answer.to_json(), default=str)
    assert "alendronate" in told
    assert "local code" in told
    assert (answer.guideline_version or "").partition("+local.")[2]
    shipped = answer_to(body_with({"system": "http://www.whocc.no/atc", "code": "M05BA04"}), with_local)
    assert "local code" not in json.dumps(shipped.to_json(), default=str)
    assert "+local." not in (build_pipeline(Settings()).knowledge.version)


def test_the_mapping_is_published_as_a_concept_map(tmp_path: Path) -> None:
    (tmp_path / "codes.csv").write_text(
        f"system,code,concept,unit\n{LOCAL},ALEN70,alendronate,\n{LOCAL},CA,calcium-total-mass,mg/dL\n"
    )
    use(tmp_path)
    made = local_concept_map("1")
    assert [
        (group["source"], group["target"], group["element"][0]["code"], group["element"][0]["target"][0]["code"])
        for group in made["group"]
    ] == [
        (LOCAL, "urn:osteon:valueset:alendronate", "ALEN70", "alendronate"),
        (LOCAL, "urn:osteon:valueset:calcium-total-mass", "CA", "calcium-total-mass"),
    ]
    (tmp_path / "codes.csv").unlink()
    (tmp_path / "again.json").write_text(json.dumps(made))
    assert {key: local.concept for key, local in read_local_codes(tmp_path).items()} == {
        (LOCAL, "ALEN70"): "alendronate",
        (LOCAL, "CA"): "calcium_total_mass",
    }
    use_local_codes({})
    assert "group" not in local_concept_map("1")
