"""Reviews of statements by clinicians: what they say about the statement as it is now.

A review is about one version of a statement (`app.engine.statement_record`). It lapses when the statement changes, also
where the overlay of a hospital changes one of its limits. Nothing counts as reviewed without a record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from app.engine.knowledge import Knowledge
from app.engine.loader import CheckedFile, GuidelineError
from app.engine.references import did_you_mean
from app.engine.review_file import Review, ReviewFile
from app.engine.schema import Use
from app.engine.statement_record import shipped_records, versions
from app.yaml_files import Problem

APPLIED = frozenset({Use.CARD, Use.RIDES, Use.LOGIC})
"""The uses of statements that act on patients: these have to be reviewed."""


class ReviewStatus(StrEnum):
    """What the reviews say about a statement as it is now."""

    NONE = "not reviewed"
    AGREED = "reviewed"
    REJECTED = "rejected"
    LAPSED = "review lapsed"


@dataclass(frozen=True, slots=True)
class ReviewState:
    """The status of a statement, its reviews that count, and those of earlier versions; newest first."""

    status: ReviewStatus = ReviewStatus.NONE
    current: tuple[Review, ...] = ()
    lapsed: tuple[Review, ...] = ()


NOT_REVIEWED = ReviewState()


def with_reviews(knowledge: Knowledge, files: Sequence[CheckedFile[ReviewFile]], shipped: Knowledge) -> Knowledge:
    """The knowledge with the reviews of some files. `shipped`: the knowledge without the overlay of a hospital.

    Raises GuidelineError where a review names an unknown statement or version.
    """
    if not files:
        return knowledge
    problems: list[Problem] = []
    known = _known_versions(files, versions(shipped))
    seen: set[tuple[str, str, str, str]] = set()
    for file in files:
        for name in file.content.earlier:
            if name not in shipped.rules:
                problems.append(_unknown_statement(file, ("earlier", name), name, shipped.rules))
        for i, review in enumerate(file.content.reviews):
            place: tuple[str | int, ...] = ("reviews", i)
            if review.statement not in shipped.rules:
                problems.append(_unknown_statement(file, (*place, "statement"), review.statement, shipped.rules))
                continue
            if review.version not in known[review.statement]:
                message = _unknown_version(review, known[review.statement], versions(shipped)[review.statement])
                problems.append(Problem(file.name, file.line_of(*place, "version"), message))
            key = (review.statement, review.version, review.by, review.date)
            if key in seen:
                problems.append(Problem(file.name, file.line_of(*place), "this review is given twice"))
            seen.add(key)
    if problems:
        raise GuidelineError(problems)
    return replace(knowledge, reviews=tuple(review for file in files for review in file.content.reviews))


def _known_versions(files: Iterable[CheckedFile[ReviewFile]], current: Mapping[str, str]) -> dict[str, list[str]]:
    """Every version that a review can name: the current one, those of releases, and those under `earlier`."""
    known = {name: [version] for name, version in current.items()}
    for record in shipped_records():
        for name, entry in record["statements"].items():
            known.setdefault(name, []).append(entry["version"])
    for file in files:
        for name, earlier in file.content.earlier.items():
            known.setdefault(name, []).extend(earlier)
    return known


def _unknown_statement(
    file: CheckedFile[ReviewFile], place: tuple[str | int, ...], name: str, names: Iterable[str]
) -> Problem:
    return Problem(file.name, file.line_of(*place), f"unknown statement {name!r}{did_you_mean(name, list(names))}")


def _unknown_version(review: Review, known: Sequence[str], current: str) -> str:
    hint = did_you_mean(review.version, list(known))
    return (
        f"unknown version {review.version!r} of {review.statement}{hint} (it is {current} now; if the statement has"
        f" changed since the review, list {review.version!r} under `earlier`: the review then counts as lapsed)"
    )


@lru_cache(maxsize=16)
def review_states(knowledge: Knowledge) -> Mapping[str, ReviewState]:
    """The states of the statements that have reviews, by id; all others are `NOT_REVIEWED`."""
    if not knowledge.reviews:
        return {}
    now = versions(knowledge)
    found: dict[str, list[Review]] = {}
    for review in sorted(knowledge.reviews, key=lambda review: review.date, reverse=True):
        found.setdefault(review.statement, []).append(review)
    return {name: _state(reviews, now[name]) for name, reviews in found.items()}


def _state(reviews: Sequence[Review], version: str) -> ReviewState:
    """The state of one statement. The newest review of each person counts; one rejection outweighs agreement."""
    newest: dict[str, Review] = {}
    for review in reviews:
        if review.version == version:
            newest.setdefault(review.by, review)
    lapsed = tuple(review for review in reviews if review.version != version)
    if not newest:
        return ReviewState(ReviewStatus.LAPSED, (), lapsed)
    rejected = any(review.verdict == "rejected" for review in newest.values())
    return ReviewState(ReviewStatus.REJECTED if rejected else ReviewStatus.AGREED, tuple(newest.values()), lapsed)


def review_of(knowledge: Knowledge, statement: str) -> ReviewState:
    """The state of a statement."""
    return review_states(knowledge).get(statement, NOT_REVIEWED)


def is_reviewed(knowledge: Knowledge, statement: str) -> bool:
    """Whether a clinician has agreed with the statement as it is now, and none has rejected it."""
    return review_of(knowledge, statement).status is ReviewStatus.AGREED


def applied_statements(knowledge: Knowledge, source: str | None = None) -> list[str]:
    """The statements that act on patients, of one source or of all."""
    return [
        rule.id
        for rule in knowledge.rules.values()
        if rule.block.use in APPLIED and (source is None or rule.source.id == source)
    ]


def all_reviewed(knowledge: Knowledge, source: str | None = None) -> bool:
    """Whether every statement that acts on patients is reviewed, of one source or of all."""
    names = applied_statements(knowledge, source)
    return bool(names) and all(is_reviewed(knowledge, name) for name in names)


def count_reviewed(knowledge: Knowledge, source: str | None = None) -> int:
    """How many of the statements that act on patients are reviewed."""
    return sum(is_reviewed(knowledge, name) for name in applied_statements(knowledge, source))
