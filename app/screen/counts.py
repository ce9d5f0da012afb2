"""The counts of a run: what `run.json`, the summary page and the MeasureReport show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

from app.screen.indicators import INDICATORS, NO, UNKNOWN, YES

SUPPRESSED_BELOW = 5
"""A cell of fewer patients is not shown: it could point at one of them."""
_ORDER = {"critical": 0, "warning": 1, "info": 2}


@dataclass
class Counts:
    """Patients by what they have in common; each patient counts once in a cell."""

    statuses: Counter[str] = field(default_factory=Counter)
    advice: Counter[str] = field(default_factory=Counter)
    urgency: Counter[str] = field(default_factory=Counter)
    age_bands: Counter[str] = field(default_factory=Counter)
    sexes: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    set_aside: Counter[str] = field(default_factory=Counter)  # records, not patients
    incomplete: Counter[str] = field(default_factory=Counter)
    indicators: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in INDICATORS})

    def of_patients(self, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The rows of patients, each counted as it passes."""
        for row in rows:
            self.statuses[row["status"]] += 1
            if row["advice"]:
                self.age_bands[row["age_band"]] += 1
                self.sexes[row["sex"]] += 1
            self.set_aside.update(row["set_aside"])
            self.incomplete.update(row["incomplete_lists"])
            for name, answer in row["indicators"].items():
                self.indicators[name][answer] += 1
            yield row

    def of_worklist(self, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The rows of the worklist, which stand patient by patient, each counted as it passes."""
        for _, work in groupby(rows, key=itemgetter("patient")):
            of_patient = list(work)
            self.advice.update(row["advice"] for row in of_patient)
            self.urgency[min((row["indicator"] for row in of_patient), key=_ORDER.__getitem__)] += 1
            self.missing.update({name for row in of_patient for name in row["missing"]})
            yield from of_patient

    def tables(self) -> dict[str, dict[str, int | None]]:
        """All tables, small cells as None, the largest first."""
        found = {key: value for key, value in vars(self).items() if isinstance(value, Counter)}
        return {key: shown(value) for key, value in found.items()}

    def measures(self) -> dict[str, dict[str, int | None]]:
        """The indicators: how many count, and of these yes, no and unknown."""
        return {
            name: {key: hidden(counter[key]) for key in (YES, NO, UNKNOWN)} for name, counter in self.indicators.items()
        }


def shown(counter: Counter[str]) -> dict[str, int | None]:
    """A table, the largest first; small cells as None."""
    return {key: hidden(count) for key, count in sorted(counter.items(), key=lambda item: (-item[1], item[0]))}


def hidden(count: int) -> int | None:
    """A count that can be shown: 0, or at least the limit."""
    return None if 0 < count < SUPPRESSED_BELOW else count
