"""docs/security.md names places and tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from app.api.http.settings import ConnectionSettings
from app.api.trust.settings import TrustSettings
from app.outbound.settings import FhirClientSettings

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
PLACES = sorted(set(re.findall(r"`((?:app|tests)/[\w/]+\.py)(?:::(\w+))?`", PAGE)))


def test_the_page_names_many() -> None:
    assert len(PLACES) > 30


@pytest.mark.parametrize(("path", "test"), PLACES)
def test_what_the_page_names_exists(path: str, test: str) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert not test or test in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_the_page_has_every_setting() -> None:
    for settings in (TrustSettings, FhirClientSettings, ConnectionSettings):
        for name in settings.model_fields:
            assert f"`{name.upper()}`" in PAGE, name


def test_the_defaults_on_the_page_are_those_of_the_code() -> None:
    trust, fhir = TrustSettings(), FhirClientSettings()
    connection = ConnectionSettings()
    rows = {
        name.strip(" `"): default.strip() for name, default in re.findall(r"^\| (`[^|]+`) \| ([^|]+) \|", PAGE, re.M)
    }
    assert rows["TRUST"] == f"`{trust.trust}`"
    assert rows["TRUST_ALGORITHMS"] == f"`{','.join(trust.trust_algorithms)}`"
    assert rows["TRUST_LEEWAY"] == f"{trust.trust_leeway:g} s"
    assert rows["TRUST_MAX_LIFETIME"] == f"{trust.trust_max_lifetime:g} s"
    assert rows["REPLAY_TIMEOUT`, `REPLAY_MAX_ENTRIES"] == f"{trust.replay_timeout} s, {trust.replay_max_entries}"
    ages = (trust.jwks_max_age, trust.jwks_max_stale, trust.jwks_refetch, trust.jwks_timeout)
    assert ", ".join(f"{age:g}" for age in ages) + " s" in rows.values()
    assert rows["FHIR_DEADLINE"] == f"{fhir.fhir_deadline} s"
    assert rows["FHIR_MAX_BYTES`, `FHIR_MAX_PAGES"] == f"{fhir.fhir_max_bytes // 1024**2} MiB, {fhir.fhir_max_pages}"
    assert rows["MAX_HEADER_BYTES"] == str(connection.max_header_bytes)
    assert rows["HEADER_TIMEOUT_SECONDS"] == f"{connection.header_timeout_seconds:g} s"
