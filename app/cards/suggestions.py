"""Suggestions: the orders that a clinician can accept with one click."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from app.advice.model import Advice, DrugOption, OptionStatus
from app.cards.drug_lines import dose_of
from app.cards.orders import OrderContext, medication_request, service_request
from app.cards.wording import Wording
from app.cds_hooks.response import Action, ActionType, Suggestion, Written
from app.chart import DraftOrder, is_named
from app.engine.knowledge import Knowledge
from app.engine.schema import Drug, Orderable

REMOVED = 10
"""Most draft orders that suggestions of one card remove; beyond, the card offers no order in their place."""


@dataclass(frozen=True, slots=True)
class Ordering:
    """For whom and when orders are written."""

    patient_id: str
    authored: date
    encounter_id: str | None = None
    requester: str | None = None


def suggestions_of(
    advice: Advice, knowledge: Knowledge, ordering: Ordering, wording: Wording, summary: str
) -> tuple[Suggestion, ...]:
    """The suggestions of a card; alternatives of one decision, of which at most one is accepted."""
    if advice.no_suggestion:
        return ()
    if len(advice.orders) > REMOVED or not all(is_named(order.ref) for order in advice.orders):
        return ()  # a draft that stays, and another order beside it, would be one drug too many
    reasons = tuple(
        dict.fromkeys(e.resource for e in advice.evidence if e.resource and e.resource.startswith("Condition/"))
    )
    writer = _Writer(ordering, wording, summary, reasons)
    if advice.removable:
        removable = [order for order in advice.removable if is_named(order.ref)]
        return tuple(writer.removal(order) for order in removable[:REMOVED])
    if advice.options:
        offered = [option for option in advice.options if option.status is OptionStatus.OFFERED]
        return tuple(writer.drug(advice, option, first=index == 0) for index, option in enumerate(offered))
    if advice.calcium:
        drug, source = advice.calcium
        return (writer.calcium(drug, source),)
    items = [knowledge.orderables[name].block for name in advice.kind.block.suggests if name in knowledge.orderables]
    items += advice.tests
    return (writer.services(items),) if items else ()


class _Writer:
    """Writes the resources of one card's suggestions."""

    def __init__(self, ordering: Ordering, wording: Wording, summary: str, reasons: Sequence[str]) -> None:
        self._ordering, self._summary, self._reasons = ordering, summary, reasons
        self._texts, self._phrases, self._wording = wording.locale, wording.phrases, wording

    @cached_property
    def _context(self) -> OrderContext:
        return OrderContext(
            patient_id=self._ordering.patient_id,
            reason_text=self._summary,
            reason_refs=self._reasons,
            authored=self._ordering.authored,
            locale=self._texts,
            encounter_id=self._ordering.encounter_id,
            requester=self._ordering.requester,
        )

    def services(self, items: Sequence[Orderable]) -> Suggestion:
        """Orders for examinations: all of them belong together."""
        names = self._phrases.list_separator.join(self._texts.orderables[item.id].name for item in items)
        actions = tuple(
            Action(
                ActionType.CREATE,
                self._phrases.create_order.format(name=self._texts.orderables[item.id].name),
                Written(service_request(item, self._context)),
            )
            for item in items
        )
        return Suggestion(self._phrases.order.format(name=names), actions, is_recommended=True)

    def drug(self, advice: Advice, option: DrugOption, *, first: bool) -> Suggestion:
        """A drug option; where it stands for unsafe draft orders, they are deleted with it."""
        texts = self._texts.drugs[option.drug.id]
        label = f"{texts.name}{self._phrases.colon}{texts.orders['any'].text}"
        actions = [self._create(option.drug, "any", prior=advice.replaces)]
        actions = [*(self._delete(order) for order in advice.orders), *actions]
        return Suggestion(label, tuple(actions), is_recommended=first)

    def removal(self, order: DraftOrder) -> Suggestion:
        """To remove one of several drafts that are in conflict."""
        delete = self._delete(order)
        return Suggestion(delete.description, (delete,))

    def _delete(self, order: DraftOrder) -> Action:
        description = self._phrases.delete_draft.format(order=self._wording.course(order.course))
        return Action(ActionType.DELETE, description, resource_id=order.ref)

    def calcium(self, drug: Drug, source: str) -> Suggestion:
        """Calcium with vitamin D in the amounts of a source."""
        label = f"{self._texts.drugs[drug.id].name}{self._phrases.colon}{dose_of(drug, source, self._wording)}"
        return Suggestion(label, (self._create(drug, source),), is_recommended=True)

    def _create(self, drug: Drug, source: str, *, prior: str | None = None) -> Action:
        name = self._texts.drugs[drug.id].name
        resource = medication_request(drug, source, self._context, prior=prior)
        return Action(ActionType.CREATE, self._phrases.create_order.format(name=name), Written(resource))
