"""Bone density: T-scores, Z-scores, areal and volumetric density.

Values older than settings.max_age_months["t_score"] do not decide (decision 9): they are shown and requested again.
A forearm value never answers a question about spine or hip; a value whose code and text name different sites
answers none.
"""

from __future__ import annotations

from decimal import Decimal

from app.chart import DateRange, DensityFact, DensityKind, DensitySite, Presence, Source
from app.dates import newest_first, on_or_after, shifted, within_months
from app.features.catalogue import OneOf, family, feature
from app.features.drugs.exposure import CLASS, current_start
from app.features.history.diagnoses import condition_evidence, confirmed, not_understood
from app.features.model import Evidence, Feature, Features, Kind, interval, known, none_on_record, observed, unknown
from app.features.notes import Note, NoteCode, note
from app.features.readings import unusable_evidence

SPINE_AND_HIP = (
    DensitySite.LUMBAR_SPINE,
    DensitySite.TOTAL_HIP,
    DensitySite.FEMORAL_NECK,
    DensitySite.HIP,
    DensitySite.FEMUR,
)
ANY_SITE = (*SPINE_AND_HIP, DensitySite.FOREARM)
REGIONS = {
    "lumbar_spine": (DensitySite.LUMBAR_SPINE,),
    "hip": SPINE_AND_HIP[1:],
    "forearm": (DensitySite.FOREARM,),
}
UNITS = {DensityKind.T_SCORE: "SD", DensityKind.Z_SCORE: "SD", DensityKind.BMD: "g/cm2", DensityKind.QCT: "mg/cm3"}
OSTEOPOROSIS = (
    "osteoporosis_without_fracture",
    "osteoporosis_with_fracture",
    "osteoporosis_in_other_disease",
    "drug_induced_osteoporosis",
    "glucocorticoid_induced_osteoporosis",
    "idiopathic_osteoporosis_young",
)
READS = ("observations", "diagnosticReports")


def density_evidence(fact: DensityFact, *remarks: Note) -> Evidence:
    """The evidence for a density value, named by what it is, with its site."""
    site = f"{fact.site}_{fact.side}" if fact.side else fact.site.value
    notes = (note(NoteCode.SITE, site), *remarks)
    if fact.from_text:
        notes += (note(NoteCode.READ_FROM_TEXT),)
    if fact.preliminary:
        notes += (note(NoteCode.PRELIMINARY),)
    if fact.conflict:
        notes += (note(NoteCode.SITE_CONTRADICTORY, *fact.conflict),)
    value = f"{fact.comparator}{fact.value}" if fact.comparator else fact.value
    return Evidence(fact.kind.value, value, UNITS[fact.kind], fact.effective, fact.ref, notes)


def _order(fact: DensityFact) -> tuple[tuple[int, int, int], Decimal, str]:
    return (newest_first(fact.effective), fact.value, fact.ref)


def lowest(context: Features, kind: DensityKind, sites: tuple[DensitySite, ...]) -> Feature:
    """The lowest of the newest values per site within the age limit; evidence has that one first."""
    missing = kind.value
    facts = sorted((f for f in context.chart.densities if f.kind is kind and f.site in sites), key=_order)
    newest: dict[DensitySite, DensityFact] = {}
    for fact in facts:
        if fact.conflict is None:
            newest.setdefault(fact.site, fact)
    limit = context.settings.max_age_months["t_score"]
    recent = [f for f in newest.values() if within_months(f.effective, limit, context.today) is True]
    if recent:
        recent.sort(key=lambda fact: (fact.value, _order(fact)))
        return _lowest_of(recent, missing)
    if newest:
        shown = [density_evidence(fact, note(NoteCode.TOO_OLD_OR_UNDATED)) for fact in newest.values()]
        return unknown("only values that are too old or not dated", missing, evidence=shown)
    if facts:
        return unknown("site contradictory", missing, evidence=[density_evidence(fact) for fact in facts])
    refused = [item for item in context.chart.unusable if any(missing.replace("_", "") in c for c in item.concepts)]
    shown = [unusable_evidence(missing, item) for item in refused]
    elsewhere = [f for f in context.chart.densities if f.kind is kind]
    shown += [density_evidence(fact, note(NoteCode.OTHER_SITE)) for fact in sorted(elsewhere, key=_order)]
    why = "not recorded at these sites" if elsewhere else "value could not be used" if refused else "not recorded"
    return unknown(why, missing, evidence=shown)


def _lowest_of(facts: list[DensityFact], missing: str) -> Feature:
    """The lowest of some values, the lowest first; limits (">-2.5") make it an interval."""
    shown = [density_evidence(fact) for fact in facts]
    if not any(fact.comparator for fact in facts):
        return known(facts[0].value, shown)
    lows = [fact for fact in facts if fact.comparator not in _ONLY_HIGH]
    highs = [fact for fact in facts if fact.comparator not in _ONLY_LOW]
    low, high = min((f.value for f in lows), default=None), min((f.value for f in highs), default=None)
    return interval(
        low if len(lows) == len(facts) else None,
        high,
        shown,
        missing=(missing,),
        why="only a limit was reported",
        low_open=all(fact.comparator == ">" for fact in lows if fact.value == low),
        high_open=any(fact.comparator == "<" for fact in highs if fact.value == high),
    )


