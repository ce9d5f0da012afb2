"""The knowledge with the edits of a mutant: only what changed is checked and compiled again."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from app.engine.compiler import Compiler
from app.engine.drug_file import DrugFile
from app.engine.knowledge import CompiledDisagreement, CompiledProfile, Knowledge, OrderableItem, Rule
from app.engine.limits import limits_of
from app.engine.linker import ALWAYS, NEVER, Linker
from app.engine.loader import Loaded, LoadedFile
from app.engine.locale import Locale
from app.engine.locales import LocaleFile, dose_problems, filled, limit_problems
from app.engine.schema import AdviceEntry, Disagreement, NamedCriterion, Orderable, Profile, Recommendation
from app.features import catalogue
from app.vocabulary import Language
from tests.mutation.mutant import Mutant, Path, edited

Block = tuple[str, str, str | int]
"""A block of a file: the name of the file, the section, the key or position."""
MODELS: dict[str, Any] = {
    "recommendations": Recommendation,
    "criteria": NamedCriterion,
    "advice": AdviceEntry,
    "orderables": Orderable,
    "profiles": Profile,
    "disagreements": Disagreement,
}


class Refused(Exception):
    """The files with the mutant are refused: the service would not start."""


@dataclass(frozen=True)
class Mutated:
    """The knowledge of a mutant, and what of it differs: rules (old, new), and the ids that cases can be found by."""

    knowledge: Knowledge
    rules: dict[str, tuple[Rule, Rule]]
    owners: frozenset[str]
    advice: frozenset[str]  # entries of advice that differ
    all_cases: bool  # it can reach any case: a profile, a disagreement line, or what opens an advice differs
    rendered: bool  # texts or orders differ, which the advice does not show


class Workshop:
    """Builds the knowledge once, and then that of each mutant from it."""

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded
        self.linker = Linker(loaded, catalogue())
        self.base = self.linker.build("base")
        self.files = {file.name: file for file in loaded.files}
        self.trees = {name: criterion.when for name, criterion in self.linker.criteria.items()}
        self.limits = {rule.id: limits_of(rule.criteria()) for rule in self.base.rules.values()}
        self.users: dict[str, set[Block]] = defaultdict(
            set
        )  # blocks by each named criterion that they use, indirectly too
        for file in loaded.files:
            for block, raw in _blocks(file):
                for name in self._names_below(raw):
                    self.users[name].add(block)

    def _names_below(self, tree: Any) -> set[str]:
        found: set[str] = set()
        todo = [tree]
        while todo:
            node = todo.pop()
            if isinstance(node, dict):
                todo += node.values()
            elif isinstance(node, list):
                todo += node
            elif isinstance(node, str) and node in self.trees and node not in found:
                found.add(node)
                todo.append(self.trees[node])
        return found

    def mutated(self, mutant: Mutant) -> Mutated:
        """The knowledge with the edits of a mutant. Raises Refused."""
        by_file: dict[str, list[tuple[Path, Any]]] = defaultdict(list)
        for edit in mutant.edits:
            by_file[edit.file].append((edit.path, edit.value))
        blocks: dict[Block, list[tuple[Path, Any]]] = defaultdict(list)
        others: dict[str, list[tuple[Path, Any]]] = {}
        for name, edits in by_file.items():
            if name not in self.files:
                others[name] = edits
                continue
            for path, value in edits:
                blocks[name, str(path[0]), path[1]].append((path[2:], value))
        made = self._of_blocks(blocks)
        if others:
            knowledge, owners = self._of_texts_and_drugs(made.knowledge, others)
            made = replace(made, knowledge=knowledge, owners=made.owners | owners, rendered=True)
        return made

    def _of_blocks(self, blocks: dict[Block, list[tuple[Path, Any]]]) -> Mutated:
        contents: dict[Block, Any] = {}
        try:
            for block, edits in blocks.items():
                file, section, key = block
                contents[block] = MODELS[section].model_validate(edited(self.files[file].raw[section][key], edits))
        except ValidationError as error:
            raise Refused(str(error)) from error
        linker = copy.copy(self.linker)
        linker.problems = []
        criteria = {str(block[2]): content.when for block, content in contents.items() if block[1] == "criteria"}
        affected = set(blocks)
        if criteria:
            linker.compiler = Compiler(self.linker.vocabulary, {**self.trees, **criteria})
            for name in criteria:
                affected |= self.users[name]
        made = self._compiled(linker, affected, contents)
        if linker.problems:
            raise Refused("; ".join(map(str, linker.problems[:3])))
        return made

    def _compiled(self, linker: Linker, affected: set[Block], contents: dict[Block, Any]) -> Mutated:
        base = self.base
        rules, advice = dict(base.rules), dict(base.advice)
        orderables, profiles = dict(base.orderables), dict(base.profiles)
        lines = {line.block.id: line for line in base.disagreements}
        changed: dict[str, tuple[Rule, Rule]] = {}
        owners: set[str] = set()
        entries: set[str] = set()
        anywhere = False
        for block in affected:
            name, section, key = block
            file = self.files[name]
            content = contents.get(block) or _content(file, section, key)
            if section == "criteria":
                linker.compiled(file, ("criteria", key, "when"), content.when, NEVER)
                continue
            owners.add(content.id)
            if section == "recommendations":
                rule = linker.rule(file, int(key), content)
                if rule is not None:
                    linker.problems += limit_problems(self.loaded.locales, content, limits_of(rule.criteria()))
                    changed[rule.id] = base.rules[rule.id], rule
                    rules[rule.id] = rule
            elif section == "advice":
                entries.add(content.id)
                advice[content.id] = linker.advice(file, int(key), content)
                anywhere = anywhere or content.opens_when != base.advice[content.id].block.opens_when
            elif section == "orderables":
                node = linker.compiled(file, ("orderables", key, "answered_by"), content.answered_by, NEVER)
                orderables[content.id] = OrderableItem(content, node)
            elif section == "profiles":
                node = linker.compiled(file, ("profiles", key, "lead_when"), content.lead_when, ALWAYS)
                profiles[content.id] = CompiledProfile(content, node)
                anywhere = True
            else:
                node = linker.compiled(file, ("disagreements", key, "when"), content.when, ALWAYS)
                lines[content.id] = CompiledDisagreement(content, node)
                anywhere = True
        knowledge = replace(
            base,
            rules=rules,
            advice=advice,
            orderables=orderables,
            profiles=profiles,
            disagreements=tuple(lines.values()),
        )
        rendered = any(section == "orderables" for _, section, _ in affected)
        return Mutated(knowledge, changed, frozenset(owners), frozenset(entries), anywhere, rendered)

    def _of_texts_and_drugs(
        self, base: Knowledge, others: dict[str, list[tuple[Path, Any]]]
    ) -> tuple[Knowledge, set[str]]:
        drugs = dict(base.drugs)
        locales = {language: file.content for language, file in self.loaded.locales.items()}
        files = dict(self.loaded.locales)
        owners: set[str] = set()
        for name, edits in others.items():
            drug_file = next((file for file in self.loaded.drugs if file.name == name), None)
            try:
                if drug_file is not None:
                    drug = DrugFile.model_validate(edited(drug_file.raw, edits)).drug()
                    if drug is None:
                        raise Refused(f"{name} has no drug")
                    drugs[drug.id] = drug
                    owners.add(drug.id)
                else:
                    language = next(one for one, file in files.items() if file.name == name)
                    raw: Any = edited(files[language].raw, edits)
                    locales[language] = Locale.model_validate(raw)
                    files[language] = LocaleFile(name, locales[language], files[language].raw)
                    owners |= {str(path[1]) for path, _ in edits}
            except ValidationError as error:
                raise Refused(str(error)) from error
        problems = [problem for drug in drugs.values() for problem in dose_problems(files, drug)]
        if problems:
            raise Refused(str(problems[0]))
        texts: dict[Language, Locale] = {
            language: filled(content, self.limits, drugs.values()) for language, content in locales.items()
        }
        return replace(base, drugs=drugs, locales=texts), owners


def _blocks(file: LoadedFile) -> Iterator[tuple[Block, Any]]:
    for section in MODELS:
        content = file.raw.get(section) or ()
        for key, raw in content.items() if isinstance(content, dict) else enumerate(content):
            yield (file.name, section, key), raw


def _content(file: LoadedFile, section: str, key: str | int) -> Any:
    content = getattr(file.content, section)
    return content[key]
