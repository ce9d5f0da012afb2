"""The pages: an overview with search, one page per source, one per statement, and what changed since the last release.

Pages are made with Jinja2 (every value is escaped) from the knowledge of the process. Jinja2 and the cases are loaded
when the first page is asked for: most server processes never show one.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from app import __version__
from app.browser.cases import CasesOf, cases_by_statement
from app.browser.statements import StatementView, StatementViews
from app.cards.wording import wording_in
from app.engine.knowledge import Knowledge, Rule
from app.engine.reviews import applied_statements, count_reviewed
from app.engine.schema import SourceFile, Use
from app.engine.statement_record import changes, record_of, shipped_records
from app.vocabulary import Language

if TYPE_CHECKING:
    from jinja2 import Environment

MAX_QUERY = 200
"""Characters of a search that are looked at."""


class GuidelinePages:
    """The pages of one knowledge. `base` in its methods is the path below which the service is reached."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._page: Callable[[str, str, str], str | None] = lru_cache(maxsize=64)(self._made)

    @property
    def policy(self) -> str:
        """The Content-Security-Policy of the pages: their own style, nothing else is loaded."""
        digest = base64.b64encode(hashlib.sha256(self._style.encode()).digest()).decode()
        return (
            f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        )

    def overview(self, *, base: str = "", query: str = "", source: str = "", use: str = "") -> str:
        """All sources; with a query or a filter, the statements that match."""
        query, found = " ".join(query[:MAX_QUERY].split()), None
        source = source if source in self._knowledge.sources else ""
        use = use if use in set(Use) else ""
        if query or source or use:
            found = [view for view in self._views.values() if self._matches(view, query, source, use)]
        sources = [
            (one, self._rules_of(one), self._knowledge.locale("en").sources[one.id].short) for one in self._sources
        ]
        return self._render(
            "overview.html", base, found=found, query=query, source=source, use=use, uses=list(Use), sources=sources,
            reviewed=self._reviewed, leads=self._roles("leads"), fills=self._roles("fills"),
        )  # fmt: skip

    def source(self, source: str, *, base: str = "") -> str | None:
        """All statements of a source, also to be printed; None where there is no such source."""
        return self._page("source", source, base)

    def statement(self, source: str, statement: str, *, base: str = "") -> str | None:
        """One statement; None where the source has no such statement."""
        view = self._views.get(statement)
        return self._page("statement", statement, base) if view and view.source == source else None

    def changes(self, *, base: str = "") -> str:
        """What changed since the last release."""
        earlier = shipped_records()
        found = list(changes(earlier[-1], record_of(self._knowledge, __version__))) if earlier else []
        return self._render("changes.html", base, earlier=earlier[-1] if earlier else None, found=found)

    def _made(self, kind: str, name: str, base: str) -> str | None:
        if kind == "statement":
            return self._render("statement.html", base, view=self._views[name], source=self._source_of(name))
        one = self._knowledge.sources.get(name)
        if one is None:
            return None
        views = [self._views[rule.id] for rule in self._rules_of(one)]
        headings: dict[str, list[StatementView]] = {}
        for view in views:
            headings.setdefault(view.heading or "Before the first heading", []).append(view)
        return self._render(
            "source.html", base, reviewed=self._reviewed, source=one, headings=headings, count=len(views)
        )

    @cached_property
    def _sources(self) -> list[SourceFile]:
        return sorted(self._knowledge.sources.values(), key=lambda source: source.number)

    def _source_of(self, statement: str) -> SourceFile:
        return self._knowledge.rules[statement].source

    def _rules_of(self, source: SourceFile) -> list[Rule]:
        """The statements of a source in the order of its text."""
        rules = [rule for rule in self._knowledge.rules.values() if rule.source.id == source.id]
        return sorted(rules, key=lambda rule: (rule.block.source.lines, rule.id))

    @cached_property
    def _reviewed(self) -> Mapping[str, tuple[int, int]]:
        """For each source, how many of the statements that act on patients are reviewed, and how many there are."""
        return {
            name: (count_reviewed(self._knowledge, name), len(applied_statements(self._knowledge, name)))
            for name in self._knowledge.sources
        }

    def _roles(self, role: str) -> Mapping[str, list[str]]:
        """The profiles by the sources that have a role in them."""
        profiles = self._knowledge.profiles.values()
        return {name: [p.id for p in profiles if name in getattr(p.block, role)] for name in self._knowledge.sources}

    @cached_property
    def _views(self) -> Mapping[str, StatementView]:
        """The views of all statements by id."""
        cases = cases_by_statement()
        make = StatementViews(self._knowledge, wording_in(self._knowledge, Language.EN))
        ordered = [rule for source in self._sources for rule in self._rules_of(source)]
        return {rule.id: make.view(rule, None if cases is None else cases.get(rule.id, CasesOf())) for rule in ordered}

    @cached_property
    def _texts(self) -> Mapping[str, str]:
        """What a search looks at, by statement."""
        return {name: _searched(view, self._knowledge.rules[name]) for name, view in self._views.items()}

    def _matches(self, view: StatementView, query: str, source: str, use: str) -> bool:
        if (source and view.source != source) or (use and self._knowledge.rules[view.id].block.use != use):
            return False
        text = self._texts[view.id]
        return all(word in text for word in query.casefold().split())

    @cached_property
    def _style(self) -> str:
        return files("app.browser").joinpath("templates", "style.css").read_text(encoding="utf-8")

    @cached_property
    def _environment(self) -> Environment:
        from jinja2 import Environment, PackageLoader, StrictUndefined

        made = Environment(
            loader=PackageLoader("app.browser"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True,
        )  # fmt: skip
        made.globals.update(style=self._style, version=__version__, knowledge=self._knowledge.version)
        return made

    def _render(self, template: str, base: str, **values: Any) -> str:
        return self._environment.get_template(template).render(base=base, **values)


def _searched(view: StatementView, rule: Rule) -> str:
    """Everything of a statement that a person may look for."""
    criteria = " ".join(map(str, rule.criteria()))
    texts = [text for _, text in view.texts]
    facts = [text for pair in (*view.facts, *view.remarks) for text in pair]
    parts = (view.id, view.title, view.heading, view.strength, *view.quotes, *texts, *facts, criteria)
    return "\n".join([*parts, criteria.replace("_", " ")]).casefold()
