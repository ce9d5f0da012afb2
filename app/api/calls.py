"""One call from its bytes to its answer, in steps that run where the size of the chart says: here, or in a worker.

What goes in and comes out can be sent to another process; the chart itself stays where it was read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from app.api.body import without_bom
from app.api.metrics import Tally, tally_of
from app.api.ports import Ports
from app.cds_hooks.configuration import Configuration, Preferences
from app.cds_hooks.errors import BodyTooLarge
from app.cds_hooks.hooks import SERVICES_BY_ID
from app.cds_hooks.prefetch import supplement
from app.cds_hooks.queries import Queries
from app.cds_hooks.request import FhirAuthorization, HookRequest, read_request
from app.cds_hooks.response import HookAnswer
from app.decoding.call import decode_call, resource_of
from app.wire.bundle import OperationOutcome

MOST_VALUES = 2_000_000
"""Of one body: objects, lists and members. Measured: 256 MiB of memory suffice for as many of any kind."""


@dataclass(frozen=True, slots=True)
class Job:
    """A call as it came: the body, and what its address and headers ask for."""

    raw: bytes = field(repr=False)
    service_id: str
    preferences: tuple[Preferences, ...]
    accept_language: str | None


@dataclass(frozen=True, slots=True)
class Needs:
    """What was left out of prefetch and could be fetched: queries by prefetch key."""

    queries: dict[str, str] = field(repr=False)
    patient_id: str = field(repr=False)
    fhir_server: str
    authorization: FhirAuthorization | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was fetched, by key, None where the query failed; and for those the reason, a fixed word."""

    values: dict[str, dict[str, Any] | None] = field(repr=False)
    failures: dict[str, str]


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer as JSON, and what the log and the counters say about it, without anything of the chart."""

    body: bytes = field(repr=False)
    language: str
    audit: Mapping[str, Any]
    tally: Tally


class CallWork:
    """The steps of one call: `begin`, then `finish` with what was fetched, or None where nothing was needed.

    `default`: what holds where a call chooses nothing; `queries`: the prefetch templates of this deployment, by key.
    """

    def __init__(self, ports: Ports, default: Configuration, queries: Queries) -> None:
        self._ports = ports
        self._default = default
        self._queries = queries
        self._call: HookRequest | None = None

    def begin(self, job: Job) -> Needs | None:
        """Read the call; gives what should be fetched for it. Raises CallError."""
        check_structure(job.raw)
        call = read_request(
            decode_call(without_bom(job.raw)),
            SERVICES_BY_ID[job.service_id],
            default=self._default,
            preferences=job.preferences,
            accept_language=job.accept_language,
            queries=self._queries,
        )
        self._call = call
        patient_id = call.context.patient_id
        queries = call.records.queries(patient_id)
        if not queries or not call.fhir_server:
            return None
        return Needs(queries, patient_id, call.fhir_server, call.fhir_authorization)

    def finish(self, fetched: Fetched | None) -> Answered:
        """Answer the call. Raises CallError."""
        call = self._call
        if call is None:
            raise RuntimeError("a call is begun before it is finished")
        if fetched is not None:
            values = {
                key: OperationOutcome() if value is None else resource_of(value)
                for key, value in fetched.values.items()
            }
            patient_id = call.context.patient_id
            records = supplement(call.records, values, patient_id=patient_id) if values else call.records
            call = replace(call, records=replace(records, not_fetched=fetched.failures))
        call.records.require()
        zone = call.configuration.timezone
        today = self._ports.today_in(ZoneInfo(zone)) if zone else self._ports.today()
        answer = self._ports.pipeline.answer(call, today=today)
        tally = tally_of(answer)
        return Answered(
            orjson.dumps(answer.to_json()), call.configuration.language.value, _audit(call, answer, tally), tally
        )


def check_structure(raw: bytes) -> None:
    """Raise BodyTooLarge where a body is mostly structure: each empty list of two bytes becomes an object of sixty.

    The decoder would end the process when it runs out of memory. Counted are separators and openings, those in texts
    too; a chart of 16 MB has half as many as are allowed.
    """
    if len(raw) > MOST_VALUES and raw.count(b",") + raw.count(b"[") + raw.count(b"{") > MOST_VALUES:
        raise BodyTooLarge(f"the body has more than {MOST_VALUES} values")


def _audit(call: HookRequest, answer: HookAnswer, tally: Tally) -> dict[str, Any]:
    """What was asked and which cards were given, without anything of the chart."""
    return {
        "service": call.service_id,
        "hook": call.hook.value,
        "hook_instance_hash": _hashed(call.hook_instance),
        # A user can be the patient: the id is only told as a hash.
        "user_type": (call.context.user_id or "").partition("/")[0] or None,
        "user_hash": _hashed(call.context.user_id) if call.context.user_id else None,
        "guideline_version": answer.guideline_version,
        "profile": call.configuration.profile,
        "language": call.configuration.language.value,
        "timezone": call.configuration.timezone,
        "switched": sorted(call.configuration.switched) or None,
        "safety_off": list(answer.safety_off) or None,
        "cards": len(answer.cards),
        "card_ids": [card.uuid for card in answer.cards],
        "advice": list(tally.advice),
    }


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
