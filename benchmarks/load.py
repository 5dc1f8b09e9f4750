"""Who asks? A process of its own that keeps connections open and sends one request after the other on each.

    python -m benchmarks.load

It reads tasks from stdin and answers on stdout, a line of JSON each. It does as little as it can, so that the
server is what is measured; `cpu` tells how busy it was.
"""

import asyncio
import base64
import sys
import time
from dataclasses import dataclass
from typing import Any, cast

import orjson
import uvloop

from benchmarks.spoken_to import SpokenTo

PATIENCE = 10
"""Seconds beyond the round that an answer may take."""


@dataclass(frozen=True)
class Load:
    """What one round of requests took. Latencies and CPU in nanoseconds, the client's own CPU in `cpu`."""

    requests: int
    elapsed: int
    p50: int
    p99: int
    cpu: int

    @property
    def per_second(self) -> float:
        return self.requests * 1e9 / self.elapsed

    @property
    def busy(self) -> float:
        """Which part of one core the client used: near 1 it would be the client that is measured."""
        return self.cpu / self.elapsed


class Client(SpokenTo):
    """The process that asks. Use it in a `with`."""

    module = "benchmarks.load"

    def ask(self, port: int, request: bytes, *, connections: int, seconds: float) -> Load:
        """Sends this request over and over. Raises RuntimeError when an answer is not 200, or not the same size
        as the one before."""
        task = {
            "port": port,
            "request": base64.b64encode(request).decode(),
            "connections": connections,
            "nanoseconds": int(seconds * 1e9),
        }
        return Load(**self.do(task))


class _Connection(asyncio.Protocol):
    """Sends, reads the whole answer, sends again, until the round ends."""

    def __init__(self, round_: "_Round") -> None:
        self._round = round_
        self._size = 0
        self._head = b""
        self._missing = 0
        self._sent = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._round.opened.append(self)

    def send(self) -> None:
        self._missing = self._size
        self._sent = time.perf_counter_ns()
        self._transport.write(self._round.request)

    def data_received(self, data: bytes) -> None:
        if not self._size and not self._read_size(data):
            return
        if self._missing == self._size and not data.startswith(b"HTTP/1.1 200 "):
            self._round.fail(f"An answer is not 200: {data[:300]!r}")
            return
        self._missing -= len(data)
        if self._missing < 0:
            self._round.fail("An answer is longer than the one before.")
        elif not self._missing:
            now = time.perf_counter_ns()
            self._round.latencies.append(now - self._sent)
            if now < self._round.until:
                self.send()
            else:
                self._round.end()

    def _read_size(self, data: bytes) -> bool:
        """The size of all answers, from the first one's head; what came already counts as missing."""
        self._head += data
        head, end, _ = self._head.partition(b"\r\n\r\n")
        if not end:
            return False
        for line in head.lower().split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name == b"content-length":
                self._size = len(head) + len(end) + int(value)
        if not self._size:
            self._round.fail(f"An answer tells no length: {head!r}")
            return False
        self._missing = self._size - (len(self._head) - len(data))
        return True

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002
        self._round.fail("The server closed the connection.")

    def close(self) -> None:
        self._transport.close()


class _Round:
    def __init__(self, task: dict[str, Any]) -> None:
        self.request = base64.b64decode(task["request"])
        self.opened: list[_Connection] = []
        self.latencies: list[int] = []
        self.until = 0
        self._task = task
        self._ended = 0
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        for _ in range(self._task["connections"]):
            await loop.create_connection(lambda: _Connection(self), "127.0.0.1", self._task["port"])
        began, cpu = time.perf_counter_ns(), time.process_time_ns()
        self.until = began + self._task["nanoseconds"]
        for connection in self.opened:
            connection.send()
        async with asyncio.timeout(self._task["nanoseconds"] / 1e9 + PATIENCE):
            await self._over
        elapsed, cpu = time.perf_counter_ns() - began, time.process_time_ns() - cpu
        self.latencies.sort()
        count = len(self.latencies)
        return {
            "requests": count,
            "elapsed": elapsed,
            "p50": self.latencies[count // 2],
            "p99": self.latencies[count * 99 // 100],
            "cpu": cpu,
        }

    def end(self) -> None:
        """One of the connections has had its last answer."""
        self._ended += 1
        if self._ended == len(self.opened) and not self._over.done():
            self._over.set_result(None)

    def fail(self, fault: str) -> None:
        if not self._over.done():
            self._over.set_exception(RuntimeError(fault))

    def close(self) -> None:
        for connection in self.opened:
            connection.close()


async def _one_round(task: dict[str, Any]) -> dict[str, Any]:
    round_ = _Round(task)
    try:
        return await round_.run()
    except (RuntimeError, OSError) as error:  # a timeout is an OSError
        return {"fault": str(error) or "The server does not answer."}
    finally:
        round_.close()


def _work() -> None:
    """Round after round, until stdin ends."""
    for line in sys.stdin.buffer:
        told = uvloop.run(_one_round(orjson.loads(line)))
        sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    _work()
