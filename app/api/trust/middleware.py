"""Client trust around the CDS Hooks routes: discovery, calls and feedback.

A pure ASGI class in front of the routes, so that nothing of a body is read before the caller is trusted, and so that a
route that is added later below /cds-services is covered without anybody thinking of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.logs import logger
from app.api.responses import outcome_response
from app.api.trust.replay import ReplayStoreUnavailable
from app.api.trust.settings import TrustSettings
from app.api.trust.token import Untrusted, bearer
from app.outbound.addresses import is_loopback_name

if TYPE_CHECKING:
    from app.api.trust.verifier import Verifier  # imports joserfc, which only trust `required` needs

PROTECTED = "/cds-services"
_FEEDBACK = "/feedback"


class ClientTrust:
    """Lets trusted callers through to the CDS Hooks routes, and everybody to the other routes.

    A caller without a good token gets a bare 401, one from another machine in mode `loopback` a 403. The caller of a
    good token is in `request.state.caller`. `refused` is told the reason of each refusal (a fixed word).
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: TrustSettings,
        verifier: Verifier | None,
        refused: Callable[[str], None] | None = None,
    ) -> None:
        if settings.trust == "required" and verifier is None:
            raise ValueError("trust is required, and there is nothing to check tokens with")
        self.app = app
        self._mode = settings.trust
        self._base = (settings.public_base_url or "").rstrip("/")
        self._verifier = verifier
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection; anything but HTTP passes, because nothing but HTTP is served."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refusal = await self._refusal(scope)
        if refusal is None and is_protected(route_path(scope)):
            # What is under way for a trusted caller is not cut off to make room for a new connection.
            scope.setdefault("state", {})["admitted"] = True
        await (refusal or self.app)(scope, receive, send)

    async def _refusal(self, scope: Scope) -> Response | None:
        path = route_path(scope)
        if self._mode == "off" or not is_protected(path):
            return None
        try:
            if self._verifier is None or self._mode == "loopback":
                check_loopback(scope)
                return None
            compact = bearer(Headers(scope=scope).getlist("authorization"))
            caller = await self._verifier.verify(compact, endpoints=audiences(self._base, path, prefix_of(scope)))
        except Untrusted as untrusted:
            self._note(scope, untrusted.reason)
            if self._mode == "loopback":
                return outcome_response(403, "only callers on the same machine are trusted")
            return outcome_response(401, "a trusted client is needed", headers={"WWW-Authenticate": "Bearer"})
        except ReplayStoreUnavailable as unavailable:
            self._note(scope, f"replay-store-{unavailable.reason}")
            return outcome_response(503, "the service cannot check callers now", headers={"Retry-After": "5"})
        scope.setdefault("state", {})["caller"] = caller
        return None

    def _note(self, scope: Scope, reason: str) -> None:
        request_id = scope.get("state", {}).get("request_id")
        logger().warning("client refused", request_id=request_id, reason=reason)
        if self._refused is not None:
            self._refused(reason)


def is_protected(path: str) -> bool:
    """Whether a path belongs to the CDS Hooks routes."""
    return path == PROTECTED or path.startswith(PROTECTED + "/")


def route_path(scope: Scope) -> str:
    """The path that the router compares with its routes."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    below = path.removeprefix(root)
    return below if root and path.startswith(root) and below.startswith("/") else path


def prefix_of(scope: Scope) -> str:
    """The part of the path that chose profile and language, "" where none did."""
    return str(scope.get("state", {}).get("path_prefix", ""))


def audiences(base: str, path: str, prefix: str = "") -> tuple[str, ...]:
    """The URLs that `aud` may name for a path; for feedback also the service itself, as some clients do it."""
    url = base + prefix + path.removesuffix("/")
    return (url, url.removesuffix(_FEEDBACK)) if url.endswith(_FEEDBACK) else (url,)


def check_loopback(scope: Scope) -> None:
    """Raise Untrusted for a caller from another machine. No address at all is a Unix socket."""
    client = scope.get("client")
    if client is not None and not is_loopback_name(str(client[0])):
        raise Untrusted("not-loopback")
