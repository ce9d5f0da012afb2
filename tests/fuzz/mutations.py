"""Ways in which a request goes wrong. Each changes one place of a JSON tree and keeps the rest."""

from __future__ import annotations

import copy
from collections.abc import Callable
from random import Random
from typing import Any

Json = dict[str, Any]
Place = tuple[Any, Any]  # a container and the key or index in it

DATES = (
    "0000-00-00",
    "1899-12-31",
    "2026",
    "2026-11",
    "2026-02-30",
    "2026-13-01",
    "9999-12-31",
    "2026-11-22T24:00:00Z",
    "2026-11-22T10:00:00+99:00",
    "2026-11-22T10:00:00",
    "2027-05-01",
    "22.11.2026",
    "20261122",
    "yesterday",
    "",
    " 2026-11-22 ",
)
TEXTS = (
    "",
    " ",
    "\u0000",
    "\ud83e\uddb4\u200f\u202e",
    "骨密度 T值 -2.7",
    "<script>alert(1)</script>",
    "[x](javascript:alert(1))",
    "**_`#|",
    "\n\n---\n# heading",
    "%s%n{0}{because}",
    "A" * 20_000,
    "null",
    "../../etc/passwd",
    "Patient/other",
    "#",
    "urn:uuid:",
    "http://",
)
NUMBERS = (0, -1, -0.0, 1e308, -1e308, 1e-320, 10**30, 2.5, -2.5, 47, 0.1 + 0.2, 999999, 3, -3)
UNITS = ("mg/dL", "umol/L", "mmol/L", "ng/mL", "nmol/L", "g", "mg", "ug", "m", "cm", "[in_i]", "[lb_av]", "kg", "%", "1", "{T-score}", "SD", "µkat/L", "mL/min", "mL/min/{1.73_m2}", "/", "kg/m2", "d", "a", "furlong")  # fmt: skip  # noqa: E501
CODES = (
    "final",
    "active",
    "entered-in-error",
    "refuted",
    "completed",
    "stopped",
    "on-hold",
    "draft",
    "unknown",
    "M81.9",
    "S72.0",
    "38267-1",
    "M05BA04",
    "C79.5",
    "T08",
    "male",
    "female",
    "other",
)
KINDS = (
    "Observation",
    "Condition",
    "MedicationRequest",
    "MedicationStatement",
    "MedicationAdministration",
    "Procedure",
    "FamilyMemberHistory",
    "AllergyIntolerance",
    "DiagnosticReport",
    "ServiceRequest",
    "Bundle",
    "OperationOutcome",
    "Patient",
    "Medication",
    "Nonsense",
)


def places(tree: Any) -> list[Place]:
    """Every place of a tree, in a fixed order."""
    found: list[Place] = []
    stack = [tree]
    while stack:
        node = stack.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        for key in keys:
            found.append((node, key))
            if isinstance(node[key], (dict, list)):
                stack.append(node[key])
    return found


def _leaf(body: Json, random: Random, *types: type) -> Place | None:
    fitting = [(node, key) for node, key in places(body) if isinstance(node[key], types)]
    return random.choice(fitting) if fitting else None


def _resources(body: Json) -> list[list[Any]]:
    """The entry lists of all Bundles."""
    return [node[key] for node, key in places(body) if key == "entry" and isinstance(node[key], list) and node[key]]


def drop(body: Json, random: Random) -> None:
    """A member or an item is not there."""
    node, key = random.choice(places(body))
    del node[key]


def nothing(body: Json, random: Random) -> None:
    """A member is null."""
    node, key = random.choice(places(body))
    node[key] = None


def other_type(body: Json, random: Random) -> None:
    """A member has another type."""
    node, key = random.choice(places(body))
    value = node[key]
    node[key] = random.choice(
        [[], {}, [value], {"value": value}, True, False, 0, "text", str(value)[:500], [None], [[]], {"": None}]
    )


def text(body: Json, random: Random) -> None:
    """A string is another one: empty, huge, with controls, with markup."""
    place = _leaf(body, random, str)
    if place:
        place[0][place[1]] = random.choice(TEXTS)


def code(body: Json, random: Random) -> None:
    """A code or status is another one."""
    fitting = [(n, k) for n, k in places(body) if k in {"code", "status", "gender", "system"} and isinstance(n[k], str)]
    if fitting:
        node, key = random.choice(fitting)
        node[key] = random.choice(CODES)


