"""Reads and searches of the published resources; fulfils the provider protocol of the HTTP layer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from types import MappingProxyType
from urllib.parse import urlencode

from app.engine.knowledge import Knowledge
from app.published.code_systems import card_topics, findings, orderables
from app.published.header import Resource, capability_statement, summary
from app.published.local_codes import local_concept_map
from app.published.plan_definitions import plan_definitions
from app.published.source_attributes import ID as DSI
from app.published.source_attributes import library
from app.published.value_sets import load_concepts, value_sets


def _local(knowledge: Knowledge) -> tuple[str, ...]:
    """What the overlay of a hospital changes, as far as whoever connects must know of it."""
    local = knowledge.local
    if not local.fingerprint:
        return ()
    of = f" of {local.hospital}" if local.hospital else ""
    return (
        f"Runs under the overlay {local.fingerprint}{of}.",
        *(f"Safety statement switched off by decision of the hospital: {risk}." for risk in local.risks),
    )


def _matches(resource: Resource, name: str, value: str) -> bool:
    found = str(resource.get(name, ""))
    return found.lower().startswith(value.lower()) if name in {"name", "title"} else found == value


class PublishedKnowledge:
    """The knowledge as FHIR R4 resources, built once: about half a second, most of it reading the concept files.

    `started` is the date of the CapabilityStatement, by default today (UTC). Resources are shared: callers do not
    change them. Raises TerminologyError, ValueError or KeyError where the knowledge cannot be published.
    """

    def __init__(self, knowledge: Knowledge, *, started: date | None = None) -> None:
        content = load_concepts()
        version = knowledge.version
        systems = [card_topics(knowledge), findings(content["findings"], version), orderables(knowledge)]
        by_type: dict[str, dict[str, Resource]] = {
            "CodeSystem": {system["id"]: system for system in systems},
            "ValueSet": value_sets(content, version),
            "PlanDefinition": plan_definitions(knowledge),
            "ConceptMap": {"local": local_concept_map(version)},
            "Library": {DSI: library(knowledge)},
        }
        day = (started or datetime.now(UTC).date()).isoformat()
        statement = capability_statement(list(by_type), version=version, started=day, local=_local(knowledge))
        self._searchable: Mapping[str, Mapping[str, Resource]] = MappingProxyType(by_type)
        self._all = MappingProxyType(by_type | {"CapabilityStatement": {"osteon": statement}})

    def read(self, resource_type: str, resource_id: str) -> Resource | None:
        """One resource of a type that is searched, or the CapabilityStatement `osteon`; None where there is none."""
        return self._all.get(resource_type, {}).get(resource_id)

    def search(
        self, resource_type: str, *, base: str | None = None, by: Mapping[str, str] | None = None
    ) -> Resource | None:
        """The resources of a type as a searchset Bundle of summaries; None for a type that is not searched.

        `base` is the address of /fhir, for the absolute addresses in the Bundle; without it they are left out. `by`:
        url, version and status are compared exactly, name and title by how they begin, in capitals or not.
        """
        resources = self._searchable.get(resource_type)
        if resources is None:
            return None
        entries = []
        for id, resource in resources.items():
            if not all(_matches(resource, name, value) for name, value in (by or {}).items()):
                continue
            entry: Resource = {"fullUrl": f"{base}/{resource_type}/{id}"} if base else {}
            entries.append(entry | {"resource": summary(resource), "search": {"mode": "match"}})
        bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
        if base:
            query = f"?{urlencode(by)}" if by else ""
            bundle["link"] = [{"relation": "self", "url": f"{base}/{resource_type}{query}"}]
        return bundle | ({"entry": entries} if entries else {})

    def resources(self) -> list[Resource]:
        """Every resource that can be read."""
        return [resource for by_id in self._all.values() for resource in by_id.values()]
