"""What does somebody who does not read cost the others, while 100,000 events pass him?

    python -m tests.faults.slow_reader [--events 100000] [--engine postgresql|sqlite]

He listens to changes of his own messages and reads nothing; others listen to messages that are sent meanwhile.
The same load goes on without him, before he comes and when he has been cut: what both have in common, as the pages
of the database that SQLite keeps in memory, is not his. One line; ends with 1 when a promise is not kept.
"""

import argparse
import asyncio
import json
import shutil
import socket
import tempfile
import time
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from tests.faults.scene import Scene, group_of_two, on_a_file, on_postgresql, say
from tests.running import Running, address_in, first_words, frame, started
from tests.school import CURATOR_9A, DIRECTOR, LEARNER_9A, school_database, viewer

CUT_WITHIN = 15.0
MOST_MEGABYTES = 10.0
MOST_TIMES = 2.0
"""By which the others' latency may grow."""

EACH = 100
"""Events of one call."""

LISTENERS = 10
BETWEEN_SENDS = 0.05

SEND = """mutation($in: ID!, $body: String!) { sendMessage(input: {conversationId: $in, body: $body}) {
  ... on SendMessagePayload { sent { id } } } }"""
MARK = """mutation($ids: [ID!]!) { %s(input: {messageIds: $ids}) { __typename } }"""
CHANGED = "subscription { messageChanged { cursor message { id body isRead } } }"
HEAR = "subscription { messageReceived { message { body } } }"


@dataclass
class Outcome:
    """Seconds, and megabytes. `latencies`: of what was sent, until each of the others had it."""

    without: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    cut_after: float | None = None
    grown_before: float = 0.0
    grown: float = 0.0
    heard: list[int] = field(default_factory=list)
    sent: int = 0

    def told(self) -> str:
        cut = "never" if self.cut_after is None else f"after {self.cut_after:.1f} s"
        slower = f"p99 {1000 * p99(self.without):.0f} ms without him, {1000 * p99(self.latencies):.0f} ms with him"
        grown = f"memory grew by {self.grown_before:.1f} MB without him, by {self.grown:.1f} MB with him"
        return f"cut {cut}; {grown}; {slower}, {len(self.without)} and {len(self.latencies)} deliveries"

    def faults(self) -> list[str]:
        """Which promises were not kept."""
        found = []
        if self.cut_after is None or self.cut_after > CUT_WITHIN:
            found.append("not cut in time")
        if self.grown - self.grown_before > MOST_MEGABYTES:
            found.append("the memory grew")
        if p99(self.latencies) > MOST_TIMES * p99(self.without):
            found.append("the others wait longer")
        if set(self.heard) != {self.sent}:
            found.append(f"of {self.sent} messages the others heard {self.heard}")
        return found


