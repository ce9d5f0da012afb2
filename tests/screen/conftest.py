"""A screening as the tests run it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from app.commands.screen import main
from app.pipeline import OsteonPipeline, build_pipeline
from app.settings import Settings

Run = Callable[..., "Result"]


class Result:
    """The results of a run."""

    def __init__(self, status: int, folder: Path) -> None:
        self.status, self.folder = status, folder

    @property
    def report(self) -> dict[str, Any]:
        return json.loads((self.folder / "run.json").read_text(encoding="utf-8"))

    def table(self, name: str) -> list[dict[str, Any]]:
        """The rows of `patients` or `worklist`, as they are sorted in the file."""
        with duckdb.connect() as engine:
            found = engine.execute(f"SELECT * FROM read_parquet('{self.folder / name}.parquet')")
            columns = [column[0] for column in found.description or ()]
            return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]

    def patients(self) -> dict[str, dict[str, Any]]:
        return {row["patient"]: row for row in self.table("patients")}


@pytest.fixture(scope="session")
def pipeline() -> OsteonPipeline:
    return build_pipeline(Settings())


@pytest.fixture
def screen(tmp_path: Path, pipeline: OsteonPipeline, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `osteon screen`; the ids of patients stay, unless `identified=False`."""

    # Built once for all tests; worker processes build their own.
    monkeypatch.setattr("app.commands.screen.build_pipeline", lambda _: pipeline)

    def run(*folders: Path, out: str = "out", identified: bool = True, arguments: tuple[str, ...] = ()) -> Result:
        given = [*map(str, folders), "--out", str(tmp_path / out), *arguments]
        if "--as-of" not in arguments:
            given += ["--as-of", "2026-06-15"]
        if "--profile" not in arguments:
            given += ["--profile", "intl"]
        if identified:
            given.append("--identified")
        return Result(main(given), tmp_path / out)

    return run
