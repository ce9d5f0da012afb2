"""Asking the client's FHIR server for what was left out of prefetch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from app.api.calls import Fetched, Needs
from app.api.logs import logger
from app.api.metrics import Metrics
from app.outbound.reasons import NOT_LISTED

if TYPE_CHECKING:
    from app.outbound.fhir_client import FhirClient  # imports httpcore, which only a service with FHIR servers needs


class Fetcher:
    """Asks the FHIR servers that are on the list; a call with any other stays as it came.

    Without a client no server is listed. The reason for a failed query is in the log, the metric and, where the data is
    required, in the 412: a fixed word of `app.outbound.reasons.REASONS`.
    """

    def __init__(self, client: FhirClient | None, metrics: Metrics) -> None:
        self._client = client
        self._metrics = metrics

    async def fetch(self, needs: Needs, *, request_id: str) -> Fetched:
        """What the FHIR server of a call gave. A query that fails makes its key unknown, not the call fail."""
        if self._client is None or not self._client.allows(needs.fhir_server):
            reasons = dict.fromkeys(needs.queries, NOT_LISTED)
            self._note(reasons, request_id)
            return Fetched({}, reasons)
        results = await self._client.fetch_missing(
            fhir_server=needs.fhir_server,
            authorization=needs.authorization,
            patient_id=needs.patient_id,
            keys=needs.queries,
        )
        reasons = {key: result.failure or "ok" for key, result in results.items()}
        self._note(reasons, request_id)
        values = {key: result.value for key, result in results.items()}
        return Fetched(values, {key: reason for key, reason in reasons.items() if reason != "ok"})

    def _note(self, reasons: Mapping[str, str], request_id: str) -> None:
        """Count and log the queries of a call with their outcome, by key."""
        self._metrics.fetched(reasons)
        failures = sorted(f"{key}: {reason}" for key, reason in reasons.items() if reason != "ok")
        logger().info("fetched", request_id=request_id, keys=sorted(reasons), reason=failures)
