"""What a screening says of a patient is what the cards say: every clinical case of patient-view, in its profile."""

from __future__ import annotations

import json
import os
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.cases.builder import Builder
from app.chart import SOURCES_BY_TYPE
from tests.clinical.cases import TODAY, all_cases
from tests.conftest import Client
from tests.screen.conftest import Run
from tests.screen.exports import Resource, export

PROFILES = ("se", "intl", "dk", "cn")
EVERY = 1 if os.environ.get("SCREEN_ALL_CASES") else 3
"""Of how many cases one is screened: all of them nightly."""
_KEYS = {str(source): kind for kind, source in SOURCES_BY_TYPE.items()}


def requests_of(profile: str) -> dict[str, dict[str, Any]]:
    """The requests of the cases of a profile, by patient: each with all lists, each patient with an id of its own."""
    made = {}
    for number, (_, case) in enumerate(all_cases()):
        if number % EVERY or case["profile"] != profile or case.get("hook", "patient-view") != "patient-view":
            continue
        body = Builder(case, TODAY).request()
        if body.get("extension", {}).get("osteon.configuration", {}).keys() - {"profile"} or not _plain(body):
            continue
        name = f"case-{number}"
        body = json.loads(json.dumps(body).replace('Patient/case"', f'Patient/{name}"'))
        body["context"]["patientId"] = body["prefetch"]["patient"]["id"] = name
        for key in _KEYS:
            body["prefetch"].setdefault(key, {"resourceType": "Bundle", "type": "searchset", "total": 0, "entry": []})
        made[name] = body
    return made


def _plain(body: dict[str, Any]) -> bool:
    """Whether the lists are searchsets whose records are all theirs, and about this patient in plain words."""
    for key, value in body["prefetch"].items():
        if key == "patient":
            continue
        if key not in _KEYS or value.get("resourceType") != "Bundle" or value.get("total", 0) > len(value["entry"]):
            return False
        for entry in value["entry"]:
            record = entry["resource"]
            about = record.get("subject") or record.get("patient") or {}
            if record["resourceType"] != _KEYS[key] or about.get("reference") != "Patient/case":
                return False
    return True


def resources_of(body: dict[str, Any]) -> list[Resource]:
    """The records of a request."""
    lists = [value for key, value in body["prefetch"].items() if key != "patient"]
    name = body["context"]["patientId"]
    found = [body["prefetch"]["patient"], *(entry["resource"] for one in lists for entry in one["entry"])]
    # Ids are unique in an export, not in a case.
    return [{**one, "id": f"{name}-{n}"} if one["resourceType"] != "Patient" else one for n, one in enumerate(found)]


def said_by_cards(answer: dict[str, Any]) -> list[tuple[Any, ...]]:
    told = [(card, card["extension"]["osteon.explanation"]) for card in answer["cards"]]
    return [
        (
            one["advice"],
            card["source"]["topic"]["code"],
            card["indicator"],
            tuple(r["id"] for r in one.get("recommendations", [])),
            tuple(one.get("missing", ())),
            tuple((e["feature"], e.get("date") if e["feature"] != "age" else None) for e in one.get("evidence", [])),
            tuple(
                str(Decimal(str(e.get("value")).lstrip("<>= ")))
                for e in one.get("evidence", [])
                if _is_number(e.get("value"))
            ),
        )
        for card, one in told
    ]


_WRITTEN = re.compile(r"[<>]?=? ?-?\d+(\.\d+)?")


def _is_number(value: object) -> bool:
    """A number, also one that the card writes as text."""
    if isinstance(value, str):
        return _WRITTEN.fullmatch(value) is not None
    return isinstance(value, int | float) and not isinstance(value, bool)


def said_by_rows(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [
        (
            row["advice"],
            row["topic"],
            row["indicator"],
            tuple(r["id"] for r in row["recommendations"]),
            tuple(row["missing"]),
            tuple((e["feature"], e["date"]) for e in row["evidence"]),
            tuple(str(Decimal(str(e["number"])).normalize()) for e in row["evidence"] if e["number"] is not None),
        )
        for row in rows
    ]


def normal(said: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [(*one[:-1], tuple(format(Decimal(number).normalize(), "f") for number in one[-1])) for one in said]


@pytest.mark.parametrize("profile", PROFILES)
def test_the_rows_are_the_cards(profile: str, osteon: Client, screen: Run, tmp_path: Path) -> None:
    requests = requests_of(profile)
    assert len(requests) >= 20
    folder = export(tmp_path / "export", (one for body in requests.values() for one in resources_of(body)), packed=True)
    result = screen(folder, arguments=("--complete", "--profile", profile, "--as-of", str(TODAY), "--buckets", "3"))
    assert result.status == 0
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in requests}
    for row in result.table("worklist"):
        rows[row["patient"]].append(row)
    assert result.patients().keys() == requests.keys()
    for name, body in requests.items():
        answer = osteon.call(body).json()
        assert normal(said_by_rows(rows[name])) == normal(said_by_cards(answer)), name
