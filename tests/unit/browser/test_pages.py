"""The guideline browser: complete, well-formed, escaped, and without anything from elsewhere."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from app.browser import GuidelinePages, pages
from app.browser.cases import NO_CASES, cases_by_statement
from app.engine.knowledge import Knowledge
from app.engine.linker import load_knowledge
from app.engine.statement_record import changes, record_of, versions
from tests.unit.browser.checked_html import Page

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


@pytest.fixture(scope="module")
def browser(knowledge: Knowledge) -> GuidelinePages:
    return GuidelinePages(knowledge)


def every_page(browser: GuidelinePages, knowledge: Knowledge) -> dict[str, str]:
    made = {"overview": browser.overview(), "search": browser.overview(query="denosumab"), "changes": browser.changes()}
    for rule in knowledge.rules.values():
        page = browser.statement(rule.source.id, rule.id)
        assert page is not None
        made[rule.id] = page
    for source in knowledge.sources:
        page = browser.source(source)
        assert page is not None
        made[source] = page
    return made


def test_every_page_is_well_formed_and_loads_nothing(browser: GuidelinePages, knowledge: Knowledge) -> None:
    """Keyboard and screen reader: a language, one h1, no level left out, a label for each control, no script."""
    for name, text in every_page(browser, knowledge).items():
        page = Page(text)
        assert len(set(page.ids)) == len(page.ids), name
        tags = [tag for tag, _ in page.elements]
        assert not {"script", "img", "link", "iframe", "object"} & set(tags), name
        for tag, attributes in page.elements:
            assert not {key for key in attributes if key.startswith("on") or key in {"style", "src"}}, (name, tag)
        assert page.elements[0] == ("html", {"lang": "en"}), name
        levels = page.headings()
        assert levels.count(1) == 1, name
        assert all(below <= above + 1 for above, below in pairwise(levels)), (name, levels)
        labelled = {attributes.get("for") for tag, attributes in page.elements if tag == "label"}
        controls = {a.get("id") for tag, a in page.elements if tag in {"input", "select"}}
        assert controls == labelled, name
        assert "content" in page.ids, name
        assert "#content" in page.links, name


def test_a_statement_stands_beside_its_source_criteria_and_cases(browser: GuidelinePages, knowledge: Knowledge) -> None:
    for rule in knowledge.rules.values():
        page = Page(browser.statement(rule.source.id, rule.id) or "")
        for quote in rule.block.source.quote:
            assert " ".join(quote.split()) in page.words, rule.id
        assert rule.source.title in page.words
        assert versions(knowledge)[rule.id] in page.words
        assert ("section", {"aria-labelledby": "criteria"}) in page.elements
    shown = Page(browser.statement("uppsala", "uppsala.dxa.glucocorticoids") or "").words
    assert "at least 7.5 mg/day (in the source: >7.5 mg prednisolon dagligen)" in shown
    assert "more than 3 months" in shown
    assert "Heading: Whom to refer for DXA" in shown
    assert "Prednisolone 10 mg renewed after five months: density and protection" in shown


def test_every_case_that_names_a_statement_is_on_its_page(browser: GuidelinePages, knowledge: Knowledge) -> None:
    cases = cases_by_statement()
    assert cases
    assert set(cases) <= set(knowledge.rules)
    for name in ("uppsala.dxa.glucocorticoids", "msd.dxa.women-65"):
        if name not in knowledge.rules:
            continue
        page = Page(browser.statement(knowledge.rules[name].source.id, name) or "")
        for case in (*cases[name].cited, *cases[name].not_cited):
            assert " ".join(case.title.split()) in page.words


def test_cases_are_readable_by_themselves() -> None:
    """No alias of YAML points to another case."""
    cases = cases_by_statement() or {}
    texts = {case.text for one in cases.values() for case in (*one.cited, *one.not_cited)}
    assert len(texts) > 500
    assert [text for text in texts if ": *" in text or ": &" in text] == []


def test_the_wheel_has_every_folder_of_cases() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    shipped = {Path(name).name for name in wheel["force-include"] if name.startswith("tests/clinical/")}
    folders = {path.parent.name for path in (ROOT / "tests" / "clinical").glob("*/*.yaml")} - NO_CASES
    assert shipped == folders


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("uppsala.dxa.glucocorticoids", "uppsala.dxa.glucocorticoids"),
        ("GLUKOKORTIKOID prednisolon  dagligen", "uppsala.dxa.glucocorticoids"),
        ("glucocorticoid_average_dose", "uppsala.dxa.glucocorticoids"),
        ("泼尼松龙 骨密度", "uppsala.dxa.glucocorticoids"),
    ],
)
def test_a_search_finds_by_id_quotation_criterion_and_language(
    browser: GuidelinePages, query: str, wanted: str
) -> None:
    assert f"/guidelines/uppsala/{wanted}" in Page(browser.overview(query=query)).links


def test_all_words_of_a_search_have_to_occur(browser: GuidelinePages) -> None:
    page = Page(browser.overview(query="glukokortikoid zebrafish"))
    assert "0 statements found" in page.words
    assert "No statement has all of these words" in page.words


def test_filters_and_what_is_no_filter(browser: GuidelinePages, knowledge: Knowledge) -> None:
    msd = [rule for rule in knowledge.rules.values() if rule.source.id == "msd" and rule.block.use == "card"]
    assert f"{len(msd)} statements found" in Page(browser.overview(source="msd", use="card")).words
    assert "found" not in Page(browser.overview(source="nothing", use="nothing")).words


def test_what_a_reader_types_is_escaped_and_bounded(browser: GuidelinePages) -> None:
    text = browser.overview(query='"><script>alert(1)</script>' + "x" * 10_000)
    assert "<script" not in text
    assert "x" * (pages.MAX_QUERY + 1) not in text
    Page(text)


def test_texts_of_the_guideline_files_are_escaped(knowledge: Knowledge) -> None:
    rule = knowledge.rules["uppsala.dxa.glucocorticoids"]
    planted = rule.block.model_copy(
        update={"source": rule.block.source.model_copy(update={"quote": ["<img src=x onerror=alert(1)>"]})}
    )
    changed = replace(knowledge, rules={**knowledge.rules, rule.id: replace(rule, block=planted)})
    text = GuidelinePages(changed).statement("uppsala", rule.id) or ""
    assert "<img" not in text
    assert "<img src=x onerror=alert(1)>" in Page(text).words


def test_links_stay_below_the_path_of_the_service(browser: GuidelinePages) -> None:
    for link in Page(browser.overview(base="/se/cds", query="denosumab")).links:
        assert link.startswith(("/se/cds/", "#")), link


def test_what_is_not_there_is_none(browser: GuidelinePages) -> None:
    assert browser.source("nothing") is None
    assert browser.statement("uppsala", "uppsala.nothing") is None
    assert browser.statement("msd", "uppsala.dxa.glucocorticoids") is None


def test_a_source_prints_on_a4_with_room_for_verdicts(browser: GuidelinePages) -> None:
    text = browser.source("dk-back-pain") or ""
    assert "size: A4" in text
    assert "@media print" in text
    assert Page(text).words.count("Verdict:") == sum(tag == "article" for tag, _ in Page(text).elements)


def test_without_an_earlier_release_the_page_says_so(browser: GuidelinePages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "shipped_records", list)
    assert "There is no release before this one" in Page(browser.changes()).words


def test_changes_since_a_release_show_old_and_new(
    browser: GuidelinePages, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = json.loads(json.dumps(record_of(knowledge, "0.0.9")))
    one = old["statements"]["uppsala.dxa.glucocorticoids"]
    one["version"], one["fields"]["strength"] = "000000000000", "must"
    old["statements"]["uppsala.gone"] = {"version": "1", "fields": {"quotation": "words that are gone"}}
    del old["statements"]["msd.duration.oral-bp-5y-zoledronate-3y"]
    monkeypatch.setattr(pages, "shipped_records", lambda: [old])
    found = list(changes(old, record_of(knowledge, "0.1.0")))
    assert [(one["statement"], one["change"]) for one in found] == [
        ("msd.duration.oral-bp-5y-zoledronate-3y", "added"),
        ("uppsala.dxa.glucocorticoids", "changed"),
        ("uppsala.gone", "removed"),
    ]
    assert found[1]["fields"] == {"strength": ("must", "should")}
    text = browser.changes()
    assert "<del>must</del>" in text
    assert "<ins>should</ins>" in text
    assert "words that are gone" in text
