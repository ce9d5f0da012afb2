"""Repair of one resource that does not fit its type (decision 56).

The members that have their types are kept, every other one is left out and named. Two other forms of the same JSON are
understood: a single value where a list belongs, and a list of one object where an object belongs. An item of a list
that is null is nothing, and is left out without a name.

Each value is looked at once, so that the work grows with the size of the resource, whatever is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from msgspec import inspect
from msgspec.structs import replace

from app.terminology.units import read_number_text, to_decimal
from app.wire.bundle import Entry
from app.wire.record import Record
from app.wire.resources import Damaged, Other, Resource

_NOTHING: Final = object()
_TAG = "resourceType"


def repaired(tree: object) -> Record | None:
    """The resource of a JSON value, `Damaged` where members of it could not be read; None where it is no resource."""
    notes: list[str] = []
    found = _fit(tree, _resource_type(), "", notes) if isinstance(tree, dict) else None
    if not isinstance(found, Record):
        return None
    return _damaged(found, notes) if notes else found


def _damaged(found: Record, notes: Iterable[str]) -> Damaged:
    """A resource with the names of what was left out of it."""
    if isinstance(found, Damaged):
        return replace(found, members=tuple(dict.fromkeys((*found.members, *notes))))
    return Damaged(id=found.id, record=found, members=tuple(dict.fromkeys(notes)))


def repaired_entry(tree: object) -> Entry:
    """An entry of a Bundle; one without a resource where it holds none that can be read."""
    found = _fit(tree, _entry_type(), "", []) if isinstance(tree, dict) else Entry()
    return found if isinstance(found, Entry) else Entry()


@cache
def _resource_type() -> inspect.Type:
    return inspect.type_info(Resource)


@cache
def _entry_type() -> inspect.Type:
    return inspect.type_info(Entry)


def _fit(value: object, kind: inspect.Type, path: str, notes: list[str]) -> Any:
    """The value as this type, _NOTHING where it does not fit, which is noted."""
    options = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    if isinstance(value, dict):
        found = _object(value, options, path, notes)
    elif isinstance(value, list):
        found = _list(value, options, path, notes)
    else:
        found = _scalar(value, options)
        if found is _NOTHING and isinstance(value, str):
            found = _one_of_list(value, options, path, notes)
    if found is _NOTHING:
        notes.append(path)
    return found


def _object(value: dict[str, Any], options: tuple[inspect.Type, ...], path: str, notes: list[str]) -> Any:
    struct = next((option for option in options if isinstance(option, inspect.StructType)), None)
    if struct is None:
        return _one_of_list(value, options, path, notes)
    if struct.tag_field == _TAG:
        return _resource(value, path, notes)
    return _entry(value, struct) if struct.cls is Entry else _struct(value, struct, path, notes)


def _entry(value: dict[str, Any], kind: inspect.StructType) -> Entry:
    """An entry of a Bundle: its resource keeps the names of what is left out to itself."""
    own: list[str] = []
    entry: Entry = _struct({name: member for name, member in value.items() if name != "resource"}, kind, "", own)
    resource = repaired(value.get("resource"))
    if own and resource is not None:
        resource = _damaged(resource, own)
    return replace(entry, resource=resource)


def _one_of_list(value: object, options: tuple[inspect.Type, ...], path: str, notes: list[str]) -> Any:
    """A single value where a list belongs."""
    if any(isinstance(option, inspect.VarTupleType) for option in options):
        return _list([value], options, path, notes)
    return _NOTHING


def _resource(value: dict[str, Any], path: str, notes: list[str]) -> Any:
    name = value.get(_TAG)
    if not isinstance(name, str) or not name:
        return _NOTHING
    kind = _kinds().get(name)
    if kind is None:  # a kind that FHIR does not have, or does not have yet
        identifier = value.get("id")
        return Other(id=identifier if isinstance(identifier, str) else None)
    return _struct(value, kind, path, notes)


@cache
def _kinds() -> dict[str, inspect.StructType]:
    union = _resource_type()
    types = union.types if isinstance(union, inspect.UnionType) else ()
    return {str(kind.tag): kind for kind in types if isinstance(kind, inspect.StructType)}


def _struct(value: dict[str, Any], kind: inspect.StructType, path: str, notes: list[str]) -> Any:
    members: dict[str, Any] = {}
    own: list[str] = []
    for field in kind.fields:
        given = value.get(field.encode_name)
        if given is not None:
            found = _fit(given, field.type, field.encode_name, own)
            if found is not _NOTHING:
                members[field.name] = found
    if own and any(field.name == "unreadable" for field in kind.fields):
        members["unreadable"] = tuple(own)
    notes.extend(f"{path}.{name}" if path else name for name in own)
    return kind.cls(**members)


def _list(value: list[Any], options: tuple[inspect.Type, ...], path: str, notes: list[str]) -> Any:
    for option in options:
        if isinstance(option, inspect.VarTupleType):
            if isinstance(option.item_type, inspect.StructType) and option.item_type.cls is Entry:
                return tuple([repaired_entry(item) for item in value])  # none is left out without being counted
            found = [_fit(item, option.item_type, path, notes) for item in value if item is not None]
            return tuple([item for item in found if item is not _NOTHING])
    if any(isinstance(option, inspect.AnyType) for option in options):
        return value
    one = value[0] if len(value) == 1 else None
    return _object(one, options, path, notes) if isinstance(one, dict) else _NOTHING


def _scalar(value: object, options: tuple[inspect.Type, ...]) -> Any:
    for option in options:
        match option:
            case inspect.AnyType():
                return value
            case inspect.BoolType() if isinstance(value, bool):
                return value
            case inspect.StrType(max_length=most) if isinstance(value, str) and (most is None or len(value) <= most):
                return value
            case inspect.IntType() if isinstance(value, int) and not isinstance(value, bool):
                return value
            case inspect.FloatType() if isinstance(value, int | float) and not isinstance(value, bool):
                return float(value)
            case inspect.DecimalType() if isinstance(value, int | float) and not isinstance(value, bool):
                return to_decimal(value)
            case inspect.DecimalType() if isinstance(value, str):
                number = read_number_text(value)
                if number is not None and number[1] is None:
                    return number[0]
    return _NOTHING
