"""Mutants of what cards order: doses, intervals, routes, units, codes, and the dose in words in each language."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.engine.loader import Loaded
from tests.mutation.mutant import Edit, Mutant, Path

OTHER_UNIT = {"mg": "g", "ug": "mg", "[iU]": "mg", "g": "mg"}
OTHER_PERIOD = {"d": "wk", "wk": "d", "mo": "wk", "a": "mo"}
OTHER_ROUTE = {"oral": "intravenous", "intravenous": "oral", "subcutaneous": "oral"}
_UNIT_WORD = re.compile(r"\b(mg|µg|μg|mcg|IE|IU|g)\b|毫克|微克|国际单位")
_PERIOD_WORD = re.compile(r"\{period\}")


def drug_mutants(loaded: Loaded) -> Iterator[Mutant]:
    """Every mutant of what is ordered."""
    for file in loaded.drugs:
        suggested = file.raw.get("suggested")
        if not suggested:
            continue
        drug = file.content.id
        for index, coding in enumerate(suggested["codes"]):
            path: Path = ("suggested", "codes", index, "code")
            yield Mutant(
                "drug code",
                drug,
                f"{coding['code']} as {coding['code']}1",
                (Edit(file.name, path, coding["code"] + "1"),),
            )
        for source, order in (suggested.get("orders") or {}).items():
            here, place = ("suggested", "orders", source), f"{drug} {source}"
            for key, factor in (("dose", 10), ("dose_high", 10), ("period", 2), ("frequency", 2)):
                if key in order:
                    new = order[key] * factor
                    edit = Edit(file.name, (*here, key), new)
                    yield Mutant(
                        "dose" if "dose" in key else "interval", place, f"{key} {order[key]} to {new}", (edit,)
                    )
            if "dose" in order:
                edit = Edit(file.name, (*here, "dose"), order["dose"] / 10)
                yield Mutant("dose", place, f"dose {order['dose']} to a tenth", (edit,))
            for key, others, kind in (
                ("unit", OTHER_UNIT, "dose unit"),
                ("period_unit", OTHER_PERIOD, "interval"),
                ("route", OTHER_ROUTE, "route"),
            ):
                edit = Edit(file.name, (*here, key), others[order[key]])
                yield Mutant(kind, place, f"{key} {order[key]} as {others[order[key]]}", (edit,))
            yield from _texts(loaded, drug, source)


def _texts(loaded: Loaded, drug: str, source: str) -> Iterator[Mutant]:
    for language, locale in loaded.locales.items():
        text = locale.raw["drugs"][drug]["orders"][source]["text"]
        path: Path = ("drugs", drug, "orders", source, "text")
        place = f"{drug} {source} in {language}"
        found = _UNIT_WORD.search(text)
        if found:
            other = {"mg": "g", "毫克": "克"}.get(found.group(), "mg")
            new = text[: found.start()] + other + text[found.end() :]
            yield Mutant("dose text", place, f"{found.group()} as {other}", (Edit(locale.name, path, new),))
        if _PERIOD_WORD.search(text):
            new = text.replace("{period}", "2")
            yield Mutant("dose text", place, "{period} as 2", (Edit(locale.name, path, new),))
        yield Mutant("dose text", place, "{dose} as 1", (Edit(locale.name, path, text.replace("{dose}", "1")),))
        for match in re.finditer(r"\d+", text):
            new = text[: match.start()] + match.group() + "0" + text[match.end() :]
            yield Mutant("dose text", place, f"{match.group()} with a zero", (Edit(locale.name, path, new),))
