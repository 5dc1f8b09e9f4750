"""How is a whole selection answered by one statement? Compiled once into a plan, bound, run, finished.

asked -> plan (kept by the selection's shape) -> one SELECT -> JSON -> derived fields -> Finished
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, exists, literal_column, null, select
from sqlalchemy.exc import DataError

from models.actor import FACTS, Viewer, person, stands
from models.database import Database
from models.database.backend import LONGEST_ANSWER, too_long
from models.database.sqlite import is_too_long
from models.errors import LimitExceeded, Unauthenticated
from models.prepared import spell
from resolvers.asked import Field, Selection
from resolvers.compiling import aside
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
    that person. `for_active`: who has left is answered nothing, and told so by Unauthenticated.
    """

    def __init__(self, render: Callable[[Statement, Row], Rendered], *, for_active: bool = False) -> None:
        self._render = render
        self._for_active = for_active
        self._compiled: dict[str, Compiled] = {}

    async def read(self, database: Database, values: Sequence[Any], asking: Asking) -> Any:
        """The answer as of one moment, as JSON; None for null."""
        compiled = await self.ready(database, asking.viewer)
        return _finish(compiled, (await database.read(compiled.sql, _bind(compiled, values, asking)))[0], asking)

    def read_back(self, connection: Connection, values: Sequence[Any], asking: Asking) -> Any:
        """The same inside a writer's job, before its commit: exactly what the job has written."""
        compiled = self.compiled(connection.dialect.name)
        try:
            row = connection.exec_driver_sql(compiled.sql, _bind(compiled, values, asking)).one()
        except DataError as error:
            if is_too_long(error.orig):
                raise too_long() from None
            raise
        return _finish(compiled, row, asking)

    def is_ready(self, database: Database) -> bool:
        return database.backend.name in self._compiled

    async def ready(self, database: Database, viewer: Viewer) -> Compiled:
        """Compiled, where others wait for nothing. Raises LimitExceeded as `compiled` does."""
        engine = database.backend.name
        known = self._compiled.get(engine)
        return known if known is not None else await aside(viewer, partial(self.compiled, engine))

    def compiled(self, engine: str) -> Compiled:
        """For the engine with this name. Raises LimitExceeded when it nests deeper than that can parse."""
        if engine not in self._compiled:
            self._compiled[engine] = _compile(self._render, engine, for_active=self._for_active)
        return self._compiled[engine]


def _compile(render: Callable[[Statement, Row], Rendered], engine: str, *, for_active: bool) -> Compiled:
    statement = Statement()
    rendered = render(statement, Row(statement, select(literal_column("1").label("one"))))
    facts = select(json_array(stands(VIEWER, name) for name in FACTS)).scalar_subquery()
    decides = rendered.load is not None and rendered.mark is None
    is_active: Any = (
        exists(person(VIEWER).with_only_columns(literal_column("1"))) if for_active else literal_column("1")
    )
    whole = select(json_whole(rendered.expression), json_whole(facts) if decides else null(), is_active)
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
    text, known, is_active = row
    if not is_active:
        raise Unauthenticated("This person is not active in this organization any more.")
    if text is None:
        return None
    if len(text) > LONGEST_ANSWER:
        raise too_long()
    if compiled.load is None or (compiled.mark is not None and compiled.mark not in text):
        return orjson.Fragment(text)
    return compiled.load(orjson.loads(text), asking if known is None else asking.asker(known))


@lru_cache(maxsize=PLANS)
def plan_of_field(root: str, field: Field) -> Plan:
    """Reads a field of a root projection."""
    return Plan(lambda _, row: PROJECTIONS[root].entries[field.name].render(field, row), for_active=True)


@lru_cache(maxsize=PLANS)
def plan_of_object(target: str, selection: Selection) -> Plan:
    """Reads an object that stands on what is given alone: the payload of a mutation."""
    return Plan(lambda _, row: an_object(target, selection, row))
