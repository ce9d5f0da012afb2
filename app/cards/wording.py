"""Words of cards: values, dates and names as a clinician reads them, escaped for Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import quote

from msgspec.structs import replace

from app.advice.draft import names_in_line
from app.advice.model import Advice
from app.cards.override_reasons import fitting
from app.cds_hooks.feedback import OVERRIDE_REASONS
from app.cds_hooks.response import Coding, Link
from app.chart import CourseFact
from app.engine.criteria import Limit
from app.engine.knowledge import Knowledge, Rule
from app.engine.local import text_in
from app.engine.locale import StatementTexts
from app.engine.schema import Strength
from app.features.model import Evidence
from app.features.notes import NOTE_VALUES, NOTE_WORDS, Note, NoteCode, Notes
from app.record_text import shown
from app.terminology.drug_classes import substance_of

_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>#|~!]")
_ANNOTATION = re.compile(r"\{[^}]*\}")
"""What UCUM writes in braces ("{count}") means nothing to a reader."""
_COMPOSED = ("_last_dose", "_intolerance", "_end", "_use")
"""Endings of data names that describe what is known of a drug; `composed_names` of the locale words them."""

_AGE, _PRESENT, _DAILY = "age", "present", "mg/d"
_DATED = frozenset({NoteCode.RECORD_DATE, NoteCode.DRAFT_ORDER, NoteCode.PROCEDURE, NoteCode.AVERAGE})
"""Notes that say what the date of a fact is."""
_MEASURED = re.compile(r"[<>≤≥=~ ]*-?\d+(\.\d+)?( ?- ?\d+(\.\d+)?)?")
"""A recorded value that is a number: with a sign before it, or a range."""

_NO_TEXTS = StatementTexts()


def escaped(text: str) -> str:
    """Text from a record, harmless in Markdown and bounded in length."""
    return _MARKDOWN.sub(_with_backslash, shown(text))


def _with_backslash(found: re.Match[str]) -> str:
    return "\\" + found[0]


def number(value: Decimal) -> str:
    """A number as a person writes it: no exponent, no trailing zeros that computing added, two decimals at most."""
    rounded = value.quantize(Decimal("0.01")) if -value.as_tuple().exponent > 2 else value  # type: ignore[operator]
    text = format(rounded, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


class Wording:
    """Looks up and composes words in one language. Holds nothing of a patient, and is kept: see `wording_in`."""

    def __init__(self, knowledge: Knowledge, language: str, base_url: str | None = None) -> None:
        self.locale = knowledge.locale(language)
        self.language, self._local = language, knowledge.local
        self.phrases = self.locale.phrases
        self._base_url = base_url
        self._statement_links: dict[str, Link] = {}
        self._reasons: dict[tuple[str, str], tuple[Coding, ...]] = {}  # by advice and topic
        self._cited: dict[str, str] = {}  # by the id of the recommendation
        self._citations: dict[tuple[str, bool], str] = {}

    def override_reasons(self, advice: str, topic: str) -> tuple[Coding, ...]:
        """The reasons for not following a card; those that the hospital lists itself stand on all cards."""
        if self._local.override_reasons is not None:
            return self._all_override_reasons
        key = advice, topic
        if key not in self._reasons:
            self._reasons[key] = fitting(self._all_override_reasons, advice, topic)
        return self._reasons[key]

    @cached_property
    def _all_override_reasons(self) -> tuple[Coding, ...]:
        if self._local.override_reasons is None:
            shipped = self.locale.override_reasons
            return tuple(replace(reason, display=shipped[reason.code]) for reason in OVERRIDE_REASONS)
        return tuple(
            Coding(
                reason.code,
                reason.system,
                text_in(reason.text, self.language) if reason.text else self.locale.override_reasons[reason.code],
            )
            for reason in self._local.override_reasons
        )

    def after(self, advice: str) -> str:
        """The text of the hospital behind what an advice says; empty where there is none."""
        texts = self._local.after.get(advice)
        return text_in(texts, self.language) if texts else ""

    def links(self, advice: str) -> tuple[Link, ...]:
        """The pages of the hospital beside the cards of an advice."""
        return tuple(Link(text_in(link.label, self.language), link.url) for link in self._local.links.get(advice, ()))

    def statement_link(self, rule: Rule) -> Link | None:
        """The page of a statement in the guideline browser; None where the public address is not set."""
        if self._base_url is None:
            return None
        known = self._statement_links.get(rule.id)
        if known is None:
            texts = self.statement(rule)
            label = f"{self.source_of(rule)}{self.phrases.colon}{texts.because or texts.statement}"
            url = f"{self._base_url}/guidelines/{quote(rule.source.id)}/{quote(rule.id)}"
            known = self._statement_links[rule.id] = Link(label, url)
        return known

    def local_limits(self, limits: Iterable[Limit]) -> list[str]:
        """Limits that the hospital has changed, beside those of the source."""
        mark, made = self.locale.decimal_mark, []
        for limit in limits:
            if limit.local is not None:
                values = {"limit": limit.limit, "source": limit.local.source_limit}
                unit = self.unit(limit.unit)
                shown_values = {k: f"{format(v, 'f').replace('.', mark)} {unit}".rstrip() for k, v in values.items()}
                local = limit.local
                made.append(
                    self.phrases.local_limit.format(
                        name=self.name(limit.name), because=local.because, by=local.by, date=local.date, **shown_values
                    )
                )
        return made

    def source_of(self, rule: Rule) -> str:
        """Short name of the source of a recommendation, and the heading that it stands under."""
        known = self._cited.get(rule.id)
        if known is None:
            texts = self.locale.sources[rule.source.id]
            heading = texts.headings.get(rule.source.heading(min(rule.block.source.lines)) or "", "")
            known = self.phrases.list_separator.join(filter(None, (texts.short, heading)))
            self._cited[rule.id] = known
        return known

    def citation(self, rule: Rule, *, safety: bool) -> str:
        """The statement of a recommendation, its place and strength, and whether it is cited for safety."""
        known = self._citations.get((rule.id, safety))
        if known is None:
            block = rule.block
            strength = self.locale.strengths[block.strength] if block.strength is not Strength.FACT else ""
            how = self.phrases.list_separator.join(filter(None, (strength, block.grade)))
            role = self.phrases.safety_role if safety else ""
            where = self.phrases.semicolon.join(
                filter(None, (self.source_of(rule), how, role, *self.local_limits(rule.local_limits)))
            )
            known = self.phrases.cited.format(statement=self.statement(rule).statement, source=where)
            self._citations[rule.id, safety] = known
        return known

    def statement(self, rule: Rule) -> StatementTexts:
        """The texts of a recommendation; empty ones where it has none."""
        return self.locale.statements.get(rule.id, _NO_TEXTS)

    def drug_of(self, advice: Advice) -> str:
        """The drug that an advice is about; "this drug" where it has no name."""
        if advice.drug_id:
            return self.locale.drugs[advice.drug_id].name
        together = not advice.orders
        names = list(dict.fromkeys(map(self.course, advice.courses)))
        if together and len(names) == 1:  # two products of one drug: only the record tells them apart
            names = [shown(course.name) for course in advice.courses]
        separator = " + " if together else self.phrases.list_separator
        return names_in_line(names, separator) or self.phrases.this_order

    def course(self, course: CourseFact) -> str:
        """The drug of a course in the language; where it is not recognised, as the record names it."""
        return self.locale.substances.get(substance_of(course.drugs) or "") or shown(course.name)

    def name(self, datum: str) -> str:
        """The name of a feature or datum; its own name in words where the texts have none."""
        names = self.locale.names
        known = names.get(datum)
        if known is not None:
            return known
        for ending in _COMPOSED:
            if datum.endswith(ending) and (of := names.get(datum.removesuffix(ending))) is not None:
                return self.locale.composed_names[ending[1:]].format(name=of)
        _, dot, argument = datum.partition(".")
        if dot and (of := names.get(argument)) is not None:
            return of
        return datum.replace(".", ": ").replace("_", " ")

    def value(self, evidence: Evidence) -> str:
        """A value with its unit; nothing for a fact that is only there."""
        match evidence.value:
            case None | True:
                return ""
            case False:
                return self.phrases.no
            case Decimal() as quantity:
                return f"{self.number(quantity)} {self.unit(evidence.unit)}".strip()
            case str() as words if _MEASURED.fullmatch(words):
                # "<30" is a number with a sign: nothing in it is Markdown, and a backslash would be read as part of it
                return f"{words.replace('.', self.locale.decimal_mark)} {self.unit(evidence.unit)}".strip()
            case str() if evidence.substance in self.locale.substances:
                return self.locale.substances[evidence.substance or ""]
            case str() as words:
                said = ", ".join(dict.fromkeys(self.word(word) for word in words.split(", ")))
                return f"{escaped(said)} {self.unit(evidence.unit)}".strip()

    def number(self, value: Decimal) -> str:
        """A number with the decimal mark of the language."""
        return number(value).replace(".", self.locale.decimal_mark)

    def word(self, word: str) -> str:
        """A word of a closed list in the language; any other text as it was recorded."""
        return self.locale.words.get(word.replace("-", "_").replace(" ", "_")) or word.replace("_", " ")

    def unit(self, unit: str | None) -> str:
        """A UCUM unit as a clinician writes it."""
        return self.locale.units.get(unit or "") or _ANNOTATION.sub("", unit or "")

    def notes(self, notes: Notes) -> str:
        """The remarks of a fact, in one line; texts of the record in them are not escaped."""
        return self.phrases.semicolon.join(map(self._note, notes))

    def _note(self, note: Note) -> str:
        text = self.locale.notes[note.code]
        if note.values:
            if note.code in NOTE_WORDS:
                shown: list[Any] = [self.word(str(value)) for value in note.values]
            else:
                shown = [self.number(value) if isinstance(value, Decimal) else value for value in note.values]
            text = text.format(**dict(zip(NOTE_VALUES[note.code], shown, strict=True)))
        return f"{note.product}{self.phrases.colon}{text}" if note.product else text

    def fact(self, evidence: Evidence) -> str:
        """One fact on one line: name, value, date, note. A drug is named once, and its date says what it dates."""
        name, value = self.name(evidence.feature), self.value(evidence)
        if evidence.substance and self.locale.substances.get(evidence.substance) == value and value in name:
            value = ""
        line = name + (f"{self.phrases.colon}{value}" if value else "")
        extra = [self._dated(evidence)] if evidence.date else []
        if evidence.notes:
            extra.append(escaped(self.notes(evidence.notes)))
        return line + self.phrases.aside.format(text=self.phrases.semicolon.join(extra)) if extra else line

    def _dated(self, evidence: Evidence) -> str:
        """The date of a fact; where the name of the fact does not say what it dates, with a word for it."""
        date = str(evidence.date)
        if evidence.feature == _AGE:
            return self.phrases.born.format(date=date)
        began = evidence.value == _PRESENT or evidence.substance or evidence.unit == _DAILY
        said = evidence.feature.endswith(_COMPOSED) or any(note.code in _DATED for note in evidence.notes)
        return self.phrases.since.format(date=date) if began and not said else date

    def listed(self, names: Iterable[str]) -> str:
        """Names of data as a list in a sentence."""
        return self.phrases.list_separator.join(dict.fromkeys(self.name(name) for name in names))


@lru_cache(maxsize=16)
def wording_in(knowledge: Knowledge, language: str, base_url: str | None = None) -> Wording:
    """The words of a language, made once. `base_url`: the public address of the service, for links to statements."""
    return Wording(knowledge, language, base_url)
