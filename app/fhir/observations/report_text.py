"""T- and Z-scores that only the text of a densitometry report holds: tables and single sentences.

Careful rather than complete: a number is taken where a table has one column for that score and the row names one site,
or where it stands beside its score in a sentence whose numbers are all understood, after the site that it belongs to or
in a sentence with one site. Everything found is marked `from_text`. A report that names scores of which none could be
taken is noted: what it says is not absent (decision 56).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from html.parser import HTMLParser

from app.chart import DateRange, DensityFact, DensityKind, DensitySite, UnusableReason, UnusableValue
from app.fhir.resource import Reading
from app.terminology.body_sites import density_site_in, side_in, sites_in
from app.terminology.density_words import says_not_the_value
from app.terminology.units import Measured, measure, quantity_rules
from app.wire.elements import Quantity
from app.wire.observations import DiagnosticReport

_MAX_TEXT = 100_000
_RULES = {DensityKind.T_SCORE: "dxa_tscore_lumbar_spine", DensityKind.Z_SCORE: "dxa_zscore_lumbar_spine"}
_KINDS = {"t": DensityKind.T_SCORE, "z": DensityKind.Z_SCORE}
_NUMBER = r"(?:[+\-−–]\s?\d{1,2}(?:[.,]\d{1,2})?|\d{1,2}[.,]\d{1,2})(?![\d.,]*\d)"
_NUMBER_CELL = re.compile(rf"\s*({_NUMBER})\s*(?:SD\s*)?$", re.IGNORECASE)
_SCORE = re.compile(
    r"(?<![a-z])(?P<kind>[tz])[\s\u2010-\u2015-]?(?:scores?|value|värde|værdi|wert|值|値|评分|評分|スコア)"
    r"\s*+(?:\([^()]*+\)\s*+)?(?:is|was|of|at|=|:|är|er|på|var|为|為|是)?\s*+"
    rf"(?:\(\s*+)?(?P<number>{_NUMBER})?(?:\s*+(?:SD|S\.D\.))?",
    re.IGNORECASE,
)
_OTHER_NUMBERS = re.compile(
    r"\d+(?:[.,]\d+)?\s*(?:m?g\s*/\s*cm\s*[2²^³3]*|%|mm|cm|kg|years?|år|岁|yrs?)|\b[12]\d{3}(?:-\d\d){0,2}\b"
    r"|\b(?:l|th|t)\d{1,2}\b(?:\s*[-–/]\s*(?:l|th|t)?\d{1,2}\b)?|腰椎\d\s*[-–~]\s*\d|\b(?:33|1/3)\s*%?|cm[23]",
    re.IGNORECASE,
)
_LONE_NUMBER = re.compile(rf"(?<![\d.,]){_NUMBER}")
_ANY_DIGIT = re.compile(r"\d")
_SENTENCE_END = re.compile(r"[.;。；](?=\s|$)|\n")
_NOT_NOW = re.compile(
    r"young|below|above|less|greater|between|criteri|defin|threshold|who\b|以下|以上|[<>≤≥]",
    re.IGNORECASE,
)


def _closed(text: str) -> str:
    """The text with the tags that are closed; an opening bracket that none follows is a sign, not a tag.

    The parser looks for the end of each tag through all that follows: without this, time grew with the square of the
    number of tags that never end.
    """
    head, bracket, tail = text.rpartition(">")
    return head + bracket + tail.replace("<", "&lt;")


class _Rows(HTMLParser):
    """The rows of all tables, and the text outside of them, line by line."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.text: list[str] = []
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag == "table":
            self._depth += 1
            self.tables.append([])
        elif tag == "tr" and self._depth:
            self.tables[-1].append([])
        elif tag in {"td", "th"} and self._depth and self.tables[-1]:
            self.tables[-1][-1].append("")
        elif tag in {"p", "div", "br", "li", "h1", "h2", "h3", "h4", "h5"}:
            self.text.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            self._depth = max(0, self._depth - 1)

    def handle_data(self, data: str) -> None:
        if self._depth and self.tables and self.tables[-1] and self.tables[-1][-1]:
            self.tables[-1][-1][-1] += data
        elif not self._depth:
            self.text.append(data)


