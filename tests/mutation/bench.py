"""The clinical cases, read once, and the judgement of mutants by them.

The features of a case do not depend on the recommendations, so they are worked out once for all mutants; of what is
kept with them, only the truths of criteria are of one mutant. A mutant of rules is looked at in those cases only in
which a rule that differs says something else, and it is rendered only where the advice differs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar
from unittest import mock

import app.advice.reconcile
import app.pipeline
from app.advice.model import Advice, AdviceSet
from app.advice.profile import roles_in
from app.advice.reconcile import Advisor
from app.advice.renewal import renewal_of
from app.cases.builder import SERVICE, Builder
from app.cases.expectations import unmet
from app.cds_hooks.hooks import SERVICES_BY_ID
from app.cds_hooks.request import HookRequest, read_request
from app.chart import Chart
from app.engine.finding import evaluate
from app.engine.knowledge import Rule
from app.features import PatientFeatures
from app.features.model import Memo
from app.pipeline import Answering, OsteonPipeline, feature_settings
from app.settings import Settings
from tests.clinical.cases import TODAY, Case, all_cases
from tests.clinical.outline import Outline, outline_of
from tests.mutation.compile import Mutated, Workshop
from tests.support.wire import call


@dataclass(eq=False)
class Situation:
    """A case that has been read, with the features of its chart and its answer without a mutant."""

    file: str
    number: int
    case: Case
    request: HookRequest
    chart: Chart
    features: PatientFeatures
    signature: Any = None
    outline: Outline = field(default_factory=dict)
    names: frozenset[str] = frozenset()  # recommendations, advice and drugs of its answer and its expectations
    opened: frozenset[str] = frozenset()  # advice that is opened, before gates and joins
    acting: frozenset[str] = frozenset()  # recommendations that have a role in the profile of the case
    patients: tuple[PatientFeatures, ...] = ()  # the features of its chart, and of the chart as renewed
    kept: tuple[int, ...] = ()

    @property
    def id(self) -> str:
        """The id of the case."""
        return str(self.case["id"])


class _Warm(OsteonPipeline):
    """A pipeline that takes charts from the situations."""

    charts: ClassVar[dict[int, Chart]] = {}  # by the identity of the request; set for each bench

    def chart(self, request: HookRequest, *, today: Any) -> Chart:
        return self.charts[id(request)]


class Bench:
    """All cases, warm."""

    def __init__(self, workshop: Workshop, cases: Iterable[tuple[str, Case]] | None = None) -> None:
        self.workshop = workshop
        self.settings = Settings()
        self._features_of: dict[int, PatientFeatures] = {}
        self._renewals: dict[int, Any] = {}
        self._charts: dict[int, Chart] = {}
        self._stack = contextlib.ExitStack()
        self.feature_settings = feature_settings(self.settings)
        base = OsteonPipeline(workshop.base, Advisor(workshop.base), self.settings, self.feature_settings)
        self._opened: set[str] = set()
        self._by_criterion: set[Memo[Any, Any]] = set()
        self.situations = [
            self._read(base, file, number, case) for number, (file, case) in enumerate(cases or all_cases())
        ]
        self.pipeline = self._pipeline(workshop.base)
        with self.warm():
            for one in self.situations:
                self._keep_answer(one)
        for one in self.situations:
            self._by_criterion |= {
                memo for memo, kept in one.features.memos.items() if not kept.keys().isdisjoint(workshop.trees)
            }
        self.by_name: dict[str, list[Situation]] = {}
        for one in self.situations:
            for name in one.names:
                self.by_name.setdefault(name, []).append(one)
        self._said: dict[str, list[Any]] = {}

    def _read(self, base: OsteonPipeline, file: str, number: int, case: Case) -> Situation:
        body = Builder(case, TODAY).request()
        request = read_request(call(body), SERVICES_BY_ID[SERVICE[body["hook"]]])
        chart = base.chart(request, today=TODAY)
        features = PatientFeatures(chart, self.feature_settings)
        self._charts[id(request)] = chart
        self._features_of[id(chart)] = features
        roles = roles_in(base.knowledge, str(request.configuration.profile), features)
        acting = frozenset(rule.id for rule in base.knowledge.rules.values() if roles.role_of(rule))
        return Situation(file, number, case, request, chart, features, acting=acting)

    def _pipeline(self, knowledge: Any) -> OsteonPipeline:
        made = _Warm(knowledge, Advisor(knowledge), self.settings, self.feature_settings)
        object.__setattr__(made, "charts", self._charts)
        return made

    def _renewal(self, chart: Chart) -> Any:
        if id(chart) not in self._renewals:
            self._renewals[id(chart)] = chart, renewal_of(chart)
        return self._renewals[id(chart)][1]

    def _kept_features(self, chart: Chart, settings: Any) -> PatientFeatures:
        if id(chart) not in self._features_of:
            self._features_of[id(chart)] = PatientFeatures(chart, settings)
        return self._features_of[id(chart)]

    @contextlib.contextmanager
    def warm(self) -> Iterator[None]:
        """Within this, the pipeline takes features and renewals from the bench."""
        finished = app.advice.reconcile._finished

        def watched(situation: Any, chart: Chart) -> list[Advice]:
            self._opened |= {name for name, _ in situation.opened.drafts}
            return finished(situation, chart)

        with (
            mock.patch.object(app.advice.reconcile, "_finished", watched),
            mock.patch.object(app.pipeline, "PatientFeatures", self._kept_features),
            mock.patch.object(app.pipeline, "renewal_of", self._renewal),
        ):
            yield

    def _keep_answer(self, one: Situation) -> None:
        self._opened.clear()
        for _ in range(2):  # the second time with all features worked out, as for the mutants
            worked = self._work(self.pipeline, one)
            one.signature = signature(worked.advice)
        one.opened = frozenset(self._opened)
        body = self._body(self.pipeline, one)
        one.outline = outline_of(body)
        expect = one.case["expect"]
        names = {*(expect.get("fire") or ()), *(expect.get("not_fire") or ()), *(expect.get("advice") or ())}
        names |= {c.id for a in worked.advice.advice for c in a.cited} | {a.id for a in worked.advice.advice}
        names |= {o.drug.id for a in worked.advice.advice for o in a.options}
        names |= {a.calcium[0].id for a in worked.advice.advice if a.calcium}
        names |= {t.id for a in worked.advice.advice for t in a.tests}
        one.names = frozenset(names)
        self._keep(one)

    def _keep(self, one: Situation) -> None:
        """Remember how many truths are kept of the knowledge without a mutant; new ones come behind them."""
        one.patients = tuple(self._patients(one))
        one.kept = tuple(len(features._truths) for features in one.patients)

    def _patients(self, one: Situation) -> Iterator[PatientFeatures]:
        yield one.features
        renewal = self._renewals.get(id(one.chart), (None, None))[1]
        if renewal is not None:
            yield self._features_of[id(renewal.chart)]

    def _forget(self, one: Situation) -> None:
        """Forget what the criteria of a mutant were: they are kept by identity, or by name, which others can have."""
        for features, kept in zip(one.patients, one.kept, strict=True):
            truths = features._truths
            while len(truths) > kept:
                truths.popitem()
            for memo in self._by_criterion:
                features.memos.get(memo, {}).clear()

    def _work(self, pipeline: OsteonPipeline, one: Situation) -> Answering:
        return pipeline.work(one.request, today=TODAY)

    def _body(self, pipeline: OsteonPipeline, one: Situation) -> dict[str, Any]:
        return pipeline.answer(one.request, today=TODAY).to_json()

    def body_of(self, one: Situation) -> dict[str, Any]:
        """The JSON of the answer to a case without a mutant; within `warm`."""
        return self._body(self.pipeline, one)

    def outline_of(self, one: Situation) -> Outline:
        """The outline of that answer; within `warm`."""
        return outline_of(self.body_of(one))

    # -------------------------------------------------------------------------------------------------- judgement
    def killed_by(self, mutated: Mutated, *, outlines: bool) -> str | None:
        """The first case that fails with a mutant, and how; None where it survives."""
        pipeline = self._pipeline(mutated.knowledge)
        with self.warm():
            for one in self._candidates(mutated):
                try:
                    found = self._failure(pipeline, mutated, one, outlines)
                finally:
                    self._forget(one)
                if found:
                    return f"{one.file}:{one.id}: {found}"
        return None

    def _failure(self, pipeline: OsteonPipeline, mutated: Mutated, one: Situation, outlines: bool) -> str | None:
        if not mutated.rendered and signature(self._work(pipeline, one).advice) == one.signature:
            return None
        try:
            body = self._body(pipeline, one)
        except (KeyError, ValueError) as error:  # as HTTP 500: files that pass the start and cannot be answered from
            return f"no answer: {type(error).__name__}: {error}"
        failures = unmet(one.case["expect"], body)
        if failures:
            return failures[0]
        return "outline" if outlines and outline_of(body) != one.outline else None

    def _candidates(self, mutated: Mutated) -> Iterator[Situation]:
        """The cases that a mutant can reach: first those that name what differs."""
        first = {id(one): one for name in mutated.owners for one in self.by_name.get(name, ())}
        if mutated.rendered:
            yield from first.values()
            return
        rest = (one for one in self.situations if id(one) not in first)
        pairs = [(self._said_by(old), old, new, _members(old) != _members(new)) for old, new in mutated.rules.values()]
        for one in (*first.values(), *rest):
            reached = mutated.all_cases or not mutated.advice.isdisjoint(one.opened)
            reached = reached or any(self._differs(one, *pair) for pair in pairs)
            self._forget(one)
            if reached:
                yield one

    def _differs(self, one: Situation, said: list[Any], old: Rule, new: Rule, members: bool) -> bool:
        """Whether a rule that differs can say something else in a case."""
        if old.id not in one.acting and not new.block.safety:
            return False
        before = said[one.number]
        after = rule_says(new, one.features)
        return bool(before != after or (members and (before[0] is not False or after[0] is not False)))

    def _said_by(self, rule: Rule) -> list[Any]:
        """What a rule says in each case without a mutant."""
        if rule.id not in self._said:
            self._said[rule.id] = [rule_says(rule, one.features) for one in self.situations]
            for one in self.situations:
                self._forget(one)
        return self._said[rule.id]


def _members(rule: Rule) -> dict[str, Any]:
    """The members of a rule besides its criteria."""
    skipped = {"when", "unless", "rides_when", "indicator_when"}
    return {name: value for name, value in rule.block.model_dump().items() if name not in skipped}


def rule_says(rule: Rule, features: PatientFeatures) -> tuple[Any, ...]:
    """What a rule says of a patient."""
    beside = rule.rides_when.truth(features), rule.opens.truth(features)
    if rule.truth(features) is False:
        return False, *beside
    finding = evaluate(rule, features)
    return finding.truth, *beside, finding.indicator, finding.no_suggestion, finding.missing


def signature(advice: AdviceSet) -> tuple[Any, ...]:
    """What an advice set says, quickly compared; drugs and examinations by identity."""
    return tuple(_signature(one) for one in advice.advice), advice.missing, advice.left_out


def _signature(one: Advice) -> tuple[Any, ...]:
    return (
        one.id,
        one.topic,
        one.indicator,
        tuple((c.id, c.role) for c in one.cited),
        one.missing,
        tuple(
            (id(o.drug), o.status, o.demoted, tuple(c.id for c in (*o.by, *o.blocked_by, *o.cautions)), o.missing)
            for o in one.options
        ),
        tuple(map(id, one.tests)),
        one.calcium and (id(one.calcium[0]), one.calcium[1]),
        one.no_suggestion,
        one.no_drug_reasons,
        one.preamble,
        one.replacement_text,
        one.notes,
        one.disagreements,
        len(one.removable),
        one.replaces,
        one.drug_id,
        tuple(e.feature for e in one.evidence),
    )
