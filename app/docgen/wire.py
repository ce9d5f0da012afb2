"""The page of the FHIR members that are read, from the types of `app.wire`. `python -m app.docgen.wire FILE`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from msgspec import inspect

from app.docgen.writing import write_page
from app.wire.call import Call, Context
from app.wire.resources import READ

HEAD = """# Which members of a request are read

Generated from the types in `app/wire/` by `python -m app.docgen.wire docs/what-is-read.md`; a test keeps it in step.
A member that is not on this page is never looked at, and neither is a resource of another kind. Every member is
optional. A member that does not have its type is left out and named in `notUsed`; the list that it came in is then
incomplete for what it could have told ([decision 56](decisions.md#decision-56)).

Names are those of FHIR R4. `substance` of AllergyIntolerance is DSTU2; `assertedDate`, `abatementBoolean`, `taken`,
`notGiven`, `reasonNotTaken`, a status that is a code, and the dose beside `doseAndRate` are STU3; `medication`,
`adherence`, `reason`, `occurrence...`, `occurence...`, `item`, `strengthRatio`, `strengthQuantity`, `asNeeded`,
`asNeededFor` and a concept inside `concept` are R5.
"""
_SCALARS = {
    inspect.StrType: "string",
    inspect.BoolType: "boolean",
    inspect.IntType: "number",
    inspect.FloatType: "number",
    inspect.DecimalType: "number",
    inspect.AnyType: "any JSON value",
}


def page() -> str:
    """The page as Markdown."""
    return "\n".join([HEAD, *_sections()]).rstrip() + "\n"


def _sections() -> Iterator[str]:
    shown: set[type] = set()
    waiting: dict[type, None] = {}
    for title, kinds in (("The call", (Call, Context)), ("Resources", READ)):
        yield f"## {title}\n"
        for kind in kinds:
            yield from _section(kind, waiting)
            shown.add(kind)
    yield "## Data types\n"
    while later := [kind for kind in waiting if kind not in shown]:
        kind = min(later, key=lambda one: one.__name__)
        yield from _section(kind, waiting)
        shown.add(kind)


def _section(kind: type, waiting: dict[type, None]) -> Iterator[str]:
    yield f"### {kind.__name__}\n"
    yield (kind.__doc__ or "").split("\n\n")[0].replace("\n", " ") + "\n"
    yield "| member | type |"
    yield "|---|---|"
    described = inspect.type_info(kind)
    for field in described.fields if isinstance(described, inspect.StructType) else ():
        if field.encode_name != "_unreadable":
            yield f"| `{field.encode_name}` | {_type_name(field.type, waiting)} |"
    yield ""


def _type_name(kind: inspect.Type, waiting: dict[type, None]) -> str:
    options = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    structs = [option for option in options if isinstance(option, inspect.StructType)]
    if len(structs) > len(READ):
        return "Resource"
    names: dict[str, None] = {}
    for option in options:
        match option:
            case inspect.NoneType():
                continue
            case inspect.StructType():
                waiting[option.cls] = None
                names[option.cls.__name__] = None
            case inspect.VarTupleType():
                names[f"list of {_type_name(option.item_type, waiting)}"] = None
            case inspect.DictType():
                names["object whose members are each a Resource, or null"] = None
            case _:
                names[_SCALARS[type(option)]] = None
    return " or ".join(names)


if __name__ == "__main__":
    sys.exit(write_page(page()))
