"""How is another server asked for JSON? Within a bounded time, up to a bounded size, and at its address alone."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
import orjson

PATIENCE = 10.0
"""Seconds for everything that is asked on behalf of one request."""

LARGEST = 256 * 1024
"""Bytes of an answer."""


class NoAnswer(Exception):
    """Nothing came, or nothing that could be read. The text names the kind of fault and quotes nothing."""


class Said(NamedTuple):
    status: int
    object: dict[str, Any]


@asynccontextmanager
async def asking(patience: float = PATIENCE) -> AsyncIterator[aiohttp.ClientSession]:
    """A session of its own: no cookies, no proxies of the environment, nothing unpacked. Raises NoAnswer when
    time is up."""
    try:
        async with (
            asyncio.timeout(patience),
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False) as session,
        ):
            yield session
    except TimeoutError:
        raise NoAnswer("too slow") from None


async def ask(
    session: aiohttp.ClientSession,
    address: str,
    *,
    form: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Said:
    """What is there; a form is posted. A redirection is not followed, and no answer. Raises NoAnswer."""
    sent = {"Accept": "application/json", "Accept-Encoding": "identity", **(headers or {})}
    method = "GET" if form is None else "POST"
    if form is not None:
        sent["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        async with session.request(method, address, data=form, headers=sent, allow_redirects=False) as answer:
            if 300 <= answer.status < 400 or answer.status >= 500:
                raise NoAnswer(f"status {answer.status}")
            return Said(answer.status, _object(await _body(answer)))
    except (aiohttp.ClientError, asyncio.IncompleteReadError, OSError, ValueError) as error:
        raise NoAnswer(type(error).__name__) from None


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    read = bytearray()
    async for part in answer.content.iter_chunked(64 * 1024):
        read += part
        if len(read) > LARGEST:
            answer.close()
            raise NoAnswer("too large")
    return bytes(read)


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise NoAnswer("no JSON") from None
    if not isinstance(found, dict):
        raise NoAnswer("no JSON object")
    return found
