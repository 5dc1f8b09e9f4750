"""Who listens? A process of its own that keeps many WebSockets open, and tells when the last one has heard.

    python -m benchmarks.crowd

It reads tasks from stdin and answers on stdout, a line of JSON each. It does as little as it can: frames are
counted, and not looked into.
"""

import base64
import json
import os
import select
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.spoken_to import SpokenTo

PATIENCE = 30.0
PROTOCOL = "graphql-transport-ws"


@dataclass(frozen=True)
class Heard:
    """When the last listener had heard, since the request was sent, and when that was answered. Nanoseconds;
    `cpu`: what the client used. `frame`: what the first listener heard."""

    last: int
    answered: int
    cpu: int
    frame: str


class Crowd(SpokenTo):
    """The process that listens. Use it in a `with`."""

    module = "benchmarks.crowd"

    def open(self, port: int, path: str, *, says: Sequence[Sequence[str]], hears: int) -> None:
        """Opens a socket for each item of `says`, which sends that, and hears so many messages after the first."""
        self.do({"do": "open", "port": port, "path": path, "says": says, "hears": hears})

    def tell(self, port: int, request: bytes) -> Heard:
        """Sends the request, and waits until every listener has heard one message more, and for the answer."""
        return Heard(**self.do({"do": "tell", "port": port, "request": base64.b64encode(request).decode()}))


class _Listener:
    """One socket: what is left of an unfinished frame, and how many were heard."""

    __slots__ = ("heard", "rest", "socket")

    def __init__(self, port: int, path: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        key = base64.b64encode(os.urandom(16)).decode()
        head = (
            f"GET {path} HTTP/1.1",
            "Host: 127.0.0.1",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Protocol: {PROTOCOL}",
        )
        self.socket.sendall("\r\n".join((*head, "", "")).encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.socket.recv(4096)
        if not answer.startswith(b"HTTP/1.1 101 "):
            raise RuntimeError(f"No socket: {answer[:200]!r}")
        self.rest = b""
        self.heard = 0

    def say(self, text: str) -> None:
        """A text frame, its mask zero."""
        content = text.encode()
        size = len(content)
        head = bytes([0x81, 0x80 | size]) if size < 126 else b"\x81\xfe" + size.to_bytes(2, "big")
        self.socket.sendall(head + bytes(4) + content)

    def hear(self) -> list[bytes]:
        """The frames that have come."""
        data = self.rest + self.socket.recv(65_536)
        found = []
        while len(data) >= 2:
            start, size = (2, data[1]) if data[1] < 126 else (4, int.from_bytes(data[2:4], "big"))
            if len(data) < start + size:
                break
            if data[0] == 0x81:
                found.append(data[start : start + size])
            data = data[start + size :]
        self.rest = data
        self.heard += len(found)
        return found


class _Port:
    """All sockets to one server, and a connection for requests."""

    def __init__(self, port: int) -> None:
        self.listeners: dict[int, _Listener] = {}
        self.poll = select.epoll()
        self.asking = socket.create_connection(("127.0.0.1", port))

    def open(self, task: dict[str, Any]) -> None:
        for first, *then in task["says"] or [()]:
            listener = _Listener(task["port"], task["path"])
            listener.say(first)
            while listener.heard < task["hears"]:
                listener.hear()
            for text in then:
                listener.say(text)
            listener.socket.setblocking(False)
            self.listeners[listener.socket.fileno()] = listener
            self.poll.register(listener.socket, select.EPOLLIN)

    def tell(self, request: bytes) -> Heard:
        missing = set(self.listeners)
        frame = b""
        cpu, start = time.process_time_ns(), time.perf_counter_ns()
        self.asking.sendall(request)
        while missing:
            ready = self.poll.poll(PATIENCE)
            if not ready:
                raise RuntimeError(f"{len(missing)} of {len(self.listeners)} heard nothing.")
            for file, _ in ready:
                if found := self.listeners[file].hear():
                    frame = found[0]
                    missing.discard(file)
        last = time.perf_counter_ns() - start
        answer = self.asking.recv(65_536)
        answered = time.perf_counter_ns() - start
        if not answer.startswith(b"HTTP/1.1 200 ") or b'"errors"' in answer:
            raise RuntimeError(f"Not told: {answer[:500]!r}")
        return Heard(last, answered, time.process_time_ns() - cpu, frame.decode())


def main() -> None:
    ports: dict[int, _Port] = {}
    for line in sys.stdin:
        task = json.loads(line)
        try:
            if task["port"] not in ports:
                ports[task["port"]] = _Port(task["port"])
            port = ports[task["port"]]
            told = vars(port.tell(base64.b64decode(task["request"]))) if task["do"] == "tell" else {}
            if task["do"] == "open":
                port.open(task)
        except (RuntimeError, OSError) as error:
            told = {"fault": str(error)}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
