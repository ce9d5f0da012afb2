"""The records of one patient brought together: DuckDB writes them into buckets and sorts each, out of core.

Files are read line by line, so that a line that no engine can parse is still counted and, where it names its patient,
known to be missing from that patient's list. Rows go into Parquet files by a hash of the patient.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from app.chart import SOURCES_BY_TYPE
from app.screen.export import Export
from app.screen.lines import Line, lines_of, records_of
from app.screen.output import quoted
from app.screen.patient import Records, entry_of, resource_of
from app.screen.types import MEDICATION, PATIENT

BATCH_BYTES = 32 * 1024 * 1024
"""Text of the rows that are handed to the engine at once."""
_COLUMNS = ("bucket", "patient", "kind", "id", "updated", "export", "medication", "entry", "text")
_ORDER = "patient, kind, id, export DESC, updated DESC, text"


@dataclass
class FileCounts:
    """What became of the lines of one file. `records` can be more than `lines`: a Bundle holds several."""

    name: str
    lines: int = 0
    records: int = 0
    assigned: int = 0
    shared: int = 0
    not_needed: int = 0
    unreadable: int = 0
    unassigned: int = 0
    unassigned_lines: list[int] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return dict(vars(self))


MOST_NUMBERS = 100
"""Most numbers of unassigned lines that are named for a file."""


def connection(memory: str, folder: Path) -> duckdb.DuckDBPyConnection:
    """An engine that keeps within `memory` and writes what does not fit into `folder`."""
    made = duckdb.connect(config={"memory_limit": memory, "temp_directory": str(folder / "spill"), "threads": 1})
    made.execute("SET preserve_insertion_order = false")
    return made


def bucket_of(patient: str, buckets: int) -> int:
    """The bucket of a patient; the same on every machine."""
    return int.from_bytes(hashlib.blake2b(patient.encode(), digest_size=8).digest()) % buckets


class Shuffle:
    """Writes the rows of an export into buckets."""

    def __init__(self, folder: Path, buckets: int, memory: str) -> None:
        self._folder, self._buckets = folder, buckets
        self._engine = connection(memory, folder)
        self._rows: list[tuple[Any, ...]] = []
        self._bytes = 0
        self.open_kinds: Counter[str] = Counter()

    def file(self, path: Path, name: str, kind: str, export: int) -> FileCounts:
        """Write the rows of one file. Raises ExportError where the file cannot be read."""
        counts = FileCounts(name)
        for number, text in lines_of(path):
            counts.lines += 1
            for line in records_of(text, kind):
                counts.records += 1
                self._take(line, export, counts, number)
        return counts

    def _take(self, line: Line, export: int, counts: FileCounts, number: int) -> None:
        counts.unreadable += line.text is None
        if line.kind == MEDICATION and line.text is not None:
            counts.shared += 1
            self._add(line, -1, export)
        elif line.kind not in SOURCES_BY_TYPE and line.kind != PATIENT:
            counts.not_needed += 1
        elif line.patient:
            counts.assigned += 1
            self._add(line, bucket_of(line.patient, self._buckets), export)
        else:
            counts.unassigned += 1
            self.open_kinds[line.kind] += 1
            if len(counts.unassigned_lines) < MOST_NUMBERS:
                counts.unassigned_lines.append(number)

    def _add(self, line: Line, bucket: int, export: int) -> None:
        text = "" if line.text is None else line.text.decode()
        row = (bucket, line.patient, line.kind, line.id, line.updated, export, line.medication)
        self._rows.append((*row, line.entry, text))
        self._bytes += len(text) + 200
        if self._bytes >= BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write the rows that wait."""
        if not self._rows:
            return
        columns = dict(zip(_COLUMNS, zip(*self._rows, strict=True), strict=True))
        batch = {name: _array(name, values) for name, values in columns.items()}
        self._engine.register("batch", batch)
        target = quoted(str(self._folder / "buckets"))
        self._engine.execute(
            f"COPY batch TO {target} (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (bucket), "
            "WRITE_PARTITION_COLUMNS false, APPEND, FILENAME_PATTERN 'part_{uuid}')"
        )
        self._engine.unregister("batch")
        self._rows, self._bytes = [], 0

    def close(self) -> None:
        """Write what is left and release the engine."""
        self.flush()
        self._engine.close()


