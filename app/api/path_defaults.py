"""Defaults by path: `{base}/{profile}/{language}/cds-services`, either part left out (contract, section 3).

The part of the path before the services becomes the root of the application for this request, as it would behind a
proxy that adds it: routes, trust and the page need not know of it. What it asks for is in `request.state`.
"""

from __future__ import annotations

from collections.abc import Collection

from starlette.types import ASGIApp, Receive, Scope, Send

from app.cds_hooks.configuration import Preferences
from app.vocabulary import Language

SERVICES = "cds-services"
_LANGUAGES = frozenset(Language)


class PathDefaults:
    """Takes profile and language off the path of the CDS Hooks routes. `profiles`: those that can be chosen."""

    def __init__(self, app: ASGIApp, profiles: Collection[str]) -> None:
        self.app = app
        self._profiles = frozenset(profiles)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection; other paths pass as they are."""
        if scope["type"] == "http" and f"/{SERVICES}" in scope["path"]:
            path, root = str(scope["path"]), str(scope.get("root_path", ""))
            below = path.removeprefix(root) if root and path.startswith(root + "/") else path
            prefix, preferences = preferences_of(below, self._profiles)
            if prefix:
                scope["root_path"] = path.removesuffix(below) + prefix
                scope.setdefault("state", {}).update(path_prefix=prefix, path_preferences=preferences)
        await self.app(scope, receive, send)


def preferences_of(path: str, profiles: Collection[str]) -> tuple[str, Preferences]:
    """The part of a path before the services that chooses profile, language or both, and what it chooses."""
    segments = path.split("/")[1:]
    if SERVICES not in segments[:3]:
        return "", Preferences()
    chosen = segments[: segments.index(SERVICES)]
    profile = chosen[0] if chosen and chosen[0] in profiles else None
    rest = chosen[1:] if profile else chosen
    language = Language(rest[0]) if rest and rest[0] in _LANGUAGES else None
    if not chosen or len(rest) > (language is not None):
        return "", Preferences()
    return "/" + "/".join(chosen), Preferences(profile=profile, language=language)
