"""How is SQLite used? One file, one writing connection, two readers beside it."""

import fcntl
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiosqlite
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from models.database.backend import LONGEST_ANSWER, too_long
from models.errors import Unavailable

READERS = 2
LONGEST_VALUE = 8 * LONGEST_ANSWER
"""Bytes of anything that a writing connection is given, or makes."""

BUSY_SECONDS = 30
CANNOT_WORK = {
    sqlite3.SQLITE_BUSY: "The database is busy for too long: nothing was written. Try again.",
    sqlite3.SQLITE_FULL: "The disk is full: nothing was written.",
    sqlite3.SQLITE_IOERR: "The disk does not answer: nothing was written.",
    sqlite3.SQLITE_CANTOPEN: "The database cannot be opened: nothing was written.",
    sqlite3.SQLITE_READONLY: "The database cannot be written now: nothing was written.",
}


class Sqlite:
    """A file. All writes wait in one line: whoever writes is alone."""

    name = "sqlite"
    writers = 1

    def __init__(self, url: URL) -> None:
        self.path = Path(url.database or "")
        self.place = str(self.path)
        self.engine = _engine(url, self.path)
        self._waiting: dict[aiosqlite.Connection, int] = {}

    def line_of(self, organization_id: int | None) -> str:  # noqa: ARG002
        return self.name

    def prepare_writer(self, connection: Connection, writer: str) -> str:  # noqa: ARG002
        """There is one, and its connection is not lost."""
        return ""

    def dismiss_writer(self, connection: Connection, writer: str) -> None:
        """Nothing of it is kept."""

    def begin(self, connection: Connection, organization_id: int | None, writer: str | None = None) -> None:  # noqa: ARG002
        """At once as one who writes: who begins as a reader may find that another wrote meanwhile."""
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def hold(self, connection: Connection, organization_id: int) -> None:
        """Whoever writes is alone already."""

    def is_in_transaction(self, connection: Connection) -> bool:
        raw = connection.connection.driver_connection
        return isinstance(raw, sqlite3.Connection) and raw.in_transaction

    def is_lost(self, error: Exception) -> bool:  # noqa: ARG002
        return False

    def is_passing(self, error: Exception) -> bool:  # noqa: ARG002
        return False

    def as_unavailable(self, error: Exception) -> Unavailable | None:
        raw = error.orig if isinstance(error, DBAPIError) else error
        kind = getattr(raw, "sqlite_errorcode", 0) & 0xFF
        return Unavailable(CANNOT_WORK[kind]) if kind in CANNOT_WORK else None

    @contextmanager
    def alone(self) -> Iterator[None]:
        lock = self.path.with_name(f"{self.path.name}.lock")
        lock.parent.mkdir(parents=True, exist_ok=True)
        with lock.open("a") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield

    async def start(self) -> None:
        for _ in range(READERS):
            reader = await aiosqlite.connect(self.path, isolation_level=None, factory=_Reading)
            for pragma in ("query_only = ON", f"busy_timeout = {BUSY_SECONDS * 1000}", "cache_size = -32768"):
                await reader.execute_fetchall(f"PRAGMA {pragma}")
            self._waiting[reader] = 0

    async def stop(self) -> None:
        for reader in self._waiting:
            await reader.close()
        self._waiting.clear()

    async def read(self, sql: str, parameters: Sequence[Any]) -> list[Sequence[Any]]:
        """From the reader for which the fewest wait."""
        reader = min(self._waiting, key=self._waiting.__getitem__)
        self._waiting[reader] += 1
        try:
            return list(await reader.execute_fetchall(sql, parameters))
        except sqlite3.DataError as error:
            if is_too_long(error):
                raise too_long() from None
            raise
        except sqlite3.Error as error:
            raise self.as_unavailable(error) or error from None
        finally:
            self._waiting[reader] -= 1


class _Reading(sqlite3.Connection):
    """A connection that stops, rather than make an answer that is too long."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_ANSWER)


def is_too_long(error: BaseException | None) -> bool:
    """Whether the engine stopped because what it was making became too long."""
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_TOOBIG


def _engine(url: URL, path: Path) -> Engine:
    """Connections that leave transactions to us: the driver would begin them too late."""
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
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "cache_size = -65536",
        ):
            connection.execute(f"PRAGMA {pragma}")

    return engine
