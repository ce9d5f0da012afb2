"""Checks the texts of all languages against the knowledge and against each other, and fills in their numbers.

A text that is missing in a language, belongs to nothing, or has a placeholder that is not filled is a problem with file
and line. What remains is one `Locale` of plain strings per language.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from difflib import get_close_matches
from string import Formatter
from typing import Any

from app.cds_hooks.feedback import OVERRIDE_REASONS
from app.engine.limits import amounts_of, numbers_in, with_numbers
from app.engine.locale import PHRASE_PLACEHOLDERS, SUMMARY_PLACEHOLDERS, VARIANT_PLACEHOLDERS, Locale
from app.engine.schema import Drug, Recommendation, Strength
from app.features.notes import NOTE_VALUES, NoteCode
from app.vocabulary import TOPICS, Language
from app.yaml_files import Place, Problem, Table, line_of

BECAUSE = "because"
Texts = dict[Place, str]
"""The texts of a file by their place: ("statements", "uppsala.dxa.low-weight", "because")."""


@dataclass(frozen=True, slots=True)
class Part:
    """The file of a source that an entry comes from."""

    name: str
    raw: Table


@dataclass(frozen=True, slots=True)
class LocaleFile:
    """One file of guidelines/locales: its checked content, and the values as written, which know their lines.

    `parts`: where an entry (section, key) comes from that stands in the folder of its source.
    """

    name: str  # path below the folder that holds guidelines/
    content: Locale
    raw: Table
    parts: Mapping[tuple[str, str], Part] = field(default_factory=dict)

    def problem(self, place: Place, message: str) -> Problem:
        """A problem at a place; one with a text that is missing is shown in the file that has its neighbours."""
        part = self._part(place) if len(place) > 1 else None
        if part is not None:
            return Problem(part.name, line_of(part.raw, place), message)
        return Problem(self.name, line_of(self.raw, place), message)

    def with_content(self, content: Locale) -> LocaleFile:
        """The file with other texts."""
        return replace(self, content=content)

    def _part(self, place: Place) -> Part | None:
        section, key = str(place[0]), str(place[1])
        if (section, key) in self.parts or key in self.raw.get(section, {}):
            return self.parts.get((section, key))
        source = key.partition(".")[0]
        return next((part for (_, other), part in self.parts.items() if other.partition(".")[0] == source), None)


@dataclass
class Wanted:
    """What the knowledge needs texts for."""

    sources: Mapping[str, Collection[str]] = field(default_factory=dict)  # with the keys of their headings
    profiles: Collection[str] = ()
    statements: Collection[str] = ()  # ids of all recommendations: each may have texts
    cited: Collection[str] = ()  # those that a card can cite: these must have a statement
    advice: Collection[str] = ()
    remarks: Collection[str] = ()
    drugs: Mapping[str, Collection[str]] = field(default_factory=dict)  # with the keys of their orders
    orderables: Collection[str] = ()

    def closed(self) -> Iterator[tuple[Place, Collection[str], bool]]:
        """Each section with a closed list of keys, and whether all of them must be there."""
        yield ("topics",), TOPICS, True
        yield ("strengths",), [strength for strength in Strength if strength is not Strength.FACT], True
        yield ("override_reasons",), [reason.code for reason in OVERRIDE_REASONS], True
        yield ("notes",), list(NoteCode), True
        yield ("sources",), self.sources, True
        for source, headings in self.sources.items():
            yield ("sources", source, "headings"), headings, False
        yield ("profiles",), self.profiles, True
        yield ("statements",), self.statements, False
        yield ("advice",), self.advice, True
        yield ("remarks",), self.remarks, True
        yield ("gate_reasons",), self.remarks, False
        yield ("drugs",), self.drugs, True
        for drug, orders in self.drugs.items():
            yield ("drugs", drug, "orders"), orders, True
        yield ("orderables",), self.orderables, True


def locale_problems(files: Mapping[Language, LocaleFile], wanted: Wanted) -> list[Problem]:
    """Everything that is wrong with the files together."""
    problems: list[Problem] = []
    texts = {language: dict(_texts(file.raw)) for language, file in files.items()}
    everywhere = dict.fromkeys(place for of_one in texts.values() for place in of_one)
    for language, file in files.items():
        check = _FileCheck(file, texts[language], problems)
        if file.content.language != language:
            check.problem(("language",), f"language is {language}, as the name of the file says")
        for section, keys, required in wanted.closed():
            check.keys(section, keys, required=required)
        for rule_id in wanted.cited:
            check.there(("statements", rule_id, "statement"), "a card can cite it")
        for place in everywhere:
            check.there(place, "another language has one")
        for place, text in texts[language].items():
            check.placeholders(place, text, texts[Language.EN].get(place, text))
    return problems


def _texts(node: object, place: Place = ()) -> Iterator[tuple[Place, str]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _texts(value, (*place, key))
    elif isinstance(node, str):
        yield place, node


class _FileCheck:
    """Collects the problems of one file."""

    def __init__(self, file: LocaleFile, texts: Texts, problems: list[Problem]) -> None:
        self._file = file
        self._texts = texts
        self._problems = problems

    def problem(self, place: Place, message: str) -> None:
        """Note a problem at a place of the file."""
        self._problems.append(self._file.problem(place, message))

    def keys(self, section: Place, keys: Collection[str], *, required: bool) -> None:
        """The keys of a section: none without a use, and all of `keys` where they are required."""
        node: Any = self._file.raw
        for step in section:
            node = node.get(step, {}) if isinstance(node, Mapping) else {}
        for key in node:
            if key not in keys:
                self.problem((*section, key), f"{_told(section)}: unknown key {key!r}{_hint(key, keys)}")
        if required:
            for key in keys:
                if key not in node:
                    self.problem(section, f"no text for {_told((*section, key))}")

    def there(self, place: Place, why: str) -> None:
        """A text is required here and must not be empty."""
        if not self._texts.get(place):
            self.problem(place, f"no text for {_told(place)}: {why}")

    def placeholders(self, place: Place, text: str, english: str) -> None:
        """The placeholders are those that are filled, and those of the English text."""
        try:
            found = placeholders_of(text)
            expected = placeholders_of(english)
        except ValueError as error:
            self.problem(place, f"{_told(place)}: braces hold a placeholder: {error}")
            return
        allowed = _allowed(place)
        if allowed is not None:
            for name in sorted(found - allowed):
                self.problem(place, f"{_told(place)}: unknown placeholder {{{name}}}{_hint(name, allowed)}")
        required = allowed if place[0] in {"phrases", "composed_names", "notes"} and allowed is not None else expected
        for name in sorted(required - found):
            self.problem(place, f"{_told(place)}: the placeholder {{{name}}} is missing")
        for name in sorted(found - expected) if allowed is None or found <= allowed else ():
            self.problem(place, f"{_told(place)}: the placeholder {{{name}}} does not stand in the English text")


_NOTE_VALUES: Mapping[str, tuple[str, ...]] = {str(code): names for code, names in NOTE_VALUES.items()}


def _allowed(place: Place) -> frozenset[str] | None:
    """The placeholders of a text; None where another check knows them (limits)."""
    match place:
        case ("phrases", key):
            return PHRASE_PLACEHOLDERS.get(str(key), frozenset())
        case ("advice", _, "summary"):
            return SUMMARY_PLACEHOLDERS
        case ("advice", _, "variants", _, "summary"):
            return VARIANT_PLACEHOLDERS
        case ("drugs", _, "orders", _, "text"):
            return frozenset({"dose", "dose_high", "period"})
        case ("composed_names", _):
            return frozenset({"name"})
        case ("notes", key):
            return frozenset(_NOTE_VALUES.get(str(key), ()))
        case ("statements", *_):
            return None
    return frozenset()


def placeholders_of(text: str) -> frozenset[str]:
    """The names in braces. Raises ValueError where a brace stands for itself, or a placeholder has a format."""
    names = set()
    for _, name, form, conversion in Formatter().parse(text):
        if name is None:
            continue
        if not name or form or conversion:
            raise ValueError(f"{{{name}}} is not a name")
        names.add(name)
    return frozenset(names)


def _told(place: Place) -> str:
    return ".".join(map(str, place))


def _hint(name: str, names: Collection[str]) -> str:
    close = get_close_matches(name, [str(one) for one in names], n=1, cutoff=0.4)
    return f", did you mean {close[0]}?" if close else ""


def limit_problems(
    files: Mapping[Language, LocaleFile], rule: Recommendation, limits: Mapping[str, Decimal]
) -> Iterator[Problem]:
    """The numbers of a recommendation's texts: each is a limit by its placeholder, quoted, or accounted for.

    `limits`: the placeholders of its criteria. A limit that is written as a number could differ from the criterion.
    """
    quoted = {abs(number) for quote in rule.source.quote for number in numbers_in(quote)}
    quoted -= {abs(limit) for limit in limits.values()}
    accounted = quoted | {abs(Decimal(number)) for number in rule.figures}
    for file in files.values():
        texts = file.content.statements.get(rule.id)
        for part, text in texts.model_dump().items() if texts else ():
            place: Place = ("statements", rule.id, part)
            unknown = sorted(_names(text) - limits.keys())
            messages = [f"{{{name}}} is no limit of its criteria{_hint(name, limits)}" for name in unknown]
            for number in numbers_in(text):
                if abs(number) not in accounted:
                    placeholder = next((name for name, limit in limits.items() if limit == number), "")
                    hint = f"write {{{placeholder}}}" if placeholder else f"its limits are {_listed(limits)}"
                    messages.append(f"{number} stands neither in the quotation nor under figures: {hint}")
            for message in messages:
                yield file.problem(place, f"{_told(place)}: {message}")


def dose_problems(files: Mapping[Language, LocaleFile], drug: Drug) -> Iterator[Problem]:
    """The texts of a drug's orders name the dose, and by the placeholders of the order only."""
    for source, order in drug.orders.items():
        amounts = amounts_of(order)
        doses = {name: amount for name, amount in amounts.items() if name != "period"}
        for file in files.values():
            texts = file.content.drugs.get(drug.id)
            text = texts.orders[source].text if texts and source in texts.orders else None
            if text is None:  # `locale_problems` has said so
                continue
            place: Place = ("drugs", drug.id, "orders", source, "text")
            names = _names(text)
            messages = [f"the placeholder {{{name}}} is missing" for name in doses if name not in names]
            messages += [f"the order has no {{{name}}}" for name in sorted(names - amounts.keys())]
            for message in messages:
                yield file.problem(place, f"{_told(place)}: {message}")


