"""The result of a run as files: `patients` and `worklist` as Parquet and CSV, `run.json`.

A patient is named by a pseudonym, HMAC-SHA-256 of the id under a key that lies in a file of its own; the map from
pseudonym to id is a second file, apart from the results. With `identified` the results hold the ids themselves.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb

PATIENT_COLUMNS = {
    "patient": "VARCHAR",
    "status": "VARCHAR",
    "complete": "BOOLEAN",
    "incomplete_lists": "VARCHAR[]",
    "records": "BIGINT",
    "damaged_lines": "MAP(VARCHAR, BIGINT)",
    "set_aside": "MAP(VARCHAR, BIGINT)",
    "advice": "BIGINT",
    "missing": "VARCHAR[]",
    "age_band": "VARCHAR",
    "sex": "VARCHAR",
    "indicators": "MAP(VARCHAR, VARCHAR)",
}
_RECOMMENDATION = "STRUCT(id VARCHAR, source VARCHAR, strength VARCHAR, role VARCHAR)[]"
_FACT = "STRUCT(feature VARCHAR, number DOUBLE, code VARCHAR, unit VARCHAR, date VARCHAR)[]"
_BLOCKED = 'STRUCT(drug VARCHAR, "by" VARCHAR[], missing VARCHAR[])[]'
WORKLIST_COLUMNS = {
    "patient": "VARCHAR",
    "rank": "BIGINT",
    "advice": "VARCHAR",
    "topic": "VARCHAR",
    "indicator": "VARCHAR",
    "recommendations": _RECOMMENDATION,
    "evidence": _FACT,
    "missing": "VARCHAR[]",
    "offered": "VARCHAR[]",
    "blocked": _BLOCKED,
}
Rows = Iterable[dict[str, Any]]
KEY_BYTES = 32
_PSEUDONYM = 24


class Pseudonyms:
    """Names patients by HMAC under the key of a file, and keeps the map in another file."""

    def __init__(self, key_file: Path) -> None:
        self._key = _key(key_file)
        self._map = key_file.with_suffix(".map.csv")
        self._seen: dict[str, str] = {}

    def name(self, patient: str) -> str:
        """The pseudonym of an id; the same in every run with this key."""
        found = self._seen.get(patient)
        if found is None:
            found = hmac.new(self._key, patient.encode(), hashlib.sha256).hexdigest()[:_PSEUDONYM]
            self._seen[patient] = found
        return found

    def write_map(self) -> None:
        """Write pseudonym and id of every patient of the run, readable by this user alone."""
        with _private(self._map) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["pseudonym", "id"])
            writer.writerows(sorted((name, patient) for patient, name in self._seen.items()))


def _private(path: Path) -> Any:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline="")


def _key(path: Path) -> bytes:
    """The key of a file, made where there is none. Raises ValueError for a file that holds no key."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with _private(path) as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (ValueError, UnicodeDecodeError):
        key = b""
    if len(key) < KEY_BYTES:
        raise ValueError(f"{path}: not a key of this command (64 hexadecimal digits); name another file with --key")
    return key


def rows_in(paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """The rows of result files."""
    for path in paths:
        with path.open(encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)


def write_tables(patients: Rows, worklist: Rows, folder: Path, work: Path, name: Callable[[str], str]) -> None:
    """Write both tables as Parquet and as CSV, sorted by patient."""
    engine = duckdb.connect(config={"threads": 1, "temp_directory": str(work / "spill")})
    try:
        _table(engine, patients, folder / "patients", work, PATIENT_COLUMNS, name, "patient")
        _table(engine, worklist, folder / "worklist", work, WORKLIST_COLUMNS, name, "patient, rank")
    finally:
        engine.close()


def _table(
    engine: duckdb.DuckDBPyConnection,
    rows: Rows,
    target: Path,
    work: Path,
    columns: dict[str, str],
    name: Callable[[str], str],
    order: str,
) -> None:
    named = work / f"{target.name}.named.ndjson"
    with named.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps({**row, "patient": name(row["patient"])}) + "\n")
    engine.execute(
        f"CREATE OR REPLACE VIEW rows AS SELECT * FROM read_json({quoted(str(named))}, format = 'newline_delimited', "
        f"columns = {{{', '.join(f'{quoted(key)}: {quoted(kind)}' for key, kind in columns.items())}}})"
    )
    ordered = f"SELECT * FROM rows ORDER BY {order}"
    engine.execute(f"COPY ({ordered}) TO {quoted(f'{target}.parquet.part')} (FORMAT parquet, COMPRESSION zstd)")
    flat = ", ".join(_flat(key, kind) for key, kind in columns.items())
    engine.execute(
        f"COPY (SELECT {flat} FROM rows ORDER BY {order}) TO {quoted(f'{target}.csv.part')} (FORMAT csv, HEADER)"
    )
    for ending in ("parquet", "csv"):
        Path(f"{target}.{ending}.part").rename(f"{target}.{ending}")


def _flat(key: str, kind: str) -> str:
    """A column of the CSV: what is no plain value stands there as JSON."""
    return f'"{key}"' if kind in {"VARCHAR", "BOOLEAN", "BIGINT"} else f'to_json("{key}") AS "{key}"'


def quoted(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
