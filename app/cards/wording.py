"""Words of cards: values, dates and names as a clinician reads them, escaped for Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from app.engine.knowledge import Knowledge
from app.engine.language import Texts
from app.features.model import Evidence

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~!])")
_ANNOTATION = re.compile(r"\{[^}]*\}")
"""What UCUM writes in braces ("{count}") means nothing to a reader."""
_LIMIT = 120
"""Longest stretch of text from a record that a card repeats."""


def escaped(text: str) -> str:
    """Text from a record, harmless in Markdown and bounded in length."""
    flat = " ".join(text.split())
    shown = flat if len(flat) <= _LIMIT else flat[: _LIMIT - 1] + "…"
    return _MARKDOWN.sub(r"\\\1", shown)


def in_language(texts: Mapping[str, str] | Texts, language: str) -> str:
    """A text in the language, else in English; empty where there is none."""
    mapping: Mapping[str, str] = texts  # type: ignore[assignment]
    return mapping.get(language) or mapping.get("en", "")


def number(value: Decimal) -> str:
    """A number as a person writes it: no exponent, no trailing zeros that computing added, two decimals at most."""
    rounded = value.quantize(Decimal("0.01")) if -value.as_tuple().exponent > 2 else value  # type: ignore[operator]
    text = format(rounded, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


class Wording:
    """Looks up and composes words in one language."""

    def __init__(self, knowledge: Knowledge, language: str) -> None:
        self._knowledge = knowledge
        self.language = language

    def text(self, key: str, **values: str) -> str:
        """A text of guidelines/advice/texts.yaml with its placeholders filled."""
        return self._knowledge.text(key, self.language).format(**values)

    def name(self, datum: str) -> str:
        """The name of a feature or datum; its own name in words where the texts have none."""
        key = f"name.{datum}"
        if key in self._knowledge.texts:
            return self._knowledge.text(key, self.language)
        return datum.replace(".", ": ").replace("_", " ")

    def value(self, evidence: Evidence) -> str:
        """A value with its unit; nothing for a fact that is only there."""
        match evidence.value:
            case None | True:
                return ""
            case False:
                return self.text("no")
            case Decimal() as quantity:
                unit = _ANNOTATION.sub("", evidence.unit or "")
                return f"{number(quantity)} {unit}".strip() if unit != "%" else f"{number(quantity)} %"
            case str() as word:
                return escaped(word.replace("_", " "))

    def fact(self, evidence: Evidence) -> str:
        """One fact on one line: name, value, date, note."""
        value = self.value(evidence)
        line = self.name(evidence.feature) + (f": {value}" if value else "")
        extra = [str(evidence.date)] if evidence.date else []
        if evidence.note:
            extra.append(escaped(evidence.note))
        return f"{line} ({'; '.join(extra)})" if extra else line

    def listed(self, names: Iterable[str]) -> str:
        """Names of data as a list in a sentence."""
        return ", ".join(dict.fromkeys(self.name(name) for name in names))
