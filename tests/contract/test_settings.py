"""Settings from the environment, and the command line."""

from __future__ import annotations

import socket
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app import __version__
from app.api.page.samples import sample_request
from app.commands import cli, demo, serve
from app.engine.loader import GuidelineError, Problem
from app.settings import MEBIBYTE, Settings


def test_defaults_are_closed_and_local(monkeypatch: pytest.MonkeyPatch) -> None:
    """Contract sections 3 and 7: profile intl, English, UTC, no CORS, at least 16 MiB."""
    for name in ("OSTEON_PROFILE", "OSTEON_LANGUAGE", "OSTEON_TIMEZONE", "OSTEON_CORS_ORIGINS"):
        monkeypatch.delenv(name, raising=False)
    settings = Settings()
    assert (settings.profile, settings.language, settings.timezone) == ("intl", "en", "UTC")
    assert settings.cors_origins == ()
    assert settings.max_body_bytes >= 16 * MEBIBYTE


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Contract section 3: with the prefix, lists separated by commas."""
    monkeypatch.setenv("OSTEON_PROFILE", "se")
    monkeypatch.setenv("OSTEON_TIMEZONE", "Europe/Stockholm")
    monkeypatch.setenv("OSTEON_CORS_ORIGINS", "https://a.test, http://b.test:8080")
    monkeypatch.setenv("OSTEON_DISABLED_RECOMMENDATIONS", "uppsala.a,uppsala.b,")
    monkeypatch.setenv("OSTEON_MAX_BODY_BYTES", "2048")
    monkeypatch.setenv("OSTEON_MAX_AGE_T_SCORE_MONTHS", "24")
    settings = Settings()
    assert settings.profile == "se"
    assert settings.zone.key == "Europe/Stockholm"
    assert settings.cors_origins == ("https://a.test", "http://b.test:8080")
    assert settings.disabled_recommendations == ("uppsala.a", "uppsala.b")
    assert (settings.max_body_bytes, settings.max_age_t_score_months) == (2048, 24)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("profile", "xx"),
        ("language", "de"),
        ("timezone", "Europe/Nowhere"),
        ("cors_origins", "a.test"),
        ("cors_origins", "https://a.test/path"),
        ("cors_origins", "null"),
        ("max_body_bytes", 10),
        ("public_base_url", "osteon.test"),
        ("max_age_renal_months", 0),
        ("max_concurrent_requests", 0),
        ("max_large_charts", 0),
    ],
)
def test_settings_that_cannot_be_right_stop_the_start(name: str, value: Any) -> None:
    """Contract section 3: with the name of the setting."""
    with pytest.raises(ValidationError, match=name):
        Settings(**{name: value})


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`osteon version`."""
    assert cli.main(["version"]) == 0
    assert capsys.readouterr().out.strip() == __version__


@pytest.mark.parametrize("arguments", [[], ["unknown"], ["serve", "--port", "x"]])
def test_wrong_arguments_explain_the_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The command line says what it takes."""
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 2
    assert "usage: osteon" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["serve"], ["demo", "--serve"]])
def test_a_taken_port_is_said_clearly(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Contract section 7: which port, and what to do."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert cli.main([*arguments, "--port", str(port)]) == serve.EXIT_PORT_TAKEN
    message = capsys.readouterr().err
    assert f"port {port}" in message
    assert "--port" in message


def test_wrong_settings_stop_the_start_with_the_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Contract section 3: one line, without the value, which may be a secret."""
    monkeypatch.setenv("OSTEON_TIMEZONE", "S3CRET")
    assert cli.main(["serve", "--port", "0"]) == serve.EXIT_SETTINGS
    message = capsys.readouterr().err
    assert "OSTEON_TIMEZONE" in message
    assert "S3CRET" not in message


@pytest.mark.parametrize("workers", ["1", "2"])
def test_wrong_guidelines_stop_the_start_with_file_and_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], workers: str
) -> None:
    """Design: a mistake in a guideline stops the service at start-up; several workers do not try for ever."""

    def broken(*_: Any, **__: Any) -> None:
        raise GuidelineError([Problem("uppsala/dxa.yaml", 7, "no such feature")])

    monkeypatch.setattr(serve, "service", broken)
    assert cli.main(["serve", "--port", "0", "--workers", workers]) == serve.EXIT_GUIDELINES
    assert "uppsala/dxa.yaml:7" in capsys.readouterr().err


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_unknown_recommendation_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], workers: str
) -> None:
    """Issue 19: an id that a setting switches off must be there."""
    monkeypatch.setenv("OSTEON_DISABLED_RECOMMENDATIONS", "uppsala.dxa.low-energy-fractures")
    assert cli.main(["serve", "--port", "0", "--workers", workers]) == serve.EXIT_SETTINGS
    assert "did you mean uppsala.dxa.low-energy-fracture?" in capsys.readouterr().err


def test_the_demo_without_a_service_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """`osteon demo` on a port where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert cli.main(["demo", "--port", str(port)]) == 1
    assert "No answer" in capsys.readouterr().out


def test_the_sample_patient_is_of_today() -> None:
    """The sample's dates move along, so that its values do not grow too old to be used."""
    then = sample_request("patient-view", date(2026, 11, 22))
    later = sample_request("patient-view", date(2030, 11, 22))

    def start(request: dict[str, Any]) -> date:
        statement = request["prefetch"]["medications"]["entry"][0]["resource"]
        return date.fromisoformat(statement["effectivePeriod"]["start"])

    assert start(later) - start(then) == date(2030, 11, 22) - date(2026, 11, 22)


def test_cards_are_printed_for_reading() -> None:
    """The printed card has its urgency, text, suggestions and source."""
    card = {
        "indicator": "warning",
        "summary": "Refer for DXA",
        "detail": "First line.\n\nSecond line.",
        "suggestions": [{"label": "Order DXA", "isRecommended": True}, {"label": "Ask"}],
        "source": {"label": "A guideline", "url": "https://guideline.test"},
    }
    text = demo.rendered(sample_request("patient-view", date(2026, 11, 22)), {"cards": [card]})
    for part in (
        "[WARNING] Refer for DXA",
        "Second line.",
        "Order DXA (recommended)",
        "-> Ask",
        "guideline.test",
        "1 card",
    ):
        assert part in text


def test_the_codes_of_an_overlay_are_those_of_the_hospital(tmp_path: Path) -> None:
    assert Settings(local=tmp_path).codes_folder is None
    (tmp_path / "codes").mkdir()
    assert Settings(local=tmp_path).codes_folder == tmp_path / "codes"
    assert Settings(local=tmp_path, local_codes="/etc/osteon/codes").codes_folder == Path("/etc/osteon/codes")
