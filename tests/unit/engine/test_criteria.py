"""Criteria: the grammar, the limits on both sides, unknown values, intervals, and messages for mistakes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.engine.compiler import Compiler, CriterionError
from app.engine.criteria import Node, Truth
from app.features.model import Evidence, Feature, FeatureSpec, Kind

SPECS = {
    "t_score": FeatureSpec("t_score", Kind.NUMBER, "a T-score", "SD"),
    "count": FeatureSpec("count", Kind.NUMBER, "a count"),
    "fracture": FeatureSpec("fracture", Kind.TRUTH, "a fracture"),
    "smokes": FeatureSpec("smokes", Kind.TRUTH, "smokes"),
    "status": FeatureSpec("status", Kind.WORD, "a status", words=frozenset({"pre", "post"})),
}


class Vocabulary:
    def spec(self, name: str) -> FeatureSpec:
        if name not in SPECS:
            raise LookupError(f"unknown feature {name}")
        return SPECS[name]


class Patient:
    def __init__(self, **values: Any) -> None:
        self.values = values
        self.memos: dict[Any, dict[Any, Any]] = {}

    def settled(self, criterion: object, decide: Any) -> bool | None:
        return decide(self)

    def feature(self, name: str) -> Feature:
        value = self.values.get(name)
        if isinstance(value, Feature):
            return value
        if value is None:
            return Feature(why_unknown="not recorded", missing=(f"missing {name}",))
        number = Decimal(str(value)) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
        return Feature(number, (Evidence(name, number),))


def compiled(tree: object, **named: object) -> Node:
    return Compiler(Vocabulary(), named).compile(tree)


def truth(tree: object, **values: Any) -> Truth:
    return compiled(tree).evaluate(Patient(**values)).truth


def limit(operator: str, value: float) -> dict[str, Any]:
    return {"t_score": {operator: value, "unit": "SD", "written": "as the source says"}}


@pytest.mark.parametrize(
    ("operator", "below", "at", "above"),
    [
        ("at_least", False, True, True),
        ("above", False, False, True),
        ("at_most", True, True, False),
        ("below", True, False, False),
        ("equals", False, True, False),
    ],
)
def test_a_limit_is_tested_below_at_and_above(operator: str, below: bool, at: bool, above: bool) -> None:
    tree = limit(operator, -2.5)
    assert [truth(tree, t_score=value) for value in (-2.6, -2.5, -2.4)] == [below, at, above]


@pytest.mark.parametrize(
    ("operator", "low", "high", "open_ends", "expected"),
    [
        ("at_least", 3, 5, False, True),
        ("at_least", 1, 2, False, False),
        ("at_least", 2, 4, False, None),
        ("at_least", None, 3, True, False),  # "<3" is below 3
        ("at_least", None, 3, False, None),  # "<=3" may be 3
        ("above", 3, None, True, True),  # ">3" is above 3
        ("above", 3, None, False, None),  # ">=3" may be 3
        ("above", None, 3, False, False),
        ("at_most", None, 3, False, True),
        ("at_most", 3, None, True, False),
        ("below", None, 3, True, True),
        ("below", 3, None, False, False),
        ("below", 2, 4, False, None),
        ("equals", 4, None, False, False),
        ("equals", 2, 4, False, None),
    ],
)
def test_an_interval_is_decided_only_where_all_of_it_lies_on_one_side(
    operator: str, low: int | None, high: int | None, open_ends: bool, expected: Truth
) -> None:
    feature = Feature(
        low=None if low is None else Decimal(low),
        high=None if high is None else Decimal(high),
        low_open=open_ends,
        high_open=open_ends,
    )
    assert truth(limit(operator, 3), t_score=feature) is expected


def test_unknown_never_makes_a_criterion_hold() -> None:
    assert truth("fracture") is None
    assert truth({"not": "fracture"}) is None
    assert truth(limit("at_most", -2.5)) is None
    assert truth({"status": {"is": "post"}}) is None


def test_one_false_decides_all_whatever_is_unknown() -> None:
    assert truth({"all": ["fracture", "smokes"]}, smokes=False) is False
    assert truth({"any": ["fracture", "smokes"]}, smokes=True) is True
    assert truth({"all": ["fracture", "smokes"]}, smokes=True) is None


def test_known_is_never_unknown() -> None:
    assert truth({"known": "fracture"}) is False
    assert truth({"known": "fracture"}, fracture=False) is True


def test_an_unknown_outcome_names_what_would_decide_it_and_nothing_else() -> None:
    outcome = compiled({"all": ["fracture", {"any": ["smokes", limit("below", -1)]}]}).evaluate(Patient(smokes=True))
    assert outcome.truth is None
    assert outcome.missing == ("missing fracture",)
    assert outcome.undecided == ("fracture",)


def test_evidence_of_a_true_any_is_of_every_branch_that_holds() -> None:
    outcome = compiled({"any": ["fracture", "smokes", limit("below", -1)]}).evaluate(
        Patient(fracture=True, smokes=False, t_score=-2)
    )
    assert [evidence.feature for evidence in outcome.evidence] == ["fracture", "t_score"]


def test_named_criteria_are_compiled_once_and_keep_their_name() -> None:
    node = compiled({"all": ["frail-person", "smokes"]}, **{"frail-person": {"any": ["fracture"]}})
    assert node.evaluate(Patient(fracture=True, smokes=True)).truth is True
    assert "frail-person" in str(node)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ("fractur", "unknown feature fractur"),
        ("t_score", "not a truth"),
        ({"t_score": {"at_mots": -2.5, "unit": "SD", "written": "x"}}, "did you mean at_most"),
        ({"t_score": {"at_most": -2.5, "written": "x"}}, "write unit: SD"),
        ({"t_score": {"at_most": -2.5, "unit": "SD"}}, "source's own words"),
        ({"t_score": {"at_most": "low", "unit": "SD", "written": "x"}}, "not a number"),
        ({"t_score": {"at_most": -2.5, "unit": "SD", "written": "x", "basis": "guess"}}, "basis is one of"),
        ({"t_score": {"unit": "SD"}}, "exactly one comparison"),
        ({"status": {"is": "perhaps"}}, "never 'perhaps'"),
        ({"all": "fracture"}, "needs a list"),
        ({"fracture": True, "smokes": True}, "one key expected"),
        (7, "name or a mapping"),
    ],
)
def test_a_mistake_is_named(tree: object, message: str) -> None:
    with pytest.raises(CriterionError, match=message):
        compiled(tree)


def test_a_named_criterion_that_uses_itself_is_refused() -> None:
    with pytest.raises(CriterionError, match="uses itself"):
        compiled("a", a={"any": ["b"]}, b={"not": "a"})
