"""The judgement of mutants of the code tables, each in a process of its own, forked from the warm one.

The tables are read once per process and much is remembered of them, so a mutant is made in a child: the parsed tables
are changed, everything that was remembered of them is forgotten, and what can tell is asked.
"""

from __future__ import annotations

import functools
import gc
import json
import os
import pickle
from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from app.cases.builder import Builder
from app.cases.expectations import unmet
from app.features import evaluation
from app.pipeline import OsteonPipeline
from app.terminology import code_sets, code_tables, word_lists
from app.terminology.code_sets import concept_file, drug_files, terminology
from app.yaml_files import FilesError
from tests.clinical.cases import TODAY
from tests.clinical.outline import outline_of
from tests.facts import codes
from tests.mutation.bench import Bench, Situation
from tests.mutation.concepts import TABLES
from tests.mutation.mutant import DROP, Mutant, at

KEPT = {"concept_file", "drug_files", "listed_codes", "catalogue", "load_knowledge"}
WORDS = "concepts/words"
MEDICATION_CODES = frozenset(
    code for group, system, code in codes.expected() if (group, system) == ("medication", "atc")
)
MOST_CASES = 60
"""Cases that are asked about one mutant; those come first that hold its code."""
Fact = Callable[[], Iterable[str]]
"""A table of independent facts: what is wrong with the tables, a line each."""


class TableBench:
    """The cases by the texts of their requests, for mutants of the tables."""

    def __init__(self, bench: Bench, facts: Iterable[Fact] = (), *, outlines: bool) -> None:
        self.bench, self.facts, self.outlines = bench, tuple(facts), outlines
        self.pipeline = OsteonPipeline(
            bench.workshop.base, bench.pipeline.advisor, bench.settings, bench.feature_settings
        )
        self.texts = [(one, json.dumps(Builder(one.case, TODAY).request())) for one in bench.situations]

    def killed_by(self, mutant: Mutant) -> str | None:
        """What fails with a mutant: a fact, a case, or the start ("refused: ..."); None where it survives."""
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.close(read)
                answer: str | None
                try:
                    answer = self._judged(mutant)
                except BaseException as error:  # noqa: BLE001  # whatever the child ends by is handed to the parent
                    answer = f"error: {type(error).__name__}: {error}"
                with os.fdopen(write, "wb") as out:
                    pickle.dump(answer, out)
            finally:
                os._exit(0)
        os.close(write)
        with os.fdopen(read, "rb") as result:
            found: str | None = pickle.load(result)  # of our own child
        os.waitpid(child, 0)
        return found

    def _judged(self, mutant: Mutant) -> str | None:
        for edit in mutant.edits:
            _edit(edit.file, edit.path, edit.value)
        forget(words=any(edit.file.startswith(WORDS) for edit in mutant.edits))
        try:
            terminology()
            word_lists.load_lexicons()
            failures = (f"fact: {line}" for fact in self.facts for line in fact())
            found = next(failures, None) or self._wrong_code(mutant)
        except FilesError as error:
            return f"refused: {error}"
        return found or self._failing_case(mutant)

    def _wrong_code(self, mutant: Mutant) -> str | None:
        """A code of the mutant that reaches something else. What changes no code asks the codes of ATC."""
        words = mutant.words or (MEDICATION_CODES if mutant.kind == "drug class" else frozenset())
        if not (self.outlines and words):
            return None
        below = {spelled for word in words for spelled in codes.spelled(f"{word}*")}
        return next((f"fact: {line}" for line in codes.wrong_codes(below)), None)

    def _failing_case(self, mutant: Mutant) -> str | None:
        for one in self._candidates(mutant):
            body = self.pipeline.answer(one.request, today=TODAY).to_json()
            failures = unmet(one.case["expect"], body)
            if failures:
                return f"{one.file}:{one.id}: {failures[0]}"
            if self.outlines and outline_of(body) != one.outline:
                return f"{one.file}:{one.id}: outline"
        return None

    def _candidates(self, mutant: Mutant) -> list[Situation]:
        if not mutant.words:
            return [one for one, _ in self.texts[:: max(1, len(self.texts) // MOST_CASES)]]
        words = [f'"{word}' for word in mutant.words]
        return [one for one, text in self.texts if any(word in text for word in words)][:MOST_CASES]


def _edit(file: str, path: tuple[str | int, ...], value: Any) -> None:
    if file == TABLES:
        rows = list(code_tables.listed_codes())
        number = int(path[0])
        rows[number : number + 1] = [] if value is DROP else [replace(rows[number], **{str(path[1]): value})]
        made = tuple(rows)
        for module in (code_tables, code_sets):
            setattr(module, "listed_codes", lambda: made)  # noqa: B010  # mypy does not know it in the second
        return
    tree: Any = drug_files()[file] if file.startswith("drugs/") else concept_file(file)
    parent = at(tree, path[:-1])
    if isinstance(value, dict) and isinstance(parent.get(path[-1]), dict):
        parent[path[-1]].update(value)
    elif value is DROP:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value


def forget(*, words: bool) -> None:
    """Forget what was remembered of the tables in this process. `words`: of the word lists, too, which take longest."""
    kept = KEPT if words else KEPT | {"lexicon"}
    gc.unfreeze()  # a service that was started in this process has frozen what it loaded: it would not be listed
    for one in gc.get_objects():
        if isinstance(one, functools._lru_cache_wrapper) and _is_ours(one) and one.__name__ not in kept:
            one.cache_clear()
    evaluation._UNTOUCHED._sets.clear()


def _is_ours(function: Any) -> bool:
    return (function.__module__ or "").startswith("app.")
