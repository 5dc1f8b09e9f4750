"""How much may one person have under way, and who notices? Sockets, subscriptions and operations, really open."""

import asyncio
import gc
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, TCPConnector

import app.operations
from app.shares import AT_WORK, SUBSCRIPTIONS, UNDER_WAY, Shares
from app.websocket import Terms
from models.actor import Viewer
from tests.test_websocket import closed_with, frame, init, opened, raw, signed_in, subscribe, until
from tests.web import MOVEMENTS, Served, served

MANY = Terms(to_close=0.3, between_looks=0.02)


@pytest.fixture
def shares(monkeypatch: pytest.MonkeyPatch) -> Shares:
    """Those of the server that is started after this."""
    shares = Shares()
    monkeypatch.setattr(app.operations, "Shares", lambda: shares)
    return shares


@pytest.fixture
async def web(tmp_path: Path, shares: Shares) -> AsyncIterator[Served]:
    MOVEMENTS.open = MOVEMENTS.told = 0
    async with served(tmp_path, terms=MANY) as running:
        yield running


def bound(monkeypatch: pytest.MonkeyPatch, **limits: float) -> None:
    for name, value in limits.items():
        monkeypatch.setattr(f"app.shares.{name}", value)


async def nothing_is_left(shares: Shares) -> None:
    def is_over() -> bool:
        gc.collect()
        return len(shares) == 0

    await until(is_over)


async def listening(ws: ClientWebSocketResponse, id_: str) -> Any:
    """What is said first to a subscription."""
    await subscribe(ws, id_, "subscription { silence }")
    return await ws.receive_json(timeout=5)


def assert_refused(said: Any, code: str, **more: Any) -> None:
    errors = said["payload"] if "payload" in said else said["errors"]
    assert [error["extensions"] for error in errors] == [{"code": code, **more}], said


def person(number: int, web: Served) -> dict[str, str]:
    return {"Authorization": web.token(Viewer(number, 1))}


# ------------------------------------------------------------------------------------------- sockets


@pytest.mark.parametrize("how", ["close", "abort"])
async def test_a_hundred_sockets_of_one_person_and_no_more(web: Served, how: str) -> None:
    assert Terms().sockets_per_person == 100
    async with AsyncExitStack() as stack:
        many = await stack.enter_async_context(ClientSession(connector=TCPConnector(limit=0)))
        web = replace(web, client=many)
        there = [await stack.enter_async_context(signed_in(web)) for _ in range(100)]
        async with opened(web) as ws:
            await ws.send_json(init(web.token()))
            assert await closed_with(ws) == 4429
        async with signed_in(web, person=2) as other:  # nobody else notices
            await subscribe(other, "1", "{ me }")
            assert (await other.receive_json())["payload"] == {"data": {"me": "2"}}
        for ws in there:  # nor do those that are open
            await subscribe(ws, "1", "{ number }")
            assert (await ws.receive_json())["type"] == "next"
        if how == "close":
            await there[0].close()
        else:
            connection: Any = there[0]._response.connection
            connection.transport.abort()
        async with asyncio.timeout(5):
            while True:
                async with opened(web) as ws:
                    await ws.send_json(init(web.token()))
                    if (await ws.receive()).data == '{"type":"connection_ack"}':
                        break


# ------------------------------------------------------------------------------------- subscriptions


async def test_two_hundred_operations_on_a_socket_and_no_more(web: Served, shares: Shares) -> None:
    assert Terms().operations == 200
    async with signed_in(web) as ws, signed_in(web) as second, signed_in(web, person=2) as other:
        for number in range(200):
            assert (await listening(ws, str(number)))["type"] == "next"
        assert_refused(await listening(ws, "200"), "LIMIT_EXCEEDED")
        for free in (second, other):
            await subscribe(free, "1", "{ number }")
            assert (await free.receive_json())["type"] == "next"
        for number in range(100):
            await ws.send_json({"id": str(number), "type": "complete"})
        await until(lambda: MOVEMENTS.open == 100)
        assert (await listening(ws, "200"))["type"] == "next"
    await until(lambda: MOVEMENTS.open == 0)
    await nothing_is_left(shares)


async def test_a_hundred_sockets_have_room_for_ten_subscriptions_each() -> None:
    assert Terms().sockets_per_person * 10 <= SUBSCRIPTIONS
    assert UNDER_WAY >= Terms().operations >= 200
    assert AT_WORK < UNDER_WAY


