"""Laboratory values: the newest within its age limit, judged by the laboratory's own flag or reference range.

No limit of "low" or "high" is set here: a value without flag and range cannot be judged and is unknown (contract
section 3). Of the kinds of calcium the newest sample decides (decision 20); in one sample ionised, then corrected, then
total (decision 36).
"""

from __future__ import annotations

from dataclasses import dataclass

from app.chart import Interpretation, ObservationFact
from app.dates import newest_first, on_or_after
from app.features.catalogue import OneOf, family, feature
from app.features.drugs.exposure import CLASS, current_start
from app.features.model import Feature, Features, Kind, Memo, any_of, known, none_on_record, observed, unknown
from app.features.notes import NoteCode, note
from app.features.readings import Reading, newest_value, number_of, results_provided


@dataclass(frozen=True, slots=True)
class Analyte:
    """One analyte: the concepts that measure it, its canonical unit, and which age limit it has."""

    concepts: tuple[str, ...]
    unit: str
    age: str = "laboratory"
    missing: str | None = None


CALCIUM = {
    "calcium_ionised": ("calcium_ionised_molar", "calcium_ionised_mass", "calcium_ionised_ph74_molar"),
    "calcium_corrected": ("calcium_albumin_corrected_molar", "calcium_protein_corrected"),
    "calcium_total": ("calcium_total_molar", "calcium_total_mass"),
}
EGFR = (
    "egfr_ckdepi_2021_creatinine",
    "egfr_ckdepi_2009_creatinine",
    "egfr_mdrd",
    "egfr_unspecified_formula",
    "egfr_cystatin_c",
    "egfr_creatinine_cystatin",
    "egfr_creatinine_swedish_relative",
)
CLEARANCE = ("creatinine_clearance_measured_24h", "creatinine_clearance_cockcroft_gault")
ANALYTES: dict[str, Analyte] = {
    "albumin": Analyte(("albumin_serum_mass", "albumin_serum_molar"), "g/L"),
    "alp": Analyte(("alp", "alp_katal"), "U/L"),
    "calcium": Analyte(tuple(c for kind in CALCIUM.values() for c in kind), "mmol/L", "calcium"),
    "calcium_corrected": Analyte(CALCIUM["calcium_corrected"], "mmol/L", "calcium", "calcium"),
    "calcium_ionised": Analyte(CALCIUM["calcium_ionised"], "mmol/L", "calcium", "calcium"),
    "calcium_total": Analyte(CALCIUM["calcium_total"], "mmol/L", "calcium", "calcium"),
    "creatinine": Analyte(("creatinine_serum_molar", "creatinine_serum_mass"), "umol/L", "renal"),
    "crp": Analyte(("crp",), "mg/L"),
    "ctx": Analyte(("ctx_beta_serum",), "ng/L", missing="bone_turnover_marker"),
    "egfr": Analyte(EGFR, "mL/min/{1.73_m2}", "renal"),
    "esr": Analyte(("esr",), "mm/h"),
    "haemoglobin": Analyte(("haemoglobin_mass", "haemoglobin_molar"), "g/L"),
    "m_component": Analyte(("m_protein",), "g/L"),
    "magnesium": Analyte(("magnesium_molar", "magnesium_mass"), "mmol/L"),
    "p1np": Analyte(("p1np_serum",), "ug/L", missing="bone_turnover_marker"),
    "phosphate": Analyte(("phosphate_molar", "phosphate_mass"), "mmol/L"),
    "pth": Analyte(("pth_intact_molar", "pth_intact_mass"), "pg/mL"),
    "testosterone": Analyte(("testosterone_total_molar", "testosterone_total_mass"), "nmol/L"),
    "tsh": Analyte(("tsh",), "m[IU]/L"),
    "urine_calcium": Analyte(("urine_calcium_24h_molar", "urine_calcium_24h_mass"), "mmol/(24.h)"),
    "vitamin_d": Analyte(
        ("vitamin_d_25oh_mass", "vitamin_d_25oh_molar", "vitamin_d_25oh_any_property"), "ng/mL", "vitamin_d"
    ),
}
"""Units are the canonical ones of guidelines/concepts/units.yaml."""

PANEL = (
    "albumin",
    "alp",
    "calcium",
    "creatinine",
    "esr",
    "haemoglobin",
    "m_component",
    "magnesium",
    "phosphate",
    "pth",
    "testosterone",
    "tsh",
    "urine_calcium",
    "vitamin_d",
)
ANALYTE = OneOf("analyte", tuple(sorted(ANALYTES)))
READS = ("observations",)


