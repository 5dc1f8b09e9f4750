"""How are moments written? RFC 3339 with a zone in, UTC out."""

import re
from datetime import UTC, datetime
from typing import Any, NewType

import strawberry
from graphql import GraphQLError

Moment = NewType("Moment", datetime)

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?", re.ASCII | re.IGNORECASE)
"""Seconds may be left out; so may the zone, which is then missed by the name of its field."""


def _parse(value: Any) -> datetime:
    """The moment; one without a zone is passed on, because its field has to be named in the refusal."""
    try:
        if isinstance(value, str) and _RFC3339.fullmatch(value):
            moment = datetime.fromisoformat(value.upper())
            if moment.tzinfo is not None:
                moment.astimezone(UTC)  # beyond the years 1 to 9999 there is no UTC
            return moment
    except (ValueError, OverflowError):
        pass
    raise GraphQLError("DateTime takes a moment with its zone, such as 2026-09-01T08:30:00+05:00.")


DATE_TIME = strawberry.scalar(
    name="DateTime",
    description="A moment, written as RFC 3339 says. It needs a zone; answers are in UTC, to the millisecond.",
    parse_value=_parse,
    serialize=str,
)
