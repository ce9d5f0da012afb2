"""The change stories of CONTRIBUTING.md, carried out on a copy of the service.

Each test makes the change in the files that the story names and in no other.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.stories.project_copy import ProjectCopy, copy_to

LOW_BMI = "uppsala.dxa.low-bmi-postmenopausal"


@pytest.fixture
def copy(tmp_path: Path) -> ProjectCopy:
    return copy_to(tmp_path)


def woman(**facts: Any) -> dict[str, Any]:
    return {"profile": "se", "patient": {"sex": "female", "age": 62}, **facts}


def with_bmi(value: float) -> dict[str, Any]:
    post = {"concept": "menopausal_status", "value": "post", "days_ago": 400}
    return woman(observations=[post, {"concept": "bmi", "value": value, "unit": "kg/m2", "days_ago": 30}])


def test_changing_a_limit_is_one_number_in_one_file(copy: ProjectCopy) -> None:
    """Story (e)."""
    patients = [with_bmi(19.9), with_bmi(20.0), with_bmi(20.9), with_bmi(21.0)]
    assert [LOW_BMI in cited for cited in copy.cited(*patients)] == [True, False, False, False]
    copy.replace("guidelines/uppsala/criteria.yaml", "bmi: {below: 20,", "bmi: {below: 21,")
    assert [LOW_BMI in cited for cited in copy.cited(*patients)] == [True, True, True, False]


DRUG = """\
id: examplumab
evidence:
  e1: "an example of tests/stories"
products:
  examplumab:
    classes: [bone_drug]
    route: subcutaneous
    names: ['examplumab']
    codes:
      atc:
        "M05BX99": {display: "examplumab", from: e1, conf: high}
"""


def test_a_new_drug_is_one_file_of_drugs(copy: ProjectCopy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Story (b): a patient who takes it counts as treated, so nothing is started; before, nobody knew the drug."""
    monkeypatch.setitem(vocabulary_of_drugs(), "examplumab", "M05BX99")
    treated = woman(
        observations=[
            {"concept": "menopausal_status", "value": "post", "days_ago": 400},
            {"concept": "crcl", "value": 70, "unit": "mL/min", "days_ago": 20},
            {"concept": "dxa_t_score", "site": "total_hip", "value": -2.9, "unit": "SD", "days_ago": 60},
        ],
        conditions=[{"concept": "fracture", "site": "hip", "days_ago": 100, "low_energy": True}],
        medications=[{"concept": "examplumab", "status": "active", "started_days_ago": 50}],
    )
    untreated = {name: facts for name, facts in treated.items() if name != "medications"}
    before, control = copy.cited(treated, untreated)
    starts = {name for name in control if name.startswith("uppsala.treat.")}
    assert starts
    assert starts <= before
    copy.write("guidelines/drugs/examplumab.yaml", DRUG)
    assert copy.check().returncode == 0
    after, control = copy.cited(treated, untreated)
    assert not starts & after
    assert starts <= control


def test_a_new_language_is_one_file_and_one_line(copy: ProjectCopy) -> None:
    """Story (d): the cards come in it, and a text that it lacks stops the check."""
    texts = (copy.folder / "guidelines/locales/en.yaml").read_text(encoding="utf-8")
    texts = texts.replace("language: en", "language: fi").replace('why: "Why"', 'why: "Miksi"')
    texts = texts.replace("postmenopausal with BMI below {bmi}", "vaihdevuosien jälkeen, BMI alle {bmi}")
    copy.write("guidelines/locales/fi.yaml", texts)
    assert "fi is no language of app/vocabulary.py" in copy.check().stdout
    copy.replace("app/vocabulary.py", '    ZH = "zh"\n', '    ZH = "zh"\n    FI = "fi"\n')
    assert copy.check().returncode == 0
    (cards,) = copy.answers(with_bmi(19.0), language="fi")
    assert "vaihdevuosien jälkeen, BMI alle 20" in " ".join(summary for summary, _ in cards)
    copy.replace("guidelines/locales/fi.yaml", '  why: "Miksi"\n', "")
    assert "guidelines/locales/fi.yaml:7: phrases.why: Field required" in copy.check().stdout


