"""A pipeline that answers every call with one constant card: the contract tests are about HTTP, not about medicine."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

from fastapi import FastAPI

from app.api.logs import configure
from app.cds_hooks.feedback import OVERRIDE_REASONS
from app.cds_hooks.request import HookRequest
from app.cds_hooks.response import (
    Action,
    ActionType,
    Card,
    Coding,
    HookAnswer,
    Indicator,
    Source,
    Suggestion,
)
from app.main import create_app
from tests.support.patience import wait_until


def constant_card(patient_id: str = "anna-berg") -> Card:
    """A complete card."""
    return Card(
        summary="Refer for DXA",
        indicator=Indicator.INFO,
        source=Source(
            "A guideline", "https://guideline.example.org", topic=Coding("dxa-referral", "urn:osteon:card-topic")
        ),
        detail="Prednisolone 10 mg/d since 2026-05-04.",
        suggestions=(
            Suggestion(
                "Order DXA",
                (
                    Action(
                        ActionType.CREATE,
                        "DXA of spine and hip",
                        {
                            "resourceType": "ServiceRequest",
                            "status": "draft",
                            "intent": "proposal",
                            "subject": {"reference": f"Patient/{patient_id}"},
                        },
                    ),
                ),
                is_recommended=True,
            ),
        ),
        override_reasons=OVERRIDE_REASONS,
        extension={
            "osteon.explanation": {
                "advice": "refer-dxa",
                "missing": ["t_score"],
                "notUsed": [{"resource": "Observation/o9", "reason": "entered-in-error"}],
            }
        },
    )


class FakePipeline:
    """Keeps what it was asked, so that a test can look at it.

    An answer waits until the file `release` exists. A call that begins to wait for it prints "working".
    """

    def __init__(self, *, release: Path | None = None) -> None:
        self.requests: list[HookRequest] = []
        self.days: list[date] = []
        self._release = release

    def answer(self, request: HookRequest, *, today: date) -> HookAnswer:
        """One constant card."""
        self.requests.append(request)
        self.days.append(today)
        if self._release:
            print("working", flush=True)
            wait_until(self._release.exists, lambda: "nobody released the call")
        return HookAnswer((constant_card(request.context.patient_id),), guideline_version="guidelines-1")


class BrokenPipeline:
    """A bug in our code, with patient data in the message of the exception."""

    def answer(self, request: HookRequest, *, today: date) -> HookAnswer:
        """Always fails."""
        raise RuntimeError(f"SECRET {request.context.patient_id}")


def passing() -> None:
    """A self-test that passes."""


def slow_service() -> FastAPI:
    """For a server process of the end-to-end tests: calls wait for the file TEST_RELEASE where it is given."""
    configure("info")
    release = os.environ.get("TEST_RELEASE")
    pipeline = FakePipeline(release=Path(release) if release else None)
    return create_app(pipeline=pipeline, self_test=passing, worker_processes=True)
