"""A hospital may change a limit of a safety statement only so that it protects more patients, never fewer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from app.engine.criteria import All, AnyOf, Limit, Named, Node, Not
from app.engine.knowledge import AdviceKind, Rule
from app.yaml_files import Problem

_HOLDS_MORE_WITH_LESS = frozenset({"at_least", "above"})


def loosened_limits(rules: Iterable[Rule], advice: Iterable[AdviceKind]) -> Iterator[Problem]:
    """Changed limits that would let a safety statement, or a gate of an advice, protect fewer patients."""
    for rule in rules:
        if not rule.block.protects:
            continue
        lines = ", ".join(map(str, rule.block.source.lines))
        where = f"{rule.id} is a safety statement ({rule.source.title}, line {lines})"
        holds = [rule.when, rule.rides_when, rule.indicator_when]
        for node, protects in [*((one, True) for one in holds), *((u.node, False) for u in rule.unless)]:
            yield from _loosened(node, protects, where)
    for kind in advice:
        for gate in kind.gates:
            yield from _loosened(gate.node, True, f"a gate of {kind.id} rests on it")


def _loosened(node: Node, protects: bool, where: str) -> Iterator[Problem]:
    """Limits below `node` that make it hold for fewer patients, where holding protects (else for more)."""
    for limit, positive in _limits(node, protects):
        local = limit.local
        if local is None:
            continue
        holds_more = (limit.limit < local.source_limit) is (limit.operator in _HOLDS_MORE_WITH_LESS)
        if holds_more is not positive:
            message = (
                f"{where}: its limit may only be made stricter. The source has {local.source_limit} {limit.unit} "
                f"({limit.written!r}), {limit.limit} would protect fewer patients"
            )
            yield Problem(local.file, local.line, message)


def _limits(node: Node, positive: bool) -> Iterator[tuple[Limit, bool]]:
    match node:
        case Limit():
            yield node, positive
        case Not():
            yield from _limits(node.child, not positive)
        case Named():
            yield from _limits(node.child, positive)
        case All() | AnyOf():
            for child in node.children:
                yield from _limits(child, positive)
