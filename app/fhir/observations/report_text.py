"""T- and Z-scores that stand only in the words of a densitometry report: tables and single sentences.

Careful rather than complete: a number is taken where a table has one column for that score and the row names one site,
or where a sentence names one site and one score with one number. Everything found is marked `from_text`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from html.parser import HTMLParser

from app.chart import DateRange, DensityFact, DensityKind, DensitySite
from app.terminology.body_sites import density_site_in, side_in
from app.terminology.units import Measured, measure, quantity_rules
from app.wire.elements import Quantity
from app.wire.observations import DiagnosticReport

_MAX_TEXT = 100_000
_SCORES = {
    DensityKind.T_SCORE: re.compile(r"\bt[\s\u2010-\u2015-]?score|T值|T評分|T评分", re.IGNORECASE),
    DensityKind.Z_SCORE: re.compile(r"\bz[\s\u2010-\u2015-]?score|Z值|Z評分|Z评分", re.IGNORECASE),
}
_RULES = {DensityKind.T_SCORE: "dxa_tscore_lumbar_spine", DensityKind.Z_SCORE: "dxa_zscore_lumbar_spine"}
_NUMBER_CELL = re.compile(r"\s*([+\-−–]?\d{1,2}[.,]\d{1,2})\s*(?:SD)?\s*$")
_SENTENCE_NUMBER = re.compile(r"(?<![\d.,])([+\-−–]?\d{1,2}[.,]\d{1,2})(?![\d.,])")
_SENTENCE_END = re.compile(r"[.;。；](?=\s|$)|\n")
_NOT_NOW = re.compile(
    r"previous|prior|compar|tidigare|tidligere|föregående|change|young|below|above|less|greater|between|criteri"
    r"|defin|threshold|who\b|以下|以上|[<>≤≥]",
    re.IGNORECASE,
)


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


def densities_in_report(report: DiagnosticReport, *, ref: str, effective: DateRange | None) -> list[DensityFact]:
    """The scores that the narrative, the conclusion or a text attachment of a DXA report states."""
    found: dict[tuple[DensityKind, DensitySite, str | None, object], DensityFact] = {}
    for text in _texts(report):
        parser = _Rows()
        parser.feed(text[:_MAX_TEXT])
        parser.close()
        numbers = [entry for table in parser.tables for entry in _in_table(table)]
        numbers += _in_sentences("".join(parser.text))
        for kind, place, number in numbers:
            fact = _fact(kind, place, number, ref, effective)
            if fact is not None:
                found.setdefault((fact.kind, fact.site, fact.side, fact.value), fact)
    return list(found.values())


def _texts(report: DiagnosticReport) -> Iterator[str]:
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
        heads = {
            kind: [index for index, cell in enumerate(row) if pattern.search(cell)] for kind, pattern in _SCORES.items()
        }
        if any(heads.values()):
            columns = {kind: places[0] for kind, places in heads.items() if len(places) == 1}
            continue
        for kind, column in columns.items():
            number = _NUMBER_CELL.match(row[column]) if column < len(row) else None
            if number is not None:
                yield kind, " ".join(row[:column]), number.group(1)


def _in_sentences(text: str) -> Iterator[tuple[DensityKind, str, str]]:
    for sentence in _SENTENCE_END.split(text):
        kinds = [kind for kind, pattern in _SCORES.items() if pattern.search(sentence)]
        numbers = _SENTENCE_NUMBER.findall(sentence)
        if len(kinds) == 1 and len(numbers) == 1 and not _NOT_NOW.search(sentence):
            yield kinds[0], sentence, numbers[0]


def _fact(kind: DensityKind, place: str, number: str, ref: str, effective: DateRange | None) -> DensityFact | None:
    site = density_site_in(place)
    result = measure(quantity_rules()[_RULES[kind]], Quantity(value=number))
    if site is None or not isinstance(result, Measured):
        return None
    return DensityFact(ref, kind, site, result.value, effective, side=side_in(place), from_text=True)
