"""Data types that resources share (http://hl7.org/fhir/R4/datatypes.html), reduced to the members that are read."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

# One limit for each kind of text, in characters, before any reader looks at it: what is longer is a member that does
# not fit, so it is left out and named (decision 56). Far above what records hold; readers need no limit of their own.
Token = Annotated[str, Meta(max_length=512)]
"""A code, a unit, or the URI of a code system."""

Words = Annotated[str, Meta(max_length=1_000)]
"""The name of something, as a person reads it."""

Sentences = Annotated[str, Meta(max_length=4_000)]
"""A result, a dosage or a remark in words."""

ReportText = Annotated[str, Meta(max_length=100_000)]
"""The text of a report."""

Number = int | float | Annotated[str, Meta(max_length=64)] | None
"""A JSON number. Some systems write numbers as text ("7,5", ">90"): readers decide what that means."""


class WireType(Struct, frozen=True, gc=False, rename="camel"):
    """Members of a JSON object. Frozen, so that a value is its own key where a reading remembers what it means."""


class Coding(WireType, frozen=True, gc=False):
    """A code of a code system."""

    system: Token | None = None
    code: Token | None = None
    display: Words | None = None


class CodeableConcept(WireType, frozen=True, gc=False):
    """A concept: codes that mean the same, and words."""

    coding: tuple[Coding, ...] = ()
    text: Words | None = None

    @property
    def named(self) -> CodeableConcept:
        """The concept itself; the same question is put to `CodeableReference`."""
        return self


class Reference(WireType, frozen=True, gc=False):
    """A reference to another resource."""

    reference: Words | None = None
    type: str | None = None
    display: Words | None = None


class CodeableReference(CodeableConcept, frozen=True, gc=False):
    """A concept, or in R5 an object that holds a concept or a reference."""

    concept: CodeableConcept | None = None  # R5
    reference: Reference | str | None = None  # R5; a text where R4 has a Reference in this place

    @property
    def named(self) -> CodeableConcept:
        """The concept, in either form."""
        return self.concept or self


class Quantity(WireType, frozen=True, gc=False):
    """A number with its unit; also Age, Duration and SimpleQuantity."""

    value: Number = None
    comparator: Token | None = None
    unit: Token | None = None
    code: Token | None = None


class Range(WireType, frozen=True, gc=False):
    """A range of quantities."""

    low: Quantity | None = None
    high: Quantity | None = None


class Ratio(WireType, frozen=True, gc=False):
    """One quantity per another."""

    numerator: Quantity | None = None
    denominator: Quantity | None = None


class Period(WireType, frozen=True, gc=False):
    """The time between two dates."""

    start: str | None = None
    end: str | None = None


class Narrative(WireType, frozen=True, gc=False):
    """Text for a person who reads the resource, as XHTML."""

    div: ReportText | None = None


class Attachment(WireType, frozen=True, gc=False):
    """A document, in base64."""

    content_type: str | None = None
    data: str | None = None


class Extension(WireType, frozen=True, gc=False):
    """An extension with a value of the kinds that are read."""

    url: str | None = None
    value_code: str | None = None
    value_coding: Coding | None = None
    value_codeable_concept: CodeableConcept | None = None


class Primitive(WireType, frozen=True, gc=False):
    """The sibling of a primitive member, under its name with an underscore."""

    extension: tuple[Extension, ...] = ()


def underscored(name: str) -> Primitive | None:
    """Declare the member that holds the extensions of a primitive member."""
    default: Primitive | None = field(default=None, name=f"_{name}")
    return default
