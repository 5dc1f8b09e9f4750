"""A listener that does not read, while 100,000 events pass: when is it cut, and who notices?

    python -m benchmarks.stalled [EVENTS]

Messages are sent over HTTP, and listened to by others who do read. First without the one that does not, then with
it: how long until it is cut, how much memory the server takes meanwhile, and how the latency of the others grows.
"""

import asyncio
import base64
import json
import os
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from app.auth import Tokens
from benchmarks import s1, school, servers
from benchmarks.school import SCHOOL
from benchmarks.servers import SECRET, Server
from models.actor import Viewer

EVENTS = 100_000
WARM_UP = 6_000
LISTENERS = 10
SENDERS = 8
ROOM, PEOPLE = s1.FEW, s1.FEW_PEOPLE
STALLED = s1.AUTHOR + PEOPLE - 1
FILLING = "x" * 4000
"""So much that what the kernel keeps for a peer is soon full."""

MOST_SECONDS = 15.0
MOST_KIB = 10 * 1024
MOST_TIMES = 2.0


@dataclass
class Watched:
    """What was seen while events passed."""

    latencies: list[float] = field(default_factory=list)
    cut_after: float | None = None
    kib: float = 0.0

    @property
    def p99(self) -> float:
        return sorted(self.latencies)[int(0.99 * len(self.latencies))]


def main() -> int:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    s1.VAR.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=s1.VAR) as name:
        made = school.make(Path(name).absolute())
        s1.gather(made, ROOM, PEOPLE)
        with servers.preau(made) as server:
            asyncio.run(_pass(server, WARM_UP, stalled=False))  # what is kept of the database is kept then
            without = asyncio.run(_pass(server, events // 5, stalled=False))
            stalled = asyncio.run(_pass(server, events, stalled=True))
    times = stalled.p99 / without.p99
    cut = "never" if stalled.cut_after is None else f"after {stalled.cut_after:.1f} s"
    print(f"{events:,} events: cut {cut}, of at most {MOST_SECONDS:.0f} s")
    print(f"memory grew by {stalled.kib / 1024:.1f} MB, of at most {MOST_KIB / 1024:.0f}")
    print(
        f"p99 of {LISTENERS} others: {stalled.p99 * 1e3:.1f} ms, without it {without.p99 * 1e3:.1f} ms: "
        f"{times:.2f} times, of at most {MOST_TIMES:.0f}"
    )
    was_cut = stalled.cut_after is not None and stalled.cut_after <= MOST_SECONDS
    return 0 if was_cut and stalled.kib <= MOST_KIB and times <= MOST_TIMES else 1


async def _pass(server: Server, events: int, *, stalled: bool) -> Watched:
    """So many messages, while all listen."""
    seen = Watched()
    url = f"http://127.0.0.1:{server.port}/graphql"
    async with ClientSession() as session:
        people = range(s1.AUTHOR, s1.AUTHOR + LISTENERS)
        sockets = [await _listen(session, url, person) for person in people]
        tasks = [asyncio.create_task(_hear(ws, events, seen)) for ws in sockets]
        async with _stalled(server) if stalled else _nobody() as peer:
            await asyncio.sleep(1)
            before = s1.kib_of(server)
            watching = asyncio.create_task(_watch(server, peer, before, seen))
            numbers = count()
            async with asyncio.TaskGroup() as group:
                for sender in range(SENDERS):
                    group.create_task(_send(session, url, s1.AUTHOR + sender, numbers, events))
            await asyncio.gather(*tasks)
            watching.cancel()
        for ws in sockets:
            await ws.close()
    return seen


async def _listen(session: ClientSession, url: str, person: int) -> ClientWebSocketResponse:
    ws = await session.ws_connect(url, protocols=["graphql-transport-ws"], max_msg_size=0)
    await ws.send_json({"type": "connection_init", "payload": {"Authorization": _token(person)}})
    await ws.receive()
    await ws.send_json({"id": "1", "type": "subscribe", "payload": {"query": s1.SUBSCRIBE}})
    return ws


async def _hear(ws: ClientWebSocketResponse, events: int, seen: Watched) -> None:
    for _ in range(events):
        message = await ws.receive()
        assert message.type is WSMsgType.TEXT, message
        body = json.loads(message.data)["payload"]["data"]["messageReceived"]["message"]["body"]
        seen.latencies.append(time.perf_counter() - float(body.partition(" ")[0]))


async def _send(session: ClientSession, url: str, person: int, numbers: "count[int]", events: int) -> None:
    headers = {"Authorization": _token(person)}
    while next(numbers) < events:
        body = f"{time.perf_counter()} {FILLING}"
        given = {"input": {"conversationId": f"Conversation_{ROOM}", "body": body}}
        async with session.post(url, json={"query": s1.SEND, "variables": given}, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            assert "errors" not in await answer.json()


async def _watch(server: Server, peer: socket.socket | None, before: float, seen: Watched) -> None:
    start = time.perf_counter()
    while True:
        await asyncio.sleep(0.1)
        seen.kib = max(seen.kib, s1.kib_of(server) - before)
        if peer is not None and seen.cut_after is None and _is_cut(server, peer):
            seen.cut_after = time.perf_counter() - start


def _is_cut(server: Server, peer: socket.socket) -> bool:
    """Whether the server has closed its side. The peer cannot see this: before it lies what it does not read."""
    here, there = f":{server.port:04X}", f":{peer.getsockname()[1]:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, _, _, _, _, _, _, inode, *_ = line.split()
        if local.endswith(here) and remote.endswith(there):
            return inode == "0"
    return True


@asynccontextmanager
async def _stalled(server: Server) -> AsyncIterator[socket.socket]:
    """Signs in, listens, and reads nothing any more."""
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.connect(("127.0.0.1", server.port))
    head = (
        "GET /graphql HTTP/1.1",
        "Host: 127.0.0.1",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: graphql-transport-ws",
    )
    peer.sendall("\r\n".join((*head, "", "")).encode())
    peer.sendall(_frame({"type": "connection_init", "payload": {"Authorization": _token(STALLED)}}))
    heard = b""
    while b"connection_ack" not in heard:
        heard += peer.recv(4096)
    peer.sendall(_frame({"id": "1", "type": "subscribe", "payload": {"query": s1.SUBSCRIBE}}))
    try:
        yield peer
    finally:
        peer.close()


@asynccontextmanager
async def _nobody() -> AsyncIterator[None]:
    yield None


def _frame(message: object) -> bytes:
    """A text frame of a client, its mask zero."""
    content = json.dumps(message).encode()
    size = len(content)
    head = bytes([0x81, 0x80 | size]) if size < 126 else b"\x81\xfe" + size.to_bytes(2, "big")
    return head + bytes(4) + content


def _token(person: int) -> str:
    return "Bearer " + Tokens(SECRET).issue(Viewer(person, SCHOOL), now=datetime.now(UTC))


if __name__ == "__main__":
    sys.exit(main())
