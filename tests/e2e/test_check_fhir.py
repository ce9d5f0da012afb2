"""`osteon check-fhir` against a real server process with bad habits."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.commands import check_fhir
from tests.e2e.test_fhir_server import TOKEN, Server, server

__all__ = ["server"]  # the fixture


def test_each_query_has_a_line(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert check_fhir.main([server.base("good"), "--patient", "p1"]) == 0
    said = capsys.readouterr().out
    assert "not listed yet" in said
    assert "allergies" in said
    assert "ok, 1 entries" in said
    assert "p1" not in said


def test_a_failed_query_is_explained(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n", encoding="utf-8")
    arguments = [server.base("unauthorized"), "--patient", "p1", "--token-file", str(token)]
    assert check_fhir.main(arguments) == check_fhir.EXIT_QUERIES
    said = capsys.readouterr().out
    assert "unauthorized: 401: the server does not accept the token" in said
    assert TOKEN not in said
    sent = {entry["path"]: entry["authorization"] for entry in server.seen()}
    assert sent["/unauthorized/Patient/p1"] == f"Bearer {TOKEN}"
    assert sent["/unauthorized/metadata"] is None


def test_without_a_patient_only_the_server_is_tried(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert check_fhir.main([server.base("html")]) == check_fhir.EXIT_QUERIES
    before = len(server.seen())
    assert check_fhir.main([server.base("outcome")]) == 0
    assert len(server.seen()) == before + 1
    said = capsys.readouterr().out
    assert "metadata  " in said
    assert "not-fhir" in said


@pytest.mark.parametrize("url", ["http://fhir.example.org/r4", "ftp://127.0.0.1", "https://u:p@fhir.example.org"])
def test_an_address_that_is_never_called(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert check_fhir.main([url]) == check_fhir.EXIT_USE
    assert "never called" in capsys.readouterr().err
