"""Is an answer taken by whoever asked? It is sent while somebody looks at the time: the web server itself waits
for a peer that does not read, however much it keeps for him."""

import asyncio

from aiohttp import web

LONGEST = 60.0
"""Seconds that an answer may take to go out."""

LITTLE = 32 * 1024
"""Bytes that a connection takes on which nothing waits, whether or not anybody reads."""


async def send(request: web.Request, response: web.StreamResponse) -> None:
    """Sends the answer, unless that has begun, or needs no looking after. Who takes it too slowly is cut, who has
    gone let go. What comes in pieces looks after itself."""
    if response.prepared or not isinstance(response, web.Response) or _goes_at_once(request, response):
        return
    try:
        async with asyncio.timeout(LONGEST):
            await response.prepare(request)
            await response.write_eof()
    except ConnectionError:
        return
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()


def _goes_at_once(request: web.Request, response: web.Response) -> bool:
    transport = request.transport
    if transport is None or transport.get_write_buffer_size():
        return False
    body = response.body
    return body is None or (isinstance(body, bytes) and len(body) <= LITTLE)
