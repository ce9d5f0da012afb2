"""Reads the overlay of a hospital and puts it over the loaded guideline files (docs/local.md).

Everything that it names must exist; what is wrong has file, line and "did you mean". The linker compiles the result, so
that a changed limit is checked like one of a source.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from app.cds_hooks.feedback import OVERRIDE_REASONS
from app.cds_hooks.feedback import SYSTEM as REASON_SYSTEM
from app.cds_hooks.queries import queries_with
from app.engine.compiler import LOCAL
from app.engine.loader import LOCALES, GuidelineError, Loaded, LoadedFile, source_folders, validated
from app.engine.local import AcceptedRisk, Local, LocalLimit, LocalLink, LocalReason
from app.engine.overlay_file import ChangedLimit, LocalOrderable, OverlayFile
from app.engine.references import did_you_mean
from app.engine.schema import Orderable, Recommendation, Use
from app.profiles import FILE as PROFILES
from app.yaml_files import FilesError, Place, Problem, Table, line_of, read_yaml

FILE: Final = "overlay.yaml"
CASES: Final = "cases"
CODES: Final = "codes"
SCHEMAS: Final = "schemas"
AFTER: Final = ".after"
_NO_CONTENT: Final = frozenset({CASES, SCHEMAS})
_SUFFIXES: Final = frozenset({".yaml", ".yml", ".csv", ".json", ".txt"})


def local_files(local: Path) -> list[Path]:
    """The files of an overlay. Hidden folders are left out: a mounted ConfigMap keeps its versions there."""
    found = []
    for folder, names, files in os.walk(local, followlinks=True):
        names[:] = sorted(name for name in names if not name.startswith("."))
        found += [Path(folder) / name for name in sorted(files) if not name.startswith(".")]
    return found


def fingerprint_of(local: Path) -> str:
    """A short hash over the files of an overlay, cases aside: they change no answer."""
    digest = hashlib.sha256()
    for path in local_files(local):
        below = path.relative_to(local)
        if path.suffix in _SUFFIXES and _NO_CONTENT.isdisjoint(below.parts):
            content = path.read_bytes()
            digest.update(f"{below.as_posix()}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()[:12]


def unread_files(local: Path) -> Iterator[Problem]:
    """YAML files of an overlay that nothing reads."""
    sources = source_folders(local)
    read = {*sources, *(f"{source}/{LOCALES}" for source in sources)}
    for path in local_files(local):
        below = path.relative_to(local)
        folder = below.parent.as_posix()
        if path.suffix not in {".yaml", ".yml"} or CASES in below.parts or below.parts[0] == CODES:
            continue
        name = f"{local.name}/{below.as_posix()}"
        known = [FILE, PROFILES] if folder == "." else ["source.yaml"]
        if path.suffix == ".yml":
            yield Problem(name, 1, f"nothing reads this file, did you mean {path.stem}.yaml?")
        elif (folder == "." and path.name not in known) or (folder != "." and folder not in read):
            why = "nothing reads this file" if folder == "." else f"nothing reads the folder {folder}: no source.yaml"
            close = get_close_matches(path.name, known, n=1)
            yield Problem(name, 1, why + (f", did you mean {close[0]}?" if close and close[0] != path.name else ""))


@dataclass
class Overlay:
    """Puts one overlay.yaml over the loaded files; collects problems instead of stopping at the first."""

    loaded: Loaded
    name: str
    content: OverlayFile
    raw: Table

    def __post_init__(self) -> None:
        self.problems: list[Problem] = []
        self._rules = {r.id: r for file in self.loaded.files for r in file.content.recommendations}
        self._advice = [a.id for file in self.loaded.files for a in file.content.advice]
        self._drugs = [d.id for file in self.loaded.drugs if (d := file.content.drug()) is not None]
        self._orderables = {o.id: o for file in self.loaded.files for o in file.content.orderables}

    def problem(self, place: Place, message: str) -> None:
        """Note a problem at a place of overlay.yaml."""
        self.problems.append(Problem(self.name, line_of(self.raw, place), message))

    def known(self, place: Place, what: str, name: str, names: Iterable[str]) -> bool:
        """Whether a name is in a list; notes one that is not, with the closest one that is."""
        candidates = list(names)
        if name not in candidates:
            self.problem(place, f"unknown {what} {name!r}{did_you_mean(name, candidates)}")
        return name in candidates

    def applied(self, fingerprint: str) -> Local:
        """Change the loaded files; gives what the rest of the service has to know."""
        switched, risks = self._switched()
        formulary = self._formulary()
        reasons = self._reasons()
        after = {
            key.removesuffix(AFTER): texts
            for key, texts in self.content.texts.items()
            if self.known(("texts", key), "text", key, [f"{advice}{AFTER}" for advice in self._advice])
        }
        links = {}
        for advice, listed in self.content.links.items():
            if self.known(("links", advice), "advice", advice, self._advice):
                links[advice] = tuple(LocalLink(link.url, link.label) for link in listed)
        self._prefetch()
        self._braces(self.raw, ())
        for index, change in enumerate(self.content.limits):
            self._limit(("limits", index), change)
        self._change_orderables()
        return Local(
            hospital=self.content.hospital,
            fingerprint=fingerprint,
            switched=switched,
            risks=risks,
            drug_order={drug: place for place, drug in enumerate(formulary)},
            not_stocked=frozenset(self.content.drugs.not_stocked),
            after=after,
            links=links,
            override_reasons=reasons,
            prefetch=self.content.prefetch,
        )

    # ------------------------------------------------------------------------------------------------- statements
    def _switched(self) -> tuple[frozenset[str], tuple[AcceptedRisk, ...]]:
        risks = []
        names: set[str] = set()
        listed = [(("off", i), entry.id, False) for i, entry in enumerate(self.content.off)]
        listed += [(("on", i), name, True) for i, name in enumerate(self.content.on)]
        for place, name, on in listed:
            if not self.known(place, "statement", name, self._rules):
                continue
            rule = self._rules[name]
            if name in names:
                self.problem(place, f"{name} is switched twice")
            elif rule.default_on is on:
                self.problem(place, f"{name} is {'on' if on else 'off'} already")
            elif rule.use not in {Use.CARD, Use.RIDES} and rule.option is None:
                self.problem(place, f"{name} stands on no card (use: {rule.use}): it cannot be switched")
            names.add(name)
        for index, entry in enumerate(self.content.off):
            known = self._rules.get(entry.id)
            if known is None or not known.protects:
                continue
            if not entry.accept_risk.strip():
                where = f"{entry.id} is a safety statement ({self._where(known)}): accept-risk says why it is off"
                self.problem(("off", index), where)
            decided = entry.decided
            risks.append(
                AcceptedRisk(
                    entry.id, entry.accept_risk, decided.by if decided else "", decided.date if decided else ""
                )
            )
        return frozenset(names), tuple(risks)

    def _where(self, rule: Recommendation) -> str:
        source = self.loaded.sources.get(rule.id.partition(".")[0])
        lines = ", ".join(map(str, rule.source.lines))
        return f"{source.title if source else rule.id.partition('.')[0]}, line {lines}"

    def _formulary(self) -> list[str]:
        drugs = self.content.drugs
        for key, listed in (("order", drugs.order), ("not-stocked", drugs.not_stocked)):
            for index, name in enumerate(listed):
                place = ("drugs", key, index)
                if self.known(place, "drug", name, self._drugs) and listed.index(name) != index:
                    self.problem(place, f"{name} is listed twice")
                elif key == "order" and name in drugs.not_stocked:
                    self.problem(place, f"{name} is not stocked and cannot come first")
        return drugs.order

    # -------------------------------------------------------------------------------------------- texts and orders
    def _reasons(self) -> tuple[LocalReason, ...] | None:
        if self.content.override_reasons is None:
            return None
        shipped = [reason.code for reason in OVERRIDE_REASONS]
        made: list[LocalReason] = []
        for index, reason in enumerate(self.content.override_reasons):
            place = ("override-reasons", index)
            if reason.text is None and self.known(place, "reason", reason.code, shipped):
                made.append(LocalReason(reason.code, REASON_SYSTEM))
            elif reason.text is not None and not reason.system:
                self.problem(place, f"{reason.code}: a reason of the hospital needs a system")
            elif reason.text is not None:
                made.append(LocalReason(reason.code, reason.system, reason.text))
        return tuple(made)

    def _prefetch(self) -> None:
        for key, query in self.content.prefetch.items():
            try:
                queries_with({key: query})
            except ValueError as error:
                self.problem(("prefetch", key), str(error))

    def _braces(self, node: object, place: Place) -> None:
        """Texts of a hospital have no placeholders; only a prefetch query has a token in braces."""
        if isinstance(node, Mapping):
            for key, value in node.items():
                if place or key != "prefetch":
                    self._braces(value, (*place, key))
        elif isinstance(node, list):
            for index, value in enumerate(node):
                self._braces(value, (*place, index))
        elif isinstance(node, str) and ("{" in node or "}" in node):
            self.problem(place, "a text of the hospital has no placeholders: leave out { and }")

    def _change_orderables(self) -> None:
        changed: dict[str, Orderable] = {}
        for name, local in self.content.orderables.items():
            if not self.known(("orderables", name), "orderable", name, self._orderables):
                continue
            if not (local.codes or local.text or local.note):
                self.problem(("orderables", name), f"{name}: codes, text or note")
            if local.codes:
                changed |= self._with_codes(name, local)
            self._change_texts(name, local)
        for file in self.loaded.files:
            if any(block.id in changed for block in file.content.orderables):
                blocks = [changed.get(block.id, block) for block in file.content.orderables]
                file.content = file.content.model_copy(update={"orderables": blocks})

    def _with_codes(self, name: str, local: LocalOrderable) -> dict[str, Orderable]:
        """The orderable with the codes of the hospital first; so too the others that ask for the same test."""
        codes = [{key: text for key, text in code.model_dump().items() if text} for code in local.codes]
        first = self._orderables[name].codes[0]
        made = {}
        for other, block in self._orderables.items():
            own = self.content.orderables.get(other)
            if other == name or (block.codes[0] == first and not (own and own.codes)):
                made[other] = block.model_copy(update={"codes": [*codes, *block.codes]})
        return made

    def _change_texts(self, name: str, local: LocalOrderable) -> None:
        for key, texts in (("name", local.text), ("note", local.note)):
            for language, text in (texts or {}).items():
                file = self.loaded.locales[language]
                entry = file.content.orderables.get(name)
                if entry is None:  # the check of the texts says so
                    continue
                orderables = {**file.content.orderables, name: entry.model_copy(update={key: text})}
                content = file.content.model_copy(update={"orderables": orderables})
                self.loaded.locales[language] = file.with_content(content)

    # ----------------------------------------------------------------------------------------------------- limits
    def _limit(self, place: Place, change: ChangedLimit) -> None:
        name = change.statement or change.criterion
        found = self._file_of(change)
        if found is None:
            names: Collection[str] = self._rules
            if change.criterion:
                names = [c for file in self.loaded.files for c in file.content.criteria]
            self.known(place, "statement" if change.statement else "criterion", name, names)
            return
        trees = _Trees(change, LocalLimit(Decimal(0), "", "", "", self.name, line_of(self.raw, place)))
        file, index = found
        if change.criterion:
            criterion = file.content.criteria[name]
            criteria = {**file.content.criteria, name: criterion.model_copy(update={"when": trees.of(criterion.when)})}
            content = file.content.model_copy(update={"criteria": criteria})
        else:
            blocks = list(file.content.recommendations)
            blocks[index] = _with_trees(blocks[index], trees)
            content = file.content.model_copy(update={"recommendations": blocks})
        message = trees.wrong(name)
        if message:
            self.problem(place, message)
        else:
            file.content = content

    def _file_of(self, change: ChangedLimit) -> tuple[LoadedFile, int] | None:
        for file in self.loaded.files:
            if change.criterion and change.criterion in file.content.criteria:
                return file, 0
            for index, rule in enumerate(file.content.recommendations):
                if change.statement and rule.id == change.statement:
                    return file, index
        return None


class _Trees:
    """Changes a limit in the criteria of one statement, and notes which limits there are."""

    def __init__(self, change: ChangedLimit, decision: LocalLimit) -> None:
        self._change, self._decision = change, decision
        self._comparison, self._limit = change.comparison
        self._seen: list[str] = []
        self._matched: list[Mapping[str, Any]] = []

    def of(self, tree: object) -> object:
        """The tree with the limit of the hospital."""
        if isinstance(tree, list):
            return [self.of(child) for child in tree]
        if not isinstance(tree, Mapping):
            return tree
        made = {}
        for key, value in tree.items():
            if key in {"all", "any", "not"}:
                made[key] = self.of(value)
            else:
                made[key] = self._changed(key, value) if isinstance(value, Mapping) else value
        return made

    def _changed(self, feature: str, value: Mapping[str, Any]) -> Mapping[str, Any]:
        for comparison in ("at_least", "above", "at_most", "below", "equals"):
            if comparison in value:
                self._seen.append(f"{feature} {comparison} {value[comparison]}")
        if feature != self._change.feature or self._comparison not in value:
            return value
        try:
            source_limit = Decimal(str(value[self._comparison]))
        except InvalidOperation:  # the linker says so
            return value
        if self._change.instead_of is not None and source_limit != self._change.instead_of:
            return value
        self._matched.append(value)
        decided = self._change.decided
        place = self._decision
        local = LocalLimit(source_limit, self._change.because, decided.by, decided.date, place.file, place.line)
        return {**value, self._comparison: str(self._limit), LOCAL: local}

    def wrong(self, name: str) -> str:
        """What is wrong with the change; empty where it is right."""
        meant = f"{self._change.feature} {self._comparison}"
        if not self._matched:
            if not self._seen:
                return f"{name} has no limit of its own: its criterion has one"
            return f"{name} has no limit {meant}{did_you_mean(f'{meant} {self._limit}', self._seen)}"
        limits = {str(value[self._comparison]) for value in self._matched}
        if len(limits) > 1:
            return f"{name} has several limits {meant}: instead-of says which ({', '.join(sorted(limits))})"
        units = {str(value.get("unit", "")) for value in self._matched}
        if units != {self._change.unit}:
            return f"the limit of {name} is in {', '.join(sorted(units)) or 'no unit'}: write unit: {units.pop()}"
        if Decimal(limits.pop()) == self._limit:
            return f"{name}: this is the limit of the source"
        return ""


def _with_trees(block: Recommendation, trees: _Trees) -> Recommendation:
    update: dict[str, Any] = {
        "when": trees.of(block.when),
        "rides_when": trees.of(block.rides_when),
        "indicator_when": trees.of(block.indicator_when),
        "unless": [u.model_copy(update={"when": trees.of(u.when)}) for u in block.unless],
    }
    if block.option is not None:
        update["option"] = block.option.model_copy(update={"opens": trees.of(block.option.opens)})
    return block.model_copy(update=update)


def apply_overlay(loaded: Loaded, local: Path) -> Local:
    """Put the overlay of a folder over the loaded files. Raises GuidelineError with everything that is wrong."""
    problems = list(unread_files(local))
    name = f"{local.name}/{FILE}"
    path = local / FILE
    raw = Table(1)
    content = OverlayFile.model_validate({})
    if path.is_file():
        try:
            raw = read_yaml(path, name)
            content = validated(OverlayFile, raw, name)
        except FilesError as error:
            problems += error.problems
    elif not source_folders(local) and not (local / PROFILES).is_file() and not (local / CODES).is_dir():
        problems.append(Problem(name, 1, "the overlay is empty: there is neither this file nor the folder of a source"))
    overlay = Overlay(loaded, name, content, raw)
    made = overlay.applied(fingerprint_of(local))
    problems += overlay.problems
    if problems:
        raise GuidelineError(problems)
    return made
