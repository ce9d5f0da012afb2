"""The coverage table: what the service does with each statement of each source. `python -m app.docgen.coverage`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator

from app.docgen.writing import write_page
from app.engine.criteria import Limit
from app.engine.knowledge import Knowledge, Rule
from app.engine.linker import load_knowledge
from app.engine.reviews import count_reviewed, is_reviewed

HEAD = """# Coverage

What the service does with each statement of each source. This page is generated (`python -m app.docgen.coverage
docs/coverage.md`) and compared with the guideline files by a test.

Use: **card** opens a card, **rides** is cited on a card that something else opened, **logic** is used by the logic and
never cited, **text** is wording, **none** is not used. Safety: acts in every profile. Limits: different limits in the
criteria; reviewed: those that a person has checked against the source (`reviewed:`, or a review of their statement in
`guidelines/reviews/`). Statements reviewed: those of use card, rides or logic with a valid review.
"""


def page(knowledge: Knowledge) -> str:
    """The page as Markdown."""
    return "\n".join([HEAD, *_summary(knowledge), *_tables(knowledge), *_derived(knowledge)]).rstrip() + "\n"


def _summary(knowledge: Knowledge) -> Iterator[str]:
    columns = "statements | card | rides | logic | text | none | safety | limits | reviewed | statements reviewed"
    yield f"| source | {columns} |"
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for source in sorted(knowledge.sources.values(), key=lambda s: s.number):
        rules = [rule for rule in knowledge.rules.values() if rule.source.id == source.id]
        uses = Counter(str(rule.block.use) for rule in rules)
        limits, reviewed = _limits(rules, knowledge)
        safety = sum(rule.block.safety for rule in rules)
        cells = [*(uses[name] for name in ("card", "rides", "logic", "text", "none")), safety, limits, reviewed]
        cells.append(count_reviewed(knowledge, source.id))
        yield f"| {source.number} {source.title} | {len(rules)} | {' | '.join(map(str, cells))} |"
    yield ""


def _limits(rules: list[Rule], knowledge: Knowledge) -> tuple[int, int]:
    """How many different limits the criteria of some recommendations have, and how many a person has reviewed."""
    limits: set[Limit] = set()
    reviewed: set[Limit] = set()
    for rule in rules:
        nodes = (rule.when, *(unless.node for unless in rule.unless))
        own = {leaf for node in nodes for leaf in node.leaves() if isinstance(leaf, Limit)}
        limits |= own
        reviewed |= own if is_reviewed(knowledge, rule.id) else {limit for limit in own if limit.reviewed}
    return len(limits), len(reviewed)


def _tables(knowledge: Knowledge) -> Iterator[str]:
    for source in sorted(knowledge.sources.values(), key=lambda s: s.number):
        yield f"## {source.number} {source.title}\n"
        yield "| id | lines | use | what it does, or why not | where |"
        yield "|---|---|---|---|---|"
        rules = [rule for rule in knowledge.rules.values() if rule.source.id == source.id]
        for rule in sorted(rules, key=lambda r: (r.block.source.lines, r.id)):
            lines = ", ".join(map(str, rule.block.source.lines))
            where = rule.file.removeprefix("guidelines/")
            safety = " (safety)" if rule.block.safety else ""
            yield f"| `{rule.id}` | {lines} | {rule.block.use}{safety} | {_what(rule)} | {where} |"
        yield ""


def _what(rule: Rule) -> str:
    block = rule.block
    parts = []
    if block.drug_rule:
        parts.append(f"{block.drug_rule.effect}s {', '.join(block.drug_rule.drugs)}")
    if block.option:
        parts.append(f"place of {block.option.drug}")
    if block.advise and not block.drug_rule:
        parts.append(f"advice {block.advise}")
    if not block.default_on:
        parts.append("off by default")
    if block.reason:
        parts.append(block.reason)
    return "; ".join(parts).replace("|", "\\|").replace("\n", " ")


def _derived(knowledge: Knowledge) -> Iterator[str]:
    yield "## Rules derived from several statements\n"
    yield "| id | where it lives |"
    yield "|---|---|"
    for name, where in knowledge.derived.items():
        yield f"| `{name}` | {where} |"


if __name__ == "__main__":
    sys.exit(write_page(page(load_knowledge())))
