"""FRAX: ten-year fracture probabilities as reported. Nothing is computed here: the algorithm is not public."""

from __future__ import annotations

from app.features.catalogue import OneOf, family, feature
from app.features.model import Feature, Features, Kind, known, none_on_record, observed, unknown
from app.features.readings import newest_value, number, observations_provided

READS = ("observations",)
MAJOR, HIP = "frax_major_10y", "frax_hip_10y"


@feature(
    "frax_major", Kind.NUMBER, "%", meaning="Reported FRAX probability of a major osteoporotic fracture.", reads=READS
)
def frax_major(context: Features) -> Feature:
    """The newest reported value within the age limit of FRAX (decision 35)."""
    return number(context, (MAJOR,), "frax_major", age="frax", unit="%")


@feature("frax_hip", Kind.NUMBER, "%", meaning="Reported FRAX probability of a hip fracture.", reads=READS)
def frax_hip(context: Features) -> Feature:
    """The newest reported value within the age limit of FRAX (decision 35)."""
    return number(context, (HIP,), "frax_hip", age="frax", unit="%")


@family(
    "frax_recorded",
    OneOf("probability", ("hip", "major")),
    kind=Kind.TRUTH,
    meaning="A FRAX probability of any age is on record: {}.",
    reads=READS,
)
def frax_recorded(context: Features, probability: str) -> Feature:
    """Whether the probability was ever calculated; one that is too old is requested again (decision 35)."""
    recorded = context.observations(MAJOR if probability == "major" else HIP)
    if any(fact.value is not None for fact in recorded):
        return known(True)  # the value itself is reported by frax_major and frax_hip
    return none_on_record() if observations_provided(context) else unknown("observations not provided", "frax")


@feature("frax_with_bmd", Kind.TRUTH, meaning="The reported FRAX was computed with bone density.", reads=READS)
def frax_with_bmd(context: Features) -> Feature:
    """Whether the newest FRAX within its age limit was with BMD; one without that statement counts as without."""
    for concept, name in ((MAJOR, "frax_major"), (HIP, "frax_hip")):
        found = newest_value(context, (concept,), name, age="frax", unit="%")
        if found.fact is not None:
            text = (found.fact.text or "").casefold()
            stated = any(f"{word} bmd" in text for word in ("with", "med", "incl.", "including", "inkl."))
            return known(stated, [observed(name, found.fact)])
    return newest_value(context, (MAJOR,), "frax_major", age="frax", unit="%").problem
