"""How does an operation come over HTTP, and how does its answer go back? By POST, as JSON, and in no other way."""

from functools import lru_cache
from time import perf_counter

from aiohttp import hdrs, web

from app.answers import encode, refusal
from app.operations import Api, Operation, read_json, read_operation
from app.tally import Tally
from models.errors import RateLimited, RequestFault, Unavailable

LARGEST_BODY = 512 * 1024
"""Bytes."""

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
        media_type = _media_type(request.headers.get(hdrs.ACCEPT, ""))
        operation, began = None, perf_counter()
        try:
            operation = await _operation(request)
            began = perf_counter()  # how long a client takes to send is not ours
            identity = await self._api.identify(request.headers.get(hdrs.AUTHORIZATION))
            if identity is None:
                self._api.rates.signed_out(self._api.proxies.client(request))
            answer = await self._api.execute(operation, self._api.context(identity))
            status = 400 if media_type is GRAPHQL_JSON and "data" not in answer else 200
        except RequestFault as fault:
            answer = refusal(fault)
            status = fault.status if isinstance(fault, _Unread) else STATUS.get(type(fault), 400)
        self._tally.answered(operation, answer, perf_counter() - began)
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
        return origin if origin in self._api.settings.origins else None


class _Unread(RequestFault):
    """A request that is not even read, and the HTTP status that says so."""

    def __init__(self, status: int, text: str, *, code: str = "BAD_REQUEST") -> None:
        super().__init__(code, text)
        self.status = status


async def _operation(request: web.Request) -> Operation:
    """What is asked. Raises RequestFault where that cannot be told."""
    _check(request)
    text = await _text(request)
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
    if (request.content_length or 0) > LARGEST_BODY:
        raise _too_large()


async def _text(request: web.Request) -> str:
    """The body. Raises _Unread."""
    try:
        return (await request.read()).decode()
    except web.HTTPRequestEntityTooLarge:
        raise _too_large() from None
    except UnicodeDecodeError:
        raise _Unread(400, "The body is not UTF-8.") from None
    except (web.RequestPayloadError, ConnectionError):
        raise _Unread(400, "The body ended before its end.") from None


def _too_large() -> _Unread:
    return _Unread(413, f"A request holds at most {LARGEST_BODY // 1024} KiB.", code="LIMIT_EXCEEDED")


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
