"""Has the messenger outside been told what happened here? Sends the outbox's commands until it is cancelled.

Several at a time, in order per chat and per person, each again and again until it is acted upon: after longer and
longer pauses, for a day. Then it is given up, kept for somebody to look at, and what comes after it in its chat
goes on. The network is never inside a transaction, and a messenger that is down harms nothing here.
"""

import asyncio
import logging
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from random import uniform
from typing import Protocol

from models.database import Database, Job, Transaction
from models.outbox import Due, give_back, mark_failed, mark_sent, take, whose_turn

log = logging.getLogger(__name__)


class NotActedUpon(Exception):
    """The messenger did not act, or nobody knows whether it did. `never`: it says that it will not; `after`: how
    long it wants to be left alone."""

    def __init__(self, fault: str, *, never: bool = False, after: timedelta = timedelta()) -> None:
        super().__init__(fault)
        self.never = never
        self.after = after


class Courier(Protocol):
    """Whoever brings a command to the messenger."""

    async def carry(self, number: int, text: bytes) -> str | None:
        """Returns when the messenger has acted: the address that it gives, if it gives one. Raises NotActedUpon.

        `number` is the command's, the same whenever it is carried again. Takes less time than a lease.
        """


@dataclass(frozen=True)
class Terms:
    """How commands are sent. `shortest`, `longest`: pauses after the first failure and after many; each is made
    shorter at random, by at most half, so that not everything comes at once."""

    at_once: int = 8
    look_every: timedelta = timedelta(seconds=1)
    shortest: timedelta = timedelta(seconds=1)
    longest: timedelta = timedelta(minutes=10)
    gives_up_after: timedelta = timedelta(days=1)
    lease: timedelta = timedelta(minutes=1)

    def pause(self, attempts: int) -> timedelta:
        """After so many failures in a row."""
        grown = min(self.shortest * 2.0 ** min(attempts - 1, 40), self.longest)
        return grown * uniform(0.5, 1)


USUAL = Terms()
BETWEEN_LOOKS = 0.02
"""Seconds: commits come in crowds, and one look serves them all."""

TO_GIVE_BACK = 0.5
"""Seconds, at the end."""


def woken_by(database: Database) -> asyncio.Event:
    """Set after each commit of this process, for `keep_delivering`. Whoever else is told of commits still is."""
    woken, loop, told = asyncio.Event(), asyncio.get_running_loop(), database.on_commit

    def wake(organizations: set[int]) -> None:
        told(organizations)
        with suppress(RuntimeError):  # the loop has gone: there is nobody to wake
            loop.call_soon_threadsafe(woken.set)

    database.on_commit = wake
    return woken


async def keep_delivering(
    database: Database, courier: Courier, *, woken: asyncio.Event | None = None, terms: Terms = USUAL
) -> None:
    """Sends what there is to send, when `woken` is set and at each look, until it is cancelled.

    Several processes may do so on one database. What is under way when it is cancelled is given back, and sent
    again by whoever comes next.
    """
    delivery = _Delivery(database, courier, woken or asyncio.Event(), terms)
    try:
        await delivery.keep_looking()
    finally:
        await delivery.stop()


class _Delivery:
    """One process's commands that are under way, all taken with one lease."""

    def __init__(self, database: Database, courier: Courier, woken: asyncio.Event, terms: Terms) -> None:
        self._database = database
        self._courier = courier
        self._woken = woken
        self._terms = terms
        self._lease = secrets.token_hex(8)
        self._under_way: set[asyncio.Task[None]] = set()

    async def keep_looking(self) -> None:
        while True:
            try:
                await self._look()
            except Exception:
                log.exception(
                    "looking for what the messenger has not been told failed; the next look makes up for it"
                )
            with suppress(TimeoutError):
                async with asyncio.timeout(self._terms.look_every.total_seconds()):
                    await self._woken.wait()
            await asyncio.sleep(BETWEEN_LOOKS)
            self._woken.clear()

    async def stop(self) -> None:
        """What was acted upon is marked already; of what was under way nobody knows. Where it cannot be given back
        at once, the lease runs out."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        with suppress(Exception):
            async with asyncio.timeout(TO_GIVE_BACK):
                await self._database.write(partial(give_back, lease=self._lease))

    async def _look(self) -> None:
        for _ in range(self._terms.at_once):
            room = self._terms.at_once - len(self._under_way)
            numbers = await whose_turn(self._database, at_most=room) if room else []
            if not numbers:
                return
            for due in await self._database.write(partial(self._take, numbers)):
                task = asyncio.create_task(self._deliver(due), name=f"command {due.id}")
                self._under_way.add(task)
                task.add_done_callback(self._has_room)

    def _take(self, numbers: list[int], tx: Transaction) -> list[Due]:
        return take(tx, self._lease, numbers, lasts=self._terms.lease)

    def _has_room(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._woken.set()

    async def _deliver(self, due: Due) -> None:
        try:
            url = await self._courier.carry(due.id, due.text)
        except NotActedUpon as error:
            await self._put_off(due, error)
        except Exception as error:
            log.exception("command %s could not be carried", due.id)
            await self._put_off(due, NotActedUpon(type(error).__name__))
        else:
            await self._mark(due, lambda tx: mark_sent(tx, due, url))

    async def _put_off(self, due: Due, error: NotActedUpon) -> None:
        now, attempts = self._database.clock(), due.attempts + 1
        if error.never or now - (due.failing_since or now) >= self._terms.gives_up_after:
            again_at = None
            log.error("command %s, %s, is given up after attempt %s: %s", due.id, due.command, attempts, error)
        else:
            pause = max(self._terms.pause(attempts), min(error.after, self._terms.longest))
            again_at = now + pause
            if due.attempts == 0:
                log.warning("command %s, %s, was not acted upon: %s", due.id, due.command, error)
        await self._mark(due, lambda tx: mark_failed(tx, due, self._lease, str(error), again_at=again_at))

    async def _mark(self, due: Due, job: Job[None]) -> None:
        """Where that fails, the lease runs out and the command is sent again."""
        try:
            await self._database.write(job, due.organization_id)
        except Exception:
            log.exception("what became of command %s could not be written", due.id)
