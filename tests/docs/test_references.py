"""What the project refers to is inside the project: decisions by number, links between documents, no path elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
TEXTS = {".py", ".yaml", ".yml", ".md", ".json", ".sh", ".toml", ".txt"}
NUMBER = r"\d+b?\b"
DECISIONS = re.compile(rf"\b[Dd]ecisions? ({NUMBER}(?:(?:, | and | or |, and | to )(?:decision )?{NUMBER})*)")
ANCHOR = re.compile(r'<a id="decision-(\d+b?)"></a>')
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
OUTSIDE = re.compile(
    r"\.\./shared|\bshared/(?:sources|samples|vignettes|cases|bench|house)|(?<![\w./-])/work/|/root/|/home/\w"
)
MATERIAL = (
    "tests/shared/", "tests/bench/", "tests/conftest.py", "tests/clinical/test_conflicts.py", "tests/fuzz/",
    "tests/clinical/test_failed_lists.py",
    "tests/contract/test_checklist.py", "tests/support/open", "tests/docs/", "pyproject.toml",
)  # fmt: skip
"""The tests over the material that is given beside the project, the setting of their marker, and this test."""


def files(*folders: str) -> Iterator[tuple[str, str]]:
    """Path inside the project and text of every text file in the folders."""
    for folder in folders:
        top = ROOT / folder
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.suffix in TEXTS and path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def numbers(text: str) -> Iterator[str]:
    """The numbers of decisions that a text cites; "13 to 15" cites its ends."""
    for match in DECISIONS.finditer(" ".join(text.split())):
        yield from re.findall(NUMBER, match.group(1))


def test_every_number_has_one_anchor() -> None:
    anchors = ANCHOR.findall((DOCS / "decisions.md").read_text(encoding="utf-8"))
    assert len(anchors) == len(set(anchors))
    assert set(anchors) >= {str(number) for number in range(1, 70)} | {"7b", "13b"}


def test_every_decision_that_is_cited_is_on_the_page() -> None:
    anchors = set(ANCHOR.findall((DOCS / "decisions.md").read_text(encoding="utf-8")))
    cited = [(path, number) for path, text in files("app", "guidelines", "tests", "docs") for number in numbers(text)]
    assert len(cited) > 100
    assert [pair for pair in cited if pair[1] not in anchors] == []


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("(decision 7b)", ["7b"]),
        ("Decisions 6, 9, 34 and 35.", ["6", "9", "34", "35"]),
        ("decisions 13\n   or 14", ["13", "14"]),
        ("this decision is of 2026", []),
        ("decision 23's second half", ["23"]),
    ],
)
def test_citations_are_recognised(text: str, cited: list[str]) -> None:
    assert list(numbers(text)) == cited


def test_every_link_between_documents_leads_somewhere() -> None:
    broken = []
    for path, text in files("docs", "README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", ".github"):
        for target in LINK.findall(text) if path.endswith(".md") else ():
            if "://" in target or target.startswith("mailto:"):
                continue
            name, _, anchor = target.partition("#")
            page = (ROOT / path).parent / name if name else ROOT / path
            if not page.exists() or (anchor and not has_anchor(page, anchor)):
                broken.append((path, target))
    assert broken == []


def has_anchor(page: Path, anchor: str) -> bool:
    text = page.read_text(encoding="utf-8")
    headings = {slug(line.lstrip("# ")) for line in text.splitlines() if line.startswith("#")}
    return f'<a id="{anchor}"></a>' in text or anchor in headings


def slug(heading: str) -> str:
    """The anchor that GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def test_nothing_refers_to_a_file_outside_the_project() -> None:
    everything = files("app", "guidelines", "docs", "deploy", "tests", ".ci", ".github", "openapi")
    pages = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "Makefile", "pyproject.toml", "Dockerfile")
    found = [
        (path, match.group())
        for path, text in [*everything, *files(*pages)]
        if not path.startswith(MATERIAL)
        for match in OUTSIDE.finditer(text)
    ]
    assert found == []


def test_files_that_the_code_names_are_in_the_project() -> None:
    """A page or table of documents that is named as a source: contract.md, decisions.md, roles-*.tsv ..."""
    named = re.compile(r"(?<![\w/*-])(?:docs/)?([\w-]+\.(?:md|tsv))\b")
    known = {path.name for path in DOCS.rglob("*.md")} | {path.name for path in ROOT.glob("*.md")}
    found = [
        (path, match.group())
        for path, text in files("app", "guidelines")
        for match in named.finditer(text)
        if match.group(1) not in known
    ]
    assert found == []


PATH = re.compile(r"`((?:app|guidelines|tests|docs|deploy|openapi|\.ci|\.github)/[\w./-]+)`")


def test_paths_that_documents_name_exist() -> None:
    """A name in capitals stands for any: `guidelines/SOURCE/TOPIC.yaml`."""
    named = [
        (p, m.rstrip(".")) for p, text in files("docs", "CONTRIBUTING.md", "README.md") for m in PATH.findall(text)
    ]
    fixed = [(page, path) for page, path in named if not re.search(r"\b[A-Z]{3,}\b", path)]
    assert len(fixed) > 20
    missing = [(page, path) for page, path in fixed if not (ROOT / path).exists()]
    assert missing == []


def test_the_workflow_runs_what_a_developer_runs() -> None:
    workflow = (ROOT / ".github" / "workflows" / "ci.yaml").read_text(encoding="utf-8")
    assert "run: .ci/run" in workflow
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
