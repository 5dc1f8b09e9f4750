"""How does the engine make JSON? The few words of the look-ahead that engines spell in their own way."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from itertools import chain
from typing import Any

from sqlalchemy import Boolean, ColumnElement, FromClause, Select, String, case, literal_column, select

from models.tables.base import Moment
from resolvers.spelling import (
    Array,
    Elements,
    Json,
    List,
    NumberIn,
    Object,
    Part,
    Position,
    Quoted,
    Text,
    Value,
    Whole,
)

Expression = ColumnElement[Any]


def json_value(value: Expression) -> Expression:
    """The value as it stands in JSON: booleans and moments need help."""
    return Value(value) if isinstance(value.type, Boolean | Moment) else value


def json_whether(condition: Expression, source: FromClause) -> Expression:
    """Whether a condition over all rows of the source holds. The parser's stack is small: see `parses`."""
    word = case((condition, "true"), else_="false")
    return Json(select(word).select_from(source).scalar_subquery())


def json_object(pairs: Iterable[tuple[str, Expression]]) -> Expression:
    return Object(*chain.from_iterable((constant(key), value) for key, value in pairs))


def json_array(items: Iterable[Expression]) -> Expression:
    return Array(*items)


def json_list(item: Expression) -> Expression:
    """All rows of the FROM, in its order; an empty list for none."""
    return List(item)


def json_text(value: Expression) -> Expression:
    """JSON as a plain text, to be quoted when it stands in JSON."""
    return Text(value)


def json_string(value: Expression) -> Expression:
    """A text as a value in JSON, where values of other kinds may stand as well."""
    return Quoted(value)


def json_whole(value: Expression) -> Expression:
    """The JSON that a statement answers with, as the text that it is."""
    return Whole(value)


def rows_of(pairs: Expression) -> Select[Any]:
    """The rows `type`, `id` of a JSON list of pairs, in its order."""
    source = _given(pairs)
    return select(
        Part(source.c.value, 0).label("type"),
        NumberIn(Part(source.c.value, 1)).label("id"),
        Position().label("position"),
    ).select_from(source)


def texts_of(objects: Expression, *names: str) -> Select[Any]:
    """The rows of a JSON list of objects, with these texts of each."""
    source = _given(objects)
    return select(*(Part(source.c.value, name).label(name) for name in names))


def numbers_of(numbers: Expression) -> Select[Any]:
    """The rows of a JSON list of numbers."""
    source = _given(numbers)
    return select(NumberIn(source.c.value))


def constant(value: str) -> Expression:
    """A constant of ours, as it stands in the statement."""
    quoted = value.replace("'", "''")
    return literal_column(f"'{quoted}'", String())


def parses(sql: str) -> bool:
    """Whether SQLite's parser takes a statement that nests as deeply as this one.

    Before 3.46 it has a parser stack of 100 places: two or three nested connections, or about seven nested
    objects. Newer ones grow it, and PostgreSQL has no such limit. The engine is asked without tables, so it
    gets as far as the first name and no further.
    """
    with closing(sqlite3.connect(":memory:")) as engine:
        try:
            engine.execute(sql)
        except sqlite3.Error as error:
            return "stack overflow" not in str(error)
    return True


def _given(elements: Expression) -> Any:
    return Elements(elements).table_valued("value", name="given")
