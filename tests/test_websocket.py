"""The socket at /graphql: what is said on it, what ends it, and what is left behind."""

import asyncio
import base64
import json
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError

from app.websocket import Terms
from models.actor import Viewer
from tests.web import MOVEMENTS, Served, served

PROTOCOL = "graphql-transport-ws"
PING = b"\x89\xfd" + b"\0\0\0\0" + b"x" * 125
QUICK = Terms(to_sign_in=0.2, to_read=0.3, to_close=0.2, between_looks=0.02, operations=3, sockets_per_person=2)


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Served]:
    MOVEMENTS.open = MOVEMENTS.told = 0
    MOVEMENTS.gone = asyncio.Event()
    async with served(tmp_path, terms=QUICK, allowed_origins="https://spa.example") as running:
        yield running


@asynccontextmanager
async def opened(web: Served, **options: Any) -> AsyncIterator[ClientWebSocketResponse]:
    async with web.client.ws_connect(web.url, protocols=[PROTOCOL], **options) as ws:
        yield ws


@asynccontextmanager
async def signed_in(web: Served, person: int = 1) -> AsyncIterator[ClientWebSocketResponse]:
    async with opened(web) as ws:
        await ws.send_json(init(web.token(Viewer(person, 1))))
        assert await ws.receive_json() == {"type": "connection_ack"}
        yield ws


def init(token: Any) -> dict[str, Any]:
    return {"type": "connection_init", "payload": {"Authorization": token}}


async def subscribe(ws: ClientWebSocketResponse, id_: str, query: str, **rest: Any) -> None:
    await ws.send_json({"id": id_, "type": "subscribe", "payload": {"query": query, **rest}})


async def closed_with(ws: ClientWebSocketResponse) -> int | None:
    """The code with which the server closes, after whatever it still says."""
    async with asyncio.timeout(5):
        while (message := await ws.receive()).type is WSMsgType.TEXT:
            pass
    assert message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING), message
    return ws.close_code


async def until(true: Any) -> None:
    async with asyncio.timeout(3):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


# ------------------------------------------------------------------------------------------ operations


async def test_queries_mutations_and_subscriptions_come_over_one_socket(web: Served) -> None:
    async with signed_in(web) as ws:
        await subscribe(ws, "q", "{ me }")
        assert await ws.receive_json() == {"id": "q", "type": "next", "payload": {"data": {"me": "1"}}}
        assert await ws.receive_json() == {"id": "q", "type": "complete"}
        await subscribe(
            ws,
            "m",
            "query Q { me } mutation M($n: Int!) { double(of: $n) }",
            variables={"n": 4},
            operationName="M",
        )
        assert await ws.receive_json() == {"id": "m", "type": "next", "payload": {"data": {"double": 8}}}
        assert await ws.receive_json() == {"id": "m", "type": "complete"}
        await subscribe(ws, "s", "subscription { count(to: 3) }")
        for number in range(3):
            assert await ws.receive_json() == {"id": "s", "type": "next", "payload": {"data": {"count": number}}}
        assert await ws.receive_json() == {"id": "s", "type": "complete"}
        await subscribe(ws, "s", "{ number }")  # an id that is free again
        assert (await ws.receive_json())["type"] == "next"


async def test_a_query_is_answered_while_subscriptions_are_silent(web: Served) -> None:
    async with signed_in(web) as ws:
        await subscribe(ws, "s", "subscription { silence }")
        assert (await ws.receive_json())["id"] == "s"
        await subscribe(ws, "q", "{ number }")
        assert (await ws.receive_json())["payload"] == {"data": {"number": 1}}


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"query": "{"}, "BAD_REQUEST"),
        ({"query": "{ nope }"}, "BAD_REQUEST"),
        ({"query": "query a { number }", "operationName": "b"}, "BAD_REQUEST"),
        ({"query": "query($n: Int!) { number(of: $n) }", "variables": {"n": "x"}}, "BAD_REQUEST"),
        ({"query": "query($t: String!) { echo(text: $t) }", "variables": {"t": "a\0b"}}, "BAD_REQUEST"),
        ({"query": "{ __schema { queryType { name } } }"}, "BAD_REQUEST"),
        ({"query": "{ odd }"}, "INTERNAL"),
    ],
)
async def test_an_operation_that_fails_ends_alone(web: Served, payload: dict[str, Any], code: str) -> None:
    async with signed_in(web) as ws:
        await ws.send_json({"id": "1", "type": "subscribe", "payload": payload})
        answer = await ws.receive_json()
        assert (answer["id"], answer["type"]) == ("1", "error")
        assert [error["extensions"]["code"] for error in answer["payload"]] == [code]
        await subscribe(ws, "1", "{ number }")
        assert (await ws.receive_json())["type"] == "next"


