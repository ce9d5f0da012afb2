"""Counters for Prometheus, in a registry of each app's own.

Labels come from closed lists, never from a path or a chart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from app.api.log_output import output
from app.cds_hooks.feedback import CODES, Feedback
from app.cds_hooks.response import HookAnswer

CONTENT_TYPE = CONTENT_TYPE_LATEST

_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_EXPLANATION = "osteon.explanation"


class _LostLines(Collector):
    """Counts what the process could not log; the count is kept where lines are written, which must not fail."""

    def collect(self) -> Iterator[Metric]:
        counts = CounterMetricFamily(
            "osteon_log_lines_lost", "Lines of the log that were not written", None, ["reason"]
        )
        for reason in ("full", "broken", "unwritable"):
            counts.add_metric([reason], output.lost[reason])
        yield counts


class Metrics:
    """The counters of one app."""

    def __init__(self, *, version: str) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "osteon_http_requests", "HTTP requests", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "osteon_http_request_duration_seconds",
            "Time to answer",
            ["route"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._in_flight = Gauge("osteon_http_requests_in_flight", "Requests under way", registry=self.registry)
        self._advice = Counter("osteon_advice", "Cards by advice", ["service", "advice"], registry=self.registry)
        self._missing = Counter("osteon_missing_data", "Cards that miss a feature", ["feature"], registry=self.registry)
        self._set_aside = Counter("osteon_set_aside_records", "Records not used", ["reason"], registry=self.registry)
        self._unrecognised = Counter(
            "osteon_unrecognised_codes",
            "Codes whose meaning is not known, once per call",
            ["kind", "system"],
            registry=self.registry,
        )
        self._feedback = Counter(
            "osteon_feedback", "Feedback on cards", ["service", "outcome", "reason"], registry=self.registry
        )
        self._fetches = Counter(
            "osteon_fhir_queries", "Queries to FHIR servers", ["key", "result"], registry=self.registry
        )
        self._refusals = Counter(
            "osteon_refused_clients", "Calls of clients that are not trusted", ["reason"], registry=self.registry
        )
        self.registry.register(_LostLines())
        info = Gauge("osteon_build_info", "Version that runs", ["version"], registry=self.registry)
        info.labels(version).set(1)

    def started(self) -> None:
        """A request has begun."""
        self._in_flight.inc()

    def finished(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request has been answered. `route` is the template, never the path."""
        self._in_flight.dec()
        self._requests.labels(method if method in _METHODS else "other", route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def answered(self, service: str, tally: Tally) -> None:
        """Count the advice on the cards of an answer."""
        for advice in tally.advice:
            self._advice.labels(service, advice).inc()
        for name in tally.missing:
            self._missing.labels(name).inc()
        for reason, count in tally.set_aside.items():
            self._set_aside.labels(reason).inc(count)
        for (kind, system), count in tally.unrecognised.items():
            self._unrecognised.labels(kind, system).inc(count)

    def feedback(self, service: str, items: Iterable[Feedback]) -> None:
        """Count feedback; reasons that are not ours are one label, so that a client cannot make labels."""
        for item in items:
            reason = item.reason_code if item.reason_code in CODES else "other" if item.reason_code else "none"
            self._feedback.labels(service, item.outcome.value, reason).inc()

    def fetched(self, results: Mapping[str, str]) -> None:
        """Count queries to FHIR servers: by prefetch key, "ok" or a fixed word of `app.outbound.fhir_client`."""
        for key, result in results.items():
            self._fetches.labels(key, result).inc()

    def refused(self, reason: str) -> None:
        """Count a call of a client that is not trusted; `reason` is of a fixed vocabulary."""
        self._refusals.labels(reason).inc()

    def render(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self.registry)


@dataclass(frozen=True, slots=True)
class Tally:
    """What an answer adds to the counters.

    Its advice, the features that were missing, records set aside by reason, and the codes that are not known by kind of
    record and code system.
    """

    advice: tuple[str, ...]
    missing: frozenset[str]
    set_aside: Mapping[str, int]
    unrecognised: Mapping[tuple[str, str], int]


def tally_of(answer: HookAnswer) -> Tally:
    """The Tally of an answer, from the `osteon.explanation` of its cards and of itself."""
    extensions = [answer.extension, *(card.extension for card in answer.cards)]
    told = [extension[_EXPLANATION] for extension in extensions if extension and _EXPLANATION in extension]
    set_aside: dict[str, int] = {}
    for explanation in told:
        # Every card of an answer lists the same records: take the largest count of a reason, not the sum.
        for reason, count in _by_reason(explanation.get("notUsed") or ()).items():
            set_aside[reason] = max(count, set_aside.get(reason, 0))
    return Tally(
        advice=tuple(str(advice) for explanation in told if (advice := explanation.get("advice"))),
        missing=frozenset(str(name) for explanation in told for name in explanation.get("missing") or ()),
        set_aside=set_aside,
        unrecognised=dict(answer.unrecognised),
    )


def _by_reason(not_used: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for record in not_used:
        reason = str(record.get("reason")).partition(":")[0]  # members that could not be read are not counted apart
        counts[reason] = counts.get(reason, 0) + int(record.get("count") or 1)
    return counts
