"""What a coding or a CodeableConcept means: the concepts of `guidelines/concepts`.

All codings are looked at, not only the first. A code decides before words: the words are read only where no code is
known, and the match says so. In a system of which every code is classified (`complete` in systems.yaml: ATC, ICD-10) a
code without an entry is known to mean something else, and its words are not read either. ICD-10 (WHO) and ICD-10-CM are
never mixed: the same code differs between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from app.terminology.code_sets import CodeRow, Terminology, terminology
from app.terminology.codeable_concept import words
from app.terminology.local_codes import LocalCode
from app.terminology.names import LONGEST_CACHED, NO_WORDS, Words, contradicts, read_display, read_text, read_words
from app.terminology.word_lists import Sense, TextKind
from app.wire.elements import CodeableConcept
from app.yaml_files import FilesError, Problem

FINDING_SYSTEM = "finding"
_SNOMED_ID = re.compile(r"\s*(\d{6,18})")
_SKS_DIAGNOSIS = re.compile(r"D([A-Z]\d[0-9A-Z]\w*)(?:\+(\w+))?")
_ICD_CODE = re.compile(r"[A-Z]\d[0-9A-Z]")
_GERMAN_CERTAINTY = re.compile(r"([A-Z]\d\d[0-9-]{0,2})[*!+]?([GVAZ])([LRB])?")
_NATIONAL_SIGNS = re.compile(r"[*†+!#&]")
_GERMAN_SIDES = {"L": "left", "R": "right"}
_CACHED_CODES = 16384
_LONGEST_CODE = 200
_SHORTEST_GROUP = 4  # of ATC: M05B; what is shorter holds drugs of many kinds
SUSPECTED, RULED_OUT, STATUS_AFTER = "V", "A", "Z"
"""Certainty of German outpatient diagnoses (ICD-10-GM)."""


class CodeMeaning(Struct, frozen=True, gc=False):
    """The meaning of one code. `side` comes from a suffix of the code itself."""

    concepts: frozenset[str]
    history: bool = False
    site: str | None = None
    level: str | None = None
    side: str | None = None
    strength_mg: Decimal | None = None
    mg_per_ml: Decimal | None = None
    follow_up: bool = False  # ICD-10-CM, seventh character D to S: a later encounter for the same injury
    certainty: str = ""  # German outpatient codes: G confirmed, V suspected, A ruled out, Z status after
    unit: str | None = None  # of results that are sent without one (codes of the hospital)
    coarse: bool = False  # the code says less than a concept that it belongs to: words can add to it


class Match(Struct, frozen=True, gc=False):
    """What a CodeableConcept means.

    `concepts` is empty where nothing is known, and where the words deny it or mean another person or thing
    (`sense`); `named` is then what they name. `by_text`: no code was known, the words decided. `unclear`: names in a
    text that was not understood: it could be about these. `conflict`: a known code and the words name different things.
    """

    concepts: frozenset[str]
    by_text: bool = False
    conflict: bool = False
    meanings: tuple[CodeMeaning, ...] = ()
    text: str = ""
    sense: Sense = Sense.AFFIRMED
    named: frozenset[str] = frozenset()
    unclear: frozenset[str] = frozenset()

    @property
    def history(self) -> bool:
        """Whether every code, or the words, describe a past state."""
        if self.sense is Sense.PAST:
            return True
        return bool(self.meanings) and all(meaning.history for meaning in self.meanings)


NO_MATCH = Match(frozenset())


def canonical_system(uri: str | None) -> tuple[str, str] | None:
    """The (system, code shape) of a Coding.system, or None where the system is not known here."""
    if not uri:
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
        found = systems.get("http://" + text.removeprefix("https://"))
    if found is None:
        families = terminology().system_families
        found = next((system for start, system in families if text.startswith(start)), None)
    return found


def meaning_of(system: str | None, code: str | None) -> CodeMeaning | None:
    """What a code means; None where the system or the code is not known."""
    if not code or not system:
        return None
    return _meaning_of(system, code)


_local: dict[tuple[str, str], LocalCode] = {}
"""The codes of the hospital (OSTEON_LOCAL_CODES), as they were read at start."""


def use_local_codes(codes: Mapping[tuple[str, str], LocalCode]) -> None:
    """Recognise the codes of a hospital from now on. Raises FilesError for one that is known to mean something else."""
    _local.clear()
    _meaning_of_short.cache_clear()
    problems = [
        Problem(local.file, local.line, f"{local.code} is known as {', '.join(sorted(shipped.concepts))}")
        for local in codes.values()
        if (shipped := meaning_of(local.system, local.code)) is not None
        and shipped.concepts
        and local.concept not in shipped.concepts
    ]
    if problems:
        raise FilesError(problems)
    _local.update(codes)
    _meaning_of_short.cache_clear()


def _local_meaning(uri: str, raw: str) -> CodeMeaning | None:
    local = _local.get(_key_of(uri, raw))
    if local is None:
        return None
    parents = terminology().parents.get(local.concept, frozenset())
    site = terminology().sites.get(local.concept)
    return CodeMeaning(frozenset({local.concept}) | parents, site=site, strength_mg=local.strength_mg, unit=local.unit)


def local_codes() -> Mapping[tuple[str, str], LocalCode]:
    """The codes of the hospital in use, by system (lower case) and code; a view."""
    return MappingProxyType(_local)


def is_local(system: str | None, code: str | None) -> bool:
    """Whether only the hospital says what a code means."""
    return bool(system and code) and (_key_of(system or "", code or "")) in _local


def _key_of(system: str, code: str) -> tuple[str, str]:
    return system.strip().rstrip("/").lower(), code.strip()


def _meaning_of(uri: str, raw: str) -> CodeMeaning | None:
    if len(raw) > _LONGEST_CODE:
        return None
    known = _meaning_of_short if len(uri) + len(raw) <= LONGEST_CACHED else _meaning_of_short.__wrapped__
    return known(uri, raw)


@lru_cache(maxsize=_CACHED_CODES)
def _meaning_of_short(uri: str, raw: str) -> CodeMeaning | None:
    return (_local_meaning(uri, raw) if _local else None) or _shipped_meaning(uri, raw)


def _shipped_meaning(uri: str, raw: str) -> CodeMeaning | None:
    known = canonical_system(uri)
    if known is None:
        return None
    system, shape = known
    terms = terminology()
    if system == FINDING_SYSTEM:
        return _finding(terms, raw)
    if system not in terms.prefix_systems:
        return _meaning_of_rows(terms, terms.codes.get(system, {}).get(_normalised(system, raw), ()))
    code, side, certainty = _normalise(raw, shape)
    rows = tuple(_covering_rows(terms, system, code))
    found = _meaning_of_rows(terms, rows)
    if found is None:
        if system not in terms.complete_systems or not _is_code_of(system, code):
            return None
        return CodeMeaning(frozenset(), coarse=_is_coarse(terms, system, code), certainty=certainty)
    if system == "icd10cm" and code[:1] in "STM":
        follow_up = len(code) == 7 and "D" <= code[6] <= "S"
        return replace(found, side=found.side or _side_of_cm(code, rows), follow_up=follow_up)
    return replace(
        found, side=side or found.side, certainty=certainty, history=found.history or certainty == STATUS_AFTER
    )


@lru_cache(maxsize=1024)
def concepts_below(system: str, code: str) -> frozenset[str]:
    """The drugs of all codes below an ATC group, such as M05BA; empty for other systems."""
    known = canonical_system(system)
    if known is None or known[0] != "atc":
        return frozenset()
    group = _normalise(code, known[1])[0]
    if len(group) < _SHORTEST_GROUP:
        return frozenset()
    by_code = terminology().codes.get(known[0], {})
    return frozenset(row.concept for listed, rows in by_code.items() if listed.startswith(group) for row in rows)


def _normalised(system: str, raw: str) -> str:
    """A code of a system without hierarchy as the tables write it."""
    code = raw.strip()
    if system == "snomed":
        leading = _SNOMED_ID.match(code)
        return leading.group(1) if leading else code
    return code if system == "loinc" else code.upper()


def _meaning_of_rows(terms: Terminology, rows: Sequence[CodeRow]) -> CodeMeaning | None:
    rows = [row for row in rows if not row.coarse]
    if not rows:
        return None
    concepts = frozenset(row.concept for row in rows)
    concepts |= frozenset(parent for concept in concepts for parent in terms.parents.get(concept, ()))
    return CodeMeaning(
        concepts=concepts,
        history=rows[0].history,  # the longest code decides: I25.2 is an old infarction, I25 is not
        site=_telling(row.site for row in rows),
        level=_first(row.level for row in rows),
        side=_first(row.side for row in rows),
        strength_mg=_decimal(_first(row.strength_mg for row in rows)),
        mg_per_ml=_decimal(_first(row.mg_per_ml for row in rows)),
    )


def _is_code_of(system: str, code: str) -> bool:
    """Whether a text has the form of a code of a complete system: only then its absence from the tables tells."""
    return bool(_ICD_CODE.match(code)) if system != "atc" else len(code) > 1 and code[0].isalpha() and code[1].isdigit()


def _is_coarse(terms: Terminology, system: str, code: str) -> bool:
    by_code = terms.codes.get(system, {})
    return any(row.coarse for length in range(len(code), 0, -1) for row in by_code.get(code[:length], ()))


def _telling(sites: Iterable[str | None]) -> str | None:
    """The most specific site of several rows of one code."""
    named = [site for site in sites if site is not None]
    return next((site for site in named if site not in {"other", "unknown"}), named[0] if named else None)


def _normalise(raw: str, shape: str) -> tuple[str, str | None, str]:
    """The code without dots, its side, and the certainty that German outpatient codes carry."""
    code = raw.strip().upper().replace(" ", "").replace(".", "")
    if shape == "D prefix, side after +":
        danish = _SKS_DIAGNOSIS.match(code)
        if danish is None:
            return "", None, ""
        side = terminology().raw["text-patterns"]["side_codes"].get(danish.group(2) or "")
        return danish.group(1), side, ""
    if shape == "certainty after the code":
        german = _GERMAN_CERTAINTY.fullmatch(code)
        if german is not None:
            return german.group(1).rstrip("-"), _GERMAN_SIDES.get(german.group(3) or ""), german.group(2)
    # dagger and asterisk, French extensions after +, Finnish pairs: the first code is the disease
    code = _NATIONAL_SIGNS.split(code.lstrip("*†+!#&"), maxsplit=1)[0].rstrip("-")
    if shape == "six characters":  # the international code, "x" for "no fourth character", the rest is national
        return code[:4].removesuffix("X"), None, ""
    return (code.removesuffix("X") if len(code) == 4 else code), None, ""


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


_NOT_ABOUT_NOW = frozenset({Sense.OTHER, Sense.DENIED, Sense.FAMILY, Sense.PLANNED})
"""Senses in which the names of a text are no fact about the patient."""
_CERTAINTY_SENSES = {SUSPECTED: Sense.SUSPECTED, RULED_OUT: Sense.DENIED}


def match(concept: CodeableConcept | None, kind: TextKind, *, check_text: bool = False) -> Match:
    """What a CodeableConcept means. `check_text`: also look whether the words contradict the code."""
    if concept is None:
        return NO_MATCH
    listed = concept.coding
    meanings = tuple(found for coding in listed if (found := meaning_of(coding.system, coding.code)) is not None)
    text = words(concept)
    telling = tuple(meaning for meaning in meanings if meaning.concepts)
    if telling:
        concepts = telling[0].concepts
        if len(telling) > 1:
            concepts = concepts.union(*(meaning.concepts for meaning in telling))
        conflict = check_text and bool(text) and contradicts(_words_of(concept, kind), concepts)
        sense = _certainty(telling)
        said = frozenset() if sense is Sense.DENIED else concepts
        return Match(said, conflict=conflict, meanings=telling, text=text, sense=sense, named=concepts)
    if not text:
        return Match(frozenset(), meanings=meanings) if meanings else NO_MATCH
    if meanings and not any(meaning.coarse for meaning in meanings):  # a known code that no rule asks for
        return Match(frozenset(), meanings=meanings, text=text)
    read = _words_of(concept, kind)
    if not read.understood:
        return Match(frozenset(), meanings=meanings, text=text, sense=read.sense, unclear=read.named)
    said = frozenset() if read.sense in _NOT_ABOUT_NOW else read.named
    return Match(
        said, by_text=bool(said), text=text, sense=read.sense, named=read.named, meanings=meanings if said else ()
    )


def _certainty(telling: Sequence[CodeMeaning]) -> Sense:
    """The German certainty of all codes that carry one: suspected, ruled out, or nothing of that."""
    senses = {_CERTAINTY_SENSES.get(meaning.certainty, Sense.AFFIRMED) for meaning in telling}
    return senses.pop() if len(senses) == 1 else Sense.AFFIRMED


def _words_of(concept: CodeableConcept, kind: TextKind) -> Words:
    """The meaning of text and displays. Displays of codes repeat and are vocabulary, so their meaning is cached."""
    coded = {coding.display.strip() for coding in concept.coding if coding.code and coding.system and coding.display}
    others = (concept.text, *(coding.display for coding in concept.coding))
    texts = {text.strip() for text in others if text} - coded
    read = [read_display(display, kind) for display in sorted(coded) if display]
    read += [read_text(text, kind) for text in sorted(texts) if text]
    return read_words(read) if read else NO_WORDS


def tells_nothing(concept: CodeableConcept | None) -> bool:
    """Whether a concept has neither words nor a code of a system that is known here: it could be anything.

    A code of a known system that is not in the tables is something that no rule asks for (as in decision 66).
    """
    if concept is None or words(concept):
        return concept is None
    return all(not coding.code or _system_of(coding.system, coding.code) is None for coding in concept.coding)


def _system_of(system: str | None, code: str) -> tuple[str, str] | None:
    return ("local", "") if is_local(system, code) else canonical_system(system)


def named_result(concept: CodeableConcept | None) -> Match:
    """What Observation.code, or the coded answer of one, means."""
    return match(concept, TextKind.OBSERVATION)


def named_condition(concept: CodeableConcept | None) -> Match:
    """What the code of a diagnosis, or a reason, means."""
    return match(concept, TextKind.CONDITION)


def named_procedure(concept: CodeableConcept | None) -> Match:
    """What the code of a procedure, report or order of an examination means."""
    return match(concept, TextKind.PROCEDURE)
