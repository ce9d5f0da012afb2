"""A screening run: shuffle, screen each bucket in worker processes, put the results together; it can be resumed.

The work folder is bound to the export, the settings, the day and the version of the knowledge: a run that was stopped
goes on where it was, and a folder of another run is refused. A bucket counts as done when its file has its last name.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from app.chart import Availability
from app.collector import paused_collector
from app.pipeline import OsteonPipeline, build_pipeline
from app.processes import end_with_parent
from app.screen.export import Export
from app.screen.indicators import Period
from app.screen.lines import ExportError
from app.screen.patient import Screening
from app.screen.shuffle import patients_of, shuffled, stored
from app.settings import Settings

WORK = ".work"
BUCKET_BYTES = 48 * 1024 * 1024
"""Bytes of the export, as it would lie uncompressed, that one bucket should hold."""
COMPRESSION = 8
"""How much larger NDJSON is than its .gz, about: only the number of buckets depends on it."""
_WATCH_SECONDS = 1.0


@dataclass(frozen=True)
class Options:
    """What decides the result, and how much of the machine it may use."""

    profile: str
    as_of: date
    period: Period
    workers: int
    memory: str
    buckets: int | None = None


def buckets_for(export: Export, workers: int) -> int:
    """How many buckets: of a bounded size, and enough for all workers."""
    size = sum(file.size * (COMPRESSION if file.path.suffix == ".gz" else 1) for file in export.files)
    return max(workers, -(-size // BUCKET_BYTES))


class Run:
    """One run in its work folder, which only the user who runs it can read."""

    def __init__(self, export: Export, options: Options, out: Path, pipeline: OsteonPipeline) -> None:
        self.export, self.options, self.pipeline = export, options, pipeline
        self.knowledge = pipeline.knowledge.version
        self.folder = out / WORK
        self.fingerprint = export.fingerprint()
        self.buckets = options.buckets or buckets_for(export, options.workers)

    def prepare(self) -> bool:
        """Make or take up the work folder; whether there was one. Raises ExportError for that of another run."""
        state = self.folder / "run.json"
        told = self._binding()
        if self.folder.exists():
            found = json.loads(state.read_text(encoding="utf-8")) if state.is_file() else None
            if found != told:
                raise ExportError(
                    f"{self.folder}: work of another run (other data, profile, day or knowledge); "
                    "remove it, or choose another folder with --out"
                )
            return True
        self.folder.mkdir(parents=True, mode=0o700)
        _write(state, json.dumps(told))
        return False

    def _binding(self) -> dict[str, Any]:
        made = {
            "export": self.fingerprint,
            "profile": self.options.profile,
            "as_of": str(self.options.as_of),
            "period": [str(self.options.period.first), str(self.options.period.last)],
            "availability": {kind: str(value) for kind, value in self.export.availability.items()},
            "knowledge": self.knowledge,
            "settings": self.pipeline.settings.model_dump_json(),
            "buckets": self.buckets,
        }
        return json.loads(json.dumps(made))  # type: ignore[no-any-return]  # as it is read again

    def shuffle(self) -> dict[str, Any]:
        """Bring the records of each patient together, unless that is done. Gives the counts of the files."""
        done = self.folder / "shuffled.json"
        if not done.is_file():
            shutil.rmtree(self.folder / "buckets", ignore_errors=True)
            try:
                counts, kinds = shuffled(self.export, self.folder, self.buckets, self.options.memory)
            except ExportError:
                self.end()  # nothing of it can be gone on with
                raise
            _write(done, stored(counts, kinds))
        told: dict[str, Any] = json.loads(done.read_text(encoding="utf-8"))
        return told

    def availability(self, unassigned: Mapping[str, int]) -> dict[str, Availability]:
        """What each kind of records is complete for: a line that belongs to nobody could be anybody's."""
        return {
            kind: Availability.PARTIAL if unassigned.get(kind) and value is Availability.PROVIDED else value
            for kind, value in self.export.availability.items()
        }

    def screen(self, availability: Mapping[str, Availability]) -> Iterator[Counter[str]]:
        """Screen the buckets that are left; gives the statuses of the patients of each."""
        (self.folder / "results").mkdir(exist_ok=True, mode=0o700)
        left = [number for number in range(self.buckets) if not _result(self.folder, number).is_file()]
        task = _Task(self.folder, self.options, availability, self.export.deleted, self.knowledge)
        if not left:
            return
        if self.options.workers == 1:
            worker = _Worker(task, self.pipeline)
            for number in left:
                yield _screen_bucket(worker, number)
            return
        # spawn: a fork of a process with an engine's threads is not safe; each worker builds the pipeline once
        pool = ProcessPoolExecutor(
            self.options.workers, mp_context=get_context("spawn"), initializer=_start, initargs=(task, os.getpid())
        )
        with pool:
            for future in as_completed([pool.submit(_screen_in_worker, number) for number in left]):
                yield future.result()

    def end(self) -> None:
        """Remove the work folder and everything of the patients in it."""
        shutil.rmtree(self.folder)


