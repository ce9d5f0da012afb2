"""A copy of the service and its guideline files, in which a story of CONTRIBUTING.md is carried out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.cases.builder import Builder
from tests.clinical.cases import TODAY
from tests.support.patience import PATIENCE

ROOT = Path(__file__).parents[2]
ANSWER = """
import json, sys
from datetime import date
import orjson
from app.cds_hooks.hooks import SERVICES
from app.cds_hooks.request import read_request
from app.decoding.call import decode_call
from app.pipeline import build_pipeline
from app.settings import Settings

pipeline = build_pipeline(Settings())
services = {str(service.hook): service for service in SERVICES}
answers = []
for body in json.load(sys.stdin):
    request = read_request(decode_call(orjson.dumps(body)), services[body["hook"]])
    answer = pipeline.answer(request, today=date.fromisoformat(sys.argv[1]))
    answers.append([[card.summary, card.extension["osteon.explanation"]] for card in answer.cards])
sys.stdout.write(json.dumps(answers, default=str))
"""

Cards = list[tuple[str, dict[str, Any]]]
"""Of each card the summary and the explanation."""


@dataclass(frozen=True)
class ProjectCopy:
    """The folder with `app` and `guidelines`."""

    folder: Path

    def replace(self, path: str, old: str, new: str) -> None:
        """Change one place of a file."""
        file = self.folder / path
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1, (path, old, text.count(old))
        file.write_text(text.replace(old, new), encoding="utf-8")

    def write(self, path: str, text: str) -> None:
        """Add a file."""
        file = self.folder / path
        assert not file.exists(), path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def check(self) -> subprocess.CompletedProcess[str]:
        """`osteon check`."""
        return self._run("-m", "app.commands.cli", "check")

    def answers(self, *cases: Mapping[str, Any], language: str = "en") -> list[Cards]:
        """The cards for each patient, in the words of the clinical cases."""
        bodies = [Builder(case, TODAY).request() for case in cases]
        for body in bodies:
            body["extension"]["osteon.configuration"]["language"] = language
        finished = self._run("-c", ANSWER, TODAY.isoformat(), given=json.dumps(bodies))
        assert finished.returncode == 0, finished.stderr
        answers: list[Cards] = json.loads(finished.stdout)
        return answers

    def discovered(self) -> str:
        """The discovery answer."""
        finished = self._run("-c", "from app.cds_hooks.discovery import discovery; print(discovery())")
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    def cited(self, *cases: Mapping[str, Any]) -> list[set[str]]:
        """The recommendations that the answer to each patient cites."""
        return [
            {cited["id"] for _, explanation in cards for cited in explanation.get("recommendations", [])}
            for cards in self.answers(*cases)
        ]

    def _run(self, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OSTEON_")}
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=environment | {"PYTHONPATH": str(self.folder)},
            input=given,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


def copy_to(folder: Path) -> ProjectCopy:
    """Copy what a running service needs."""
    for name in ("app", "guidelines"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return ProjectCopy(folder)
