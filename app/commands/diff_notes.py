"""The release notes of the content: what a version of the knowledge changes, from the report of `osteon diff`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

_MOST = 12
"""Most requests that are named under one change."""


def notes_of(report: Mapping[str, Any], today: date) -> str:
    """The notes as Markdown: counts by advice, then each change with its statements and the requests it concerns."""
    return "\n".join([*_lines(report, today), ""])


def _lines(report: Mapping[str, Any], today: date) -> Iterator[str]:
    yield f"## Knowledge {report['new']} ({today})"
    yield ""
    yield f"Compared with {report['old']}: {report['different']} of {report['requests']} requests get other advice."
    changed = {name: count for name, count in report["advice"].items() if count["old"] != count["new"]}
    if changed:
        yield from ("", "| advice | before | after |", "|---|---|---|")
        yield from (f"| `{name}` | {count['old']} | {count['new']} |" for name, count in changed.items())
    for what, (statements, requests) in _grouped(report).items():
        yield from ("", f"### {what}", "")
        yield from (f"* {line}" for line in sorted(statements))
        named, more = requests[:_MOST], len(requests) - _MOST
        yield f"* Requests: {', '.join(f'`{name}`' for name in named)}" + (f" and {more} more" if more > 0 else "")
    if report["unread"]:
        yield from ("", f"{len(report['unread'])} requests are refused by the service and were not compared.")


def _grouped(report: Mapping[str, Any]) -> dict[str, tuple[set[str], list[str]]]:
    """The changes by what is lost and gained, with the statements behind each and its requests."""
    made: defaultdict[str, tuple[set[str], list[str]]] = defaultdict(lambda: (set(), []))
    for patient in report["patients"]:
        parts = [f"no longer `{name}`" for name in patient["lost"]] + [f"now `{name}`" for name in patient["gained"]]
        if not parts:
            parts = ["Other drugs" if patient["drugs"] else "Other statements for the same advice"]
        statements, requests = made[", ".join(parts)]
        requests.append(patient["request"])
        statements.update(f"{why['cited']} cites `{why['statement']}` ({why['criterion']})" for why in patient["why"])
        statements.update(
            f"drugs of `{one['advice']}`: {', '.join(one['old'])} → {', '.join(one['new'])}" for one in patient["drugs"]
        )
    return dict(sorted(made.items()))
