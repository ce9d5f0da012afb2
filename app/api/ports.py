"""What the HTTP layer needs from the rest of the service; `app.main` hands it in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from app.cds_hooks.request import HookRequest
from app.cds_hooks.response import HookAnswer


class Pipeline(Protocol):
    """Answers calls. Built completely before the service says that it is ready."""

    def answer(self, request: HookRequest, *, today: date) -> HookAnswer:
        """The cards for one call; raises CallError for what the client must change."""


class Knowledge(Protocol):
    """What the service knows, as FHIR R4 resources; None where there is no such resource."""

    def read(self, resource_type: str, resource_id: str) -> dict[str, Any] | None:
        """One CodeSystem, ValueSet or PlanDefinition, or the CapabilityStatement `osteon`."""

    def search(
        self, resource_type: str, *, base: str | None = None, by: Mapping[str, str] | None = None
    ) -> dict[str, Any] | None:
        """The resources of a type as a searchset Bundle; `base` is the address of /fhir, for its links.

        `by`: url, version, status (exactly), name, title (how they begin); without it all.
        """


class Pages(Protocol):
    """The pages of the guideline browser as HTML; None where there is no such page. `base`: the path of the service."""

    @property
    def policy(self) -> str:
        """The Content-Security-Policy of the pages."""

    def overview(self, *, base: str = "", query: str = "", source: str = "", use: str = "") -> str:
        """All sources, and the statements that match a search."""

    def source(self, source: str, *, base: str = "") -> str | None:
        """All statements of a source."""

    def statement(self, source: str, statement: str, *, base: str = "") -> str | None:
        """One statement."""

    def changes(self, *, base: str = "") -> str:
        """What changed since the last release."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The parts that `create_app` puts together for the routes.

    `today` gives the day in the service's time zone, `today_in` that in another one. `self_test` reproduces a built-in
    case and raises where it does not come out; it decides whether the service says that it is ready.
    """

    pipeline: Pipeline
    today: Callable[[], date]
    today_in: Callable[[ZoneInfo], date]
    self_test: Callable[[], None]
    knowledge: Knowledge | None = None
