"""Links the guideline files: compiles them, resolves every reference, and builds the knowledge once at start-up.

Problems are collected instead of stopping at the first; each has its file, its line and the name that was meant.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from app.engine.compiler import Compiler, CriterionError, Vocabulary
from app.engine.criteria import Constant, Limit, Node
from app.engine.knowledge import (
    AdviceKind,
    CompiledDisagreement,
    CompiledGate,
    CompiledProfile,
    CompiledUnless,
    Knowledge,
    OrderableItem,
    Rule,
)
from app.engine.limits import limits_of
from app.engine.loader import GuidelineError, Loaded, LoadedFile, default_folder, load
from app.engine.local import Local
from app.engine.locales import Wanted, dose_problems, filled, limit_problems, locale_problems
from app.engine.overlay import apply_overlay
from app.engine.references import did_you_mean, reference_problems
from app.engine.reviews import with_reviews
from app.engine.schema import AdviceEntry, Recommendation, Use
from app.engine.tightening import loosened_limits
from app.features import catalogue
from app.vocabulary import TOPICS, Language
from app.yaml_files import Problem

ALWAYS: Node = Constant(True)
NEVER: Node = Constant(False)


def names_of_drugs(loaded: Loaded) -> tuple[str, ...]:
    """Every name that can be among the drugs of a course: classes, drugs by their own name, products."""
    names = dict.fromkeys(loaded.classes.content.classes if loaded.classes else ())
    for file in loaded.drugs:
        names |= dict.fromkeys([*([file.content.course] if file.content.course else []), *file.content.products])
    return tuple(names)


def _changed(nodes: Iterable[Node]) -> tuple[Limit, ...]:
    """The limits below some criteria that the hospital has changed, each once."""
    leaves = (leaf for node in nodes for leaf in node.leaves())
    return tuple(dict.fromkeys(leaf for leaf in leaves if isinstance(leaf, Limit) and leaf.local is not None))


class Linker:
    """Checks the files against each other while compiling them; collects problems instead of stopping at the first."""

    def __init__(self, loaded: Loaded, vocabulary: Vocabulary) -> None:
        self.loaded = loaded
        self.problems: list[Problem] = []
        self.criteria = {n: c for file in loaded.files for n, c in file.content.criteria.items()}
        self.compiler = Compiler(vocabulary, {name: c.when for name, c in self.criteria.items()})
        self.vocabulary = vocabulary
        self.advice_ids = [a.id for file in loaded.files for a in file.content.advice]
        self.orderable_ids = [o.id for file in loaded.files for o in file.content.orderables]
        self.drugs = {drug.id: drug for file in loaded.drugs if (drug := file.content.drug()) is not None}
        self.drug_ids = list(self.drugs)
        self.drug_names = names_of_drugs(loaded)
        self.rule_ids = [r.id for file in loaded.files for r in file.content.recommendations]

    def problem(self, file: LoadedFile, path: tuple[str | int, ...], message: str) -> None:
        """Note a problem at a place of a file."""
        self.problems.append(Problem(file.name, file.line_of(*path), message))

    def compiled(self, file: LoadedFile, path: tuple[str | int, ...], tree: object, default: Node) -> Node:
        """The node of a criterion; `default` where none is written."""
        if tree is None:
            return default
        try:
            return self.compiler.compile(tree)
        except CriterionError as error:
            self.problem(file, (*path, *error.path), str(error))
            return default

    def known(self, file: LoadedFile, path: tuple[str | int, ...], what: str, name: str, names: Iterable[str]) -> None:
        """Note a name that is not in a list, with the closest one that is."""
        candidates = list(names)
        if name not in candidates:
            self.problem(file, path, f"unknown {what} {name!r}{did_you_mean(name, candidates)}")

    def features(self, file: LoadedFile, path: tuple[str | int, ...], names: Iterable[str]) -> None:
        """Note names that are no features."""
        for name in names:
            try:
                self.vocabulary.spec(name)
            except LookupError as error:
                self.problem(file, path, str(error.args[0]) if error.args else f"unknown feature {name}")

    def rule(self, file: LoadedFile, index: int, block: Recommendation) -> Rule | None:
        """One recommendation."""
        here: tuple[str | int, ...] = ("recommendations", index)
        source = self.loaded.sources.get(file.folder)
        if source is None:
            self.problem(file, here, f"no source.yaml for {file.folder or 'this folder'}")
            return None
        if not block.id.startswith(f"{source.id}."):
            self.problem(file, (*here, "id"), f"ids of this folder begin with {source.id}.")
        self._names(file, here, block)
        if block.use in {Use.LOGIC, Use.TEXT, Use.NONE} and not block.reason:
            self.problem(file, here, f"{block.id} is not cited and needs a reason (where it is used, or why not)")
        when = self.compiled(file, (*here, "when"), block.when, ALWAYS)
        rule = Rule(
            block=block,
            source=source,
            when=when,
            unless=tuple(
                CompiledUnless(self.compiled(file, (*here, "unless", i, "when"), u.when, NEVER), u.unknown)
                for i, u in enumerate(block.unless)
            ),
            rides_when=self.compiled(file, (*here, "rides_when"), block.rides_when, when),
            opens=self.compiled(file, (*here, "option", "opens"), block.option.opens if block.option else None, NEVER),
            indicator_when=self.compiled(file, (*here, "indicator_when"), block.indicator_when, ALWAYS),
            local_limits=(),
            ask_when=self.compiled(file, (*here, "ask_when"), block.ask_when, ALWAYS),
            may_ask=bool(block.asks_for) or any(u.unknown == "withhold" for u in block.unless),
            file=file.name,
            line=file.line_of(*here),
        )
        changed = _changed(rule.criteria())
        return replace(rule, local_limits=changed) if changed else rule

    def _names(self, file: LoadedFile, here: tuple[str | int, ...], block: Recommendation) -> None:
        for key in ("ask", "block", "asks_for"):
            self.features(file, (*here, key), getattr(block, key))
        if block.advise:
            self.known(file, (*here, "advise"), "advice", block.advise, self.advice_ids)
        for name in block.rides_on:
            self.known(file, (*here, "rides_on"), "advice", name, self.advice_ids)
        for name in block.tests:
            self.known(file, (*here, "tests"), "orderable", name, self.orderable_ids)
        if block.topic:
            self.known(file, (*here, "topic"), "topic", block.topic, TOPICS)
        if block.option:
            self.known(file, (*here, "option", "drug"), "drug", block.option.drug, self.drug_ids)
            self.features(file, (*here, "option", "must_know"), block.option.must_know)
        self.features(file, (*here, "at_renewal_of"), [f"takes.{drug}" for drug in block.at_renewal_of])
        if block.drug_rule:
            self.features(file, (*here, "drug_rule", "must_know"), block.drug_rule.must_know)
            for name in block.drug_rule.drugs:
                self.known(file, (*here, "drug_rule", "drugs"), "drug or class", name, self.drug_names)

    def advice(self, file: LoadedFile, index: int, block: AdviceEntry) -> AdviceKind:
        """One advice entry."""
        here: tuple[str | int, ...] = ("advice", index)
        self.known(file, (*here, "topic"), "topic", block.topic, TOPICS)
        for name in block.suggests:
            if name != "tests":
                self.known(file, (*here, "suggests"), "orderable", name, [*self.orderable_ids, *self.drug_ids])
        self.features(file, (*here, "shows"), block.shows)
        for name in [*block.withheld_by, *block.never_beside, *([block.joins] if block.joins else [])]:
            self.known(file, here, "advice", name, self.advice_ids)
        if block.replaces:
            self.known(file, (*here, "replaces"), "drug or class", block.replaces, self.drug_names)
        gates = []
        for i, gate in enumerate(block.gates):
            place = (*here, "gates", i)
            if gate.by or gate.effect == "replace":
                self.known(file, place, "advice", gate.by, self.advice_ids)
            for name in gate.cites:
                self.known(file, place, "recommendation", name, self.rule_ids)
            if gate.effect in {"no-suggestion", "caution"} and not gate.remark:
                self.problem(file, place, f"a gate with effect {gate.effect} needs a remark: the card says it first")
            gates.append(CompiledGate(gate, self.compiled(file, (*place, "when"), gate.when, NEVER)))
        self.features(file, (*here, "names_missing"), block.names_missing)
        if (block.opens_when is None) is not (block.decision is None):
            self.problem(file, here, "opens_when and decision belong together: docs/decisions.md has the number")
        opens = self.compiled(file, (*here, "opens_when"), block.opens_when, NEVER)
        return AdviceKind(block, tuple(gates), opens, _changed((opens, *(gate.node for gate in gates))))

    def wanted(self) -> Wanted:
        """What the files need texts for."""
        contents = [file.content for file in self.loaded.files]
        rules = [rule for content in contents for rule in content.recommendations]
        gates = [gate for content in contents for entry in content.advice for gate in entry.gates]
        return Wanted(
            sources={name: set(source.headings.values()) for name, source in self.loaded.sources.items()},
            profiles=[profile.id for content in contents for profile in content.profiles],
            statements={rule.id for rule in rules},
            cited=[rule.id for rule in rules if rule.use in {Use.CARD, Use.RIDES}],
            advice=self.advice_ids,
            remarks={
                *(gate.remark for gate in gates if gate.remark),
                *(r.drug_rule.malignancy_remark for r in rules if r.drug_rule and r.drug_rule.malignancy_remark),
                *(line.id for content in contents for line in content.disagreements),
            },
            drugs={drug.id: list(drug.orders) for drug in self.drugs.values()},
            orderables=self.orderable_ids,
        )

    def build(self, version: str, local: Local | None = None) -> Knowledge:
        """The compiled knowledge; `local`: what the overlay has chosen. Raises GuidelineError."""
        rules: dict[str, Rule] = {}
        advice: dict[str, AdviceKind] = {}
        orderables: dict[str, OrderableItem] = {}
        profiles: dict[str, CompiledProfile] = {}
        disagreements: list[CompiledDisagreement] = []
        derived: dict[str, str] = {}
        for file in self.loaded.files:
            for name, criterion in file.content.criteria.items():
                self.compiled(file, ("criteria", name, "when"), criterion.when, NEVER)
            for i, block in enumerate(file.content.recommendations):
                rule = self.rule(file, i, block)
                if rule:
                    rules[block.id] = rule
            for i, entry in enumerate(file.content.advice):
                advice[entry.id] = self.advice(file, i, entry)
            for i, orderable in enumerate(file.content.orderables):
                place = ("orderables", i, "answered_by")
                orderables[orderable.id] = OrderableItem(
                    orderable, self.compiled(file, place, orderable.answered_by, NEVER)
                )
            for i, profile in enumerate(file.content.profiles):
                for key in ("leads", "fills"):
                    for name in getattr(profile, key):
                        self.known(file, ("profiles", i, key), "source", name, self.loaded.sources)
                node = self.compiled(file, ("profiles", i, "lead_when"), profile.lead_when, ALWAYS)
                profiles[profile.id] = CompiledProfile(profile, node)
            for i, line in enumerate(file.content.disagreements):
                for name in [*line.after, *line.source]:
                    self.known(file, ("disagreements", i), "recommendation", name, self.rule_ids)
                for name in line.advice:
                    self.known(file, ("disagreements", i, "advice"), "advice", name, self.advice_ids)
                node = self.compiled(file, ("disagreements", i, "when"), line.when, ALWAYS)
                disagreements.append(CompiledDisagreement(line, node))
            derived |= file.content.derived
        english = self.loaded.locales[Language.EN].content
        self.problems += reference_problems(self.loaded, catalogue(), english.names)
        self.problems += locale_problems(self.loaded.locales, self.wanted())
        limits = {rule.id: limits_of(rule.criteria()) for rule in rules.values()}
        local_limits = {rule.id: limits_of(rule.criteria(), of_hospital=True) for rule in rules.values()}
        self.problems += loosened_limits(rules.values(), advice.values())
        for drug in self.drugs.values():
            self.problems += dose_problems(self.loaded.locales, drug)
        for rule_id, rule in rules.items():
            self.problems += limit_problems(self.loaded.locales, rule.block, limits[rule_id])
        if self.problems:
            raise GuidelineError(self.problems)
        return Knowledge(
            version=version,
            sources=self.loaded.sources,
            rules=rules,
            criteria=self.criteria,
            advice=advice,
            orderables=orderables,
            drugs=self.drugs,
            profiles=profiles,
            disagreements=tuple(disagreements),
            locales={
                language: filled(file.content, limits, local_limits, self.drugs.values())
                for language, file in self.loaded.locales.items()
            },
            derived=derived,
            local=local or Local(),
        )


def version_of(root: Path) -> str:
    """A short hash over all guideline files, named in discovery, cards and the audit line."""
    digest = hashlib.sha256()
    for path in sorted((*root.rglob("*.yaml"), *root.rglob("*.tsv"))):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@lru_cache(maxsize=4)
def load_knowledge(root: Path | None = None, local: Path | None = None) -> Knowledge:
    """The knowledge of a guidelines folder (default: the one that ships), under the overlay of a hospital.

    Raises GuidelineError.
    """
    folder = root or default_folder()
    if local is None:
        linker = linker_of(folder)
        shipped = linker.build(version_of(folder))
        return with_reviews(shipped, linker.loaded.reviews, shipped)
    loaded = load(folder, local)
    chosen = apply_overlay(loaded, local)
    knowledge = Linker(loaded, catalogue()).build(f"{version_of(folder)}+local.{chosen.fingerprint}", chosen)
    return with_reviews(knowledge, loaded.reviews, load_knowledge(root)) if loaded.reviews else knowledge


def linker_of(root: Path) -> Linker:
    """A linker for the files of a folder. Raises GuidelineError where one of them is wrong by itself."""
    return Linker(load(root), catalogue())
