"""Who is signed in where the school has an identity provider? Over HTTP and on sockets, on a real server, with
keys that a real provider publishes."""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, web
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwe, jws
from joserfc.jwk import OctKey, RSAKey
from pydantic import ValidationError
from sqlalchemy import insert

from app.auth import Tokens
from app.identity import KNOWN_FOR, provider_of
from app.keys import BETWEEN, Keys
from app.keys import KNOWN_FOR as KEYS_KNOWN_FOR
from app.settings import Settings
from app.websocket import Terms
from models.actor import Viewer
from models.errors import Unavailable
from models.tables.organization import organizations
from models.tables.people import users
from tests.identity_provider import (
    AUDIENCE,
    CURVE,
    EDWARDS,
    FIRST,
    ISSUER,
    SECOND,
    STRANGER,
    IdentityProvider,
    publishing,
    signed,
)
from tests.running import at_school
from tests.school import LEARNER_9A, SCHOOL, build_school, school_database
from tests.steps import import_school, without_person
from tests.terminal import assert_mistake, run_at
from tests.web import MOVEMENTS, NOW, SECRET, Served, served

QUICK = Terms(to_sign_in=0.5, to_close=0.2, between_looks=0.02)
PROTOCOL = "graphql-transport-ws"


@pytest.fixture
async def provider() -> AsyncIterator[IdentityProvider]:
    async with publishing() as provider:
        yield provider


@pytest.fixture
async def school(tmp_path: Path, provider: IdentityProvider) -> AsyncIterator[Served]:
    """A school whose people sign in with that provider."""
    MOVEMENTS.open = 0
    async with served(tmp_path, terms=QUICK, **provider.settings) as school:
        yield school


async def me(school: Served, token: str) -> str | None:
    """Who that is over HTTP."""
    _, answer = await school.ask("{ me }", headers={"Authorization": token})
    if "errors" in answer:
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAUTHENTICATED"], answer
        return None
    found: str = answer["data"]["me"]
    return found


@asynccontextmanager
async def opened(school: Served, token: str) -> AsyncIterator[ClientWebSocketResponse]:
    async with school.client.ws_connect(school.url, protocols=[PROTOCOL]) as ws:
        await ws.send_json({"type": "connection_init", "payload": {"Authorization": token}})
        yield ws


async def on_a_socket(school: Served, token: str) -> str | int | None:
    """Who that is on a socket, or the code with which it closes."""
    async with opened(school, token) as ws:
        first = await ws.receive(timeout=5)
        if first.type is not WSMsgType.TEXT:
            return ws.close_code
        assert json.loads(first.data) == {"type": "connection_ack"}
        await ws.send_json({"id": "1", "type": "subscribe", "payload": {"query": "{ me }"}})
        found: str = (await ws.receive_json())["payload"]["data"]["me"]
        return found


async def closed_with(ws: ClientWebSocketResponse) -> int | None:
    async with asyncio.timeout(5):
        while (await ws.receive()).type is WSMsgType.TEXT:
            pass
    return ws.close_code


# ------------------------------------------------------------------------------------------ who is let in


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(FIRST, "RS256"), (FIRST, "PS256"), (CURVE, "ES256"), (EDWARDS, "EdDSA"), (EDWARDS, "Ed25519")],
)
async def test_a_token_that_the_provider_signed_signs_in(
    school: Served, provider: IdentityProvider, key: Any, algorithm: str
) -> None:
    provider.keys = {"other": SECOND, "mine": key}
    token = signed(provider.claims(NOW), key, algorithm=algorithm, kid="mine")
    assert await me(school, token) == "1"
    assert await on_a_socket(school, token) == "1"
    assert provider.asked == 1