async def test_a_field_that_fails_comes_with_the_rest(web: Served, caplog: pytest.LogCaptureFixture) -> None:
    async with signed_in(web) as ws:
        await subscribe(ws, "1", "{ nowhere number }")
        payload = (await ws.receive_json())["payload"]
        assert payload["data"] == {"nowhere": None, "number": 1}
        assert payload["errors"][0]["message"].startswith("Internal error, reference ")
        assert len(caplog.records) == 1


async def test_only_so_many_operations_run_at_once(web: Served) -> None:
    async with signed_in(web) as ws:
        for number in range(3):
            await subscribe(ws, str(number), "subscription { silence }")
            assert (await ws.receive_json())["type"] == "next"
        await subscribe(ws, "3", "{ number }")
        refused = await ws.receive_json()
        assert (refused["id"], refused["type"]) == ("3", "error")
        assert refused["payload"][0]["extensions"] == {"code": "LIMIT_EXCEEDED"}
        await ws.send_json({"id": "0", "type": "complete"})
        await until(lambda: MOVEMENTS.open == 2)
        await subscribe(ws, "3", "{ number }")
        assert (await ws.receive_json())["type"] == "next"


async def test_ping_and_pong_both_ways(web: Served) -> None:
    async with opened(web) as ws:  # also before anybody has signed in
        await ws.send_json({"type": "ping"})
        assert await ws.receive_json() == {"type": "pong"}
        await ws.send_json({"type": "ping", "payload": {"sent": 1}})
        assert await ws.receive_json() == {"type": "pong", "payload": {"sent": 1}}
        await ws.send_json({"type": "pong"})
        await ws.send_json(init(web.token()))
        assert await ws.receive_json() == {"type": "connection_ack"}


# ------------------------------------------------------------------------------------------- handshake


@pytest.mark.parametrize("protocols", [(), ("graphql-ws",), ("x" * 100,), ("other", "graphql-ws")])
async def test_another_subprotocol_is_4406(
    web: Served, caplog: pytest.LogCaptureFixture, protocols: tuple[str, ...]
) -> None:
    async with web.client.ws_connect(web.url, protocols=protocols) as ws:
        assert await closed_with(ws) == 4406
    assert len(str(caplog.messages)) < 300


async def test_ours_is_chosen_among_others_and_nothing_is_compressed(web: Served) -> None:
    async with web.client.ws_connect(web.url, protocols=["graphql-ws", PROTOCOL], compress=15) as ws:
        assert (ws.protocol, ws.compress) == (PROTOCOL, 0)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://[", "https://spa.example.evil.example"]
)
async def test_a_page_of_another_origin_opens_no_socket(web: Served, origin: str) -> None:
    with pytest.raises(WSServerHandshakeError) as refused:
        await web.client.ws_connect(web.url, protocols=[PROTOCOL], origin=origin)
    assert refused.value.status == 403


async def test_our_own_pages_and_known_spas_open_sockets(web: Served) -> None:
    for origin in (web.address, "https://spa.example", "http://127.0.0.1:8000"):
        async with opened(web, origin=origin) as ws:
            assert not ws.closed


# --------------------------------------------------------------------------------------------- signing in


