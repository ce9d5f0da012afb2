"""Every clinical case, through the HTTP interface."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from app.cases.checking import TAGS, problems
from app.cases.expectations import unmet
from app.data_files import data_path
from tests.clinical.cases import Case, all_cases, answer_to, case_files
from tests.clinical.outline import outline_of
from tests.clinical.outlines import difference, stale
from tests.conftest import Client

GOOD = """\
- id: planted
  title: "Clearance 22 and an order for alendronate"
  tags: [limit]
  profile: intl
  hook: order-sign
  patient: {sex: female, age: 72}
  observations:
  - {concept: crcl, value: 22, unit: mL/min, days_ago: 20}
  - {concept: dxa_t_score, site: total_hip, value: -2.9, days_ago: 60}
  conditions:
  - {concept: fracture, site: hip, days_ago: 20}
  - {concept: dyspepsia, days_ago: 20}
  draft_orders: [{concept: alendronate, dose_mg: 70, every_days: 7}]
  expect:
    fire: [uppsala.contra.alendronate-crcl-below-30]
    topics: [drug-safety]
    indicator: {drug-safety: warning}
    suggest: [{topic: drug-switch, concept: denosumab}]
"""


@pytest.mark.parametrize(
    ("file", "case"), [pytest.param(file, case, id=f"{file}:{case['id']}") for file, case in all_cases()]
)
def test_case(osteon: Client, file: str, case: Case) -> None:
    """What the case expects is met, and what the patient gets is what was reviewed."""
    body = answer_to(osteon, case)
    failures = unmet(case["expect"], body)
    assert not failures, f"{case['title']}: " + "; ".join(failures)
    differing = difference(file, case["id"], outline_of(body))
    assert not differing, f"{case['title']}\n{differing}"


def test_every_outline_has_a_case() -> None:
    assert stale() == []


def test_an_outline_that_differs_is_shown_with_file_line_and_what_to_do() -> None:
    file, case = all_cases()[0]
    told = difference(file, case["id"], {"cards": [{"advice": "planted"}]})
    assert f"tests/clinical/outlines/{file}.yaml:" in told
    assert "+  - advice: planted" in told
    assert "\n-  - advice: " in told
    assert "--write" in told


def test_case_ids_are_unique() -> None:
    counted = Counter(case["id"] for _, case in all_cases())
    assert [name for name, count in counted.items() if count > 1] == []


def test_no_case_has_an_unknown_key_id_or_concept() -> None:
    assert [line for path in case_files() for line in problems(path)] == []


def test_every_case_file_stands_beside_a_file_of_the_guideline() -> None:
    files = [path for path in case_files() if path.parent.name not in {"conflicts", "hooks"}]
    assert files
    guideline = [data_path("guidelines", path.parent.name, path.name) for path in files]
    assert [f"{path.parent.name}/{path.name}" for path in guideline if not path.exists()] == []


def test_every_tag_is_in_use() -> None:
    assert {tag for _, case in all_cases() for tag in case.get("tags", ())} == set(TAGS)


@pytest.mark.parametrize(
    ("right", "wrong", "line", "message"),
    [
        ("  observations:", "  observation:", 7, "unknown key 'observation', did you mean observations?"),
        ("value: 22, unit", "valu: 22, unit", 8, "unknown key 'valu', did you mean value?"),
        ("concept: crcl", "concept: crclearance", 8, "unknown concept 'crclearance'"),
        ("site: total_hip", "site: total_hop", 9, "no code for dxa_t_score of site 'total_hop'"),
        ("site: hip", "site: hips", 11, "unknown site of a fracture 'hips', did you mean hip?"),
        ("concept: dyspepsia", "concept: dyspepsya", 12, "unknown concept 'dyspepsya', did you mean dyspepsia?"),
        ("concept: alendronate", "concept: alendronat", 13, "unknown drug 'alendronat', did you mean alendronate?"),
        ("dose_mg: 70", "dosis_mg: 70", 13, "unknown key 'dosis_mg', did you mean dose_mg?"),
        (
            "below-30]",
            "below-31]",
            15,
            "unknown recommendation 'uppsala.contra.alendronate-crcl-below-31'",
        ),
        ("topics: [drug", "topics: [drugs", 16, "unknown topic 'drugs-safety', did you mean drug-safety?"),
        ("indicator: {drug-safety", "indicator: {drug-savety", 17, "unknown topic 'drug-savety', did you mean"),
        (": warning}", ": warnings}", 17, "unknown indicator 'warnings', did you mean warning?"),
        ("concept: denosumab", "concept: denosumap", 18, "unknown concept 'denosumap', did you mean denosumab?"),
        ("profile: intl", "profile: int", 4, "unknown profile 'int', did you mean intl?"),
        ("hook: order-sign", "hook: order-signs", 5, "unknown hook 'order-signs', did you mean order-sign?"),
        ("tags: [limit]", "tags: [limits]", 3, "unknown tag 'limits', did you mean limit?"),
        ("    topics:", "    topic:", 16, "unknown key 'topic', did you mean topics?"),
        ("  patient: {sex: female, age: 72}\n", "", 1, "patient is missing"),
        ("sex: female", "gender: female", 6, "unknown key 'gender'"),
        ("  hook: order-sign\n", "  hook: order-sign\n  hook: order-select\n", 6, "key 'hook' stands twice"),
    ],
)
def test_a_mistake_in_a_case_is_found_with_file_and_line(
    tmp_path: Path, right: str, wrong: str, line: int, message: str
) -> None:
    assert right in GOOD
    path = tmp_path / "planted.yaml"
    path.write_text(GOOD)
    assert problems(path) == []
    path.write_text(GOOD.replace(right, wrong, 1))
    assert [found for found in problems(path) if f"/planted.yaml:{line}: {message}" in found], problems(path)


def test_cases_are_found_by_the_recommendations_they_name(request: pytest.FixtureRequest) -> None:
    """`pytest -k RULE_ID`: the ids are keywords of the tests."""
    wanted = {(case["id"], name) for _, case in all_cases() for name in case["expect"].get("fire") or ()}
    items = {item.callspec.params["case"]["id"]: item for item in request.session.items if _is_case(item)}
    if len(items) < len(all_cases()):
        pytest.skip("only some of the cases were collected")
    assert wanted
    assert [pair for pair in wanted if pair[1] not in items[pair[0]].extra_keyword_matches] == []


def _is_case(item: pytest.Item) -> bool:
    return item.name.startswith("test_case[")
