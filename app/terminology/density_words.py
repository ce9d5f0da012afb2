"""Words of bone densitometry: which score, of which site, and whether the number is the value of the examination.

Decision 55: a text without a code is read only where all of its words are known: guidelines/concepts/densitometry.yaml.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache

from msgspec import Struct

from app.chart import DensityKind, DensitySite
from app.terminology.body_sites import density_site_in, density_site_spans
from app.terminology.code_sets import TextPattern, concept_file
from app.terminology.codeable_concept import SEPARATOR

_FILE = "densitometry"
_LONGEST = 400  # names of measurements are short; what is longer is prose
_WORD = re.compile(r"[^\W\d_]+")
_FIRST_WIDE_SIGN = "\u2e80"
"""From here on writing has no blanks between words: signs are looked at one by one."""


class Standing(StrEnum):
    """How words qualify the number beside them."""

    VALUE = "value"
    NOT_THE_VALUE = "not the value"  # of an earlier examination, or a difference
    UNCLEAR = "unclear"  # densitometry is named, and other words that are not known
    NOTHING = "nothing"  # no densitometry


class DensityWords(Struct, frozen=True, gc=False):
    """What a text names. `kind` is None where no number is named (a text such as "DXA lumbar spine")."""

    standing: Standing
    kind: DensityKind | None = None
    site: DensitySite | None = None


NO_DENSITY = DensityWords(Standing.NOTHING)


def density_in_words(text: str) -> DensityWords:
    """What the words of an Observation name; of several phrases the first that is understood, unless one denies."""
    found = [_phrase(part) for part in text[:_LONGEST].split(SEPARATOR)]
    for standing in (Standing.NOT_THE_VALUE, Standing.VALUE, Standing.UNCLEAR):
        telling = [words for words in found if words.standing is standing]
        if telling:
            return next((words for words in telling if words.site is not None), telling[0])
    return NO_DENSITY


def says_not_the_value(text: str) -> bool:
    """Whether words beside a number of densitometry mean another day, or a difference."""
    return _pattern("not_the_value").found_in(text[:_LONGEST])


def says_not_done(text: str) -> bool:
    """Whether words beside a densitometry mean that it was not done."""
    return _pattern("not_done").found_in(text)


def score_in(text: str) -> DensityKind | None:
    """The one score that a text names."""
    is_t, is_z = _pattern("t_score").found_in(text), _pattern("z_score").found_in(text)
    if is_t == is_z:
        return None
    return DensityKind.T_SCORE if is_t else DensityKind.Z_SCORE


def _phrase(text: str) -> DensityWords:
    kind, site = score_in(text), density_site_in(text)
    both_scores = _pattern("t_score").found_in(text) and kind is None
    names_density = _pattern("bmd").found_in(text) or _pattern("density").found_in(text)
    if kind is None and _pattern("bmd").found_in(text):
        kind = DensityKind.BMD
    if both_scores or (kind is None and not names_density):
        return NO_DENSITY
    if kind is DensityKind.BMD and site is None:
        return NO_DENSITY  # the bone is unknown
    matters = names_density or site is not None
    if matters and _pattern("not_the_value").found_in(text):
        return DensityWords(Standing.NOT_THE_VALUE, kind, site)
    if not _all_known(text.lower()):
        return DensityWords(Standing.UNCLEAR, kind, site) if kind is not None and matters else NO_DENSITY
    return DensityWords(Standing.VALUE, kind, site)


def _all_known(text: str) -> bool:
    """Whether every word of a text belongs to a name or changes nothing."""
    spans = [found.span() for found in _names().finditer(text)] + density_site_spans(text)
    words, signs = _neutral()
    for word in _WORD.finditer(text):
        if word[0] in words or _covered(word.span(), spans):
            if not any(sign >= _FIRST_WIDE_SIGN for sign in word[0]):
                continue
        elif not any(sign >= _FIRST_WIDE_SIGN for sign in word[0]):
            return False
        for place in range(*word.span()):
            if not (text[place] in signs or text[place] in "tz" or _covered((place, place + 1), spans)):
                return False
    return True


def _covered(span: tuple[int, int], spans: list[tuple[int, int]]) -> bool:
    return any(first < span[1] and span[0] < last for first, last in spans)


@cache
def _pattern(name: str) -> TextPattern:
    return TextPattern(concept_file(_FILE)[name])


@cache
def _names() -> re.Pattern[str]:
    table = concept_file(_FILE)
    return re.compile("|".join(f"(?:{e})" for name in ("t_score", "z_score", "bmd", "density") for e in table[name]))


@cache
def _neutral() -> tuple[frozenset[str], frozenset[str]]:
    table = concept_file(_FILE)
    return frozenset(str(word) for word in table["neutral"]), frozenset(table["neutral_signs"])
