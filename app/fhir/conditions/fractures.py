"""Fractures: one fact per event, however often and in whatever detail it was recorded.

Contract, section 2: records of one site and side within 90 days (a setting) are one fracture, ICD-10-CM follow-up
encounters are none of their own, and two vertebral fractures need different levels or dates further apart.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from app.chart import DateRange, Energy, FractureFact, FractureSite
from app.fhir.resource import Reading
from app.terminology.body_sites import fracture_site_in, fracture_words, side_of, vertebral_level_in
from app.terminology.code_sets import terminology
from app.terminology.codeable_concept import words
from app.terminology.codes import Match
from app.wire.conditions import Condition

LOW_ENERGY, HIGH_ENERGY = "low_energy_fracture", "high_energy_fracture"
_LOW = frozenset({LOW_ENERGY, "fragility_fracture_explicit", "osteoporosis_with_fracture"})
_HIGH = frozenset({HIGH_ENERGY, "high_energy_trauma"})
_TUMOUR = "pathological_fracture_neoplasm"
_CAUSE_UNKNOWN = "pathological_fracture_unspecified"
_VAGUE = frozenset({FractureSite.UNKNOWN, FractureSite.OTHER})


def fracture_site(found: Match) -> FractureSite | None:
    """The site of the fracture that codes or words name; the most telling of several. None: no fracture."""
    sites = [FractureSite(meaning.site) for meaning in found.meanings if meaning.site]
    if not sites:  # the words decide; of a relative they name it without being a fact about the patient
        sites = _sites_of_concepts(found.concepts or found.named)
    if not sites:
        return FractureSite.UNKNOWN if found.concepts & {LOW_ENERGY, HIGH_ENERGY, "impending_fracture"} else None
    telling = [site for site in sites if site not in _VAGUE]
    return (telling or sorted(sites, key=lambda site: site is FractureSite.UNKNOWN))[0]


def _sites_of_concepts(concepts: Iterable[str]) -> list[FractureSite]:
    sites = terminology().sites
    return [FractureSite(sites[concept]) for concept in sorted(concepts) if concept in sites]


def read_fracture(
    resource: Condition,
    found: Match,
    reading: Reading,
    *,
    ref: str,
    when: DateRange | None,
    suspected: bool,
    new: bool = False,
) -> FractureFact | None:
    """The fracture that one Condition tells; None where it tells none."""
    site = fracture_site(found)
    if site is None or "impending_fracture" in found.concepts:
        return None
    body_site = resource.body_site
    place = " | ".join(filter(None, (*(words(concept) for concept in body_site), found.text)))
    unknown_cause = _CAUSE_UNKNOWN in found.concepts
    site_in_words, side_in_words = reading.recall(fracture_words, resource.code)
    if site in _VAGUE and not unknown_cause:
        site = (fracture_site_in(place) if body_site else site_in_words) or site
    if unknown_cause:  # the cause is the open question: never counted by its site
        site = FractureSite.UNKNOWN
    follow_up = any(meaning.follow_up for meaning in found.meanings)
    history = found.history
    level = next((meaning.level for meaning in found.meanings if meaning.level), None)
    return FractureFact(
        refs=(ref,),
        site=site,
        when=None if follow_up or history else when,
        energy=_energy(found.concepts),
        suspected=suspected,
        side=next((meaning.side for meaning in found.meanings if meaning.side), None)
        or side_of(body_site)
        or side_in_words,
        level=level or (vertebral_level_in(place) if site is FractureSite.VERTEBRA else None),
        pathological_tumour=_TUMOUR in found.concepts,
        atypical_femoral="atypical_femoral_fracture" in found.concepts,
        subtrochanteric="fracture_subtrochanteric" in found.concepts,
        periprosthetic="periprosthetic_fracture" in found.concepts,
        stress="stress_fracture" in found.concepts,
        new_in_context=new,
        healing_only=follow_up or history,
    )


def _energy(concepts: frozenset[str]) -> Energy:
    if concepts & _HIGH:
        return Energy.HIGH
    return Energy.LOW if concepts & _LOW else Energy.NOT_RECORDED


def with_external_causes(fractures: Iterable[FractureFact], high_energy_days: set[DateRange]) -> list[FractureFact]:
    """Fractures of a day on which a high-energy cause was recorded apart, and whose own record is silent, as such."""
    return [
        replace(fracture, energy=Energy.HIGH)
        if fracture.energy is Energy.NOT_RECORDED and fracture.when in high_energy_days
        else fracture
        for fracture in fractures
    ]


def merge_fractures(fractures: Iterable[FractureFact], same_event_days: int) -> tuple[FractureFact, ...]:
    """One fact per fracture event.

    Dated records come first, in order of time; undated ones, follow-up encounters and records without a site then join
    the latest event that they can belong to.
    """
    events = _Events(same_event_days)
    order = sorted(
        fractures,
        key=lambda f: (f.when is None, f.site in _VAGUE, f.when.earliest if f.when else f.refs, f.refs),
    )
    for fracture in order:
        events.take(fracture)
    return tuple(events.found)


_STRETCH = 128
"""Days of the calendar that are looked up together."""
_LONG = 16
"""Stretches from which on a date range is compared with every event: few ranges are that long."""


class _Events:
    """The events found so far, also by the stretches of the calendar that they lie in.

    A dated record is compared with the events around its date only, so the time does not grow with the square of the
    number of fractures. An event whose date changes stays listed at its former place too, which costs a comparison.
    """

    def __init__(self, same_event_days: int) -> None:
        self.found: list[FractureFact] = []
        self._days = same_event_days
        self._by_stretch: dict[int, set[int]] = {}
        self._everywhere: set[int] = set()

    def take(self, fracture: FractureFact) -> None:
        """Join a record to the latest event that it can belong to, or begin an event."""
        for index in self._latest_first(fracture.when):
            if _same_event(self.found[index], fracture, self._days):
                merged = _merged(self.found[index], fracture)
                if merged.when != self.found[index].when:
                    self._place(index, merged.when)
                self.found[index] = merged
                return
        self._place(len(self.found), fracture.when)
        self.found.append(fracture)

    def _latest_first(self, when: DateRange | None) -> Iterable[int]:
        stretches = _stretches(when, self._days)
        if stretches is None:
            return range(len(self.found) - 1, -1, -1)
        near = (self._by_stretch.get(stretch, ()) for stretch in stretches)
        return sorted(self._everywhere.union(*near), reverse=True)

    def _place(self, index: int, when: DateRange | None) -> None:
        stretches = _stretches(when, 0)
        if stretches is None:
            self._everywhere.add(index)
            return
        for stretch in stretches:
            self._by_stretch.setdefault(stretch, set()).add(index)


def _stretches(when: DateRange | None, around: int) -> range | None:
    """The stretches of a date range and of some days around it; None where it could be anywhere or is a long one."""
    if when is None:
        return None
    first, last = (when.earliest.toordinal() - around) // _STRETCH, (when.latest.toordinal() + around) // _STRETCH
    return range(first, last + 1) if last - first < _LONG + 2 * around // _STRETCH else None


def _same_event(event: FractureFact, other: FractureFact, days: int) -> bool:
    if (event.suspected, event.atypical_femoral, event.periprosthetic, event.stress) != (
        other.suspected,
        other.atypical_femoral,
        other.periprosthetic,
        other.stress,
    ):
        return False
    if event.side and other.side and event.side != other.side:
        return False
    if event.level and other.level and event.level != other.level:
        return False
    if event.site is not other.site and not _may_be_same_site(event, other):
        return False
    if event.when is None or other.when is None:
        return True
    # Days are counted as numbers: 9999-12-31 has no day after it.
    before, after = (when.earliest.toordinal() - days for when in (event.when, other.when))
    return before <= other.when.latest.toordinal() and after <= event.when.latest.toordinal()


_NESTED = ({FractureSite.PROXIMAL_HUMERUS, FractureSite.HUMERUS},)


def _may_be_same_site(event: FractureFact, other: FractureFact) -> bool:
    """A record without a site may be any fracture; "humerus" may be its upper end."""
    if FractureSite.UNKNOWN in (event.site, other.site):
        return True
    return any({event.site, other.site} <= nested for nested in _NESTED)


def _merged(event: FractureFact, other: FractureFact) -> FractureFact:
    site = event.site
    if site is FractureSite.UNKNOWN or (site is FractureSite.HUMERUS and other.site is FractureSite.PROXIMAL_HUMERUS):
        site = other.site
    energies = {event.energy, other.energy}
    energy = next((e for e in (Energy.HIGH, Energy.LOW) if e in energies), Energy.NOT_RECORDED)
    return replace(
        event,
        refs=event.refs + tuple(ref for ref in other.refs if ref not in event.refs),
        site=site,
        when=_earlier(event.when, other.when),
        energy=energy,
        side=event.side or other.side,
        level=event.level or other.level,
        pathological_tumour=event.pathological_tumour or other.pathological_tumour,
        new_in_context=event.new_in_context or other.new_in_context,
        healing_only=event.healing_only and other.healing_only,
    )


def _earlier(one: DateRange | None, other: DateRange | None) -> DateRange | None:
    """Of two dates of one event the exact one, else the earlier."""
    if one is None or other is None:
        return one or other
    if one.exact != other.exact:
        return one if one.exact else other
    return min(one, other)
