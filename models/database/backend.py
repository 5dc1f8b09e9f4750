"""What must an engine be able to do for us? The few things in which SQLite and PostgreSQL differ."""

from collections.abc import Hashable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sqlalchemy import Connection, Engine

from models.errors import LimitExceeded, Unavailable

PATIENCE = 10.0
"""Seconds for which a database that is away is waited for, before who asked is told so."""

NOTHING_WRITTEN = "The database is away: nothing was written. Try again."
NOT_KNOWN = "The database went away: whether this was done is not known. Repeat it with the same idempotencyKey."

LONGEST_ANSWER = 8 * 1024**2
"""Bytes, or letters, of what one statement answers: more would hold everybody up. A page of the longest messages
is half of it."""


def too_long() -> LimitExceeded:
    return LimitExceeded("The answer would be too long: ask for a part of it in another operation.")


class Backend(Protocol):
    """One engine. Its `name` is that of the dialect; `place` is how messages call the database."""

    name: str
    place: str
    engine: Engine
    writers: int

    def line_of(self, organization_id: int | None) -> Hashable:
        """Jobs of one line are done one after another, and may share a transaction."""

    def prepare_writer(self, connection: Connection, writer: str) -> str:
        """Before the first transaction of this writer on a new connection: the receipt of the last that it
        committed on any other. Waits for the end of one that may still be committed."""

    def dismiss_writer(self, connection: Connection, writer: str) -> None:
        """It has written all that it had to."""

    def begin(self, connection: Connection, organization_id: int | None, writer: str | None = None) -> str | None:
        """Begins a transaction in which nobody else writes in this organization. Gives a writer the receipt by
        which `prepare_writer` knows it."""

    def hold(self, connection: Connection, organization_id: int) -> None:
        """From here to the end of the transaction nobody else writes in this organization."""

    def is_in_transaction(self, connection: Connection) -> bool: ...

    def is_lost(self, error: Exception) -> bool:
        """Whether the connection is gone with this error, and a new one may do better."""

    def is_passing(self, error: Exception) -> bool:
        """Whether the same transaction may succeed when it is run again at once."""

    def as_unavailable(self, error: Exception) -> Unavailable | None:
        """The error as who asked may see it, where it says that the database cannot work now."""

    def alone(self) -> AbstractContextManager[None]:
        """Held by a server; raises BlockingIOError where only one may run and one does."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def read(self, sql: str, parameters: Sequence[Any]) -> list[Sequence[Any]]: ...
