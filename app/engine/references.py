"""Resolves every reference in the guideline data: ids that are given twice, names that nothing has.

Each problem has its file and line, and the name that the writer may have meant. What criteria refer to is resolved when
they are compiled (`app.engine.compiler`), what texts refer to with the locale files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Protocol

from app.chart import FractureSite
from app.engine.drug_file import DrugFile, FollowedBy, Product
from app.engine.loader import CheckedFile, Loaded, LoadedDrug
from app.engine.schema import Use
from app.yaml_files import Place, Problem, Table, line_of


class Catalogue(Protocol):
    """The feature catalogue, as far as references need it."""

    def has(self, name: str, /) -> bool:
        """Whether a feature has this name."""


NOT_USED = "not-used.yaml"
"""The file of a source for the statements that no card cites."""
GROUPS = ("observation", "condition")
"""What the concepts of a file of codes are; medications are in the drug files."""
CODE_FILES = ("observations", "conditions")
_FEW = 8
FOR_ALL_SOURCES = "any"
"""The key of an order that is suggested whichever source asks for the drug."""


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """A hint with the closest name; where none is close, the names if they are few, else nothing."""
    known = list(names)
    close = get_close_matches(name, known, n=1, cutoff=0.4)
    if close:
        return f", did you mean {close[0]}?"
    return f": one of {', '.join(sorted(known))}" if 0 < len(known) <= _FEW else ""


class References:
    """Checks the references of one set of files; `problems` gathers what is wrong."""

    def __init__(self, loaded: Loaded, catalogue: Catalogue, data: Collection[str]) -> None:
        self._loaded, self._catalogue, self._data = loaded, catalogue, data
        self.problems: list[Problem] = []
        self._recommendations = {r.id for file in loaded.files for r in file.content.recommendations}
        self._profiles = {p.id for file in loaded.files for p in file.content.profiles}
        self._products = {name: file for file in loaded.drugs for name in file.content.products}
        self._classes = dict.fromkeys(loaded.classes.content.classes if loaded.classes else ())
        self._courses = dict.fromkeys(file.content.course for file in loaded.drugs if file.content.course)
        self._drug_names = {**self._classes, **self._courses, **dict.fromkeys(self._products)}
        self._concepts = dict(self._coded_concepts())

    def check(self) -> list[Problem]:
        """Everything that is wrong."""
        self._sources()
        self._twice()
        self._uncited()
        self._criteria()
        self._advice()
        self._profile_names()
        for file in self._loaded.drugs:
            self._drug(file)
        self._drug_classes()
        self._concept_files()
        return self.problems

    def _problem(self, file: str, raw: Table, place: Place, message: str) -> None:
        self.problems.append(Problem(file, line_of(raw, place), message))

    def _unknown(
        self, file: CheckedFile[Any], place: Place, what: str, names: Iterable[str], known: Collection[str]
    ) -> None:
        for name in names:
            if name not in known:
                message = f"unknown {what} {name!r}{did_you_mean(name, known)}"
                self._problem(file.name, file.raw, place, message)

    # ------------------------------------------------------------------------------------------------- sources
    def _sources(self) -> None:
        """A source must be able to act: lead or supplement in a profile, or by its safety statements."""
        named = {n for file in self._loaded.files for p in file.content.profiles for n in (*p.leads, *p.fills)}
        acting = {f.folder for f in self._loaded.files for r in f.content.recommendations if r.safety}
        for folder, file in self._loaded.source_files.items():
            source = file.content
            if source.id != folder:
                message = f"the id of a source is the name of its folder: {folder}, not {source.id}"
                self._problem(file.name, file.raw, ("id",), message)
            elif self._profiles and source.id not in named | acting:
                message = f"no profile names the source {source.id}, and none of its statements is one of safety"
                unknown = sorted(named - set(self._loaded.source_files))
                self._problem(file.name, file.raw, ("id",), message + did_you_mean(source.id, unknown))

    # -------------------------------------------------------------------------------------------- ids and names
    def _twice(self) -> None:
        """Ids that are given in two places. The second one is the problem."""
        lists = ("recommendations", "advice", "orderables", "profiles", "disagreements")
        for kind in lists:
            self._once(
                kind,
                [
                    (block.id, file, (kind, index, "id"))
                    for file in self._loaded.files
                    for index, block in enumerate(getattr(file.content, kind))
                ],
            )
        self._once(
            "criteria", [(name, f, ("criteria", name)) for f in self._loaded.files for name in f.content.criteria]
        )
        self._once("drugs", [(file.content.id, file, ("id",)) for file in self._loaded.drugs])
        self._once("products", [(n, f, ("products", n)) for f in self._loaded.drugs for n in f.content.products])

    def _once(self, kind: str, places: Iterable[tuple[str, CheckedFile[Any], Place]]) -> None:
        first: dict[str, str] = {}
        for name, file, place in places:
            if name in first:
                message = f"{name} is already in {first[name]} ({kind}): rename one, or keep one"
                self._problem(file.name, file.raw, place, message)
            first.setdefault(name, f"{file.name}:{file.line_of(*place)}")

    def _uncited(self) -> None:
        """Statements that no card cites have a file of their own, apart from the recommendations."""
        for file in self._loaded.files:
            apart = file.name.endswith(f"/{NOT_USED}")
            for index, rule in enumerate(file.content.recommendations):
                acts = rule.use in {Use.CARD, Use.RIDES} or rule.option is not None or rule.drug_rule is not None
                if acts is apart:
                    why = f"is cited or acts, and does not belong in {NOT_USED}" if apart else f"belongs in {NOT_USED}"
                    message = f"{rule.id} (use: {rule.use}) {why}"
                    self._problem(file.name, file.raw, ("recommendations", index), message)

    def _criteria(self) -> None:
        """A criterion must not hide a feature. Features have no hyphen in their names, criteria always have."""
        for file in self._loaded.files:
            for name in file.content.criteria:
                message = ""
                if self._catalogue.has(name):
                    message = f"criterion {name} has the name of a feature and would take its place"
                elif "-" not in name:
                    message = f"criterion {name}: words with hyphens between them, to tell criteria from features"
                if message:
                    hint = f", did you mean {file.folder or 'my'}-{name.replace('_', '-')}?"
                    self._problem(file.name, file.raw, ("criteria", name), message + hint)

    def _advice(self) -> None:
        for file in self._loaded.files:
            for index, entry in enumerate(file.content.advice):
                wanted = [name for name in entry.asks if not self._catalogue.has(name)]
                self._unknown(file, ("advice", index, "asks"), "datum", wanted, self._data)

    def _profile_names(self) -> None:
        for file in self._loaded.files:
            for index, rule in enumerate(file.content.recommendations):
                if rule.drug_rule:
                    place = ("recommendations", index, "drug_rule", "effect_in")
                    self._unknown(file, place, "profile", rule.drug_rule.effect_in, self._profiles)
            for index, line in enumerate(file.content.disagreements):
                self._unknown(file, ("disagreements", index, "profiles"), "profile", line.profiles, self._profiles)

    # --------------------------------------------------------------------------------------------------- drugs
    def _drug(self, file: LoadedDrug) -> None:
        drug = file.content
        stem = file.name.rpartition("/")[2].removesuffix(".yaml")
        if drug.id != stem:
            message = f"the id of a drug is the name of its file, did you mean {stem}?"
            self._problem(file.name, file.raw, ("id",), message)
        if drug.course:
            own = {name for p in drug.products.values() for name in p.classes} | set(drug.products)
            self._unknown(file, ("course",), "product or class of this drug", [drug.course], own)
        self._of_a_class(file, (), drug.followed_by, drug.stated_by)
        for name, product in drug.products.items():
            self._product(file, ("products", name), product, drug)
        self._suggested(file, drug)

    def _product(self, file: LoadedDrug, here: Place, product: Product, drug: DrugFile) -> None:
        classes = self._drug_names
        self._unknown(file, (*here, "classes"), "class", product.classes, classes)
        for key in ("oral_class", "unspecified_of"):
            name = getattr(product, key)
            self._unknown(file, (*here, key), "class", [name] if name else [], classes)
        for key in ("same_as", "supersedes"):
            names = getattr(product, key)
            listed = [names] if isinstance(names, str) else names or []
            self._unknown(file, (*here, key), "product", listed, self._products)
        for index, by_dose in enumerate(product.by_dose):
            self._unknown(file, (*here, "by_dose", index), "product", by_dose.products, self._products)
        for index, by_route in enumerate(product.by_route):
            self._unknown(file, (*here, "by_route", index), "class", [*by_route.add, *by_route.drop], classes)
        if product.acts:
            self._statements(file, (*here, "acts"), [product.acts.from_recommendation])
        for system, codes in product.codes.items():
            for code, row in codes.items():
                self._unknown(file, (*here, "codes", system, code), "evidence", [row.found_in], drug.evidence)

    def _suggested(self, file: LoadedDrug, drug: DrugFile) -> None:
        if drug.suggested is None:
            return
        for source, order in drug.suggested.orders.items():
            place = ("suggested", "orders", source)
            self._unknown(file, place, "source", [source], [*self._loaded.sources, FOR_ALL_SOURCES])
            self._statements(file, (*place, "from_recommendation"), [order.from_recommendation])
        self._statements(file, ("suggested", "advice_from"), drug.suggested.advice_from)
        own = {code.rstrip("*") for p in drug.products.values() for codes in p.codes.values() for code in codes}
        for index, code in enumerate(drug.suggested.codes):
            here = ("suggested", "codes", index)
            self._unknown(file, here, "code (the service must recognise what it suggests):", [code["code"]], own)

    def _statements(self, file: CheckedFile[Any], place: Place, ids: Iterable[str]) -> None:
        self._unknown(file, place, "recommendation", ids, self._recommendations)

    def _of_a_class(
        self, file: CheckedFile[Any], here: Place, followed_by: FollowedBy | None, stated_by: str | None
    ) -> None:
        if followed_by:
            place = (*here, "followed_by")
            self._unknown(file, (*place, "class"), "class", [followed_by.followed_by], self._drug_names)
            self._statements(file, (*place, "from_recommendations"), followed_by.from_recommendations)
        if stated_by and self._concepts:
            self._unknown(file, (*here, "stated_by"), "concept", [stated_by], self._concepts)

    def _drug_classes(self) -> None:
        file = self._loaded.classes
        if file is None:
            return
        for name, entry in file.content.classes.items():
            here = ("classes", name)
            self._unknown(file, (*here, "any_of"), "drug or class", entry.any_of, self._drug_names)
            self._unknown(file, (*here, "all_of"), "drug or class", entry.all_of, self._drug_names)
            self._of_a_class(file, here, entry.followed_by, entry.stated_by)

    # ------------------------------------------------------------------------------------------------ concepts
    def _coded_concepts(self) -> Iterator[tuple[str, str]]:
        """The concepts of codes and findings, each with its file."""
        for stem in CODE_FILES:
            for name in self._table(stem, "concepts"):
                yield name, stem
        for name in self._table("findings", "findings"):
            yield name.replace("-", "_"), "findings"

    def _table(self, stem: str, *place: str) -> Mapping[str, Any]:
        """A table of a file under concepts/; empty where file or table is missing, as in tests of one mistake."""
        node: Any = self._loaded.concepts.get(stem, {})
        for step in place:
            node = node.get(step) or {} if isinstance(node, Mapping) else {}
        return node if isinstance(node, Mapping) else {}

    def _listed(self, stem: str, place: Place, what: str, names: object, known: Collection[str]) -> None:
        for name in [names] if isinstance(names, str) else names if isinstance(names, list) else ():
            if name not in known:
                raw = self._loaded.concepts[stem]
                message = f"unknown {what} {name!r}{did_you_mean(str(name), known)}"
                self._problem(self._loaded.concept_name(stem), raw, place, message)

    def _concept_files(self) -> None:
        if not self._loaded.concepts.keys() >= {*CODE_FILES, "findings", "text-patterns", "units"}:
            return  # a folder without codes: files that are checked for themselves
        for stem in CODE_FILES:
            self._listed(stem, ("group",), "group", self._loaded.concepts[stem].get("group", ""), GROUPS)
            for name, entry in self._table(stem, "concepts").items():
                here = ("concepts", name)
                self._listed(stem, (*here, "parents"), "concept", entry.get("parents", []), self._concepts)
                self._listed(stem, (*here, "site"), "site", entry.get("site", []), list(FractureSite))
        self._texts()
        names = {**self._concepts, **dict.fromkeys(self._products)}
        for name, entry in self._table("units", "quantities").items():
            self._listed("units", ("quantities", name, "concepts"), "concept", entry.get("concepts", []), names)

    def _texts(self) -> None:
        stem = "text-patterns"
        names = {**self._concepts, **dict.fromkeys(self._products)}
        for name, rest in self._table(stem, "supersedes").items():
            self._listed(stem, ("supersedes", name), "concept", [name, *rest], names)


def reference_problems(loaded: Loaded, catalogue: Catalogue, data: Collection[str]) -> list[Problem]:
    """What is wrong with the references between the files. `data`: the names of data elements that texts have."""
    return References(loaded, catalogue, data).check()
