"""`osteon check`: reports errors in the guideline files, without starting the service."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from app.cards.orders import check_item, check_order
from app.collector import paused_collector
from app.engine.knowledge import Knowledge
from app.engine.linker import load_knowledge
from app.engine.loader import default_folder, load, source_folders
from app.engine.schema import Quote
from app.profiles import local_folder
from app.yaml_files import FilesError, Problem

_SPACE = re.compile(r"\s+")


def squeezed(text: str) -> str:
    """The text without white space: line breaks of the sources fall anywhere."""
    return _SPACE.sub("", text)


def quote_problems(knowledge: Knowledge, sources: Path, *, only_present: bool = False) -> Iterator[Problem]:
    """Quotes that the named lines do not contain. `only_present`: of the texts that are in the folder."""
    lines = {
        source.id: (sources / source.file).read_text(encoding="utf-8").split("\n")
        for source in knowledge.sources.values()
        if (sources / source.file).is_file() or not only_present
    }
    for rule in knowledge.rules.values():
        if rule.source.id in lines:
            for message in _wrong(rule.block.source, lines[rule.source.id]):
                yield Problem(rule.file, rule.line, f"{rule.id}: {message}")
    for name, criterion in knowledge.criteria.items():
        if criterion.source and criterion.of in lines:
            for message in _wrong(criterion.source, lines[criterion.of]):
                yield Problem("criteria", 1, f"{name}: {message}")


def order_problems(knowledge: Knowledge, root: Path, local: Path | None = None) -> list[Problem]:
    """Orders that would not be valid FHIR R4 in one of the languages."""
    problems: list[Problem] = []
    locales = knowledge.locales.values()
    for item in knowledge.orderables.values():
        problems += _invalid((root, local), item.block.id, [partial(check_item, item.block, x) for x in locales])
    for drug in knowledge.drugs.values():
        checks = [partial(check_order, drug, source, x) for source in drug.orders for x in locales]
        problems += _invalid((root, local), drug.id, checks)
    return problems


def _invalid(folders: tuple[Path, Path | None], name: str, checks: Iterable[Callable[[], None]]) -> Iterator[Problem]:
    for check in checks:
        try:
            check()
        except ValueError as error:
            file, line = _place_of(*folders, name)
            yield Problem(file, line, f"{name}: not a valid order: {' '.join(str(error).split())}")


def _place_of(root: Path, local: Path | None, name: str) -> tuple[str, int]:
    """File and line of what is ordered. Only a problem pays for reading the files again to find them."""
    loaded = load(root, local)
    for drug in loaded.drugs:
        if drug.content.id == name:
            return drug.name, drug.line_of("suggested")
    for file in loaded.files:
        for index, block in enumerate(file.content.orderables):
            if block.id == name:
                return file.name, file.line_of("orderables", index)
    raise LookupError(name)


def _wrong(quote: Quote, lines: list[str]) -> Iterator[str]:
    if max(quote.lines) > len(lines):
        yield f"line {max(quote.lines)} is beyond the end of the source"
        return
    span = squeezed("".join(lines[min(quote.lines) - 1 : max(quote.lines)]))
    for words in quote.quote:
        for part in words.split(" … "):
            if squeezed(part) not in span:
                yield f"not in lines {min(quote.lines)}-{max(quote.lines)}: {part[:60]!r}"


def main(argv: Sequence[str] | None = None) -> int:
    """Check the files; with --sources also each quote. Exit status 0 = nothing wrong."""
    parser = argparse.ArgumentParser(prog="osteon check", description="Check the guideline files.")
    parser.add_argument("--guidelines", type=Path, default=None, help="folder (default: the one that ships)")
    parser.add_argument("--sources", type=Path, default=None, help="folder with the source texts: look each quote up")
    parser.add_argument(
        "--local", type=Path, default=local_folder(), help="overlay of a hospital (default: what OSTEON_LOCAL names)"
    )
    arguments = parser.parse_args(argv)
    root, local = arguments.guidelines or default_folder(), arguments.local
    if local is not None and not local.is_dir():
        parser.error(f"there is no folder {local}")
    local = local.resolve() if local is not None else None  # "." has no name for messages
    try:
        with paused_collector():
            knowledge = load_knowledge(root, local)
            problems = order_problems(knowledge, root, local)
        if arguments.sources:
            problems += quote_problems(knowledge, arguments.sources, only_present=local is not None)
        if local is not None:
            for folder in sorted(source_folders(local)):
                problems += quote_problems(knowledge, local / folder, only_present=True)
    except FilesError as error:
        problems = error.problems
    problems.sort()
    for problem in problems:
        print(problem)
    if problems:
        print(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}", file=sys.stderr)
        return 1
    for risk in knowledge.local.risks:
        print(f"note: safety statement switched off: {risk}")
    print(
        f"{len(knowledge.rules)} recommendations of {len(knowledge.sources)} sources, version {knowledge.version}: ok"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
