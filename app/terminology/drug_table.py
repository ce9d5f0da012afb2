"""The drugs and drug classes of `guidelines/drugs` and `guidelines/concepts/drug-classes.yaml`, as look-up tables.

A drug file lists products: what a code or a name can mean. A product belongs to classes; a class groups several drugs
for the guidelines. Everything that the service knows about one drug is in its file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.chart import Route


@dataclass(frozen=True, slots=True)
class DoseRule:
    """One product that is another at some dose, interval or brand; exactly one condition is set."""

    products: frozenset[str]
    single_mg_at_most: Decimal | None = None
    single_mg_at_least: Decimal | None = None
    interval_days_at_most: Decimal | None = None
    name: str | None = None  # part of the product's name, lower case


@dataclass(frozen=True, slots=True)
class RouteRule:
    """Classes that a product gains or loses by a route."""

    route: Route
    add: frozenset[str]
    drop: frozenset[str]


@dataclass(frozen=True, slots=True)
class DepotRule:
    """Months for which one dose acts, by route, dose (mg) and name of the product; an empty condition fits all."""

    months: int
    route: Route | None = None
    single_mg: frozenset[Decimal] = frozenset()
    name: re.Pattern[str] | None = None

    def fits(self, route: Route | None, single_mg: Decimal | None, name: str) -> bool:
        """Whether the rule holds for a dose."""
        if self.route is not None and route is not self.route:
            return False
        if self.single_mg and single_mg not in self.single_mg:
            return False
        return self.name is None or self.name.search(name.lower()) is not None


@dataclass(frozen=True, slots=True)
class DrugProduct:
    """What a code or a name of a medication can mean. `acts_months`: how long one dose of a depot drug acts."""

    name: str
    classes: frozenset[str]
    file: str = ""  # the id of its file: what products of one substance have in common
    oral_class: str | None = None
    route: Route | None = None
    not_routes: frozenset[Route] = frozenset()
    acts_months: int | None = None
    acts_by_dose: tuple[DepotRule, ...] = ()
    same_as: str | None = None
    general: bool = False
    unspecified_of: str | None = None
    adrenal_replacement: bool = False
    iu_per_mg: Decimal | None = None
    equal_to_5_mg_prednisolone: Decimal | None = None  # mg
    by_dose: tuple[DoseRule, ...] = ()
    by_route: tuple[RouteRule, ...] = ()


@dataclass(frozen=True, slots=True)
class DrugClass:
    """A class, or the name of one drug, as the guidelines use it (`takes.CLASS`)."""

    name: str
    for_bone: bool = False
    oncological_with_metastasis: bool = False
    any_of: frozenset[str] = frozenset()
    all_of: frozenset[str] = frozenset()
    routes: frozenset[Route] | None = None
    not_routes: frozenset[Route] = frozenset()
    stated_by: str | None = None
    asks: str | None = None
    followed_by: str | None = None
    intolerance_shared: bool = False
    acts_months: int | None = None
    lapses_after_months: int | None = None

    def holds_for(self, drugs: frozenset[str], route: Route | None) -> bool:
        """Whether a course with these products and classes, given by this route, is of the class."""
        named = (
            self.name in drugs
            or not self.any_of.isdisjoint(drugs)
            or (bool(self.all_of) and self.all_of.issubset(drugs))
        )
        return named and route not in self.not_routes and (self.routes is None or route is None or route in self.routes)


@dataclass(frozen=True, slots=True)
class DrugTable:
    """All products by name, and all classes by name; `shared`: the classes that different drugs have in common."""

    products: Mapping[str, DrugProduct]
    classes: Mapping[str, DrugClass]
    shared: frozenset[str]


BONE_DRUG = "bone_drug"
"""The class that makes a drug one against osteoporosis."""


def drug_table(classes: Mapping[str, Any], files: Iterable[Mapping[str, Any]]) -> DrugTable:
    """The tables of the class file (`classes:`) and of drug files."""
    files = list(files)
    products = {name: _product(name, entry, file["id"]) for file in files for name, entry in file["products"].items()}
    made = {name: _class(name, entry) for name, entry in classes.items()}
    for file in files:
        course = file.get("course")
        if course is None:  # no guideline names the drug by itself
            continue
        own = [products[name] for name in file["products"]]
        meant = [product for product in own if course in {product.name, *product.classes}]
        months = [product.acts_months for product in meant if product.acts_months is not None]
        entry = {key: value for key, value in file.items() if key in _OF_A_CLASS}
        entry["for_bone"] = any(BONE_DRUG in product.classes for product in meant)
        made.setdefault(course, _class(course, entry, acts_months=max(months, default=None)))
    drugs = {*products, *(file.get("course") for file in files)}
    return DrugTable(products, made, frozenset(name for name in classes if name not in drugs))


_OF_A_CLASS = ("oncological_with_metastasis", "stated_by", "followed_by", "lapses_after")
"""The keys of a drug file that describe the drug as a class of its own."""


def _class(name: str, entry: Mapping[str, Any], *, acts_months: int | None = None) -> DrugClass:
    return DrugClass(
        name,
        for_bone=bool(entry.get("for_bone")),
        oncological_with_metastasis=bool(entry.get("oncological_with_metastasis")),
        any_of=frozenset(entry.get("any_of", ())),
        all_of=frozenset(entry.get("all_of", ())),
        routes=_routes(entry["routes"]) if "routes" in entry else None,
        not_routes=_routes(entry.get("not_routes", ())),
        stated_by=entry.get("stated_by"),
        asks=entry.get("asks"),
        followed_by=entry["followed_by"]["class"] if "followed_by" in entry else None,
        intolerance_shared=bool(entry.get("intolerance_shared")),
        acts_months=acts_months,
        lapses_after_months=entry["lapses_after"]["months"] if "lapses_after" in entry else None,
    )


def _product(name: str, entry: Mapping[str, Any], file: str) -> DrugProduct:
    equivalent, units = entry.get("prednisolone_equivalent"), entry.get("iu_per_mg")
    return DrugProduct(
        name,
        classes=frozenset(entry.get("classes", ())),
        file=file,
        oral_class=entry.get("oral_class"),
        route=Route(entry["route"]) if "route" in entry else None,
        not_routes=_routes(entry.get("not_routes", ())),
        acts_months=entry["acts"]["months"] if "acts" in entry else None,
        acts_by_dose=tuple(_depot_rule(rule) for rule in entry.get("acts_by_dose", ())),
        same_as=entry.get("same_as"),
        general=bool(entry.get("general")),
        unspecified_of=entry.get("unspecified_of"),
        adrenal_replacement=bool(entry.get("adrenal_replacement")),
        iu_per_mg=Decimal(units["number"]) if units else None,
        equal_to_5_mg_prednisolone=Decimal(equivalent["equal_to_5_mg"]) if equivalent else None,
        by_dose=tuple(_dose_rule(rule) for rule in entry.get("by_dose", ())),
        by_route=tuple(
            RouteRule(Route(rule["route"]), frozenset(rule["add"]), frozenset(rule.get("drop", ())))
            for rule in entry.get("by_route", ())
        ),
    )


def _routes(names: Collection[str]) -> frozenset[Route]:
    return frozenset(Route(name) for name in names)


def _depot_rule(rule: Mapping[str, Any]) -> DepotRule:
    return DepotRule(
        rule["months"],
        Route(rule["route"]) if "route" in rule else None,
        frozenset(Decimal(dose) for dose in rule.get("single_mg", ())),
        re.compile(rule["name"]) if "name" in rule else None,
    )


def _dose_rule(rule: Mapping[str, Any]) -> DoseRule:
    limits = {key: Decimal(value) for key, value in rule.items() if key.endswith(("_at_most", "_at_least"))}
    return DoseRule(frozenset(rule["products"]), name=rule.get("name"), **limits)
