"""The resources that a context brings: orders, conditions, an intolerance, in the shapes that clients send.

Sources: the hook definitions of HL7/cds-hooks-library and their examples, which do not always agree: the definition of
allergyintolerance-create has one resource, its R4 example a `resource` inside, its STU3 example a Bundle under another
name. A member that is absent or no object is refused (400). What came in a shape that is not known is set aside and
named by its place in the context, never taken for "nothing".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.cds_hooks.errors import MalformedRequest
from app.chart import UNREADABLE, SetAside

Resource = dict[str, Any]
Found = tuple[tuple[Resource, ...], tuple[SetAside, ...]]
"""What could be taken, and what could not."""

INTOLERANCE = "allergyIntolerance"
INTOLERANCES = "allergyIntolerances"
_INTOLERANCE_PATH = f"context.{INTOLERANCE}"


def bundle_of(context: Mapping[str, Any], name: str) -> Found:
    """The resources of a required Bundle of the context. Raises MalformedRequest where it is none."""
    path = f"context.{name}"
    bundle = _required(context.get(name), path)
    if bundle.get("resourceType") != "Bundle":
        raise MalformedRequest(f"{path} must be a FHIR Bundle", expression=path)
    return _entries(bundle, path)


def refills_of(context: Mapping[str, Any], name: str) -> Found:
    """The prescriptions of medication-refill: a Bundle; also one MedicationRequest alone, or inside `resource`."""
    path = f"context.{name}"
    value = _required(context.get(name), path)
    if value.get("resourceType") == "Bundle":
        return _entries(value, path)
    return _single(value, "MedicationRequest", path)


def intolerances_of(context: Mapping[str, Any]) -> Found:
    """The new AllergyIntolerance in its three shapes: the resource, a `resource` inside, a Bundle (also the plural)."""
    plural = context.get(INTOLERANCE) is None and context.get(INTOLERANCES) is not None
    path = f"context.{INTOLERANCES}" if plural else _INTOLERANCE_PATH
    value = _required(context.get(INTOLERANCES if plural else INTOLERANCE), path)
    if value.get("resourceType") == "Bundle":
        found, unreadable = _entries(value, path)
        others = sum(resource["resourceType"] != "AllergyIntolerance" for resource in found)
        kept = tuple(resource for resource in found if resource["resourceType"] == "AllergyIntolerance")
        noted = (SetAside(path, UNREADABLE, others),) if others or not (found or unreadable) else ()
        return kept, (*unreadable, *noted)
    return _single(value, "AllergyIntolerance", path)


def _required(value: object, path: str) -> Resource:
    if not isinstance(value, dict):
        raise MalformedRequest(f"{path} is required and must be an object", expression=path)
    return value


def _single(value: Resource, kind: str, path: str) -> Found:
    """One resource of a kind, or an object with that resource inside `resource`; anything else is set aside."""
    inner = value.get("resource") if "resourceType" not in value else value
    if isinstance(inner, dict) and inner.get("resourceType") == kind:
        return (inner,), ()
    return (), (SetAside(path, UNREADABLE),)


def _entries(bundle: Resource, path: str) -> Found:
    """The resources of a Bundle; entries without a readable one are counted."""
    entries = bundle.get("entry")
    if entries is None:
        return (), ()
    if not isinstance(entries, list):
        raise MalformedRequest(f"{path}.entry must be an array", expression=f"{path}.entry")
    found = [entry.get("resource") if isinstance(entry, dict) else None for entry in entries]
    readable = tuple(one for one in found if isinstance(one, dict) and isinstance(one.get("resourceType"), str))
    lost = len(found) - len(readable)
    return readable, ((SetAside(path, UNREADABLE, lost),) if lost else ())
