"""The requests that commands answer: what a body asks of which knowledge, and the clinical cases that ship."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from app.advice.reconcile import Advisor
from app.browser.cases import NO_CASES
from app.cases.builder import Builder
from app.cds_hooks.configuration import Configuration
from app.cds_hooks.hooks import SERVICES
from app.cds_hooks.request import HookRequest, read_request
from app.data_files import data_path
from app.decoding.call import decode_call
from app.engine.linker import load_knowledge
from app.engine.loader import ADVICE
from app.pipeline import OsteonPipeline, build_pipeline
from app.settings import Settings
from app.vocabulary import Language

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


def request_of(body: dict[str, Any], side: OsteonPipeline, profile: str, *, forced: bool) -> HookRequest:
    """The call that a body makes. Raises ValueError or CallError, as the service would refuse it."""
    service = next((one for one in SERVICES if one.hook == body.get("hook")), None)
    if service is None:
        raise ValueError("no service for this hook")
    if forced:
        extension = body.get("extension") or {}
        configuration = {**(extension.get("osteon.configuration") or {}), "profile": profile}
        body = {**body, "extension": {**extension, "osteon.configuration": configuration}}
    default = Configuration(profile, Language.EN, profiles=tuple(side.knowledge.profiles))
    request = read_request(decode_call(json.dumps(body).encode()), service, default=default)
    request.records.require()
    return request


def shipped_cases(today: date) -> list[tuple[str, dict[str, Any]]]:
    """The requests of the clinical cases, by file and id. Raises ValueError where the installation has none."""
    try:
        folder = data_path("tests", "clinical")
    except FileNotFoundError:
        raise ValueError("--cases: this installation has no clinical cases") from None
    made = []
    for path in sorted(folder.glob("*/*.yaml")):
        if path.parent.name in NO_CASES:
            continue
        for case in yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) or []:
            made.append((f"{path.parent.name}/{path.stem}: {case['id']}", Builder(case, today).request()))
    return made
