"""Drug options: every source's contraindications first, then the ranking of the sources that may speak."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from app.advice.model import Cited, DrugOption, OptionStatus, Role
from app.engine.finding import missing_of
from app.engine.knowledge import Knowledge
from app.engine.schema import Drug
from app.features.drugs.exposure import ONCOLOGICAL
from app.features.model import Evidence, Features
from app.terminology.drug_classes import classes_of_shared_intolerance


@dataclass(frozen=True)
class DrugKnowledge:
    """The effect of all findings on drugs, for one patient in one profile."""

    knowledge: Knowledge
    profile: str
    features: Features
    rules: Sequence[Cited]  # findings of recommendations with a drug_rule, of any truth
    places_in_therapy: Sequence[Cited]  # findings of recommendations with an option, of sources that lead or fill
    _by_drug: dict[frozenset[str], list[Cited]] = field(default_factory=dict, repr=False)

    @cached_property
    def running(self) -> list[Drug]:
        """The drugs of the formulary that the patient takes now."""
        drugs = self.knowledge.drugs.values()
        return [drug for drug in drugs if self.features.feature(f"takes.{drug.course}").value is True]

    def effect(self, cited: Cited, classes: Iterable[str]) -> str:
        """What a contraindication or caution does in this profile: block or caution; none where it has no drug rule."""
        rule = cited.rule.block.drug_rule
        if rule is None:
            return "none"
        if rule.with_malignancy and self.is_oncological(classes):
            return rule.with_malignancy
        return rule.effect_in.get(self.profile, rule.effect)

    def is_oncological(self, classes: Iterable[str]) -> bool:
        """Whether the product is an oncological one in a patient with known malignancy: oncology doses it."""
        return ONCOLOGICAL in frozenset(classes) and self.features.feature("condition.malignancy").value is True

    def concerning(self, classes: Iterable[str]) -> list[Cited]:
        """The contraindications and cautions that speak of a drug with these names and classes."""
        names = frozenset(classes)
        if names not in self._by_drug:
            self._by_drug[names] = [
                c for c in self.rules if c.rule.block.drug_rule and not names.isdisjoint(c.rule.block.drug_rule.drugs)
            ]
        return self._by_drug[names]

    def blocks(self, classes: Iterable[str]) -> list[Cited]:
        """The contraindications that hold."""
        return [c for c in self.concerning(classes) if c.holds and self.effect(c, classes) == "block"]

    def cautions(self, classes: Iterable[str]) -> list[Cited]:
        """The cautions that hold."""
        return [c for c in self.concerning(classes) if c.holds and self.effect(c, classes) == "caution"]

    def must_know(self, classes: Iterable[str], place: Cited | None = None) -> tuple[str, ...]:
        """Data without which the drug is not suggested: undecided contraindications, and what its place asks.

        A value known as an interval (">90") is known where every limit lies outside of it.
        """
        missing: list[str] = []
        for cited in self.concerning(classes):
            rule = cited.rule.block.drug_rule
            if rule and rule.must_know and cited.truth is None:
                missing += cited.finding.outcome.missing or missing_of(self.features, rule.must_know)
        names = place.rule.block.option.must_know if place and place.rule.block.option else []
        for name in names:
            feature = self.features.feature(name)
            if feature.value is None and feature.low is None and feature.high is None:
                missing += feature.missing or (name,)
        return tuple(dict.fromkeys(missing))

    def rests_on(self, classes: Iterable[str]) -> tuple[Evidence, ...]:
        """The values that had to be known before a drug was offered, such as a clearance that was computed."""
        names = [
            n for c in self.concerning(classes) if c.rule.block.drug_rule for n in c.rule.block.drug_rule.must_know
        ]
        return tuple(item for name in dict.fromkeys(names) for item in self.features.feature(name).evidence)

    def left_open_by(self, classes: Iterable[str]) -> tuple[Evidence, ...]:
        """Values that had to be known and are known as an interval only, such as data that contradict each other."""
        names = [
            n for c in self.concerning(classes) if c.rule.block.drug_rule for n in c.rule.block.drug_rule.must_know
        ]
        features = [self.features.feature(name) for name in dict.fromkeys(names)]
        return tuple(
            item for feature in features if not feature.known and feature.high is not None for item in feature.evidence
        )

    def asks(self, classes: Iterable[str]) -> tuple[str, ...]:
        """Data that a caution asks for: named on the card, holding nothing back."""
        missing: list[str] = []
        for cited in self.concerning(classes):
            if cited.truth is None and cited.rule.ask_when.truth(self.features) is True:
                missing += missing_of(self.features, cited.rule.block.ask)
        return tuple(dict.fromkeys(missing))

    def not_tolerated(self, drug: Drug) -> tuple[Evidence, ...]:
        """Evidence that this patient did not tolerate the drug, or another of a class whose drugs share it."""
        shared = [name for name in drug.classes if name in classes_of_shared_intolerance()]
        for name in (drug.course, *shared):
            feature = self.features.feature(f"intolerant.{name}")
            if feature.value is True:
                return feature.evidence
        return ()

    def intolerance(self, classes: Iterable[str]) -> tuple[Evidence, ...]:
        """Evidence that the patient did not tolerate the formulary's drug with these names and classes."""
        names = set(classes)
        found = (self.not_tolerated(drug) for drug in self.knowledge.drugs.values() if drug.course in names)
        return tuple(dict.fromkeys(evidence for each in found for evidence in each))

    def options(self, purpose: str, exclude: Iterable[str] = ()) -> tuple[DrugOption, ...]:
        """The options for a purpose, best first; `exclude`: drugs that are running or ordered already."""
        excluded = set(exclude)
        best: dict[str, list[Cited]] = {}
        for place in self.places_in_therapy:
            option = place.rule.block.option
            if option and purpose in option.purposes and place.holds and option.drug not in excluded:
                best.setdefault(option.drug, []).append(place)
        options = [
            self._option(self.knowledge.drugs[name], places_in_therapy) for name, places_in_therapy in best.items()
        ]
        formulary = self.knowledge.local.drug_order
        last = len(formulary)
        return tuple(sorted(options, key=lambda o: (o.demoted, formulary.get(o.drug.id, last), o.rank, o.drug.id)))

    def _option(self, drug: Drug, places_in_therapy: list[Cited]) -> DrugOption:
        # The lead's place counts; a filler's only where the lead is silent about the drug.
        leading = [place for place in places_in_therapy if place.role is Role.LEAD] or places_in_therapy
        first = min(leading, key=_rank)
        option = first.rule.block.option
        suggest = option is not None and option.suggest and bool(drug.orders)
        blocked, cautions = self.blocks(drug.classes), self.cautions(drug.classes)
        not_tolerated = self.not_tolerated(drug)
        missing = self.must_know(drug.classes, first)
        if blocked or not_tolerated:
            status = OptionStatus.BLOCKED
        elif drug.id in self.knowledge.local.not_stocked:
            status = OptionStatus.NOT_STOCKED
        elif missing:
            status = OptionStatus.WITHHELD
        else:
            status = OptionStatus.OFFERED if suggest else OptionStatus.NAMED
        return DrugOption(
            drug=drug,
            status=status,
            rank=_rank(first),
            demoted=any(c.rule.block.drug_rule and c.rule.block.drug_rule.demotes for c in cautions),
            by=tuple(leading),
            blocked_by=tuple(blocked),
            cautions=tuple(cautions),
            not_tolerated=not_tolerated,
            missing=missing if status is OptionStatus.WITHHELD else (),
        )


def _rank(place: Cited) -> int:
    option = place.rule.block.option
    return option.rank if option else 0
