"""Asking the client's FHIR server for what was left out of prefetch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from app.api.logs import logger
from app.api.metrics import Metrics
from app.cds_hooks.prefetch import supplement
from app.cds_hooks.request import HookRequest
from app.decoding.call import resource_of
from app.outbound.reasons import NOT_LISTED
from app.wire.bundle import OperationOutcome

if TYPE_CHECKING:
    from app.outbound.fhir_client import FhirClient  # imports httpcore, which only a service with FHIR servers needs


class Fetcher:
    """Completes the records of calls whose fhirServer is on the list; every other call stays as it came.

    Without a client no server is listed. Why a query failed stands in the log, in the metric and, where the data is
    required, in the 412: a fixed word of `app.outbound.reasons.REASONS`.
    """

    def __init__(self, client: FhirClient | None, metrics: Metrics) -> None:
        self._client = client
        self._metrics = metrics

    async def complete(self, request: HookRequest, *, request_id: str) -> HookRequest:
        """The request with what its FHIR server gave. A query that fails makes its key unknown, not the call fail."""
        patient_id = request.context.patient_id
        queries = request.records.queries(patient_id)
        if not queries or not request.fhir_server:
            return request
        if self._client is None or not self._client.allows(request.fhir_server):
            reasons = dict.fromkeys(queries, NOT_LISTED)
            self._note(reasons, request_id)
            return replace(request, records=replace(request.records, not_fetched=reasons))
        results = await self._client.fetch_missing(
            fhir_server=request.fhir_server,
            authorization=request.fhir_authorization,
            patient_id=patient_id,
            keys=queries,
        )
        reasons = {key: result.failure or "ok" for key, result in results.items()}
        self._note(reasons, request_id)
        fetched = {
            key: OperationOutcome() if result.value is None else resource_of(result.value)
            for key, result in results.items()
        }
        records = supplement(request.records, fetched, patient_id=patient_id)
        failed = {key: reason for key, reason in reasons.items() if reason != "ok"}
        return replace(request, records=replace(records, not_fetched=failed))

    def _note(self, reasons: Mapping[str, str], request_id: str) -> None:
        """Count and log the queries of a call with their outcome, by key."""
        self._metrics.fetched(reasons)
        failures = sorted(f"{key}: {reason}" for key, reason in reasons.items() if reason != "ok")
        logger().info("fetched", request_id=request_id, keys=sorted(reasons), reason=failures)
