"""Bone densitometry: T-scores, Z-scores, areal and volumetric density with their site.

The LOINC code for radius and ulna (38265-5) is used in public data for any T-score. It stays a forearm result here,
whatever the words beside it; the contradiction is kept in `DensityFact.conflict`.
"""

from __future__ import annotations

import re

from app.chart import DateRange, DensityFact, DensityKind, DensitySite, UnusableReason, UnusableValue
from app.fhir.resource import NOT_DONE, Reading
from app.terminology.body_sites import density_site_of, density_words, more_exact, region, side_of
from app.terminology.codeable_concept import words
from app.terminology.codes import Match
from app.terminology.density_words import says_not_done, score_in
from app.terminology.units import Unusable, measure, quantity_in_words, quantity_rules, rule_for
from app.wire.elements import Quantity, Reference
from app.wire.observations import Observation, Result

_KINDS = {"tscore": DensityKind.T_SCORE, "zscore": DensityKind.Z_SCORE, "bmd": DensityKind.BMD}
_CODED_SITES = {
    "lumbar_spine": DensitySite.LUMBAR_SPINE,
    "total_hip": DensitySite.HIP,  # LOINC says "Hip", not which part of it
    "femoral_neck": DensitySite.FEMORAL_NECK,
    "femur_unspecified": DensitySite.FEMUR,
    "forearm": DensitySite.FOREARM,
    "other_site": DensitySite.OTHER,
    "site_in_bodysite": DensitySite.UNKNOWN,
}
_DENSITY_CONCEPT = re.compile(r"dxa_(tscore|zscore|bmd)_(\w+)")
QCT_CONCEPT = "qct_lumbar_bmd"
_SCORE_BEFORE = re.compile(
    r"\s*+(?:[tz][\s-]?(?:score|værdi|värde|值|値)?)\s*+[:=]?\s*+(?=[-+−–<>≤≥\d])", re.IGNORECASE
)
_REMARK_AFTER = re.compile(r"\s*\([^()\d]{0,60}\)\s*$")
_SHOWN = 60


def density_concept(match: Match) -> tuple[DensityKind, DensitySite] | None:
    """What density a coding measures and where, as far as the code states it; None for anything else."""
    for concept in sorted(match.concepts):
        found = _DENSITY_CONCEPT.fullmatch(concept)
        if found:
            return _KINDS[found.group(1)], _CODED_SITES[found.group(2)]
    return (DensityKind.QCT, DensitySite.LUMBAR_SPINE) if QCT_CONCEPT in match.concepts else None


def read_density(
    what: tuple[DensityKind, DensitySite],
    match: Match,
    part: Result,
    whole: Observation,
    *,
    site_of_whole: DensitySite | None,
    ref: str,
    effective: DateRange | None,
    preliminary: bool,
    reading: Reading,
) -> DensityFact | None:
    """One density number of an Observation (or of a component, whose site may be that of the whole).

    None where it holds no number; one that cannot be used is noted in `reading.unusable`.
    """
    kind, coded = what
    concepts = match.concepts or frozenset({RULE_OF_KIND[kind]})
    quantity = _density_number(part, kind)
    if quantity is None:
        _note_words(part, whole, concepts, ref, reading)
        return None
    rule = rule_for(match.concepts) or quantity_rules()[RULE_OF_KIND[kind]]
    result = measure(rule, quantity)
    if result is None:
        return None
    if isinstance(result, Unusable):
        reading.unusable.append(UnusableValue(ref, concepts, result.reason, result.shown))
        return None
    body_site = part.body_site or whole.body_site
    sites = (body_site,) if body_site is not None else ()
    site_in_words, side_in_words = reading.recall(density_words, part.code)
    if coded is DensitySite.UNKNOWN and site_in_words is None and site_of_whole is not None:
        coded = site_of_whole
    site, conflict = _site(coded, density_site_of(sites), site_in_words)
    return DensityFact(
        ref=ref,
        kind=kind,
        site=site,
        value=result.value,
        effective=effective,
        side=side_of(sites) or side_in_words,
        device=_device(whole.device),
        comparator=result.comparator,
        from_text=not match.meanings,
        preliminary=preliminary,
        conflict=conflict,
    )


def _density_number(part: Result, kind: DensityKind) -> Quantity | None:
    """The number, also one in words that name the score again: "T-score: -2.7 SD (osteoporosis)"."""
    text = text_of(part)
    if text is None or number_of(part) is not None:
        return number_of(part)
    named = score_in(text)
    if named is not None and named is not kind:
        return None
    return quantity_in_words(_SCORE_BEFORE.sub("", _REMARK_AFTER.sub("", text), count=1))


def _note_words(part: Result, whole: Observation, concepts: frozenset[str], ref: str, reading: Reading) -> None:
    """Note words in the place of the number: they may mean that nothing was measured."""
    text = text_of(part)
    if text is None:
        return
    if says_not_done(text):
        reading.leave_out(whole, NOT_DONE)
    else:
        reading.unusable.append(UnusableValue(ref, concepts, UnusableReason.IN_WORDS, text[:_SHOWN]))


RULE_OF_KIND = {
    DensityKind.T_SCORE: "dxa_tscore_lumbar_spine",
    DensityKind.Z_SCORE: "dxa_zscore_lumbar_spine",
    DensityKind.BMD: "dxa_bmd_lumbar_spine",
    DensityKind.QCT: QCT_CONCEPT,
}


def number_of(part: Result) -> Quantity | None:
    """The number of an Observation or component as a Quantity, whatever value[x] carries it."""
    if part.value_quantity is not None:
        return part.value_quantity
    for value in (part.value_integer, part.value_decimal):
        if value is not None:
            return Quantity(value=value)
    text = text_of(part)
    return quantity_in_words(text) if text is not None else None


def text_of(part: Result) -> str | None:
    """The value where it is words: a string, or a concept without a code."""
    if part.value_string is not None:
        return part.value_string.strip() or None
    concept = part.value_codeable_concept
    if concept is None or any(coding.code for coding in concept.coding):
        return None
    return words(concept) or None


def _site(
    coded: DensitySite, in_body_site: DensitySite | None, in_words: DensitySite | None
) -> tuple[DensitySite, tuple[DensitySite, DensitySite] | None]:
    site = coded
    conflict: tuple[DensitySite, DensitySite] | None = None
    for named in (in_body_site, in_words):
        if named is None:
            continue
        if site is DensitySite.UNKNOWN:
            site = named
        elif region(site) is region(named):
            site = more_exact(site, named)
        elif conflict is None:
            conflict = (coded, named)
            if named in {DensitySite.FOREARM, DensitySite.OTHER}:
                site = DensitySite.UNKNOWN
    return site, conflict


def _device(device: Reference | None) -> str | None:
    if device is None:
        return None
    return next((text.strip() for text in (device.display, device.reference) if text and text.strip()), None)
