"""The whole way of a call: HookRequest -> Chart -> RiskFeatures -> Finding -> Advice -> Card."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date
from zoneinfo import ZoneInfo

from msgspec import structs

from app.advice.delivery import fewer, to_be_read_later
from app.advice.model import AdviceSet
from app.advice.reconcile import Advisor
from app.advice.renewal import renewal_of, with_review
from app.cards.considered import explained
from app.cards.explanation import NAME
from app.cards.render import answer_of
from app.cards.suggestions import Ordering
from app.cds_hooks.errors import DataUnavailable
from app.cds_hooks.request import HookContext, HookRequest
from app.cds_hooks.response import HookAnswer
from app.chart import Chart, Occasion
from app.engine.knowledge import Knowledge
from app.engine.linker import load_knowledge
from app.features import FeatureSettings, PatientFeatures
from app.fhir.reader import ChartInput, ReadSettings, read_chart
from app.record_text import is_id
from app.settings import Settings
from app.terminology.codes import use_local_codes
from app.terminology.local_codes import fingerprint, read_local_codes
from app.terminology.word_lists import load_lexicons
from app.wire.medications import MedicationRequest
from app.wire.record import Record


@dataclass(frozen=True)
class Answering:
    """Everything that came of a call on its way; what `osteon explain` shows."""

    chart: Chart
    features: PatientFeatures
    advice: AdviceSet


@dataclass(frozen=True)
class OsteonPipeline:
    """Answers calls from the knowledge it was built with. Holds no patient data between calls."""

    knowledge: Knowledge
    advisor: Advisor
    settings: Settings
    feature_settings: FeatureSettings

    def answer(self, request: HookRequest, *, today: date) -> HookAnswer:
        """The cards for one call. Raises DataUnavailable (412) where required data did not come."""
        request.records.require()
        worked = self.work(request, today=today)
        configuration = request.configuration
        ordering = Ordering(
            patient_id=request.context.patient_id,
            authored=today,
            encounter_id=_encounter(request.context.encounter_id),
            requester=_repeated(_requester(request.context)),
        )
        profile, language = str(configuration.profile), str(configuration.language)
        answer = answer_of(
            worked.advice, self.knowledge, profile, worked.chart, ordering, language, self.settings.public_base_url
        )
        return self._with_explanation(answer, worked, profile, language) if configuration.explain else answer

    def _with_explanation(self, answer: HookAnswer, worked: Answering, profile: str, language: str) -> HookAnswer:
        """The answer with the timeline and all recommendations beside it, from the chart that the cards are from."""
        beside = (answer.extension or {}).get(NAME, {"profile": profile})
        told = explained(worked.advice, self.knowledge, profile, worked.chart, worked.features, language)
        return structs.replace(answer, extension={**(answer.extension or {}), NAME: {**beside, **told}})

    def work(self, request: HookRequest, *, today: date) -> Answering:
        """Chart, features and advice of a call."""
        chart = self.chart(request, today=today)
        features = PatientFeatures(chart, self.feature_settings)
        if chart.patient.deceased:
            return Answering(chart, features, AdviceSet(()))
        profile = str(request.configuration.profile)
        switched = request.configuration.switched
        advice = self.advisor.advise(profile, features, chart, request.occasion, switched=switched)
        renewal = renewal_of(chart)
        if renewal is not None:
            as_signed = PatientFeatures(renewal.chart, self.feature_settings)
            review = self.advisor.review(profile, as_signed, renewal, switched=switched)
            advice = with_review(advice, review, self.knowledge)
        if request.occasion is Occasion.REFILL:
            advice = to_be_read_later(advice, chart)
        wanted = request.configuration
        advice = fewer(advice, max_cards=wanted.max_cards, topics_off=wanted.topics_off)
        return Answering(chart, features, advice)

    def chart(self, request: HookRequest, *, today: date) -> Chart:
        """The chart that a request tells."""
        records, context = request.records, request.context
        if records.patient is None:
            raise DataUnavailable("required data came neither by prefetch nor from a FHIR server: patient")
        data = ChartInput(
            patient_id=context.patient_id,
            patient=records.patient,
            entries=records.entries,
            availability=records.availability,
            categories=records.categories,
            by_category=records.by_category,
            draft_orders=context.draft_orders,
            occasion=request.occasion,
            selections=context.selections,
            new_conditions=context.conditions,
            new_intolerances=context.intolerances,
            damaged=(*records.damaged, *context.damaged),
            addresses={**records.addresses, **context.addresses},
            already_set_aside=(*records.set_aside, *context.set_aside),
        )
        read = ReadSettings(active_record_months=self.feature_settings.active_record_months)
        return read_chart(data, today=today, tz=self._zone(request), settings=read)

    def _zone(self, request: HookRequest) -> ZoneInfo:
        """The time zone that decides what day a moment of the chart is."""
        named = request.configuration.timezone
        return ZoneInfo(named) if named else self.settings.zone


def _encounter(encounter_id: str | None) -> str | None:
    """The encounter, where its id is one: what is none is not written into an order."""
    return encounter_id if encounter_id and is_id(encounter_id) else None


def _repeated(reference: str | None) -> str | None:
    """A reference whose id is one."""
    return reference if reference and is_id(reference.rpartition("/")[2]) else None


def _requester(context: HookContext) -> str | None:
    """Who would order: only the types allowed in MedicationRequest.requester and ServiceRequest.requester.

    A refill can come without a user: then it is who asks for the prescriptions at hand, where that is one.
    """
    users = {context.user_id} if context.user_id else {_requested_by(order) for order in context.draft_orders}
    found = {user for user in users if user and user.partition("/")[0] in {"Practitioner", "PractitionerRole"}}
    return found.pop() if len(found) == 1 else None


def _requested_by(order: Record) -> str | None:
    """Who asks for a prescription, as "Type/id"; None where it does not name one."""
    requester = order.requester if isinstance(order, MedicationRequest) else None
    reference = requester.reference if requester is not None else None
    return reference if reference is not None and reference.count("/") == 1 else None


def feature_settings(settings: Settings) -> FeatureSettings:
    """The readings of the environment over the defaults of the decisions."""
    defaults = FeatureSettings()
    ages = {
        key: value
        for key in defaults.max_age_months
        if (value := getattr(settings, f"max_age_{key}_months", None)) is not None
    }
    own = {
        field.name: value
        for field in fields(FeatureSettings)
        if field.name != "max_age_months" and (value := getattr(settings, field.name, None)) is not None
    }
    return replace(defaults, max_age_months=defaults.max_age_months | ages, **own)


def build_pipeline(settings: Settings) -> OsteonPipeline:
    """The pipeline of a server process. Raises GuidelineError where the guideline files or the overlay are wrong."""
    knowledge = load_knowledge(local=settings.local)
    load_lexicons()
    local = read_local_codes(settings.codes_folder) if settings.codes_folder else {}
    use_local_codes(local)
    if local:  # what a code means is knowledge: the version says that it is more than what ships
        knowledge = replace(knowledge, version=f"{knowledge.version}+local.{fingerprint(local)}")
    knowledge.check_switched(settings.disabled_recommendations, "OSTEON_DISABLED_RECOMMENDATIONS")
    advisor = Advisor(knowledge, knowledge.local.switched.union(settings.disabled_recommendations))
    return OsteonPipeline(knowledge, advisor, settings, feature_settings(settings))
