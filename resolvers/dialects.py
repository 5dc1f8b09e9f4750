"""How does the engine make JSON? The few words of the look-ahead that engines spell in their own way."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from itertools import chain
from typing import Any

from sqlalchemy import Boolean, ColumnElement, FromClause, Select, String, case, literal_column, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from models.tables.base import Key, Moment

Expression = ColumnElement[Any]

MOST_KEYS = 50
"""Of an object that PostgreSQL makes by one call."""


def json_value(value: Expression) -> Expression:
    """The value as it stands in JSON: booleans and moments need help."""
    return _Value(value) if isinstance(value.type, Boolean | Moment) else value


def json_whether(condition: Expression, source: FromClause) -> Expression:
    """Whether a condition over all rows of the source holds. The parser's stack is small: see `parses`."""
    word = case((condition, "true"), else_="false")
    return _Json(select(word).select_from(source).scalar_subquery())


def json_object(pairs: Iterable[tuple[str, Expression]]) -> Expression:
    return _Object(*chain.from_iterable((constant(key), value) for key, value in pairs))


def json_array(items: Iterable[Expression]) -> Expression:
    return _Array(*items)


def json_list(item: Expression) -> Expression:
    """All rows of the FROM, in its order; an empty list for none."""
    return _List(item)


def json_text(value: Expression) -> Expression:
    """JSON as a plain text, to be quoted when it stands in JSON."""
    return _Text(value)


def json_string(value: Expression) -> Expression:
    """A text as a value in JSON, where values of other kinds may stand as well."""
    return _String(value)


def json_whole(value: Expression) -> Expression:
    """The JSON that a statement answers with, as the text that it is."""
    return _Whole(value)


def rows_of(pairs: Expression) -> Select[Any]:
    """The rows `type`, `id` of a JSON list of pairs, in its order."""
    source = _given(pairs)
    return select(
        _Part(source.c.value, 0).label("type"),
        _NumberIn(_Part(source.c.value, 1)).label("id"),
        _Position().label("position"),
    ).select_from(source)


def texts_of(objects: Expression, *names: str) -> Select[Any]:
    """The rows of a JSON list of objects, with these texts of each."""
    source = _given(objects)
    return select(*(_Part(source.c.value, name).label(name) for name in names))


def numbers_of(numbers: Expression) -> Select[Any]:
    """The rows of a JSON list of numbers."""
    source = _given(numbers)
    return select(_NumberIn(source.c.value))


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


# -------------------------------------------------------------------------------------- the two spellings


class _Word(FunctionElement[Any]):
    """A word that each engine spells in its own way."""

    inherit_cache = True
    type: TypeEngine[Any] = String()


class _Value(_Word):
    """A boolean or a moment, in JSON."""


class _Json(_Word):
    """A text that is JSON."""


class _Object(_Word):
    pass


class _Array(_Word):
    pass


class _List(_Word):
    pass


class _Text(_Word):
    pass


class _String(_Word):
    pass


class _Whole(_Word):
    pass


class _Elements(_Word):
    """The elements of a JSON list, as rows `value`."""


class _NumberIn(_Word):
    """The number that an element, or a part of one, is."""

    type = Key


class _Position(_Word):
    """Where in its list the element stands."""

    type = Key


class _Part(_Word):
    """The text at this place of an element."""

    inherit_cache = False

    def __init__(self, element: Expression, place: str | int) -> None:
        super().__init__(element)
        self.place = place


def _given(elements: Expression) -> Any:
    return _Elements(elements).table_valued("value", name="given")


def _parts(word: _Word, compiler: Any, options: Any) -> list[str]:
    return [compiler.process(part, **options) for part in word.clauses]


