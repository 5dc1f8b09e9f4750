"""How is PostgreSQL used? A few writing connections, one organization each at a time, and a few readers."""

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.types.string import TextLoader
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from models.database.backend import NOTHING_WRITTEN, PATIENCE
from models.database.spelling import Postgresql
from models.errors import Unavailable

WRITERS = 4
READERS = 4
PREPARED = 1_000
"""Statements that a connection keeps prepared."""

CONNECTING: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "application_name": "preau",
}
PASSING = ("40001", "40P01")  # serialization failure, deadlock
BETWEEN_TRIES = 0.1

_LAST_RECEIPT = """\
INSERT INTO receipts (writer, receipt, at) VALUES ($1, '', now())
ON CONFLICT (writer) DO UPDATE SET at = excluded.at RETURNING receipt"""

_RECEIPT_AND_LOCK = """\
WITH receipt AS (
    INSERT INTO receipts (receipt, writer, at) VALUES ($1, $2, now())
    ON CONFLICT (writer) DO UPDATE SET receipt = excluded.receipt, at = excluded.at
)
SELECT 1 FROM organizations WHERE id = $3::bigint FOR NO KEY UPDATE"""


class Postgres:
    """A database of any number of processes.

    Writes of one organization wait for the lock on its row, and see all that was written before: within it
    everything happens as on a single connection. Organizations do not wait for each other.
    """

    name = "postgresql"
    writers = WRITERS

    def __init__(self, url: URL) -> None:
        self.place = f"{url.host or url.query.get('host', 'localhost')}/{url.database}"
        self.conninfo = conninfo_of(url)
        self.engine = _engine(self.conninfo)
        self._readers: list[_Reader] = []

    def line_of(self, organization_id: int | None) -> Hashable:
        return object() if organization_id is None else organization_id

    def prepare_writer(self, connection: Connection, writer: str) -> str:
        """A server process that still goes on with a commit of this writer holds its row until that is done."""
        connection.exec_driver_sql("SET lock_timeout = '5s'")
        last = connection.exec_driver_sql(_LAST_RECEIPT, (writer,)).scalar_one()
        connection.exec_driver_sql("SET lock_timeout = 0")
        return str(last)

    def dismiss_writer(self, connection: Connection, writer: str) -> None:
        """And those whose process died long ago."""
        connection.exec_driver_sql(
            "DELETE FROM receipts WHERE writer = $1 OR at < now() - interval '7 days'", (writer,)
        )

    def begin(self, connection: Connection, organization_id: int | None, writer: str | None = None) -> str | None:
        connection.exec_driver_sql("BEGIN")
        if writer is None:
            if organization_id is not None:
                self.hold(connection, organization_id)
            return None
        receipt = secrets.token_hex(8)
        connection.exec_driver_sql(_RECEIPT_AND_LOCK, (receipt, writer, organization_id))
        return receipt

    def hold(self, connection: Connection, organization_id: int) -> None:
        connection.exec_driver_sql(
            "SELECT 1 FROM organizations WHERE id = $1 FOR NO KEY UPDATE", (organization_id,)
        )

    def is_in_transaction(self, connection: Connection) -> bool:
        raw: Any = connection.connection.driver_connection
        status = raw.info.transaction_status
        return bool(status != psycopg.pq.TransactionStatus.IDLE)

    def is_lost(self, error: Exception) -> bool:
        return isinstance(error, DBAPIError) and (error.connection_invalidated or _cannot_connect(error))

    def is_passing(self, error: Exception) -> bool:
        return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in PASSING

    def as_unavailable(self, error: Exception) -> Unavailable | None:
        state = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
        if state is not None and (state.startswith(("53", "58")) or state in ("25006", "57P03")):
            return Unavailable(NOTHING_WRITTEN)  # no room, no connection, a fault of the disk, a standby
        return None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Any number of servers share the database."""
        yield

    async def start(self) -> None:
        self._readers = [_Reader(self.conninfo) for _ in range(READERS)]

    async def stop(self) -> None:
        for reader in self._readers:
            await reader.close()
        self._readers = []

    async def read(self, sql: str, parameters: Sequence[Any]) -> list[Sequence[Any]]:
        """From the reader for which the fewest wait."""
        return await min(self._readers, key=_waiting).read(sql, parameters)


class _Reader:
    """A connection that only reads, opened again when it is lost: to read twice does no harm."""

    def __init__(self, conninfo: str) -> None:
        self.waiting = 0
        self._conninfo = conninfo
        self._turn = asyncio.Lock()
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._is_over = False

    async def read(self, sql: str, parameters: Sequence[Any]) -> list[Sequence[Any]]:
        """Raises Unavailable when the database is away for longer than we wait."""
        until = time.monotonic() + PATIENCE
        self.waiting += 1
        try:
            while True:
                try:
                    async with self._turn:
                        return await self._read(sql, parameters, until)
                except (psycopg.OperationalError, TimeoutError) as error:
                    if time.monotonic() + BETWEEN_TRIES > until:
                        raise Unavailable("The database is away. Try again.") from error
                await asyncio.sleep(BETWEEN_TRIES)
        finally:
            self.waiting -= 1

    async def close(self) -> None:
        self._is_over = True
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _read(self, sql: str, parameters: Sequence[Any], until: float) -> list[Sequence[Any]]:
        connection = self._connection
        if connection is None or connection.closed:
            async with asyncio.timeout(max(until - time.monotonic(), BETWEEN_TRIES)):
                connection = self._connection = await _reading(self._conninfo)
            if self._is_over:  # closed while this was on its way
                await connection.close()
                raise Unavailable("The program is ending.")
        late = asyncio.get_running_loop().call_later(until - time.monotonic(), _cut, connection)
        try:
            return await (await connection.execute(sql, parameters)).fetchall()
        except psycopg.OperationalError:
            if not connection.broken:
                await connection.close()
            raise
        finally:
            late.cancel()


def _waiting(reader: _Reader) -> int:
    return reader.waiting


async def _reading(conninfo: str) -> psycopg.AsyncConnection[Any]:
    """Statements are planned once for all values: planning one of ours anew takes ten times as long as running it,
    and so does compiling it to machine code."""
    try:
        connection = await psycopg.AsyncConnection.connect(
            conninfo,
            autocommit=True,
            cursor_factory=psycopg.AsyncRawCursor,
            options="-c default_transaction_read_only=on -c jit=off -c plan_cache_mode=force_generic_plan",
            prepare_threshold=0,
        )
    except OSError as error:
        raise psycopg.OperationalError(str(error)) from error
    connection.prepared_max = PREPARED
    connection.adapters.register_loader("json", TextLoader)  # it goes out as it is
    return connection


def _cut(connection: psycopg.AsyncConnection[Any]) -> None:
    """Ends a connection on which no answer comes: who waits gets an error at once."""
    if not connection.closed:
        with socket.socket(fileno=os.dup(connection.pgconn.socket)) as line:
            line.shutdown(socket.SHUT_RDWR)


def conninfo_of(url: URL) -> str:
    """As libpq reads it. What the URL says goes before our own word."""
    given: dict[str, Any] = {
        key: value
        for key, value in {
            "host": url.host,
            "port": url.port,
            "user": url.username,
            "password": url.password,
            "dbname": url.database,
        }.items()
        if value is not None
    }
    return psycopg.conninfo.make_conninfo("", **(CONNECTING | given | dict(url.query)))


def _engine(conninfo: str) -> Engine:
    """Statements are spelled as the server reads them, with `$1`, and transactions are left to us."""

    def connect() -> psycopg.Connection[Any]:
        connection = psycopg.connect(
            conninfo,
            autocommit=True,
            cursor_factory=psycopg.RawCursor,
            options="-c jit=off",
            prepare_threshold=1,
        )
        connection.prepared_max = PREPARED
        return connection

    created: Callable[..., Engine] = create_engine
    engine = created(
        "postgresql+psycopg://",
        creator=connect,
        poolclass=NullPool,
        paramstyle="numeric_dollar",
        isolation_level="AUTOCOMMIT",
    )
    assert engine.dialect.name == Postgresql.name
    return engine


def _cannot_connect(error: DBAPIError) -> bool:
    """Nobody answered, the server is starting or stopping, or the end of our last session has to be waited for."""
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        return isinstance(error.orig, psycopg.OperationalError)
    return bool(state.startswith("08") or state in ("57P01", "57P02", "57P03", "55P03"))
