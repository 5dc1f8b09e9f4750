"""How does a test come to a stage? It is made once for all tests of a process, then copied.

What somebody does on it is undone at once where that is wanted: the writer's transaction ends in an error that
carries the answer. So cases have nothing to do with each other.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from sqlalchemy import event, select

from models.actor import Viewer
from models.authorization.rule import EVERYBODY, Kind
from models.database import Database, Transaction
from models.migrate import migrate
from models.tables import metadata
from models.tables.people import users
from tests.api import Api, Person
from tests.authorization.cast import Case, Cast, Schools
from tests.authorization.known import Known
from tests.authorization.rooms import Rooms
from tests.authorization.written import Written
from tests.engines import OF_WRITERS, copy_of, made_once, new_url
from tests.school import school_database


class Stage:
    """The API over the two schools, and who is there. `asked`: what the writer has asked of the engine since this
    was last emptied."""

    def __init__(self, api: Api, cast: Cast) -> None:
        self.api, self._cast = api, cast
        self.asked: list[str] = []

        @event.listens_for(api.database.engine, "before_cursor_execute")
        def note(_: Any, __: Any, statement: str, *rest: Any) -> None:
            if "receipt" not in statement and "lock_timeout" not in statement:  # of a writer, whoever writes
                self.asked.append(statement)

    def as_(self, case: Case) -> Person:
        who = self._cast.people[case]
        return self.person(who)

    def person(self, who: Viewer) -> Person:
        return Person(self.api, who, f"User_{who.id}")

    def login(self, case: Case) -> str:
        """By which he is known on the stage."""
        return self._cast.logins[self._cast.people[case].id]

    def thing(self, case: Case) -> str:
        return self._cast.things[case]

    def more(self, name: str, case: Case) -> str:
        """What else a case needs: the id that it knows by this name."""
        return self._cast.more[name, case]

    @contextmanager
    def untouched(self, *, without: tuple[str, ...] = ()) -> Iterator[None]:
        """Nothing may be written meanwhile, in whatever table but these. As `Api.unchanged`, which is slower."""
        before = self._rows()
        yield
        after = self._rows()
        for name in after.keys() - without:
            if after[name] != before[name]:
                new = [row for row in after[name] if row not in before[name]]
                raise AssertionError(f"somebody left a trace in {name}: {new}")

    def _rows(self) -> dict[str, list[Any]]:
        """Every row of every table."""
        with self.api.database.engine.connect() as connection:
            return {
                name: list(connection.exec_driver_sql(f"SELECT * FROM {name}").fetchall())
                for name in metadata.tables
                if name != OF_WRITERS
            }

    @contextmanager
    def undoing(self) -> Iterator[None]:
        """What is written meanwhile is undone at once; what is answered stays."""
        database = self.api.database
        write = database.write

        async def write_and_undo(job: Callable[[Transaction], Any], organization_id: int | None = None) -> Any:
            def undone(tx: Transaction) -> Any:
                raise _Undone(job(tx))

            try:
                return await write(undone, organization_id)
            except _Undone as done:
                return done.answer

        database.write = write_and_undo  # type: ignore[method-assign]
        try:
            yield
        finally:
            del database.write


class _Undone(Exception):
    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer


def cases(*kinds: Kind) -> Iterator[Case]:
    """Every case of things of these kinds."""
    for kind in kinds:
        yield from product([kind], kind.relations, EVERYBODY)


@asynccontextmanager
async def staged(path: Path) -> AsyncIterator[Stage]:
    """A stage of one's own below this path."""
    url, cast = _made_once()
    async with Api.serving(_database(copy_of(url, path, "stage"))) as api:
        yield Stage(api, cast)


def _database(url: str) -> Database:
    return school_database(url)


@cache
def _made_once() -> tuple[str, Cast]:
    database = _database(new_url(made_once("stage"), "stage", kept=True))
    migrate(database.engine)
    cast = Cast()
    with database.transaction() as tx:
        schools = Schools(tx)
        Rooms(schools, cast).fill()
        Written(schools, cast).fill()
        Known(schools, cast).fill()
        cast.logins = {row.id: row.login for row in tx.execute(select(users.c.id, users.c.login))}
    return database.url, cast
