"""The texts of a source that stand in its own folder (SOURCE/locales/LANGUAGE.yaml), added to those that ship.

A guideline of a hospital need not speak all languages: where a language has no text, the English one stands, else the
first that there is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from app.engine.locale import AdviceTexts, OrderableTexts, SourceTexts, StatementTexts
from app.engine.locales import LocaleFile, Part
from app.engine.schema import Block
from app.vocabulary import Language
from app.yaml_files import Problem, Table, line_of


class OwnTexts(Block):
    """A file of SOURCE/locales: the sections of guidelines/locales to which a source adds."""

    language: Language
    names: dict[str, str] = {}
    sources: dict[str, SourceTexts] = {}
    profiles: dict[str, str] = {}
    statements: dict[str, StatementTexts] = {}
    advice: dict[str, AdviceTexts] = {}
    remarks: dict[str, str] = {}
    gate_reasons: dict[str, str] = {}
    orderables: dict[str, OrderableTexts] = {}


SECTIONS = tuple(name for name in OwnTexts.model_fields if name != "language")


@dataclass(frozen=True, slots=True)
class OwnTextFile:
    """One file of SOURCE/locales."""

    name: str
    content: OwnTexts
    raw: Table


def with_own_texts(
    shipped: Mapping[Language, LocaleFile], own: list[OwnTextFile]
) -> tuple[dict[Language, LocaleFile], list[Problem]]:
    """The locale files with the texts of the sources added, and what is wrong with these."""
    english = shipped.get(Language.EN)
    problems = list(_taken(english, own)) if english is not None else []
    if problems or not own:
        return dict(shipped), problems
    return {language: _merged(file, own, language) for language, file in shipped.items()}, []


def _taken(english: LocaleFile, own: list[OwnTextFile]) -> Iterator[Problem]:
    """Texts that ship, or that another file has: they cannot be changed here."""
    seen: dict[tuple[Language, str, str], str] = {}
    for file in own:
        for section in SECTIONS:
            for key in getattr(file.content, section):
                place = (file.content.language, section, key)
                other = english.name if key in getattr(english.content, section) else seen.get(place)
                if other is not None:
                    yield Problem(
                        file.name, line_of(file.raw, (section, key)), f"{section}.{key} is already in {other}"
                    )
                seen[place] = file.name


def _merged(file: LocaleFile, own: list[OwnTextFile], language: Language) -> LocaleFile:
    """The locale file of one language; a text of another language stands in for one that is missing."""
    ordered = sorted(own, key=lambda one: (one.content.language != language, one.content.language != Language.EN))
    raw, parts = _copied(file.raw), dict(file.parts)
    sections = {}
    for section in SECTIONS:
        content = dict(getattr(file.content, section))
        table = _copied(file.raw[section])
        for one in ordered:
            for key, texts in getattr(one.content, section).items():
                if key not in content:
                    content[key] = texts
                    table[key] = one.raw[section][key]
                    table.lines.append(1)
                    parts[section, key] = Part(one.name, one.raw)
        raw[section], sections[section] = table, content
    return replace(file, content=file.content.model_copy(update=sections), raw=raw, parts=parts)


def _copied(table: Table) -> Table:
    copy = Table(table.line)
    copy.update(table)
    copy.lines = list(table.lines)
    return copy
