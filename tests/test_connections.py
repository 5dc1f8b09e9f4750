"""What becomes of connections on which nobody says anything, or somebody says too little, or too much at once?"""

import asyncio
import json
import resource
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from time import monotonic

import pytest
from aiohttp import ClientSession, TCPConnector

from app.hearing import UNREADABLE
from app.server import IDLE
from app.websocket import Terms
from tests.running import at_school
from tests.school import LEARNER_9A
from tests.web import Served, served

IDLE_HERE = 0.8
HEAD = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
BODY = json.dumps({"query": "{ number }"}).encode()
WHOLE = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    assert IDLE == 75
    monkeypatch.setattr("app.server.IDLE", IDLE_HERE)
    async with (
        served(tmp_path, terms=Terms(between_looks=0.02)) as running,
        ClientSession(connector=TCPConnector(force_close=True)) as anew,
    ):
        yield replace(running, client=anew)


async def connect(web: Served) -> Ends:
    return await asyncio.open_connection("127.0.0.1", int(web.address.rpartition(":")[2]))


async def assert_served(web: Served, within: float = 2.0) -> None:
    began = monotonic()
    assert await web.ask("{ number }") == (200, {"data": {"number": 1}})
    assert monotonic() - began < within


async def closed(reader: asyncio.StreamReader) -> bytes:
    """What was said before the server closed it."""
    async with asyncio.timeout(5):
        try:
            return await reader.read()
        except ConnectionError:
            return b""


async def test_a_thousand_connections_that_say_nothing_hold_nobody_up_and_are_closed(web: Served) -> None:
    there = [await connect(web) for _ in range(1_000)]
    await assert_served(web)
    began = monotonic()
    assert set(await asyncio.gather(*(closed(reader) for reader, _ in there))) == {b""}
    assert monotonic() - began < 10
    await assert_served(web)
    for _, writer in there:
        writer.close()


@pytest.mark.parametrize("first", [b"", b"POST", HEAD, WHOLE + b"POST /gr", WHOLE + HEAD])
async def test_a_head_that_crawls_has_no_more_time_than_a_silent_one(web: Served, first: bytes) -> None:
    """A letter at a time: each one does not win more time."""
    there = [await connect(web) for _ in range(20)]
    began = monotonic()
    for _, writer in there:
        writer.write(first)
    ends = [asyncio.create_task(closed(reader)) for reader, _ in there]
    while not all(each.done() for each in ends):
        for _, writer in there:
            writer.write(b"X" if first else b"")
        await assert_served(web)
        await asyncio.sleep(0.05)
        assert monotonic() - began < 10, "it would go on for ever"
    answered = {(await each).count(b"HTTP/1.1 200") for each in ends}
    assert answered <= {0, first.count(b"\r\n\r\n")}, "what was answered before may be lost with the connection"
    for _, writer in there:
        writer.close()


@pytest.mark.parametrize("rest", [b"X-A: " + b"a" * 100_000, b"X-A: b\r\n" * 100_000], ids=["one", "many"])
async def test_a_head_without_end_is_cut(web: Served, rest: bytes) -> None:
    reader, writer = await connect(web)
    writer.write(HEAD + rest)
    assert_nothing_told(await closed(reader))
    writer.close()
    await assert_served(web)


def assert_nothing_told(said: bytes) -> None:
    """Refused, where the refusal still arrives; not by which software, nor how it reads."""
    if said:
        head, _, body = said.partition(b"\r\n\r\n")
        assert head.split()[1] == b"400", said
        assert b"\r\nServer: Preau\r\n" in head + b"\r\n"
        assert b"X-Content-Type-Options: nosniff" in head
        assert body == UNREADABLE.encode()


@pytest.mark.parametrize(
    "said",
    [
        b"GARBAGE\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n\r\n",
        b"\0" * 1_000,
    ],
    ids=lambda said: str(said[:12]),
)
async def test_who_does_not_speak_http_hears_only_that(
    web: Served, caplog: pytest.LogCaptureFixture, said: bytes
) -> None:
    reader, writer = await connect(web)
    writer.write(said)
    heard = await closed(reader)
    assert heard
    assert_nothing_told(heard)
    writer.close()
    assert not caplog.records


async def test_what_could_be_read_in_two_ways_is_refused(web: Served) -> None:
    """Where a proxy in front would see another request than we do."""
    for rest in (
        b"Content-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: 10\r\nContent-Length: 11\r\n\r\n",
        b"Content-Length: -1\r\n\r\n",
        b"Content-Length: +10\r\n\r\n",
        b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        b"X-A\x00: b\r\n\r\n",
        b"X-A: b\x00c\r\n\r\n",
        b"X A: b\r\n\r\n",
    ):
        reader, writer = await connect(web)
        writer.write(HEAD + rest)
        heard = await closed(reader)
        assert heard, rest
        assert_nothing_told(heard)
        writer.close()
    await assert_served(web)


async def test_who_asks_and_asks_and_reads_nothing_is_held_back_and_cut(
    web: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.sending.LONGEST", 0.5)
    loop = asyncio.get_running_loop()
    with socket.socket() as silent:
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        silent.setblocking(False)
        await loop.sock_connect(silent, ("127.0.0.1", int(web.address.rpartition(":")[2])))

        async def flood() -> None:
            while True:
                await loop.sock_sendall(silent, WHOLE * 1_000)

        flooding = asyncio.create_task(flood())
        began = monotonic()
        while not flooding.done():
            await assert_served(web)
            await asyncio.sleep(0.02)
            assert monotonic() - began < 20
        with pytest.raises(ConnectionError):
            await flooding
    await assert_served(web)


async def test_many_requests_at_once_on_one_connection_are_answered_in_order(web: Served) -> None:
    reader, writer = await connect(web)
    bodies = [json.dumps({"query": f"{{ number(of: {number}) }}"}).encode() for number in range(300)]
    writer.write(b"".join(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body for body in bodies))
    async with asyncio.timeout(10):
        for number in range(300):
            assert b'{"data":{"number":%d}}' % number in await reader.readuntil(b"}}")
    writer.close()


async def test_as_many_connections_as_the_system_admits(tmp_path: Path) -> None:
    here, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most // 2, most))
    try:
        async with at_school(tmp_path, LEARNER_9A) as server:
            assert resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE) == (most, most)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (here, most))
