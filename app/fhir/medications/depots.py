"""How long one dose of a depot drug lasts: as its drug file says, else by product, route and dose."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache

from msgspec import Struct

from app.chart import Route
from app.terminology.code_sets import terminology
from app.terminology.drug_classes import acts_months


class _Depot(Struct, frozen=True, gc=False):
    months: int
    route: Route | None
    doses: frozenset[Decimal]
    name: re.Pattern[str] | None

    def fits(self, route: Route | None, dose: Decimal | None, name: str) -> bool:
        """Whether a dose is of this product."""
        if self.route is not None and route is not self.route:
            return False
        if self.doses and dose not in self.doses:
            return False
        return self.name is None or self.name.search(name.lower()) is not None


@cache
def _depots() -> dict[str, tuple[_Depot, ...]]:
    return {
        drug: tuple(
            _Depot(
                entry["months"],
                Route(entry["route"]) if "route" in entry else None,
                frozenset(Decimal(dose) for dose in entry.get("single_mg", ())),
                re.compile(entry["name"]) if "name" in entry else None,
            )
            for entry in entries
        )
        for drug, entries in terminology().raw["dosage"]["depots"].items()
    }


def months_of_a_dose(
    ingredients: frozenset[str], route: Route | None, single_mg: Decimal | None, name: str
) -> int | None:
    """For how many months one dose lasts (guidelines/drugs, then guidelines/concepts/dosage.yaml); None: no depot."""
    months = acts_months(ingredients)
    if months is not None:
        return months
    for drug in ingredients & _depots().keys():
        for rule in _depots()[drug]:
            if rule.fits(route, single_mg, name):
                return rule.months
    return None
