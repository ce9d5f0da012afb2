"""Writes docs/configuration.md from the settings classes.

    python -m app.docgen.settings > docs/configuration.md

Names, defaults and limits come from the classes; the meaning of a setting is here, one sentence each. A setting without
a sentence, or a sentence without a setting, is an error: the page cannot fall behind unnoticed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from app.api.http.settings import ConnectionSettings
from app.api.trust.settings import TrustSettings
from app.features.model import FeatureSettings
from app.outbound.settings import FhirClientSettings
from app.profiles import profile_ids
from app.settings import Settings

CLASSES: tuple[type[BaseSettings], ...] = (Settings, ConnectionSettings, TrustSettings, FhirClientSettings)
PREFIX = "OSTEON_"
MEBIBYTE = 1024 * 1024

# Heading -> setting -> meaning.
MEANINGS: dict[str, dict[str, str]] = {
    "What is advised, and how it is said": {
        "profile": "Which guidelines speak (README); a request can choose another.",
        "language": "Language of the cards; a request can choose another.",
        "language_fallbacks": "JSON object of languages that are not served and the one that answers instead: "
        '`{"nb": "da", "nn": "da", "no": "da"}`. It holds for `Accept-Language` and for the request.',
        "timezone": "Time zone of the IANA database that decides what day it is.",
        "disabled_recommendations": "Ids of recommendations that this hospital has switched off. Safety statements are "
        "switched off in the overlay alone, with the risk that the hospital accepts.",
        "local": "Folder with the overlay of this hospital (docs/local.md).",
        "local_codes": "Folder with the hospital's own codes: CSV files (system, code, concept, unit, strength_mg, "
        "note), FHIR ConceptMaps and ValueSets; read at start. `osteon codes report` lists the codes that need one.",
    },
    "What is asked for": {
        "prefetch": "JSON object of prefetch keys that this deployment adds, changes (a query) or removes (null). "
        '`{"observations": "Observation?patient={{context.patientId}}"}` publishes the search of all Observations.',
    },
    "Where the service stands": {
        "public_base_url": "The address that clients use, as they write it. `aud` of tokens is compared with it, never "
        "with the Host header; links in Bundles begin with it.",
        "cors_origins": "Origins of browser clients, as `scheme://host[:port]`; `*` is all. None: no CORS headers.",
    },
    "Limits": {
        "max_body_bytes": "Largest request body; a larger one gets 413.",
        "max_header_bytes": "Request line and headers together, and what follows a chunked body.",
        "header_timeout_seconds": "Seconds until the last header has come.",
        "write_timeout_seconds": "Seconds in all for which a client may leave answers unread before its connection is "
        "cut.",
        "max_connections": "Open connections of one process; 64 fewer than its open files (`ulimit -n`) at most. When "
        "it is reached, the connection that has waited longest without a trusted request is closed.",
        "max_connections_per_address": "The same for one IP address; three quarters of all at most. Behind a gateway "
        "all clients have its address.",
        "max_concurrent_requests": "Trusted calls and feedback under way in one process; further ones get 503 with "
        "`Retry-After`. Nothing else is counted.",
        "max_waiting_bytes": "Bytes of request bodies in memory in one process; a body that does not fit waits unread, "
        "up to the time limit. At least one body of the largest size always fits.",
        "max_large_charts": "Charts over 384 KiB or 1,500 records that are worked on at once, each in a process of its "
        "own; further ones wait their turn, up to the time limit, and work that is over it is ended.",
        "large_chart_bytes": "Bytes of memory that one of these may take beyond what the service has; where they do "
        "not suffice, the answer is 413.",
        "request_timeout_seconds": "Seconds for a whole call, the reading of its body included.",
        "shutdown_timeout_seconds": "Seconds that work under way has after SIGTERM.",
    },
    "Logs": {
        "log_level": "What is written at least.",
        "log": "One JSON object a line, or coloured lines for a person who develops.",
    },
    "Readings of the guidelines that a hospital can change": {
        "max_age_renal_months": "How old creatinine and GFR may be.",
        "max_age_calcium_months": "How old calcium may be.",
        "max_age_t_score_months": "How old bone density may be.",
        "max_age_weight_months": "How old weight may be.",
        "max_age_frax_months": "How old a FRAX result may be.",
        "max_age_vitamin_d_months": "How old 25-hydroxyvitamin D may be.",
        "max_age_laboratory_months": "How old other laboratory results may be.",
        "active_record_months": "How old a record may be and still say that a treatment runs.",
        "new_fracture_months": "How long ago a fracture may be and still count as new.",
        "postmenopausal_from_age": "Age in years from which a woman with nothing on record counts as postmenopausal.",
        "elderly_from_age": "Age in years that sources mean by elderly where they give none.",
        "orthogeriatric_from_age": "Age in years from which a hip fracture is orthogeriatric.",
        "zoledronate_lab_days": "How old in days the laboratory results before a zoledronate infusion may be.",
    },
    "Client trust": {
        "trust": "`loopback`: callers on the same machine, without tokens; others get 403. `required`: a signed token "
        "of a trusted client on discovery, calls and feedback. `off`: anybody; something in front authenticates.",
        "trusted_clients": "JSON array of clients: `iss`; `jku` (addresses of key sets) or `keys_file` (path of one); "
        "`tenants` (null: any); `audiences` (further values of `aud`); `defaults`, an array of objects with `tenant` "
        "(none: all), `profile`, `language`, `timezone`, `disabled_recommendations` (no safety statements).",
        "trusted_clients_file": "The same in a file; both together are allowed.",
        "trust_algorithms": "Signature algorithms; only asymmetric ones can be chosen.",
        "trust_leeway": "Seconds by which clocks may differ.",
        "trust_max_lifetime": "Longest life of a token in seconds (`exp` - `iat`).",
        "replay_store": "Where used tokens are remembered: `memory` (one process) or a redis:// or rediss:// URL, "
        "which replicas share. Secret: never logged.",
        "replay_unavailable": "When Redis cannot be asked or is full: `refuse` callers (503) or `accept` them. Needed "
        "with Redis.",
        "replay_timeout": "Seconds for a question to Redis.",
        "replay_max_entries": "Used tokens that `memory` holds; when it is full of tokens that still live, callers are "
        "treated as `replay_unavailable` says.",
        "jwks_timeout": "Seconds for fetching a key set.",
        "jwks_max_age": "Seconds after which a key set is fetched again.",
        "jwks_max_stale": "Seconds that an old key set is used while it cannot be fetched.",
        "jwks_refetch": "Seconds between two fetches for an unknown `kid`.",
        "jwks_networks": "Private networks, as CIDR, that the hosts of `jku` may resolve to.",
        "jwks_ca_file": "PEM file of certificate authorities for key sets, in place of the public ones.",
    },
    "FHIR servers that may be asked for missing data": {
        "fhir_servers": "Base URLs of `fhirServer` that may be called. None: no other host is called.",
        "fhir_networks": "Private networks, as CIDR, that the names of those servers may resolve to.",
        "fhir_ca_file": "PEM file of certificate authorities for those servers, in place of the public ones.",
        "fhir_deadline": "Seconds for everything that is fetched for one call.",
        "fhir_max_bytes": "Largest answer of a server; for one call four times as much.",
        "fhir_max_pages": "Pages of one query.",
        "fhir_page_size": "Entries of a page that are asked for (`_count`).",
        "fhir_rewrite": "Pairs `written=reached` for servers behind a proxy that write their inner address into `next` "
        "links; `reached` must be below a listed server.",
    },
}

_HEAD = """\
# Configuration

