"""How is a whole selection answered by one statement? Compiled once into a plan, bound, run, finished.

asked -> plan (kept by the selection's shape) -> one SELECT -> JSON -> derived fields -> Finished
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Connection, literal_column, null, select

from models.actor import FACTS, stands
from models.database import Database
from models.errors import LimitExceeded
from models.prepared import Sqlite
from resolvers.asked import Field, Selection
from resolvers.dialects import json_array, parses
from resolvers.finishing import Load
from resolvers.projection import PROJECTIONS, Rendered, an_object
from resolvers.statement import VIEWER, Asking, Binder, Row, Statement

PLANS = 2_000
"""Plans that are kept. A miss costs a few milliseconds, a plan some ten kilobytes."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A value that needs no further execution: plain JSON, or a text that is JSON (`orjson.Fragment`)."""

    value: Any


@dataclass(frozen=True)
class Plan:
    """A statement's text, where its values come from, and what is done with its answer."""

    sql: str
    binders: tuple[Binder, ...]
    load: Load | None
    mark: str | None = None

    async def read(self, database: Database, values: Sequence[Any], asking: Asking) -> Any:
        """The answer as of one moment, as JSON; None for null."""
        return self._finish((await database.read(self.sql, self._bind(values, asking)))[0], asking)

    def read_back(self, connection: Connection, values: Sequence[Any], asking: Asking) -> Any:
        """The same inside a writer's job, before its commit: exactly what the job has written."""
        return self._finish(connection.exec_driver_sql(self.sql, self._bind(values, asking)).one(), asking)

    def _bind(self, values: Sequence[Any], asking: Asking) -> tuple[Any, ...]:
        """Raises BadRequest or LimitExceeded for a cursor or a size that is none."""
        return tuple([binder(values, asking) for binder in self.binders])

    def _finish(self, row: Sequence[Any], asking: Asking) -> Any:
        text, known = row
        if text is None:
            return None
        if self.load is None or (self.mark is not None and self.mark not in text):
            return orjson.Fragment(text)
        return self.load(orjson.loads(text), asking if known is None else asking.asker(known))


def make_plan(render: Callable[[Statement, Row], Rendered]) -> Plan:
    """A plan for what `render` renders, given an empty row to begin with.

    Raises LimitExceeded when it nests deeper than the engine can parse. What is marked only needs to know who
    asks: no more is read of that person.
    """
    statement = Statement()
    rendered = render(statement, Row(statement, select(literal_column("1").label("one"))))
    facts = select(json_array(stands(VIEWER, name) for name in FACTS)).scalar_subquery()
    decides = rendered.load is not None and rendered.mark is None
    whole = select(rendered.expression, facts if decides else null()).compile(dialect=_DIALECT)
    if not parses(str(whole)):
        raise LimitExceeded("The selection nests too deeply here: ask for a part of it in another operation.")
    binders = [statement.binder(name) for name in whole.positiontup or ()]
    return Plan(str(whole), tuple(binders), rendered.load, rendered.mark)


@lru_cache(maxsize=PLANS)
def plan_of_field(root: str, field: Field) -> Plan:
    """Reads a field of a root projection."""
    return make_plan(lambda _, row: PROJECTIONS[root].entries[field.name].render(field, row))


@lru_cache(maxsize=PLANS)
def plan_of_object(target: str, selection: Selection) -> Plan:
    """Reads an object that stands on what is given alone: the payload of a mutation."""
    return make_plan(lambda _, row: an_object(target, selection, row))


_DIALECT = Sqlite()
