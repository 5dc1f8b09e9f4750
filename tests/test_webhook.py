"""How is a bridge told over the network? By a real server on loopback, however badly it behaves."""

import asyncio
import hmac
import json
import os
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import ValidationError

from app import messenger_pages
from app.messenger import BuiltinMessenger, WebhookMessenger, messenger_of
from app.messenger.telling import telling
from app.messenger.webhook import Bridge, signature
from app.settings import Settings
from jobs.change_of_messenger import go_over
from jobs.nightly import run_nights
from jobs.outbox import NotActedUpon, Terms
from models.bridge import schemas
from models.database import wall_clock
from models.events import Command
from models.outbox import dead_letters
from tests.api import Api
from tests.bridging import (
    BRIDGE_SECRET,
    DOCS,
    EXAMPLE,
    Faults,
    delivering,
    open_commands,
    ours,
    outside,
    rows_of_outbox,
    serving,
    theirs,
    told_everything,
)
from tests.json_schema import faults
from tests.recount import assert_badges_equal_a_recount
from tests.school import (
    ADMINISTRATOR,
    CLASS_9A,
    CLASS_9B,
    CURATOR_9A,
    CURATOR_9B,
    LEARNER_9A,
    LEARNER_UNLINKED,
    LIBRARIAN,
    SECRET,
    build_school,
)
from tests.steps import create_call, create_custom_chat, link, publish_call, show

QUICK = Terms(
    look_every=timedelta(milliseconds=50), shortest=timedelta(milliseconds=20), longest=timedelta(milliseconds=80)
)
COMMAND = json.loads((DOCS / "command.json").read_text(encoding="utf-8"))
ANSWER = json.loads((DOCS / "answer.json").read_text(encoding="utf-8"))


@pytest.fixture
async def told(tmp_path: Path) -> AsyncIterator[Api]:
    """The demo schools with a messenger outside, on the clock of the wall."""
    database = build_school(tmp_path / "school.db", clock=wall_clock)
    database.messenger = outside()
    go_over(database)
    async with Api.serving(database) as api:
        yield api
    assert_badges_equal_a_recount(database)


async def a_busy_day(api: Api) -> None:
    """Chats, calls and links come, change and go."""
    office, curator = api.as_(ADMINISTRATOR), api.as_(CURATOR_9A)
    learner, librarian = api.as_(LEARNER_9A), api.as_(LIBRARIAN)
    for number in range(4):
        chat = await create_custom_chat(office, learner, name=f"Чат {number}")
        await office.do("renameChat", chatId=chat, name=f"Ёлка {number} 🎉")
        await office.do("addChatParticipants", chatId=chat, userIds=[librarian.id])
        await office.do("setChatAdministrator", chatId=chat, userId=librarian.id, isAdministrator=True)
        call = await publish_call(librarian, chat, f"Звонок {number}")
        await office.do("removeChatParticipants", chatId=chat, userIds=[office.id])
        if number % 2:
            await librarian.do("finishCall", callId=call)
            await create_call(librarian, chat, "Потом")
        if number == 2:
            await librarian.do("deleteChat", chatId=chat)
    group = api.chat("GROUP", CLASS_9A)
    call = await create_call(curator, group)
    await curator.do("updateCall", callId=call, title="Классный час")
    await curator.do("publishCall", callId=call)
    await curator.do("deleteCall", callId=await create_call(curator, group, "Ошибка"))
    await link(api.as_(LEARNER_UNLINKED))
    await learner.do("unlinkProfile")
    await link(librarian, "another account")
    await publish_call(api.as_(CURATOR_9B), api.chat("GROUP", CLASS_9B))


# ----------------------------------------------------------------------------------- at the end all is equal


@pytest.mark.parametrize("seed", ["a", "b"])
async def test_whatever_goes_wrong_the_messenger_ends_up_with_what_is_here(told: Api, seed: str) -> None:
    """It fails at random, is slow, answers twice, and drops connections before and after it has acted."""
    receiver, bad = EXAMPLE.Receiver(BRIDGE_SECRET), Faults(seed, share=0.5)
    app = EXAMPLE.application(receiver)
    app.middlewares.append(bad.happen)
    async with (
        serving(app) as address,
        Bridge(address, BRIDGE_SECRET, patience=0.2) as bridge,
        delivering(told.database, bridge, QUICK),
    ):
        await a_busy_day(told)
        run_nights(told.database)
        await told_everything(told.database, 60)
    assert theirs(receiver) == ours(told.database)
    rows = rows_of_outbox(told.database)
    assert not any(row.dead_at for row in rows)
    assert len(bad.bodies) > 1.3 * len(rows), "a good deal was told more than once"
    arrived = [json.loads(body) for _, body in bad.bodies]
    assert {each["command"] for each in arrived} == {*Command}
    assert [fault for each in arrived for fault in faults(each, COMMAND)] == []


