"""The word lists of `guidelines/concepts/words` and the names of drugs, as tries by kind of record.

Looking a text up takes time in proportion to its length: each place of it is tried once against the trie, whose depth
is the length of the longest name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Any

from msgspec import Struct

from app.terminology.code_sets import concept_file, drug_files, terminology, wrong
from app.terminology.word_notation import MAX_ENDING, names_of
from app.yaml_files import Place

_NOTHING, _MEANING = "concepts/words/changes-nothing", "concepts/words/changes-the-meaning"
_SHORTEST_STEM = 7


class TextKind(StrEnum):
    """Which names a text is searched for."""

    OBSERVATION = "observations"
    CONDITION = "conditions"
    MEDICATION = "medications"
    PROCEDURE = "procedures"
    ALLERGY = "allergies"


class Sense(StrEnum):
    """How a text qualifies the names in it, the most decisive first."""

    OTHER = "other"  # something else than the name in it: risk, screening, an artery
    DENIED = "denied"
    FAMILY = "family"
    PLANNED = "planned"
    SUSPECTED = "suspected"
    PAST = "past"
    AFFIRMED = "affirmed"


class Entry(Struct, frozen=True):
    """What a word or name means: a concept, a part of a combination, a sense; nothing of these: it changes nothing."""

    concept: str | None = None
    part: str | None = None
    sense: Sense | None = None


class Combination(Struct, frozen=True):
    """Parts that mean concepts together."""

    parts: frozenset[str]
    concepts: frozenset[str]


class _Node:
    __slots__ = ("endings", "entries", "lengths", "next")

    def __init__(self) -> None:
        self.next: dict[str, _Node] = {}
        self.endings: dict[str, _Node] = {}  # words that can have an ending, by their beginning
        self.lengths: tuple[int, ...] = ()
        self.entries: tuple[Entry, ...] = ()


class Lexicon:
    """The names and words of one kind of record."""

    __slots__ = ("_root", "_stems", "combinations")

    def __init__(self, combinations: Iterable[Combination]) -> None:
        self._root = _Node()
        # the richest first: what a combination covers is not said again by a part of it
        self.combinations = tuple(sorted(combinations, key=lambda c: (-len(c.parts), sorted(c.parts))))
        self._stems: dict[str, set[str]] = {}

    def add(self, name: Sequence[str], entry: Entry) -> None:
        """Add a name, given as its words."""
        node = self._root
        for word in name:
            if word.endswith("*"):
                start = word[:-1]
                node = node.endings.setdefault(start, _Node()) if start not in node.endings else node.endings[start]
            else:
                node = node.next.setdefault(word, _Node())
        if entry not in node.entries:
            node.entries = (*node.entries, entry)
        if entry.concept is not None and len(name) == 1 and len(name[0].rstrip("*")) >= _SHORTEST_STEM:
            self._stems.setdefault(name[0].rstrip("*"), set()).add(entry.concept)

    def close(self) -> None:
        """Finish after the last name."""
        todo = [self._root]
        while todo:
            node = todo.pop()
            node.lengths = tuple(sorted({len(start) for start in node.endings}, reverse=True))
            todo += [*node.next.values(), *node.endings.values()]

    def longest(self, words: Sequence[str], start: int) -> tuple[int, tuple[Entry, ...]]:
        """How many words from `start` on are the longest name or word of the lists, and what it means; 0: none."""
        best = 0
        entries: tuple[Entry, ...] = ()
        open_ends = [(self._root, start)]
        while open_ends:
            node, place = open_ends.pop()
            if node.entries and place - start > best:
                best, entries = place - start, node.entries
            if place == len(words):
                continue
            word = words[place]
            exact = node.next.get(word)
            if exact is not None:
                open_ends.append((exact, place + 1))
            for length in node.lengths:
                if 0 <= len(word) - length <= MAX_ENDING and (found := node.endings.get(word[:length])) is not None:
                    open_ends.append((found, place + 1))
                    break
        return best, entries

    def begun_by(self, word: str) -> frozenset[str]:
        """The concepts whose name a longer word begins with: a compound that is in no list."""
        return frozenset().union(
            *(
                self._stems[word[:length]]
                for length in range(_SHORTEST_STEM, len(word) + 1)
                if word[:length] in self._stems
            )
        )


def load_lexicons() -> None:
    """Read all word lists, so that a mistake stops the start and no call waits for them. Raises FilesError."""
    for kind in TextKind:
        lexicon(kind)


@cache
def lexicon(kind: TextKind) -> Lexicon:
    """The words of a kind of record. Raises FilesError for a mistake in the lists."""
    made = Lexicon(_combinations(kind))
    known = {*terminology().groups, *terminology().findings, *terminology().drugs.products}
    for concept, notation, file, place in _names(kind):
        if concept not in known:
            raise wrong(file, place, f"unknown concept {concept!r}")
        _add(made, notation, Entry(concept=concept), file, place)
    if kind is TextKind.CONDITION:
        file = "concepts/words/conditions"
        for part, notations in concept_file(file)["parts"].items():
            for index, notation in enumerate(notations):
                _add(made, str(notation), Entry(part=part), file, ("parts", part, index))
    for section in _sections(kind):
        _add_languages(made, _NOTHING, (section,), Entry())
        for sense in concept_file(_MEANING).get(section, {}):
            _add_languages(made, _MEANING, (section, sense), Entry(sense=Sense(sense)))
    made.close()
    return made


def _sections(kind: TextKind) -> tuple[str, ...]:
    own = (kind.value, TextKind.MEDICATION.value) if kind is TextKind.ALLERGY else (kind.value,)
    return ("all", *own)


def _names(kind: TextKind) -> Iterator[tuple[str, str, str, Place]]:
    """Concept, notation, file and place of each name of a kind; those of drugs are in the drug files."""
    if kind in {TextKind.MEDICATION, TextKind.ALLERGY}:
        for file, drug in drug_files().items():
            for product, entry in drug["products"].items():
                for index, notation in enumerate(entry.get("names", ())):
                    yield product, str(notation), file, ("products", product, "names", index)
        return
    file = f"concepts/words/{kind.value}"
    for concept, notations in concept_file(file)["names"].items():
        for index, notation in enumerate(notations):
            yield concept, str(notation), file, ("names", concept, index)


def _add_languages(made: Lexicon, file: str, way: Place, entry: Entry) -> None:
    table: Any = concept_file(file)
    for step in way:
        table = table.get(step, {})
    for language, notations in table.items():
        for index, notation in enumerate(notations):
            _add(made, str(notation), entry, file, (*way, language, index))


def _add(made: Lexicon, notation: str, entry: Entry, file: str, place: Place) -> None:
    try:
        names = names_of(notation)
    except ValueError as error:
        raise wrong(file, place, str(error)) from error
    for name in names:
        made.add(name, entry)


def _combinations(kind: TextKind) -> tuple[Combination, ...]:
    """What names and parts mean together."""
    if kind not in {TextKind.CONDITION, TextKind.MEDICATION}:
        return ()
    table: Mapping[str, Any] = concept_file(f"concepts/words/{kind.value}")
    return tuple(Combination(frozenset(row["parts"]), frozenset(row["means"])) for row in table["combine"])
