"""Mistakes between the guideline files: each is planted in a copy of the shipped files, and found with its line."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from app.commands.check import main
from app.engine.linker import load_knowledge
from app.engine.loader import GuidelineError, default_folder


@pytest.fixture
def guidelines(tmp_path: Path) -> Path:
    return Path(shutil.copytree(default_folder(), tmp_path / "guidelines"))


def problems(guidelines: Path) -> str:
    with pytest.raises(GuidelineError) as error:
        load_knowledge(guidelines)
    return str(error.value)


def plant(path: Path, old: str, new: str) -> int:
    """Replace the first `old`; the line where the first line of `new` stands."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def add(path: Path, text: str, marker: str) -> int:
    """Write `text` at the end of a file; the line of `marker` in it."""
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(before + text, encoding="utf-8")
    return before.count("\n") + text[: text.index(marker)].count("\n") + 1


CRITERION = """
criteria:
  {name}:
    meaning: planted
    reason: planted
    when: postmenopausal
"""

REPLACED = [
    pytest.param(
        "drugs/denosumab.yaml",
        "    classes: [antiresorptive, bone_drug]",
        "    classes: [antiresorptve, bone_drug]",
        ["unknown class 'antiresorptve'", "did you mean antiresorptive?"],
        id="9-class-in-a-drug",
    ),
    pytest.param(
        "drugs/denosumab.yaml", "bone_drug]", "bone_drugs]", ["did you mean bone_drug?"], id="9-class-that-blocks"
    ),
    pytest.param(
        "drugs/ibandronate.yaml",
        "add: [iv_bisphosphonate]",
        "add: [iv_bisphosphonat]",
        ["did you mean iv_bisphosphonate?"],
        id="9-class-by-route",
    ),
    pytest.param(
        "drugs/denosumab.yaml",
        "products: [denosumab_oncology_120mg]",
        "products: [denosumab_oncology_12mg]",
        ["did you mean denosumab_oncology_120mg?"],
        id="9-product-by-dose",
    ),
    pytest.param(
        "drugs/calcium-vitamin-d.yaml",
        "    uppsala:",
        "    upsala:",
        ["unknown source 'upsala'", "did you mean uppsala?"],
        id="10-order-of-a-source",
    ),
    pytest.param(
        "drugs/denosumab.yaml",
        "advice_from: [uppsala.stop.denosumab-is-continuous",
        "advice_from: [uppsala.stop.denosumab-is-continous",
        ["unknown recommendation", "did you mean uppsala.stop.denosumab-is-continuous?"],
        id="11-advice-from",
    ),
    pytest.param(
        "drugs/denosumab.yaml",
        "acts: {months: 6, from_recommendation: uppsala.dose.denosumab-60mg}",
        "acts: {months: 6, from_recommendation: uppsala.dose.denosumab-60}",
        ["did you mean uppsala.dose.denosumab-60mg?"],
        id="source-of-the-depot-time",
    ),
    pytest.param(
        "drugs/denosumab.yaml",
        "id: denosumab",
        "id: denosumb",
        ["the name of its file, did you mean denosumab?"],
        id="id-and-file-of-a-drug",
    ),
    pytest.param(
        "advice/advice.yaml",
        "asks: [t_score]",
        "asks: [t_scor]",
        ["unknown datum 't_scor'", "did you mean t_score?"],
        id="12-asks-a-datum",
    ),
    pytest.param(
        "advice/advice.yaml",
        "replaces: denosumab",
        "replaces: denosumb",
        ["unknown drug or class 'denosumb'", "did you mean denosumab?"],
        id="drug-that-an-advice-replaces",
    ),
    pytest.param(
        "concepts/drug-classes.yaml",
        "any_of: [denosumab, ",
        "any_of: [denosumb, ",
        ["unknown drug or class 'denosumb'", "did you mean denosumab?"],
        id="14-class-in-concepts",
    ),
    pytest.param(
        "concepts/drug-classes.yaml",
        "      class: antiresorptive",
        "      class: antiresorptve",
        ["did you mean antiresorptive?"],
        id="14-class-that-follows",
    ),
    pytest.param(
        "concepts/conditions.yaml",
        "group: condition",
        "group: conditon",
        ["unknown group 'conditon'", "did you mean condition?"],
        id="15-group-in-concepts",
    ),
    pytest.param(
        "concepts/text-patterns.yaml",
        "  fracture_hip: [",
        "  fracture_hipp: [",
        ["unknown concept 'fracture_hipp'", "did you mean fracture_hip?"],
        id="name-of-a-concept",
    ),
    pytest.param(
        "uppsala/source.yaml",
        "id: uppsala",
        "id: upsala",
        ["the id of a source is the name of its folder: uppsala"],
        id="1-id-and-folder-of-a-source",
    ),
]


