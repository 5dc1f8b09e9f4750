"""How does an operation come over HTTP, and how does its answer go back? By POST, as JSON, and in no other way."""

import asyncio
from functools import lru_cache
from time import perf_counter

from aiohttp import StreamReader, hdrs, web

from app.answers import Answer, encode, refusal
from app.auth import Identity
from app.operations import Api, Operation, read_json, read_operation
from app.sending import send
from app.tally import Tally
from models.errors import RateLimited, RequestFault, Unavailable

LARGEST_BODY = 512 * 1024
"""Bytes."""

LARGEST_SIGNED_OUT = 64 * 1024
"""Bytes, of whoever may not do anything yet."""

LONGEST_BODY = 30.0
"""Seconds that a body may take to come."""

GRAPHQL_JSON = "application/graphql-response+json"
PLAIN_JSON = "application/json"

HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
METHODS = "POST, OPTIONS"

STATUS: dict[type[RequestFault], int] = {RateLimited: 429, Unavailable: 503}
"""Of what is the matter before anybody knows who asks; 400 for all others."""


class Endpoint:
    """POST /graphql.

    A request that is no operation is answered with 4xx. An operation is answered with 200; where the client
    understands `application/graphql-response+json`, 400 tells it that the operation never began.
    """

    def __init__(self, api: Api, tally: Tally) -> None:
        self._api = api
        self._tally = tally

    async def respond(self, request: web.Request) -> web.Response:
        origin = self._allowed_origin(request)
        if request.method == hdrs.METH_OPTIONS:
            return preflight(origin, METHODS)
        operation, began = None, perf_counter()
        try:
            _check(request)
            identity = await self._identity(request)
            operation = await _operation(request, LARGEST_BODY if identity else LARGEST_SIGNED_OUT)
            began = perf_counter()  # how long a client takes to send is not ours
            async with self._api.shares.of(identity.viewer if identity else None):
                answer = await self._api.execute(operation, self._api.context(identity))
                self._tally.answered(operation, answer, perf_counter() - began)
                response = self._response(request, answer, origin)
                await send(request, response)
        except RequestFault as fault:
            answer = refusal(fault)
            self._tally.answered(operation, answer, perf_counter() - began)
            response = self._response(request, answer, origin, fault)
        return response

    async def _identity(self, request: web.Request) -> Identity | None:
        """Who asks: looked at before anything is read for somebody who may not."""
        identity = await self._api.identify(request.headers.get(hdrs.AUTHORIZATION))
        if identity is None:
            self._api.rates.signed_out(self._api.proxies.client(request))
        return identity

    @staticmethod
    def _response(
        request: web.Request, answer: Answer, origin: str | None, fault: RequestFault | None = None
    ) -> web.Response:
        """`fault`: what was the matter before anything ran."""
        media_type = _media_type(request.headers.get(hdrs.ACCEPT, ""))
        if fault is not None:
            status = fault.status if isinstance(fault, _Unread) else STATUS.get(type(fault), 400)
        else:
            status = 400 if media_type is GRAPHQL_JSON and "data" not in answer else 200
        headers = {**HEADERS, hdrs.CONTENT_TYPE: f"{media_type}; charset=utf-8"}
        if status == 405:
            headers[hdrs.ALLOW] = METHODS
        if status == 429:
            headers[hdrs.RETRY_AFTER] = str(answer["errors"][0]["extensions"]["retryAfter"])
        if origin:
            headers |= {hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: origin, hdrs.VARY: "Origin"}
        return web.Response(status=status, body=encode(answer), headers=headers)

    def _allowed_origin(self, request: web.Request) -> str | None:
        origin = request.headers.get(hdrs.ORIGIN)
        return origin if origin and origin in self._api.settings.origins else None


class _Unread(RequestFault):
    """A request that is not even read, and the HTTP status that says so."""

    def __init__(self, status: int, text: str, *, code: str = "BAD_REQUEST") -> None:
        super().__init__(code, text)
        self.status = status


async def _operation(request: web.Request, most: int) -> Operation:
    """What is asked, in at most so many bytes. Raises RequestFault where that cannot be told."""
    text = await _text(request, most)
    return read_operation(read_json(text), text)


def _check(request: web.Request) -> None:
    """Raises _Unread for what the head of the request tells already.

    Only JSON: a page of another origin cannot send that without asking first.
    """
    if request.method != hdrs.METH_POST:
        raise _Unread(405, "Operations come by POST.")
    if hdrs.CONTENT_ENCODING in request.headers:
        raise _Unread(415, "Send the body as it is, without Content-Encoding.")
    if not _is_json(request.headers.get(hdrs.CONTENT_TYPE, "")):
        raise _Unread(415, "Send the operation as application/json in UTF-8.")


async def _text(request: web.Request, most: int) -> str:
    """The body. Raises _Unread."""
    if (request.content_length or 0) > most:
        raise _too_large(most)
    content = request.content
    try:
        body = content.read_nowait() if content.is_eof() else await _gathered(content, most)
        if len(body) > most:
            raise _too_large(most)
        return body.decode()
    except TimeoutError:
        raise _Unread(408, "The body came too slowly.") from None
    except UnicodeDecodeError:
        raise _Unread(400, "The body is not UTF-8.") from None
    except (web.RequestPayloadError, ConnectionError):
        raise _Unread(400, "The body ended before its end.") from None


async def _gathered(content: StreamReader, most: int) -> bytes:
    """What comes, until it is too much; no faster than it comes, and not for ever."""
    body = bytearray()
    async with asyncio.timeout(LONGEST_BODY):
        while len(body) <= most and (piece := await content.readany()):
            body += piece
    return bytes(body)


def _too_large(most: int) -> _Unread:
    return _Unread(413, f"Such a request holds at most {most // 1024} KiB.", code="LIMIT_EXCEEDED")


def preflight(origin: str | None, methods: str) -> web.Response:
    """What a browser asks before a page of another origin may call. Other origins hear nothing."""
    headers = {**HEADERS, hdrs.ALLOW: methods}
    if origin:
        headers |= {
            hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: origin,
            hdrs.ACCESS_CONTROL_ALLOW_METHODS: methods.removesuffix(", OPTIONS"),
            hdrs.ACCESS_CONTROL_ALLOW_HEADERS: "authorization, content-type",
            hdrs.ACCESS_CONTROL_MAX_AGE: "600",
            hdrs.VARY: "Origin",
        }
    return web.Response(status=204, headers=headers)


@lru_cache(maxsize=64)
def _is_json(content_type: str) -> bool:
    kind, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = [
        value.strip('" ') for name, _, value in (p.partition("=") for p in parameters) if name == "charset"
    ]
    return kind == PLAIN_JSON and all(charset in ("utf-8", "utf8") for charset in charsets)


@lru_cache(maxsize=256)
def _media_type(accept: str) -> str:
    """The media type of GraphQL over HTTP where it is asked for by name and not liked less than plain JSON."""
    liked = dict(_preference(part) for part in accept.lower().split(","))
    asked = liked.get(GRAPHQL_JSON, 0.0)
    return GRAPHQL_JSON if asked > 0 and asked >= liked.get(PLAIN_JSON, 0.0) else PLAIN_JSON


def _preference(part: str) -> tuple[str, float]:
    """A media type of an Accept header, and how much it is liked."""
    kind, *parameters = (piece.strip() for piece in part.split(";"))
    quality = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
    try:
        return kind, float(quality)
    except ValueError:
        return kind, 0.0
