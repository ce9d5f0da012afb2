"""The 13 source attributes of evidence-based decision support (45 CFR 170.315(b)(11)(iv)(A)), as a FHIR Library.

What the rules read is worked out from their criteria, so that it cannot go stale: the attributes on race, ethnicity,
language, sexual orientation, gender identity, sex, date of birth, social determinants and health status.
"""

from __future__ import annotations

from dataclasses import dataclass

from app import __version__
from app.engine.criteria import features_read
from app.engine.knowledge import Knowledge, Rule
from app.features.evaluation import catalogue
from app.published.header import PUBLISHER, Resource, header

ID = "osteon-dsi"
EXTENSION = "urn:osteon:source-attribute"
CONTACT = "the issue tracker of the project (SECURITY.md for what must not be public)"
FUNDING = "No funding: written by the project itself; nobody pays for what it recommends."
SEX = frozenset(
    {"sex", "menopausal_status", "postmenopausal", "premenopausal", "pregnant", "pregnant_or_breastfeeding"}
)
"""Features that read the administrative gender."""
BIRTH_DATE = frozenset({"age_years", "elderly", "orthogeriatric", "under_18", "menopausal_status", "postmenopausal"})
BIRTH_DATE |= {"premenopausal", "pregnant", "pregnant_or_breastfeeding", "creatinine_clearance", "creatinine_known"}
BIRTH_DATE |= {"zoledronate_lab_done"}
"""Features that read the date of birth: ages, what is assumed at an age, and Cockcroft-Gault (which reads sex, too)."""
BY_FORMULA = frozenset({"creatinine_clearance", "creatinine_known", "zoledronate_lab_done"})
SOCIAL = frozenset({"smokes", "alcohol_drinks_per_day", "daily_exercise_min", "dietary_calcium_mg"})
"""Habits; the standard counts some of them as health status. They are named here, where a reader looks for them."""
HEALTH_STATUS = frozenset(
    {"falls_recorded", "fall_risk_recorded", "fall_assessment_recorded", "walking_aid", "visual_impairment"}
    | {
        "sedentary_or_immobilised",
        "orthogeriatric",
        "poor_dental_status",
        "poor_adherence",
        "pregnant_or_breastfeeding",
    }
)
_NOT_READ = "No feature reads it; the reader of charts does not take it from the Patient."


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: its number in the rule, a short name, what it says, and the recommendations that rest on it."""

    number: int
    key: str
    title: str
    value: str
    used: bool | None = None
    recommendations: tuple[str, ...] = ()


def source_attributes(knowledge: Knowledge) -> tuple[Attribute, ...]:
    """The 13 attributes of this version of the knowledge."""
    sources = sorted(knowledge.sources.values(), key=lambda source: source.number)
    citations = "; ".join(f"{source.number}: {source.title} ({source.dated or 'not dated'})" for source in sources)
    dates = ", ".join(f"{source.number} {source.dated or 'not dated'}" for source in sources)
    sex = _reading(knowledge, SEX | BY_FORMULA)
    born = _reading(knowledge, BIRTH_DATE)
    social, health = _reading(knowledge, SOCIAL), _reading(knowledge, HEALTH_STATUS)
    return (
        Attribute(1, "citation", "Bibliographic citation", citations),
        Attribute(2, "developer", "Developer", f"{PUBLISHER}; contact: {CONTACT}"),
        Attribute(3, "funding", "Funding of the implementation", FUNDING),
        Attribute(
            4,
            "dates",
            "Dates",
            f"Release {__version__}, knowledge {knowledge.version}; documents of the sources: {dates}",
        ),
        Attribute(5, "race", "Race", _NOT_READ, used=False),
        Attribute(
            6,
            "ethnicity",
            "Ethnicity",
            f"{_NOT_READ} A FRAX value that a record holds was worked out with a national model.",
            used=False,
        ),
        Attribute(
            7, "language", "Language", "The language of a card is chosen by the caller; no rule reads it.", used=False
        ),
        Attribute(8, "sexual_orientation", "Sexual orientation", _NOT_READ, used=False),
        Attribute(9, "gender_identity", "Gender identity", _NOT_READ, used=False),
        Attribute(
            10,
            "sex",
            "Sex",
            "Patient.gender, else an extension on recorded or birth sex: rules for one sex, and Cockcroft-Gault.",
            used=bool(sex),
            recommendations=sex,
        ),
        Attribute(
            11,
            "dob",
            "Date of birth",
            "Age limits of the sources, what is assumed about menopause and pregnancy at an age, and Cockcroft-Gault.",
            used=bool(born),
            recommendations=born,
        ),
        Attribute(
            12,
            "sdoh",
            "Social determinants of health",
            "None by the standard's list; smoking, alcohol, exercise and calcium in the diet are read as risk factors.",
            used=bool(social),
            recommendations=social,
        ),
        Attribute(
            13,
            "health_status",
            "Health status assessments",
            "Falls, mobility, sight, frailty, dental status, adherence, pregnancy.",
            used=bool(health),
            recommendations=health,
        ),
    )


def read_by(rule: Rule) -> frozenset[str]:
    """The names of the features that a recommendation reads, without arguments."""
    return frozenset(name.partition(".")[0] for name in features_read(rule.criteria()))


def _reading(knowledge: Knowledge, features: frozenset[str]) -> tuple[str, ...]:
    cited = (rule for rule in knowledge.rules.values() if rule.citable)
    return tuple(sorted(rule.id for rule in cited if not features.isdisjoint(read_by(rule))))


def from_the_patient() -> frozenset[str]:
    """All features that read the Patient resource: each must be one of the attributes above."""
    known = catalogue()
    found = {spec.name for spec in known.features() if "patient" in spec.reads}
    return frozenset(found | {family.name for family in known.families() if "patient" in family.reads})


def library(knowledge: Knowledge) -> Resource:
    """The attributes as a Library: one extension each, and the sources as related artifacts."""
    made = header(
        "Library",
        id=ID,
        url=f"urn:osteon:library:{ID}",
        version=knowledge.version,
        name="OsteonSourceAttributes",
        title="Source attributes of the decision support of Osteon",
        description="The 13 source attributes of evidence-based decision support, worked out from the rules.",
    )
    sources = sorted(knowledge.sources.values(), key=lambda source: source.number)
    return {
        **made,
        "extension": [_extension(attribute) for attribute in source_attributes(knowledge)],
        "type": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/library-type", "code": "asset-collection"}]
        },
        "relatedArtifact": [
            {
                "type": "citation",
                "label": source.number,
                "display": source.title,
                **({"url": source.url} if source.url else {}),
            }
            for source in sources
        ],
    }


def _extension(attribute: Attribute) -> Resource:
    parts: list[Resource] = [
        {"url": "number", "valueInteger": attribute.number},
        {"url": "key", "valueCode": attribute.key},
        {"url": "value", "valueString": attribute.value},
    ]
    if attribute.used is not None:
        parts.append({"url": "used", "valueBoolean": attribute.used})
    parts += [{"url": "recommendation", "valueString": name} for name in attribute.recommendations]
    return {"url": EXTENSION, "extension": parts}