def densities_in_report(
    report: DiagnosticReport, *, ref: str, effective: DateRange | None, reading: Reading
) -> list[DensityFact]:
    """The scores that the narrative, the conclusion or a text attachment of a DXA report states."""
    found: dict[tuple[DensityKind, DensitySite, str | None, object], DensityFact] = {}
    named: set[DensityKind] = set()
    for text in texts_of(report):
        parser = _Rows()
        parser.feed(_closed(text[:_MAX_TEXT]))
        parser.close()
        numbers = [entry for table in parser.tables for entry in _in_table(table)]
        prose = "".join(parser.text)
        numbers += _in_sentences(prose)
        named |= {_KINDS[score["kind"].lower()] for score in _SCORE.finditer(prose)}
        for kind, place, number in numbers:
            fact = _fact(kind, place, number, ref, effective)
            if fact is not None:
                found.setdefault((fact.kind, fact.site, fact.side, fact.value), fact)
    missed = named - {fact.kind for fact in found.values()}
    for kind in sorted(missed):
        reading.unusable.append(UnusableValue(ref, frozenset({_RULES[kind]}), UnusableReason.REPORT_NOT_READ, ""))
    return list(found.values())


def texts_of(report: DiagnosticReport) -> Iterator[str]:
    """The narrative, the conclusion and the text attachments of a report."""
    if report.text is not None and report.text.div is not None:
        yield report.text.div
    if report.conclusion is not None:
        yield report.conclusion
    for form in report.presented_form:
        kind, data = (form.content_type or "").lower(), form.data
        if kind.startswith(("text/plain", "text/html")) and data is not None:
            try:
                yield base64.b64decode(data[: 2 * _MAX_TEXT], validate=True).decode("utf-8", errors="replace")
            except binascii.Error:
                continue  # no text that could be read: as if it were not there


def _in_table(table: list[list[str]]) -> Iterator[tuple[DensityKind, str, str]]:
    columns: dict[DensityKind, int] = {}
    for row in table:
        heads = {kind: [index for index, cell in enumerate(row) if _names(kind, cell)] for kind in _RULES}
        if any(heads.values()):
            columns = {kind: places[0] for kind, places in heads.items() if len(places) == 1}
            continue
        for kind, column in columns.items():
            number = _NUMBER_CELL.match(row[column]) if column < len(row) else None
            if number is not None:
                yield kind, " ".join(row[:column]), number.group(1)


def _names(kind: DensityKind, text: str) -> bool:
    return any(_KINDS[score["kind"].lower()] is kind for score in _SCORE.finditer(text)) and not says_not_the_value(
        text
    )


def _in_sentences(text: str) -> Iterator[tuple[DensityKind, str, str]]:
    for sentence in _SENTENCE_END.split(text):
        scores = list(_SCORE.finditer(sentence))
        if not scores or _NOT_NOW.search(sentence) or says_not_the_value(sentence):
            continue
        others = _OTHER_NUMBERS.sub(" ", _SCORE.sub(" ", sentence))
        if all(score["number"] for score in scores):
            if not _ANY_DIGIT.search(others):
                yield from _placed(sentence, scores)
        elif len(scores) == 1 and len(sites_in(sentence)) == 1:  # "T-score of the lumbar spine -2.8"
            numbers = _LONE_NUMBER.findall(others)
            if len(numbers) == 1 and len(_ANY_DIGIT.findall(_LONE_NUMBER.sub(" ", others))) == 0:
                yield _KINDS[scores[0]["kind"].lower()], sentence, numbers[0]


def _placed(sentence: str, scores: list[re.Match[str]]) -> Iterator[tuple[DensityKind, str, str]]:
    """The scores of a sentence with the words that name their site: those before them, or the only site there is."""
    place, end = "", 0
    sites_before = 0
    found: list[tuple[DensityKind, str, str]] = []
    for score in scores:
        before = sentence[end : score.start()]
        end = score.end()
        named = sites_in(before)
        if len(named) > 1:
            return  # two sites before one number: ambiguous
        if named:
            place, sites_before = before, sites_before + 1
        found.append((_KINDS[score["kind"].lower()], place, score["number"]))
    kinds = [kind for kind, _, _ in found]
    after = sites_in(sentence[end:])
    if not sites_before and len(set(kinds)) == len(kinds) and len(after) == 1:
        yield from ((kind, sentence, number) for kind, _, number in found)
    elif sites_before and not after:
        yield from found


def _fact(kind: DensityKind, place: str, number: str, ref: str, effective: DateRange | None) -> DensityFact | None:
    site = density_site_in(place)
    result = measure(quantity_rules()[_RULES[kind]], Quantity(value=number.replace(" ", "")))
    if site is None or not isinstance(result, Measured):
        return None
    return DensityFact(ref, kind, site, result.value, effective, side=side_in(place), from_text=True)
