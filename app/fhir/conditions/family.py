"""What is told of a relative, in a FamilyMemberHistory or in the words of a Condition."""

from __future__ import annotations

from app.chart import FamilyFact, FractureSite
from app.fhir.conditions.fractures import fracture_site
from app.terminology.body_sites import fracture_site_in
from app.terminology.codes import Match
from app.terminology.word_lists import Sense


def family_fact(ref: str, found: Match, relationship: str | None, parent: bool | None) -> FamilyFact | None:
    """The fact of one condition of a relative; None where its code and words name nothing."""
    # in a family history the relative stands in the words too
    concepts = found.named if found.sense is Sense.FAMILY else found.concepts
    if not concepts:
        return None
    site = fracture_site(found)
    if site in {FractureSite.UNKNOWN, FractureSite.OTHER}:
        site = fracture_site_in(found.text) or site
    return FamilyFact(ref=ref, concepts=concepts, relationship=relationship, parent=parent, fracture_site=site)
