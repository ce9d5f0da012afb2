"""One patient: the records of an export -> rows, through the decoding and reading of the service.

The records become the body of a patient-view call, which is decoded, read and answered as a call over HTTP is: a result
cannot drift from the cards. What a row says is a code, a number, a date or an id of the knowledge, never a text of the
record: neither texts nor references nor messages of exceptions leave the patient.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache, cached_property
from typing import Any, Final

from app.advice.incomplete_lists import incomplete_lists
from app.advice.model import Advice, OptionStatus
from app.cds_hooks.configuration import Configuration
from app.cds_hooks.errors import CallError
from app.cds_hooks.hooks import SERVICES_BY_HOOK
from app.cds_hooks.request import HookRequest, read_request
from app.chart import SOURCES_BY_TYPE, Availability, DensitySite, FractureSite, Presence, Source
from app.decoding.call import decode_call
from app.features.evaluation import catalogue
from app.features.model import Evidence
from app.pipeline import Answering, OsteonPipeline
from app.screen.indicators import Period, indicators_of
from app.screen.types import MEDICATION
from app.terminology.units import ucum_of
from app.vocabulary import Language

AGE_BANDS = ((50, "under 50"), (65, "50 to 64"), (75, "65 to 74"), (85, "75 to 84"))
OLDEST, NO_AGE = "85 and over", "unknown"
_LIMIT = re.compile(r"(<=|>=|<|>)?(-?\d{1,6}(?:\.\d{1,6})?)")
"""A number that a feature shows as text; one of more digits could be the number of a person."""
_HOOK: Final = "patient-view"


class Status(StrEnum):
    """What became of a patient."""

    ANSWERED = "answered"
    DECEASED = "deceased"
    NO_PATIENT_RECORD = "no-patient-record"
    NO_ANSWER = "no-answer"  # the service would refuse this call
    FAULT = "fault"  # ours: the run goes on, and run.json counts them


@dataclass
class Records:
    """The records of one patient. `damaged`: lines of each kind that are no JSON and name the patient."""

    patient: str
    own: bytes | None = None
    entries: dict[str, list[bytes]] = field(default_factory=dict)
    damaged: Counter[str] = field(default_factory=Counter)

    def count(self) -> int:
        """Records that are sent to the reader."""
        return sum(map(len, self.entries.values())) + (self.own is not None)


@dataclass(frozen=True)
class Screened:
    """The rows of one patient."""

    patient: dict[str, Any]
    worklist: tuple[dict[str, Any], ...] = ()
    unrecognised: Mapping[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True)
class Screening:
    """What is the same for all patients. `period`: the days of the fractures that the indicators look at."""

    pipeline: OsteonPipeline
    profile: str
    as_of: date
    availability: Mapping[str, Availability]
    period: Period

    def screened(self, records: Records) -> Screened:
        """The rows. Never raises for what is in the records."""
        if records.own is None:
            return Screened(_row(records, Status.NO_PATIENT_RECORD))
        try:
            request = self._request(records)
            worked = self.pipeline.work(request, today=self.as_of)
        except CallError:
            return Screened(_row(records, Status.NO_ANSWER))
        except Exception:  # noqa: BLE001  # the edge of one patient: a fault of ours is its status, and counted
            return Screened(_row(records, Status.FAULT))
        return self._rows(records, worked)

    @cached_property
    def _default(self) -> Configuration:
        return Configuration(self.profile, Language.EN, profiles=tuple(self.pipeline.knowledge.profiles))

    def _request(self, records: Records) -> HookRequest:
        """The call. A record that costs the whole body its answer is left out, and its list is then partial."""
        try:
            decoded = decode_call(self._body(records))
        except CallError:
            _drop_unreadable(records)
            decoded = decode_call(self._body(records))
        request = read_request(decoded, SERVICES_BY_HOOK[_HOOK], default=self._default)
        request.records.require()
        return request

    def _body(self, records: Records) -> bytes:
        """The body of the call, put together from the records as they were written."""
        lists = [b'"patient":' + (records.own or b"null")]
        for kind, source in SOURCES_BY_TYPE.items():
            lists += self._list(records, kind, source)
        context = json.dumps({"userId": "Practitioner/unknown", "patientId": records.patient}).encode()
        instance = b'"00000000-0000-4000-8000-000000000000"'
        head = b'{"hook":"patient-view","hookInstance":' + instance + b',"context":' + context
        return head + b',"prefetch":{' + b",".join(lists) + b"}}"

    def _list(self, records: Records, kind: str, source: Source) -> list[bytes]:
        entries = records.entries.get(kind, [])
        availability = self.availability.get(kind, Availability.ABSENT)
        if availability is Availability.ABSENT and not entries and not records.damaged[kind]:
            return []
        key = f'"{source.value}":'.encode()
        if availability is Availability.FAILED and not entries:
            return [key + b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"exception"}]}']
        served = records.entries.get(MEDICATION, []) if kind in _REFERRING else []
        whole = availability is Availability.PROVIDED and not records.damaged[kind]
        total = str(len(entries) + (0 if whole else 1)).encode()
        head = b'{"resourceType":"Bundle","type":"searchset","total":' + total
        included = [b'{"search":{"mode":"include"},' + entry[1:] for entry in served]
        return [key + head + b',"entry":[' + b",".join([*entries, *included]) + b"]}"]

    def _rows(self, records: Records, worked: Answering) -> Screened:
        chart, given = worked.chart, worked.advice.advice
        status = Status.DECEASED if chart.patient.deceased else Status.ANSWERED
        incomplete = [key for key, _ in incomplete_lists(chart)]
        age = worked.features.feature("age_years").value
        row = _row(
            records,
            status,
            complete=not incomplete,
            incomplete_lists=incomplete,
            set_aside=_counted((one.reason, one.count) for one in chart.set_aside),
            advice=len(given),
            missing=list(worked.advice.missing),
            age_band=age_band(age),
            sex=str(chart.patient.sex or "unknown"),
            indicators=indicators_of(worked.features, self.period) if status is Status.ANSWERED else {},
        )
        worklist = tuple(_work(records.patient, rank, advice) for rank, advice in enumerate(given, 1))
        return Screened(row, worklist, chart.unrecognised)


_REFERRING = frozenset({"MedicationRequest", "MedicationStatement", "MedicationAdministration"})


def age_band(age: object) -> str:
    """The band of an age in years."""
    if not isinstance(age, Decimal | int):
        return NO_AGE
    return next((name for limit, name in AGE_BANDS if age < limit), OLDEST)


def _row(records: Records, status: Status, **members: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {
        "complete": False,
        "incomplete_lists": [],
        "set_aside": {},
        "advice": 0,
        "missing": [],
        "age_band": NO_AGE,
        "sex": "unknown",
        "indicators": {},
    }
    damaged = dict(sorted(records.damaged.items()))
    base = {"patient": records.patient, "status": str(status), "records": records.count(), "damaged_lines": damaged}
    return base | empty | members


def _work(patient: str, rank: int, advice: Advice) -> dict[str, Any]:
    """One row of the worklist: the same facts as the explanation of the card."""
    return {
        "patient": patient,
        "rank": rank,
        "advice": advice.id,
        "topic": advice.topic,
        "indicator": str(advice.indicator),
        "recommendations": [
            {"id": c.id, "source": c.rule.source.number, "strength": str(c.rule.block.strength), "role": str(c.role)}
            for c in advice.cited
        ],
        "evidence": [_fact(one) for one in advice.evidence],
        "missing": list(dict.fromkeys((*advice.missing, *(key for key, _ in advice.incomplete)))),
        "offered": [o.drug.id for o in advice.options if o.status is OptionStatus.OFFERED],
        "blocked": [
            {"drug": o.drug.id, "by": [c.id for c in o.blocked_by], "missing": list(o.missing)}
            for o in advice.options
            if o.status in {OptionStatus.BLOCKED, OptionStatus.WITHHELD}
        ],
    }


def _fact(evidence: Evidence) -> dict[str, Any]:
    """A fact without a word of the record: a number, a word of the catalogue, or whether it is so."""
    value, number = evidence.value, None
    code = evidence.substance
    if isinstance(value, bool):
        code = str(value).lower()
    elif isinstance(value, Decimal):
        number = float(value)
    elif isinstance(value, str) and (word := value.replace(" ", "_")) in _words():
        code = word  # sites are shown with blanks
    elif isinstance(value, str) and (limit := _LIMIT.fullmatch(value)):
        number, code = float(limit[2]), code or limit[1]  # "<0.5": the number is a limit, and the sign is its code
    unit = ucum_of(evidence.unit) if number is not None else None
    when = str(evidence.date) if evidence.date and evidence.feature != "age" else None  # a birth date names a person
    return {"feature": evidence.feature, "number": number, "code": code, "unit": unit, "date": when}


@cache
def _words() -> frozenset[str]:
    """The words that features can answer with, and the sites: what else a record says is no word of ours."""
    known = catalogue()
    words = {word for name in known.names() for word in known.spec(name).words}
    return frozenset({*words, *map(str, FractureSite), *map(str, DensitySite), *map(str, Presence)})


def _drop_unreadable(records: Records) -> None:
    """Leave out each record that cannot be decoded by itself; it is then one of the damaged lines."""
    for kind, entries in records.entries.items():
        kept = [entry for entry in entries if _readable(entry)]
        records.damaged[kind] += len(entries) - len(kept)
        records.entries[kind] = kept


def _readable(entry: bytes) -> bool:
    body = b'{"hook":"patient-view","hookInstance":"x","context":{},"prefetch":{"x":{"resourceType":"Bundle","entry":['
    try:
        decode_call(body + entry + b"]}}}")
    except CallError:
        return False
    return True


def _counted(found: Iterable[tuple[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for reason, count in found:
        total[str(reason)] += count
    return dict(sorted(total.items()))


def entry_of(text: bytes, *, entry: bool) -> bytes:
    """A Bundle entry: as it came, or made of a record."""
    return text if entry else b'{"resource":' + text + b"}"


def resource_of(text: bytes, *, entry: bool) -> bytes:
    """The record of an entry."""
    if not entry:
        return text
    return json.dumps(json.loads(text)["resource"], ensure_ascii=False).encode()
