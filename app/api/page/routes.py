"""The routes of the page: its HTML, its files, and what it offers to choose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from html import escape

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.api.openapi import descriptions
from app.api.page.files import file_response, static_files, template
from app.api.page.samples import SAMPLES, sample_request
from app.api.responses import json_response, outcome_response
from app.api.trust.settings import TrustSettings
from app.cds_hooks.hooks import SERVICES
from app.settings import Settings
from app.vocabulary import Language

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Own files and the own service alone: no inline script or style, no eval, no other host."""

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
_SERVICES, _VERSION = "<!--services-->", "<!--version-->"
"""The places in the HTML that are filled in."""


def router(
    *,
    version: str,
    settings: Settings,
    trust: TrustSettings,
    profiles: Sequence[str],
    today: Callable[[], date],
) -> APIRouter:
    """The page. `profiles`: those that can be chosen; `today`: the day that the shipped patients are moved to."""
    routes = APIRouter(tags=["Page"])
    options = {
        "version": version,
        "trust": trust.trust,
        "default": {"profile": settings.profile, "language": settings.language},
        "profiles": list(profiles),
        "languages": [language.value for language in Language],
        "services": [{"id": one.id, "hook": one.hook, "title": one.title} for one in SERVICES],
        "samples": [{"name": one.name, "title": one.title} for one in SAMPLES],
        "maxBodyBytes": settings.max_body_bytes,
    }

    @routes.get("/", **descriptions.PAGE)
    async def get_page() -> Response:
        return HTMLResponse(_page(version), headers=_HEADERS)

    # What follows is the page's own and no interface for others: it is not in the OpenAPI document.
    @routes.get("/assets/{name}", include_in_schema=False)
    async def get_asset(name: str, request: Request) -> Response:
        file = static_files().get(name)
        if file is None:
            return outcome_response(404, "there is no such file")
        return file_response(file, request.headers.get("if-none-match"))

    @routes.get("/page/options", include_in_schema=False)
    async def get_options() -> Response:
        return _not_kept(json_response({**options, "today": today().isoformat()}))

    @routes.get("/page/samples/{name}", include_in_schema=False)
    async def get_sample(name: str) -> Response:
        try:
            return _not_kept(json_response(sample_request(name, today())))
        except KeyError:
            return outcome_response(404, "there is no such sample")

    return routes


def _not_kept(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


def _page(version: str) -> str:
    services = "\n".join(
        f"<dt>{escape(one.title)}</dt><dd>{escape(one.description)}<br><code>{escape(one.id)}</code></dd>"
        for one in SERVICES
    )
    return template().replace(_SERVICES, services).replace(_VERSION, escape(version))