def missing_name(analyte: str) -> str:
    """The data element to ask for."""
    return ANALYTES[analyte].missing or analyte


_READINGS: Memo[str, Reading] = Memo()  # by analyte


def reading(context: Features, analyte: str) -> Reading:
    """The newest usable value of an analyte, or why there is none; several features use it, so it is kept."""
    kept = _READINGS.of(context)
    if analyte not in kept:
        kept[analyte] = _reading(context, analyte)
    return kept[analyte]


def _reading(context: Features, analyte: str) -> Reading:
    rule = ANALYTES[analyte]
    if analyte != "calcium":
        return _newest(context, analyte, rule.concepts)
    usable = [_newest(context, "calcium", concepts) for concepts in CALCIUM.values()]
    facts = [r.fact for r in usable if r.fact is not None]
    if not facts:
        shown = [r for r in usable if r.problem.evidence]
        return shown[0] if shown else usable[-1]
    # Stable: of one day the first kind in the order of decision 36 stays first.
    facts.sort(key=lambda fact: newest_first(fact.effective))
    return Reading(facts[0])


def _newest(context: Features, analyte: str, concepts: tuple[str, ...]) -> Reading:
    rule = ANALYTES[analyte]
    return newest_value(context, concepts, analyte, age=rule.age, missing=missing_name(analyte), unit=rule.unit)


def judged(fact: ObservationFact) -> Interpretation | None:
    """Low, normal or high by the laboratory's flag, else by its reference range; None if neither tells."""
    if fact.interpretation in (Interpretation.LOW, Interpretation.NORMAL, Interpretation.HIGH):
        return fact.interpretation
    if fact.value is None:
        return None
    low, high = fact.reference_low, fact.reference_high
    may_be_lower, may_be_higher = fact.comparator in ("<", "<="), fact.comparator in (">", ">=")
    if low is not None and not may_be_higher and (fact.value < low or (fact.comparator == "<" and fact.value <= low)):
        return Interpretation.LOW
    if high is not None and not may_be_lower and (fact.value > high or (fact.comparator == ">" and fact.value >= high)):
        return Interpretation.HIGH
    if fact.comparator is None and low is not None and high is not None:
        return Interpretation.NORMAL
    return None


def _excludes(fact: ObservationFact, side: Interpretation) -> bool:
    """Whether a one-sided reference range shows that a value is not low (not high)."""
    if fact.value is None or fact.interpretation is Interpretation.ABNORMAL:
        return False
    if side is Interpretation.LOW:
        limit = fact.reference_low
        return limit is not None and fact.value >= limit and fact.comparator in (None, ">", ">=")
    limit = fact.reference_high
    return limit is not None and fact.value <= limit and fact.comparator in (None, "<", "<=")


def is_judged(context: Features, analyte: str, side: Interpretation) -> Feature:
    """Whether the newest value is low (or high) by the laboratory's own judgement; unknown where it has none."""
    found = reading(context, analyte)
    if found.fact is None:
        return found.problem
    verdict = judged(found.fact)
    shown = [observed(analyte, found.fact)]
    if verdict is not None:
        return known(verdict is side, shown)
    if _excludes(found.fact, side):
        return known(False, shown)
    return unknown("no flag and no reference range to judge it by", missing_name(analyte), evidence=shown)


def _unit(analyte: str) -> str:
    return ANALYTES[analyte].unit


@family("lab", ANALYTE, kind=Kind.NUMBER, unit=_unit, meaning="Newest laboratory value: {}.", reads=READS)
def lab(context: Features, analyte: str) -> Feature:
    """The newest value within its age limit, in the canonical unit of the analyte (docs/features.md)."""
    found = reading(context, analyte)
    return found.problem if found.fact is None else number_of(found.fact, analyte, missing_name(analyte))


@family("lab_low", ANALYTE, kind=Kind.TRUTH, meaning="Below the laboratory's range: {}.", reads=READS)
def lab_low(context: Features, analyte: str) -> Feature:
    """The newest value is low by flag or range; neither = unknown."""
    return is_judged(context, analyte, Interpretation.LOW)


@family("lab_high", ANALYTE, kind=Kind.TRUTH, meaning="Above the laboratory's range: {}.", reads=READS)
def lab_high(context: Features, analyte: str) -> Feature:
    """The newest value is high by flag or range; neither = unknown."""
    return is_judged(context, analyte, Interpretation.HIGH)