@pytest.mark.parametrize(
    "others",
    [
        {"organization": "School"},
        {"organization": ["School"]},
        {"aud": ["another", AUDIENCE]},
        {"nbf": int(NOW.timestamp()) + 59},
        {"iat": NOW.timestamp() + 59.5},
        {"exp": int(NOW.timestamp()) - 59},
        {"exp": 2**40},
        {"iat": None},
        {"roles": ["admin"], "org": "2"},
    ],
    ids=str,
)
async def test_what_else_a_good_token_may_say(
    school: Served, provider: IdentityProvider, others: dict[str, Any]
) -> None:
    assert await me(school, signed(provider.claims(NOW, **others))) == "1"


async def test_what_is_signed_by_hand_as_it_should_be_is_good(school: Served, provider: IdentityProvider) -> None:
    """So that it is what its header says for which another is refused; and where that points nobody looks."""
    assert await me(school, _by_hand({}, provider.claims(NOW))) == "1"
    pointing = {"jku": f"{provider.address}/elsewhere", "x5u": f"{provider.address}/certificate", "typ": "JWT"}
    assert await me(school, _by_hand(pointing, provider.claims(NOW))) == "1"
    assert provider.asked == 1


async def test_a_token_names_no_key_where_there_is_one_alone(school: Served, provider: IdentityProvider) -> None:
    assert await me(school, signed(provider.claims(NOW), kid=None)) == "1"


async def test_the_claims_have_the_names_that_the_school_gives(tmp_path: Path, provider: IdentityProvider) -> None:
    names: dict[str, Any] = {"login_claim": "upn", "organization_claim": "uai"}
    async with served(tmp_path, **provider.settings, **names) as school:
        assert await me(school, signed(provider.claims(NOW, upn="2", uai="1"))) == "2"
        assert await me(school, signed(provider.claims(NOW))) is None


# ------------------------------------------------------------------------------------------- who is not


