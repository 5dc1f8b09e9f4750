"""How do many writes share a commit? One transaction for all that wait, told after it is on disk.

A job that fails is undone alone. A connection that is lost is opened again: what was not committed is done
again, and what may have been is asked of the engine, so that nothing is lost and nothing is done twice.
"""

import logging
import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from models.database.backend import NOT_KNOWN, NOTHING_WRITTEN, PATIENCE, Backend
from models.database.lines import Asked, Lines
from models.database.transaction import Transaction
from models.errors import Unavailable

log = logging.getLogger(__name__)

PAUSE = 0.05
"""Seconds before a lost connection is opened again; doubled up to `LONGEST_PAUSE`."""
LONGEST_PAUSE = 1.0

TRIES = 10
"""Of a transaction that two others stand in the way of."""


class _Lost(Exception):
    """The connection went before the commit: nothing was written."""


class _InTheWay(Exception):
    """Another transaction stood in the way: nothing was written, and the same may go well now."""


class Writer:
    """One thread's work, on a connection of its own."""

    def __init__(
        self,
        backend: Backend,
        lines: Lines,
        *,
        begin: Callable[[Connection], Transaction],
        committed: Callable[[set[int]], None],
    ) -> None:
        self._backend = backend
        self._lines = lines
        self._begin = begin
        self._committed = committed
        self._connection: Connection | None = None
        self._name = secrets.token_hex(8)
        self._last = ""
        """The receipt of the last transaction that was committed before this connection."""

    def work(self) -> None:
        """Until the lines are closed and empty."""
        try:
            while (taken := self._lines.take()) is not None:
                line, group = taken
                try:
                    self._do(group)
                except Exception as error:  # nobody may wait for ever
                    log.exception("a writer failed")
                    _refuse(group, error)
                finally:
                    self._lines.leave(line)
                _tell(group)
        finally:
            self._take_leave()

    def _do(self, group: list[Asked]) -> None:
        """Every job of the group is told at the end: together in one commit or, where that fails, each alone."""
        left = deque([group])
        until, pause, tries = time.monotonic() + PATIENCE, PAUSE, 0
        while left:
            batch = left[0]
            try:
                if not self._commit(batch) and len(batch) > 1:
                    left.popleft()
                    left.extendleft([asked] for asked in reversed(batch))
                else:
                    left.popleft()
                tries = 0
            except _InTheWay as error:
                tries += 1
                if tries == TRIES:
                    _refuse(left.popleft(), error.__cause__ or error)
            except _Lost:
                self._hang_up()
                if time.monotonic() + pause > until:
                    _refuse(left.popleft(), Unavailable(NOTHING_WRITTEN))
                else:
                    time.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)

    def _commit(self, batch: list[Asked]) -> bool:
        """Whether the jobs ran in one transaction that is on disk now. Each that is not is told why."""
        woken: set[int] = set()
        receipt, is_committing = None, False
        try:
            connection = self._connected()
            receipt = self._backend.begin(connection, batch[0].organization_id, self._name)
            for asked in batch:
                asked.told.clear()
                if not self._run(connection, asked, woken, alone=len(batch) == 1):
                    return False
            is_committing = True
            connection.exec_driver_sql("COMMIT")
        except Exception as error:
            if self._backend.is_lost(error):
                if not is_committing or receipt is None:
                    raise _Lost from error
                if not self._was_committed(receipt, batch):
                    return True
            else:
                self._roll_back()
                if self._backend.is_passing(error):
                    raise _InTheWay from error
                _refuse(batch, self._backend.as_unavailable(error) or error)
                return False
        if woken:
            self._committed(woken)
        return True

    def _run(self, connection: Connection, asked: Asked, woken: set[int], *, alone: bool) -> bool:
        """Runs a job; whether the transaction still stands. One that fails leaves nothing behind."""
        tx = self._begin(connection)
        if not alone:
            connection.exec_driver_sql("SAVEPOINT job")
        try:
            asked.told["result"] = asked.job(tx)
        except Exception as error:
            if self._backend.is_lost(error) or self._backend.is_passing(error):
                raise
            asked.told["error"] = self._backend.as_unavailable(error) or error
            if alone:
                self._roll_back()
                return False
            if not self._backend.is_in_transaction(connection):
                # The engine gave the whole transaction up, and with it the jobs before this one.
                return False
            connection.exec_driver_sql("ROLLBACK TO job")
        else:
            woken |= tx.woken
        if not alone:
            connection.exec_driver_sql("RELEASE job")
        return True

    def _was_committed(self, receipt: str, batch: Sequence[Asked]) -> bool:
        """Asks the engine, on a new connection, what became of a commit whose answer was lost.

        Raises _Lost when it was not. False when it cannot be known: then the jobs are told so.
        """
        until, pause = time.monotonic() + PATIENCE, PAUSE
        while True:
            self._hang_up()
            time.sleep(pause)
            try:
                self._connected()
                if self._last == receipt:
                    return True
                raise _Lost
            except DBAPIError:
                pause = min(2 * pause, LONGEST_PAUSE)
                if time.monotonic() + pause > until:
                    _refuse(batch, Unavailable(NOT_KNOWN))
                    return False

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._backend.engine.connect()
            self._last = self._backend.prepare_writer(self._connection, self._name)
        return self._connection

    def _roll_back(self) -> None:
        if self._connection is not None:
            roll_back(self._backend, self._connection)

    def _take_leave(self) -> None:
        if self._connection is not None:
            with suppress(DBAPIError):
                self._backend.dismiss_writer(self._connection, self._name)
        self._hang_up()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None


def roll_back(backend: Backend, connection: Connection) -> None:
    """Where there is something to roll back."""
    if not connection.invalidated and backend.is_in_transaction(connection):
        connection.exec_driver_sql("ROLLBACK")


def _refuse(batch: Sequence[Asked], error: BaseException) -> None:
    for asked in batch:
        asked.told.clear()
        asked.told["error"] = error


def _tell(group: list[Asked]) -> None:
    """One call into the loop for the whole group."""

    def tell_all() -> None:
        for asked in group:
            asked.tell()

    group[0].loop.call_soon_threadsafe(tell_all)