@family("lab_abnormal", ANALYTE, kind=Kind.TRUTH, meaning="Outside the laboratory's range: {}.", reads=READS)
def lab_abnormal(context: Features, analyte: str) -> Feature:
    """The newest value is low, high, or flagged abnormal without direction."""
    fact = reading(context, analyte).fact
    if fact is not None:
        verdict = fact.interpretation if fact.interpretation is Interpretation.ABNORMAL else judged(fact)
        if verdict is not None:
            return known(verdict is not Interpretation.NORMAL, [observed(analyte, fact)])
    return any_of([context.feature(f"lab_low.{analyte}"), context.feature(f"lab_high.{analyte}")])


@family("lab_recent", ANALYTE, kind=Kind.TRUTH, meaning="A value within its age limit is on record: {}.", reads=READS)
def lab_recent(context: Features, analyte: str) -> Feature:
    """Asks for presence: no usable value is false; observations not provided = unknown."""
    return present(context, reading(context, analyte), analyte)


def present(context: Features, found: Reading, analyte: str) -> Feature:
    """Whether there is a usable value: asks for presence, so none is false where the observations came complete."""
    if found.fact is not None:
        return known(True, [observed(analyte, found.fact)])
    if results_provided(context):
        return known(False, found.problem.evidence)
    return unknown("observations not provided", missing_name(analyte), evidence=found.problem.evidence)


@family(
    "lab_since_start_of",
    ANALYTE,
    CLASS,
    kind=Kind.TRUTH,
    meaning="A value of {} since the start of the current course of {}.",
    reads=(*READS, "medications"),
)
def lab_since_start_of(context: Features, analyte: str, drug_class: str) -> Feature:
    """A value dated on or after the start of the current course; not taken: false."""
    taking = context.feature(f"takes.{drug_class}")
    if taking.value is not True:
        return taking
    start = current_start(context, drug_class)
    if start is None:
        return unknown("start not recorded", "start_date", evidence=taking.evidence)
    # A reported clearance counts as creatinine known (decision 27).
    concepts = (*ANALYTES[analyte].concepts, *(CLEARANCE if analyte == "creatinine" else ()))
    facts = [fact for fact in context.observations(*concepts) if fact.value is not None]
    answers = [(None if f.effective is None else on_or_after(f.effective, start), f) for f in facts]
    for wanted in (True, None):
        chosen = [fact for answer, fact in answers if answer is wanted]
        if chosen:
            shown = [observed(analyte, chosen[0])]
            return (
                known(True, shown) if wanted else unknown("date does not tell", missing_name(analyte), evidence=shown)
            )
    return none_on_record() if results_provided(context) else unknown("not provided", missing_name(analyte))


@family(
    "lab_repeatedly_low",
    OneOf("analyte", ("vitamin_d",)),
    kind=Kind.TRUTH,
    meaning="Low more than once: {}.",
    reads=READS,
)
def lab_repeatedly_low(context: Features, analyte: str) -> Feature:
    """The newest value within the age limit and the one before it, of another day and any age, are both low."""
    latest = context.feature(f"lab_low.{analyte}")
    if latest.value is not True:
        return latest
    newest = reading(context, analyte).fact
    earlier = [
        fact
        for fact in context.observations(*ANALYTES[analyte].concepts)
        if fact.value is not None
        and newest is not None
        and fact.effective is not None
        and fact.effective != newest.effective
    ]
    if not earlier:
        return known(False, latest.evidence)
    verdict = judged(earlier[0])
    evidence = (*latest.evidence, observed(analyte, earlier[0], note(NoteCode.EARLIER_VALUE)))
    if verdict is None and not _excludes(earlier[0], Interpretation.LOW):
        return unknown("earlier value cannot be judged", analyte, evidence=evidence)
    return known(verdict is Interpretation.LOW, evidence)


@feature("tsh_suppressed", Kind.TRUTH, meaning="TSH is below the laboratory's range.", reads=READS)
def tsh_suppressed(context: Features) -> Feature:
    """As `lab_low.tsh`."""
    return context.feature("lab_low.tsh")


@feature(
    "lab_panel_abnormal",
    Kind.WORDS,
    words=PANEL,
    meaning="The analytes of the work-up that are outside their range.",
    reads=READS,
)
def lab_panel_abnormal(context: Features) -> Feature:
    """Names of abnormal analytes. Empty is known only when every analyte of the panel was judged normal."""
    verdicts = {analyte: context.feature(f"lab_abnormal.{analyte}") for analyte in PANEL}
    abnormal = [analyte for analyte, verdict in verdicts.items() if verdict.value is True]
    if abnormal:
        return known(frozenset(abnormal), [item for name in abnormal for item in verdicts[name].evidence])
    open_ones = [analyte for analyte, verdict in verdicts.items() if not verdict.known]
    if open_ones:
        return unknown("not all values are known", *open_ones)
    return known(frozenset())
