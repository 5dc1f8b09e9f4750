"""Which row does an id of the API mean? `Chat_17`; whatever is no such id means no row at all."""

import re
from collections.abc import Sequence

from sqlalchemy import String, cast

from resolvers.dialects import constant
from resolvers.projection import Column
from resolvers.statement import Expression

_ID = re.compile(r"([A-Z][A-Za-z]*)_([1-9][0-9]{0,17})", re.ASCII)
NOTHING = 0
"""The number of no row: malformed ids and those of another type find nothing, as unknown ones do."""


def parts(id_: str) -> tuple[str, int]:
    """The type and the number of an id."""
    found = _ID.fullmatch(id_)
    return (found[1], int(found[2])) if found else ("", NOTHING)


def number(type_name: str, id_: str) -> int:
    kind, found = parts(id_)
    return found if kind == type_name else NOTHING


def numbers(type_name: str, ids: Sequence[str]) -> list[int]:
    return [number(type_name, id_) for id_ in ids]


def id_of(type_name: str, column: str = "id") -> Column:
    """The entry of an id, made from a number in this column."""
    return Column(lambda row: spelled(type_name, getattr(row, column)))


def spelled(type_name: str, key: Expression) -> Expression:
    return constant(f"{type_name}_").op("||")(cast(key, String))


def spelled_audience(group_id: Expression, position: Expression) -> Expression:
    """The id of an audience, as `models.audiences` reads it."""
    return spelled("Audience", group_id).op("||")(constant("_")).op("||")(position)
