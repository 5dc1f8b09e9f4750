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
    """A word that each engine spells in its own way."""

    inherit_cache = True
    type: TypeEngine[Any] = String()


class Value(Word):
    """A boolean or a moment, in JSON."""


class Json(Word):
    """A text that is JSON."""


class Object(Word):
    pass


class Array(Word):
    pass


class List(Word):
    pass


class Text(Word):
    pass


class Quoted(Word):
    pass


class Whole(Word):
    pass


class Elements(Word):
    """The elements of a JSON list, as rows `value`."""


class NumberIn(Word):
    """The number that an element, or a part of one, is."""

    type = Key


class Position(Word):
    """Where in its list the element stands."""

    type = Key


class Part(Word):
    """The text at this place of an element."""

    inherit_cache = False

    def __init__(self, element: ColumnElement[Any], place: str | int) -> None:
        super().__init__(element)
        self.place = place


def _parts(word: Word, compiler: Any, options: Any) -> list[str]:
    return [compiler.process(part, **options) for part in word.clauses]


def _parts_in_json(word: Word, compiler: Any, options: Any) -> list[str]:
    """For PostgreSQL: a moment goes into JSON as SQLite keeps it, RFC 3339 in UTC."""
    return [
        f"""to_char({text} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
        if isinstance(part.type, Moment)
        else text
        for part, text in zip(word.clauses, _parts(word, compiler, options), strict=True)
    ]


@compiles(Value, "sqlite")
def _(word: Value, compiler: Any, **options: Any) -> str:
    (text,) = _parts(word, compiler, options)
    (value,) = word.clauses
    return text if isinstance(value.type, Moment) else f"json(CASE WHEN {text} THEN 'true' ELSE 'false' END)"


@compiles(Value, "postgresql")
def _(word: Value, compiler: Any, **options: Any) -> str:
    return _parts_in_json(word, compiler, options)[0]


@compiles(Json, "sqlite")
def _(word: Json, compiler: Any, **options: Any) -> str:
    return f"json({_parts(word, compiler, options)[0]})"


@compiles(Json, "postgresql")
def _(word: Json, compiler: Any, **options: Any) -> str:
    return f"{_parts(word, compiler, options)[0]}::json"


@compiles(Object, "sqlite")
def _(word: Object, compiler: Any, **options: Any) -> str:
    return f"json_object({', '.join(_parts(word, compiler, options))})"


@compiles(Object, "postgresql")
def _(word: Object, compiler: Any, **options: Any) -> str:
    parts = _parts_in_json(word, compiler, options)
    whole, *more = (
        f"json_build_object({', '.join(parts[at : at + 2 * MOST_KEYS])})"
        for at in range(0, max(len(parts), 1), 2 * MOST_KEYS)
    )
    for each in more:  # the texts are joined where one ends and the other begins
        whole = f"(left({whole}::text, -1) || ',' || substr({each}::text, 2))::json"
    return whole


@compiles(Array, "sqlite")
def _(word: Array, compiler: Any, **options: Any) -> str:
    return f"json_array({', '.join(_parts(word, compiler, options))})"


@compiles(Array, "postgresql")
def _(word: Array, compiler: Any, **options: Any) -> str:
    return f"json_build_array({', '.join(_parts_in_json(word, compiler, options))})"


@compiles(List, "sqlite")
def _(word: List, compiler: Any, **options: Any) -> str:
    return f"json_group_array({_parts(word, compiler, options)[0]})"


@compiles(List, "postgresql")
def _(word: List, compiler: Any, **options: Any) -> str:
    return f"coalesce(json_agg({_parts_in_json(word, compiler, options)[0]}), '[]'::json)"


@compiles(Text, "sqlite")
def _(word: Text, compiler: Any, **options: Any) -> str:
    return f"({_parts(word, compiler, options)[0]} || '')"


@compiles(Text, "postgresql")
def _(word: Text, compiler: Any, **options: Any) -> str:
    return f"{_parts(word, compiler, options)[0]}::text"


@compiles(Quoted, "sqlite")
def _(word: Quoted, compiler: Any, **options: Any) -> str:
    return _parts(word, compiler, options)[0]


@compiles(Quoted, "postgresql")
def _(word: Quoted, compiler: Any, **options: Any) -> str:
    return f"to_json({_parts(word, compiler, options)[0]})"


@compiles(Whole, "sqlite")
def _(word: Whole, compiler: Any, **options: Any) -> str:
    return _parts(word, compiler, options)[0]


@compiles(Whole, "postgresql")
def _(word: Whole, compiler: Any, **options: Any) -> str:
    return f"{_parts(word, compiler, options)[0]}::text"


@compiles(Elements, "sqlite")
def _(word: Elements, compiler: Any, **options: Any) -> str:
    return f"json_each({_parts(word, compiler, options)[0]})"


@compiles(Elements, "postgresql")
def _(word: Elements, compiler: Any, **options: Any) -> str:
    return f"json_array_elements({_parts(word, compiler, options)[0]}::json) WITH ORDINALITY"


@compiles(Part, "sqlite")
def _(word: Part, compiler: Any, **options: Any) -> str:
    path = f"$[{word.place}]" if isinstance(word.place, int) else f"$.{word.place}"
    return f"json_extract({_parts(word, compiler, options)[0]}, '{path}')"


@compiles(Part, "postgresql")
def _(word: Part, compiler: Any, **options: Any) -> str:
    place = word.place if isinstance(word.place, int) else f"'{word.place}'"
    return f"({_parts(word, compiler, options)[0]} ->> {place})"


@compiles(NumberIn, "sqlite")
def _(word: NumberIn, compiler: Any, **options: Any) -> str:
    return f"CAST({_parts(word, compiler, options)[0]} AS INTEGER)"


@compiles(NumberIn, "postgresql")
def _(word: NumberIn, compiler: Any, **options: Any) -> str:
    return f"{_parts(word, compiler, options)[0]}::text::bigint"


@compiles(Position, "sqlite")
def _(_word: Position, _compiler: Any, **_options: Any) -> str:
    return "given.key"


@compiles(Position, "postgresql")
def _(_word: Position, _compiler: Any, **_options: Any) -> str:
    return "given.ordinality"
