"""How does a file go out? To who sees its message now, by a signed address or with a token; to others there is
nothing."""

import asyncio
import logging
from collections.abc import AsyncIterator
from urllib.parse import quote
from weakref import WeakValueDictionary

from aiohttp import ETag, hdrs, web

from app.answers import encode
from app.http import HEADERS, preflight
from app.operations import Api
from app.storage import Storage, first_line
from models.actor import Viewer
from models.attachments import File
from models.errors import Code, Unavailable
from models.file_types import is_shown
from resolvers.attachments import find_file
from resolvers.ids import number
from schema.reasons import reason

SILENCE = 30.0
"""Seconds within which a receiver must take the next piece."""

AT_ONCE = 32
"""Files that go out to one person together; others wait, and nothing of them is read."""

LETS_NOTHING_IN = "default-src 'none'; base-uri 'none'; form-action 'none'; sandbox"
"""Whatever a browser makes of a file that it opens as a page of its own: it loads nothing and runs nothing."""

SHOWS_ITSELF = (
    "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; sandbox allow-same-origin"
)
"""A picture is seen and a sound is heard: they come from where the page does. Nothing runs there either."""

SENT_WITH = {
    "Accept-Ranges": "bytes",
    "Cache-Control": "private, no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

log = logging.getLogger(__name__)


class Downloads:
    """GET /attachments/ID/NAME. A browser keeps its copy, and asks each time whether it may still show it."""

    def __init__(self, api: Api, storage: Storage) -> None:
        self._api = api
        self._storage = storage
        self._turns: WeakValueDictionary[int, asyncio.Semaphore] = WeakValueDictionary()

    async def respond(self, request: web.Request) -> web.StreamResponse:
        origin = request.headers.get(hdrs.ORIGIN)
        allowed = origin if origin in self._api.settings.origins else None
        if request.method == hdrs.METH_OPTIONS:
            return preflight(allowed, "GET, HEAD, OPTIONS")
        cross: dict[str, str] = {hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: allowed, hdrs.VARY: "Origin"} if allowed else {}
        try:
            viewer = await self._viewer(request)
            if viewer is None:
                return _nothing(cross)
            async with self._turn(viewer):
                file = await find_file(self._api.database, viewer, _number(request))
                return await self._send(request, file, {**SENT_WITH, **cross}) if file else _nothing(cross)
        except Unavailable as fault:
            return _later(cross, str(fault))

    async def _viewer(self, request: web.Request) -> Viewer | None:
        """Who asks: by the address, or else by a token."""
        viewer = self._api.signer.viewer(request.query.get("signature", ""), _number(request))
        if viewer is None:
            identity = await self._api.identify(request.headers.get(hdrs.AUTHORIZATION))
            return identity.viewer if identity else None
        return viewer

    def _turn(self, viewer: Viewer) -> asyncio.Semaphore:
        """So that nobody fills the memory with what he does not take."""
        return self._turns.setdefault(viewer.id, asyncio.Semaphore(AT_ONCE))

    async def _send(self, request: web.Request, file: File, headers: dict[str, str]) -> web.StreamResponse:
        headers = {**headers, hdrs.ETAG: _tag(file)}
        if ETag(file.digest) in (request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        part = _part(request, file)
        start, end = part or (0, file.byte_size)
        if start >= end:
            return web.Response(status=416, headers={**headers, hdrs.CONTENT_RANGE: f"bytes */{file.byte_size}"})
        headers[hdrs.CONTENT_TYPE] = file.content_type
        headers["Content-Security-Policy"] = SHOWS_ITSELF if is_shown(file.content_type) else LETS_NOTHING_IN
        headers[hdrs.CONTENT_DISPOSITION] = disposition(file)
        headers[hdrs.CONTENT_LENGTH] = str(end - start)
        if part is not None:
            headers[hdrs.CONTENT_RANGE] = f"bytes {start}-{end - 1}/{file.byte_size}"
        response = web.StreamResponse(status=206 if part else 200, headers=headers)
        if request.method == hdrs.METH_HEAD:
            return response
        try:
            pieces = await self._storage.read(file.storage_key, start, end)
        except OSError as error:
            log.warning("The file %s cannot be read: %s", file.storage_key, first_line(error))
            raise Unavailable("The file cannot be read now. Try again later.") from None
        await _pour(request, response, pieces)
        return response


def disposition(file: File) -> str:
    """Shown where a browser does that safely, saved otherwise; under its name in every alphabet (RFC 6266)."""
    way = "inline" if is_shown(file.content_type) else "attachment"
    plain = "".join(
        each if each.isascii() and each.isprintable() and each not in '"\\%' else "_" for each in file.name
    )
    return f"{way}; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name, safe='')}"


async def _pour(request: web.Request, response: web.StreamResponse, pieces: AsyncIterator[bytes]) -> None:
    """A receiver that takes nothing is cut; one that has gone is let go."""
    try:
        await response.prepare(request)
        async for piece in pieces:
            async with asyncio.timeout(SILENCE):
                await response.write(piece)
        await response.write_eof()
    except ConnectionError:
        return
    except (TimeoutError, OSError):
        log.warning("A download was cut off", exc_info=True)
        if request.transport is not None:
            request.transport.abort()


def _part(request: web.Request, file: File) -> tuple[int, int] | None:
    """From where to before where, when the request asks for one part of this very file; else None, for all."""
    if hdrs.RANGE not in request.headers or request.headers.get(hdrs.IF_RANGE, _tag(file)) != _tag(file):
        return None
    try:
        asked = request.http_range
    except ValueError:
        return None
    start, end, _ = asked.indices(file.byte_size)
    return start, end


def _tag(file: File) -> str:
    return f'"{file.digest}"'


def _number(request: web.Request) -> int:
    return number("Attachment", request.match_info["id"])


def _nothing(headers: dict[str, str]) -> web.Response:
    """The same for every reason."""
    return _said(404, {"code": Code.NOT_FOUND.value, "reason": reason(Code.NOT_FOUND, "en")}, headers)


def _later(headers: dict[str, str], text: str) -> web.Response:
    return _said(503, {"code": "UNAVAILABLE", "reason": text}, headers)


def _said(status: int, body: dict[str, str], headers: dict[str, str]) -> web.Response:
    headers = {**HEADERS, **headers, hdrs.CONTENT_TYPE: "application/json; charset=utf-8"}
    return web.Response(status=status, body=encode(body), headers=headers)