def _parts_in_json(word: _Word, compiler: Any, options: Any) -> list[str]:
    """For PostgreSQL: a moment goes into JSON as SQLite keeps it, RFC 3339 in UTC."""
    return [
        f"""to_char({text} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
        if isinstance(part.type, Moment)
        else text
        for part, text in zip(word.clauses, _parts(word, compiler, options), strict=True)
    ]


@compiles(_Value, "sqlite")
def _(word: _Value, compiler: Any, **options: Any) -> str:
    (text,) = _parts(word, compiler, options)
    (value,) = word.clauses
    return text if isinstance(value.type, Moment) else f"json(CASE WHEN {text} THEN 'true' ELSE 'false' END)"


@compiles(_Value, "postgresql")
def _(word: _Value, compiler: Any, **options: Any) -> str:
    return _parts_in_json(word, compiler, options)[0]


@compiles(_Json, "sqlite")
def _(word: _Json, compiler: Any, **options: Any) -> str:
    return f"json({_parts(word, compiler, options)[0]})"


@compiles(_Json, "postgresql")
def _(word: _Json, compiler: Any, **options: Any) -> str:
    return f"{_parts(word, compiler, options)[0]}::json"


@compiles(_Object, "sqlite")
def _(word: _Object, compiler: Any, **options: Any) -> str:
    return f"json_object({', '.join(_parts(word, compiler, options))})"


@compiles(_Object, "postgresql")
def _(word: _Object, compiler: Any, **options: Any) -> str:
    parts = _parts_in_json(word, compiler, options)
    whole, *more = (
        f"json_build_object({', '.join(parts[at : at + 2 * MOST_KEYS])})"
        for at in range(0, max(len(parts), 1), 2 * MOST_KEYS)
    )
    for each in more:  # the texts are joined where one ends and the other begins
        whole = f"(left({whole}::text, -1) || ',' || substr({each}::text, 2))::json"
    return whole


@compiles(_Array, "sqlite")
def _(word: _Array, compiler: Any, **options: Any) -> str:
    return f"json_array({', '.join(_parts(word, compiler, options))})"


@compiles(_Array, "postgresql")
def _(word: _Array, compiler: Any, **options: Any) -> str:
    return f"json_build_array({', '.join(_parts_in_json(word, compiler, options))})"


@compiles(_List, "sqlite")
def _(word: _List, compiler: Any, **options: Any) -> str:
    return f"json_group_array({_parts(word, compiler, options)[0]})"


@compiles(_List, "postgresql")
def _(word: _List, compiler: Any, **options: Any) -> str:
    return f"coalesce(json_agg({_parts_in_json(word, compiler, options)[0]}), '[]'::json)"


@compiles(_Text, "sqlite")
def _(word: _Text, compiler: Any, **options: Any) -> str:
    return f"({_parts(word, compiler, options)[0]} || '')"


@compiles(_Text, "postgresql")
def _(word: _Text, compiler: Any, **options: Any) -> str:
    return f"{_parts(word, compiler, options)[0]}::text"


@compiles(_String, "sqlite")
def _(word: _String, compiler: Any, **options: Any) -> str:
    return _parts(word, compiler, options)[0]


@compiles(_String, "postgresql")
def _(word: _String, compiler: Any, **options: Any) -> str:
    return f"to_json({_parts(word, compiler, options)[0]})"


@compiles(_Whole, "sqlite")
def _(word: _Whole, compiler: Any, **options: Any) -> str:
    return _parts(word, compiler, options)[0]


@compiles(_Whole, "postgresql")
def _(word: _Whole, compiler: Any, **options: Any) -> str:
    return f"{_parts(word, compiler, options)[0]}::text"


@compiles(_Elements, "sqlite")
def _(word: _Elements, compiler: Any, **options: Any) -> str:
    return f"json_each({_parts(word, compiler, options)[0]})"


@compiles(_Elements, "postgresql")
def _(word: _Elements, compiler: Any, **options: Any) -> str:
    return f"json_array_elements({_parts(word, compiler, options)[0]}::json) WITH ORDINALITY"


@compiles(_Part, "sqlite")
def _(word: _Part, compiler: Any, **options: Any) -> str:
    path = f"$[{word.place}]" if isinstance(word.place, int) else f"$.{word.place}"
    return f"json_extract({_parts(word, compiler, options)[0]}, '{path}')"


@compiles(_Part, "postgresql")
def _(word: _Part, compiler: Any, **options: Any) -> str:
    place = word.place if isinstance(word.place, int) else f"'{word.place}'"
    return f"({_parts(word, compiler, options)[0]} ->> {place})"


@compiles(_NumberIn, "sqlite")
def _(word: _NumberIn, compiler: Any, **options: Any) -> str:
    return f"CAST({_parts(word, compiler, options)[0]} AS INTEGER)"


@compiles(_NumberIn, "postgresql")
def _(word: _NumberIn, compiler: Any, **options: Any) -> str:
    return f"{_parts(word, compiler, options)[0]}::text::bigint"


@compiles(_Position, "sqlite")
def _(_word: _Position, _compiler: Any, **_options: Any) -> str:
    return "given.key"


@compiles(_Position, "postgresql")
def _(_word: _Position, _compiler: Any, **_options: Any) -> str:
    return "given.ordinality"
