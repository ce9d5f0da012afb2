"""What all published resources have in common: identity, version, publisher."""

from __future__ import annotations

import re
from typing import Any, Final

from app import __version__

Resource = dict[str, Any]
"""A FHIR R4 resource as plain JSON."""

FHIR_VERSION: Final = "4.0.1"
PUBLISHER: Final = "Osteon"
CONTACT: Final[Resource] = {"name": "The maintainers, through the issue tracker of the project"}
SUMMARY_ELEMENTS: Final[tuple[str, ...]] = (
    "resourceType",
    "id",
    "url",
    "version",
    "name",
    "title",
    "status",
    "experimental",
    "type",
    "publisher",
    "description",
    "content",
)
"""What a search tells of each match; the whole resource is read by its id."""


def fhir_id(name: str) -> str:
    """A name of ours as a FHIR id: kebab-case. Raises ValueError where it cannot be one."""
    made = name.replace("_", "-")
    if not re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", made):
        raise ValueError(f"{name!r} cannot be a FHIR id")
    return made


def computable_name(*parts: str) -> str:
    """The parts as one name that can be used as an identifier (invariant 0 of the canonical resources)."""
    words = [word for part in parts for word in re.split(r"[^A-Za-z0-9]+", part) if word]
    return "".join(word[0].upper() + word[1:] for word in words)


def header(
    kind: str,
    *,
    id: str,
    url: str,
    version: str,
    name: str,
    title: str,
    description: str,
    reviewed: bool = False,
) -> Resource:
    """The head of a canonical resource: a draft, and experimental, until clinicians have reviewed what it holds."""
    return {
        "resourceType": kind,
        "id": id,
        "url": url,
        "version": version,
        "name": name,
        "title": title,
        "status": "active" if reviewed else "draft",
        "experimental": not reviewed,
        "publisher": PUBLISHER,
        "contact": [CONTACT],
        "description": description,
    }


def canonical(kind: str, id: str) -> str:
    """The canonical URL of a value set or plan definition: a name, not an address."""
    return f"urn:osteon:{kind.lower()}:{id}"


def summary(resource: Resource) -> Resource:
    """A resource as a search tells it, marked as incomplete."""
    short = {key: resource[key] for key in SUMMARY_ELEMENTS if key in resource}
    tag = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
    return {"resourceType": short.pop("resourceType"), "id": short.pop("id"), "meta": {"tag": [tag]}, **short}


def capability_statement(types: list[str], *, version: str, started: str, local: tuple[str, ...] = ()) -> Resource:
    """The CapabilityStatement of this server process; `started` is the day since which it serves this content.

    `local`: what the overlay of a hospital changes, one sentence each.
    """
    interactions = [{"code": "read"}, {"code": "search-type"}]
    return {
        "resourceType": "CapabilityStatement",
        "id": "osteon",
        "url": canonical("CapabilityStatement", "osteon"),
        "version": version,
        "name": "OsteonKnowledge",
        "title": "What Osteon knows, as FHIR",
        "status": "active",
        "experimental": False,
        "date": started,
        "publisher": PUBLISHER,
        "description": "The code sets and guidelines behind the CDS Hooks services, to be read. Holds no patient data.",
        "kind": "instance",
        "software": {"name": "Osteon", "version": __version__},
        "implementation": {"description": " ".join(["Osteon, clinical decision support for osteoporosis.", *local])},
        "fhirVersion": FHIR_VERSION,
        "format": ["json"],
        "rest": [{"mode": "server", "resource": [{"type": kind, "interaction": interactions} for kind in types]}],
    }
