"""How does a message get onto a socket? In its turn, however long the peer takes; or at once, or not at all.

One message waits for a peer that does not read, the others for their turn: little is kept for it, and whoever
watches sees since when it does not read.
"""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

from aiohttp import web

LITTLE = 8 * 1024
"""Bytes that may wait in a socket onto which something is pushed: less than what makes a transport hold back."""

LONGEST_PUSH = 12 * 1024
"""Characters of what is pushed: with `LITTLE` before them, and four bytes each, they do not make it hold back."""


class Wire:
    """The sending side of one socket."""

    __slots__ = ("_response", "_turn", "transport", "waits_since")

    def __init__(self, response: web.WebSocketResponse, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.waits_since: float | None = None
        """When the message that is being sent began to be, by `monotonic`."""
        self._response = response
        self._turn = asyncio.Lock()

    async def say(self, text: str) -> None:
        """Sends the message when it has its turn. Raises ConnectionError when the peer has gone."""
        await self._in_turn(self._response.send_str, text)

    async def pong(self, content: bytes) -> None:
        await self._in_turn(self._response.pong, content)

    def push(self, text: str) -> bool:
        """Sends the message if nothing has to be waited for; whether it did."""
        if not self._has_room() or len(text) > LONGEST_PUSH:
            return False
        try:
            self._response.send_str(text).send(None)
        except StopIteration:
            return True
        except ConnectionError:
            return False
        return self._cut()

    def ping(self) -> bool:
        """The same with a question whether the peer is there."""
        if not self._has_room():
            return False
        try:
            self._response.ping().send(None)
        except StopIteration:
            return True
        except ConnectionError:
            return False
        return self._cut()

    async def hang_up(self, code: int, reason: str, *, within: float) -> None:
        """Says why, and closes; without waiting for a peer that does not answer within so many seconds."""
        try:
            async with asyncio.timeout(within):
                await self._response.close(code=code, message=reason.encode())
        except (TimeoutError, ConnectionError):
            self.transport.abort()

    async def _in_turn(self, send: Callable[[Any], Awaitable[None]], content: str | bytes) -> None:
        async with self._turn:
            self.waits_since = monotonic()
            try:
                await send(content)
            finally:
                self.waits_since = None

    def _has_room(self) -> bool:
        """Whether nothing is waited for: so little lies before it that the transport does not hold back."""
        return self.waits_since is None and self.transport.get_write_buffer_size() <= LITTLE

    def _cut(self) -> bool:
        """There was no room after all, and half a message lies there."""
        self.transport.abort()
        return False
