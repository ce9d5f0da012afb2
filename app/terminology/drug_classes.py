"""Drug classes and routes: what a product is, once its dose and route are known.

ATC cannot tell Prolia from Xgeva or Aclasta from Zometa; dose, interval and brand can (drug-classes.yaml).
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

from app.chart import Dose, Route
from app.terminology.code_sets import TextPattern, terminology
from app.terminology.codeable_concept import codings, words

_CACHED_DRUGS = 2048
"""What drugs are is vocabulary, and nobody's data: remembered by the process."""


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = terminology().raw["drug-classes"]
    return table


@cache
def _route_patterns() -> tuple[tuple[Route, TextPattern], ...]:
    routes = terminology().raw["text-patterns"]["routes"]
    return tuple((Route(name), TextPattern(patterns)) for name, patterns in routes.items())


@cache
def _route_codes() -> dict[str, Route]:
    by_system = terminology().raw["text-patterns"]["route_codes"].values()
    return {code: Route(route) for codes in by_system for code, route in codes.items()}


def route_of(concept: object, product: str = "") -> Route | None:
    """The route by its code, else its words, else the words of the product ("oral tablet", "topical cream")."""
    for coding in codings(concept):
        route = _route_codes().get(str(coding.get("code") or "").strip().upper())
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
def usual_route(drugs: frozenset[str]) -> Route | None:
    """The route of drugs that have only one, for records that leave it out."""
    routes = {entry["route"] for drug in drugs if (entry := _table()["drugs"].get(drug)) and "route" in entry}
    return Route(routes.pop()) if len(routes) == 1 else None


def refined(drugs: frozenset[str], dose: Dose, strength_mg: Decimal | None, name: str) -> frozenset[str]:
    """The drugs, with those that are another product at this dose, interval or brand replaced by it."""
    rules = _rules_by_dose()
    if drugs.isdisjoint(rules):
        return drugs
    result: set[str] = set()
    for drug in drugs:
        holding = (rule["drugs"] for rule in rules.get(drug, ()) if _holds(rule, dose, strength_mg, name))
        result |= set(next(holding, [drug]))
    return frozenset(result)


@cache
def _rules_by_dose() -> dict[str, list[dict[str, Any]]]:
    """The rules of `by_dose` for each drug, in their order."""
    rules: dict[str, list[dict[str, Any]]] = {}
    for rule in _table()["by_dose"]:
        rules.setdefault(rule["drug"], []).append(rule)
    return rules


def _holds(rule: dict[str, Any], dose: Dose, strength_mg: Decimal | None, name: str) -> bool:
    single = dose.single_mg if dose.single_mg is not None else strength_mg
    if "single_mg_at_most" in rule:
        return single is not None and single <= Decimal(rule["single_mg_at_most"])
    if "single_mg_at_least" in rule:
        return single is not None and single >= Decimal(rule["single_mg_at_least"])
    if "interval_days_at_most" in rule:
        return dose.interval_days is not None and dose.interval_days <= Decimal(rule["interval_days_at_most"])
    return "name" in rule and rule["name"] in name.lower()


@lru_cache(maxsize=_CACHED_DRUGS)
def classes_of(drugs: frozenset[str], *, route: Route | None) -> frozenset[str]:
    """The classes that drugs belong to by this route. A glucocorticoid on the skin has none."""
    found: set[str] = set()
    for drug in drugs:
        entry = _table()["drugs"].get(drug)
        if entry is None or (route is not None and route.value in entry.get("not_routes", ())):
            continue
        found |= set(entry["classes"])
        if "oral_class" in entry and route in {None, Route.ORAL}:
            found.add(entry["oral_class"])
    for rule in _table()["by_route"]:
        if rule["drug"] in drugs and route is not None and route.value == rule["route"]:
            found = (found | set(rule["add"])) - set(rule["drop"])
    return frozenset(found)


@lru_cache(maxsize=_CACHED_DRUGS)
def ingredients_of(drugs: frozenset[str]) -> frozenset[str]:
    """What two records must have in common to be about one drug, whatever code system each uses."""
    table = _table()
    named = frozenset(table["same_as"].get(drug, drug) for drug in drugs)
    return (named - frozenset(table["general"])) or named


@lru_cache(maxsize=_CACHED_DRUGS)
def acts_months(drugs: frozenset[str]) -> int | None:
    """For how many months one dose of a depot drug acts; None for other drugs."""
    months = [entry["acts_months"] for d in drugs if (entry := _table()["drugs"].get(d)) and "acts_months" in entry]
    return max(months, default=None)


def iu_per_mg(drugs: frozenset[str]) -> Decimal | None:
    """International units in one mg, where all the drugs that are dosed so agree."""
    factors = {Decimal(entry["iu_per_mg"]) for drug, entry in _table()["iu_per_mg"].items() if drug in drugs}
    return factors.pop() if len(factors) == 1 else None