_ONLY_HIGH, _ONLY_LOW = ("<", "<="), (">", ">=")


@feature("lowest_t_score", Kind.NUMBER, "SD", meaning="Lowest T-score of lumbar spine and hip.", reads=READS)
def lowest_t_score(context: Features) -> Feature:
    """Lowest of the newest T-scores of lumbar spine, total hip, femoral neck, hip and femur; forearm never."""
    return lowest(context, DensityKind.T_SCORE, SPINE_AND_HIP)


@feature("lowest_t_score_any_site", Kind.NUMBER, "SD", meaning="Lowest T-score, forearm included.", reads=READS)
def lowest_t_score_any_site(context: Features) -> Feature:
    """As `lowest_t_score`, and the forearm (001 measures it where spine and hip cannot be)."""
    return lowest(context, DensityKind.T_SCORE, ANY_SITE)


@feature(
    "latest_t_score_any_age",
    Kind.NUMBER,
    "SD",
    meaning="Lowest T-score of the last DXA, however old: for repeating a DXA, never for treatment.",
    reads=READS,
)
def latest_t_score_any_age(context: Features) -> Feature:
    """Lowest T-score of spine, hip, femur and forearm on the day of the newest dated one; the evidence has the date."""
    facts = [f for f in context.chart.densities if f.kind is DensityKind.T_SCORE and f.site in ANY_SITE]
    usable = sorted((f for f in facts if f.effective is not None and f.conflict is None), key=_order)
    if not usable:
        shown = [density_evidence(fact) for fact in sorted(facts, key=_order)]
        return unknown("not recorded with a date and a clear site", "t_score", evidence=shown)
    same_day = [fact for fact in usable if fact.effective == usable[0].effective]
    return _lowest_of(same_day, "t_score")


@family(
    "t_score", OneOf("site", tuple(REGIONS)), kind=Kind.NUMBER, unit="SD", meaning="Lowest T-score: {}.", reads=READS
)
def t_score(context: Features, region: str) -> Feature:
    """Lowest of the newest T-scores of one region; "hip" is every part of the hip."""
    return lowest(context, DensityKind.T_SCORE, REGIONS[region])


@feature("lowest_z_score", Kind.NUMBER, "SD", meaning="Lowest Z-score of lumbar spine and hip.", reads=READS)
def lowest_z_score(context: Features) -> Feature:
    """Lowest of the newest Z-scores of lumbar spine and hip."""
    return lowest(context, DensityKind.Z_SCORE, SPINE_AND_HIP)


@feature("qct_lumbar_bmd", Kind.NUMBER, "mg/cm3", meaning="Lumbar trabecular density by quantitative CT.", reads=READS)
def qct_lumbar_bmd(context: Features) -> Feature:
    """Newest volumetric density of the lumbar spine (004)."""
    found = lowest(context, DensityKind.QCT, (DensitySite.LUMBAR_SPINE,))
    if found.known or found.evidence:
        return found
    for fact in context.observations("qct_lumbar_bmd"):
        if fact.value is not None and fact.unit in (None, UNITS[DensityKind.QCT]):
            recent = within_months(fact.effective, context.settings.max_age_months["t_score"], context.today)
            shown = [observed("qct_lumbar_bmd", fact)]
            return (
                known(fact.value, shown)
                if recent
                else unknown("too old or not dated", "qct_lumbar_bmd", evidence=shown)
            )
    return unknown("not recorded", "qct_lumbar_bmd")


def _comparable(new: DensityFact, old: DensityFact) -> bool:
    """Whether two densities may be compared: same site and side, devices not stated to differ."""
    sides_agree = new.side is None or old.side is None or new.side == old.side
    devices_agree = new.device is None or old.device is None or new.device == old.device
    return new.site is old.site and sides_agree and devices_agree


def change_percent(context: Features, not_before: DateRange | None = None) -> Feature:
    """The lowest change over the sites from the previous to the newest areal density, in percent of the previous.

    `not_before`: older values do not count. A change smaller than settings.least_significant_change_percent is told
    as 0. The newest value must be within the age limit of densities.
    """
    facts = sorted(
        (
            f
            for f in context.chart.densities
            if f.kind is DensityKind.BMD and f.effective and f.conflict is None and not f.comparator
        ),
        key=_order,
    )
    if not_before is not None:
        facts = [f for f in facts if f.effective and on_or_after(f.effective, not_before)]
    limit = context.settings.max_age_months["t_score"]
    pairs = []
    for site in SPINE_AND_HIP:
        of_site = [fact for fact in facts if fact.site is site]
        newest = of_site[0] if of_site else None
        if newest is None or within_months(newest.effective, limit, context.today) is not True:
            continue
        older = [f for f in of_site[1:] if f.effective != newest.effective and _comparable(newest, f)]
        if older and older[0].value > 0:
            pairs.append((_change(context, newest, older[0]), newest, older[0]))
    if not pairs:
        shown = [density_evidence(fact) for fact in facts]
        return unknown("no two comparable values", "bmd", evidence=shown)
    pairs.sort(key=lambda pair: (pair[0], pair[1].site))
    percent, newest, previous = pairs[0]
    change = note(NoteCode.CHANGE, percent.quantize(Decimal("0.1")))
    return known(percent, [density_evidence(newest, change), density_evidence(previous, note(NoteCode.PREVIOUS_VALUE))])


