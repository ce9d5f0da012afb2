"""Stories of patients over years, one for each bone drug, told to all hooks: tests/clinical/personas/*.yaml.

A story has a calendar in months from the start of the drug. `events`: what is recorded in a month. `courses`: drugs
from one month to another; depot drugs with the months of their doses (`given`). `repeated`: what is measured every so
many months. `moments`: a call in a month, with what is right then. What lies after the moment is not told; a course
that ends later is running.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.cases.expectations import unmet
from app.cds_hooks.hooks import Hook
from tests.clinical.cases import answer_to
from tests.conftest import Client

FOLDER = Path(__file__).parent / "personas"
DAYS_IN_MONTH = 30.4375
LISTS = ("observations", "conditions", "procedures", "allergies", "family")
DRUGS = {
    "alendronate",
    "risedronate",
    "ibandronate",
    "zoledronic_acid",
    "denosumab",
    "romosozumab",
    "teriparatide",
    "abaloparatide",
    "raloxifene",
}

Story = dict[str, Any]


def stories() -> list[Story]:
    found: list[Story] = []
    for path in sorted(FOLDER.glob("*.yaml")):
        found += yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return found


def days(months: float) -> int:
    return round(months * DAYS_IN_MONTH)


def case_at(story: Story, moment: Mapping[str, Any]) -> dict[str, Any]:
    """The case that a story is at a moment, in the words of the other clinical cases."""
    now = moment["month"]
    patient = dict(story["patient"])
    patient["age"] += int(now // 12)
    case: dict[str, Any] = {
        "id": f"{story['id']}-{now}-{moment['hook']}",
        "title": moment.get("title", story["title"]),
        "profile": story["profile"],
        "patient": patient,
        "hook": moment["hook"],
        "medications": list(_courses(story, now)),
        "expect": moment["expect"],
    }
    for name in LISTS:
        case[name] = [
            {**fact, "days_ago": days(now - event["month"])}
            for event in story["events"]
            if event["month"] <= now
            for fact in event.get(name, ())
        ]
        for again in story.get("repeated", ()):
            if name in again:
                last = now - (now - again["from"]) % again["every"]
                case[name] += [{**fact, "days_ago": days(now - last)} for fact in again[name]]
    for name in ("draft_orders", "new_conditions", "new_allergies"):
        if name in moment:
            case[name] = copy.deepcopy(moment[name])
    return case


def _courses(story: Story, now: float) -> Iterator[dict[str, Any]]:
    for course in story["courses"]:
        begun, ended = course["from"], course.get("to")
        if begun > now:
            continue
        told = {name: value for name, value in course.items() if name not in {"from", "to", "given", "why"}}
        told["started_days_ago"] = days(now - begun)
        given = [days(now - month) for month in course.get("given", ()) if month <= now]
        if given:
            told["given_days_ago"] = given
        if ended is not None and ended <= now:
            told |= {"status": "completed", "ended_days_ago": days(now - ended)}
            if "why" in course:
                told |= {"status": "stopped", "stop_reason": course["why"]}
        yield told


MOMENTS = [
    pytest.param(story, moment, id=f"{story['id']}-month-{moment['month']}-{moment['hook']}")
    for story in stories()
    for moment in story["moments"]
]


@pytest.mark.parametrize(("story", "moment"), MOMENTS)
def test_a_moment_of_a_story(osteon: Client, story: Story, moment: Mapping[str, Any]) -> None:
    case = case_at(story, moment)
    failures = unmet(case["expect"], answer_to(osteon, case))
    assert not failures, f"{case['title']}, month {moment['month']}: " + "; ".join(failures)


def test_every_bone_drug_has_a_story_over_five_years() -> None:
    told = {course["concept"]: story for story in stories() for course in story["courses"]}
    assert told.keys() >= DRUGS
    for story in stories():
        assert max(moment["month"] for moment in story["moments"]) >= 60, story["id"]
        assert min(moment["month"] for moment in story["moments"]) == 0, story["id"]


def test_the_stories_go_through_all_hooks() -> None:
    assert {moment["hook"] for story in stories() for moment in story["moments"]} == {hook.value for hook in Hook}
