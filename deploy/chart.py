"""Lints the Helm chart, renders it, and compares what comes out with the schemas of Kubernetes.

    .venv-deploy/bin/python deploy/chart.py check     every values file of the chart, strictly; for `make chart`
    .venv-deploy/bin/python deploy/chart.py render    for programs: reads values, a JSON object a line, and answers each
                                                      with {"manifests": {template: text}} or {"error": ...}

Needs the packages of deploy/tools.lock, which are not those of the service.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate
import yaml
from helm_python.chart import Chart, lint

CHART = Path(__file__).parent / "helm" / "osteon"
# The oldest that Chart.yaml allows, and the newest whose schemas are at hand.
KUBERNETES = ("1.27", "1.37")
# Kinds that are not of Kubernetes itself: no schema is at hand.
FOREIGN = frozenset({"ServiceMonitor"})
WARNING = 2  # severities of helm: 1 is information (an icon is recommended)


def render(values: dict[str, Any]) -> dict[str, str]:
    """Template path -> manifest, as `helm install osteon` would send it. Raises HelmError."""
    with Chart.load(CHART) as chart:
        return chart.render(values, name="osteon", namespace="cds", is_install=True)


def documents(rendered: dict[str, str]) -> list[dict[str, Any]]:
    """The resources of all templates; notes and empty documents are none."""
    return [
        document
        for path, text in sorted(rendered.items())
        if path.endswith(".yaml")
        for document in yaml.safe_load_all(text)
        if document
    ]


def problems_of(values: dict[str, Any]) -> list[str]:
    """What helm and the schemas of Kubernetes find wrong with the chart and these values."""
    report = lint(CHART, values, strict=True, kube_version=f"v{KUBERNETES[0]}.0")
    found = [f"helm: {one['path']}: {one['error']}" for one in report["messages"] if one["severity"] >= WARNING]
    found += [f"helm: {error}" for error in report["errors"]]
    for document in documents(render(values)):
        if document["kind"] in FOREIGN:
            continue
        for version in KUBERNETES:
            try:
                kubernetes_validate.validate(document, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                found.append(f"{document['kind']} (Kubernetes {version}): {error.message}")
    return found


def answer(values: dict[str, Any]) -> dict[str, Any]:
    """The rendered templates, or what helm says against the values."""
    try:
        return {"manifests": render(values)}
    except helm_python.HelmError as error:
        return {"error": str(error)}


def check() -> int:
    """All values files below ci/; prints one line each and gives the exit status."""
    failed = 0
    for path in sorted((CHART / "ci").glob("*.yaml")):
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        found = problems_of(values)
        kinds = sorted(document["kind"] for document in documents(render(values)))
        print(f"{path.name}: {len(kinds)} resources ({', '.join(kinds)}), {len(found)} problems")
        for problem in found:
            print(f"  {problem}")
        failed |= bool(found)
    return failed


def main(arguments: list[str]) -> int:
    """Run one command; exit status 1 where something is wrong."""
    match arguments:
        case ["check"]:
            return check()
        case ["render"]:
            for line in sys.stdin:
                print(json.dumps(answer(json.loads(line))), flush=True)
            return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