@pytest.mark.parametrize("how", ["complete", "close", "FIN", "RST"])
async def test_the_subscriptions_of_all_sockets_of_one_person_count(
    web: Served, shares: Shares, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    bound(monkeypatch, SUBSCRIPTIONS=5)
    loop = asyncio.get_running_loop()
    peer = await raw(web)
    try:
        for number in range(3):
            message = {"id": str(number), "type": "subscribe", "payload": {"query": "subscription { silence }"}}
            await loop.sock_sendall(peer, frame(message))
        await until(lambda: MOVEMENTS.open == 3)
        async with signed_in(web) as ws, signed_in(web, person=2) as other:
            for number in range(2):
                assert (await listening(ws, str(number)))["type"] == "next"
            for _ in range(3):
                refused = await listening(ws, "2")
                assert (refused["id"], refused["type"]) == ("2", "error")
                assert_refused(refused, "LIMIT_EXCEEDED")
            assert MOVEMENTS.open == 5, "nothing of what is refused is left"
            await subscribe(ws, "2", "{ number }")  # only one more subscription would be too much
            assert (await ws.receive_json())["type"] == "next"
            assert (await ws.receive_json())["type"] == "complete"
            assert (await listening(other, "1"))["type"] == "next"
            if how == "complete":
                for number in range(3):
                    await loop.sock_sendall(peer, frame({"id": str(number), "type": "complete"}))
            elif how == "close":
                await loop.sock_sendall(peer, b"\x88\x82\0\0\0\0" + struct.pack(">H", 1000))
            else:
                if how == "RST":
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                peer.close()
            await until(lambda: MOVEMENTS.open == 3)
            for number in range(2, 5):
                assert (await listening(ws, str(number)))["type"] == "next"
            assert_refused(await listening(ws, "5"), "LIMIT_EXCEEDED")
    finally:
        peer.close()
    await until(lambda: MOVEMENTS.open == 0)
    await nothing_is_left(shares)


async def test_a_subscription_that_is_over_counts_no_more(web: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    bound(monkeypatch, SUBSCRIPTIONS=1)
    async with signed_in(web) as ws:
        for number in range(5):
            await subscribe(ws, str(number), "subscription { count(to: 2) }")
            assert [(await ws.receive_json())["type"] for _ in range(3)] == ["next", "next", "complete"]


# ---------------------------------------------------------------------------------------- what is at work


async def test_what_is_too_much_at_once_waits_and_what_would_wait_too_long_is_refused(
    web: Served, shares: Shares, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes 0.6 s: two at a time, six take three times as long."""
    share = limited(shares, monkeypatch, at_work=2, under_way=6)
    slow = "{ slow(seconds: 0.6) }"
    began = monotonic()
    async with signed_in(web) as ws:
        for number in range(3):
            await subscribe(ws, str(number), slow)
        await until(lambda: share() == 3)
        over_http = [asyncio.create_task(web.ask(slow)) for _ in range(3)]
        await until(lambda: share() == 6)
        assert_refused((await web.ask(slow))[1], "RATE_LIMITED", retryAfter=1)
        await subscribe(ws, "3", slow)
        assert_refused(await ws.receive_json(), "RATE_LIMITED", retryAfter=1)
        assert await web.ask("{ me }", headers=person(2, web)) == (200, {"data": {"me": "2"}})
        assert share() >= 4, "another waits for nothing"
        assert [answer for _, answer in await asyncio.gather(*over_http)] == [{"data": {"slow": True}}] * 3
        assert monotonic() - began > 1.7
        said = [await ws.receive_json() for _ in range(6)]
        assert [each["id"] for each in said if each["type"] == "next"] == ["0", "1", "2"]
        assert await web.ask("{ slow }") == (200, {"data": {"slow": True}})
    await nothing_is_left(shares)


def limited(shares: Shares, monkeypatch: pytest.MonkeyPatch, *, at_work: int, under_way: int) -> Any:
    """With limits as small as these; how much person 1 has under way."""
    bound(monkeypatch, AT_WORK=at_work, UNDER_WAY=under_way)
    return lambda: shares.of(Viewer(1, 1))._under_way


async def test_a_turn_that_does_not_come_in_time_is_refused(
    web: Served, shares: Shares, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound(monkeypatch, AT_WORK=1, LONGEST_WAIT=0.05)
    first = asyncio.create_task(web.ask("{ slow(seconds: 0.6) }"))
    await until(lambda: shares.of(Viewer(1, 1))._under_way == 1)
    status, said = await web.ask("{ number }")
    assert status == 429
    assert_refused(said, "RATE_LIMITED", retryAfter=1)
    assert await first == (200, {"data": {"slow": True}})
    await nothing_is_left(shares)


async def test_who_goes_while_waiting_takes_no_turn(
    web: Served, shares: Shares, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = limited(shares, monkeypatch, at_work=1, under_way=20)
    async with signed_in(web) as ws:
        for number in range(10):
            await subscribe(ws, str(number), "{ slow(seconds: 1) }")
        await until(lambda: share() == 10)
    began = monotonic()
    assert await web.ask("{ number }") == (200, {"data": {"number": 1}})
    assert monotonic() - began < 4, "ten that were waiting would have taken longer"
    await nothing_is_left(shares)


async def test_who_does_not_take_his_answer_holds_up_himself_alone(
    web: Served, shares: Shares, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound(monkeypatch, AT_WORK=2, LONGEST_WAIT=0.05)
    monkeypatch.setattr("app.sending.LONGEST", 1.0)
    monkeypatch.setattr("app.sending.LITTLE", 0)
    body = b'{"query":"query($t: String!) { echo(text: $t) }","variables":{"t":"' + b"x" * 500_000 + b'"}}'
    head = (
        "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: {web.token()}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    port, silent = int(web.address.rpartition(":")[2]), []
    for _ in range(2):
        peer = socket.socket()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.setblocking(False)
        await asyncio.get_running_loop().sock_connect(peer, ("127.0.0.1", port))
        silent.append((peer, asyncio.create_task(flood(peer, head.encode() + body))))
    async with asyncio.timeout(10):
        while (await web.ask("{ number }"))[0] != 429:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert await web.ask("{ me }", headers=person(2, web)) == (200, {"data": {"me": "2"}})
    await asyncio.gather(*(task for _, task in silent))  # they are cut
    assert await web.ask("{ number }") == (200, {"data": {"number": 1}})
    for peer, _ in silent:
        peer.close()


async def flood(peer: socket.socket, content: bytes) -> None:
    """Until the other side cuts it."""
    try:
        while True:
            await asyncio.get_running_loop().sock_sendall(peer, content)
    except ConnectionError:
        pass
