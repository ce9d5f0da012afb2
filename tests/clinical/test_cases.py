"""Every clinical case, through the HTTP interface."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.clinical.cases import Case, all_cases, answer_to
from tests.clinical.expectations import unmet
from tests.conftest import Client


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{file}:{case['id']}") for file, case in all_cases()])
def test_case(osteon: Client, case: Case) -> None:
    failures = unmet(case["expect"], answer_to(osteon, case))
    assert not failures, f"{case['title']}: " + "; ".join(failures)


def test_case_ids_are_unique() -> None:
    counted = Counter(case["id"] for _, case in all_cases())
    assert [name for name, count in counted.items() if count > 1] == []