async def test_addresses_come_back_through_the_network(told: Api) -> None:
    receiver = EXAMPLE.Receiver(BRIDGE_SECRET)
    async with (
        serving(EXAMPLE.application(receiver)) as address,
        Bridge(address, BRIDGE_SECRET) as bridge,
        delivering(told.database, bridge, QUICK),
    ):
        curator, learner = told.as_(CURATOR_9A), told.as_(LEARNER_9A)
        group = told.chat("GROUP", CLASS_9A)
        call = await publish_call(curator, group)
        await told_everything(told.database)
    assert (await show(learner, call, "joinUrl"))["joinUrl"] == f"https://messenger.example/{call}"
    assert (await show(learner, group, "url"))["url"] == f"https://messenger.example/{group}"
    asked = await learner.ask("{ viewer { messengerUrl } }")
    assert asked["viewer"]["messengerUrl"] == "https://messenger.example/"
    assert [fault for each in receiver.answers.values() for fault in faults(each, ANSWER)] == []


async def test_a_messenger_that_is_down_harms_nothing_here(told: Api) -> None:
    async with (
        Bridge("http://127.0.0.1:9/", BRIDGE_SECRET) as bridge,
        delivering(told.database, bridge, QUICK),
    ):
        await a_busy_day(told)
        await asyncio.sleep(0.2)
    rows = rows_of_outbox(told.database)
    assert not any(row.sent_at or row.dead_at for row in rows if row.command != "SET_MEMBERS")
    assert {row.fault for row in rows if row.attempts} == {"ClientConnectorError"}


# --------------------------------------------------------------------------------------- what a post looks like


async def posted(app_answer: web.Response | None = None, **more: Any) -> tuple[Any, dict[str, str], bytes, str]:
    """What came of one post: the address or the failure; the headers, the body and the path that arrived."""
    arrived: list[tuple[dict[str, str], bytes, str]] = []

    async def receive(request: web.Request) -> web.StreamResponse:
        arrived.append((dict(request.headers), await request.read(), request.path_qs))
        return app_answer or web.Response(status=204)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receive)
    async with serving(app) as address, Bridge(f"{address}hook?school=1", BRIDGE_SECRET, **more) as bridge:
        try:
            outcome: Any = await bridge.carry(17, b'{"id":"17"}')
        except NotActedUpon as error:
            outcome = error
    return outcome, *arrived[0]


async def test_a_post_is_signed_over_its_moment_and_its_body() -> None:
    outcome, headers, body, path = await posted()
    assert (outcome, body, path) == (None, b'{"id":"17"}', "/hook?school=1")
    assert headers["Idempotency-Key"] == "17"
    assert headers["Content-Type"] == "application/json"
    assert abs(int(headers["Preau-Timestamp"]) - time.time()) < 5
    signed = f"{headers['Preau-Timestamp']}.".encode() + body
    expected = hmac.new(BRIDGE_SECRET.encode(), signed, "sha256").hexdigest()
    assert headers["Preau-Signature"] == f"v1={expected}"
    assert not {"Cookie", "Authorization"} & headers.keys()


@pytest.mark.parametrize(
    ("answer", "fault", "never", "after"),
    [
        (web.Response(status=500), "status 500", False, 0),
        (web.Response(status=302, headers={"Location": "http://127.0.0.1:9/"}), "status 302", False, 0),
        (web.Response(status=422), "status 422", True, 0),
        (web.Response(status=503, headers={"Retry-After": "90"}), "status 503", False, 90),
        (web.Response(status=429, headers={"Retry-After": "soon"}), "status 429", False, 0),
    ],
    ids=lambda value: str(value.status) if isinstance(value, web.Response) else "",
)
async def test_any_other_status_is_no_success(answer: web.Response, fault: str, never: bool, after: int) -> None:
    outcome, *_ = await posted(answer)
    assert isinstance(outcome, NotActedUpon)
    assert (str(outcome), outcome.never, outcome.after) == (fault, never, timedelta(seconds=after))


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ('{"url": "https://messenger.example/1", "more": 1}', "https://messenger.example/1"),
        ('{"url": "http://127.0.0.1:8090/1"}', "http://127.0.0.1:8090/1"),
        ('{"url": null}', None),
        ("{}", None),
        ("", None),
        ("created", None),
        ("[]", None),
        ('{"url": "http://messenger.example/1"}', None),
        ('{"url": "javascript:alert(1)"}', None),
        ('{"url": "https://a b"}', None),
        ('{"url": "https://a\\n"}', None),
        ('{"url": "/messenger"}', None),
        ('{"url": 1}', None),
        (json.dumps({"url": "https://" + "a" * 2_000}), None),
        (json.dumps({"url": "https://a", "more": "a" * 70_000}), None),
    ],
)
async def test_an_address_is_sound_or_there_is_none(text: str, url: str | None) -> None:
    outcome, *_ = await posted(web.Response(text=text))
    assert outcome == url


