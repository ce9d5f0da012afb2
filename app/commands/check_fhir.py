"""`osteon check-fhir URL`: tries a FHIR server before go-live, query by query.

Prints counts, times and reasons, never anything of the patient. The token comes from a file, so that it is in no
list of processes.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from app.cds_hooks.queries import queries_with
from app.engine.linker import load_knowledge
from app.outbound.addresses import AddressRefused, parse_url
from app.outbound.fhir_client import METADATA, FetchResult, FhirClient
from app.outbound.pages import entries_of
from app.outbound.reasons import REASONS
from app.outbound.settings import FhirClientSettings
from app.settings import Settings

EXIT_QUERIES = 1
EXIT_USE = 2
_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class _Token:
    """A token that is tried as it is: what it grants is for the server to say."""

    access_token: str
    expires_in: int = 300
    scope: str = ""
    patient: str | None = None


def main(arguments: Sequence[str] | None = None) -> int:
    """Try a server. Exit status 0; 1 where a query failed; 2 where the address or the settings are wrong."""
    parser = argparse.ArgumentParser(
        prog="osteon check-fhir", description="Try the queries of this deployment on a FHIR server."
    )
    parser.add_argument("url", help="base URL of the server, as fhirServer will name it")
    parser.add_argument("--patient", help="id of a test patient; without it only /metadata is read")
    parser.add_argument("--token-file", type=Path, help="file with an access token")
    options = parser.parse_args(arguments)
    try:
        url = str(parse_url(options.url)).rstrip("/")
        token = _Token(options.token_file.read_text(encoding="utf-8").strip()) if options.token_file else None
        settings = FhirClientSettings()
    except AddressRefused as refused:
        print(f"osteon check-fhir: this address is never called ({refused.reason})", file=sys.stderr)
        return EXIT_USE
    except (OSError, ValidationError) as error:
        print(f"osteon check-fhir: {error}", file=sys.stderr)
        return EXIT_USE
    listed = any(base.covers(parse_url(url)) for base in settings.bases)
    if not listed:
        print(f"note: not listed yet; the service needs OSTEON_FHIR_SERVERS={url}")
        settings = settings.model_copy(update={"fhir_servers": (*settings.fhir_servers, url)})
    queries = _queries(options.patient) if options.patient else {}
    results, seconds = asyncio.run(_tried(settings, url, token, options.patient or "", queries))
    for line in told(results, seconds):
        print(line)
    return EXIT_QUERIES if any(result.failure for result in results.values()) else 0


def _queries(patient_id: str) -> dict[str, str]:
    """The prefetch queries of clients, and the service's own queries."""
    settings = Settings()
    local = load_knowledge(local=settings.local).local.prefetch if settings.local else {}
    queries = queries_with({**local, **settings.prefetch})
    return {**queries.of(patient_id), **queries.to_fetch(patient_id)}


async def _tried(
    settings: FhirClientSettings, url: str, token: _Token | None, patient_id: str, queries: Mapping[str, str]
) -> tuple[dict[str, FetchResult], dict[str, float]]:
    """Each query by itself, one after the other, so that each has its own time."""
    client = FhirClient(settings)
    results: dict[str, FetchResult] = {}
    seconds: dict[str, float] = {}
    try:
        for key, query in {METADATA: METADATA, **queries}.items():
            began = time.monotonic()
            found = await client.fetch_missing(
                fhir_server=url,
                authorization=None if key == METADATA else token,
                patient_id=patient_id,
                keys={key: query},
                deadline_seconds=_SECONDS,
            )
            seconds[key] = time.monotonic() - began
            results[key] = found[key]
    finally:
        await client.aclose()
    return results, seconds


def told(results: Mapping[str, FetchResult], seconds: Mapping[str, float]) -> Iterator[str]:
    """One line for each query: what came, how long it took, or why nothing came and what that means."""
    width = max(len(key) for key in results)
    for key, result in results.items():
        head = f"{key:<{width}}  {seconds[key]:6.2f} s  "
        if result.value is None:
            yield f"{head}{result.failure}: {REASONS.get(result.failure or '', '')}"
            continue
        counted = _counted(result)
        more = f"; incomplete, {result.failure}: {REASONS.get(result.failure, '')}" if result.failure else ""
        yield f"{head}ok{counted}{more}"


def _counted(result: FetchResult) -> str:
    if not result.value or result.value.get("resourceType") != "Bundle":
        return ""
    pages = f", {result.pages} pages" if result.pages > 1 else ""
    return f", {len(entries_of(result.value))} entries{pages}"
