"""What is known of a request, whatever it asks for? Its id, whether it is still under way, and that it failed.

Every request and every socket has an id. A proxy in front may give it (`X-Request-Id`); the answer carries it, and
so does every line that is logged on its behalf.
"""

import asyncio
import re
from random import getrandbits

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from app.answers import encode, refusal
from app.hearing import NAME
from app.http import HEADERS
from app.logs import request_id
from app.sending import send
from models.errors import Unavailable

REQUEST_ID = "X-Request-Id"

_SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Requests:
    """All requests of one process, sockets too."""

    def __init__(self) -> None:
        self._under_way = 0
        self._settled: asyncio.Event | None = None

    @web.middleware
    async def accompany(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Names the request and counts it. What its handler did not expect is logged, and masked."""
        given = request.headers.get(REQUEST_ID)
        known = given if given and _SANE.fullmatch(given) else f"{getrandbits(64):016x}"
        request_id.set(known)
        self._under_way += 1
        try:
            response = await _answered(request, handler)
            await send(request, response)
            return response
        except web.HTTPException as found:
            await send(request, found)
            raise
        finally:
            self._under_way -= 1
            if self._settled is not None and not self._under_way:
                self._settled.set()

    async def settled(self) -> None:
        """Returns when none is under way."""
        if self._under_way:
            self._settled = asyncio.Event()
            await self._settled.wait()

    @staticmethod
    async def sign(_: web.Request, response: web.StreamResponse) -> None:
        """On everything that leaves the server: which software it runs on is nobody's business."""
        response.headers[hdrs.SERVER] = NAME
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        if known := request_id.get():
            response.headers[REQUEST_ID] = known


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except (web.HTTPException, ConnectionError):
        raise
    except Exception as error:
        return web.Response(
            status=503 if isinstance(error, Unavailable) else 500,
            body=encode(refusal(error)),
            headers={**HEADERS, hdrs.CONTENT_TYPE: "application/json; charset=utf-8"},
        )
