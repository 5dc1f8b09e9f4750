"""What does every question need? The school, the program and the raw handlers serving it, and a client."""

import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPResponse
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson

from app.auth import Tokens
from benchmarks import school, servers
from benchmarks.load import Client
from benchmarks.ratio import CONNECTIONS, Bounds, Outcome, Rounds, Target, compare
from benchmarks.school import School
from benchmarks.servers import SECRET, Server, process_cpu, used_by_all

VAR = Path("var")
CEILING_SECONDS = 1.0
TOO_BUSY = 0.9
LIMITS = MappingProxyType({"limit: raw, on the loop": "", "limit, with a thread hop": "/hop"})
DISTURBED = 0.5
"""Cores that others may use before the figures need that word of caution."""


@dataclass(frozen=True)
class Stage:
    """All that runs while questions are asked."""

    school: School
    preau: Server
    raw: Server
    client: Client
    rounds: Rounds


@contextmanager
def stage(rounds: Rounds) -> Iterator[Stage]:
    """Makes the school in a folder of its own, starts everything, and leaves nothing behind."""
    VAR.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=VAR) as folder:
        made = school.make(Path(folder).absolute())
        with servers.preau(made) as preau, servers.raw(made) as raw, Client() as client:
            yield Stage(made, preau, raw, client, rounds)


def same(bodies: Sequence[bytes]) -> None:
    """To the byte."""
    assert len(set(bodies)) == 1, b"\n".join(bodies).decode()


def against_raw(
    on: Stage,
    name: str,
    *,
    title: str,
    document: str,
    variables: dict[str, Any],
    bounds: Bounds,
    agree: Callable[[Sequence[bytes]], None] = same,
    limits: Mapping[str, str] = LIMITS,
) -> Outcome:
    """The operation against the raw handlers of this name, whose answers have to agree with it. `limits`:
    what those handlers are called, and what their paths end with; the first is the one that counts.

    Raises AssertionError when they do not.
    """
    targets = (
        *(
            Target(called, on.raw, _request(on, f"/{name}{end}", document, variables))
            for called, end in limits.items()
        ),
        Target("Préau", on.preau, _request(on, "/graphql", document, variables)),
    )
    bodies = [_body(target) for target in targets]
    assert "errors" not in orjson.loads(bodies[-1]), bodies[-1].decode()
    agree(bodies)
    with _watched(on) as others:
        figures = compare(on.client, targets, on.rounds)
    busy = max(each.busy for each in figures)
    notes = [
        f"All gave {'the same ' if agree is same else ''}{len(bodies[0])} bytes. The client could ask "
        f"{_ceiling(on, len(bodies[0])):,.0f} requests/s, and was busy up to {busy:.0%}.",
        f"Other programs used {others():.1f} of {os.cpu_count()} cores meanwhile.",
    ]
    if busy > TOO_BUSY:
        notes.append("The client was the bottleneck: the ratio is kinder than the truth.")
    if others() > DISTURBED:
        notes.append("That is much: trust the CPU more than the requests, and measure again.")
    return Outcome(title, bounds, figures, tuple(notes))


def _request(on: Stage, path: str, document: str, variables: dict[str, Any]) -> bytes:
    """The operation as the viewer sends it, with the token in the header."""
    token = Tokens(SECRET).issue(on.school.viewer, now=datetime.now(UTC))
    body = orjson.dumps({"query": document, "variables": variables})
    head = (
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Accept: application/json",
        "Content-Type: application/json",
        f"Authorization: Bearer {token}",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join((*head, "", "")).encode() + body


def _body(target: Target) -> bytes:
    """One answer. Raises AssertionError when it is not 200."""
    with socket.create_connection(("127.0.0.1", target.server.port)) as connection:
        connection.sendall(target.request)
        answer = HTTPResponse(connection)
        answer.begin()
        body = answer.read()
    assert answer.status == 200, f"{target.name}: {answer.status} {body.decode()}"
    return body


@contextmanager
def _watched(on: Stage) -> Iterator[Callable[[], float]]:
    """How many cores were used by what is none of ours, told after the `with`."""

    def ours() -> int:
        return sum(
            process_cpu(process) for process in (on.preau.process_id, on.raw.process_id, on.client.process_id)
        )

    began, all_before, ours_before = time.perf_counter_ns(), used_by_all(), ours()
    told: list[float] = []
    yield lambda: told[0]
    elapsed = time.perf_counter_ns() - began
    told.append(max(0, used_by_all() - all_before - (ours() - ours_before)) / elapsed)


def _ceiling(on: Stage, size: int) -> float:
    """How many requests per second the client asks of a server that does nothing."""
    request = _request(on, "/", "", {})
    with servers.ceiling(size) as server:
        load = on.client.ask(server.port, request, connections=CONNECTIONS, seconds=CEILING_SECONDS)
    return load.per_second