def _text(part: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def _unsigned(provider: IdentityProvider, algorithm: str) -> str:
    return f"Bearer {_text({'alg': algorithm, 'kid': 'first'})}.{_text(provider.claims(NOW))}."


def _stripped(provider: IdentityProvider) -> str:
    return signed(provider.claims(NOW)).rpartition(".")[0] + "."


def _changed(provider: IdentityProvider) -> str:
    """Another person's name under a good signature."""
    head, _, tail = signed(provider.claims(NOW)).split(".")
    return f"{head}.{_text(provider.claims(NOW, preferred_username='2'))}.{tail}"


def _mac(provider: IdentityProvider, secret: bytes) -> str:
    said = f"{_text({'alg': 'HS256', 'kid': 'first'})}.{_text(provider.claims(NOW))}"
    mac = hmac.digest(secret, said.encode(), "sha256")
    return f"Bearer {said}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def _by_hand(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """With a good signature, and a header that nobody in his senses would sign."""
    said = f"{_text({'alg': 'RS256', 'kid': 'first', **header})}.{_text(claims)}"
    assert FIRST.private_key
    signature = FIRST.private_key.sign(said.encode(), PKCS1v15(), SHA256())
    return f"Bearer {said}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def _claiming(said: Any) -> str:
    """Signed as it should be, whatever is said."""
    text = said if isinstance(said, str) else json.dumps(said)
    header = {"alg": "RS256", "kid": "first"}
    return "Bearer " + jws.serialize_compact(header, text, FIRST, algorithms=["RS256"])


def _encrypted(provider: IdentityProvider) -> str:
    said = json.dumps(provider.claims(NOW))
    header = {"alg": "RSA-OAEP", "enc": "A128GCM", "kid": "first"}
    return "Bearer " + jwe.encrypt_compact(header, said, FIRST)


SECONDS = int(NOW.timestamp())
OURS = Tokens(SECRET).issue(Viewer(1, 1), now=NOW)

FALSE: dict[str, Any] = {
    "forged": lambda p: signed(p.claims(NOW), STRANGER),
    "forged with the key in the header": lambda p: signed(
        p.claims(NOW), STRANGER, jwk=STRANGER.as_dict(private=False)
    ),
    "forged with the keys elsewhere": lambda p: signed(p.claims(NOW), STRANGER, jku=f"{p.address}/elsewhere"),
    "changed": _changed,
    "signed again with the public key as a secret": lambda p: _mac(p, FIRST.as_pem(private=False)),
    "signed again with the published key as a secret": lambda p: _mac(
        p, json.dumps(FIRST.as_dict(private=False)).encode()
    ),
    "signed again with our own secret": lambda p: signed(
        p.claims(NOW), OctKey.import_key(SECRET), algorithm="HS256", kid=None
    ),
    "our own": lambda _: f"Bearer {OURS}",
    "unsigned": lambda p: _unsigned(p, "none"),
    "unsigned in capitals": lambda p: _unsigned(p, "None"),
    "stripped": _stripped,
    "stripped of its last part": lambda p: signed(p.claims(NOW)).rpartition(".")[0],
    "another algorithm in the header": lambda p: signed(p.claims(NOW), EDWARDS, algorithm="EdDSA"),
    "a key that nobody knows": lambda p: signed(p.claims(NOW), SECOND, kid="second"),
    "a name of a key that is no text": lambda _: f"Bearer {_text({'alg': 'RS256', 'kid': [1]})}.e30.AAAA",
    "an extension that must be understood": lambda p: signed(p.claims(NOW), b64=True, crit=["b64"], x="y")[:-3],
    "an extension that nobody knows": lambda p: _by_hand({"crit": ["exp"], "exp": 1}, p.claims(NOW)),
    "an extension that is not there": lambda p: _by_hand({"crit": ["b64"]}, p.claims(NOW)),
    "its own content beside it": lambda p: _by_hand({"crit": ["b64"], "b64": False}, p.claims(NOW)),
    "extensions that are no list": lambda p: _by_hand({"crit": "b64", "b64": True}, p.claims(NOW)),
    "forged with the certificate elsewhere": lambda p: signed(
        p.claims(NOW), STRANGER, x5u=f"{p.address}/elsewhere"
    ),
    "forged with a certificate of its own": lambda p: signed(p.claims(NOW), STRANGER, x5c=["MIIB"], x5t="AAAA"),
    "a name of a key that is a place": lambda p: signed(p.claims(NOW), STRANGER, kid="../../../../dev/null"),
    "a name of a key that is an address": lambda p: signed(p.claims(NOW), STRANGER, kid=f"{p.address}/elsewhere"),
    "a name of a key that is a statement": lambda p: signed(p.claims(NOW), STRANGER, kid="' OR 1=1 --"),
    "a name of a key with a hole": lambda p: signed(p.claims(NOW), kid="first\0"),
    "a name of a key in another case": lambda p: signed(p.claims(NOW), kid="First"),
    "no name of a key": lambda p: signed(p.claims(NOW), STRANGER, kid=None),
    "an empty name of a key": lambda p: signed(p.claims(NOW), kid=""),
    "packed": lambda p: signed(p.claims(NOW), STRANGER, zip="DEF"),
    "unsigned in part": lambda p: _unsigned(p, "none") + signed(p.claims(NOW)).rpartition(".")[2],
    "signed by a curve with the name of the other key": lambda p: signed(p.claims(NOW), CURVE, algorithm="ES256"),
    "two signatures": lambda p: signed(p.claims(NOW)) + "." + signed(p.claims(NOW)).rpartition(".")[2],
    "with signatures around it": lambda _: (
        "Bearer " + json.dumps({"payload": "e30", "signatures": [{"protected": "e30", "signature": "AAAA"}]})
    ),
    "claims that are a list": lambda _: _claiming([]),
    "claims that are no JSON": lambda _: _claiming("{"),
    "a claim twice": lambda p: _claiming(json.dumps(p.claims(NOW))[:-1] + ', "iss": "https://id.evil.example"}'),
    "encrypted": _encrypted,
    "another issuer": lambda p: signed(p.claims(NOW, iss="https://id.school.example/realm/")),
    "no issuer": lambda p: signed(p.claims(NOW, iss=None)),
    "for another program": lambda p: signed(p.claims(NOW, aud="another")),
    "for others": lambda p: signed(p.claims(NOW, aud=["another", {"preau": 1}])),
    "for a list that is no list": lambda p: signed(p.claims(NOW, aud={"preau": 1})),
    "for a list in a list": lambda p: signed(p.claims(NOW, aud=[["preau"]])),
    "for nobody in a list": lambda p: signed(p.claims(NOW, aud=[])),
    "for whoever begins like us": lambda p: signed(p.claims(NOW, aud="preau-other")),
    "for nobody": lambda p: signed(p.claims(NOW, aud=None)),
    "expired": lambda p: signed(p.claims(NOW, exp=SECONDS - 60)),
    "without an end": lambda p: signed(p.claims(NOW, exp=None)),
    "an end that is no moment": lambda p: signed(p.claims(NOW, exp=str(SECONDS + 300))),
    "an end that is true": lambda p: signed(p.claims(NOW, exp=True)),
    "an end without end": lambda p: signed(p.claims(NOW, exp=2.0**60)),
    "an end before the beginning of time": lambda p: signed(p.claims(NOW, exp=-1)),
    "an end that is not even a number": lambda p: signed(p.claims(NOW, exp=float("nan"))),
    "good from a moment that is none": lambda p: signed(p.claims(NOW, nbf="now")),
    "not yet good": lambda p: signed(p.claims(NOW, nbf=SECONDS + 61)),
    "made tomorrow": lambda p: signed(p.claims(NOW, iat=SECONDS + 61)),
    "nobody": lambda p: signed(p.claims(NOW, preferred_username=None)),
    "somebody unknown": lambda p: signed(p.claims(NOW, preferred_username="3")),
    "in another case": lambda p: signed(p.claims(NOW, organization="SCHOOL")),
    "a number": lambda p: signed(p.claims(NOW, preferred_username=1)),
    "a text that no database takes": lambda p: signed(p.claims(NOW, preferred_username="1\0")),
    "half a letter": lambda p: signed(p.claims(NOW, preferred_username="\ud800")),
    "endless": lambda p: signed(p.claims(NOW, preferred_username="1" * 300)),
    "in no school": lambda p: signed(p.claims(NOW, organization=None)),
    "in an unknown school": lambda p: signed(p.claims(NOW, organization="2")),
    "in two schools": lambda p: signed(p.claims(NOW, organization=["1", "School"])),
    "too long": lambda p: signed(p.claims(NOW, groups=["x" * 100] * 100)),
    "no letters of tokens": lambda _: "Bearer é.é.é",
    "deep": lambda _: f"Bearer {base64.urlsafe_b64encode(b'[' * 3000).decode()}.e30.AAAA",
    "no token": lambda _: "Bearer ",
}


@pytest.mark.parametrize("name", FALSE)
async def test_a_token_that_is_not_in_order_signs_nobody_in(
    school: Served, provider: IdentityProvider, name: str
) -> None:
    token = FALSE[name](provider)
    if name != "too long":  # a header of that length is not even read
        assert await me(school, token) is None
    assert await on_a_socket(school, token) == 4403
    assert provider.asked <= 1
    assert await me(school, signed(provider.claims(NOW))) == "1"


async def test_who_was_deactivated_does_not_come_in(school: Served, provider: IdentityProvider) -> None:
    school.deactivate(1)
    token = signed(provider.claims(NOW))
    assert await me(school, token) is None
    assert await on_a_socket(school, token) == 4403


async def test_two_schools_of_one_name_are_told_apart_by_their_sourcedId(
    school: Served, provider: IdentityProvider
) -> None:
    with school.database.transaction() as tx:
        known = {"time_zone": "UTC", "locale": "en", "preset": "EPOS_SCHOOL", "policy": {}, "imported_at": tx.now}
        tx.execute(insert(organizations).values(source_id="north", name="School", **known))
        person = {"source_id": "3", "login": "3", "name": "3", "search_key": "3", "created_at": tx.now}
        tx.execute(insert(users).values(organization_id=2, **person))
    for login, organization, found in (("3", "School", None), ("1", "School", None), ("3", "north", "3")):
        said = provider.claims(NOW, preferred_username=login, organization=organization)
        assert await me(school, signed(said)) == found
    assert await me(school, signed(provider.claims(NOW))) == "1"


async def test_a_school_is_not_taken_for_another_that_is_called_like_its_sourcedId(
    school: Served, provider: IdentityProvider
) -> None:
    with school.database.transaction() as tx:
        known = {"time_zone": "UTC", "locale": "en", "preset": "EPOS_SCHOOL", "policy": {}, "imported_at": tx.now}
        tx.execute(insert(organizations).values(source_id="2", name="1", **known))
        person = {"source_id": "9", "login": "9", "name": "9", "search_key": "9", "created_at": tx.now}
        tx.execute(insert(users).values(organization_id=2, **person))
    assert await me(school, signed(provider.claims(NOW, preferred_username="9"))) is None
    assert await me(school, signed(provider.claims(NOW))) == "1"


async def test_a_person_is_looked_up_once_in_a_few_seconds(tmp_path: Path, provider: IdentityProvider) -> None:
    moments = [0.0]
    async with served(tmp_path) as school:
        settings = Settings(secret=SECRET, **provider.settings)
        found = provider_of(settings, moment=lambda: moments[0])
        assert found is not None
        read, statements = school.database.read, []

        async def counted(sql: str, parameters: Any) -> Any:
            statements.append(sql)
            return await read(sql, parameters)

        school.database.read = counted  # type: ignore[method-assign]
        token = signed(provider.claims(NOW))
        for _ in range(3):
            identity = await found.identify(token, school.database, now=NOW)
            assert identity is not None
            assert identity.viewer == Viewer(1, 1)
        assert len(statements) == 1
        school.deactivate(1)
        moments[0] = KNOWN_FOR
        assert await found.identify(token, school.database, now=NOW) is None
        assert len(statements) == 2


# ---------------------------------------------------------------------------------------------- the keys


async def test_keys_are_changed_without_a_restart(provider: IdentityProvider) -> None:
    moments = [1000.0]
    keys = Keys(provider.settings["jwks_url"], moment=lambda: moments[0])
    assert await keys.find("RS256", "first")
    provider.keys = {"second": SECOND}
    for _ in range(50):  # whatever tokens come, the provider is asked again after a while at the earliest
        assert await keys.find("RS256", "second") is None
        moments[0] += BETWEEN / 60
    assert provider.asked == 1
    moments[0] = 1000 + BETWEEN
    found = await asyncio.gather(*(keys.find("RS256", "second") for _ in range(20)))
    assert all(found)
    assert (provider.asked, keys.changes) == (2, 2)
    assert await keys.find("RS256", "first") is None, "what is withdrawn is not good any more"


async def test_keys_are_looked_up_again_in_the_background(provider: IdentityProvider) -> None:
    moments = [0.0]
    keys = Keys(provider.settings["jwks_url"], moment=lambda: moments[0])
    assert await keys.find("RS256", "first")
    provider.keys = {"second": SECOND}
    provider.waits = asyncio.Event()
    moments[0] = KEYS_KNOWN_FOR
    assert await asyncio.wait_for(keys.find("RS256", "first"), 0.5), "nobody waits for the provider"
    provider.waits.set()
    async with asyncio.timeout(5):
        while await keys.find("RS256", "first"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert provider.asked == 2
    assert await keys.find("RS256", "second")


async def test_a_withdrawn_key_is_not_good_for_a_token_that_was_seen_before(
    school: Served, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.keys.BETWEEN", 0.0)
    old, new = signed(provider.claims(NOW)), signed(provider.claims(NOW), SECOND, kid="second")
    assert await me(school, old) == "1"
    provider.keys = {"second": SECOND}
    assert await me(school, new) == "1"
    assert await me(school, old) is None


BROKEN = {
    "an error": lambda: web.Response(status=500),
    "not found": lambda: web.json_response({"keys": []}, status=404),
    "elsewhere": lambda: web.Response(status=302, headers={"Location": "/keys"}),
    "no JSON": lambda: web.Response(text="<html>"),
    "no keys": lambda: web.json_response({"error": "later"}),
    "a list": lambda: web.json_response([]),
    "too much": lambda: web.json_response({"keys": [], "x": "x" * 300_000}),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_known_keys_go_on_while_the_provider_is_not_in_order(
    provider: IdentityProvider, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    moments = [0.0]
    keys = Keys(provider.settings["jwks_url"], moment=lambda: moments[0])
    provider.answer = BROKEN[name]()
    with pytest.raises(Unavailable):
        await keys.find("RS256", "first")
    assert "does not tell its keys" in caplog.text
    moments[0] += BETWEEN
    assert await keys.find("RS256", "first")
    provider.answer = BROKEN[name]()
    moments[0] += BETWEEN
    assert await keys.find("RS256", "second") is None
    assert provider.asked == 3
    assert await keys.find("RS256", "first")


async def test_a_provider_that_is_silent_holds_nobody_up_for_long(
    provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.keys.PATIENCE", 0.2)
    provider.waits = asyncio.Event()
    keys = Keys(provider.settings["jwks_url"])
    began = time.monotonic()
    with pytest.raises(Unavailable):
        await keys.find("RS256", "first")
    assert time.monotonic() - began < 2
    with pytest.raises(Unavailable):  # at once: it was asked a moment ago
        await keys.find("RS256", "first")
    assert provider.asked == 1


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
async def test_a_key_that_is_too_short_is_no_key(school: Served, provider: IdentityProvider) -> None:
    short = RSAKey.generate_key(1024)
    provider.keys = {"short": short, "first": FIRST}
    assert await me(school, signed(provider.claims(NOW), short, kid="short")) is None
    assert await me(school, signed(provider.claims(NOW))) == "1"


async def test_secrets_among_the_published_keys_are_no_keys(provider: IdentityProvider) -> None:
    provider.keys = {"secret": OctKey.import_key(SECRET), "first": FIRST}
    keys = Keys(provider.settings["jwks_url"])
    for algorithm in ("HS256", "none", "", None, 5, ["RS256"]):
        assert await keys.find(algorithm, "secret") is None
    assert await keys.find("RS256", "secret") is None
    assert await keys.find("ES256", "first") is None
    assert await keys.find("RS256", "first")


async def test_before_the_provider_has_ever_answered_the_client_is_told_to_wait(
    school: Served, provider: IdentityProvider
) -> None:
    provider.answer = web.Response(status=500)
    token = signed(provider.claims(NOW))
    status, answer = await school.ask("{ me }", headers={"Authorization": token})
    assert (status, answer["errors"][0]["extensions"]["code"]) == (503, "UNAVAILABLE")
    assert await on_a_socket(school, token) == 1013
    assert await me(school, "Bearer x") is None, "what is no token needs no provider"


# ------------------------------------------------------------------------------------------- how it ends


async def test_a_socket_ends_with_its_token(school: Served, provider: IdentityProvider) -> None:
    async with opened(school, signed(provider.claims(NOW))) as ws:
        assert (await ws.receive_json())["type"] == "connection_ack"
        school.clock[0] = NOW + timedelta(seconds=299)
        await asyncio.sleep(0.1)
        assert not ws.closed
        school.clock[0] = NOW + timedelta(seconds=300)
        assert await closed_with(ws) == 4403


async def test_a_socket_by_a_slow_clock_ends_a_minute_later(school: Served, provider: IdentityProvider) -> None:
    """The provider's clock is behind ours: else such a socket would end as soon as it has begun."""
    token = signed(provider.claims(NOW, iat=SECONDS - 400, exp=SECONDS - 10))
    async with opened(school, token) as ws:
        assert (await ws.receive_json())["type"] == "connection_ack"
        await asyncio.sleep(0.1)
        assert not ws.closed
        school.clock[0] = NOW + timedelta(seconds=50)
        assert await closed_with(ws) == 4403


async def test_a_real_server_ends_a_socket_at_exp_and_when_its_person_goes(
    tmp_path: Path, provider: IdentityProvider
) -> None:
    variables = {f"PREAU_{name.upper()}": value for name, value in provider.settings.items()}
    async with at_school(tmp_path, LEARNER_9A, **variables) as server:
        now = datetime.now(UTC)
        person = {"preferred_username": LEARNER_9A, "organization": SCHOOL}

        async def listening(ends: datetime) -> ClientWebSocketResponse:
            ws = await server.client.ws_connect(f"{server.address}/graphql", protocols=[PROTOCOL])
            token = signed(provider.claims(now, exp=int(ends.timestamp()), **person))
            await ws.send_json({"type": "connection_init", "payload": {"Authorization": token}})
            assert (await ws.receive_json())["type"] == "connection_ack"
            query = {"query": "subscription { badgesChanged { newCalls } }"}
            await ws.send_json({"id": "1", "type": "subscribe", "payload": query})
            assert (await ws.receive_json())["type"] == "next"
            return ws

        ends = now + timedelta(seconds=3)
        ws = await listening(ends)
        assert await closed_with(ws) == 4403
        late = datetime.now(UTC).timestamp() - int(ends.timestamp())
        assert 0 <= late < 2
        ws = await listening(now + timedelta(seconds=300))
        import_school(school_database(server.database_url), without_person(LEARNER_9A))
        assert await closed_with(ws) == 4403
        own = await server.ask(LEARNER_9A, "{ viewer { isLinked } }")
        assert own["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


# ------------------------------------------------------------------------------------------ how it is set


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"jwks_url": "http://id.school.example/keys"}, "https://"),
        ({"jwks_url": "file:///etc/passwd"}, "https://"),
        ({"jwks_url": "https://me:secret@id.school.example/keys"}, "password"),
        ({"issuer": None}, "PREAU_ISSUER"),
        ({"audience": ""}, "PREAU_AUDIENCE"),
        ({"jwks_url": None}, "PREAU_ISSUER"),
        ({"login_claim": ""}, "claim"),
    ],
    ids=str,
)
def test_a_provider_is_set_as_a_whole(said: dict[str, Any], reason: str) -> None:
    good: dict[str, Any] = {"jwks_url": "https://id.school.example/keys", "issuer": ISSUER, "audience": AUDIENCE}
    assert Settings(**good).jwks_url
    with pytest.raises(ValidationError, match=reason):
        Settings(**{**good, **said})


def test_the_command_line_makes_no_tokens_that_would_be_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_at(tmp_path / "preau.db", monkeypatch)
    build_school(tmp_path / "preau.db")
    assert run("token", LEARNER_9A).exit_code == 0
    for name, value in (
        ("JWKS_URL", "https://id.school.example/keys"),
        ("ISSUER", ISSUER),
        ("AUDIENCE", AUDIENCE),
    ):
        monkeypatch.setenv(f"PREAU_{name}", value)
    assert_mistake(run("token", LEARNER_9A), "PREAU_JWKS_URL")
    shown = run("demo")
    assert shown.exit_code == 0
    assert {line.split()[-1] for line in shown.stdout.splitlines()} == {"-"}
