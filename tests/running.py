"""How do tests run the server as somebody does who starts it? As a process, on a port of its own."""

import asyncio
import json
import os
import socket
import sqlite3
import struct
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse

from app.auth import Tokens
from models.actor import Viewer
from tests.school import SECRET, build_school, viewer

PATIENCE = 20
"""Seconds that a process may take to come up, on a busy machine."""

TO_STOP = 2.0
"""Seconds that a server may take to stop: it promises one, on a machine that is not busy with other tests."""

SUBPROTOCOL = "graphql-transport-ws"


@asynccontextmanager
async def started(folder: Path, *command: str, **variables: str) -> AsyncIterator[Process]:
    """The program with this command, to serve without one, on the database in this folder; killed at the end."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PREAU_")},
        "PREAU_DATABASE_URL": f"sqlite:///{folder}/preau.db",
        "PREAU_STORAGE_URL": f"file:{folder}/attachments",
        "PREAU_SECRET": SECRET,
        "PREAU_PORT": "0",
        "PREAU_SENDS_PER_MINUTE": "0",
        **variables,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app", *(command or ("serve",)), env=environment, stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def first_words(process: Process) -> str:
    """What a server says when it has come up."""
    assert process.stdout
    async with asyncio.timeout(PATIENCE):
        line = (await process.stdout.readline()).decode()
    assert line, (await process.communicate())[1].decode()
    return line


def address_in(line: str) -> str:
    return line.split()[3].rstrip(",").removesuffix("/graphql")


async def last_words(process: Process) -> tuple[int | None, str]:
    """With which code the process ended, and what it said to the person who started it."""
    async with asyncio.timeout(PATIENCE):
        _, errors = await process.communicate()
    return process.returncode, errors.decode()


@dataclass
class Running:
    """A server on the demo school, and what a test needs to talk to it."""

    process: Process
    address: str
    client: ClientSession
    people: dict[str, Viewer]
    database_url: str

    def header(self, login: str) -> dict[str, str]:
        token = Tokens(SECRET).issue(self.people[login], now=datetime.now(UTC))
        return {"Authorization": f"Bearer {token}"}

    async def ask(self, login: str, query: str, **variables: Any) -> Any:
        """The whole answer."""
        body = {"query": query, "variables": variables}
        async with self.client.post(f"{self.address}/graphql", json=body, headers=self.header(login)) as answer:
            return await answer.json()

    async def signed_in(self, login: str) -> ClientWebSocketResponse:
        """One that is signed in."""
        ws = await self.client.ws_connect(f"{self.address}/graphql", protocols=[SUBPROTOCOL], max_msg_size=0)
        await ws.send_json({"type": "connection_init", "payload": self.header(login)})
        assert (await ws.receive_json())["type"] == "connection_ack"
        return ws

    async def deaf_socket(self, login: str) -> socket.socket:
        """One that is signed in, of a peer that reads no more than it must."""
        host, _, port = self.address.removeprefix("http://").partition(":")
        peer = socket.socket()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(peer, (host, int(port)))
        head = (
            "GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n"
        )
        init = frame({"type": "connection_init", "payload": self.header(login)})
        await loop.sock_sendall(peer, head.encode() + init)
        heard = b""
        while b"connection_ack" not in heard:
            heard += await loop.sock_recv(peer, 4096)
        return peer

    async def conversation(self, login: str, other: str) -> str:
        """The id of the direct conversation of these two."""
        query = (
            "mutation($u: ID!) { openConversation(input: {userId: $u}) "
            "{ ... on OpenConversationPayload { conversation { id } } } }"
        )
        answer = await self.ask(login, query, u=f"User_{self.people[other].id}")
        found: str = answer["data"]["openConversation"]["conversation"]["id"]
        return found


def frame(message: Any) -> bytes:
    """A text frame of a client, its mask zero."""
    content = json.dumps(message).encode()
    return b"\x81\xfe" + struct.pack(">H", len(content)) + bytes(4) + content


@asynccontextmanager
async def at_school(folder: Path, *logins: str, **variables: str) -> AsyncIterator[Running]:
    """The demo school in this folder, served to these people."""
    database = build_school(folder / "preau.db")
    people = {login: viewer(database, login) for login in logins}
    variables = {"PREAU_DATABASE_URL": database.url, **variables}
    async with started(folder, **variables) as process, ClientSession() as client:
        yield Running(process, address_in(await first_words(process)), client, people, database.url)


def logged(errors: str) -> list[dict[str, Any]]:
    """The lines of a server in production."""
    return [json.loads(line) for line in errors.splitlines()]


def faults_of(connection: sqlite3.Connection) -> list[str]:
    """What SQLite finds wrong with its file."""
    found = [text for (text,) in connection.execute("PRAGMA integrity_check(1000000)")]
    found += [
        f"{table} misses its {parent}" for table, _, parent, _ in connection.execute("PRAGMA foreign_key_check")
    ]
    # Of a table without a rowid whose key does not come first, SQLite 3.40 says what is not so.
    return [text for text in found if text not in ("ok", "NULL value in group_ancestors.organization_id")]