async def test_who_does_not_sign_in_is_closed_with_4408(web: Served) -> None:
    async with opened(web) as ws:
        assert await closed_with(ws) == 4408


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (None, 4401),
        ({}, 4401),
        ({"token": "x"}, 4401),
        ({"Authorization": None}, 4401),
        ({"Authorization": ""}, 4401),
        ({"Authorization": "Bearer x.y.z"}, 4403),
        ({"Authorization": "x"}, 4403),
        ({"Authorization": 5}, 4403),
        ([], 4400),
        ("Bearer x", 4400),
    ],
)
async def test_without_a_valid_token_the_socket_closes(web: Served, payload: Any, code: int) -> None:
    async with opened(web) as ws:
        await ws.send_json({"type": "connection_init", "payload": payload})
        assert await closed_with(ws) == code
    async with opened(web) as ws:
        await ws.send_json({"type": "connection_init"})
        assert await closed_with(ws) == 4401


async def test_the_name_of_the_token_may_be_written_small(web: Served) -> None:
    async with opened(web) as ws:
        await ws.send_json({"type": "connection_init", "payload": {"authorization": web.token()}})
        assert await ws.receive_json() == {"type": "connection_ack"}


async def test_a_token_that_has_expired_is_4403(web: Served) -> None:
    token = web.token()
    web.clock[0] += timedelta(hours=12)
    async with opened(web) as ws:
        await ws.send_json(init(token))
        assert await closed_with(ws) == 4403


async def test_who_is_not_active_any_more_is_4403(web: Served) -> None:
    web.deactivate(2)
    async with opened(web) as ws:
        await ws.send_json(init(web.token(Viewer(2, 1))))
        assert await closed_with(ws) == 4403
    async with opened(web) as ws:  # a number that the organization does not know
        await ws.send_json(init(web.token(Viewer(1, 7))))
        assert await closed_with(ws) == 4403


async def test_the_socket_ends_with_its_token(web: Served) -> None:
    async with signed_in(web) as ws:
        await subscribe(ws, "1", "subscription { silence }")
        assert (await ws.receive_json())["type"] == "next"
        web.clock[0] += timedelta(hours=12)
        assert await closed_with(ws) == 4403
    await until(lambda: MOVEMENTS.open == 0)


async def test_the_socket_ends_when_its_person_goes(web: Served) -> None:
    async with signed_in(web) as ws:
        await subscribe(ws, "1", "subscription { presence }")
        assert (await ws.receive_json())["type"] == "next"
        MOVEMENTS.gone.set()
        answer = await ws.receive_json()
        assert (answer["id"], answer["type"]) == ("1", "error")
        assert answer["payload"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
        assert await closed_with(ws) == 4403


async def test_a_person_has_only_so_many_sockets(web: Served) -> None:
    async with signed_in(web), signed_in(web) as second:
        async with opened(web) as ws:
            await ws.send_json(init(web.token()))
            assert await closed_with(ws) == 4429
        async with signed_in(web, person=2):
            pass
        await second.close()
        async with signed_in(web):
            pass


# ------------------------------------------------------------------------------------------ broken rules


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "5",
        '"x"',
        "{}",
        '{"type":5}',
        '{"type":[]}',
        '{"type":"start"}',
        '{"type":' + "9" * 5000 + "}",
        "[" * 30_000 + "]" * 30_000,
        '{"type":"subscribe","payload":{"query":"{number}"}}',
        '{"id":null,"type":"subscribe","payload":{"query":"{number}"}}',
        '{"id":"","type":"subscribe","payload":{"query":"{number}"}}',
        '{"id":{},"type":"subscribe","payload":{"query":"{number}"}}',
        '{"id":"' + "x" * 201 + '","type":"subscribe","payload":{"query":"{number}"}}',
        '{"id":"\\ud800","type":"subscribe","payload":{"query":"{number}"}}',
        '{"id":"1","type":"subscribe"}',
        '{"id":"1","type":"subscribe","payload":[]}',
        '{"id":"1","type":"subscribe","payload":{"query":null}}',
        '{"id":"1","type":"subscribe","payload":{"query":"{number}","variables":[1]}}',
        '{"id":"1","type":"subscribe","payload":{"query":"{number}","operationName":5}}',
        '{"id":"1","type":"subscribe","payload":{"query":"{number}","variables":{"x":NaN}}}',
        '{"type":"complete"}',
        '{"type":"complete","id":{}}',
    ],
)
async def test_what_is_no_message_is_4400(web: Served, caplog: pytest.LogCaptureFixture, text: str) -> None:
    async with signed_in(web) as ws:
        await ws.send_str(text)
        assert await closed_with(ws) == 4400
    assert not caplog.records