Generated by `python -m app.docgen.settings` from the settings classes; do not edit.

Environment variables, read once at the start. None is needed: with no setting at all the service listens on loopback,
trusts callers of the same machine, allows no CORS origin and calls no other host. Lists are comma-separated, except
where JSON is said. A value that cannot be right stops the start with exit status 2 and the name of the variable.
"""


class OutOfStep(Exception):
    """A setting has no meaning here, or a meaning has no setting; the message names them."""


def setting_names() -> frozenset[str]:
    """The names of all settings, without prefix, in lower case."""
    return frozenset(name for settings in CLASSES for name in settings.model_fields)


def page() -> str:
    """The page. Raises OutOfStep."""
    meant = [name for section in MEANINGS.values() for name in section]
    if wrong := setting_names().symmetric_difference(meant):
        raise OutOfStep(f"settings and meanings differ: {', '.join(sorted(wrong))}")
    found: dict[str, FieldInfo] = {}
    for settings in CLASSES:  # public_base_url stands in two classes; the first is the one of the service itself
        found = settings.model_fields | found
    lines = [_HEAD]
    for title, section in MEANINGS.items():
        lines += [f"## {title}\n", "| variable | default | allowed | meaning |", "|---|---|---|---|"]
        lines += [_row(name, found[name], meaning) for name, meaning in section.items()]
        lines.append("")
    return "\n".join(lines)


def _row(name: str, field: FieldInfo, meaning: str) -> str:
    cells = (f"`{PREFIX}{name.upper()}`", _default(name, field.default), _allowed(name), meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(name: str, value: Any) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None:
        value = _default_of_features(name)
    if value is None or value == ():
        return "none"
    if isinstance(value, tuple):
        return f"`{','.join(value)}`"
    if isinstance(value, int) and value >= MEBIBYTE and value % MEBIBYTE == 0:
        return f"`{value}` ({value // MEBIBYTE} MiB)"
    return f"`{value}`"


def _default_of_features(name: str) -> Any:
    """The default reading, which the features define."""
    defaults = FeatureSettings()
    if name.startswith("max_age_"):
        return defaults.max_age_months[name.removeprefix("max_age_").removesuffix("_months")]
    return getattr(defaults, name) if name in {field.name for field in fields(FeatureSettings)} else None


def _allowed(name: str) -> str:
    """What the classes allow, from their JSON Schema: words, or the limits of a number; profiles from their file."""
    if name == "profile":
        return ", ".join(f"`{profile}`" for profile in profile_ids())
    for settings in CLASSES:
        if name in settings.model_fields:
            schema = settings.model_json_schema()
            return ", ".join(_limits(schema["properties"][name], schema.get("$defs", {})))
    raise OutOfStep(name)


def _limits(schema: dict[str, Any], definitions: dict[str, Any]) -> Iterator[str]:
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    for part in schema.get("anyOf", ()):
        yield from _limits(part, definitions)
    kind = schema.get("type")
    if "enum" in schema:
        yield ", ".join(f"`{word}`" for word in schema["enum"])
    elif kind == "array" and "$ref" in schema.get("items", {}):
        yield "JSON"
    elif kind == "array":
        words = schema.get("items", {}).get("enum")
        yield "list of " + ", ".join(f"`{word}`" for word in words) if words else "list"
    elif kind in ("integer", "number"):
        yield "whole number" if kind == "integer" else "number"
        signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
        yield from (f"{sign} {json.dumps(schema[word])}" for word, sign in signs.items() if word in schema)
    elif kind == "string":
        yield "path" if schema.get("format") == "path" else "text"


def main() -> int:
    """Write the page to standard output."""
    sys.stdout.write(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
