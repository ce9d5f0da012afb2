"""The page of what is read from charts. `python -m app.docgen.data docs/data.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from app.docgen.writing import write_page
from app.terminology.code_sets import terminology
from app.terminology.units import quantity_rules

_MOST_CODES = 24

HEAD = """# What is read from a chart

Generated from `guidelines/concepts/` and `guidelines/drugs/` by `python -m app.docgen.data docs/data.md`; a test
compares it. The same as FHIR: `/fhir/ValueSet/{concept}`.

A code that ends in * covers every longer code; the longest match wins. Codes
with ~ say less than the concept: they are listed and never read as the concept by themselves. Facts without a standard
code can be sent as `urn:osteon:finding` (`/fhir/CodeSystem/finding`). A drug, diagnosis or measurement that is only
named in text is recognised by its name where that is unambiguous, and marked so in the evidence.
"""


def page() -> str:
    """The page as Markdown."""
    return "\n".join([HEAD, *_systems(), *_quantities(), *_concepts(), *_findings()]).rstrip() + "\n"


def _systems() -> Iterator[str]:
    yield "## Code systems\n"
    yield "| system | addresses that are accepted |"
    yield "|---|---|"
    addresses: dict[str, list[str]] = {}
    for uri, (system, _) in terminology().systems.items():
        addresses.setdefault(system, []).append(uri)
    for start, (system, _) in terminology().system_families:
        addresses.setdefault(system, []).append(start + "*")
    for system, uris in sorted(addresses.items()):
        yield f"| {system} | {', '.join(f'`{uri}`' for uri in sorted(uris))} |"
    yield ""


def _quantities() -> Iterator[str]:
    yield "## Measurements: units\n"
    yield "A value in another unit, or outside of what is physically possible, is not used, and the card says so.\n"
    yield "| quantity | unit inside | accepted | without a unit | possible |"
    yield "|---|---|---|---|---|"
    rules = {rule.name: rule for rule in quantity_rules().values()}
    for name, rule in sorted(rules.items()):
        accepted = ", ".join(f"`{unit}`" for unit in rule.factors)
        none = f"`{rule.unit_if_none}`" if rule.unit_if_none else "not used"
        yield f"| {name} | `{rule.unit}` | {accepted} | {none} | {rule.lowest} to {rule.highest} |"
    yield ""


def _concepts() -> Iterator[str]:
    terms = terminology()
    codes: dict[str, dict[str, list[str]]] = {}
    for system, by_code in terms.codes.items():
        for code, rows in by_code.items():
            for row in rows:
                shown = code + ("*" if row.prefix else "") + ("~" if row.coarse else "")
                codes.setdefault(row.concept, {}).setdefault(system, []).append(shown)
    for group in ("observation", "condition", "medication"):
        yield f"## {group.capitalize()}s\n"
        yield "| concept | kind of | codes |"
        yield "|---|---|---|"
        for concept in sorted(name for name, its in terms.groups.items() if its == group):
            listed = "; ".join(f"{s}: {_listed(found)}" for s, found in sorted(codes.get(concept, {}).items()))
            kinds = ", ".join(sorted(terms.parents.get(concept, ())))
            yield f"| {concept} | {kinds} | {listed} |"
        yield ""


def _listed(found: list[str]) -> str:
    """Codes of one system, in order; a long list is cut: the value set has all of it."""
    shown = ", ".join(sorted(found)[:_MOST_CODES])
    return shown if len(found) <= _MOST_CODES else f"{shown} and {len(found) - _MOST_CODES} more"


def _findings() -> Iterator[str]:
    yield "## Findings (`urn:osteon:finding`)\n"
    yield "| code | value | answers |"
    yield "|---|---|---|"
    for code, finding in sorted(terminology().findings.items()):
        answers = ", ".join(sorted(finding.answers))
        yield f"| {code} | {finding.value or 'the code itself'} | {answers} |"


if __name__ == "__main__":
    sys.exit(write_page(page()))