async def test_a_bridge_that_is_too_slow_is_left() -> None:
    async def sleep(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(5)
        return web.Response()

    app = web.Application()
    app.router.add_post("/", sleep)
    async with serving(app) as address, Bridge(address, BRIDGE_SECRET, patience=0.1) as bridge:
        with pytest.raises(NotActedUpon, match="Timeout"):
            await bridge.carry(1, b"{}")


# -------------------------------------------------------------------------------------- the example receiver


async def receive(receiver: Any, body: bytes, *, timestamp: str | None = None, signed: str | None = None) -> int:
    """The status with which the example receiver answers a post."""
    timestamp = str(int(time.time())) if timestamp is None else timestamp
    signed = signature(BRIDGE_SECRET, timestamp, body) if signed is None else signed
    headers = {"Preau-Timestamp": timestamp, "Preau-Signature": signed}
    async with (
        serving(EXAMPLE.application(receiver)) as address,
        aiohttp.ClientSession() as session,
        session.post(address, data=body, headers=headers) as answer,
    ):
        return answer.status


LINKING = {
    "id": "5",
    "at": "2026-09-10T07:00:00.000Z",
    "organization": {"id": "Organization_1", "sourcedId": "s"},
    "command": "LINK_PROFILE",
    "user": "User_1",
    "account": "one",
}


async def test_the_example_takes_what_is_signed_and_fresh_alone() -> None:
    receiver, body = EXAMPLE.Receiver(BRIDGE_SECRET), json.dumps(LINKING).encode()
    now = int(time.time())
    for timestamp in (str(now - 310), str(now + 310), "", "soon", "-1", "１２３"):
        assert await receive(receiver, body, timestamp=timestamp) == 401
    for signed in ("", "v1=", "v1=ff", signature("another secret", str(now), body), "v1=é"):
        assert await receive(receiver, body, timestamp=str(now), signed=signed) == 401
    other = signature(BRIDGE_SECRET, str(now), body.replace(b"one", b"two"))
    assert await receive(receiver, body, timestamp=str(now), signed=other) == 401
    later = signature(BRIDGE_SECRET, str(now), body)
    assert await receive(receiver, body, timestamp=str(now + 1), signed=later) == 401, "a post cannot be renewed"
    assert receiver.accounts == {}
    assert await receive(receiver, body, timestamp=str(now - 200)) == 200
    assert receiver.accounts == {"User_1": "one"}


async def test_the_example_acts_once_however_often_it_is_told() -> None:
    receiver = EXAMPLE.Receiver(BRIDGE_SECRET)
    assert await receive(receiver, json.dumps(LINKING).encode()) == 200
    gone = {**LINKING, "id": "6", "command": "UNLINK_PROFILE"}
    del gone["account"]
    assert await receive(receiver, json.dumps(gone).encode()) == 200
    assert await receive(receiver, json.dumps(LINKING).encode()) == 200, "a retry that comes late"
    assert receiver.accounts == {}
    assert faults(LINKING, COMMAND) == faults(gone, COMMAND) == []


# --------------------------------------------------------------------------------------------- the documents


def test_the_documented_schemas_are_what_is_sent() -> None:
    """`PREAU_WRITE_DOCS=1` writes them anew."""
    for name, schema in schemas().items():
        if os.environ.get("PREAU_WRITE_DOCS"):
            (DOCS / name).write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        assert json.loads((DOCS / name).read_text(encoding="utf-8")) == schema


def test_the_schemas_refuse_what_is_not_sent() -> None:
    for broken in (
        {**LINKING, "command": "NOTHING"},
        {**LINKING, "more": 1},
        {**LINKING, "user": "Chat_1"},
        {**LINKING, "at": "yesterday"},
        {name: value for name, value in LINKING.items() if name != "account"},
        {**LINKING, "organization": {"id": "Organization_1"}},
    ):
        assert faults(broken, COMMAND), broken
    assert faults({"url": "javascript:alert(1)"}, ANSWER)


# -------------------------------------------------------------------------------------------- the settings


def settings(**given: Any) -> Settings:
    return Settings(secret=SECRET, **given)


def test_the_settings_choose_the_messenger() -> None:
    assert isinstance(messenger_of(settings()), BuiltinMessenger)
    bridge = {"messenger_url": "webhook+https://bridge.example/hook", "messenger_secret": BRIDGE_SECRET}
    chosen = messenger_of(settings(**bridge, messenger_home="https://messenger.example/"))
    assert isinstance(chosen, WebhookMessenger)
    assert (chosen.home, chosen.chat_url(), chosen.call_url()) == ("https://messenger.example/", None, None)
    held = messenger_of(settings(call_url="https://meet.example.org/school-{room}"))
    one, other = held.call_url(), held.call_url()
    assert one is not None and one.startswith("https://meet.example.org/school-") and one != other


@pytest.mark.parametrize(
    "given",
    [
        {"messenger_url": "https://bridge.example"},
        {"messenger_url": "builtin"},
        {"messenger_url": "webhook+http://bridge.example/"},
        {"messenger_url": "webhook+ftp://bridge.example/"},
        {"messenger_url": "webhook+https://"},
        {"messenger_url": "webhook+https://me:secret@bridge.example/"},
        {"messenger_url": "webhook+https://bridge.example/#part"},
        {"messenger_url": "webhook+https://bridge.example/a b"},
        {"messenger_secret": None},
        {"messenger_secret": "short"},
        {"messenger_home": "http://messenger.example/"},
        {"messenger_home": "javascript:alert(1)"},
        {"call_url": "https://meet.example.org/"},
        {"call_url": "https://{room}.example.org/"},
        {"call_url": "https://meet.example.org/{room}/{room}"},
        {"call_url": "https://meet.example.org/{room}/{user}"},
        {"call_url": "http://meet.example.org/{room}"},
        {"call_url": "/messenger/{room}"},
    ],
    ids=str,
)
def test_settings_that_are_not_sound_are_refused(given: dict[str, Any]) -> None:
    sound = {"messenger_url": "webhook+https://bridge.example/hook", "messenger_secret": BRIDGE_SECRET}
    settings(**sound)
    with pytest.raises(ValidationError) as refusal:
        settings(**{**sound, **given})
    assert "secret@" not in str(refusal.value.errors()[0]["msg"])


def test_a_bridge_on_this_machine_needs_no_encryption() -> None:
    for host in ("127.0.0.1:8090", "localhost:8090", "[::1]:8090"):
        settings(messenger_url=f"webhook+http://{host}/", messenger_secret=BRIDGE_SECRET)


def test_in_production_nobody_is_an_account_outside_because_this_server_says_so(tmp_path: Path) -> None:
    database = build_school(tmp_path / "school.db")

    def pages(**given: Any) -> set[str]:
        chosen = settings(link_return_url="https://school.example/", **given)
        return {route.path for route in messenger_pages.routes(chosen, database, messenger_of(chosen))}

    outside = {"messenger_url": "webhook+https://bridge.example/hook", "messenger_secret": BRIDGE_SECRET}
    assert {"/messenger", "/messenger/authorize"} < pages(environment="production")
    assert pages(**outside, environment="production") == set()
    assert pages(**outside, environment="development") == {"/messenger/authorize"}


async def test_the_server_tells_while_it_runs(told: Api) -> None:
    receiver = EXAMPLE.Receiver(BRIDGE_SECRET)
    async with serving(EXAMPLE.application(receiver)) as address:
        chosen = settings(messenger_url=f"webhook+{address}", messenger_secret=BRIDGE_SECRET)
        async with telling(chosen, told.database):
            chat = await create_custom_chat(told.as_(ADMINISTRATOR), name="Клуб")
            await told_everything(told.database)
        assert receiver.chats[chat]["name"] == "Клуб"
        told.database.messenger = BuiltinMessenger(SECRET)
        async with telling(settings(), told.database):
            pass
    assert not open_commands(told.database)
    with told.database.transaction() as tx:
        assert dead_letters(tx) == []
