"""Bone densitometry: T-scores, Z-scores, areal and volumetric density with their site.

The LOINC code for radius and ulna (38265-5) is used in public data for any T-score. It stays a forearm result here,
whatever the words beside it say; the contradiction is kept in `DensityFact.conflict`.
"""

from __future__ import annotations

import re

from app.chart import DateRange, DensityFact, DensityKind, DensitySite, UnusableValue
from app.fhir.resource import Reading
from app.terminology.body_sites import density_site_of, density_words, more_exact, region, side_of
from app.terminology.codes import Match
from app.terminology.units import Unusable, measure, quantity_rules, rule_for
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
_T_SCORE_TEXT = re.compile(r"\bt[\s.-]?score|T値|T评分|T值", re.IGNORECASE)
_Z_SCORE_TEXT = re.compile(r"\bz[\s.-]?score|Z値|Z评分|Z值", re.IGNORECASE)


def density_concept(match: Match) -> tuple[DensityKind, DensitySite] | None:
    """What density a coding measures and where, as far as the code says; None for anything else."""
    for concept in sorted(match.concepts):
        found = _DENSITY_CONCEPT.fullmatch(concept)
        if found:
            return _KINDS[found.group(1)], _CODED_SITES[found.group(2)]
    return (DensityKind.QCT, DensitySite.LUMBAR_SPINE) if QCT_CONCEPT in match.concepts else None


def density_in_text(text: str) -> tuple[DensityKind, DensitySite] | None:
    """A T- or Z-score that only the words of Observation.code name."""
    is_t, is_z = bool(_T_SCORE_TEXT.search(text)), bool(_Z_SCORE_TEXT.search(text))
    if is_t == is_z:
        return None
    return (DensityKind.T_SCORE if is_t else DensityKind.Z_SCORE), DensitySite.UNKNOWN


def read_density(
    what: tuple[DensityKind, DensitySite],
    match: Match,
    part: Result,
    whole: Observation,
    *,
    ref: str,
    effective: DateRange | None,
    preliminary: bool,
    reading: Reading,
) -> DensityFact | None:
    """One density number of an Observation (or of a component, whose bodySite stands in the whole).

    None where it holds no number; a number with an unusable unit is noted in `reading.unusable`.
    """
    kind, coded = what
    quantity = number_of(part)
    if quantity is None:
        return None
    rule = rule_for(match.concepts) or quantity_rules()[_RULE_OF_KIND[kind]]
    result = measure(rule, quantity)
    if result is None:
        return None
    if isinstance(result, Unusable):
        reading.unusable.append(UnusableValue(ref, match.concepts, result.reason, result.shown))
        return None
    body_site = part.body_site or whole.body_site
    sites = (body_site,) if body_site is not None else ()
    site_in_words, side_in_words = reading.recall(density_words, part.code)
    site, conflict = _site(coded, density_site_of(sites), site_in_words)
    return DensityFact(
        ref=ref,
        kind=kind,
        site=site,
        value=result.value,
        effective=effective,
        side=side_of(sites) or side_in_words,
        device=_device(whole.device),
        from_text=not match.meanings,
        preliminary=preliminary,
        conflict=conflict,
    )


_RULE_OF_KIND = {
    DensityKind.T_SCORE: "dxa_tscore_lumbar_spine",
    DensityKind.Z_SCORE: "dxa_zscore_lumbar_spine",
    DensityKind.BMD: "dxa_bmd_lumbar_spine",
    DensityKind.QCT: QCT_CONCEPT,
}


def number_of(part: Result) -> Quantity | None:
    """The number of an Observation or component as a Quantity, whatever value[x] carries it."""
    if part.value_quantity is not None:
        return part.value_quantity
    for value in (part.value_integer, part.value_decimal, part.value_string):
        if value is not None:
            return Quantity(value=value)
    return None


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