async def test_messages_are_text_valid_and_short(web: Served) -> None:
    async with signed_in(web) as ws:
        await ws.send_bytes(b'{"type":"ping"}')
        assert await closed_with(ws) == 4400
    async with signed_in(web) as ws:
        await ws.send_frame(b'{"type":"\xff"}', WSMsgType.TEXT)
        assert await closed_with(ws) == 1007
    async with signed_in(web) as ws:
        await ws.send_json({"type": "ping", "payload": {"x": "x" * 64 * 1024}})
        assert await closed_with(ws) == 1009


async def test_nothing_runs_before_signing_in_and_signing_in_happens_once(web: Served) -> None:
    async with opened(web) as ws:
        await subscribe(ws, "1", "{ number }")
        assert await closed_with(ws) == 4401
    async with signed_in(web) as ws:
        await ws.send_json(init(web.token()))
        assert await closed_with(ws) == 4429


async def test_an_id_in_use_is_4409_and_ends_all(web: Served) -> None:
    async with signed_in(web) as ws:
        for _ in range(2):
            await subscribe(ws, "1", "subscription { silence }")
        assert await closed_with(ws) == 4409
    await until(lambda: MOVEMENTS.open == 0)


async def test_completing_what_does_not_run_is_no_mistake(web: Served) -> None:
    async with signed_in(web) as ws:
        await ws.send_json({"id": "never", "type": "complete"})
        await subscribe(ws, "1", "{ number }")
        assert (await ws.receive_json())["type"] == "next"


# ------------------------------------------------------------------------------------ what is left behind


async def raw(web: Served, token: str | None = None) -> socket.socket:
    """A signed-in socket without a client behind it: what is sent to it stays where it is."""
    port = int(web.address.rpartition(":")[2])
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(peer, ("127.0.0.1", port))
    lines = (
        "GET /graphql HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(b'0123456789abcdef').decode()}",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Protocol: {PROTOCOL}",
    )
    await loop.sock_sendall(peer, ("\r\n".join(lines) + "\r\n\r\n").encode() + frame(init(token or web.token())))
    heard = b""
    while b"connection_ack" not in heard:
        heard += await loop.sock_recv(peer, 4096)
    return peer


def frame(message: Any) -> bytes:
    """A text frame of a client, its mask zero."""
    content = json.dumps(message).encode()
    head = (
        b"\x81\xfe" + struct.pack(">H", len(content)) if len(content) > 125 else bytes([0x81, 0x80 | len(content)])
    )
    return head + b"\0\0\0\0" + content


@pytest.mark.parametrize("how", ["complete", "close", "FIN", "RST"])
async def test_what_a_subscription_holds_is_released_at_once(web: Served, how: str) -> None:
    peer = await raw(web)
    loop = asyncio.get_running_loop()
    try:
        for id_ in ("1", "2", "3"):
            message = {"id": id_, "type": "subscribe", "payload": {"query": "subscription { silence }"}}
            await loop.sock_sendall(peer, frame(message))
        await until(lambda: MOVEMENTS.open == 3)
        start = time.monotonic()
        if how == "complete":
            for id_ in ("1", "2", "3"):
                await loop.sock_sendall(peer, frame({"id": id_, "type": "complete"}))
        elif how == "close":
            await loop.sock_sendall(peer, b"\x88\x82\0\0\0\0" + struct.pack(">H", 1000))
        else:
            if how == "RST":
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.close()
        await until(lambda: MOVEMENTS.open == 0)
        assert time.monotonic() - start < 1
    finally:
        peer.close()


