"""The requests that commands answer: what a body asks, and of which knowledge."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.advice.reconcile import Advisor
from app.cds_hooks.configuration import EXTENSION_NAME, Configuration
from app.cds_hooks.hooks import SERVICES_BY_HOOK
from app.cds_hooks.request import HookRequest, read_request
from app.decoding.call import decode_call
from app.engine.linker import load_knowledge
from app.engine.loader import ADVICE
from app.pipeline import OsteonPipeline, build_pipeline
from app.settings import Settings

SHIPPED = "shipped"


def pipeline_of(name: str, settings: Settings) -> OsteonPipeline:
    """The pipeline of `shipped`, an overlay or a folder of guideline files. Raises FilesError or ValueError."""
    base = build_pipeline(settings.model_copy(update={"local": None}))
    if name == SHIPPED:
        return base
    folder = Path(name).resolve()
    if not folder.is_dir():
        raise ValueError(f"{name} is neither a folder nor '{SHIPPED}'")
    guidelines = (folder / ADVICE).is_dir()
    knowledge = load_knowledge(folder) if guidelines else load_knowledge(local=folder)
    switched = knowledge.local.switched.union(settings.disabled_recommendations)
    return replace(base, knowledge=knowledge, advisor=Advisor(knowledge, switched))


def default_of(side: OsteonPipeline) -> Configuration:
    """What holds for requests that choose nothing, with the profiles of this knowledge."""
    return replace(side.settings.default_configuration(), profiles=tuple(side.knowledge.profiles))


def request_of(body: Any, default: Configuration, profile: str | None = None) -> HookRequest:
    """The call that a body makes, in a profile instead of its own where one is given.

    Raises ValueError or CallError, as the service would refuse it.
    """
    hook = body.get("hook") if isinstance(body, dict) else None
    service = SERVICES_BY_HOOK.get(hook) if isinstance(hook, str) else None
    if service is None:
        raise ValueError(f"no service for hook {hook!r}")
    if profile:
        extension = body.get("extension") or {}
        configuration = {**(extension.get(EXTENSION_NAME) or {}), "profile": profile}
        body = {**body, "extension": {**extension, EXTENSION_NAME: configuration}}
    request = read_request(decode_call(json.dumps(body).encode()), service, default=default)
    request.records.require()
    return request
