"""A sign-in provider that can do everything wrong, on loopback, with its own keys. A test says what is wrong."""

import asyncio
import gzip
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import orjson
from aiohttp import BasicAuth, web
from joserfc import jws, jwt
from joserfc.jwk import Key, OctKey, RSAKey

from app.messenger import BuiltinMessenger
from app.sign_in import Issuer
from tests.api import Api, Person
from tests.bridging import serving
from tests.openid import CLIENT, CLIENT_SECRET, RETURN_URL
from tests.school import SECRET

ELSEWHERE = "/elsewhere"
CODE = "a-code-of-the-provider"
ACCESS = "an-access-token"
KEY, OTHER_KEY = (RSAKey.generate_key(2048, {"kid": "1", "use": "sig"}) for _ in range(2))

Fault = Callable[["Crooked", web.Request], Any]


class Lax(jws.JWSRegistry):
    """Signs whatever header there is."""

    def __init__(self) -> None:
        super().__init__(algorithms=["RS256", "HS256"])

    def check_header(self, header: Any) -> None:
        """Anything goes."""


class Crooked:
    """`claims` and `header` change the ID token, None leaves one out; `discovered` changes the description;
    `faults`: what happens instead at a path. `asked`: which paths have been asked, in order."""

    def __init__(self) -> None:
        self.address = ""
        self.now = 0
        self.nonce = ""
        self.signed_by: Key = KEY
        self.published: Key = KEY
        self.header: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.discovered: dict[str, Any] = {}
        self.tokens: dict[str, Any] = {}
        self.faults: dict[str, Fault] = {}
        self.asked: list[str] = []

    @property
    def issuer(self) -> str:
        return self.address.rstrip("/")

    def begun(self, address: str) -> str:
        """Somebody has been sent here: the state with which he goes back."""
        query = parse_qs(urlsplit(address).query)
        self.nonce = query["nonce"][0]
        return query["state"][0]

    async def respond(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        if (fault := self.faults.get(request.path)) is not None:
            found = fault(self, request)
            answer: web.StreamResponse = await found if asyncio.iscoroutine(found) else found
            return answer
        return web.Response(text=await self.honestly(request), content_type="application/json")

    async def honestly(self, request: web.Request) -> str:
        """What should be said here, as JSON."""
        match request.path.removeprefix(ELSEWHERE):
            case "/.well-known/openid-configuration":
                said = self._description()
            case "/keys":
                said = {"keys": [self.published.as_dict(private=False)]}
            case "/token":
                said = await self._token(request)
            case _:
                raise web.HTTPNotFound
        return orjson.dumps(said).decode()

    def _description(self) -> dict[str, Any]:
        return _without_none(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                **self.discovered,
            }
        )

    async def _token(self, request: web.Request) -> dict[str, Any]:
        given = await request.post()
        shown = BasicAuth.decode(request.headers["Authorization"])
        assert (unquote(shown.login), unquote(shown.password)) == (CLIENT, CLIENT_SECRET)
        assert "%" in shown.login and " " not in shown.password, "each is encoded as in a form"
        assert given["code"] == CODE
        return _without_none(
            {"access_token": ACCESS, "token_type": "Bearer", "id_token": self.id_token(), **self.tokens}
        )

    def id_token(self) -> str:
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "somebody",
            "iat": self.now,
            "exp": self.now + 60,
            "nonce": self.nonce,
            **self.claims,
        }
        header = _without_none({"alg": "RS256", "kid": "1", **self.header})
        if header["alg"] == "none":
            return ".".join((*(_written(part) for part in (header, _without_none(claims))), ""))
        return jwt.encode(header, _without_none(claims), self.signed_by, registry=Lax())


def shared_secret() -> OctKey:
    return OctKey.import_key(CLIENT_SECRET + " " * 32, {"kid": "1"})


@asynccontextmanager
async def crooked() -> AsyncIterator[Crooked]:
    provider = Crooked()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", provider.respond)
    async with serving(app) as provider.address:
        yield provider


# ------------------------------------------------------------------------------------------- in its place


def use(api: Api, provider: Crooked, patience: float = 30.0) -> None:
    """One that knows nothing of the provider yet."""
    known_as: dict[str, Any] = {"client_id": CLIENT, "client_secret": CLIENT_SECRET, "return_url": RETURN_URL}
    issuer = Issuer(provider.issuer, **known_as, patience=patience)
    api.database.messenger = BuiltinMessenger(SECRET, sign_in=issuer)


async def begin(learner: Person, provider: Crooked) -> dict[str, str]:
    """What `completeProfileLink` is given."""
    begun = await learner.do("beginProfileLink", "authorizationUrl")
    return {"code": CODE, "state": provider.begun(begun["authorizationUrl"])}


async def is_linked(learner: Person) -> bool:
    return bool((await learner.ask("{ viewer { isLinked } }"))["viewer"]["isLinked"])


# ------------------------------------------------------------------------------------------------ faults


def status(number: int, **body: Any) -> Fault:
    return lambda _, __: web.json_response(body, status=number)


def redirected(provider: Crooked, request: web.Request) -> web.Response:
    """To a place that would answer as it should."""
    return web.Response(status=307, headers={"Location": f"{provider.issuer}{ELSEWHERE}{request.path}"})


def text(said: str) -> Fault:
    return lambda _, __: web.Response(text=said, content_type="application/json")


async def slow(_: Crooked, __: web.Request) -> web.Response:
    await asyncio.sleep(30)
    return web.Response()


async def trickling(_: Crooked, request: web.Request) -> web.StreamResponse:
    """A byte now and then, without an end."""
    answer = web.StreamResponse()
    await answer.prepare(request)
    while True:
        await answer.write(b" ")
        await asyncio.sleep(0.02)


async def endless(provider: Crooked, request: web.Request) -> web.Response:
    """What should be said, and a megabyte of nothing."""
    said = await provider.honestly(request)
    return web.Response(text=said + " " * 2**20, content_type="application/json")


async def packed(provider: Crooked, request: web.Request) -> web.Response:
    """What should be said, in a form that nobody has asked for and that may become any size."""
    said = await provider.honestly(request)
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    return web.Response(body=gzip.compress(said.encode()), headers=headers)


def dropped(_: Crooked, request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def _written(part: dict[str, Any]) -> str:
    return urlsafe_b64encode(orjson.dumps(part)).decode().rstrip("=")


def _without_none(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}
