"""The lines of export files: what each is about, without decoding the record.

Every line that is not blank ends in one of three ways: it belongs to a patient, it is shared (a Medication), or it is
unassigned and counted. A line that is no JSON still names its patient where a pattern finds the reference, so that the
patient's list is known to be incomplete.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Raw, Struct

from app.fhir.references import kind_and_id
from app.screen.types import MEDICATION, PATIENT

_MAX_SUBJECT = 4096
"""Characters of a damaged line that are looked through for its subject, from each end."""
_SUBJECT = re.compile(
    rb'"(?:subject|patient)"\s{0,8}:\s{0,8}\{\s{0,8}"reference"\s{0,8}:\s{0,8}"([\x21\x23-\x5b\x5d-\x7e]{1,512})"'
)
_KIND = re.compile(rb'"resourceType"\s{0,8}:\s{0,8}"([A-Za-z]{1,64})"')
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")


class ExportError(Exception):
    """An export that cannot be screened. The text names the file and says what to do."""


class _Reference(Struct, gc=False):
    reference: str | None = None


class _Meta(Struct, gc=False):
    lastUpdated: str | None = None  # the name that FHIR gives


class _Head(Struct, gc=False):
    """What tells whom a record is about and which version it is."""

    resourceType: str | None = None
    id: str | None = None
    subject: _Reference | None = None
    patient: _Reference | None = None
    meta: _Meta | None = None
    medicationReference: _Reference | None = None


class _Entry(Struct, gc=False):
    resource: Raw = Raw()  # empty: not there (msgspec takes no union with Raw)


class _Bundle(Struct, gc=False):
    type: str | None = None
    entry: list[Raw] = []


class Line(Struct, frozen=True, gc=False):
    """One record of an export.

    `patient`: the id that it is about, "" where none is known. `text`: the JSON of the record, or of the Bundle entry
    that it came in (`entry`); None where the line is no JSON. `updated`: `meta.lastUpdated` as written.
    """

    patient: str
    kind: str
    id: str
    updated: str
    medication: str
    text: bytes | None
    entry: bool = False


_head, _bundle, _entry = msgspec.json.Decoder(_Head), msgspec.json.Decoder(_Bundle), msgspec.json.Decoder(_Entry)
_DAMAGED = (msgspec.MsgspecError, UnicodeDecodeError)


def lines_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, by number. Raises ExportError for a compressed file that is cut off or damaged."""
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        try:
            for number, line in enumerate(file, 1):
                text = line.strip()
                if number == 1:
                    text = text.removeprefix(b"\xef\xbb\xbf").strip()
                if text:
                    yield number, text
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise ExportError(
                f"{path}: the compressed file is cut off or damaged; export it again, or remove it and screen the rest"
            ) from None


def records_of(text: bytes, kind: str) -> Iterator[Line]:
    """The records of one line. `kind`: what the name of the file says that it holds."""
    try:
        text.decode()
        head = _head.decode(text)
    except _DAMAGED:
        yield _damaged(text, kind)
        return
    if head.resourceType == "Bundle":
        yield from _of_bundle(text, kind)
    else:
        yield _line(head, text, kind)


def _line(head: _Head, text: bytes, kind: str, *, owner: str = "", entry: bool = False) -> Line:
    name, own = head.resourceType or kind, head.id or ""
    if name == PATIENT:
        patient = own
    else:
        about = head.subject or head.patient
        patient = patient_of(about.reference if about is not None else None) or ""
        if owner and (not patient or (about is not None and (about.reference or "").startswith("urn:uuid:"))):
            patient = owner
    medication = ""
    if head.medicationReference is not None:
        medication = _medication(head.medicationReference.reference or "")
    updated = (head.meta.lastUpdated if head.meta is not None else None) or ""
    return Line(patient, name, own, updated, medication, text, entry)


def _medication(reference: str) -> str:
    """The id of the Medication that a reference names; "" for a contained one, which comes with its record."""
    named, identifier = kind_and_id(reference)
    return identifier if named in ("", MEDICATION) and not reference.startswith("#") else ""


def _of_bundle(text: bytes, kind: str) -> Iterator[Line]:
    """The entries of a Bundle; those that name nobody else are about its only Patient."""
    found: list[tuple[_Head, bytes]] = []
    damaged = []
    for raw in _bundle.decode(text).entry:
        try:
            resource = _entry.decode(raw).resource
            if bytes(resource):
                found.append((_head.decode(resource), bytes(raw)))
        except _DAMAGED:
            damaged.append(bytes(raw))
    owners = {head.id for head, _ in found if head.resourceType == PATIENT and head.id}
    owner = owners.pop() if len(owners) == 1 else ""
    for head, text_of in found:
        yield _line(head, text_of, kind, owner=owner, entry=True)
    for broken in damaged:
        line = _damaged(broken, kind)
        yield msgspec.structs.replace(line, patient=line.patient or owner)


def patient_of(reference: str | None) -> str | None:
    """The id in a reference to a Patient: relative, absolute, with a version, or a UUID."""
    if not reference:
        return None
    if reference.startswith("urn:uuid:"):
        found = reference.removeprefix("urn:uuid:")
    else:
        before, found_type, after = reference.rpartition(f"{PATIENT}/")
        if not found_type or (before and not before.endswith("/")):
            return None
        found = after.partition("/")[0]
    return found if _ID.fullmatch(found) else None


def _damaged(text: bytes, kind: str) -> Line:
    """A line that is no JSON: its patient where a pattern finds one in the parts that are looked at."""
    parts = (text[:_MAX_SUBJECT], text[-_MAX_SUBJECT:])
    subject = next((found for part in parts if (found := _SUBJECT.search(part))), None)
    named = next((found for part in parts if (found := _KIND.search(part))), None)
    name = named[1].decode() if named else kind
    return Line(patient_of(subject[1].decode()) or "" if subject else "", name, "", "", "", None)