class Trial:
    """Load on one server: changes of the deaf one's messages, and messages to the others."""

    def __init__(self, server: Running, there: str) -> None:
        self.server = server
        self.there = there
        self.outcome = Outcome()
        self._ids: list[str] = []
        self._ways = cycle(("markMessagesRead", "markMessagesUnread"))
        self._began: dict[str, float] = {}
        self._measured = self.outcome.without

    async def run(self, events: int, *, size: int) -> Outcome:
        """`size`: characters of a message that the deaf one does not read."""
        for _ in range(EACH):
            sent = await self.server.ask(CURATOR_9A, SEND, **{"in": self.there, "body": "x" * size})
            self._ids.append(sent["data"]["sendMessage"]["sent"]["id"])
        self.outcome.heard = [0] * LISTENERS
        async with AsyncExitStack() as stack:
            for number in range(LISTENERS):
                ws = await self.server.signed_in(DIRECTOR)
                await ws.send_json({"id": "1", "type": "subscribe", "payload": {"query": HEAR}})
                _beside(stack, self._listen(ws, number))
            _beside(stack, self._keep_sending())
            await self._change(EACH)
            self.outcome.grown_before = await self._change(events)
            self._measured = self.outcome.latencies
            deaf = await self.server.deaf_socket(LEARNER_9A)
            message = {"id": "1", "type": "subscribe", "payload": {"query": CHANGED}}
            await asyncio.get_running_loop().sock_sendall(deaf, frame(message))
            watch = _beside(stack, self._watch(deaf))
            self.outcome.grown = await self._change(events)
            await asyncio.wait([watch], timeout=CUT_WITHIN)
            deaf.close()
        return self.outcome

    async def _change(self, events: int) -> float:
        """By how many megabytes the server has grown meanwhile."""
        before, most = megabytes(self.server.process.pid), 0.0
        for way, _ in zip(self._ways, range(events // EACH), strict=False):
            answer = await self.server.ask(LEARNER_9A, MARK % way, ids=self._ids)
            assert "errors" not in answer, answer
            most = max(most, megabytes(self.server.process.pid) - before)
        return most

    async def _keep_sending(self) -> None:
        own = await self.server.conversation(CURATOR_9A, DIRECTOR)
        try:
            while True:
                body = f"Body {self.outcome.sent}"
                self._began[body] = time.monotonic()
                self.outcome.sent += 1
                await self.server.ask(CURATOR_9A, SEND, **{"in": own, "body": body})
                await asyncio.sleep(BETWEEN_SENDS)
        except asyncio.CancelledError:
            await asyncio.sleep(1)  # the last one is heard as well
            raise

    async def _listen(self, ws: Any, number: int) -> None:
        async for message in ws:
            told = json.loads(message.data)
            if told["type"] == "next":
                body = told["payload"]["data"]["messageReceived"]["message"]["body"]
                self._measured.append(time.monotonic() - self._began[body])
                self.outcome.heard[number] += 1
            elif told["type"] == "ping":
                await ws.send_json({"type": "pong"})

    async def _watch(self, deaf: socket.socket) -> None:
        """Until the server has cut the deaf one."""
        began = time.monotonic()
        while is_established(deaf) and time.monotonic() < began + 10 * CUT_WITHIN:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        if not is_established(deaf):
            self.outcome.cut_after = time.monotonic() - began
            self._measured = self.outcome.without


def _beside(stack: AsyncExitStack, work: Any) -> "asyncio.Task[None]":
    """Something that goes on until the stack is left."""
    task = asyncio.create_task(work)

    async def end() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(end)
    return task


def p99(values: list[float]) -> float:
    return sorted(values)[int(0.99 * len(values))]


def megabytes(process_id: int) -> float:
    """What the process holds in memory."""
    [kilobytes] = [
        line.split()[1]
        for line in Path(f"/proc/{process_id}/status").read_text().splitlines()
        if line.startswith("VmRSS")
    ]
    return int(kilobytes) / 1024


def is_established(peer: socket.socket) -> bool:
    """Whether the server still holds its end: who does not read cannot hear that it has been closed."""
    server, own = peer.getpeername()[1], peer.getsockname()[1]
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, *_ = line.split()
        if (int(local[-4:], 16), int(remote[-4:], 16)) == (server, own):
            return state == "01"
    return False


async def trial(scene: Scene, events: int, *, size: int) -> Outcome:
    database = school_database(scene.database_url)
    people = {login: viewer(database, login) for login in (CURATOR_9A, LEARNER_9A, DIRECTOR)}
    folder = Path(tempfile.mkdtemp(prefix="preau-trial-"))
    try:
        async with started(folder, **scene.environment(0)) as process, ClientSession() as client:
            address = address_in(await first_words(process))
            server = Running(process, address, client, people, scene.database_url)
            there = await asyncio.to_thread(group_of_two, scene, address)
            return await Trial(server, there).run(events, size=size)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--engine", choices=("postgresql", "sqlite"), default="postgresql")
    given = parser.parse_args()
    with ExitStack() as stack:
        if given.engine == "sqlite":
            scene = stack.enter_context(on_a_file())
        else:
            scene, _ = stack.enter_context(on_postgresql())
        outcome = asyncio.run(trial(scene, given.events, size=200))
    faults = outcome.faults()
    say(f"slow reader, {given.engine}, {given.events} events: {outcome.told()}; {', '.join(faults) or 'holds'}")
    raise SystemExit(1 if faults else 0)


if __name__ == "__main__":
    main()