def _change(context: Features, new: DensityFact, old: DensityFact) -> Decimal:
    percent = (new.value - old.value) / old.value * 100
    least = context.settings.least_significant_change_percent
    return Decimal(0) if least is not None and abs(percent) < least else percent


@feature(
    "bmd_change_percent",
    Kind.NUMBER,
    "%",
    meaning="Change of bone density since the previous measurement.",
    reads=READS,
)
def bmd_change_percent(context: Features) -> Feature:
    """Newest against previous areal density (g/cm2) at one site and on one device; the lowest over the sites."""
    return change_percent(context)


@family(
    "bmd_change_percent_on",
    CLASS,
    kind=Kind.NUMBER,
    unit="%",
    meaning="Change of bone density during the current course of: {}.",
    reads=(*READS, "medications"),
)
def bmd_change_percent_on(context: Features, drug_class: str) -> Feature:
    """As `bmd_change_percent`; values count from one year before the current course, and the newest is in it."""
    taking = context.feature(f"takes.{drug_class}")
    start = current_start(context, drug_class)
    if taking.value is not True:
        return unknown(taking.why_unknown or "not taken at present", *taking.missing, evidence=taking.evidence)
    if start is None:
        return unknown("start not recorded", "start_date", evidence=taking.evidence)
    change = change_percent(context, shifted(start, months=-12))
    newest = change.evidence[0].date if change.known and change.evidence else None
    if newest is not None and on_or_after(newest, start) is not True:
        return unknown("newest value is from before the course", "bmd", evidence=change.evidence)
    return change


def _coded(context: Features, name: str, concepts: tuple[str, ...]) -> Feature:
    facts = context.conditions(*concepts)
    evidence = [condition_evidence(name, fact) for fact in facts if confirmed(fact)]
    if evidence:
        return known(True, evidence)
    suspected = [
        condition_evidence(name, f, note(NoteCode.SUSPECTED)) for f in facts if f.presence is Presence.SUSPECTED
    ]
    if suspected:
        return unknown("suspected, not confirmed", name, evidence=suspected)
    unclear = not_understood(name, facts, name)
    if unclear is not None:
        return unclear
    return none_on_record() if context.chart.provided(Source.CONDITIONS) else unknown("conditions not provided", name)


@feature("osteoporosis_diagnosis", Kind.TRUTH, meaning="Osteoporosis is a recorded diagnosis.", reads=("conditions",))
def osteoporosis_diagnosis(context: Features) -> Feature:
    """Coded osteoporosis with or without fracture (M80, M81, M82), confirmed, present or past."""
    return _coded(context, "osteoporosis_diagnosis", OSTEOPOROSIS)


@feature("known_osteopenia", Kind.TRUTH, meaning="Osteopenia is a recorded diagnosis.", reads=("conditions",))
def known_osteopenia(context: Features) -> Feature:
    """Coded osteopenia."""
    return _coded(context, "known_osteopenia", ("osteopenia",))


@feature(
    "low_bmd_on_imaging", Kind.TRUTH, meaning="Plain film or CT suggests low bone density.", reads=("observations",)
)
def low_bmd_on_imaging(context: Features) -> Feature:
    """The finding low-bmd-on-imaging."""
    return context.feature("finding.low_bmd_on_imaging")


@feature(
    "severe_osteoporosis_recorded",
    Kind.TRUTH,
    meaning="A clinician calls the osteoporosis severe.",
    reads=("observations",),
)
def severe_osteoporosis_recorded(context: Features) -> Feature:
    """The finding severe-osteoporosis."""
    return context.feature("finding.severe_osteoporosis")


@feature(
    "fracture_risk_stratum",
    Kind.WORD,
    words=("low", "moderate", "high", "very-high"),
    meaning="Fracture risk as a clinician or system has stratified it.",
    reads=("observations",),
)
def fracture_risk_stratum(context: Features) -> Feature:
    """The recorded stratum only; the finding very-high-fracture-risk says "very-high", its "no" says nothing."""
    stated = context.feature("finding_word.fracture_risk_stratum")
    very_high = context.feature("finding.very_high_fracture_risk")
    if stated.known or very_high.value is not True:
        return stated
    return known("very-high", very_high.evidence)