def _names(text: str) -> frozenset[str]:
    try:
        return placeholders_of(text)
    except ValueError:  # `locale_problems` has said so
        return frozenset()


def _listed(limits: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{{{name}}} = {limit}" for name, limit in limits.items()) or "none"


def filled(
    locale: Locale,
    limits: Mapping[str, Mapping[str, Decimal]],
    local_limits: Mapping[str, Mapping[str, Decimal]],
    drugs: Iterable[Drug],
) -> Locale:
    """The locale with its numbers filled in. `limits`: placeholders of a statement by recommendation id.

    What the source says has the limits of the source; the reason for a card has those that decided, which a hospital
    can have changed (`local_limits`).
    """
    mark = locale.decimal_mark
    statements = dict(locale.statements)
    for rule_id, texts in locale.statements.items():
        changed = {
            part: with_numbers(text, (local_limits if part == BECAUSE else limits)[rule_id], mark)
            for part, text in texts.model_dump().items()
            if "{" in text
        }
        if changed:
            statements[rule_id] = texts.model_copy(update=changed)
    named = dict(locale.drugs)
    for drug in drugs:
        doses = {
            source: order.model_copy(update={"text": with_numbers(order.text, amounts_of(drug.orders[source]), mark)})
            for source, order in named[drug.id].orders.items()
        }
        named[drug.id] = named[drug.id].model_copy(update={"orders": doses})
    return locale.model_copy(update={"statements": statements, "drugs": named})
