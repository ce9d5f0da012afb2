"""What a coding or a CodeableConcept means: the concepts of `guidelines/concepts`.

All codings are looked at, not the first. A code of a known system decides; only where no code is known does the text
speak, and then the match says so. ICD-10 (WHO) and ICD-10-CM are never mixed: the same code differs between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import lru_cache

from msgspec import Struct

from app.terminology.code_sets import CodeRow, Terminology, terminology
from app.terminology.codeable_concept import codings, joined_words
from app.terminology.names import TextKind, contradicts, named_by

FINDING_SYSTEM = "finding"
_SNOMED_ID = re.compile(r"\s*(\d{6,18})")
_SKS_DIAGNOSIS = re.compile(r"D([A-Z]\d[0-9A-Z]\w*)(?:\+(\w+))?")
_CACHED_CODES = 16384


class CodeMeaning(Struct, frozen=True, gc=False):
    """What one code says. `side` comes from a suffix of the code itself."""

    concepts: frozenset[str]
    history: bool = False
    site: str | None = None
    level: str | None = None
    side: str | None = None
    strength_mg: Decimal | None = None
    mg_per_ml: Decimal | None = None
    follow_up: bool = False  # ICD-10-CM, seventh character D to S: a later encounter for the same injury


class Match(Struct, frozen=True, gc=False):
    """What a CodeableConcept means.

    `concepts` is empty where nothing is known. `by_text`: no code was known, the words decided. `conflict`: a known
    code and the words name different things.
    """

    concepts: frozenset[str]
    by_text: bool = False
    conflict: bool = False
    meanings: tuple[CodeMeaning, ...] = ()
    text: str = ""

    @property
    def history(self) -> bool:
        """Whether every code that speaks says "was once so"."""
        return bool(self.meanings) and all(meaning.history for meaning in self.meanings)


NO_MATCH = Match(frozenset())


def canonical_system(uri: object) -> tuple[str, str] | None:
    """The (system, code shape) of a Coding.system, or None where the system is not known here."""
    if not isinstance(uri, str) or not uri:
        return None
    return _canonical_system(uri)


@lru_cache(maxsize=1024)
def _canonical_system(uri: str) -> tuple[str, str] | None:
    systems = terminology().systems
    text = uri.strip().rstrip("/").lower()
    found = systems.get(text) or systems.get(text.removeprefix("urn:oid:"))
    if found is None and text.startswith("http://snomed.info/sct"):
        return systems["http://snomed.info/sct"]
    if found is None and text.startswith("https://"):
        return systems.get("http://" + text.removeprefix("https://"))
    return found


def meaning_of(system: object, code: object) -> CodeMeaning | None:
    """What a code means; None where the system or the code is not known."""
    if not isinstance(system, str) or not isinstance(code, str) or not code or not system:
        return None
    return _meaning_of(system, code)


@lru_cache(maxsize=_CACHED_CODES)
def _meaning_of(uri: str, raw: str) -> CodeMeaning | None:
    known = canonical_system(uri)
    if known is None:
        return None
    system, shape = known
    terms = terminology()
    if system == FINDING_SYSTEM:
        return _finding(terms, raw)
    side = None
    if system in terms.prefix_systems:
        code, side = normalise_hierarchical(raw, shape)
        rows = list(_covering_rows(terms, system, code))
    else:
        code = raw.strip()
        if system == "snomed":
            leading = _SNOMED_ID.match(code)
            code = leading.group(1) if leading else code
        elif system != "loinc":
            code = code.upper()
        rows = [row for row in terms.codes.get(system, {}).get(code, ()) if not row.coarse]
    if not rows:
        return None
    concepts = frozenset(row.concept for row in rows)
    concepts |= frozenset(parent for concept in concepts for parent in terms.parents.get(concept, ()))
    follow_up = False
    if system == "icd10cm" and code[:1] in "STM":
        follow_up = len(code) == 7 and "D" <= code[6] <= "S"
        side = side or _side_of_cm(code, rows)
    return CodeMeaning(
        concepts=concepts,
        history=rows[0].history,  # the longest code speaks: I25.2 is an old infarction, I25 is not
        site=_first(row.site for row in rows),
        level=_first(row.level for row in rows),
        side=side,
        strength_mg=_decimal(_first(row.strength_mg for row in rows)),
        mg_per_ml=_decimal(_first(row.mg_per_ml for row in rows)),
        follow_up=follow_up,
    )


def normalise_hierarchical(raw: str, shape: str = "") -> tuple[str, str | None]:
    """An ICD-10 or ATC code without dots, and the side that a Danish suffix gives.

    `shape` names the national notation (systems.yaml). A text that is no code of that notation gives "".
    """
    code = raw.strip().upper().replace(" ", "")
    side = None
    if shape == "D prefix, side after +":
        danish = _SKS_DIAGNOSIS.match(code.replace(".", ""))
        if danish is None:
            return "", None
        code = danish.group(1)
        side = terminology().raw["text-patterns"]["side_codes"].get(danish.group(2) or "")
    code = code.replace(".", "").rstrip("*†+!")
    if (
        shape == "six characters"
    ):  # A00.0 of the international code, "x" for "no fourth character", the rest is national
        return code[:4].removesuffix("X"), None
    if len(code) == 4:
        code = code.removesuffix("X")
    return code, side


def _covering_rows(terms: Terminology, system: str, code: str) -> Iterator[CodeRow]:
    """Rows that cover the code, longest first; a residual row only where nothing longer spoke."""
    by_code = terms.codes.get(system, {})
    spoken = False
    for length in range(len(code), 0, -1):
        for row in by_code.get(code[:length], ()):
            if row.coarse or (not row.prefix and length < len(code)):
                continue
            if any(code.startswith(other) for other in row.excluded) or (row.residual and spoken):
                continue
            yield row
            spoken = True


def _side_of_cm(code: str, rows: Iterable[CodeRow]) -> str | None:
    """Left or right in the sixth character of an ICD-10-CM limb fracture (1 right, 2 left, 9 not stated)."""
    limb = code[:3] in {"S42", "S52", "S62", "S72", "S82", "S92"}
    if not limb or len(code) < 6 or not any(row.site for row in rows):
        return None
    return {"1": "right", "4": "right", "2": "left", "5": "left"}.get(code[5])


def _finding(terms: Terminology, raw: str) -> CodeMeaning | None:
    name = raw.strip().lower().replace("-", "_")
    if name not in terms.findings and name not in terms.groups and name not in terms.answers:
        return None
    return CodeMeaning(frozenset({name}) | terms.parents.get(name, frozenset()), site=terms.sites.get(name))


def _first(values: Iterable[str | None]) -> str | None:
    return next((value for value in values if value is not None), None)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def match(concept: object, kind: TextKind, *, check_text: bool = False) -> Match:
    """What a CodeableConcept means. `check_text`: also look whether the words contradict the code."""
    if not isinstance(concept, dict):
        return NO_MATCH
    listed = codings(concept)
    meanings = tuple(
        found for coding in listed if (found := meaning_of(coding.get("system"), coding.get("code"))) is not None
    )
    text = joined_words(concept, listed)
    if meanings:
        concepts = meanings[0].concepts
        if len(meanings) > 1:
            concepts = concepts.union(*(meaning.concepts for meaning in meanings))
        conflict = check_text and contradicts(listed, text, kind, concepts)
        return Match(concepts, conflict=conflict, meanings=meanings, text=text)
    if not text:
        return NO_MATCH
    named = named_by(listed, text, kind)
    return Match(named, by_text=bool(named), text=text)


def named_result(concept: object) -> Match:
    """What Observation.code, or the coded answer of one, means."""
    return match(concept, TextKind.OBSERVATION)


def named_condition(concept: object) -> Match:
    """What the code of a diagnosis, or a reason, means."""
    return match(concept, TextKind.CONDITION)


def named_procedure(concept: object) -> Match:
    """What the code of a procedure, report or order of an examination means."""
    return match(concept, TextKind.PROCEDURE)
