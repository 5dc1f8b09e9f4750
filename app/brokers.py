"""How do servers on one database hear of each other's changes? A broker says where to look, and no more.

A wake-up names organizations, never what happened there: whoever is woken reads that from the tables. One that
is lost or doubled costs time, and the listeners' own poll is the net below it.
"""

import asyncio
import logging
import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

import psycopg
from sqlalchemy.engine import make_url

from models.database.postgres import conninfo_of

CHANNEL = "preau"
AT_ONCE = 500
"""Organizations in one notification, which holds 8,000 bytes."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
"""Seconds before a lost connection is opened again."""

ASK_EVERY = 10.0
"""Seconds after which a silent connection is asked whether it is still there."""

log = logging.getLogger(__name__)

Look = Callable[[set[int] | None], None]
"""Look soon at these organizations; None: at all. From any thread."""


class Broker(Protocol):
    @property
    def is_connected(self) -> bool:
        """Whether wake-ups of other servers come in."""

    def listening(self, look: Look) -> Any:
        """While this context lasts, `look` hears of what this server and the others tell."""

    def tell(self, organizations: set[int]) -> None:
        """Something was committed there. From any thread; it neither waits nor fails."""


def broker_at(url: str) -> Broker:
    """Raises ValueError for an address that is no broker's."""
    if url == "memory:":
        return MemoryBroker()
    if make_url(url).get_backend_name() == "postgresql":
        return PostgresBroker(url)
    raise ValueError("memory: and postgresql:// are known")


class MemoryBroker:
    """For one server alone."""

    is_connected = True

    def __init__(self) -> None:
        self._look: Look = _nobody

    @asynccontextmanager
    async def listening(self, look: Look) -> AsyncIterator[None]:
        self._look = look
        yield
        self._look = _nobody

    def tell(self, organizations: set[int]) -> None:
        self._look(organizations)


class PostgresBroker:
    """LISTEN and NOTIFY: one connection that listens, and one that tells.

    Those of this server are told at once. After a connection was lost, all is looked at: what was told
    meanwhile was heard by nobody here.
    """

    def __init__(self, url: str) -> None:
        self._conninfo = conninfo_of(make_url(url))
        self._me = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._look: Look = _nobody
        self._loop: asyncio.AbstractEventLoop | None = None
        self._to_tell: set[int] = set()
        self._something = asyncio.Event()
        self._is_listening = False

    @property
    def is_connected(self) -> bool:
        return self._is_listening

    @asynccontextmanager
    async def listening(self, look: Look) -> AsyncIterator[None]:
        self._look, self._loop = look, asyncio.get_running_loop()
        tasks = [
            asyncio.create_task(self._keep(self._listen), name="broker, listening"),
            asyncio.create_task(self._keep(self._tell), name="broker, telling"),
        ]
        try:
            yield
        finally:
            self._look, self._loop = _nobody, None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._is_listening = False

    def tell(self, organizations: set[int]) -> None:
        self._look(organizations)
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # the loop has ended meanwhile, and who listened with it
                loop.call_soon_threadsafe(self._gather, frozenset(organizations))

    def _gather(self, organizations: Iterable[int]) -> None:
        self._to_tell.update(organizations)
        self._something.set()

    async def _keep(self, work: Callable[[psycopg.AsyncConnection[Any]], Any]) -> None:
        """Does the work on a connection, for ever: on another one when it is lost."""
        pause = FIRST_PAUSE
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True) as connection:
                    pause = FIRST_PAUSE
                    await work(connection)
            except (psycopg.Error, OSError) as error:
                log.warning("the broker's connection is lost, another is tried: %s", type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _listen(self, connection: psycopg.AsyncConnection[Any]) -> None:
        try:
            await connection.execute(f"LISTEN {CHANNEL}")
            self._is_listening = True
            self._look(None)
            while True:
                async for notification in connection.notifies(timeout=ASK_EVERY):
                    self._hear(notification.payload)
                async with asyncio.timeout(ASK_EVERY):
                    await connection.execute("SELECT 1")
        except TimeoutError:
            raise psycopg.OperationalError("no answer") from None
        finally:
            self._is_listening = False

    def _hear(self, payload: str) -> None:
        who, _, organizations = payload.partition(":")
        if who != self._me:
            self._look({int(number) for number in organizations.split(",") if number.isdecimal()} or None)

    async def _tell(self, connection: psycopg.AsyncConnection[Any]) -> None:
        while True:
            await self._something.wait()
            self._something.clear()
            waiting, self._to_tell = sorted(self._to_tell), set()
            for first in range(0, len(waiting), AT_ONCE):
                payload = f"{self._me}:{','.join(map(str, waiting[first : first + AT_ONCE]))}"
                await connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, payload))


def _nobody(_: set[int] | None) -> None:
    """Until somebody listens."""
