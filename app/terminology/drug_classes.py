"""Drug classes and routes: what a product is, once its dose and route are known.

ATC cannot tell Prolia from Xgeva or Aclasta from Zometa; dose, interval and brand can (`by_dose` in the drug files).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache, lru_cache

from app.chart import Dose, Route
from app.terminology.code_sets import TextPattern, terminology
from app.terminology.codeable_concept import words
from app.terminology.drug_table import DoseRule, DrugClass, DrugProduct
from app.wire.elements import CodeableConcept

_CACHED_DRUGS = 2048
"""The meaning of drugs is vocabulary without personal data, so the process caches it."""


def _products() -> Mapping[str, DrugProduct]:
    return terminology().drugs.products


@cache
def _route_patterns() -> tuple[tuple[Route, TextPattern], ...]:
    routes = terminology().raw["text-patterns"]["routes"]
    return tuple((Route(name), TextPattern(patterns)) for name, patterns in routes.items())


@cache
def _route_codes() -> dict[str, Route]:
    by_system = terminology().raw["text-patterns"]["route_codes"].values()
    return {code: Route(route) for codes in by_system for code, route in codes.items()}


def route_of(concept: CodeableConcept | None, product: str = "") -> Route | None:
    """The route by its code, else its words, else the words of the product ("oral tablet", "topical cream")."""
    for coding in concept.coding if concept is not None else ():
        route = _route_codes().get((coding.code or "").strip().upper())
        if route is not None:
            return route
    text = words(concept)
    if text:
        return next((route for route, pattern in _route_patterns() if pattern.found_in(text)), Route.OTHER)
    if product:
        found = [route for route, pattern in _route_patterns() if pattern.found_in(product)]
        for route in (Route.TOPICAL, Route.INHALED, Route.NASAL):  # these make a difference: any mention of them counts
            if route in found:
                return route
        return found[0] if found else None
    return None


@lru_cache(maxsize=_CACHED_DRUGS)
def substance_of(drugs: frozenset[str]) -> str | None:
    """The id of the drug file that all products of a course stand in; None where there are several, or none."""
    files = {product.file for product in _known(drugs)}
    return files.pop() if len(files) == 1 else None


@lru_cache(maxsize=_CACHED_DRUGS)
def usual_route(drugs: frozenset[str]) -> Route | None:
    """The route of drugs that have only one, for records that leave it out."""
    routes = {product.route for product in _known(drugs) if product.route is not None}
    return routes.pop() if len(routes) == 1 else None


def _known(drugs: Iterable[str]) -> list[DrugProduct]:
    products = _products()
    return [products[drug] for drug in drugs if drug in products]


def refined(drugs: frozenset[str], dose: Dose, strength_mg: Decimal | None, name: str) -> frozenset[str]:
    """The drugs, with those that are another product at this dose, interval or brand replaced by it."""
    rules = _rules_by_dose()
    if drugs.isdisjoint(rules):
        return drugs
    result: set[str] = set()
    for drug in drugs:
        holding = (rule.products for rule in rules.get(drug, ()) if _holds(rule, dose, strength_mg, name))
        result |= next(holding, frozenset({drug}))
    return frozenset(result)


@cache
def _rules_by_dose() -> dict[str, tuple[DoseRule, ...]]:
    """The rules of each product that has some; the first that holds decides."""
    return {product.name: product.by_dose for product in _products().values() if product.by_dose}


def _holds(rule: DoseRule, dose: Dose, strength_mg: Decimal | None, name: str) -> bool:
    single = dose.single_mg if dose.single_mg is not None else strength_mg
    if rule.single_mg_at_most is not None:
        return single is not None and single <= rule.single_mg_at_most
    if rule.single_mg_at_least is not None:
        return single is not None and single >= rule.single_mg_at_least
    if rule.interval_days_at_most is not None:
        return dose.interval_days is not None and dose.interval_days <= rule.interval_days_at_most
    return rule.name is not None and rule.name in name.lower()


@lru_cache(maxsize=_CACHED_DRUGS)
def classes_of(drugs: frozenset[str], *, route: Route | None) -> frozenset[str]:
    """The classes that drugs belong to by this route. A glucocorticoid on the skin has none."""
    found: set[str] = set()
    known = _known(drugs)
    for product in known:
        if route in product.not_routes:
            continue
        found |= product.classes
        if product.oral_class is not None and route in {None, Route.ORAL}:
            found.add(product.oral_class)
    for product in known:
        for rule in product.by_route:
            if rule.route is route:
                found = (found | rule.add) - rule.drop
    return frozenset(found)


@lru_cache(maxsize=_CACHED_DRUGS)
def ingredients_of(drugs: frozenset[str]) -> frozenset[str]:
    """What two records must have in common to be about one drug, whatever code system each uses.

    A product stands for its ingredient (`same_as`), and a group (`general`) says nothing where the drug itself is named
    too: ATC names both, RxNorm only the drug.
    """
    products = _products()
    named = frozenset((products[drug].same_as or drug) if drug in products else drug for drug in drugs)
    return frozenset(drug for drug in named if drug not in products or not products[drug].general) or named


@lru_cache(maxsize=_CACHED_DRUGS)
def acts_months(drugs: frozenset[str]) -> int | None:
    """For how many months one dose of a depot drug acts, by its products or its class; None for other drugs."""
    classes = terminology().drugs.classes
    months = [product.acts_months for product in _known(drugs)]
    months += [classes[drug].acts_months for drug in drugs if drug in classes]
    return max((number for number in months if number is not None), default=None)


def months_of_a_dose(drugs: frozenset[str], route: Route | None, single_mg: Decimal | None, name: str) -> int | None:
    """For how many months one dose acts, given its route, its size in mg and the name of the product; None: no depot.

    Source: `acts` and `acts_by_dose` in guidelines/drugs.
    """
    months = acts_months(drugs)
    if months is not None:
        return months
    rules = (rule for product in _known(drugs) for rule in product.acts_by_dose)
    return next((rule.months for rule in rules if rule.fits(route, single_mg, name)), None)


def lapses_after_months(drugs: frozenset[str]) -> int | None:
    """Months without a dose after which the drug counts as stopped (`lapses_after` in guidelines/drugs)."""
    classes = terminology().drugs.classes
    months = (classes[drug].lapses_after_months for drug in drugs if drug in classes)
    return max((number for number in months if number is not None), default=None)


def iu_per_mg(drugs: frozenset[str]) -> Decimal | None:
    """International units in one mg, where all the drugs that are dosed so agree."""
    factors = {product.iu_per_mg for product in _known(drugs) if product.iu_per_mg is not None}
    return factors.pop() if len(factors) == 1 else None


@lru_cache(maxsize=_CACHED_DRUGS)
def equal_to_5_mg_prednisolone(drugs: frozenset[str]) -> Decimal | None:
    """How many mg of the drug equal 5 mg prednisolone by mouth; None where that is not known, or the drugs differ.

    None of the guidelines gives these equivalents: they are outside knowledge, named as such on a card (decision 22).
    """
    found = [product.equal_to_5_mg_prednisolone for product in _known(drugs)]
    equal = {amount for amount in found if amount is not None}
    return equal.pop() if len(equal) == 1 else None


@cache
def class_names() -> tuple[str, ...]:
    """Every class, and every drug by its own name, that a guideline can name; sorted."""
    return tuple(sorted(terminology().drugs.classes))


def class_named(name: str) -> DrugClass:
    """The class of that name. KeyError for an unknown one: the linker has checked every name of the guidelines."""
    return terminology().drugs.classes[name]


@cache
def bone_classes() -> frozenset[str]:
    """The classes and drugs that are against osteoporosis or, in another dose, against cancer in the bone."""
    return frozenset(name for name, entry in terminology().drugs.classes.items() if entry.for_bone)


@cache
def bone_products() -> frozenset[str]:
    """The products that count as bone drugs: what a drug that nothing identifies can be."""
    return frozenset(name for name, entry in terminology().drugs.products.items() if "bone_drug" in entry.classes)


@cache
def oncological_with_metastasis() -> frozenset[str]:
    """The drugs that treat the cancer where a bone metastasis is known, in whatever dose (decision 13)."""
    return frozenset(n for n, entry in terminology().drugs.classes.items() if entry.oncological_with_metastasis)


@cache
def sequences() -> tuple[tuple[str, str], ...]:
    """(what ends, what follows) as the sources want it; `followed_by` in the files names their statements."""
    entries = terminology().drugs.classes.values()
    return tuple((entry.name, entry.followed_by) for entry in entries if entry.followed_by is not None)


@cache
def classes_of_shared_intolerance() -> frozenset[str]:
    """The classes of which no other drug is offered to a patient who does not tolerate one."""
    return frozenset(name for name, entry in terminology().drugs.classes.items() if entry.intolerance_shared)


def shared_classes() -> frozenset[str]:
    """The classes that different drugs have in common; what is left of a course's drugs tells the drug itself."""
    return terminology().drugs.shared


@cache
def unspecified() -> Mapping[str, str]:
    """By the product of a record that names no drug, only its class: that class."""
    return {p.name: p.unspecified_of for p in _products().values() if p.unspecified_of is not None}


@cache
def adrenal_replacements() -> frozenset[str]:
    """The drugs of adrenal replacement. The guideline files have the dose up to which it counts as replacement."""
    return frozenset(product.name for product in _products().values() if product.adrenal_replacement)


@lru_cache(maxsize=_CACHED_DRUGS)
def with_members(drugs: frozenset[str]) -> frozenset[str]:
    """Drugs, and for one that only names a class all products of the class (decision 54)."""
    products = terminology().drugs.products
    classes = {unspecified()[drug] for drug in drugs if drug in unspecified()}
    return drugs | {name for name, entry in products.items() if not classes.isdisjoint(entry.classes)}
