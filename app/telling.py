"""How is one operation answered on a socket? With a task while there is something to tell, else without one.

What a subscription has stored, and what comes while it is told alone, goes out one after another, each when the
peer has taken the one before. After that only this small object remains, and pushes what is read for many.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import Any, Protocol

from app.answers import Answer, encode, is_signed_out, refusal
from app.metrics import DELIVERIES
from app.operations import Api, Operation
from app.shares import Share
from models.errors import LimitExceeded, RateLimited, Unavailable
from resolvers.context import Context
from resolvers.subscription import Subscription
from schema.execution import Events

Work = Callable[[], Awaitable[None]]


class Outlet(Protocol):
    """The socket, as one operation knows it."""

    async def say(self, text: str) -> None:
        """Sends the message, however long the peer takes. Raises ConnectionError when it has gone."""

    def push(self, text: str) -> bool:
        """Sends the message if it goes out at once; whether it did."""

    def forget(self, telling: "Telling") -> None:
        """From here on the peer may use the operation's id again."""

    def keep(self, task: asyncio.Task[None]) -> None:
        """Something runs for the socket."""

    def end(self, code: int, reason: str) -> None:
        """Closes the socket."""


class Telling:
    """One operation, by the id that the peer gave it."""

    __slots__ = ("_begin", "_outlet", "_share", "_source", "_task", "id")

    def __init__(self, outlet: Outlet, id_: str) -> None:
        self._outlet = outlet
        self.id = id_
        self._begin = ""
        self._source: Subscription | None = None
        self._share: Share | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def is_subscription(self) -> bool:
        return self._source is not None

    def start(self, api: Api, operation: Operation, context: Context) -> None:
        self._run(partial(self._answer, api, operation, context))

    def stop(self) -> None:
        """Ends it without a word; what runs is cancelled."""
        if self._task is not None:
            self._task.cancel()
        self._release()  # a task that has not begun yet would not do it

    # ------------------------------------------------------------------------- what a subscription calls

    def push(self, text: str) -> bool:
        return self._outlet.push(f"{self._begin}{text}}}}}}}")

    def resume(self) -> None:
        self._run(self._tell)

    def give_up(self) -> None:
        self._outlet.end(1013, "Try again later")

    # ------------------------------------------------------------------------------------------ what runs

    def _run(self, work: Work) -> None:
        self._task = asyncio.create_task(self._finish(work))
        self._outlet.keep(self._task)

    async def _finish(self, work: Work) -> None:
        """Releases what the operation holds when its work is done, unless it is parked."""
        try:
            await work()
        except ConnectionError:
            pass  # the peer has gone
        finally:
            if self._task is not None:
                self._outlet.forget(self)
                self._release()

    def _release(self) -> None:
        """What a subscription holds; once."""
        if self._source is not None:
            self._source.close()
        if self._share is not None:
            share, self._share = self._share, None
            share.unsubscribe()

    async def _answer(self, api: Api, operation: Operation, context: Context) -> None:
        """Answers a query or a mutation, or begins to tell the events of a subscription."""
        share = api.shares.of(context.identity)
        try:
            async with share:
                opened = await api.open(operation, context)
                if not isinstance(opened, Events):
                    await self._say_last(opened)
                    return
                self._source = opened.source
                share.subscribe()
        except (RateLimited, LimitExceeded) as fault:
            await self._say_last(refusal(fault))
            return
        self._share = share
        self._begin = f'{{"id":{_quoted(self.id)},"type":"next","payload":{{"data":{{{_quoted(opened.key)}:'
        await self._tell()

    async def _tell(self) -> None:
        """Tells what there is, until it is over or parked."""
        source = self._source
        assert source is not None
        try:
            while not source.is_over:
                async with aclosing(source.news()) as news:
                    async for value in news:
                        await self._outlet.say(f"{self._begin}{encode(value.value).decode()}}}}}}}")
                        DELIVERIES.inc()
                if not source.is_over and source.park(self):
                    self._task = None
                    return
        except ConnectionError:
            raise
        except Unavailable:
            self.give_up()
        except Exception as error:
            await self._say_last(refusal(error))
        else:
            await self._say_last(None)

    async def _say_last(self, answer: Answer | None) -> None:
        """The whole answer; None: there is no more."""
        if answer is not None and "data" in answer:
            await self._say("next", answer)
        self._outlet.forget(self)
        if answer is None or "data" in answer:
            await self._say("complete", None)
        else:
            await self._say("error", answer["errors"])
        if answer is not None and is_signed_out(answer):
            self._outlet.end(4403, "Not active any more")

    async def _say(self, kind: str, payload: Any) -> None:
        shown = "" if payload is None else f',"payload":{encode(payload).decode()}'
        await self._outlet.say(f'{{"id":{_quoted(self.id)},"type":"{kind}"{shown}}}')


def _quoted(text: str) -> str:
    return encode(text).decode()
