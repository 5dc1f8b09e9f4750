"""How does each engine spell the words of the look-ahead? SQLite and PostgreSQL, side by side."""

from typing import Any

from sqlalchemy import ColumnElement, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from models.tables.base import Key, Moment

MOST_KEYS = 50
"""Of an object that PostgreSQL makes by one call."""


class Word(FunctionElement[Any]):
    """A word that each engine spells in its own way: around its parts, which stand in the place of `{}`."""

    inherit_cache = True
    type: TypeEngine[Any] = String()
    sqlite = "{}"
    postgresql = "{}"

    def on_sqlite(self, parts: list[str]) -> str:
        return self.sqlite.format(", ".join(parts))

    def on_postgresql(self, parts: list[str]) -> str:
        return self.postgresql.format(", ".join(parts))


class Value(Word):
    """A boolean or a moment, in JSON."""

    def on_sqlite(self, parts: list[str]) -> str:
        (value,) = self.clauses
        spelled = "{}" if isinstance(value.type, Moment) else "json(CASE WHEN {} THEN 'true' ELSE 'false' END)"
        return spelled.format(*parts)


class Json(Word):
    """A text that is JSON."""

    sqlite, postgresql = "json({})", "{}::json"


class Object(Word):
    sqlite = "json_object({})"

    def on_postgresql(self, parts: list[str]) -> str:
        whole, *more = (
            f"json_build_object({', '.join(parts[at : at + 2 * MOST_KEYS])})"
            for at in range(0, max(len(parts), 1), 2 * MOST_KEYS)
        )
        for each in more:  # the texts are joined where one ends and the other begins
            whole = f"(left({whole}::text, -1) || ',' || substr({each}::text, 2))::json"
        return whole


class Array(Word):
    sqlite, postgresql = "json_array({})", "json_build_array({})"


class List(Word):
    sqlite, postgresql = "json_group_array({})", "coalesce(json_agg({}), '[]'::json)"


class Text(Word):
    sqlite, postgresql = "({} || '')", "{}::text"


class Quoted(Word):
    postgresql = "to_json({})"


class Whole(Word):
    postgresql = "{}::text"


class Elements(Word):
    """The elements of a JSON list, as rows `value`."""

    sqlite, postgresql = "json_each({})", "json_array_elements({}::json) WITH ORDINALITY"


class NumberIn(Word):
    """The number that an element, or a part of one, is."""

    type = Key
    sqlite, postgresql = "CAST({} AS INTEGER)", "{}::text::bigint"


class Position(Word):
    """Where in its list the element stands."""

    type = Key
    sqlite, postgresql = "given.key", "given.ordinality"


class Part(Word):
    """The text at this place of an element."""

    inherit_cache = False

    def __init__(self, element: ColumnElement[Any], place: str | int) -> None:
        super().__init__(element)
        self.place = place

    def on_sqlite(self, parts: list[str]) -> str:
        path = f"$[{self.place}]" if isinstance(self.place, int) else f"$.{self.place}"
        return f"json_extract({parts[0]}, '{path}')"

    def on_postgresql(self, parts: list[str]) -> str:
        place = self.place if isinstance(self.place, int) else f"'{self.place}'"
        return f"({parts[0]} ->> {place})"


@compiles(Word, "sqlite")
def _(word: Word, compiler: Any, **options: Any) -> str:
    return word.on_sqlite([compiler.process(part, **options) for part in word.clauses])


@compiles(Word, "postgresql")
def _(word: Word, compiler: Any, **options: Any) -> str:
    """A moment goes into JSON as SQLite keeps it, RFC 3339 in UTC."""
    parts = [(part, compiler.process(part, **options)) for part in word.clauses]
    return word.on_postgresql(
        [_MOMENT.format(text) if isinstance(part.type, Moment) else text for part, text in parts]
    )


_MOMENT = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