@dataclass(frozen=True)
class _Task:
    """What a worker needs to know."""

    folder: Path
    options: Options
    availability: Mapping[str, Availability]
    deleted: Mapping[tuple[str, str], int]
    knowledge: str


class _Worker:
    """What a worker process keeps between buckets."""

    def __init__(self, task: _Task, pipeline: OsteonPipeline) -> None:
        if pipeline.knowledge.version != task.knowledge:
            raise RuntimeError("the knowledge changed while the run was under way")
        self.task = task
        chosen = task.options
        self.screening = Screening(pipeline, chosen.profile, chosen.as_of, task.availability, chosen.period)


_worker: _Worker | None = None


def _start(task: _Task, parent: int) -> None:
    global _worker  # a worker process has one
    end_with_parent(parent)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    with paused_collector():
        pipeline = build_pipeline(Settings())
    _worker = _Worker(task, pipeline)


def _watch(parent: int) -> None:
    """End this process when the parent has ended, also where the kernel does not do it: no patient data lives on."""
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    os._exit(1)


def _screen_in_worker(number: int) -> Counter[str]:
    if _worker is None:
        raise RuntimeError("the worker was not started")
    return _screen_bucket(_worker, number)


def _screen_bucket(worker: _Worker, number: int) -> Counter[str]:
    """Screen one bucket and write its results; gives how many patients have which status."""
    task, statuses = worker.task, Counter[str]()
    folder = task.folder
    patients, worklist = folder / "results" / f"{number}.patients.part", folder / "results" / f"{number}.worklist.part"
    unrecognised: Counter[tuple[str, str]] = Counter()
    with patients.open("w", encoding="utf-8") as rows, worklist.open("w", encoding="utf-8") as work:
        for records in patients_of(folder, number, task.deleted, task.options.memory):
            made = worker.screening.screened(records)
            statuses[made.patient["status"]] += 1
            unrecognised.update(made.unrecognised)
            rows.write(json.dumps(made.patient) + "\n")
            work.writelines(json.dumps(row) + "\n" for row in made.worklist)
    summary = {"statuses": statuses, "unrecognised": [[*key, count] for key, count in sorted(unrecognised.items())]}
    patients.rename(patients.with_suffix(".ndjson"))
    worklist.rename(worklist.with_suffix(".ndjson"))
    _write(_result(folder, number), json.dumps(summary))  # the last: with it the bucket is done
    return statuses


def _result(folder: Path, number: int) -> Path:
    return folder / "results" / f"{number}.done.json"


def results_of(folder: Path, kind: str) -> Sequence[Path]:
    """The result files of a kind, `patients` or `worklist`."""
    return sorted((folder / "results").glob(f"*.{kind}.ndjson"))


def unrecognised_in(folder: Path) -> Counter[tuple[str, str]]:
    """Codes that were not recognised, by kind of record and code system, over all buckets."""
    total: Counter[tuple[str, str]] = Counter()
    for path in sorted((folder / "results").glob("*.done.json")):
        for kind, system, count in json.loads(path.read_text(encoding="utf-8"))["unrecognised"]:
            total[kind, system] += count
    return total


def _write(path: Path, text: str) -> None:
    """Write a file that is there wholly or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.rename(path)


def settings_hash(options: Options) -> str:
    """A hash of what was chosen, for the report of the run."""
    told = {key: str(value) for key, value in asdict(options).items() if key not in {"workers", "memory"}}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]