def number(body: Json, random: Random) -> None:
    """A number is another one: zero, negative, absurd, or text."""
    place = _leaf(body, random, int, float)
    if place:
        value = random.choice(NUMBERS)
        place[0][place[1]] = random.choice([value, value, str(value), [value]])


def unit(body: Json, random: Random) -> None:
    """A unit is another one, or the code and the word of it differ."""
    fitting = [(n, k) for n, k in places(body) if k in {"unit", "periodUnit", "durationUnit"}]
    fitting += [(n, "code") for n, k in places(body) if k == "value" and isinstance(n, dict) and "code" in n]
    if fitting:
        node, key = random.choice(fitting)
        node[key] = random.choice(UNITS)


def day(body: Json, random: Random) -> None:
    """A date is odd, partial, in the future or none at all."""
    ends = ("Date", "DateTime", "start", "end", "Asserted", "recorded", "birthDate", "authoredOn")
    fitting = [(n, k) for n, k in places(body) if isinstance(k, str) and k.endswith(ends)]
    if fitting:
        node, key = random.choice(fitting)
        node[key] = random.choice(DATES)


def twice(body: Json, random: Random) -> None:
    """A record comes twice, with the same id and perhaps another value."""
    lists = _resources(body)
    if lists:
        entries = random.choice(lists)
        entries.insert(random.randrange(len(entries) + 1), copy.deepcopy(random.choice(entries)))


def shuffled(body: Json, random: Random) -> None:
    """The records come in another order."""
    for entries in _resources(body):
        random.shuffle(entries)


def deep(body: Json, random: Random) -> None:
    """A member is nested far deeper than any record."""
    node, key = random.choice(places(body))
    value: Any = node[key] if random.random() < 0.5 else "x"
    for _ in range(random.choice([5, 60, 600])):
        value = [value] if random.random() < 0.5 else {"extension": value}
    node[key] = value


def kind(body: Json, random: Random) -> None:
    """A record says that it is another kind of record."""
    fitting = [(n, k) for n, k in places(body) if k == "resourceType"]
    if fitting:
        node, key = random.choice(fitting)
        node[key] = random.choice(KINDS)


def stranger(body: Json, random: Random) -> None:
    """A record belongs to somebody else, or refers to nothing."""
    fitting = [(n, k) for n, k in places(body) if k == "reference"]
    if fitting:
        node, key = random.choice(fitting)
        node[key] = random.choice(
            ["Patient/other", "#p", "urn:uuid:1", "Medication/none", "https://x/Patient/case", ""]
        )


def failed_search(body: Json, random: Random) -> None:
    """A prefetch key failed, found nothing, or was not provided."""
    prefetch = body.get("prefetch")
    if not isinstance(prefetch, dict) or not prefetch:
        return
    key = random.choice(sorted(prefetch))
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
    value = random.choice([None, outcome, {"resourceType": "Bundle", "entry": [{"resource": outcome}]}, "absent"])
    if value == "absent":
        del prefetch[key]
    else:
        prefetch[key] = value


def moved(body: Json, random: Random) -> None:
    """A value stands where another one belongs."""
    found = places(body)
    (node, key), (other, other_key) = random.choice(found), random.choice(found)
    node[key] = copy.deepcopy(other[other_key])


MUTATIONS: tuple[Callable[[Json, Random], None], ...] = (
    drop,
    nothing,
    other_type,
    text,
    code,
    number,
    unit,
    day,
    twice,
    shuffled,
    deep,
    kind,
    stranger,
    failed_search,
    moved,
)


def mutated(body: Json, random: Random) -> Json:
    """A changed copy: one change in most charts, up to eight in some. The envelope stays readable in most."""
    made = copy.deepcopy(body)
    changes = [random.choice(MUTATIONS) for _ in range(random.choice([1, 1, 1, 2, 3, 5, 8]))]
    # Nested last and once: our own copying of a tree that is nested twice would end before the service is asked.
    for change in [*(one for one in changes if one is not deep), *([deep] if deep in changes else [])]:
        # Mostly inside the data: a broken envelope is refused at once and reaches nothing.
        target = made if random.random() < 0.05 else made.get("prefetch")
        if random.random() < 0.2 and isinstance(made.get("context"), dict):
            drafts = made["context"].get("draftOrders") or made["context"].get("conditions")
            target = drafts if isinstance(drafts, dict) else target
        if not isinstance(target, dict) or not target:
            target = made
        change(made if change is failed_search else target, random)
    return made
