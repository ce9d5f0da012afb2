"""docs/contract.md says what the code does: services, prefetch keys, topics, settings, profiles."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.cds_hooks.hooks import SERVICES
from app.cds_hooks.queries import DEFAULT_QUERIES
from app.engine.linker import load_knowledge
from app.settings import Settings
from app.vocabulary import TOPICS
from tests.support.open_rows import open_prefetch_keys

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
UNITS = "years?|months?|weeks?|days?|words|characters|mg|MiB|MB"
SHARED = ROOT.parent / "shared"


def section(number: int) -> str:
    found = re.search(rf"^## {number}\. .*?(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, number
    return found.group()


def test_the_services_are_those_of_discovery() -> None:
    rows = re.findall(r"^\| `(osteoporosis-[\w-]+)` \| ([\w-]+) \|", section(1), re.MULTILINE)
    assert dict(rows) == {service.id: service.hook.value for service in SERVICES}


def test_the_prefetch_keys_are_those_of_discovery() -> None:
    rows = re.findall(r"^\| (`.*?) \| (.*?) \|", section(2), re.MULTILINE)
    keys = {key: template for names, template in rows for key in re.findall(r"`(\w+)`", names)}
    published = {key for key, template in keys.items() if "published only where" not in template}
    assert published - open_prefetch_keys() == set(DEFAULT_QUERIES.templates)
    assert keys["patient"] == f"`{DEFAULT_QUERIES.templates['patient']}`"


def test_the_topics_are_those_of_cards_in_their_order() -> None:
    listed = re.search(r"is one of: (.*?) \(most urgent first", section(4), re.DOTALL)
    assert listed
    assert tuple(re.findall(r"`([\w-]+)`", listed.group(1))) == tuple(TOPICS)


def test_the_profiles_and_defaults_are_those_of_the_service() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d{3})", section(3), re.MULTILINE)
    knowledge = load_knowledge()
    lead = {
        name: next(rule.source.number for rule in knowledge.rules.values() if rule.source.id == profile.block.leads[0])
        for name, profile in knowledge.profiles.items()
    }
    assert dict(rows) == lead
    defaults = dict(re.findall(r"^\| `OSTEON_(\w+)` \|.*\| `(\w+)` \|$", section(3), re.MULTILINE))
    settings = Settings.model_construct()
    assert defaults == {"PROFILE": settings.profile, "LANGUAGE": settings.language}


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is not there")
def test_the_pages_have_the_numbers_of_the_shared_documents() -> None:
    """A number that changes in the shared contract or decisions changes here."""
    for page, source in (("contract.md", "contract.md"), ("decisions.md", "sources/decisions.md")):
        ours = (ROOT / "docs" / page).read_text(encoding="utf-8")
        theirs = (SHARED / source).read_text(encoding="utf-8")
        assert sorted(figures(theirs) - figures(ours)) == [], page


def figures(text: str) -> set[str]:
    """Numbers with their unit: "15 months", "90 words", "16 MiB"."""
    text = re.sub(r"[`*|]", " ", text)
    return {" ".join(found.split()) for found in re.findall(rf"\d+(?:\.\d+)? +(?:{UNITS})\b", text)}
