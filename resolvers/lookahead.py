"""How is a whole selection answered by one statement? Compiled once into a plan, bound, run, finished.

asked -> plan (kept by the selection's shape) -> one SELECT -> JSON -> derived fields -> Finished
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, literal_column, null, select

from models.actor import FACTS, stands
from models.database import Database
from models.errors import LimitExceeded
from models.prepared import spell
from resolvers.asked import Field, Selection
from resolvers.dialects import json_array, json_whole, parses
from resolvers.finishing import Load
from resolvers.projection import PROJECTIONS, Rendered, an_object
from resolvers.statement import VIEWER, Asking, Binder, Row, Statement

PLANS = 2_000
"""Plans that are kept. A miss costs a few milliseconds, a plan some ten kilobytes."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A value that needs no further execution: plain JSON, or a text that is JSON (`orjson.Fragment`)."""

    value: Any


class Compiled(NamedTuple):
    """A statement's text for one engine, where its values come from, and what is done with its answer."""

    sql: str
    binders: tuple[Binder, ...]
    load: Load | None
    mark: str | None


class Plan:
    """How a selection is read. Compiled when an engine first needs it, and kept.

    `render` is given an empty row to begin with. What is marked only needs to know who asks: no more is read of
    that person.
    """

    def __init__(self, render: Callable[[Statement, Row], Rendered]) -> None:
        self._render = render
        self._compiled: dict[str, Compiled] = {}

    async def read(self, database: Database, values: Sequence[Any], asking: Asking) -> Any:
        """The answer as of one moment, as JSON; None for null."""
        compiled = self.compiled(database.backend.name)
        return _finish(compiled, (await database.read(compiled.sql, _bind(compiled, values, asking)))[0], asking)

    def read_back(self, connection: Connection, values: Sequence[Any], asking: Asking) -> Any:
        """The same inside a writer's job, before its commit: exactly what the job has written."""
        compiled = self.compiled(connection.dialect.name)
        row = connection.exec_driver_sql(compiled.sql, _bind(compiled, values, asking)).one()
        return _finish(compiled, row, asking)

    def compiled(self, engine: str) -> Compiled:
        """For the engine with this name. Raises LimitExceeded when it nests deeper than that can parse."""
        if engine not in self._compiled:
            self._compiled[engine] = _compile(self._render, engine)
        return self._compiled[engine]


def _compile(render: Callable[[Statement, Row], Rendered], engine: str) -> Compiled:
    statement = Statement()
    rendered = render(statement, Row(statement, select(literal_column("1").label("one"))))
    facts = select(json_array(stands(VIEWER, name) for name in FACTS)).scalar_subquery()
    decides = rendered.load is not None and rendered.mark is None
    whole = select(json_whole(rendered.expression), json_whole(facts) if decides else null())
    try:
        sql, places = spell(whole, engine)
    except RecursionError:
        raise _too_deep() from None
    if engine == "sqlite" and not parses(sql):
        raise _too_deep()
    binders = [statement.binder(name) for name in places]
    return Compiled(sql, tuple(binders), rendered.load, rendered.mark)


def _too_deep() -> LimitExceeded:
    return LimitExceeded("The selection nests too deeply here: ask for a part of it in another operation.")


def _bind(compiled: Compiled, values: Sequence[Any], asking: Asking) -> tuple[Any, ...]:
    """Raises BadRequest or LimitExceeded for a cursor or a size that is none."""
    return tuple([binder(values, asking) for binder in compiled.binders])


def _finish(compiled: Compiled, row: Sequence[Any], asking: Asking) -> Any:
    text, known = row
    if text is None:
        return None
    if compiled.load is None or (compiled.mark is not None and compiled.mark not in text):
        return orjson.Fragment(text)
    return compiled.load(orjson.loads(text), asking if known is None else asking.asker(known))


@lru_cache(maxsize=PLANS)
def plan_of_field(root: str, field: Field) -> Plan:
    """Reads a field of a root projection."""
    return Plan(lambda _, row: PROJECTIONS[root].entries[field.name].render(field, row))


@lru_cache(maxsize=PLANS)
def plan_of_object(target: str, selection: Selection) -> Plan:
    """Reads an object that stands on what is given alone: the payload of a mutation."""
    return Plan(lambda _, row: an_object(target, selection, row))