@pytest.mark.parametrize(("file", "old", "new", "messages"), REPLACED)
def test_a_misspelt_name_is_found(guidelines: Path, file: str, old: str, new: str, messages: list[str]) -> None:
    line = plant(guidelines / file, old, new)
    found = [text for text in problems(guidelines).splitlines() if text.startswith(f"guidelines/{file}:{line}: ")]
    assert any(all(message in text for message in messages) for text in found), found


def test_1_a_folder_that_nobody_reads(guidelines: Path) -> None:
    (guidelines / "nordic").mkdir()
    shutil.copy(guidelines / "msd" / "dxa.yaml", guidelines / "nordic")
    shutil.copy(guidelines / "msd" / "source.yaml", guidelines / "nordic" / "sources.yaml")
    found = problems(guidelines)
    assert "guidelines/nordic/dxa.yaml:1: nobody reads the folder nordic" in found
    assert "guidelines/nordic/sources.yaml:1: nobody reads the folder nordic, did you mean source.yaml?" in found


def test_1_a_file_that_is_not_named_yaml(guidelines: Path) -> None:
    (guidelines / "msd" / "dxa.yaml").rename(guidelines / "msd" / "dxa.yml")
    assert "guidelines/msd/dxa.yml:1: nobody reads this file, did you mean dxa.yaml?" in problems(guidelines)


def test_1_a_source_that_no_profile_names(guidelines: Path) -> None:
    line = plant(guidelines / "profiles.yaml", "fills: [dk-metastases]", "fills: [dk-metastasis]")
    # its safety statements act in every profile: the source itself is read, the profile is what is wrong
    assert f"guidelines/profiles.yaml:{line}: unknown source 'dk-metastasis', did you mean dk-metastases?" in problems(
        guidelines
    )
    (guidelines / "nordic").mkdir()
    text = (guidelines / "msd" / "source.yaml").read_text(encoding="utf-8").replace("id: msd", "id: nordic", 1)
    (guidelines / "nordic" / "source.yaml").write_text(text, encoding="utf-8")
    assert "guidelines/nordic/source.yaml:1: no profile names the source nordic" in problems(guidelines)


def test_a_new_source_is_found_by_its_file(guidelines: Path) -> None:
    """Change story (a): a folder, a profile and its name in each language, and nothing in the code."""
    (guidelines / "nordic").mkdir()
    text = (guidelines / "msd" / "source.yaml").read_text(encoding="utf-8").replace("id: msd", "id: nordic", 1)
    (guidelines / "nordic" / "source.yaml").write_text(text, encoding="utf-8")
    plant(guidelines / "profiles.yaml", "fills: [dk-metastases]", "fills: [dk-metastases, nordic]")
    assert "guidelines/locales/sv.yaml" in problems(guidelines)  # it has no name yet
    for path in (guidelines / "locales").glob("*.yaml"):
        plant(path, "  msd:\n", '  nordic: {short: "Nordic", label: "Nordic guideline"}\n  msd:\n')
    load_knowledge.cache_clear()
    assert "nordic" in load_knowledge(guidelines).sources


def test_2_a_criterion_in_two_files(guidelines: Path) -> None:
    text = (guidelines / "msd" / "criteria.yaml").read_text(encoding="utf-8")
    name = re.findall(r"^  ([a-z0-9-]+):$", text, re.MULTILINE)[0]
    line = add(guidelines / "uppsala" / "more.yaml", CRITERION.format(name=name), f"  {name}:")
    found = problems(guidelines)
    assert f":{line}: {name} is already in guidelines/msd/criteria.yaml:" in found.replace("more.yaml", "") or (
        f"{name} is already in guidelines/uppsala/more.yaml:{line}" in found
    )


