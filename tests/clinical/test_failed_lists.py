"""A list that failed, came in part or was not sent is said (decision 56): no advice changes in silence."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.cases.builder import SERVICE, Builder
from tests.clinical.cases import TODAY
from tests.conftest import Client

Json = dict[str, Any]
VIGNETTES = Path(__file__).parents[3] / "shared" / "vignettes"
BONE_DRUGS = ("alendron", "risedron", "ibandron", "zoledron", "denosumab", "teriparatide", "romosozumab")
EMPTY: Json = {"resourceType": "Bundle", "type": "searchset"}
CATEGORIES = ("Laboratory", "VitalSigns", "SocialHistory", "Imaging", "Exam", "Survey")


def outcome(code: str) -> Json:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code}]}


FAILURES: dict[str, Json | None] = {
    "outcome": outcome("exception"),
    "timeout": outcome("timeout"),
    "404": outcome("not-found"),
    "503": outcome("transient"),
    "entry": {**EMPTY, "entry": [{"resource": outcome("processing"), "search": {"mode": "outcome"}}]},
    "absent": None,
}


def missing_of(answer: Json) -> list[set[str]]:
    """What each card names as missing; what stands beside them, last."""
    holders = [*answer["cards"], answer]
    return [set(one.get("extension", {}).get("osteon.explanation", {}).get("missing", ())) for one in holders]


def told(answer: Json) -> list[tuple[Any, ...]]:
    """The advice of an answer with its urgency and orders."""
    return sorted(
        (
            card["extension"]["osteon.explanation"]["advice"],
            card["indicator"],
            tuple(sorted(suggestion["label"] for suggestion in card.get("suggestions", ()))),
        )
        for card in answer["cards"]
    )


def without(request: Json, key: str, value: Json | None) -> Json:
    changed = copy.deepcopy(request)
    if value is None:
        del changed["prefetch"][key]
    else:
        changed["prefetch"][key] = value
    return changed


def vignettes(folder: Path, *arguments: str) -> Iterator[tuple[str, Json]]:
    command = [sys.executable, "-B", "build_request.py", "cases.yaml", "--out", str(folder), *arguments]
    subprocess.run(command, cwd=VIGNETTES, check=True, capture_output=True)
    for path in sorted(folder.glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        yield path.stem, content.get("request", content)


@pytest.mark.shared
@pytest.mark.skipif(not VIGNETTES.is_dir(), reason="../shared is not there")
@pytest.mark.parametrize("way", FAILURES)
@pytest.mark.parametrize("shape", ["plain", "request", "categories"])
def test_no_advice_changes_in_silence(osteon: Client, tmp_path: Path, shape: str, way: str) -> None:
    tried = 0
    for name, request in vignettes(tmp_path, "--shape", "request" if shape == "request" else "plain"):
        prefetch = request["prefetch"]
        keys = [key for key in prefetch if key != "patient"]
        if shape == "request":
            prefetch["medications"] = EMPTY
            keys = ["medications", "medicationRequests"] if way != "absent" else []
        if shape == "categories":
            observations = prefetch.pop("observations")
            keys = [f"observations{category}" for category in CATEGORIES]
            prefetch |= dict.fromkeys(keys, EMPTY) | {"observationsLaboratory": observations}
        service = SERVICE[request["hook"]]
        full = told(osteon.call(request, service).json())
        for key in keys:
            answered = osteon.call(without(request, key, FAILURES[way]), service)
            if answered.status_code == 412:  # nothing is answered without it
                assert key in {"observations", "medications", "medicationRequests"}, (name, key)
                continue
            answer, tried = answered.json(), tried + 1
            named = missing_of(answer)
            if way != "absent":
                assert all(key in one for one in named[:-1]), (name, key, "a card does not say it")
                assert answer["cards"] or key in named[-1], (name, key, "an empty answer does not say it")
                for card in answer["cards"]:
                    assert "The record came in part" in card["detail"], (name, key)
            assert told(answer) == full or any(key in one for one in named), (name, key)
            if key in {"medications", "medicationRequests"} and way != "absent":
                labels = [label.lower() for _, _, offered in told(answer) for label in offered]
                assert not [label for label in labels if label.startswith(BONE_DRUGS)], (name, key)
    assert tried or (shape, way) == ("request", "absent")


CASE: Json = {
    "profile": "intl",
    "patient": {"sex": "female", "age": 72},
    "observations": [
        {"concept": "crcl", "value": 70, "unit": "mL/min", "days_ago": 20},
        {"concept": "dxa_t_score", "site": "total_hip", "value": -2.8, "unit": "SD", "days_ago": 60},
    ],
}


def test_allergies_that_are_not_known_are_named_where_a_drug_is_offered(osteon: Client) -> None:
    request = Builder(CASE, TODAY).request()
    for value, form in ((None, "not sent"), (outcome("timeout"), "query failed")):
        answer = osteon.call(without(request, "allergies", value)).json()
        (card,) = (c for c in answer["cards"] if c["extension"]["osteon.explanation"]["advice"] == "start-bone-drug")
        assert card["suggestions"]
        assert "allergies" in card["extension"]["osteon.explanation"]["missing"]
        assert f"allergies and intolerances ({form})" in card["detail"]


def test_a_complete_chart_says_nothing_of_lists(osteon: Client) -> None:
    answer = osteon.call(Builder(CASE, TODAY).request()).json()
    assert answer["cards"]
    assert not any("The record came in part" in card["detail"] for card in answer["cards"])


def test_a_sex_that_is_not_known_is_asked_for(osteon: Client) -> None:
    request = Builder({**CASE, "observations": CASE["observations"][1:]}, TODAY).request()
    known = osteon.call(request).json()
    assert not any("sex" in one for one in missing_of(known))
    del request["prefetch"]["patient"]["gender"]
    answer = osteon.call(request).json()
    assert [card["extension"]["osteon.explanation"]["advice"] for card in answer["cards"]] == ["complete-risk-data"]
    assert "sex" in missing_of(answer)[0]
