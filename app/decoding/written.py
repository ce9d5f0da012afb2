"""Results as they were written: Observations that say no more than a number on a day.

Of most results of a chart only the kind and the moment are ever looked at. A decoder puts their members in place here,
without a tree of what is in them; what repeats from result to result (code, category, normal range) stays as written.
The members are those of R4; one that stands in no type here makes no plain result.
"""

from __future__ import annotations

from typing import Any

import orjson
from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.json import Encoder

Text = str | UnsetType
AsWritten = Raw | UnsetType

_encoder = Encoder()


class WireType(Struct, rename="camel", gc=False):
    """Members of a JSON object, under their names in R4. A member that does not stand there is UNSET."""


class Narrative(WireType, gc=False):
    """Words for a person who reads the record."""

    status: Text = UNSET
    div: Text = UNSET


class Meta(WireType, gc=False):
    """Where and when a record was written."""

    version_id: Text = UNSET
    last_updated: Text = UNSET
    source: Text = UNSET
    profile: list[str] | UnsetType = UNSET
    security: AsWritten = UNSET
    tag: AsWritten = UNSET


class Identifier(WireType, gc=False):
    """A number that a system gave to a record."""

    use: Text = UNSET
    system: Text = UNSET
    value: Text = UNSET


class Reference(WireType, gc=False):
    """What a record refers to."""

    reference: Text = UNSET
    type: Text = UNSET
    identifier: Identifier | UnsetType = UNSET
    display: Text = UNSET


class Quantity(WireType, gc=False):
    """A number, as it was written, with its unit."""

    value: AsWritten = UNSET
    comparator: Text = UNSET
    unit: Text = UNSET
    system: Text = UNSET
    code: Text = UNSET


class Result(WireType, gc=False):
    """An Observation that says no more than a number on a day."""

    resource_type: Text = UNSET
    id: Text = UNSET
    meta: Meta | UnsetType = UNSET
    text: Narrative | UnsetType = UNSET
    identifier: list[Identifier] | UnsetType = UNSET
    status: Text = UNSET
    category: AsWritten = UNSET
    code: AsWritten = UNSET
    subject: Reference | UnsetType = UNSET
    encounter: Reference | UnsetType = UNSET
    effective_date_time: Text = UNSET
    issued: Text = UNSET
    performer: list[Reference] | UnsetType = UNSET
    value_quantity: Quantity | UnsetType = UNSET
    interpretation: AsWritten = UNSET
    reference_range: AsWritten = UNSET

    def number(self) -> dict[str, Any]:
        """Of the Observation as a tree what says the number and its day."""
        part = Result(
            resource_type=self.resource_type,
            id=self.id,
            effective_date_time=self.effective_date_time,
            issued=self.issued,
            value_quantity=self.value_quantity,
            interpretation=self.interpretation,
            reference_range=self.reference_range,
        )
        return part.resource()

    def resource(self) -> dict[str, Any]:
        """The Observation as a tree."""
        resource: dict[str, Any] = orjson.loads(_encoder.encode(self))
        return resource