def _array(name: str, values: tuple[Any, ...]) -> np.ndarray[Any, Any]:
    if name in {"bucket", "export"}:
        return np.array(values, dtype=np.int64)
    return np.array(values, dtype=bool) if name == "entry" else np.array(values, dtype=object)


def patients_of(folder: Path, bucket: int, deleted: Mapping[tuple[str, str], int], memory: str) -> Iterator[Records]:
    """The patients of a bucket, each with the newest version of each record that was not deleted since."""
    files = sorted((folder / "buckets" / f"bucket={bucket}").glob("*.parquet"))
    if not files:
        return
    engine = connection(memory, folder)
    try:
        medications = _medications(engine, folder, files)
        engine.execute(f"SELECT {', '.join(_COLUMNS[1:])} FROM read_parquet(?) ORDER BY {_ORDER}", [_names(files)])
        rows = chain.from_iterable(iter(lambda: engine.fetchmany(1000), []))
        for patient, of_patient in groupby(rows, key=itemgetter(0)):
            yield _gathered(patient, of_patient, deleted, medications)
    finally:
        engine.close()


def _gathered(
    patient: str,
    rows: Iterable[tuple[Any, ...]],
    deleted: Mapping[tuple[str, str], int],
    medications: Mapping[str, bytes],
) -> Records:
    """The records of one patient from its rows, in their order: of each record the newest version stands first."""
    records = Records(patient)
    entries: defaultdict[str, list[bytes]] = defaultdict(list)
    wanted: dict[str, None] = {}
    last: tuple[str, str] | None = None
    for _, kind, name, _, export, medication, entry, text in rows:
        key = (kind, name)
        if not text:
            records.damaged[kind] += 1
        elif not name or key != last:  # else an older version of the record before
            last = key
            if name and deleted.get(key, -1) >= export:
                continue
            if kind == PATIENT:
                records.own = resource_of(text.encode(), entry=entry)
                continue
            entries[kind].append(entry_of(text.encode(), entry=entry))
            if medication:
                wanted[medication] = None
    records.entries = dict(entries)
    if served := [medications[name] for name in wanted if name in medications]:
        records.entries[MEDICATION] = served
    return records


def _medications(engine: duckdb.DuckDBPyConnection, folder: Path, files: list[Path]) -> dict[str, bytes]:
    """The shared Medications that records of this bucket refer to, in their newest version."""
    shared = sorted((folder / "buckets" / "bucket=-1").glob("*.parquet"))
    if not shared:
        return {}
    rows = engine.execute(
        "SELECT id, entry, text FROM read_parquet(?) WHERE id IN (SELECT DISTINCT medication FROM read_parquet(?)) "
        "ORDER BY id, export, updated, text",
        [_names(shared), _names(files)],
    ).fetchall()
    return {name: entry_of(text.encode(), entry=entry) for name, entry, text in rows}


def _names(files: list[Path]) -> list[str]:
    return [str(path) for path in files]


def shuffled(export: Export, folder: Path, buckets: int, memory: str) -> tuple[list[FileCounts], Counter[str]]:
    """Write all buckets; gives the counts of each file, and the kinds of the lines that belong to nobody."""
    shuffle = Shuffle(folder, buckets, memory)
    counts = [shuffle.file(one.path, one.name, one.kind, one.export) for one in export.files]
    shuffle.close()
    return counts, shuffle.open_kinds


def stored(counts: list[FileCounts], kinds: Counter[str]) -> str:
    """The counts as JSON, for the state of a run."""
    return json.dumps({"files": [one.told() for one in counts], "unassigned": kinds})
