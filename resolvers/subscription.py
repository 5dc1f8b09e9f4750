"""How does one subscription stand? Alone, with somebody who takes what there is to tell; or parked.

Alone it is a listener of its own: `news` gives what is stored and new, with the person's own rights, each event
when the one before was taken. When it has caught up it is parked: nothing of it runs, and what remains is small.
It may share what it waits for with others; else it is woken to read alone again.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, Protocol, TypeVar

from models.errors import Unavailable
from models.tables.events import EventKind
from resolvers.asked import Asked
from resolvers.context import Context
from resolvers.lookahead import Finished

PATIENCE = 10.0
"""Seconds for which a database that is away is waited for."""

BETWEEN_TRIES = 0.5

Result = TypeVar("Result")


class Peer(Protocol):
    """Who takes what a parked subscription tells."""

    def push(self, text: str) -> bool:
        """Sends this value, JSON, if it goes out at once; whether it did."""

    def resume(self) -> None:
        """There may be something to tell that was not pushed: take `news` again."""

    def give_up(self) -> None:
        """The database is away for too long: the peer has to come again later."""


class Meeting(Protocol):
    """Where several wait together."""

    def leave(self, member: Any) -> None: ...


class Subscription(ABC):
    """What one person listens to on one socket."""

    __slots__ = ("_is_listening", "_is_woken", "_meeting", "asked", "ctx", "is_over", "peer")

    def __init__(self, ctx: Context, asked: Asked) -> None:
        self.ctx = ctx
        self.asked = asked
        self.is_over = False
        """Whether there will never be anything to tell any more."""
        self._is_listening = False
        self._is_woken = False
        self.peer: Peer | None = None
        """Who is told while it is parked."""
        self._meeting: Meeting | None = None

    @property
    @abstractmethod
    def kinds(self) -> frozenset[EventKind]:
        """The kinds of events for which it wants to be woken."""

    @abstractmethod
    def read(self) -> AsyncGenerator[Finished]:
        """What there is to tell now, by one statement or several."""

    @abstractmethod
    def meet(self) -> Meeting | None:
        """Joins others who wait for the same. None where there are none; nor when they know more by now, then it
        is woken."""

    @abstractmethod
    def skip_to(self, event: int) -> None:
        """Nothing up to this event is of interest."""

    async def news(self) -> AsyncGenerator[Finished]:
        """What there is to tell, until nothing is left for now, or `is_over`. Register first, then read.

        Raises Unauthenticated, and whatever else ends the subscription.
        """
        if not self._is_listening:
            self.ctx.listeners.add(self.ctx.viewer, self)
            self._is_listening = True
        while True:
            self._is_woken = False
            async with aclosing(self.read()) as values:
                async for value in values:
                    yield value
            if self.is_over or not self._is_woken:
                return

    def __aiter__(self) -> AsyncGenerator[Finished]:
        return self.news()

    def park(self, peer: Peer) -> bool:
        """Whether it waits from here on by itself, and tells the peer. If not, there is something new already."""
        meeting = None if self._is_woken else self.meet()
        if self._is_woken:
            return False
        if meeting is not None:
            self._stop_listening()
        self._meeting, self.peer = meeting, peer
        return True

    def close(self) -> None:
        """Ends it, whatever it does."""
        self.peer = None
        self._stop_listening()
        if self._meeting is not None:
            meeting, self._meeting = self._meeting, None
            meeting.leave(self)

    # ------------------------------------------------------------------------ what happens to it while parked

    def wake(self, floor: int) -> None:
        if self.peer is not None and not self._is_woken:
            self.skip_to(floor)
        self._is_woken = True
        self.resume()

    def go_alone(self) -> None:
        """Who waited with it knows no more of it: it reads what comes with its own rights."""
        self._meeting = None
        self.ctx.listeners.add(self.ctx.viewer, self)
        self._is_listening = True
        self.resume()

    def resume(self) -> None:
        if self.peer is not None:
            peer, self.peer = self.peer, None
            peer.resume()

    def give_up(self) -> None:
        if self.peer is not None:
            self.peer.give_up()

    def _stop_listening(self) -> None:
        if self._is_listening:
            self.ctx.listeners.remove(self.ctx.viewer, self)
            self._is_listening = False


async def patiently(read: Callable[[], Awaitable[Result]]) -> Result:
    """What is read, also when the database is away for a while. Raises Unavailable when it is for too long."""
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE
    while True:
        try:
            return await read()
        except Unavailable:
            if loop.time() >= until:
                raise
        await asyncio.sleep(BETWEEN_TRIES)