async def test_what_runs_ends_before_a_peer_that_does_not_answer_is_given_up(tmp_path: Path) -> None:
    MOVEMENTS.open = 0
    async with served(tmp_path, terms=Terms(to_close=1, between_looks=0.02)) as web:
        peer = await raw(web)
        try:
            message = {"id": "1", "type": "subscribe", "payload": {"query": "subscription { silence }"}}
            await asyncio.get_running_loop().sock_sendall(peer, frame(message))
            await until(lambda: MOVEMENTS.open == 1)
            start = time.monotonic()
            await asyncio.get_running_loop().sock_sendall(peer, frame("no message"))
            await until(lambda: MOVEMENTS.open == 0)
            assert time.monotonic() - start < 0.5
        finally:
            peer.close()


async def test_a_peer_that_does_not_read_is_cut_and_little_is_kept_for_it(tmp_path: Path) -> None:
    MOVEMENTS.open = MOVEMENTS.told = 0
    async with served(tmp_path, terms=Terms(to_read=0.5, between_looks=0.02)) as web:
        peer = await raw(web)
        loop = asyncio.get_running_loop()
        try:
            for number in range(100):
                message = {"id": f"{number}", "type": "subscribe", "payload": {"query": "subscription { flood }"}}
                await loop.sock_sendall(peer, frame(message))
            await until(lambda: MOVEMENTS.open == 100)
            async with signed_in(web, person=2) as other:  # nobody else notices
                await subscribe(other, "1", "{ number }")
                assert (await other.receive_json())["type"] == "next"
            await until(lambda: MOVEMENTS.open == 0)
            assert 1 < MOVEMENTS.told < 1000  # ten megabytes, most of them the kernel's
        finally:
            peer.close()


async def test_a_peer_that_asks_and_does_not_read_is_cut(web: Served) -> None:
    pings = {"of the protocol": frame({"type": "ping", "payload": {"x": "x" * 100}}), "of WebSocket": PING}
    for kind, ping in pings.items():
        peer = await raw(web)
        loop = asyncio.get_running_loop()
        try:
            with pytest.raises(ConnectionError):
                async with asyncio.timeout(5):
                    while True:
                        await loop.sock_sendall(peer, ping * 1000)
        except TimeoutError:
            pytest.fail(f"a peer that sends pings {kind} was not cut")
        finally:
            peer.close()


async def test_a_peer_that_is_silent_is_asked_and_then_cut(tmp_path: Path) -> None:
    async with served(tmp_path, terms=Terms(heartbeat=0.2)) as web:
        peer = await raw(web)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(3):
                assert (await loop.sock_recv(peer, 2))[0] == 0x89  # a ping
                assert await loop.sock_recv(peer, 2) == b""
        finally:
            peer.close()
        async with opened(web) as ws:  # this client answers by itself
            answer = asyncio.create_task(ws.receive_json())
            await asyncio.sleep(0.5)
            await ws.send_json({"type": "ping"})
            assert await answer == {"type": "pong"}


async def test_at_the_end_all_are_told_and_nobody_is_waited_for(tmp_path: Path) -> None:
    MOVEMENTS.open = 0
    async with served(tmp_path) as web:
        peer = await raw(web)
        try:
            message = {"id": "1", "type": "subscribe", "payload": {"query": "subscription { silence }"}}
            await asyncio.get_running_loop().sock_sendall(peer, frame(message))
            async with signed_in(web) as ws, opened(web) as stranger:
                await until(lambda: MOVEMENTS.open == 1)
                start = time.monotonic()
                stopping = asyncio.create_task(web.runner.cleanup())
                assert await closed_with(ws) == 1001
                assert await closed_with(stranger) == 1001
                await stopping
                assert time.monotonic() - start < 1
            assert MOVEMENTS.open == 0
        finally:
            peer.close()
