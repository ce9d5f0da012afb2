"""The routes of the guideline browser. Its pages hold no patient data and are open to everybody, like /fhir."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.api.openapi import descriptions
from app.api.ports import Pages
from app.api.responses import outcome_response


def router(pages: Pages) -> APIRouter:
    """The routes below /guidelines."""
    routes = APIRouter(tags=["Page"], prefix="/guidelines")
    headers = {"Content-Security-Policy": pages.policy, "Referrer-Policy": "no-referrer"}

    def shown(page: str | None) -> Response:
        if page is None:
            return outcome_response(404, "there is no such guideline or statement")
        return HTMLResponse(page, headers=headers)

    # In threads: the first page loads the templates and the cases, which takes a second.
    @routes.get("", **descriptions.GUIDELINES)
    async def get_guidelines(request: Request) -> Response:
        wanted = {name: request.query_params.get(key, "") for name, key in _FILTERS}
        return shown(await run_in_threadpool(lambda: pages.overview(base=_base(request), **wanted)))

    @routes.get("/changes", **descriptions.GUIDELINE_CHANGES)
    async def get_guideline_changes(request: Request) -> Response:
        return shown(await run_in_threadpool(lambda: pages.changes(base=_base(request))))

    @routes.get("/{source}", **descriptions.GUIDELINE)
    async def get_guideline(source: str, request: Request) -> Response:
        return shown(await run_in_threadpool(lambda: pages.source(source, base=_base(request))))

    @routes.get("/{source}/{statement}", **descriptions.STATEMENT)
    async def get_statement(source: str, statement: str, request: Request) -> Response:
        return shown(await run_in_threadpool(lambda: pages.statement(source, statement, base=_base(request))))

    return routes


_FILTERS = (("query", "q"), ("source", "source"), ("use", "use"))


def _base(request: Request) -> str:
    return str(request.scope.get("root_path", ""))
