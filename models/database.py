"""How is the database reached? Readers of their own, and one writer that commits in groups.

Rules are plain synchronous functions of a `Transaction`. `Database.write` runs them on the one writing
connection: many jobs share a commit, and each is told only after it is on disk. `Database.read` runs one
finished statement on a reading connection. Nothing else touches the database while the server runs.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite
from sqlalchemy import Connection, CursorResult, Engine, Executable, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from models.messenger import ExternalMessenger

Result = TypeVar("Result")
Clock = Callable[[], datetime]

READERS = 2
BATCH = 200
BUSY_SECONDS = 30


def wall_clock() -> datetime:
    """Now, in UTC, to the millisecond: what the database can keep."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


@dataclass
class Transaction:
    """What a rule works with: the connection, the moment it happens, and the messenger to tell.

    `woken` gathers the organizations in which something happened; they are told after the commit.
    """

    connection: Connection
    now: datetime
    messenger: ExternalMessenger
    woken: set[int] = field(default_factory=set)

    def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        return self.connection.execute(statement, parameters)


Job = Callable[[Transaction], Result]


class Database:
    """One database, by its URL. Open it with `start` in a server, or use `transaction` alone in a command."""

    def __init__(self, url: str, *, messenger: ExternalMessenger, clock: Clock = wall_clock) -> None:
        address = make_url(url)
        if address.get_backend_name() != "sqlite":
            raise ValueError(f"{address.get_backend_name()}: only sqlite:/// is known")
        self.url = url
        self.path = Path(address.database or "")
        self.clock = clock
        self.messenger = messenger
        self.on_commit: Callable[[set[int]], None] = _tell_nobody
        self.engine = _engine(url)
        self._jobs: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._waiting: dict[aiosqlite.Connection, int] = {}

    # -------------------------------------------------------------------------------- in a command

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """One transaction on a connection of its own, committed at the end, undone by an error."""
        with self.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            tx = Transaction(connection, self.clock(), self.messenger)
            try:
                yield tx
                connection.exec_driver_sql("COMMIT")
            except BaseException:
                _roll_back(connection)
                raise
        self.on_commit(tx.woken)

    # --------------------------------------------------------------------------------- in a server

    async def start(self) -> None:
        self._writer = threading.Thread(target=self._write_in_groups, name="writer", daemon=True)
        self._writer.start()
        for _ in range(READERS):
            reader = await aiosqlite.connect(self.path, isolation_level=None)
            for pragma in ("query_only = ON", f"busy_timeout = {BUSY_SECONDS * 1000}", "cache_size = -32768"):
                await reader.execute_fetchall(f"PRAGMA {pragma}")
            self._waiting[reader] = 0

    async def stop(self) -> None:
        """Answers what was asked, then closes every connection."""
        if self._writer is not None:
            self._jobs.put(None)
            await asyncio.to_thread(self._writer.join)
            self._writer = None
        for reader in self._waiting:
            await reader.close()
        self._waiting.clear()

    async def read(self, sql: str, parameters: Sequence[Any]) -> list[Sequence[Any]]:
        """The rows of one statement, as of one moment, from the reader for which the fewest wait."""
        reader = min(self._waiting, key=self._waiting.__getitem__)
        self._waiting[reader] += 1
        try:
            return list(await reader.execute_fetchall(sql, parameters))
        finally:
            self._waiting[reader] -= 1

    async def write(self, job: Job[Result]) -> Result:
        """What the job returns, after it is on disk. What it raises, after all it wrote is undone.

        The job must be repeatable: it runs again alone when the commit of its group fails. It is not
        cancelled with its caller: what was begun is finished.
        """
        asked = _Asked(job, asyncio.get_running_loop())
        self._jobs.put(asked)
        return await asyncio.shield(asked.answer)

    # ---------------------------------------------------------------------------------- the writer

    def _write_in_groups(self) -> None:
        with self.engine.connect() as connection:
            while (group := self._next_group()) is not None:
                if not self._commit(connection, group) and len(group) > 1:
                    for asked in group:
                        self._commit(connection, [asked])
                _tell(group)

    def _next_group(self) -> "list[_Asked] | None":
        """All that waits, at most `BATCH`; None at the end."""
        first = self._jobs.get()
        if first is None:
            return None
        group = [first]
        while len(group) < BATCH and not self._jobs.empty():
            asked = self._jobs.get()
            if asked is None:
                self._jobs.put(None)
                break
            group.append(asked)
        return group

    def _commit(self, connection: Connection, group: "list[_Asked]") -> bool:
        """Whether all jobs of the group ran in one transaction that is on disk now."""
        woken: set[int] = set()
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            for asked in group:
                asked.told.clear()
                tx = Transaction(connection, self.clock(), self.messenger)
                connection.exec_driver_sql("SAVEPOINT job")
                try:
                    asked.told["result"] = asked.job(tx)
                    woken |= tx.woken
                except Exception as error:
                    asked.told["error"] = error
                    if not _in_transaction(connection):
                        # The engine gave the whole transaction up, and with it the jobs before this one.
                        return False
                    connection.exec_driver_sql("ROLLBACK TO job")
                connection.exec_driver_sql("RELEASE job")
            connection.exec_driver_sql("COMMIT")
        except Exception as error:
            _roll_back(connection)
            for asked in group:
                asked.told.clear()
                asked.told["error"] = error
            return False
        if woken:
            self.on_commit(woken)
        return True


class _Asked:
    """A job that waits for the writer, and who waits for it."""

    def __init__(self, job: Job[Any], loop: asyncio.AbstractEventLoop) -> None:
        self.job = job
        self.loop = loop
        self.answer: asyncio.Future[Any] = loop.create_future()
        self.told: dict[str, Any] = {}

    def tell(self) -> None:
        if self.answer.done():
            return
        if "error" in self.told:
            self.answer.set_exception(self.told["error"])
            self.answer.exception()  # a caller that has gone does not ask: that is no unhandled error
        else:
            self.answer.set_result(self.told["result"])


def _tell_nobody(_: set[int]) -> None:
    """Until somebody listens."""


def _tell(group: list[_Asked]) -> None:
    """One call into the loop for the whole group."""

    def tell_all() -> None:
        for asked in group:
            asked.tell()

    if group:
        group[0].loop.call_soon_threadsafe(tell_all)


def _in_transaction(connection: Connection) -> bool:
    raw = connection.connection.driver_connection
    return isinstance(raw, sqlite3.Connection) and raw.in_transaction


def _roll_back(connection: Connection) -> None:
    if _in_transaction(connection):
        connection.exec_driver_sql("ROLLBACK")


def _engine(url: str) -> Engine:
    """Connections that leave transactions to us: the driver would begin them too late."""
    path = Path(make_url(url).database or "")
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "cache_size = -65536",
        ):
            connection.execute(f"PRAGMA {pragma}")

    return engine
