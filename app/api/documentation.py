"""/docs: the interface to read and to try, without anything from the internet.

The files of Swagger UI come from the package fastapi-offline. They are held in memory, so that a client that does not
read them holds no file open.
"""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import re
from functools import cache
from importlib.resources import files

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.api.responses import outcome_response

STATIC = "/static-offline-docs"
FILES = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png")

_INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def add_documentation(app: FastAPI) -> None:
    """Add /docs and its files to an app."""

    @app.get("/docs", include_in_schema=False)
    async def get_documentation(request: Request) -> Response:
        root = request.scope.get("root_path", "")
        page = get_swagger_ui_html(
            openapi_url=f"{root}{app.openapi_url}",
            title=f"{app.title} - Swagger UI",
            swagger_js_url=f"{root}{STATIC}/{FILES[0]}",
            swagger_css_url=f"{root}{STATIC}/{FILES[1]}",
            swagger_favicon_url=f"{root}{STATIC}/{FILES[2]}",
        )
        return HTMLResponse(page.body, headers={"Content-Security-Policy": _policy(bytes(page.body))})

    @app.get(STATIC + "/{name}", include_in_schema=False)
    async def get_file(name: str) -> Response:
        if name not in FILES:
            return outcome_response(404, "there is no such file")
        return Response(_file(name), media_type=mimetypes.guess_type(name)[0])


@cache
def _file(name: str) -> bytes:
    return files("fastapi_offline").joinpath("static", name).read_bytes()


def _policy(page: bytes) -> str:
    """Own files and the page's own script; nothing else is loaded, and no other site may frame it."""
    digests = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'"
        for script in _INLINE_SCRIPT.findall(page)
    )
    return (
        f"default-src 'none'; script-src 'self' {digests}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
