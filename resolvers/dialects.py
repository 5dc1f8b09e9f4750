"""How does the engine make JSON? The few words of the look-ahead that engines spell in their own way."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    String,
    case,
    cast,
    func,
    literal_column,
    select,
)

Expression = ColumnElement[Any]


def json_value(value: Expression) -> Expression:
    """The value as it stands in JSON. Booleans need help; moments are RFC 3339 text already."""
    return func.json(_word(value)) if isinstance(value.type, Boolean) else value


def json_whether(condition: Expression, source: FromClause) -> Expression:
    """Whether a condition over all rows of the source holds. The parser's stack is small: see `parses`."""
    return func.json(select(_word(condition)).select_from(source).scalar_subquery())


def _word(condition: Expression) -> Expression:
    return case((condition, "true"), else_="false")


def json_object(pairs: Iterable[tuple[str, Expression]]) -> Expression:
    return func.json_object(*(part for key, value in pairs for part in (constant(key), value)))


def json_array(items: Iterable[Expression]) -> Expression:
    return func.json_array(*items)


def json_list(item: Expression) -> Expression:
    """All rows of the FROM, in its order; an empty list for none."""
    return func.json_group_array(item)


def json_text(value: Expression) -> Expression:
    """JSON as a plain text, to be quoted when it stands in JSON."""
    return value.op("||")(constant(""))


def rows_of(pairs: Expression) -> Select[Any]:
    """The rows `type`, `id` of a JSON list of pairs, in its order."""
    source = func.json_each(pairs).table_valued("key", "value", name="given")
    return select(
        func.json_extract(source.c.value, constant("$[0]"), type_=String()).label("type"),
        func.json_extract(source.c.value, constant("$[1]"), type_=Integer()).label("id"),
        source.c.key.label("position"),
    )


def texts_of(objects: Expression, *names: str) -> Select[Any]:
    """The rows of a JSON list of objects, with these texts of each."""
    source = func.json_each(objects).table_valued("value", name="given")
    columns: list[Any] = [
        func.json_extract(source.c.value, constant(f"$.{name}"), type_=String()).label(name) for name in names
    ]
    return select(*columns)


def constant(value: str) -> Expression:
    """A constant of ours, as it stands in the statement."""
    quoted = value.replace("'", "''").replace("%", "%%")
    return literal_column(f"'{quoted}'", String())


def numbers_of(numbers: Expression) -> Select[Any]:
    """The rows of a JSON list of numbers."""
    source = func.json_each(numbers).table_valued("value", name="given")
    return select(cast(source.c.value, Integer))


def parses(sql: str) -> bool:
    """Whether the engine's parser takes a statement that nests as deeply as this one.

    SQLite before 3.46 has a parser stack of 100 places: two or three nested connections, or about seven
    nested objects. Newer ones grow it, and PostgreSQL has no such limit. The engine is asked without tables,
    so it gets as far as the first name and no further.
    """
    with closing(sqlite3.connect(":memory:")) as engine:
        try:
            engine.execute(sql)
        except sqlite3.Error as error:
            return "stack overflow" not in str(error)
    return True
