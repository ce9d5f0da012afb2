"""An export: its files, what they can be complete for, and what was deleted since.

A Bulk Data export is a folder with NDJSON files and, where the client kept it, the manifest; smart-fetch keeps the same
facts in `log.ndjson`. Several folders are several exports of one population: the newest version of a record counts.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from app.chart import SOURCES_BY_TYPE, Availability
from app.screen.lines import ExportError, lines_of
from app.screen.types import READ

MANIFEST, LOG = "manifest.json", "log.ndjson"
_NAME = re.compile(r"(?:\d+\.)?([A-Z][A-Za-z]+)(?:[._-].*)?\.ndjson(?:\.gz)?")
_SIDE = re.compile(r"(?:error|outcome|log|deleted|OperationOutcome)\b.*\.ndjson(?:\.gz)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ExportFile:
    """One file. `kind`: the resource type that its name says, "" for Bundles. `export`: the number of its export."""

    path: Path
    name: str
    kind: str
    export: int
    size: int


@dataclass(frozen=True, slots=True)
class _Manifest:
    """What an export says about itself."""

    request: str = ""
    time: str = ""
    types: frozenset[str] = frozenset()
    deleted: tuple[str, ...] = ()
    errors: int = 0
    failed: frozenset[str] = frozenset()
    path: Path | None = None

    @property
    def parameters(self) -> dict[str, list[str]]:
        """The parameters of the request that started the export."""
        return parse_qs(urlsplit(self.request).query)

    @property
    def asked(self) -> frozenset[str]:
        """`_type` of the request; empty where all types were asked for."""
        return frozenset(name for value in self.parameters.get("_type", ()) for name in value.split(","))


@dataclass(frozen=True)
class Export:
    """All that is screened together."""

    files: tuple[ExportFile, ...]
    availability: Mapping[str, Availability]
    deleted: Mapping[tuple[str, str], int] = field(default_factory=dict)
    as_of: date | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)

    def fingerprint(self) -> str:
        """SHA-256 over names and contents of all files."""
        whole = hashlib.sha256()
        for file in self.files:
            with file.path.open("rb") as opened:
                whole.update(f"{file.name}\0{hashlib.file_digest(opened, 'sha256').hexdigest()}\n".encode())
        return whole.hexdigest()


def read_export(folders: Sequence[Path], *, complete: bool = False) -> Export:
    """Look through the folders, the oldest export first.

    `complete`: the user says that the folders hold the whole record, where no manifest does. Raises ExportError.
    """
    files: list[ExportFile] = []
    manifests: list[_Manifest] = []
    deleted: dict[tuple[str, str], int] = {}
    for number, folder in enumerate(folders):
        if not folder.is_dir():
            raise ExportError(f"{folder}: no such folder")
        manifest = _manifest_of(folder)
        manifests.append(manifest)
        found = list(_files_of(folder, number))
        if not found:
            raise ExportError(f"{folder}: no .ndjson or .ndjson.gz file in it")
        files += found
        for path in _deleted_files(folder, manifest):
            for gone in _deletions(path):
                deleted[gone] = number
    if "_since" in manifests[0].parameters:
        raise ExportError(
            f"{manifests[0].path}: this export holds only what changed since a day (_since); "
            "name the folder of the whole export before it"
        )
    kinds = frozenset(file.kind for file in files)
    bundles = "" in kinds
    availability, reasons = _availability(manifests[0], kinds, complete=complete, bundles=bundles)
    days = [day for one in manifests if (day := _day(one.time)) is not None]
    return Export(tuple(files), availability, deleted, max(days, default=None), reasons)


def _availability(
    base: _Manifest, kinds: frozenset[str], *, complete: bool, bundles: bool
) -> tuple[dict[str, Availability], dict[str, str]]:
    """What each kind of records can be complete for, and why where it is not."""
    made: dict[str, Availability] = {}
    reasons: dict[str, str] = {}
    filtered = _filtered(base)
    for kind in SOURCES_BY_TYPE:
        there = kind in kinds or bundles
        state, reason = Availability.PARTIAL, "no manifest: nothing says that the export is whole (--complete)"
        if complete:
            state, reason = (Availability.PROVIDED, "") if there or not base.path else (Availability.ABSENT, "no file")
        elif base.path is not None:
            state, reason = _by_manifest(base, kind, filtered, there=there)
        elif not there:
            state, reason = Availability.ABSENT, "no file"
        made[kind] = state
        if reason:
            reasons[kind] = reason
    return made, reasons


def _by_manifest(base: _Manifest, kind: str, filtered: frozenset[str], *, there: bool) -> tuple[Availability, str]:
    if base.asked and kind not in base.asked:
        return Availability.ABSENT, "not asked for (_type)"
    if kind in base.failed or (base.errors and not there):
        return Availability.FAILED, "the manifest names an error"
    if base.errors:
        return Availability.PARTIAL, "the manifest names errors"
    if kind in filtered or "_elements" in base.parameters:
        return Availability.PARTIAL, "filtered (_typeFilter, _elements)"
    if there or kind in base.asked:
        return Availability.PROVIDED, ""
    return Availability.ABSENT, "no file, and not asked for by name: the server may not export it"


def _filtered(base: _Manifest) -> frozenset[str]:
    found = [part for value in base.parameters.get("_typeFilter", ()) for part in value.split(",")]
    return frozenset(part.partition("?")[0] for part in found)


def _files_of(folder: Path, number: int) -> Iterator[ExportFile]:
    seen = set()
    for path in sorted(folder.rglob("*.ndjson*")):
        target = path.resolve()
        if _SIDE.fullmatch(path.name) or "deleted" in path.relative_to(folder).parts[:-1] or target in seen:
            continue
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue
        if not path.name.endswith((".ndjson", ".ndjson.gz")):
            continue
        seen.add(target)
        named = _NAME.fullmatch(path.name)
        kind = named[1] if named else ""
        if kind == "Bundle":
            kind = ""
        if kind and kind not in READ:
            continue  # other resource types: nothing in them is read
        yield ExportFile(path, f"{number}:{path.relative_to(folder).as_posix()}", kind, number, path.stat().st_size)


def _manifest_of(folder: Path) -> _Manifest:
    path = folder / MANIFEST
    if path.is_file():
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            return _Manifest(
                request=str(told.get("request", "")),
                time=str(told.get("transactionTime", "")),
                types=frozenset(str(one["type"]) for one in told.get("output") or ()),
                deleted=tuple(str(one["url"]) for one in told.get("deleted") or ()),
                errors=len(told.get("error") or ()) + len(told.get("outcome") or ()),
                failed=_failed(folder),
                path=path,
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            raise ExportError(f"{path}: not the manifest of a Bulk Data export; mend or remove it") from None
    log = folder / LOG
    return _from_log(log) if log.is_file() else _Manifest()


def _from_log(path: Path) -> _Manifest:
    """The manifest as smart-fetch and other clients log it (Bulk Data export log)."""
    request, time, errors = "", "", 0
    for number, text in lines_of(path):
        try:
            event = json.loads(text)
            detail: Mapping[str, Any] = event.get("eventDetail") or {}
            request = str(detail.get("exportUrl", request)) if event.get("eventId") == "kickoff" else request
            if event.get("eventId") in {"status_complete", "manifest_complete"}:
                time = str(detail.get("transactionTime") or time)
            errors += str(event.get("eventId", "")).endswith("_error")
        except (ValueError, AttributeError):
            raise ExportError(f"{path}:{number}: not the log of an export; mend or remove it") from None
    return _Manifest(request=request, time=time, errors=errors, path=path) if request else _Manifest()


def _failed(folder: Path) -> frozenset[str]:
    """Types that the OperationOutcomes of the export name as failed."""
    found: set[str] = set()
    for path in sorted(folder.rglob("*.ndjson*")):
        if path.name.lower().startswith(("error", "outcome", "operationoutcome")):
            for _, text in lines_of(path):
                found.update(kind for kind in SOURCES_BY_TYPE if kind.encode() in text)
    return frozenset(found)


def _deleted_files(folder: Path, manifest: _Manifest) -> list[Path]:
    names = {Path(urlsplit(url).path).name for url in manifest.deleted}
    found = [
        path
        for path in sorted(folder.rglob("*.ndjson*"))
        if path.name in names or path.name.lower().startswith("deleted") or path.parent.name == "deleted"
    ]
    if missing := names - {path.name for path in found}:
        raise ExportError(f"{folder / sorted(missing)[0]}: the manifest names this file of deletions; fetch it, too")
    return found


def _deletions(path: Path) -> Iterator[tuple[str, str]]:
    """Type and id of each deletion: Bundles of DELETE requests, one a line."""
    for number, text in lines_of(path):
        try:
            for entry in json.loads(text).get("entry") or ():
                request = entry["request"]
                if request["method"] == "DELETE":
                    kind, _, name = str(request["url"]).rpartition("/")
                    yield kind.rpartition("/")[2], name
        except (ValueError, TypeError, KeyError, AttributeError):
            raise ExportError(f"{path}:{number}: not a Bundle of deletions; mend or remove the file") from None


def _day(text: str) -> date | None:
    try:
        return datetime.fromisoformat(text).date() if text else None
    except ValueError:
        return None
