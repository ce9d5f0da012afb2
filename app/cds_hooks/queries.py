"""The queries of a deployment: which prefetch keys discovery publishes, and what the list of each of them answers.

Observations are queried by category: servers of large vendors refuse a search by patient alone, and US Core obliges
them to take patient and category together. A deployment adds, changes or removes keys (OSTEON_PREFETCH).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from urllib.parse import quote

from app.chart import SOURCES_BY_TYPE, ObservationCategory, Source

PATIENT_KEY = "patient"
PATIENT_ID = "{{context.patientId}}"

Covered = Source | ObservationCategory
"""What a list can be complete for: a kind of records, or the Observations of one category."""

CATEGORY_KEYS: Mapping[str, ObservationCategory] = MappingProxyType(
    {
        "observationsLaboratory": ObservationCategory.LABORATORY,
        "observationsVitalSigns": ObservationCategory.VITAL_SIGNS,
        "observationsSocialHistory": ObservationCategory.SOCIAL_HISTORY,
        "observationsImaging": ObservationCategory.IMAGING,
        "observationsExam": ObservationCategory.EXAM,
        "observationsSurvey": ObservationCategory.SURVEY,
    }
)
_BY_PATIENT: Mapping[str, str] = MappingProxyType(
    {source.value: f"{kind}?patient={PATIENT_ID}" for kind, source in SOURCES_BY_TYPE.items()}
)
_DEFAULT: Mapping[str, str] = MappingProxyType(
    {
        PATIENT_KEY: f"Patient/{PATIENT_ID}",
        **{key: f"Observation?patient={PATIENT_ID}&category={category}" for key, category in CATEGORY_KEYS.items()},
        **{key: template for key, template in _BY_PATIENT.items() if key != Source.OBSERVATIONS},
    }
)

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_SEARCH = re.compile(r"(?P<type>[A-Z][A-Za-z]+)\?(?P<parameters>[^\s?#]+)")
_PARAMETER = re.compile(r"(?P<name>_?[a-z][a-z-]*)(?P<modifier>:in)?=(?P<value>[^\s&=]+)")
_REFUSED = frozenset({"_include", "_revinclude", "_has", "_query", "_filter"})
_NOT_NARROWING = frozenset({"patient", "subject", "_count", "_sort", "_maxresults"})
_CATEGORIES = frozenset(ObservationCategory)


@dataclass(frozen=True)
class Queries:
    """What a deployment asks for. `templates`: what discovery publishes, by key."""

    templates: Mapping[str, str]

    @cached_property
    def covers(self) -> Mapping[str, frozenset[Covered]]:
        """By key: what a complete list under it answers. Keys of the service are understood whoever publishes them."""
        known: dict[str, frozenset[Covered]] = {source.value: frozenset({source}) for source in Source}
        known |= {key: frozenset({category}) for key, category in CATEGORY_KEYS.items()}
        own = {key: answered_by(template) for key, template in self.templates.items() if key != PATIENT_KEY}
        return {**own, **known}

    def of(self, patient_id: str) -> dict[str, str]:
        """All queries for a patient, by key."""
        return {key: _for(patient_id, template) for key, template in self.templates.items()}

    def to_fetch(self, patient_id: str) -> dict[str, str]:
        """The queries that the service itself asks a FHIR server: Observations at once, those without category too.

        A server that refuses this is queried by category (`app.outbound.fhir_client`).
        """
        queries = self.of(patient_id)
        if CATEGORY_KEYS.keys() <= queries.keys():
            queries = {key: query for key, query in queries.items() if key not in CATEGORY_KEYS}
            queries[Source.OBSERVATIONS.value] = _for(patient_id, _BY_PATIENT[Source.OBSERVATIONS])
        return queries


def _for(patient_id: str, template: str) -> str:
    # The id goes into a URL; an id with odd characters must stay one value of one parameter.
    return template.replace(PATIENT_ID, quote(patient_id, safe=""))


def queries_with(changes: Mapping[str, str | None]) -> Queries:
    """The queries of the service with those of a deployment. None removes a key.

    Raises ValueError where a key or a query cannot be right: every client would ask for it with every call.
    """
    templates = dict(_DEFAULT)
    for key, template in changes.items():
        if not _KEY.fullmatch(key):
            raise ValueError(f"prefetch key {key!r}: letters, digits, '-' and '_' only")
        if template is None:
            if key == PATIENT_KEY:
                raise ValueError("the key 'patient' cannot be removed: no advice goes without the patient")
            if key not in templates:
                raise ValueError(f"prefetch key {key!r} is not there and cannot be removed")
            del templates[key]
            continue
        try:
            _check(key, template)
        except ValueError as error:
            raise ValueError(f"prefetch key {key!r}: {error}") from None
        templates[key] = template
    return Queries(MappingProxyType(templates))


def _check(key: str, template: str) -> None:
    """Raise ValueError unless every client can be expected to send this (CDS Hooks 2.0.1, prefetch restrictions)."""
    if key == PATIENT_KEY:
        if template != _DEFAULT[PATIENT_KEY]:
            raise ValueError(f"must be {_DEFAULT[PATIENT_KEY]}")
        return
    search = _SEARCH.fullmatch(template)
    if search is None:
        raise ValueError("must be a search: Type?patient={{context.patientId}}&...")
    if search["type"] not in SOURCES_BY_TYPE:
        raise ValueError(f"{search['type']} is not read; read are {', '.join(SOURCES_BY_TYPE)}")
    expected = SOURCES_BY_TYPE[search["type"]]
    if (key in CATEGORY_KEYS and expected is not Source.OBSERVATIONS) or (key in set(Source) and key != expected):
        raise ValueError(f"this key is for another type than {search['type']}")
    names = []
    for text in search["parameters"].split("&"):
        parameter = _PARAMETER.fullmatch(text.replace(PATIENT_ID, "token"))
        if parameter is None or parameter["name"] in _REFUSED:
            raise ValueError(f"a parameter is not allowed in prefetch: {text.partition('=')[0]}")
        names.append(parameter["name"])
    if len(names) != len(set(names)):
        raise ValueError("a parameter stands twice; values are joined by commas")
    patient = [name for name in names if name in ("patient", "subject")]
    if len(patient) != 1 or f"{patient[0]}={PATIENT_ID}" not in search["parameters"].replace("=Patient/", "="):
        raise ValueError("exactly one of patient and subject is needed, with the token {{context.patientId}}")
    if template.count("{{") != 1:
        raise ValueError("no other token than {{context.patientId}} is known to all clients")


def answered_by(template: str) -> frozenset[Covered]:
    """What a complete list for a search answers: nothing where a parameter narrows it in another way."""
    search = _SEARCH.fullmatch(template)
    source = SOURCES_BY_TYPE.get(search["type"]) if search else None
    if search is None or source is None:
        return frozenset()
    parameters = dict(text.partition("=")[::2] for text in search["parameters"].split("&"))
    narrowing = {name: value for name, value in parameters.items() if name not in _NOT_NARROWING}
    if not narrowing:
        return frozenset({source})
    if source is Source.OBSERVATIONS and set(narrowing) == {"category"}:
        asked = {value.rpartition("|")[2] for value in narrowing["category"].split(",")}
        return frozenset(category for category in ObservationCategory if category in asked & _CATEGORIES)
    return frozenset()


DEFAULT_QUERIES = Queries(_DEFAULT)
