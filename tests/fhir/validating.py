"""The three validators behind one shape: resources in, a list of problems for each out.

No validator finds everything (tests/fhir/test_planted_errors.py shows what each one finds), so all are asked.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import fhirkit
import pytest

from tests.fhir.build_validators import COMMAND, DEFINITIONS_FOLDER, FHIRPATH_PYTHON, GOOGLE_PYTHON, WANTED

Resource = dict[str, Any]
Problems = list[list[str]]
Validator = Callable[[Sequence[Resource]], Problems]
HERE = Path(__file__).parent / "validators"

CANNOT_EVALUATE = {"rng-2: TypeError", "bdl-10: Exception"}
"""What fhirpathpy cannot do: compare quantities (test_suggested_orders.py checks rng-2 itself), and hasValue()."""


def with_fhirkit(resources: Sequence[Resource]) -> Problems:
    return [[str(issue) for issue in fhirkit.validate(json.dumps(resource))] for resource in resources]


def with_google_fhir(resources: Sequence[Resource]) -> Problems:
    return _run([GOOGLE_PYTHON, HERE / "google_fhir.py"], resources)


def with_invariants(resources: Sequence[Resource]) -> Problems:
    answers = _run([FHIRPATH_PYTHON, HERE / "invariants.py", DEFINITIONS_FOLDER], resources)
    unexpected = {name for answer in answers for name in answer["not_evaluated"]} - CANNOT_EVALUATE
    assert not unexpected, f"invariants that were not evaluated: {unexpected}"
    return [answer["failed"] for answer in answers]


def _run(command: Sequence[Path], resources: Sequence[Resource]) -> Any:
    """One line in and one line out per resource; a validator that breaks down fails the test with what it said."""
    lines = "".join(json.dumps(resource) + "\n" for resource in resources)
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(resources), done.stderr[-2000:]
    return answers


def _built(*paths: Path) -> pytest.MarkDecorator:
    missing = [path for path in paths if not path.exists()]
    return pytest.mark.skipif(bool(missing), reason=f"FHIR VALIDATOR NOT BUILT, run: {COMMAND}")


VALIDATORS = [
    pytest.param(with_fhirkit, id="fhirkit"),
    pytest.param(with_google_fhir, id="google-fhir", marks=_built(GOOGLE_PYTHON.parents[1] / "complete")),
    pytest.param(
        with_invariants,
        id="r4-invariants",
        marks=_built(FHIRPATH_PYTHON.parents[1] / "complete", *(DEFINITIONS_FOLDER / name for name in WANTED)),
    ),
]
