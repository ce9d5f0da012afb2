"""The catalogue of features: what names exist, what they mean, and the function that computes each.

A domain module registers its functions with `@feature` or, for a group of names with arguments such as
`takes.denosumab`, with `@family`. `Catalogue.spec` answers for every name that a guideline may write.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from app.features.model import Feature, Features, FeatureSpec, Kind

Compute = Callable[[Features], Feature]
F = TypeVar("F", bound=Callable[..., Feature])


@dataclass(frozen=True, slots=True)
class Definition:
    """A feature: its specification and its function."""

    spec: FeatureSpec
    compute: Compute


class UnknownFeature(LookupError):
    """No feature has this name; `close` are the names that the writer may have meant."""

    def __init__(self, name: str, close: tuple[str, ...]) -> None:
        hint = f" (did you mean {', '.join(close)}?)" if close else ""
        super().__init__(f"unknown feature {name!r}{hint}")
        self.name = name
        self.close = close


class Argument(Protocol):
    """One argument of a family: which texts it accepts, and how the documentation describes it."""

    @property
    def label(self) -> str:
        """How the argument is written in the name of the family, `<class>`."""

    @property
    def choices(self) -> tuple[str, ...]:
        """All values where they are a closed list, else empty."""

    def accepts(self, text: str, catalogue: Catalogue, /) -> bool:
        """Whether the text is a value of this argument."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """An argument out of a closed list, or a list of the guideline files that is read when it is first needed."""

    label: str
    listed: tuple[str, ...] | Callable[[], tuple[str, ...]]

    @property
    def choices(self) -> tuple[str, ...]:
        """The list."""
        return self.listed() if callable(self.listed) else self.listed

    def accepts(self, text: str, _: Catalogue, /) -> bool:
        """Whether the text is in the list."""
        return text in self.choices


@dataclass(frozen=True, slots=True)
class WholeNumber:
    """An argument that is a positive whole number: the limit of a question such as `dxa_in_last_months.24`."""

    label: str
    choices: tuple[str, ...] = ()

    def accepts(self, text: str, _: Catalogue, /) -> bool:
        """Whether the text is a positive whole number without leading zero."""
        return re.fullmatch(r"[1-9][0-9]{0,3}", text) is not None


@dataclass(frozen=True, slots=True)
class FeatureName:
    """An argument that is the name of another feature, which can itself have arguments."""

    label: str = "feature"
    choices: tuple[str, ...] = ()

    def accepts(self, text: str, catalogue: Catalogue, /) -> bool:
        """Whether a feature of this name exists."""
        return catalogue.has(text)


@dataclass(frozen=True, slots=True)
class Family:
    """A group of features that differ by one or two arguments."""

    name: str
    arguments: tuple[Argument, ...]
    kind: Kind
    meaning: str
    unit: str | Callable[[str], str | None] | None  # of the family, or by its first argument
    words: Callable[[str], frozenset[str]] | None
    reads: tuple[str, ...]
    compute: Callable[..., Feature]

    @property
    def pattern(self) -> str:
        """The name with its arguments, `started_after_end_of.<class>.<class>`."""
        return ".".join([self.name, *(f"<{argument.label}>" for argument in self.arguments)])

    def members(self) -> Iterator[str]:
        """The full names, where every argument is out of a closed list."""
        names = [self.name]
        for argument in self.arguments:
            names = [f"{name}.{choice}" for name in names for choice in argument.choices]
        return iter(names)

    def split(self, rest: str) -> list[str] | None:
        """The argument texts of the part of a name after the family; None if their number is wrong."""
        texts = rest.split(".") if len(self.arguments) > 1 else [rest]
        return texts if len(texts) == len(self.arguments) else None


class Catalogue:
    """All features by name."""

    def __init__(self) -> None:
        self._features: dict[str, Definition] = {}
        self._families: dict[str, Family] = {}
        self._known: dict[str, Definition] = {}  # the features, and the members of families that were asked for

    def add_feature(self, spec: FeatureSpec, compute: Compute) -> None:
        """Register one feature. A name can be registered once (ValueError)."""
        self._refuse_twice(spec.name)
        self._features[spec.name] = self._known[spec.name] = Definition(spec, compute)

    def add_family(self, family: Family) -> None:
        """Register a family. A name can be registered once (ValueError)."""
        self._refuse_twice(family.name)
        self._families[family.name] = family

    def _refuse_twice(self, name: str) -> None:
        if name in self._features or name in self._families:
            raise ValueError(f"feature {name!r} is defined twice")

    def has(self, name: str) -> bool:
        """Whether a feature has this name."""
        return self._lookup(name) is not None

    def definition(self, name: str) -> Definition:
        """The specification and the function of a name (UnknownFeature)."""
        found = self._lookup(name)
        if found is None:
            close = difflib.get_close_matches(name, self.names(), n=3, cutoff=0.7)
            raise UnknownFeature(name, tuple(close))
        return found

    def compute(self, features: Features, name: str) -> Feature:
        """The feature of that name for one patient (UnknownFeature)."""
        return self.definition(name).compute(features)

    def spec(self, name: str) -> FeatureSpec:
        """What a feature is (UnknownFeature, with the closest names)."""
        return self.definition(name).spec

    def _lookup(self, name: str) -> Definition | None:
        known = self._known.get(name)
        if known is not None:
            return known
        head, dot, rest = name.partition(".")
        family = self._families.get(head)
        if family is None or not dot:
            return None
        texts = family.split(rest)
        if texts is None or not all(
            argument.accepts(text, self) for argument, text in zip(family.arguments, texts, strict=True)
        ):
            return None
        spec = FeatureSpec(
            name=name,
            kind=family.kind,
            meaning=family.meaning.format(*(text.replace("_", " ") for text in texts)),
            unit=family.unit(texts[0]) if callable(family.unit) else family.unit,
            words=family.words(texts[0]) if family.words else frozenset(),
            reads=family.reads,
        )
        arguments = tuple(texts)

        def compute(context: Features) -> Feature:
            return family.compute(context, *arguments)

        made = self._known[name] = Definition(spec, compute)
        return made

    def names(self) -> tuple[str, ...]:
        """Every name that can be listed: features and the members of families with closed arguments, sorted."""
        members = (name for family in self._families.values() for name in family.members())
        return tuple(sorted({*self._features, *members}))

    def features(self) -> tuple[FeatureSpec, ...]:
        """The features without arguments, sorted by name."""
        return tuple(self._features[name].spec for name in sorted(self._features))

    def families(self) -> tuple[Family, ...]:
        """The families, sorted by name."""
        return tuple(self._families[name] for name in sorted(self._families))


_CATALOGUE = Catalogue()


def registered() -> Catalogue:
    """The catalogue as filled by the domain modules that were imported so far."""
    return _CATALOGUE


def feature(
    name: str,
    kind: Kind,
    unit: str | None = None,
    words: Collection[str] = (),
    *,
    meaning: str,
    reads: tuple[str, ...] = (),
) -> Callable[[Compute], Compute]:
    """Register a function as the feature `name`."""

    def register(compute: Compute) -> Compute:
        _CATALOGUE.add_feature(FeatureSpec(name, kind, meaning, unit, frozenset(words), reads), compute)
        return compute

    return register


def family(
    name: str,
    *arguments: Argument,
    kind: Kind,
    unit: str | Callable[[str], str | None] | None = None,
    words: Callable[[str], frozenset[str]] | None = None,
    meaning: str,
    reads: tuple[str, ...] = (),
) -> Callable[[F], F]:
    """Register a function of the context and the arguments as a family; `meaning` has a `{}` per argument."""

    def register(compute: F) -> F:
        _CATALOGUE.add_family(Family(name, arguments, kind, meaning, unit, words, reads, compute))
        return compute

    return register
