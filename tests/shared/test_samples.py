"""Patients that nobody here wrote: each is answered with 200 and valid cards, in every profile."""

from __future__ import annotations

import gzip
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest

from app.decoding.call import decode_call
from app.main import create_app
from app.pipeline import build_pipeline
from app.wire.bundle import Bundle
from app.wire.resources import Damaged
from tests.conftest import Client
from tests.support.patience import patient_settings

PROFILES = ("se", "intl", "dk", "cn")
FILES = (
    "dev/synthea2019",
    "dev/synthea2023_noobs",
    "dev/pysynthea2025_first20",
    "dev/clinosim_us_hip",
    "dev/clinosim_us_vertebral",
    "dev/clinosim_us_wrist",
    "dev/clinosim_us_copd",
    "dev/clinosim_us_pop",
    "dev/clinosim_jp_hip",
    "dev/clinosim_jp_vertebral",
    "examples/us-core.bundles",
    "examples/ips.bundles",
    "examples/dk-core.bundles",
    "examples/se-base.bundles",
    "examples/jp-municipal-checkup.bundles",
    "examples/cds4cpm.bundles",
)


@pytest.fixture(scope="module")
def osteon() -> Client:
    settings = patient_settings()
    return Client(create_app(pipeline=build_pipeline(settings), settings=settings))


@pytest.fixture(scope="module")
def converter(shared: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("to_hook", shared / "samples" / "to_hook.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def validator(shared: Path) -> jsonschema.Draft202012Validator:
    path = shared / "cds-hooks" / "schemas" / "cds-hooks-response.schema.json"
    return jsonschema.Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", FILES)
def test_every_patient_is_answered_with_valid_cards(
    name: str, shared: Path, osteon: Client, converter: ModuleType, validator: Any
) -> None:
    with gzip.open(shared / "samples" / f"{name}.ndjson.gz", "rt", encoding="utf-8") as lines:
        bundles = [json.loads(line) for line in lines]
    answered = 0
    for number, bundle in enumerate(bundles):
        request = hook_request(converter, bundle)
        if request is None:
            continue
        for profile in PROFILES:
            request["extension"] = {"osteon.configuration": {"profile": profile}}
            answer = osteon.call(request)
            assert answer.status_code == 200, (name, number, profile, answer.text[:300])
            errors = [error.message for error in validator.iter_errors(answer.json())]
            assert errors == [], (name, number, profile)
            answered += 1
    assert answered >= len(PROFILES)


def hook_request(converter: ModuleType, bundle: dict[str, Any]) -> dict[str, Any] | None:
    """The patient-view request of a Bundle; None where the Bundle holds no patient."""
    entries = [entry.get("resource", {}) for entry in bundle.get("entry", [])]
    if not any(resource.get("resourceType") == "Patient" for resource in entries):
        return None
    made: dict[str, Any] = converter.convert(bundle, meds="native")
    return made


def test_nearly_all_records_fit_their_types(shared: Path, converter: ModuleType) -> None:
    """Issue 14: at least 95 of 100 records take the typed way, without repair."""
    whole, lacking = 0, []
    for name in FILES[2:]:  # the first two are the largest, and of the generator of the third
        with gzip.open(shared / "samples" / f"{name}.ndjson.gz", "rt", encoding="utf-8") as lines:
            requests = [hook_request(converter, json.loads(line)) for line in lines]
        for request in filter(None, requests):
            call, _ = decode_call(json.dumps(request).encode())
            for value in (call.prefetch or {}).values():
                records = [entry.resource for entry in value.entry] if isinstance(value, Bundle) else [value]
                lacking += [record for record in records if record is None or isinstance(record, Damaged)]
                whole += len(records)
    print(f"{len(lacking)} of {whole} records of ../shared/samples need repair")
    assert len(lacking) <= whole * 0.05
