"""`osteon codes`: which codes are recognised.

`report FILES...` reads charts (FHIR resources, Bundles, hook requests; JSON or one JSON a line) and lists the codes
that were not recognised: kind of record, system, code, how often, and the concept that their display names. No other
word of a chart is printed. `rates FILES...` reads lists (tab-separated: value set, system, code, display) and prints
how many codes of each are recognised by the code alone, and by code or display.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from app.settings import Settings
from app.terminology.codes import meaning_of, use_local_codes
from app.terminology.local_codes import read_local_codes
from app.terminology.names import read_text
from app.terminology.word_lists import TextKind
from app.yaml_files import FilesError

_KINDS = {
    "Condition": ("condition", TextKind.CONDITION, ("code",)),
    "Observation": ("observation", TextKind.OBSERVATION, ("code",)),
    "Procedure": ("procedure", TextKind.PROCEDURE, ("code",)),
    "DiagnosticReport": ("procedure", TextKind.PROCEDURE, ("code",)),
    "ServiceRequest": ("procedure", TextKind.PROCEDURE, ("code",)),
    "AllergyIntolerance": ("allergy", TextKind.ALLERGY, ("code",)),
    "Medication": ("medication", TextKind.MEDICATION, ("code",)),
    **dict.fromkeys(
        ("MedicationRequest", "MedicationStatement", "MedicationAdministration", "MedicationDispense"),
        ("medication", TextKind.MEDICATION, ("medicationCodeableConcept",)),
    ),
}
_COLUMNS = 4


def main(arguments: Sequence[str]) -> int:
    """Run the command and give the exit status: 2 for a file that cannot be read."""
    parser = argparse.ArgumentParser(prog="osteon codes", description=__doc__.split("\n\n")[0])
    parser.add_argument("what", choices=("report", "rates"))
    parser.add_argument("files", nargs="+", type=Path)
    options = parser.parse_args(arguments)
    folder = Settings().codes_folder
    try:
        use_local_codes(read_local_codes(folder) if folder else {})
        lines = list(report(options.files) if options.what == "report" else rates(options.files))
    except (OSError, UnicodeDecodeError, msgspec.DecodeError, FilesError) as error:
        print(error, file=sys.stderr)
        return 2
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


def report(files: Iterable[Path]) -> Iterator[str]:
    """Kind, system, code, count and nearest concept of each code that is not recognised, the most frequent first."""
    counts: Counter[tuple[str, str, str]] = Counter()
    nearest: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    for path in files:
        for kind, text_kind, coding in _codings(path):
            system, code = coding.get("system"), coding.get("code")
            if not isinstance(system, str) or not isinstance(code, str) or meaning_of(system, code) is not None:
                continue
            key = (kind, system, code)
            counts[key] += 1
            if isinstance(coding.get("display"), str):
                nearest[key] |= read_text(coding["display"], text_kind).named
    yield "kind\tsystem\tcode\tcount\tnearest concept"
    for key, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        yield "\t".join((*key, str(count), ", ".join(sorted(nearest[key])) or "-"))


def _codings(path: Path) -> Iterator[tuple[str, TextKind, dict[str, Any]]]:
    raw = path.read_bytes()
    try:
        whole = [msgspec.json.decode(raw)]
    except msgspec.DecodeError:  # one JSON value a line
        whole = [msgspec.json.decode(line) for line in raw.splitlines() if line.strip()]
    return codings_in(whole)


def codings_in(values: Iterable[Any]) -> Iterator[tuple[str, TextKind, dict[str, Any]]]:
    """The codings of the records in JSON values, with kind of record and kind of text."""
    todo: list[Any] = list(values)
    while todo:
        node = todo.pop()
        if isinstance(node, list):
            todo += node
        elif isinstance(node, dict):
            known = _KINDS.get(str(node.get("resourceType")))
            for member in known[2] if known else ():
                concept = node.get(member)
                for coding in concept.get("coding", ()) if isinstance(concept, dict) else ():
                    if known and isinstance(coding, dict):
                        yield known[0], known[1], coding
            todo += node.values()


def rates(files: Iterable[Path]) -> Iterator[str]:
    """Codes, codes recognised by themselves, and by code or display, of each value set and in all."""
    totals: dict[str, list[int]] = {}
    for path in files:
        for line in path.read_text(encoding="utf-8").splitlines():
            cells = line.split("\t")
            if len(cells) < _COLUMNS or not cells[2]:
                continue
            counted = totals.setdefault(cells[0], [0, 0, 0])
            by_code = meaning_of(cells[1], cells[2]) is not None
            counted[0] += 1
            counted[1] += by_code
            counted[2] += by_code or any(
                (words := read_text(cells[3], kind)).named and words.understood
                for kind in (TextKind.CONDITION, TextKind.PROCEDURE, TextKind.MEDICATION)
            )
    yield "value set\tcodes\tby code alone\tby code or display"
    for name, counted in sorted(totals.items()):
        yield "\t".join((name, *map(str, counted)))
    yield "\t".join(("all", *(str(sum(counted[place] for counted in totals.values())) for place in range(3))))
