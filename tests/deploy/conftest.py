"""Where the things are that are delivered, and the tools that have an environment of their own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.patience import PATIENCE

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm" / "osteon"
TOOLS = ROOT / ".venv-deploy" / "bin"

Resource = dict[str, Any]
Values = dict[str, Any]


@pytest.fixture(scope="session")
def tools() -> Path:
    """The folder of the tools; the tests that need them skip, and say so, where they are not installed."""
    if not (TOOLS / "python").exists():
        pytest.skip("LOUD: .venv-deploy is missing, the chart is NOT rendered and nothing is linted: run `make chart`")
    return TOOLS


@pytest.fixture(scope="session")
def renderer(tools: Path) -> Iterator[subprocess.Popen[str]]:
    """One process for all tests: loading helm takes longer than rendering."""
    command: list[str | Path] = [tools / "python", DEPLOY / "chart.py", "render"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin
        process.stdin.close()
        assert process.wait(timeout=PATIENCE) == 0


Render = Callable[[Values], dict[str, Any]]


@pytest.fixture
def render(renderer: subprocess.Popen[str]) -> Render:
    """A function that renders the chart with values: `manifests` by template, or `error`."""

    def run(values: Values) -> dict[str, Any]:
        assert renderer.stdin
        assert renderer.stdout
        renderer.stdin.write(json.dumps(values) + "\n")
        renderer.stdin.flush()
        answer: dict[str, Any] = json.loads(renderer.stdout.readline())
        return answer

    return run


@pytest.fixture
def resources(render: Render) -> Callable[[Values], dict[str, Resource]]:
    """A function that gives the rendered resources by kind (a second one of a kind as kind/name)."""

    def run(values: Values) -> dict[str, Resource]:
        answer = render(values)
        assert "error" not in answer, answer["error"]
        found: dict[str, Resource] = {}
        for path, text in sorted(answer["manifests"].items()):
            for document in yaml.safe_load_all(text) if path.endswith(".yaml") else ():
                if document:
                    kind = document["kind"]
                    found[f"{kind}/{document['metadata']['name']}" if kind in found else kind] = document
        return found

    return run
