"""Reviews: shown where they hold, lapsed where the statement has changed, refused where they name what is not there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.browser import GuidelinePages
from app.docgen.coverage import page
from app.engine.knowledge import Knowledge
from app.engine.linker import load_knowledge
from app.engine.loader import CheckedFile, GuidelineError, default_folder, validated
from app.engine.review_file import ReviewFile
from app.engine.reviews import ReviewStatus, all_reviewed, applied_statements, review_of, with_reviews
from app.engine.statement_record import versions
from app.yaml_files import parse_yaml
from tests.unit.browser.checked_html import Page

NAME = "uppsala.dxa.glucocorticoids"


def record(
    statement: str = NAME,
    version: str | None = None,
    *,
    by: str = "A. Reviewer",
    date: str = "2027-01-15",
    verdict: str = "agreed",
) -> str:
    version = version or versions(load_knowledge())[statement]
    return (
        f"  - {{statement: {statement}, version: '{version}', by: '{by}', role: 'physician, a hospital', "
        f"date: '{date}', verdict: {verdict}, remark: 'as in the source'}}\n"
    )


def written(*records: str, earlier: str = "") -> str:
    return "reviews:\n" + "".join(records) + (f"earlier:\n  {earlier}\n" if earlier else "")


def knowledge_with(*records: str, earlier: str = "") -> Knowledge:
    """What ships, with planted reviews."""
    name, shipped = "guidelines/reviews/planted.yaml", load_knowledge()
    raw = parse_yaml(written(*records, earlier=earlier), name)
    file = CheckedFile(name, "reviews", validated(ReviewFile, raw, name), raw)
    return with_reviews(shipped, [file], shipped)


def loaded_with(folder: Path, *records: str, earlier: str = "", local: Path | None = None) -> Knowledge:
    """The knowledge of a folder of guidelines in which the reviews stand as a file."""
    (folder / "reviews" / "planted.yaml").write_text(written(*records, earlier=earlier), encoding="utf-8")
    load_knowledge.cache_clear()
    return load_knowledge(folder, local)


@pytest.fixture
def copied(tmp_path: Path) -> Iterator[Path]:
    """A copy of guidelines/ to change."""
    yield Path(shutil.copytree(default_folder(), tmp_path / "guidelines"))
    load_knowledge.cache_clear()


def test_nothing_that_ships_is_reviewed() -> None:
    """No review is invented: the folder has its README and nothing else until a clinician has reviewed."""
    assert [path.name for path in (default_folder() / "reviews").iterdir()] == ["README.md"]
    knowledge = load_knowledge()
    assert knowledge.reviews == ()
    assert {review_of(knowledge, name).status for name in knowledge.rules} == {ReviewStatus.NONE}


def test_a_review_of_the_version_as_it_is_counts() -> None:
    knowledge = knowledge_with(record())
    state = review_of(knowledge, NAME)
    assert state.status is ReviewStatus.AGREED
    assert [review.by for review in state.current] == ["A. Reviewer"]
    assert review_of(knowledge, "uppsala.dxa.parental-fracture").status is ReviewStatus.NONE


def test_a_review_is_shown_on_the_pages_and_in_the_coverage() -> None:
    knowledge = knowledge_with(record())
    browser = GuidelinePages(knowledge)
    shown = Page(browser.statement("uppsala", NAME) or "").words
    assert "2027-01-15, A. Reviewer (physician, a hospital): agreed. as in the source" in shown
    assert "No clinician has reviewed" not in shown
    other = Page(browser.statement("uppsala", "uppsala.dxa.parental-fracture") or "").words
    assert "not reviewed" in other
    assert "No clinician has reviewed this version of the statement." in other
    assert f"1 of {len(applied_statements(knowledge, 'uppsala'))}" in Page(browser.overview()).words
    (row,) = [line for line in page(knowledge).splitlines() if line.startswith("| 000 ")]
    assert row.endswith("| 3 | 1 |"), "the limits of the statement and of its exclusions, and the statement"


@pytest.mark.parametrize(
    ("records", "wanted"),
    [
        ((record(verdict="rejected"),), ReviewStatus.REJECTED),
        ((record(), record(by="B. Other", verdict="rejected")), ReviewStatus.REJECTED),
        ((record(verdict="rejected"), record(date="2027-02-01")), ReviewStatus.AGREED),
        ((record(), record(date="2027-02-01", verdict="rejected")), ReviewStatus.REJECTED),
    ],
    ids=["rejected", "one-of-two-rejects", "same-person-agrees-later", "same-person-rejects-later"],
)
def test_the_newest_verdict_of_each_person_counts(records: tuple[str, ...], wanted: ReviewStatus) -> None:
    assert review_of(knowledge_with(*records), NAME).status is wanted


def test_a_review_lapses_when_the_statement_changes(copied: Path) -> None:
    """Its version goes under `earlier`; before, the start is refused, so that a typing error is not taken for it."""
    review = record()
    old = versions(load_knowledge())[NAME]
    path = copied / "uppsala" / "dxa.yaml"
    path.write_text(path.read_text("utf-8").replace("dose: {at_least: 7.5,", "dose: {at_least: 8,"), "utf-8")
    with pytest.raises(GuidelineError, match=r"list .* under `earlier`"):
        loaded_with(copied, review)
    knowledge = loaded_with(copied, review, earlier=f"{NAME}: ['{old}']")
    state = review_of(knowledge, NAME)
    assert state.status is ReviewStatus.LAPSED
    assert state.current == ()
    shown = Page(GuidelinePages(knowledge).statement("uppsala", NAME) or "").words
    assert "review lapsed" in shown
    assert "No clinician has reviewed this version" in shown


def test_a_limit_that_a_hospital_changes_is_not_reviewed(copied: Path, tmp_path: Path) -> None:
    local = tmp_path / "local"
    local.mkdir()
    (local / "overlay.yaml").write_text(
        f"limits:\n- {{statement: {NAME}, feature: glucocorticoid_months, above: 2, unit: months, because: 'a test',"
        " decided: {by: X, date: '2027-01-01'}}\n"
    )
    knowledge = loaded_with(copied, record(), local=local)
    assert review_of(knowledge, NAME).status is ReviewStatus.LAPSED


def test_a_source_is_reviewed_when_each_of_its_applied_statements_is() -> None:
    names = applied_statements(load_knowledge(), "dk-back-pain")
    knowledge = knowledge_with(*(record(name) for name in names))
    assert all_reviewed(knowledge, "dk-back-pain")
    assert not all_reviewed(knowledge, "uppsala")
    assert not all_reviewed(knowledge)
    assert not all_reviewed(knowledge_with(*(record(name) for name in names[:-1])), "dk-back-pain")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (record().replace(f"statement: {NAME}", "statement: uppsala.dxa.glucocorticoid"),
         f"planted.yaml:2: unknown statement 'uppsala.dxa.glucocorticoid', did you mean {NAME}"),
        (record(version=versions(load_knowledge())[NAME][:-1] + "0"), "planted.yaml:2: unknown version"),
        (record(version="0" * 12), f"it is {versions(load_knowledge())[NAME]} now"),
        (record(version="abc"), "String should match pattern"),
        (record(date="15 January"), "a day is written YYYY-MM-DD"),
        (record(date="2027-02-30"), "a day is written YYYY-MM-DD"),
        (record(verdict="approved"), "'agreed' or 'rejected'"),
        (record(by=" "), "by: String should match pattern"),
        (record().replace("remark:", "remarks:"), "unknown key 'remarks', did you mean remark?"),
        (record() + record(), "this review is given twice"),
    ],
    ids=["statement", "near-version", "version", "no-hash", "date", "no-such-day", "verdict", "nobody", "key", "twice"],
)  # fmt: skip
def test_a_wrong_record_stops_the_start_with_file_and_line(text: str, message: str) -> None:
    with pytest.raises(GuidelineError) as error:
        knowledge_with(text)
    assert message in str(error.value)
    assert "guidelines/reviews/planted.yaml:" in str(error.value)


def test_earlier_versions_of_an_unknown_statement_are_refused() -> None:
    with pytest.raises(GuidelineError, match=r"planted.yaml:4: unknown statement 'uppsala.dxa.glucocorticoidz'"):
        knowledge_with(record(), earlier="uppsala.dxa.glucocorticoidz: ['0123456789ab']")
