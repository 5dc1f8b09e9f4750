"""Is a token that this server has not signed, or not so, worth anything? Over HTTP, on sockets, for files."""

import base64
import hmac
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType
from joserfc import jws
from joserfc.jwk import RSAKey

from app.auth import LIFETIME, LONGEST_TOKEN, Tokens
from app.websocket import Terms
from models.actor import Viewer
from tests.test_websocket import PROTOCOL, init
from tests.web import NOW, SECRET, Served, served

SECONDS = int(NOW.timestamp())
STRANGER = RSAKey.generate_key(2048)


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Served]:
    async with served(tmp_path, terms=Terms(to_close=0.2), storage_url=f"file:{tmp_path}/files") as running:
        yield running


def part(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def claims(**others: Any) -> dict[str, Any]:
    """Of person 1; None leaves a claim out."""
    said = {"sub": "1", "org": "1", "iat": SECONDS, "exp": SECONDS + 3600, **others}
    return {name: value for name, value in said.items() if value is not None}


def signed(
    said: Any, secret: bytes = SECRET.encode(), *, digest: str = "sha256", header: dict[str, Any] | None = None
) -> str:
    """By hand, so that it may say anything."""
    head = part({"alg": "HS256", **(header or {})})
    mac = hmac.digest(secret, f"{head}.{part(said)}".encode(), digest)
    return f"{head}.{part(said)}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def changed(said: dict[str, Any]) -> str:
    """Other claims below a good signature."""
    head, _, mac = signed(claims()).split(".")
    return f"{head}.{part(said)}.{mac}"


def by_a_private_key() -> str:
    return jws.serialize_compact({"alg": "RS256"}, json.dumps(claims()), STRANGER, algorithms=["RS256"])


FALSE: dict[str, Callable[[], str]] = {
    "of another server": lambda: Tokens("y" * 40).issue(Viewer(1, 1), now=NOW),
    "forged": lambda: signed(claims(), b"guessed"),
    "forged with nothing": lambda: signed(claims(), b""),
    "changed to another person": lambda: changed(claims(sub="2")),
    "changed to last longer": lambda: changed(claims(exp=SECONDS + 10**6)),
    "unsigned": lambda: f"{part({'alg': 'none'})}.{part(claims())}.",
    "unsigned in capitals": lambda: f"{part({'alg': 'nOnE'})}.{part(claims())}.",
    "unsigned, said to be signed": lambda: f"{part({'alg': 'HS256'})}.{part(claims())}.",
    "stripped": lambda: signed(claims()).rpartition(".")[0],
    "stripped of a letter": lambda: signed(claims())[:-2],
    "signed twice": lambda: signed(claims()) + ".AAAA",
    "another algorithm by the same secret": lambda: signed(claims(), digest="sha512", header={"alg": "HS512"}),
    "another algorithm in the header": lambda: signed(claims(), header={"alg": "HS512"}),
    "by a private key": by_a_private_key,
    "by a private key whose public half it brings": lambda: jws.serialize_compact(
        {"alg": "RS256", "jwk": STRANGER.as_dict(private=False)},
        json.dumps(claims()),
        STRANGER,
        algorithms=["RS256"],
        registry=jws.JWSRegistry(strict_check_header=False),
    ),
    "no algorithm": lambda: f"{part({'typ': 'JWT'})}.{part(claims())}.AAAA",
    "an extension that must be understood": lambda: signed(claims(), header={"crit": ["exp"], "exp": 1}),
    "its own content beside it": lambda: signed(claims(), header={"b64": False, "crit": ["b64"]}),
    "expired": lambda: signed(claims(exp=SECONDS)),
    "expired before all time": lambda: signed(claims(exp=-(2**63))),
    "without an end": lambda: signed(claims(exp=None)),
    "an end that is true": lambda: signed(claims(exp=True)),
    "an end that is no number": lambda: signed(claims(exp="soon")),
    "an end that is a list": lambda: signed(claims(exp=[SECONDS + 3600])),
    "an end beyond all numbers": lambda: signed(claims(exp=float("inf"))),
    "nobody": lambda: signed(claims(sub=None)),
    "nobody known": lambda: signed(claims(sub="3")),
    "a number beyond all keys": lambda: signed(claims(sub="9" * 30)),
    "a person that is a list": lambda: signed(claims(sub=["1"])),
    "a person that is a statement": lambda: signed(claims(sub="1 OR 1=1")),
    "in no school": lambda: signed(claims(org=None)),
    "in another school": lambda: signed(claims(org="2")),
    "claims that are a list": lambda: signed([1]),
    "half a letter": lambda: signed(claims(sub="\ud800")),
    "too long": lambda: signed(claims(x="x" * LONGEST_TOKEN)),
    "deep": lambda: f"{base64.urlsafe_b64encode(b'[' * 2000).decode()}.e30.AAAA",
    "no token": lambda: "x",
    "three empty parts": lambda: "..",
}


async def over_http(web: Served, authorization: str) -> Any:
    """Who that is, or why nobody."""
    _, answer = await web.ask("{ me }", headers={"Authorization": authorization})
    return answer["errors"][0]["extensions"]["code"] if "errors" in answer else answer["data"]["me"]


async def on_a_socket(web: Served, authorization: str) -> Any:
    """Who that is, or the code with which the socket closes."""
    async with web.client.ws_connect(web.url, protocols=[PROTOCOL]) as ws:
        await ws.send_json(init(authorization))
        first = await ws.receive(timeout=5)
        if first.type is not WSMsgType.TEXT:
            return ws.close_code
        await ws.send_json({"id": "1", "type": "subscribe", "payload": {"query": "{ me }"}})
        payload = (await ws.receive_json())["payload"]
        return payload["data"]["me"]


async def for_a_file(web: Served, authorization: str) -> list[int]:
    """The statuses of an upload and of a download."""
    head, url = {"Authorization": authorization}, f"{web.address}/attachments"
    async with web.client.post(f"{url}?name=a", data=b"a", headers=head) as sent:
        pass
    async with web.client.get(f"{url}/Attachment_1/a", headers=head) as fetched:
        return [sent.status, fetched.status]


async def test_a_token_that_was_signed_by_hand_as_it_should_be_is_good(web: Served) -> None:
    """What makes the others worth nothing is what their names say."""
    token = f"Bearer {signed(claims())}"
    assert (await over_http(web, token), await on_a_socket(web, token)) == ("1", "1")
    for name, place in (("jku", "https://id.evil.example/keys"), ("kid", "../../dev/null"), ("x5u", "file:///")):
        token = f"Bearer {signed(claims(), header={name: place})}"
        assert await over_http(web, token) in ("1", "UNAUTHENTICATED"), "nobody looks there"


@pytest.mark.parametrize("name", FALSE)
async def test_a_token_that_is_not_in_order_is_worth_nothing(
    web: Served, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    token = f"Bearer {FALSE[name]()}"
    if name in ("nobody known", "in another school"):  # good, and of nobody
        assert await on_a_socket(web, token) == 4403
        assert await for_a_file(web, token) == [401, 404]
        return
    assert await over_http(web, token) == "UNAUTHENTICATED"
    assert await on_a_socket(web, token) == 4403
    assert await for_a_file(web, token) == [401, 404]
    assert not caplog.records


async def test_a_token_lasts_as_long_as_it_says_and_no_longer(web: Served) -> None:
    token = web.token()
    web.clock[0] = NOW + LIFETIME - timedelta(seconds=1)
    assert (await over_http(web, token), await on_a_socket(web, token)) == ("1", "1")
    web.clock[0] = NOW + LIFETIME
    assert (await over_http(web, token), await on_a_socket(web, token)) == ("UNAUTHENTICATED", 4403)
    assert await for_a_file(web, token) == [401, 404]
