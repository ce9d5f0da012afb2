"""The mutation tool itself: planted mutants are killed or refused, and one that changes nothing survives."""

from __future__ import annotations

from typing import Any

import pytest

from app.engine.loader import Loaded, default_folder, load
from tests.clinical.cases import TODAY, all_cases
from tests.mutation.__main__ import REFUSED, accepted, judged
from tests.mutation.bench import Bench
from tests.mutation.compile import Workshop
from tests.mutation.concepts import concept_mutants
from tests.mutation.drugs import drug_mutants
from tests.mutation.guideline import guideline_mutants
from tests.mutation.mutant import Edit, Mutant, edited
from tests.mutation.tables import TableBench

CLEARANCE = "uppsala.contra.alendronate-crcl-below-30"


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return load(default_folder())


@pytest.fixture(scope="module")
def mutants(loaded: Loaded) -> dict[str, Mutant]:
    return {one.id: one for one in (*guideline_mutants(loaded), *drug_mutants(loaded))}


@pytest.fixture(scope="module")
def workshop(loaded: Loaded) -> Workshop:
    return Workshop(loaded)


@pytest.fixture(scope="module")
def bench(workshop: Workshop) -> Bench:
    """The cases about the clearance below which alendronate is contraindicated, and some others."""
    about = [(file, case) for file, case in all_cases() if CLEARANCE in str(case["expect"])]
    return Bench(workshop, [*about, *all_cases()[:40]])


def of(mutants: dict[str, Mutant], kind: str, place: str) -> Mutant:
    return next(one for one in mutants.values() if one.kind == kind and one.place == place)


@pytest.mark.parametrize(
    "kind", ["limit moved", "operator flipped", "strict operator", "rule never", "rule always", "contraindication"]
)
def test_a_change_to_a_contraindication_is_killed_by_its_cases(
    mutants: dict[str, Mutant], bench: Bench, workshop: Workshop, kind: str
) -> None:
    found = judged(bench, workshop, of(mutants, kind, CLEARANCE), outlines=False)
    assert found is not None
    assert not found.startswith(REFUSED)


def test_a_rule_that_names_an_unknown_drug_is_refused_at_start(
    loaded: Loaded, bench: Bench, workshop: Workshop
) -> None:
    file, index = next(
        (file, index)
        for file in loaded.files
        for index, rule in enumerate(file.content.recommendations)
        if rule.id == CLEARANCE
    )
    edit = Edit(file.name, ("recommendations", index, "drug_rule", "drugs"), ["alendronat"])
    found = judged(bench, workshop, Mutant("drug", CLEARANCE, "alendronat", (edit,)), outlines=False)
    assert found is not None
    assert found.startswith(REFUSED)
    assert "alendronat" in found


@pytest.mark.parametrize(("kind", "advice"), [("topic", "do-not-start-drug"), ("topic", "start-bone-drug")])
def test_a_change_to_an_advice_is_killed_by_the_outlines_of_its_cases(
    mutants: dict[str, Mutant], bench: Bench, workshop: Workshop, kind: str, advice: str
) -> None:
    found = judged(bench, workshop, of(mutants, kind, advice), outlines=True)
    assert found is not None
    assert not found.startswith(REFUSED)


def test_a_gate_that_says_why_without_words_is_refused_at_start(bench: Bench, workshop: Workshop) -> None:
    """Such a file used to start, and to answer a patient with HTTP 500."""
    file = next(one for one in workshop.loaded.files if one.name.endswith("advice/advice.yaml"))
    entries = file.content.advice
    index, number = next(
        (index, number)
        for index, entry in enumerate(entries)
        for number, gate in enumerate(entry.gates)
        if gate.effect == "withhold" and not gate.remark
    )
    for effect, refused in (("no-suggestion", True), ("caution", True), ("ask", False)):
        edit = Edit(file.name, ("advice", index, "gates", number, "effect"), effect)
        found = judged(bench, workshop, Mutant("gate", entries[index].id, effect, (edit,)), outlines=False) or ""
        assert ("needs a remark" in found) is refused, effect


def test_a_mutant_that_changes_nothing_survives(loaded: Loaded, bench: Bench, workshop: Workshop) -> None:
    file, index, rule = next(
        (file, index, rule)
        for file in loaded.files
        for index, rule in enumerate(file.content.recommendations)
        if rule.id == CLEARANCE
    )
    edit = Edit(file.name, ("recommendations", index, "note"), "another note")
    assert rule.note != "another note"
    assert judged(bench, workshop, Mutant("note", CLEARANCE, "note", (edit,)), outlines=True) is None


def test_a_mutant_leaves_nothing_behind(mutants: dict[str, Mutant], bench: Bench, workshop: Workshop) -> None:
    """After any mutant the answers without one are the same: the next is judged by itself."""
    for kind in ("limit moved", "rule always", "contraindication"):
        judged(bench, workshop, of(mutants, kind, CLEARANCE), outlines=True)
    nothing = Mutant("none", "", "", ())
    assert judged(bench, workshop, nothing, outlines=True) is None
    with bench.warm():
        for one in bench.situations:
            assert bench.outline_of(one) == one.outline, one.id


def test_the_warm_answers_are_those_of_the_service(bench: Bench) -> None:
    """The bench keeps features between mutants; what it judges is still what the service answers."""
    fresh = TableBench(bench, outlines=True)
    for one in bench.situations:
        answer = fresh.pipeline.answer(one.request, today=TODAY).to_json()
        with bench.warm():
            assert without_ids(bench.body_of(one)) == without_ids(answer), one.id


def without_ids(body: dict[str, Any]) -> dict[str, Any]:
    """An answer without the ids of its cards, which are drawn for each answer."""
    cards = [{name: value for name, value in card.items() if name != "uuid"} for card in body["cards"]]
    return {**body, "cards": [without_ids_of_suggestions(card) for card in cards]}


def without_ids_of_suggestions(card: dict[str, Any]) -> dict[str, Any]:
    return {**card, "suggestions": [{**one, "uuid": ""} for one in card.get("suggestions", ())]}


def test_a_code_that_is_removed_is_noticed_by_a_case_that_sends_it(bench: Bench) -> None:
    tables = TableBench(bench, outlines=True)
    mutant = next(one for one in concept_mutants() if one.id == "code removed: alendronate: atc M05BA04")
    found = tables.killed_by(mutant)
    assert found is not None
    assert not found.startswith("error")
    assert tables.killed_by(Mutant("none", "", "", (), mutant.words)) is None


def test_ids_are_unique(mutants: dict[str, Mutant], loaded: Loaded) -> None:
    made = [one.id for one in (*guideline_mutants(loaded), *drug_mutants(loaded))]
    assert sorted(set(made)) == sorted(mutants)


def test_every_accepted_survivor_is_a_mutant_and_has_a_reason(mutants: dict[str, Mutant]) -> None:
    known = {*mutants, *(one.id for one in concept_mutants())}
    assert sorted(set(accepted()) - known) == []
    assert all(len(reason.split()) > 3 for reason in accepted().values())


def test_an_edit_leaves_the_other_uses_of_an_alias_alone() -> None:
    shared = {"when": "x"}
    assert edited({"a": [shared], "b": shared}, [(("a", 0, "when"), "y")]) == {"a": [{"when": "y"}], "b": {"when": "x"}}
