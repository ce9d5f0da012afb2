"""The Helm chart: it is valid, it says in time what cannot work, and its pods are as locked in as the image allows."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from app import __version__
from app.docgen.settings import setting_names
from tests.deploy.conftest import CHART, DEPLOY, ROOT, Render, Resource

Resources = Callable[[dict[str, Any]], dict[str, Resource]]

VALUES = {path.stem.removesuffix("-values"): path for path in sorted((CHART / "ci").glob("*.yaml"))}


def values(name: str, **more: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(VALUES[name].read_text(encoding="utf-8"))
    return loaded | more


def pod(found: dict[str, Resource]) -> dict[str, Any]:
    spec: dict[str, Any] = found["Deployment"]["spec"]["template"]["spec"]
    return spec


def test_the_chart_has_the_version_of_the_service() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)


def test_helm_and_the_schemas_of_kubernetes_find_nothing_wrong(tools: Path) -> None:
    finished = subprocess.run([tools / "python", DEPLOY / "chart.py", "check"], capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert finished.stdout.count("resources (") == len(VALUES) >= 3


def test_the_check_of_the_chart_finds_a_planted_error(tools: Path, tmp_path: Path) -> None:
    """A number where Kubernetes wants a text: the check above can fail."""
    for path in (*CHART.rglob("*.*"), DEPLOY / "chart.py"):
        copy = tmp_path / path.relative_to(DEPLOY)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    service = tmp_path / "helm/osteon/templates/service.yaml"
    service.write_text(service.read_text().replace("protocol: TCP", "protocol: 17"))
    finished = subprocess.run([tools / "python", tmp_path / "chart.py", "check"], capture_output=True, text=True)
    assert finished.returncode == 1
    assert "Service (Kubernetes" in finished.stdout


@pytest.mark.parametrize("name", VALUES)
def test_pods_are_locked_in(resources: Resources, name: str) -> None:
    spec = pod(resources(values(name)))
    container = spec["containers"][0]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 10001
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not any("emptyDir" in volume or "hostPath" in volume for volume in spec.get("volumes", ()))


@pytest.mark.parametrize(("before", "work"), [(5, 10), (0, 30), (20, 1)])
def test_a_pod_has_more_time_to_end_than_its_work_may_take(resources: Resources, before: int, work: int) -> None:
    found = resources(values("gateway", preStopSeconds=before, shutdownSeconds=work))
    assert pod(found)["terminationGracePeriodSeconds"] > before + work
    assert found["ConfigMap"]["data"]["OSTEON_SHUTDOWN_TIMEOUT_SECONDS"] == str(work)
    command = pod(found)["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert command[0] == "/opt/osteon/bin/python"
    assert command[-1].endswith(f"sleep({before})")


def test_every_probe_asks_an_address_that_exists(resources: Resources) -> None:
    container = pod(resources(values("gateway")))["containers"][0]
    paths = {name: container[name]["httpGet"]["path"] for name in container if name.endswith("Probe")}
    assert paths == {
        "startupProbe": "/health/live",
        "livenessProbe": "/health/live",
        "readinessProbe": "/health/ready",
    }
    ports = [(port["name"], port["containerPort"]) for port in container["ports"]]
    assert ports == [("http", 8000)]


@pytest.mark.parametrize("name", VALUES)
def test_the_service_starts_with_the_settings_of_the_chart(resources: Resources, name: str, tmp_path: Path) -> None:
    """The environment that the chart makes is one that the settings classes accept, key sets included."""
    found = resources(values(name))
    environment = dict(found["ConfigMap"]["data"])
    if pod(found)["containers"][0].get("env"):
        environment["OSTEON_REPLAY_STORE"] = "redis://redis.example.org/0"
    for mount in pod(found)["containers"][0].get("volumeMounts", ()):
        if mount["mountPath"] not in environment.get("OSTEON_TRUSTED_CLIENTS", ""):  # a folder that the hospital brings
            folder = tmp_path / mount["name"]
            folder.mkdir()
            environment |= {
                key: str(folder) for key, value in environment.items() if value.startswith(mount["mountPath"])
            }
            continue
        for file, text in found["ConfigMap/osteon-keys"]["data"].items():
            (tmp_path / file).write_text(text, encoding="utf-8")
        clients = environment["OSTEON_TRUSTED_CLIENTS"]
        assert mount["mountPath"] in clients
        environment["OSTEON_TRUSTED_CLIENTS"] = clients.replace(mount["mountPath"], str(tmp_path))
    assert set(environment) <= {f"OSTEON_{setting.upper()}" for setting in setting_names()}
    code = (
        "from app.settings import Settings; from app.api.trust.settings import TrustSettings; "
        "from app.outbound.settings import FhirClientSettings; "
        "Settings(); FhirClientSettings(); t = TrustSettings(); print(t.trust, len(t.clients()))"
    )
    plain = {key: value for key, value in os.environ.items() if not key.startswith("OSTEON_")}
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=plain | environment, capture_output=True, text=True
    )
    assert finished.stdout.split() == (["off", "0"] if name in {"gateway", "local"} else ["required", "1"]), (
        finished.stderr
    )


def test_without_a_list_nothing_may_be_called(resources: Resources) -> None:
    policy = resources(values("gateway"))["NetworkPolicy"]["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert policy["egress"] == []
    assert policy["ingress"][0]["from"] == [{"podSelector": {}}]


def test_a_list_of_hosts_brings_name_service_and_nothing_else(resources: Resources) -> None:
    egress = resources(values("required"))["NetworkPolicy"]["spec"]["egress"]
    assert [[port["port"] for port in rule["ports"]] for rule in egress] == [[53, 53], [443]]


def test_the_autoscaler_decides_the_number_of_pods_alone(resources: Resources) -> None:
    scaled, fixed = resources(values("required")), resources(values("gateway"))
    assert "replicas" not in scaled["Deployment"]["spec"]
    assert scaled["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == "osteon"
    assert fixed["Deployment"]["spec"]["replicas"] == 3
    assert "HorizontalPodAutoscaler" not in fixed


def test_selectors_find_the_pods(resources: Resources) -> None:
    found = resources(values("required"))
    labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"].items()
    selectors = [
        found["Deployment"]["spec"]["selector"]["matchLabels"],
        found["Service"]["spec"]["selector"],
        found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
        found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
    ]
    for selector in selectors:
        assert selector
        assert selector.items() <= labels
    monitored = found["ServiceMonitor"]["spec"]["selector"]["matchLabels"]
    assert monitored.items() <= found["Service"]["metadata"]["labels"].items()


def test_pods_are_replaced_when_a_setting_changes(resources: Resources) -> None:
    def checksum(language: str) -> str:
        found = resources(values("gateway", settings={"OSTEON_LANGUAGE": language}))
        text: str = found["Deployment"]["spec"]["template"]["metadata"]["annotations"]["checksum/settings"]
        return text

    assert checksum("sv") != checksum("da")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"trust": {"publicBaseUrl": ""}}, "trust.publicBaseUrl"),
        ({"trust": {"publicBaseUrl": "https://cds.example.org", "clients": []}}, "trust.clients"),
        (
            {
                "trust": {
                    "publicBaseUrl": "https://cds.example.org",
                    "clients": [{"iss": "a", "jku": ["https://a.b/j"]}],
                }
            },
            "trust.replay.existingSecret",
        ),
        ({"trust": {"mode": "maybe"}}, "mode"),
        ({"trust": {"mode": "off"}, "settings": {"OSTEON_TRUST": "loopback"}}, "settings.OSTEON_TRUST"),
        ({"trust": {"mode": "off"}, "settings": {"OSTEON_PROFILE": 1}}, "OSTEON_PROFILE"),
        ({"trust": {"mode": "off"}, "replicaCount": 3}, "replicaCount"),
        ({"trust": {"mode": "off"}, "networkPolicy": {"from": []}}, "networkPolicy"),
    ],
)
def test_what_cannot_work_is_said_when_it_is_installed(render: Render, wrong: dict[str, Any], said: str) -> None:
    assert said in render(wrong).get("error", "")


def test_the_overlay_and_the_codes_of_a_hospital_are_mounted_read_only(resources: Resources) -> None:
    spec = pod(resources(values("local")))
    container = spec["containers"][0]
    assert {one["name"]: one["value"] for one in container["env"]} == {
        "OSTEON_LOCAL": "/etc/osteon/local",
        "OSTEON_LOCAL_CODES": "/etc/osteon/codes",
    }
    assert {one["mountPath"]: one["readOnly"] for one in container["volumeMounts"]} == {
        "/etc/osteon/local": True,
        "/etc/osteon/codes": True,
    }
    volumes = {one["name"]: one["configMap"] for one in spec["volumes"]}
    assert volumes["local"]["name"] == "osteon-local-2026-06"
    assert {"key": "usa-source.yaml", "path": "usa/source.yaml"} in volumes["local"]["items"]
    assert volumes["codes"] == {"name": "osteon-codes-2026-06"}


def test_a_wrong_overlay_keeps_the_old_pods_serving(resources: Resources) -> None:
    """New pods stop at the start, are never ready, and no old pod goes before a new one is."""
    deployment = resources(values("local"))["Deployment"]["spec"]
    assert deployment["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    assert pod(resources(values("local")))["containers"][0]["readinessProbe"]["httpGet"]["path"] == "/health/ready"
