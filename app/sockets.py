"""Who may open a socket, how many, and what ends them all?"""

import asyncio
import re
from collections import Counter
from collections.abc import Hashable
from functools import partial
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from app.auth import Identity
from app.http import HEADERS
from app.operations import Api
from app.websocket import Socket, Terms

PROTOCOL = "graphql-transport-ws"
LARGEST_MESSAGE = 64 * 1024
"""Bytes."""

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Sockets:
    """All sockets that are open in this process."""

    def __init__(self, api: Api, terms: Terms) -> None:
        self._api = api
        self._terms = terms
        self._open: set[Socket] = set()
        self._of_person: Counter[int] = Counter()
        self._signed_out: Counter[Hashable] = Counter()

    async def accept(self, request: web.Request) -> web.StreamResponse:
        """Shakes hands, and stays until the socket is closed."""
        if not self._is_welcome(request):
            return web.Response(status=403, text="This origin may not open a socket here.", headers=HEADERS)
        address = self._api.proxies.client(request)
        if self._signed_out[address] >= self._terms.sockets_signed_out:
            return web.Response(status=429, text="Sign in on the sockets that are open.", headers=HEADERS)
        response = web.WebSocketResponse(
            protocols=_agreed(request),
            compress=False,
            max_msg_size=LARGEST_MESSAGE,
            autoping=False,
            timeout=self._terms.to_close,
        )
        await response.prepare(request)
        if response.ws_protocol != PROTOCOL or (transport := request.transport) is None:
            await response.close(code=4406, message=b"Subprotocol not acceptable")
            return response
        admit = partial(self._admit, address)
        socket = Socket(self._api, self._terms, response=response, transport=transport, admit=admit)
        self._signed_out[address] += 1
        self._open.add(socket)
        try:
            await socket.listen()
        finally:
            self._open.discard(socket)
            if socket.identity is None:
                _one_less(self._signed_out, address)
            else:
                _one_less(self._of_person, socket.identity.viewer.id)
        return response

    async def watch(self) -> None:
        """Ends what is overdue, for as long as the server runs."""
        while True:
            await asyncio.sleep(self._terms.between_looks)
            moment, now = monotonic(), self._api.database.clock().timestamp()
            for socket in tuple(self._open):
                socket.look(moment, now)

    async def close(self) -> None:
        """Tells all that the server stops, each when what it asked is answered."""
        for socket in tuple(self._open):
            socket.end(1001, "The server stops", to_answer=self._terms.to_answer)
        await asyncio.gather(*(socket.ended() for socket in tuple(self._open)))

    @property
    def subscriptions(self) -> int:
        """How many are listening, on all sockets."""
        return sum(socket.subscriptions for socket in self._open)

    def _admit(self, address: Hashable, identity: Identity) -> bool:
        """Counts one socket more for this person, if there may be one more, and one less for the address."""
        if self._of_person[identity.viewer.id] >= self._terms.sockets_per_person:
            return False
        self._of_person[identity.viewer.id] += 1
        _one_less(self._signed_out, address)
        return True

    def _is_welcome(self, request: web.Request) -> bool:
        """Whether the page that opens the socket is of this server or of an SPA that it knows; or no page."""
        origin = request.headers.get(hdrs.ORIGIN)
        settings = self._api.settings
        if origin is None or origin in settings.origins:
            return True
        authority = _authority(origin)
        return authority in (request.headers.get(hdrs.HOST), _authority(settings.address)) and bool(authority)


def _one_less(counts: Counter[Any], key: Hashable) -> None:
    counts[key] -= 1
    if not counts[key]:
        del counts[key]


def _authority(origin: str) -> str:
    """Host and port; nothing where there are none."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _agreed(request: web.Request) -> list[str]:
    """Our protocol where it is offered. Else the first that is: browsers show a close code only to a socket
    whose handshake named a protocol of theirs."""
    offered = [name.strip() for name in request.headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL, "").split(",")]
    return [PROTOCOL] if PROTOCOL in offered else [name for name in offered[:1] if _NAME.fullmatch(name)]
