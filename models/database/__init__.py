"""How is the database reached? Readers of their own, and writers that commit in groups.

Rules are plain synchronous functions of a `Transaction`. `Database.write` runs them on a writing connection:
many jobs share a commit, and each is told only after it is on disk. `Database.read` runs one finished
statement on a reading connection. Nothing else touches the database while the server runs.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import make_url

from models.database.backend import Backend
from models.database.lines import Asked, Lines
from models.database.postgres import Postgres
from models.database.sqlite import Sqlite
from models.database.transaction import Clock, Job, Result, Transaction, wall_clock
from models.database.writer import Writer, roll_back
from models.messenger import ExternalMessenger

Begin = Callable[[int | None], AbstractContextManager[Transaction]]
"""Begins a transaction in which nobody else writes in this organization."""

__all__ = ["Begin", "Clock", "Database", "Job", "Transaction", "wall_clock"]


class Database:
    """One database, by its URL. Open it with `start` in a server, or use `transaction` alone in a command."""

    def __init__(self, url: str, *, messenger: ExternalMessenger, clock: Clock = wall_clock) -> None:
        self.url = url
        self.clock = clock
        self.messenger = messenger
        self.on_commit: Callable[[set[int]], None] = _tell_nobody
        self.backend = _backend(url)
        self._lines = Lines()
        self._writers: list[threading.Thread] = []

    @property
    def engine(self) -> Engine:
        return self.backend.engine

    @property
    def path(self) -> Path:
        """SQLite's file. Raises ValueError for a database that is none."""
        if isinstance(self.backend, Sqlite):
            return self.backend.path
        raise ValueError(f"{self.backend.place} is no file")

    # -------------------------------------------------------------------------------- in a command

    @contextmanager
    def transaction(self, organization_id: int | None = None) -> Iterator[Transaction]:
        """One transaction on a connection of its own, committed at the end, undone by an error. Nobody else
        writes in the organization meanwhile."""
        with self.transactions() as begin, begin(organization_id) as tx:
            yield tx

    @contextmanager
    def transactions(self) -> Iterator[Begin]:
        """One connection for several such transactions, one after the other."""
        with self.engine.connect() as connection:

            @contextmanager
            def begin(organization_id: int | None = None) -> Iterator[Transaction]:
                self.backend.begin(connection, organization_id)
                tx = self._transaction(connection)
                try:
                    yield tx
                    connection.exec_driver_sql("COMMIT")
                except BaseException:
                    roll_back(self.backend, connection)
                    raise
                if tx.woken:
                    self.on_commit(tx.woken)

            yield begin

    # --------------------------------------------------------------------------------- in a server

    async def start(self) -> None:
        self._lines = Lines()
        for number in range(self.backend.writers):
            writer = Writer(self.backend, self._lines, begin=self._transaction, committed=self._committed)
            self._writers.append(threading.Thread(target=writer.work, name=f"writer {number + 1}", daemon=True))
        for thread in self._writers:
            thread.start()
        await self.backend.start()

    async def stop(self) -> None:
        """Answers what was asked, then closes every connection."""
        self._lines.close()
        for thread in self._writers:
            await asyncio.to_thread(thread.join)
        self._writers.clear()
        await self.backend.stop()

    async def read(self, sql: str, parameters: Sequence[Any]) -> list[Sequence[Any]]:
        """The rows of one statement, as of one moment. Raises Unavailable while the database is away."""
        return await self.backend.read(sql, parameters)

    async def write(self, job: Job[Result], organization_id: int | None = None) -> Result:
        """What the job returns, after it is on disk. What it raises, after all it wrote is undone; Unavailable
        while the database is away.

        The job must be repeatable: it runs again alone when the commit of its group fails. It is not
        cancelled with its caller: what was begun is finished. Nobody else writes in the organization
        meanwhile, and what was written there before is seen.
        """
        asked = Asked(job, organization_id, asyncio.get_running_loop())
        self._lines.put(self.backend.line_of(organization_id), asked)
        result: Result = await asyncio.shield(asked.answer)
        return result

    def _transaction(self, connection: Connection) -> Transaction:
        return Transaction(connection, self.clock(), self.messenger, holding=self.backend.hold)

    def _committed(self, woken: set[int]) -> None:
        self.on_commit(woken)


def _backend(url: str) -> Backend:
    """Raises ValueError for an engine that is not ours."""
    address = make_url(url)
    match address.get_backend_name():
        case "sqlite":
            return Sqlite(address)
        case "postgresql":
            return Postgres(address)
        case other:
            raise ValueError(f"{other}: sqlite:/// and postgresql:// are known")


def _tell_nobody(_: set[int]) -> None:
    """Until somebody listens."""
