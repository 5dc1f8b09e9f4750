"""The process: what it says when it comes up, whom it lets in beside it, and how fast it goes."""

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from aiohttp import ClientSession, WSMsgType

SECRET = "x" * 40


@asynccontextmanager
async def started(folder: Path, command: str = "serve", **variables: str) -> AsyncIterator[Process]:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PREAU_")},
        "PREAU_DATABASE_URL": f"sqlite:///{folder}/preau.db",
        "PREAU_SECRET": SECRET,
        "PREAU_PORT": "0",
        **variables,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app", command, env=environment, stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def last_words(process: Process) -> tuple[int | None, str]:
    """With which code the process ended, and what it said to the person who started it."""
    async with asyncio.timeout(20):
        _, errors = await process.communicate()
    return process.returncode, errors.decode()


async def test_the_server_comes_up_alone_and_goes_at_once(tmp_path: Path) -> None:
    async with started(tmp_path) as server:
        assert server.stdout
        async with asyncio.timeout(20):
            line = (await server.stdout.readline()).decode()
        address = line.split()[3].removesuffix("/graphql,")
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
        assert time.monotonic() - start < 1


async def test_a_peer_that_answers_nothing_keeps_no_server(tmp_path: Path) -> None:
    async with started(tmp_path, PREAU_ENVIRONMENT="production") as server:
        assert server.stdout
        async with asyncio.timeout(20):
            line = (await server.stdout.readline()).decode()
        assert "GraphiQL" not in line
        host, _, port = line.split()[3].removeprefix("http://").removesuffix("/graphql").partition(":")
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
        assert time.monotonic() - start < 1
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