@pytest.mark.parametrize("name", ["bmi", "age", "postmenopausal", "takes.denosumab", "dxa", "courses"])
def test_3_a_criterion_with_the_name_of_a_feature_or_of_something_internal(guidelines: Path, name: str) -> None:
    line = add(guidelines / "uppsala" / "more.yaml", CRITERION.format(name=name), f"  {name}:")
    found = problems(guidelines)
    assert f"guidelines/uppsala/more.yaml:{line}: criterion {name}" in found
    assert f"did you mean uppsala-{name}?" in found


def test_4_a_key_that_is_given_twice(guidelines: Path) -> None:
    line = plant(guidelines / "drugs" / "denosumab.yaml", "suggested:", "course: denosumab\nsuggested:")
    assert f"guidelines/drugs/denosumab.yaml:{line}: the key 'course' is already given in line 3" in problems(
        guidelines
    )


def test_5_a_drug_id_that_is_given_twice(guidelines: Path) -> None:
    shutil.copy(guidelines / "drugs" / "denosumab.yaml", guidelines / "drugs" / "prolia.yaml")
    found = problems(guidelines)
    assert "guidelines/drugs/prolia.yaml:1: denosumab is already in guidelines/drugs/denosumab.yaml:2 (drugs)" in (
        found.replace("prolia.yaml:2", "prolia.yaml:1")
    )
    assert "did you mean prolia?" in found


def test_6_an_advice_id_that_is_given_twice(guidelines: Path) -> None:
    text = (guidelines / "advice" / "advice.yaml").read_text(encoding="utf-8")
    first, second = list(re.finditer(r"^ *- id: (\S+)$", text, re.MULTILINE))[:2]
    entry = "advice:\n" + text[first.start() : second.start()]
    line = add(guidelines / "advice" / "more.yaml", entry, "- id")
    assert f"guidelines/advice/more.yaml:{line}: {first[1]} is already in guidelines/advice/advice.yaml:" in (
        problems(guidelines)
    )


def test_7_a_drug_rule_for_an_unknown_profile(guidelines: Path) -> None:
    for path in sorted(guidelines.glob("*/*.yaml")):
        if "effect_in: {" in path.read_text(encoding="utf-8"):
            line = plant(path, "effect_in: {", "effect_in: {see: caution, ")
            assert f"{path.parent.name}/{path.name}:{line}: unknown profile 'see', did you mean se?" in (
                problems(guidelines)
            )
            return
    pytest.fail("no drug rule has a profile of its own")


def test_8_a_disagreement_for_an_unknown_profile(guidelines: Path) -> None:
    line = plant(guidelines / "advice" / "notes.yaml", "profiles: [", "profiles: [international, ")
    assert f"guidelines/advice/notes.yaml:{line}: unknown profile 'international', did you mean intl?" in (
        problems(guidelines)
    )


def test_a_statement_that_is_never_cited_stands_apart(guidelines: Path) -> None:
    moved = (guidelines / "msd" / "not-used.yaml").read_text(encoding="utf-8")
    (guidelines / "msd" / "not-used.yaml").rename(guidelines / "msd" / "definitions.yaml")
    line = moved[: moved.index("- id:")].count("\n") + 1
    assert f"guidelines/msd/definitions.yaml:{line}: msd." in problems(guidelines)


def test_everything_is_told_at_once_also_by_osteon_check(guidelines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plant(guidelines / "drugs" / "denosumab.yaml", "bone_drug]", "bone_drugs]")
    plant(guidelines / "advice" / "advice.yaml", "asks: [t_score]", "asks: [t_scor]")
    plant(guidelines / "concepts" / "conditions.yaml", "group: condition", "group: conditon")
    assert main(["--guidelines", str(guidelines)]) == 1
    told = capsys.readouterr().out
    assert all(word in told for word in ("bone_drugs", "t_scor", "conditon"))


def test_the_shipped_files_are_right(guidelines: Path) -> None:
    assert load_knowledge(guidelines).version == load_knowledge().version
