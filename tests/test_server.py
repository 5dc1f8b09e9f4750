"""The process: what it says when it comes up, whom it lets in beside it, and how fast it goes."""

import asyncio
import signal
import time
from contextlib import suppress
from pathlib import Path

from aiohttp import ClientSession, WSMsgType

from tests.running import TO_STOP, address_in, first_words, last_words, started


async def test_the_server_comes_up_alone_and_goes_at_once(tmp_path: Path) -> None:
    async with started(tmp_path) as server:
        line = await first_words(server)
        address = address_in(line)
        assert line == f"Préau listens at {address}/graphql, GraphiQL at {address}/\n"
        async with ClientSession() as client:
            async with client.get(f"{address}/healthz") as answer:
                assert (answer.status, await answer.json()) == (200, {"status": "ok"})

            async with started(tmp_path) as second:
                database = tmp_path / "preau.db"
                assert await last_words(second) == (1, f"{database}: another server runs on this database.\n")
            async with started(tmp_path, "migrate") as beside:
                assert await last_words(beside) == (0, "")
            port = address.rpartition(":")[2]
            async with started(tmp_path / "other", PREAU_PORT=port) as third:
                code, words = await last_words(third)
                assert (code, words.count("\n")) == (1, 1)
                assert words.startswith(f"127.0.0.1:{port}: ")

            async with client.ws_connect(f"{address}/graphql", protocols=["graphql-transport-ws"]) as ws:
                start = time.monotonic()
                server.send_signal(signal.SIGTERM)
                message = await ws.receive()
                assert (message.type, message.data) == (WSMsgType.CLOSE, 1001)
        assert await last_words(server) == (0, "")
        assert time.monotonic() - start < TO_STOP


async def test_a_peer_that_answers_nothing_keeps_no_server(tmp_path: Path) -> None:
    async with started(tmp_path, PREAU_ENVIRONMENT="production") as server:
        line = await first_words(server)
        assert "GraphiQL" not in line
        host, _, port = address_in(line).removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            b"GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
        )
        assert b" 101 " in await reader.readline()
        start = time.monotonic()
        server.send_signal(signal.SIGINT)
        assert await last_words(server) == (0, "")
        assert time.monotonic() - start < TO_STOP
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
