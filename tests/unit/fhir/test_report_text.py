"""Scores that stand only in the words of a report."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from app.chart import DensityFact
from app.fhir.observations.report_text import _closed, _Rows
from tests.unit.fhir.builders import LOINC, chart, coded, facts_in, observation, resource

TABLE = """<div xmlns="http://www.w3.org/1999/xhtml"><p>Densitometry</p><table>
<tr><th>Region</th><th>BMD (g/cm2)</th><th>T-score</th><th>Z-score</th></tr>
<tr><td>AP Spine L1-L4</td><td>0.812</td><td>-2.6</td><td>-0,9</td></tr>
<tr><td>Left femur neck</td><td>0.701</td><td>-2.1</td><td>-0.4</td></tr>
<tr><td>Radius 33%</td><td>0.6</td><td>n/a</td><td></td></tr>
<tr><td>Average of something</td><td>0.6</td><td>-4.4</td><td></td></tr>
</table></div>"""


def report(**members: Any) -> dict[str, Any]:
    content = {"status": "final", "code": coded(LOINC, "38269-7"), "effectiveDateTime": "2026-05-01"}
    return resource("DiagnosticReport", "r", **(content | members))


def read(**members: Any) -> list[tuple[str, str, str]]:
    found: tuple[DensityFact, ...] = chart(report(**members)).densities
    assert all(fact.from_text for fact in found)
    return [(fact.kind, fact.site, str(fact.value)) for fact in found]


def test_a_table_with_a_column_of_scores() -> None:
    assert read(text={"div": TABLE}) == [
        ("t_score", "lumbar_spine", "-2.6"),
        ("z_score", "lumbar_spine", "-0.9"),
        ("t_score", "femoral_neck", "-2.1"),
        ("z_score", "femoral_neck", "-0.4"),
    ]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("T-score lumbar spine -2.8.", [("t_score", "lumbar_spine", "-2.8")]),
        ("Ländrygg T-score: -2,8", [("t_score", "lumbar_spine", "-2.8")]),
        ("腰椎T值 -2.8", [("t_score", "lumbar_spine", "-2.8")]),
        (
            "Total hip: T-score -1.4; femoral neck: T-score -2.2.",
            [
                ("t_score", "total_hip", "-1.4"),
                ("t_score", "femoral_neck", "-2.2"),
            ],
        ),
        (
            "L1-L4 BMD 0.812 g/cm2, T-score -2.7, Z-score -1.1.",
            [("t_score", "lumbar_spine", "-2.7"), ("z_score", "lumbar_spine", "-1.1")],
        ),
        ("T-score -2.7 in the lumbar spine.", [("t_score", "lumbar_spine", "-2.7")]),
        (
            "Lumbar spine T-score -2.7 and total hip T-score -1.9.",
            [("t_score", "lumbar_spine", "-2.7"), ("t_score", "total_hip", "-1.9")],
        ),
        (
            "Total hip left: BMD 0.612 g/cm2 (T-score −2,9 SD, Z-score −1,0 SD)",
            [("t_score", "total_hip", "-2.9"), ("z_score", "total_hip", "-1.0")],
        ),
        ("Femoral neck T-score -3", [("t_score", "femoral_neck", "-3")]),
        ("腰椎1-4 T值-2.7，Z值-1.1", [("t_score", "lumbar_spine", "-2.7"), ("z_score", "lumbar_spine", "-1.1")]),
        ("DXA 2026-05-01 L1-L4 T-score -2.7", [("t_score", "lumbar_spine", "-2.7")]),
        ("The T-score of the lumbar spine is -2.7.", [("t_score", "lumbar_spine", "-2.7")]),
        ("L2 T-score -3.9", [("t_score", "other", "-3.9")]),
        ("Ward's triangle T-score -3.6", [("t_score", "other", "-3.6")]),
        ("T-scores: lumbar spine -2.7, hip -1.9.", []),
        ("T-score was -2.7 at the spine compared with -2.2 in 2020.", []),
        ("Lumbar spine T-score < -2.5", []),
        ("Spine and hip T-score -2.6.", []),
        ("Osteoporosis is defined as a T-score below -2.5 at the spine.", []),
        ("Previous T-score of the spine was -2.2.", []),
        ("Spine T-score -2.2 and -2.4.", []),
        ("T-score -2.2.", []),
        ("Spine T-score -25.5.", []),
    ],
)
def test_sentences(sentence: str, expected: list[tuple[str, str, str]]) -> None:
    assert read(conclusion=sentence) == expected


def test_a_score_that_could_not_be_taken_is_noted() -> None:
    (noted,) = chart(report(conclusion="T-scores: lumbar spine -2.7, hip -1.9.")).unusable
    assert (noted.ref, noted.reason) == ("DiagnosticReport/r", "score in the words of a report, not read")


def test_a_report_without_scores_notes_nothing() -> None:
    assert chart(report(conclusion="Osteopenia.")).unusable == ()


def test_text_attachments_are_read_and_broken_ones_left() -> None:
    text = base64.b64encode(b"Spine T-score -3.0").decode()
    assert read(presentedForm=[{"contentType": "text/plain", "data": text}]) == [("t_score", "lumbar_spine", "-3.0")]
    assert read(presentedForm=[{"contentType": "text/plain", "data": "***"}]) == []


def test_coded_results_of_the_same_day_come_before_the_words() -> None:
    found = chart(report(text={"div": TABLE}), observation(coded(LOINC, "38267-1"), -2.6, "{T-score}")).densities
    assert [(fact.kind, fact.from_text) for fact in found if fact.kind == "t_score"] == [("t_score", False)]


def test_other_reports_are_not_searched() -> None:
    chest = report(code=coded(LOINC, "36643-5"), conclusion="Spine T-score -3.0")
    assert chart(chest).densities == ()


def test_how_a_number_was_obtained_is_kept() -> None:
    risk = observation(coded(LOINC, "90265-0"), 21, "%", method={"text": "FRAX with BMD"})
    assert facts_in(chart(risk))[0].text == "FRAX with BMD"


@pytest.mark.parametrize(
    "text", ["T-score < -2.5", "T-score <-2.5", "T-score <a -2.5", "<p>T-score &lt; -2.5</p>", "T-score<b -2.5 >x"]
)
def test_an_opening_bracket_that_is_no_tag_stays_a_sign(text: str) -> None:
    """A limit ("< -2.5") is no result, also where nothing closes the bracket."""
    parser = _Rows()
    parser.feed(_closed(text))
    parser.close()
    assert "<" in "".join(parser.text) or ">x" in text


def test_tags_that_never_end_cost_lines_in_proportion() -> None:
    """Time is linear in size: the parser is not made to look for an end that is not there."""
    for piece in ("<a ", "</a", "<!--", "<?"):
        assert "<a" not in _closed(piece * 1000)
        assert _closed("<p>x</p>" + piece * 2).startswith("<p>x</p>&lt;")
