"""What becomes of a parked subscription on a real socket: pushed to, expired, not read, sent away."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, web

import resolvers.subscription
from app.auth import Tokens
from app.server import build_app, runner
from app.settings import Environment, Settings
from app.websocket import Terms
from app.wire import LITTLE, LONGEST_PUSH
from models.errors import Unavailable
from resolvers.listeners import Listeners
from schema import schema
from tests.api import PATIENCE
from tests.listening import READ, RECEIVED
from tests.school import DIRECTOR, SECRET, SECRETARY, TEACHER, SchoolClock, build_school, viewer
from tests.test_websocket import closed_with, frame, init, opened, raw, subscribe, until
from tests.web import Served

QUICK = Terms(to_read=0.5, to_close=0.2, between_looks=0.02)

GROUP = """mutation($input: CreateGroupConversationInput!) {
  createGroupConversation(input: $input) { ... on CreateGroupConversationPayload { conversation { id } } } }"""
SEND = """mutation($input: SendMessageInput!) {
  sendMessage(input: $input) { ... on SendMessagePayload { sent { id } } } }"""


class School(Served):
    """The demo schools, served with our own schema."""

    def as_(self, login: str) -> dict[str, str]:
        """The headers with which this person asks."""
        return {"Authorization": self.token(viewer(self.database, login))}

    async def group(self, *logins: str) -> str:
        """The id of a new group conversation that the first of them makes."""
        ids = [f"User_{viewer(self.database, login).id}" for login in logins[1:]]
        given = {"input": {"title": "Group", "participantIds": ids}}
        _, answer = await self.ask(GROUP, variables=given, headers=self.as_(logins[0]))
        return str(answer["data"]["createGroupConversation"]["conversation"]["id"])

    async def send(self, login: str, conversation: str, body: str) -> None:
        given = {"input": {"conversationId": conversation, "body": body}}
        _, answer = await self.ask(SEND, variables=given, headers=self.as_(login))
        assert answer["data"]["sendMessage"]["sent"]["id"]

    @asynccontextmanager
    async def signed_in(self, login: str) -> AsyncIterator[ClientWebSocketResponse]:
        async with opened(self) as ws:
            await ws.send_json(init(self.as_(login)["Authorization"]))
            assert await ws.receive_json() == {"type": "connection_ack"}
            yield ws


@pytest.fixture
async def school(tmp_path: Path) -> AsyncIterator[School]:
    clock = SchoolClock()
    database = build_school(tmp_path / "school.db", clock=clock)
    await database.start()
    listeners = Listeners(database, poll_seconds=0.1)
    await listeners.start()
    settings = Settings(environment=Environment.PRODUCTION, secret=SECRET, database_url=database.url)
    running = runner(build_app(settings, database, listeners, schema=schema, terms=QUICK))
    await running.setup()
    await web.TCPSite(running, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{running.addresses[0][1]}"
    try:
        async with ClientSession() as client:
            yield School(address, client, database, Tokens(SECRET), running, [clock.now])
    finally:
        await running.cleanup()
        await listeners.stop()
        await database.stop()


def listeners_of(school: School) -> Listeners:
    found: Listeners = school.database.on_commit.__self__  # type: ignore[attr-defined]
    return found


async def parked(school: School, count: int) -> None:
    """So many subscriptions wait together."""
    await until(
        lambda: (
            sum(
                len(those)
                for there in listeners_of(school)._organizations.values()
                for group in there.groups.values()
                for those in group._members.values()
            )
            == count
        )
    )


async def test_what_is_pushed_is_a_message_of_the_protocol(school: School) -> None:
    there = await school.group(TEACHER, DIRECTOR)
    async with school.signed_in(DIRECTOR) as ws:
        odd = 'an "odd" id \\ Ж'
        await subscribe(ws, odd, RECEIVED)
        await subscribe(ws, "2", RECEIVED.replace("messageReceived", "mine: messageReceived"))
        await parked(school, 2)
        await school.send(TEACHER, there, "Привет")
        told = {}
        for _ in range(2):
            message = await ws.receive_json()
            assert message["type"] == "next"
            told[message["id"]] = message["payload"]["data"]
        assert told[odd]["messageReceived"] == told["2"]["mine"]
        assert told["2"]["mine"]["message"]["body"] == "Привет"
        await ws.send_json({"id": odd, "type": "complete"})
        await parked(school, 1)
        await school.send(TEACHER, there, "Again")
        assert (await ws.receive_json())["id"] == "2"
        await subscribe(ws, odd, "{ viewer { user { login } } }")  # an id that is free again
        assert (await ws.receive_json())["payload"] == {"data": {"viewer": {"user": {"login": DIRECTOR}}}}
    await until(lambda: not listeners_of(school)._organizations)


async def test_a_parked_subscription_ends_with_its_token(school: School) -> None:
    there = await school.group(TEACHER, DIRECTOR)
    async with school.signed_in(DIRECTOR) as ws:
        await subscribe(ws, "1", RECEIVED)
        await subscribe(ws, "2", READ)
        await parked(school, 1)
        clock = school.database.clock
        assert isinstance(clock, SchoolClock)
        clock.forward(hours=13)
        assert await closed_with(ws) == 4403
        await until(lambda: not listeners_of(school)._organizations)
        school.clock[0] = clock.now
        await school.send(TEACHER, there, "Unheard")


async def test_a_peer_that_does_not_read_is_cut_and_delays_nobody(school: School) -> None:
    there = await school.group(TEACHER, DIRECTOR, SECRETARY)
    loop = asyncio.get_running_loop()
    async with school.signed_in(SECRETARY) as ws:
        await subscribe(ws, "1", RECEIVED)
        peer = await raw(school, school.as_(DIRECTOR)["Authorization"])
        try:
            await loop.sock_sendall(peer, frame({"id": "1", "type": "subscribe", "payload": {"query": RECEIVED}}))
            await parked(school, 2)
            for turn in range(1000):
                await school.send(TEACHER, there, f"{turn} " + "x" * 11_000)
                async with asyncio.timeout(PATIENCE):
                    told = (await ws.receive_json())["payload"]["data"]["messageReceived"]["message"]["body"]
                assert told.startswith(f"{turn} x")
                if turn > 5 and len(members(school)) == 1 and not others(school):
                    break
            else:
                pytest.fail("It was not cut.")
        finally:
            peer.close()
        await parked(school, 1)


def members(school: School) -> list[Any]:
    return [
        member
        for there in listeners_of(school)._organizations.values()
        for group in there.groups.values()
        for member in group._all()
    ]


def others(school: School) -> list[Any]:
    """Those who are told alone."""
    return [
        each
        for there in listeners_of(school)._organizations.values()
        for those in there.people.values()
        for each in those
    ]


@pytest.mark.parametrize("document", [RECEIVED, READ])
async def test_while_the_database_is_away_for_long_sockets_are_sent_away(
    school: School, monkeypatch: pytest.MonkeyPatch, document: str
) -> None:
    monkeypatch.setattr(resolvers.subscription, "PATIENCE", 0.1)
    monkeypatch.setattr(resolvers.subscription, "BETWEEN_TRIES", 0.02)
    there = await school.group(TEACHER, DIRECTOR)
    read = school.database.read

    async def away(sql: str, parameters: Any) -> Any:
        if "r2.last_event" in sql or "deactivated_at" in sql:
            raise Unavailable
        return await read(sql, parameters)

    async with school.signed_in(DIRECTOR) as ws:
        await subscribe(ws, "1", document)
        await until(lambda: members(school) if document is RECEIVED else others(school))
        await asyncio.sleep(0.2)
        school.database.read = away  # type: ignore[method-assign]
        await school.send(TEACHER, there, "Hello")
        assert await closed_with(ws) == 1013
        async with opened(school) as late:
            await late.send_str(json.dumps(init(school.as_(DIRECTOR)["Authorization"])))
            assert await closed_with(late) == 1013
    await until(lambda: not listeners_of(school)._organizations)


def test_what_is_pushed_never_makes_a_transport_hold_back() -> None:
    """That it does from 64 KiB on, unless it is told otherwise; a character takes four bytes at most."""
    assert LITTLE + 4 * LONGEST_PUSH < 64 * 1024
