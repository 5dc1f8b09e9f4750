"""How much may one person have under way at once? On all sockets and over HTTP together, in this process.

What is at work takes turns, in the order in which it came: whoever asks for much waits for himself, and nobody
else waits for him. A turn lasts until the answer has been taken. What would have to wait for too long is refused.
A subscription has a turn while it begins; after that it costs little, and only many of them count.
"""

import asyncio
from types import TracebackType
from weakref import WeakValueDictionary

from models.actor import Viewer
from models.errors import LimitExceeded, RateLimited

AT_WORK = 32
"""Operations of one person that run at the same time. More would only wait for the database, before others' do,
and their answers for whoever does not take them."""

UNDER_WAY = 1_000
"""Operations of one person that run or wait."""

LONGEST_WAIT = 10.0
"""Seconds that an operation waits for its turn."""

SUBSCRIPTIONS = 1_000
"""Of one person."""

AGAIN = 1
"""Seconds after which it is worth trying again."""


class Share:
    """One person's. `async with share:` is a turn; raises RateLimited where there is none."""

    __slots__ = ("__weakref__", "_subscriptions", "_turns", "_under_way")

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_WORK)
        self._under_way = 0
        self._subscriptions = 0

    async def __aenter__(self) -> None:
        if self._under_way >= UNDER_WAY:
            raise RateLimited(AGAIN)
        self._under_way += 1
        try:
            await self._turn()
        except BaseException:
            self._under_way -= 1
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._turns.release()
        self._under_way -= 1

    def subscribe(self) -> None:
        """One subscription more; each is to be ended once. Raises LimitExceeded."""
        if self._subscriptions >= SUBSCRIPTIONS:
            raise LimitExceeded(f"At most {SUBSCRIPTIONS} subscriptions of one person may be open.")
        self._subscriptions += 1

    def unsubscribe(self) -> None:
        self._subscriptions -= 1

    async def _turn(self) -> None:
        if not self._turns.locked():
            await self._turns.acquire()
            return
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                await self._turns.acquire()
        except TimeoutError:
            raise RateLimited(AGAIN) from None


class Shares:
    """Everybody's, each as long as something of it is used. Whoever is signed out has one with all others who are:
    nothing of theirs takes long."""

    def __init__(self) -> None:
        self._of_person: WeakValueDictionary[int | None, Share] = WeakValueDictionary()

    def of(self, viewer: Viewer | None) -> Share:
        person = None if viewer is None else viewer.id
        share = self._of_person.get(person)
        if share is None:
            share = self._of_person[person] = Share()
        return share

    def __len__(self) -> int:
        """How many people have something under way."""
        return len(self._of_person)
