"""Three-valued truth of a criterion as it is written in YAML: True, False, or None for unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Truth = bool | None
Tree = Any


@dataclass(frozen=True)
class Between:
    """A number known only as an interval: an end that is None is not known; an open end is not reached itself."""

    low: Decimal | None = None
    high: Decimal | None = None
    low_open: bool = False
    high_open: bool = False


Value = bool | Decimal | str | frozenset[str] | Between | None


class Oracle:
    """Evaluates trees for one patient. `values`: features by name, None for unknown. `named`: named criteria."""

    def __init__(self, values: Mapping[str, Value], named: Mapping[str, Tree]) -> None:
        self.values, self.named = values, named

    def truth(self, tree: Tree) -> Truth:
        """The truth of a criterion."""
        if isinstance(tree, bool):
            return tree
        if isinstance(tree, str):
            if tree in self.named:
                return self.truth(self.named[tree])
            value = self.values[tree]
            return value if isinstance(value, bool) else None
        ((key, content),) = tree.items()
        if key == "all":
            children = [self.truth(child) for child in content]
            return False if False in children else None if None in children else True
        if key == "any":
            children = [self.truth(child) for child in content]
            return True if True in children else None if None in children else False
        if key == "not":
            inner = self.truth(content)
            return None if inner is None else not inner
        if key == "known":
            value = self.values[content]
            return value is not None and not isinstance(value, Between)
        return self._compared(self.values[key], content)

    def _compared(self, value: Value, comparison: Mapping[str, Any]) -> Truth:
        if value is None:
            return None
        for word in ("is", "one_of", "includes"):
            if word in comparison:
                wanted = comparison[word] if isinstance(comparison[word], list) else [comparison[word]]
                found = value if isinstance(value, frozenset) else {value}
                return any(str(one) in found for one in wanted)
        ((operator, written),) = [(k, v) for k, v in comparison.items() if k in _HOLDS]
        limit = Decimal(str(written))
        if isinstance(value, Between):
            return self._interval(value, operator, limit)
        return bool(_HOLDS[operator](value, limit))

    def _interval(self, value: Between, operator: str, limit: Decimal) -> Truth:
        """Decided where all of the interval lies on one side of the limit, else unknown."""
        entirely_above = value.low is not None and (value.low > limit or (value.low == limit and value.low_open))
        at_or_above = value.low is not None and value.low >= limit
        entirely_below = value.high is not None and (value.high < limit or (value.high == limit and value.high_open))
        at_or_below = value.high is not None and value.high <= limit
        holds, fails = {
            "at_least": (at_or_above, entirely_below),
            "above": (entirely_above, at_or_below),
            "at_most": (at_or_below, entirely_above),
            "below": (entirely_below, at_or_above),
            "equals": (False, entirely_above or entirely_below),
        }[operator]
        return True if holds else False if fails else None

    def stands(self, when: Tree, exclusions: list[Mapping[str, Any]]) -> bool:
        """Whether a recommendation stands: its criterion holds, and no exclusion holds or, unknown, withholds it."""
        if self.truth(when) is not True:
            return False
        for exclusion in exclusions:
            excluded = self.truth(exclusion["when"])
            if excluded is True or (excluded is None and exclusion.get("unknown", "ask") == "withhold"):
                return False
        return True


_HOLDS: Mapping[str, Any] = {
    "at_least": lambda value, limit: value >= limit,
    "above": lambda value, limit: value > limit,
    "at_most": lambda value, limit: value <= limit,
    "below": lambda value, limit: value < limit,
    "equals": lambda value, limit: value == limit,
}
