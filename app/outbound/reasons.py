"""Why a query to a FHIR server failed: fixed words for the log, the metric and the 412 (docs/operations.md)."""

from __future__ import annotations

NOT_LISTED = "not-listed"
REQUIRED = "required"

REASONS: dict[str, str] = {
    NOT_LISTED: "the server, or the address of a further page, is not below one of OSTEON_FHIR_SERVERS",
    "not-allowed": "the name resolves to an address that may not be called (OSTEON_FHIR_NETWORKS)",
    "not-permitted": "the scopes of the token, or its patient, do not cover the query",
    "token": "the token is expired or no bearer token",
    "unauthorized": "401: the server does not accept the token, or wants one",
    "forbidden": "403: the server accepts the token, and not this query",
    REQUIRED: "the server wants a further search parameter, and none that is known helped",
    "refused-query": "400 or 422: the server does not understand the search",
    "not-found": "404 or 410",
    "busy": "429 or 503",
    "status": "another status that is no success",
    "redirect": "the server answers from another address, which is not followed",
    "not-fhir": "the answer is no FHIR JSON, or another resource than the one asked for",
    "timeout": "no answer within OSTEON_FHIR_DEADLINE",
    "unreachable": "no connection",
    "tls": "the certificate is not trusted (OSTEON_FHIR_CA_FILE)",
    "broken": "the connection broke, or the answer is no HTTP",
    "too-large": "more than OSTEON_FHIR_MAX_BYTES",
    "too-many-pages": "more than OSTEON_FHIR_MAX_PAGES, or pages in a circle",
}
