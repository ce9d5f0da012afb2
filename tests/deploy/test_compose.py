"""The compose file: both containers locked in, the settings real, the times in the right order."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from app.docgen.settings import setting_names
from app.settings import Settings
from tests.deploy.conftest import DEPLOY, ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


@pytest.mark.parametrize("name", SERVICES)
def test_containers_are_locked_in(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("volumes")
    assert service["mem_limit"]


def test_only_loopback_is_published_by_default() -> None:
    assert SERVICES["osteon"]["ports"] == ["${OSTEON_LISTEN:-127.0.0.1:8000}:8000"]
    assert "ports" not in SERVICES["redis"]
    assert COMPOSE["networks"]["memory"]["internal"] is True
    assert SERVICES["redis"]["networks"] == ["memory"]


def test_every_variable_is_a_setting() -> None:
    assert set(SERVICES["osteon"]["environment"]) <= {f"OSTEON_{name.upper()}" for name in setting_names()}


def test_the_service_starts_with_its_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every `${NAME:-default}` read by the settings classes."""
    from app.api.trust.settings import TrustSettings
    from app.outbound.settings import FhirClientSettings

    for name, text in SERVICES["osteon"]["environment"].items():
        monkeypatch.setenv(name, re.sub(r"\$\{[A-Z_]+:-(.*)\}", r"\1", text))
    assert (Settings().profile, TrustSettings().trust, TrustSettings().uses_redis) == ("intl", "off", True)
    assert FhirClientSettings().fhir_servers == ()


def test_the_grace_period_is_longer_than_the_work_may_take() -> None:
    grace = int(SERVICES["osteon"]["stop_grace_period"].removesuffix("s"))
    assert grace > Settings.model_construct().shutdown_timeout_seconds


def test_the_build_context_is_the_project() -> None:
    assert (DEPLOY / SERVICES["osteon"]["build"]["context"] / "Dockerfile").resolve() == ROOT / "Dockerfile"


def test_used_tokens_are_never_forgotten_for_want_of_memory() -> None:
    command = SERVICES["redis"]["command"]
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"
    assert command[command.index("--save") + 1] == ""


def test_the_overlay_and_the_codes_of_a_hospital_are_mounted_read_only() -> None:
    local = yaml.safe_load((DEPLOY / "compose.local.yaml").read_text(encoding="utf-8"))["services"]["osteon"]
    assert set(local) == {"environment", "volumes"}
    assert set(local["environment"]) == {"OSTEON_LOCAL", "OSTEON_LOCAL_CODES"}
    assert set(local["environment"]) <= {f"OSTEON_{name.upper()}" for name in setting_names()}
    mounted = [volume.rpartition("}:")[2] for volume in local["volumes"]]
    assert mounted == [f"{folder}:ro" for folder in local["environment"].values()]
