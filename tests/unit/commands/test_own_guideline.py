"""docs/tutorial-own-guideline.md: a guideline of another country, checked, tested and planted with errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.api.trust.settings import ClientDefaults
from app.commands import check, new_guideline, run_cases
from app.engine.linker import load_knowledge
from app.engine.loader import GuidelineError
from app.settings import Settings


@pytest.fixture
def guideline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    folder = tmp_path / "local" / "usa"
    assert new_guideline.main([str(folder)]) == 0
    capsys.readouterr()
    return folder


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_skeleton_is_right_and_its_cases_hold(guideline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main(["--local", str(guideline.parent)]) == 0
    assert run_cases.main([str(guideline)]) == 0
    told = capsys.readouterr().out
    assert "Woman of 65, never measured [usa-woman-65]" in told
    assert "Refer for bone density measurement (DXA): woman aged 65 or older [usa.dxa.women-from-65]" in told
    assert "5 cases, 0 failed" in told
    assert Settings(local=guideline.parent, profile="usa").profile == "usa"


def test_a_wrong_case_fails_and_says_why(guideline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(guideline / "cases" / "dxa.yaml", "sex: female, age: 64", "sex: female, age: 66")
    assert run_cases.main([str(guideline.parent)]) == 1
    assert "FAILED: usa.dxa.women-from-65 should not be cited" in capsys.readouterr().out


def test_a_case_with_an_unknown_key_is_refused(guideline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(guideline / "cases" / "dxa.yaml", "observations:", "observation:")
    assert run_cases.main([str(guideline)]) == 1
    assert "unknown key 'observation', did you mean observations?" in capsys.readouterr().err


def test_texts_stand_in_for_a_language_that_is_missing(guideline: Path) -> None:
    knowledge = load_knowledge(local=guideline.parent)
    statement = "Women of 65 years or older are screened for osteoporosis."
    for language in ("en", "sv", "zh"):
        assert knowledge.locale(language).statements["usa.dxa.women-from-65"].statement == statement


WRONG = [
    ("dxa.yaml", "refer-dxa", "refer-dxaa", "usa/dxa.yaml:11: unknown advice 'refer-dxaa', did you mean refer-dxa?"),
    ("locales/en.yaml", "  usa.dxa.women-from-65:", "  usa.dxa.woman-from-65:", "local/usa/locales/en.yaml:"),
    ("locales/en.yaml", "of {limit} years", "of {limits} years", "{limits} is no limit of its criteria"),
    ("locales/en.yaml", "of {limit} years", "of 66 years", "66 stands neither in the quotation nor under figures"),
    ("source.yaml", "id: usa", "id: us", "the id of a source is the name of its folder: usa, not us"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "message"), WRONG)
def test_a_mistake_is_shown_in_the_file_of_the_hospital(
    guideline: Path, file: str, old: str, new: str, message: str
) -> None:
    change(guideline / file, old, new)
    with pytest.raises(GuidelineError) as error:
        load_knowledge(local=guideline.parent)
    assert message in str(error.value)


def test_a_quotation_that_is_not_in_the_text_is_found(guideline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(guideline / "dxa.yaml", "Women 65 years or older: screening", "Women 60 years or older: screening")
    assert check.main(["--local", str(guideline.parent)]) == 1
    assert "not in lines 3-3: 'Women 60 years or older: screening" in capsys.readouterr().out


def test_a_guideline_without_texts_or_with_a_shipped_name_is_refused(guideline: Path) -> None:
    (guideline / "locales" / "en.yaml").unlink()
    with pytest.raises(GuidelineError, match="the source has no texts"):
        load_knowledge(local=guideline.parent)


@pytest.mark.parametrize("name", ["msd", "Usa", "concepts", "se"])
def test_a_name_that_is_taken_or_no_id_is_refused(tmp_path: Path, name: str) -> None:
    assert new_guideline.main([str(tmp_path / name)]) == 2
    assert not (tmp_path / name).exists()


def test_a_client_can_have_the_profile_of_the_hospital(guideline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="a profile is one of intl, se, dk, cn"):
        ClientDefaults(profile="usa")
    monkeypatch.setenv("OSTEON_LOCAL", str(guideline.parent))
    assert ClientDefaults(profile="usa").profile == "usa"
