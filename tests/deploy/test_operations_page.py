"""docs/operations.md names what is there: metrics, log events, paths, targets, exit statuses."""

from __future__ import annotations

import re

from app.api.logs import ALLOWED_KEYS
from app.api.metrics import Metrics
from app.commands import serve
from tests.deploy.conftest import ROOT

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_every_metric_is_on_the_page_with_its_labels() -> None:
    rows = dict(re.findall(r"^\| `(osteon_\w+)` \| ([\w, ]*?) ?\|", section("Metrics"), re.MULTILINE))
    told = {name: [label.strip() for label in labels.split(",") if label.strip()] for name, labels in rows.items()}
    there = {}
    for collector in Metrics(version="1").registry._collector_to_names:
        if not hasattr(collector, "_name"):  # one that counts elsewhere tells its labels with its samples
            there |= {f"{one.name}_total": list(one.samples[0].labels) for one in collector.collect()}
            continue
        name = collector._name + ("_total" if collector._type == "counter" else "")  # type: ignore[attr-defined]
        there[name] = list(collector._labelnames)  # type: ignore[attr-defined]
    assert told == there


def test_every_event_on_the_page_is_logged_somewhere() -> None:
    rows = re.findall(r"^\| (`[^|]+`) \| \w+ \| [^|]+ \| ([^|]*) \|$", section("Logs"), re.MULTILINE)
    assert len(rows) >= 9
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "app").rglob("*.py"))
    for events, keys in rows:
        for event in re.findall(r"`([^`]+)`", events):
            assert f'"{event}"' in code, event
        assert set(re.findall(r"`(\w+)`", keys)) <= ALLOWED_KEYS


def test_exit_statuses_are_those_of_the_command() -> None:
    told = [int(number) for number in re.findall(r"^\| (\d)\b", section("What runs"), re.MULTILINE)]
    assert told == [0, serve.EXIT_SETTINGS, serve.EXIT_PORT_TAKEN, serve.EXIT_GUIDELINES]


def test_targets_and_files_exist() -> None:
    targets = set(re.findall(r"`make (\w+)`", PAGE))
    defined = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert len(targets) >= 6
    assert targets <= defined
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    for name in {*re.findall(r"\b(?:deploy|app)/[\w./-]*\w", PAGE), *(f"docs/{link}" for link in links)}:
        assert (ROOT / name).exists(), name
