"""Moving one limit of the guideline files by one step, to see whether any clinical case notices.

A limit inside a named criterion is moved once, for all rules that use the name; any of them may notice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from app.advice.profile import roles_in
from app.cases.builder import SERVICE, Builder
from app.cds_hooks.hooks import SERVICES_BY_ID
from app.cds_hooks.request import read_request
from app.engine.criteria import All, AnyOf, Limit, Named, Node, Not
from app.engine.finding import evaluate
from app.engine.knowledge import CompiledUnless, Knowledge, Rule
from app.engine.schema import Use
from app.features import PatientFeatures
from app.pipeline import OsteonPipeline, build_pipeline
from app.settings import Settings
from tests.clinical.cases import TODAY, all_cases
from tests.support.wire import call

STEPS: Mapping[str, str] = {
    "SD": "0.1",
    "{T-score}": "0.1",
    "{Z-score}": "0.1",
    "kg/m2": "0.1",
    "cm": "0.1",
    "mmol/L": "0.01",
    "mg/d": "0.5",
    "%": "1",
}
"""One step of a value: its last digit as it is reported. All else (months, years, counts, mL/min) counts in ones."""
COARSE = {"mg/d": Decimal(100)}
"""Above this limit a dose counts in hundreds: grams of calcium are not ordered by half milligrams."""
STRICT = {"at_least": "above", "above": "at_least", "at_most": "below", "below": "at_most"}


@dataclass(frozen=True)
class Situation:
    """One clinical case, read: its features and the rules that speak in it."""

    case: str
    tags: frozenset[str]
    features: PatientFeatures
    speaking: frozenset[str]


@dataclass(frozen=True)
class Place:
    """A limit: the rule or named criterion that it stands in, which part, and its number there."""

    owner: str
    part: str
    index: int
    leaf: Limit

    def __str__(self) -> str:
        return f"{self.owner} [{self.part} {self.index}] {self.leaf}"


def situations(pipeline: OsteonPipeline | None = None) -> list[Situation]:
    """All clinical cases."""
    settings = Settings()
    pipeline = pipeline or build_pipeline(settings)
    found = []
    for _, case in all_cases():
        body = Builder(case, TODAY).request()
        request = read_request(call(body), SERVICES_BY_ID[SERVICE[body["hook"]]])
        features = PatientFeatures(pipeline.chart(request, today=TODAY), pipeline.feature_settings)
        roles = roles_in(pipeline.knowledge, str(request.configuration.profile), features)
        moment = "orders" if request.occasion.about_orders else "chart"
        acting = [rule for rule in pipeline.knowledge.rules.values() if roles.role_of(rule)]
        found.append(
            Situation(
                case["id"],
                frozenset(case.get("tags", ())),
                features,
                frozenset(rule.id for rule in acting if at(rule, moment)),
            )
        )
    return found


def at(rule: Rule, moment: str) -> bool:
    """Whether a rule can speak at a moment: supporting statements, drug rules and places in therapy do at every one."""
    block = rule.block
    return bool(block.drug_rule or block.option or block.use is Use.RIDES or moment in block.at)


def parts(rule: Rule) -> dict[str, Node]:
    """The criteria of a rule that have an effect, by name."""
    found = {"when": rule.when}
    found |= {f"unless {number}": unless.node for number, unless in enumerate(rule.unless)}
    if rule.rides_when is not rule.when:
        found["rides_when"] = rule.rides_when
    return found | {"opens": rule.opens, "indicator_when": rule.indicator_when}


def limits(node: Node) -> Iterator[tuple[str | None, Limit]]:
    """The limits below a node, each with the innermost name around it."""
    stack: list[tuple[str | None, Node]] = [(None, node)]
    while stack:
        name, one = stack.pop(0)
        match one:
            case Limit():
                yield name, one
            case Named():
                stack.insert(0, (one.name, one.child))
            case Not():
                stack.insert(0, (name, one.child))
            case All() | AnyOf():
                stack[0:0] = [(name, child) for child in one.children]
            case _:
                pass


def places(knowledge: Knowledge) -> tuple[Place, ...]:
    """Every limit of what can be cited or can name a drug; one inside a named criterion once."""
    found: dict[tuple[str, str, int], Place] = {}
    for rule in knowledge.rules.values():
        if not (rule.citable or rule.block.option):
            continue
        for part, node in parts(rule).items():
            counted: dict[str | None, list[Limit]] = {}
            for name, leaf in limits(node):
                same = counted.setdefault(name, [])
                if name is None or leaf not in same:
                    same.append(leaf)
                    where = (rule.id, part) if name is None else (name, "criterion")
                    place = Place(*where, len(same) - 1, leaf)
                    found.setdefault((place.owner, place.part, place.index), place)
    return tuple(found.values())


def step(leaf: Limit) -> Decimal:
    """One step of the value that a limit is about."""
    if leaf.unit in COARSE and abs(leaf.limit) >= COARSE[leaf.unit]:
        return COARSE[leaf.unit]
    return Decimal(STEPS.get(leaf.unit, "1"))


def moves(leaf: Limit) -> Iterator[tuple[str, Limit]]:
    """The limit one step higher, one step lower, and with the other reading of the limit itself."""
    yield "one step higher", replace(leaf, limit=leaf.limit + step(leaf))
    yield "one step lower", replace(leaf, limit=leaf.limit - step(leaf))
    if leaf.operator in STRICT:
        yield f"as {STRICT[leaf.operator]}", replace(leaf, operator=STRICT[leaf.operator])


def _exchanged(node: Node, place: Place, new: Limit, inside: str | None = None) -> Node:
    """The node with the limit of a place exchanged, where it stands inside the same named criterion, or none."""
    match node:
        case Limit():
            return (
                new if node == place.leaf and inside == (place.owner if place.part == "criterion" else None) else node
            )
        case Named():
            return replace(node, child=_exchanged(node.child, place, new, node.name))
        case Not():
            return replace(node, child=_exchanged(node.child, place, new, inside))
        case All() | AnyOf():
            return replace(node, children=tuple(_exchanged(child, place, new, inside) for child in node.children))
        case _:
            return node


def moved(rule: Rule, place: Place, new: Limit) -> Rule:
    """The rule with the limit of a place exchanged."""
    own = place.part != "criterion"

    def change(part: str, node: Node) -> Node:
        return node if own and part != place.part else _exchanged(node, place, new)

    when = change("when", rule.when)
    return replace(
        rule,
        when=when,
        unless=tuple(
            CompiledUnless(change(f"unless {number}", unless.node), unless.unknown)
            for number, unless in enumerate(rule.unless)
        ),
        rides_when=when if rule.rides_when is rule.when else change("rides_when", rule.rides_when),
        opens=change("opens", rule.opens),
        indicator_when=change("indicator_when", rule.indicator_when),
    )


def says(rule: Rule, features: PatientFeatures) -> tuple[object, ...]:
    """What a rule says of a patient, as far as a card can show it."""
    features._truths.clear()
    features.memos.clear()  # what was kept of a named criterion is of the limits before the move
    finding = evaluate(rule, features)
    return (
        finding.truth,
        finding.indicator,
        finding.no_suggestion,
        rule.rides_when.evaluate(features).truth is True,
        rule.opens.evaluate(features).truth is True,
    )


@dataclass
class Movers:
    """All cases, and the rules by the named criteria that they use."""

    knowledge: Knowledge
    cases: list[Situation]

    def __post_init__(self) -> None:
        self.users: dict[str, list[Rule]] = {}
        for rule in self.knowledge.rules.values():
            if rule.citable or rule.block.option:
                names = {name for node in parts(rule).values() for name, _ in limits(node) if name}
                for name in names:
                    self.users.setdefault(name, []).append(rule)

    def unnoticed(self, place: Place) -> list[str]:
        """The moves of a limit that change the answer of no case."""
        return [f"{place}: {name}" for name, new in moves(place.leaf) if not self.noticed_by(place, new)]

    def noticed_by(self, place: Place, new: Limit) -> str | None:
        """A case whose answer changes."""
        rules = self.users[place.owner] if place.part == "criterion" else [self.knowledge.rules[place.owner]]
        changed: dict[str, Rule] = {}
        for situation in self.cases:
            feature = situation.features.feature(place.leaf.name)
            if place.leaf.decide(feature) is new.decide(feature):
                continue  # nothing else can change either
            for rule in rules:
                if rule.id not in situation.speaking:
                    continue
                other = changed.setdefault(rule.id, moved(rule, place, new))
                if says(rule, situation.features) != says(other, situation.features):
                    return situation.case
        return None
