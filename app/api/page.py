"""The page for people who open the service's address in a browser."""

from __future__ import annotations

from html import escape

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.api.openapi import descriptions
from app.cds_hooks.hooks import SERVICES

_TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Osteon</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #1c2a33; }}
code {{ background: #eef2f4; padding: 0 .25rem; }}
dt {{ font-weight: 600; margin-top: .75rem; }}
dd {{ margin: 0; }}
.notice {{ border-left: .25rem solid #b3541e; padding: .25rem 1rem; background: #fdf4ec; }}
</style>
</head>
<body>
<h1>Osteon</h1>
<p>Decision support for osteoporosis over CDS Hooks: who needs a DXA, who needs treatment, and when to change it.</p>
<p class="notice">No clinician has reviewed this version yet. It is not a medical device and must not decide about the
care of patients.</p>
<h2>Services</h2>
<dl>{services}</dl>
<h2>Addresses</h2>
<ul>
<li><a href="{base}/cds-services">/cds-services</a>: discovery</li>
<li><a href="{base}/docs">/docs</a>: the interface, to read and to try</li>
<li><a href="{base}/openapi.json">/openapi.json</a>: the same for programs</li>
<li><a href="{base}/fhir/metadata">/fhir/metadata</a>: what the service knows, as FHIR</li>
<li><a href="{base}/health/ready">/health/ready</a> and <a href="{base}/metrics">/metrics</a>: for operations</li>
</ul>
<p>Version {version}</p>
</body>
</html>
"""

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


def router(*, version: str) -> APIRouter:
    """The route of the page."""
    routes = APIRouter(tags=["Page"])

    @routes.get("/", **descriptions.PAGE)
    async def get_page(request: Request) -> Response:
        return HTMLResponse(_page(request.scope.get("root_path", ""), version), headers=_HEADERS)

    return routes


def _page(base: str, version: str) -> str:
    services = "\n".join(
        f"<dt>{escape(service.title)}</dt><dd>{escape(service.description)}<br><code>{escape(service.id)}</code></dd>"
        for service in SERVICES
    )
    return _TEMPLATE.format(services=services, base=escape(base, quote=True), version=escape(version))
