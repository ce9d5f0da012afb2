"""Parts of the body: where density was measured, where a bone broke, and on which side."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from app.chart import DensitySite, FractureSite
from app.terminology.code_sets import TextPattern, terminology
from app.terminology.codeable_concept import words
from app.wire.elements import CodeableConcept

_LEVEL = re.compile(r"\b(?:(Th|T|L)[\s-]?(\d{1,2}))\b", re.IGNORECASE)
_LAST_LEVEL = {"T": 12, "L": 5}  # anatomy: twelve thoracic, five lumbar vertebrae


@cache
def _patterns(group: str) -> tuple[tuple[str, TextPattern], ...]:
    table = terminology().raw["text-patterns"]
    content = table["sides"] if group == "sides" else table["sites"][group]
    return tuple((name, TextPattern(patterns)) for name, patterns in content.items())


def _named(group: str, text: str) -> str | None:
    return next((name for name, pattern in _patterns(group) if pattern.found_in(text)), None) if text else None


def density_site_in(text: str) -> DensitySite | None:
    """The site of densitometry that a short text names; parts of the hip before the hip.

    Sites that do not count go first: Ward's triangle is in the femur, and one vertebra is not the lumbar spine.
    """
    name = _named("density", text)
    if name in (None, DensitySite.LUMBAR_SPINE) and _is_single_vertebra(text):
        return DensitySite.OTHER
    return None if name is None else DensitySite(name)


def sites_in(text: str) -> frozenset[DensitySite]:
    """The regions of densitometry that a stretch of prose names; Ward's triangle and the like are one "other"."""
    if _is_single_vertebra(text):
        return frozenset({DensitySite.OTHER})
    named = {DensitySite(name) for name, pattern in _patterns("density") if pattern.found_in(text)}
    exact = {site for site in named if not (set(_PARTS.get(site, ())) & named)}
    if {DensitySite.HIP, DensitySite.FEMUR} <= exact:
        exact.discard(DensitySite.FEMUR)
    return frozenset(exact)


def density_site_spans(text: str) -> list[tuple[int, int]]:
    """Where a text in lower case names sites of densitometry."""
    return [found.span() for found in _any_density_site().finditer(text)]


@cache
def _any_density_site() -> re.Pattern[str]:
    groups = terminology().raw["text-patterns"]["sites"]["density"].values()
    return re.compile("|".join(f"(?:{expression})" for group in groups for expression in group))


_LUMBAR = re.compile(
    r"(?<![a-z0-9])l\s?([1-5])(?:\s*(?:[-\u2010-\u2015/~]|to|till|til|thru|through)\s*l?\s?([1-5]))?(?!\d)"
)


def _is_single_vertebra(text: str) -> bool:
    """Whether a text names exactly one lumbar vertebra: "L2", not "L1-L4"."""
    named = {level for found in _LUMBAR.finditer(text.lower()) for level in found.groups() if level}
    return len(named) == 1


def density_site_of(body_sites: Iterable[CodeableConcept]) -> DensitySite | None:
    """The site of densitometry of a bodySite, by code, else by its words."""
    codes = terminology().raw["text-patterns"]["sites"]["density_codes"]
    for concept in body_sites:
        named = density_site_in(words(concept))
        for coding in concept.coding:
            code = re.match(r"\s*(\d+)", coding.code or "")
            if code and code.group(1) in codes:
                coded = DensitySite(codes[code.group(1)])
                # "Left femur total": the words can be more exact than the code, never of another region
                return named if named in _PARTS.get(coded, ()) else coded
        if named is not None:
            return named
    return None


_PARTS = {
    DensitySite.FEMUR: (DensitySite.TOTAL_HIP, DensitySite.FEMORAL_NECK),
    DensitySite.HIP: (DensitySite.TOTAL_HIP, DensitySite.FEMORAL_NECK),
}
_HIP_REGION = (DensitySite.HIP, DensitySite.FEMUR, DensitySite.TOTAL_HIP, DensitySite.FEMORAL_NECK)


def region(site: DensitySite) -> DensitySite:
    """The skeletal region of a site: everything at the proximal femur is one."""
    return DensitySite.HIP if site in _HIP_REGION else site


def more_exact(coded: DensitySite, named: DensitySite) -> DensitySite:
    """Of two sites of one region the more specific one."""
    return named if named in _PARTS.get(coded, ()) else coded


def fracture_site_in(text: str) -> FractureSite | None:
    """The site of a fracture that a short text names."""
    name = _named("fracture", text)
    return None if name is None else FractureSite(name)


def density_words(concept: CodeableConcept | None) -> tuple[DensitySite | None, str | None]:
    """The site of densitometry and the side that the words of a CodeableConcept name. For `Reading.recall`."""
    text = words(concept)
    return density_site_in(text), side_in(text)


def fracture_words(concept: CodeableConcept | None) -> tuple[FractureSite | None, str | None]:
    """The site of a fracture and the side that the words of a CodeableConcept name. For `Reading.recall`."""
    text = words(concept)
    return fracture_site_in(text), side_in(text)


def side_in(text: str) -> str | None:
    """The side, left or right, where a text names exactly one of them."""
    if not text:
        return None
    found = [name for name, pattern in _patterns("sides") if pattern.found_in(text)]
    return found[0] if len(found) == 1 else None


def side_of(body_sites: Iterable[CodeableConcept]) -> str | None:
    """The side of a bodySite: a qualifier code (also inside a post-coordinated code), else its words."""
    codes = terminology().raw["text-patterns"]["side_codes"]
    for concept in body_sites:
        for coding in concept.coding:
            for part in re.findall(r"\w+", coding.code or ""):
                if part in codes:
                    return str(codes[part])
        side = side_in(words(concept))
        if side is not None:
            return side
    return None


def vertebral_level_in(text: str) -> str | None:
    """The one vertebral level that a text names ("Th12" is T12); None for none, several, or no such vertebra."""
    levels = {
        f"{letter[0].upper()}{int(number)}"
        for letter, number in _LEVEL.findall(text)
        if 1 <= int(number) <= _LAST_LEVEL[letter[0].upper()]
    }
    return levels.pop() if len(levels) == 1 else None