def vocabulary_of_drugs() -> dict[str, str]:
    from app.cases.builder import vocabulary

    drugs: dict[str, str] = vocabulary()["drugs"]
    return drugs


SERVICE = """
    Service(
        id="osteoporosis-appointment-book",
        hook=Hook.APPOINTMENT_BOOK,
        occasion=Occasion.CHART,
        title="Osteoporosis: an appointment is booked",
        description="What is due at the appointment.",
    ),
)
"""


def test_a_new_hook_on_a_known_occasion_is_one_entry(copy: ProjectCopy) -> None:
    """Story (c): the hook is discovered and answered like patient-view."""
    patient = with_bmi(19.9)
    hooks = "app/cds_hooks/hooks.py"
    copy.replace(hooks, '    PATIENT_VIEW = "patient-view"\n', '    PATIENT_VIEW = "patient-view"\n' + MEMBER)
    services = (copy.folder / hooks).read_text(encoding="utf-8")
    start = services.index("SERVICES: tuple[Service, ...] = (")
    end = services.index("\n)\n", start)
    copy.replace(hooks, services[start : end + 3], services[start:end] + SERVICE)
    as_before, by_new_hook = copy.cited(patient, patient | {"hook": "appointment-book"})
    assert LOW_BMI in as_before
    assert by_new_hook == as_before
    assert "osteoporosis-appointment-book" in copy.discovered()


MEMBER = '    APPOINTMENT_BOOK = "appointment-book"\n'


LANGUAGES = ("en", "sv", "da", "zh")
SOURCE = """\
id: testland
number: "005"
file: 005_testland.txt
language: en
title: "Osteoporosis in Testland"
dated: "2026-11-01"
url: "https://guideline.example.org"
licence: "an example of tests/stories"
"""
TOPIC = """\
recommendations:
- id: testland.dxa.low-bmi
  source: {lines: [1], quote: "Refer women after menopause with a BMI below 22."}
  strength: should
  use: card
  advise: refer-dxa
  when: {all: [postmenopausal, {bmi: {below: 22, unit: kg/m2, written: "BMI below 22"}}]}
"""


def test_a_new_source_is_a_folder_a_profile_and_its_texts(copy: ProjectCopy) -> None:
    """Story (a): it fills in `intl` and is cited there in that role, and nowhere else."""
    new = "testland.dxa.low-bmi"
    patients = [with_bmi(21.9), with_bmi(22.0)]
    patients = [patient | {"profile": profile} for profile in ("intl", "dk") for patient in patients]
    assert not any(new in cited for cited in copy.cited(*patients))
    copy.write("guidelines/testland/source.yaml", SOURCE)
    copy.write("guidelines/testland/dxa.yaml", TOPIC)
    copy.replace(
        "guidelines/profiles.yaml", "- id: intl\n  leads: [msd]\n", "- id: intl\n  leads: [msd]\n  fills: [testland]\n"
    )
    for language in LANGUAGES:
        file = f"guidelines/locales/{language}.yaml"
        copy.replace(
            file, "\nsources:\n", '\nsources:\n  testland: {short: "Testland", label: "Guideline of Testland"}\n'
        )
        copy.replace(
            file, "\nstatements:\n", f'\nstatements:\n  {new}:\n    statement: "DXA at a BMI below {{limit}}."\n'
        )
    assert copy.check().returncode == 0
    answers = copy.answers(*patients)
    cited = [[one for _, card in cards for one in card["recommendations"] if one["id"] == new] for cards in answers]
    assert [[one["role"] for one in found] for found in cited] == [["fill"], [], [], []]


@pytest.mark.parametrize(
    ("path", "old", "new", "told"),
    [
        ("guidelines/uppsala/criteria.yaml", "bmi: {below: 20,", "bmi: {beloww: 20,", "below"),
        ("guidelines/drugs/bazedoxifene.yaml", "classes: [bone_drug]", "clases: [bone_drug]", "classes"),
    ],
)
def test_a_slip_in_a_story_stops_the_check_with_file_and_hint(
    copy: ProjectCopy, path: str, old: str, new: str, told: str
) -> None:
    copy.replace(path, old, new)
    checked = copy.check()
    output = checked.stdout + checked.stderr
    assert checked.returncode != 0
    assert Path(path).name in output
    assert told in output
