"""What happens when the disk is full? A small one, filled for real, below a real server on SQLite."""

import asyncio
import os
import signal
import sqlite3
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.running import Running, address_in, at_school, faults_of, first_words, last_words, logged, started
from tests.school import CURATOR_9A, LEARNER_9A

SIZE, BALLAST = 8 * 1024**2, 1024**2
"""Bytes of the disk, and of what can be taken away from it."""

AT_ONCE = 40
FILLER = "x" * 12_000
SEND = """mutation($in: ID!, $body: String!, $key: String!) {
  sendMessage(input: {conversationId: $in, body: $body, idempotencyKey: $key}) {
    ... on SendMessagePayload { sent { id } } ... on UserError { code } } }"""
NEWEST = "query($in: ID!) { node(id: $in) { ... on Conversation { messages(last: 3) { nodes { id } } } } }"

PRODUCTION = {"PREAU_ENVIRONMENT": "production", "PREAU_SENDS_PER_MINUTE": "0"}

pytestmark = pytest.mark.sqlite


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root can mount a small disk, and not everywhere")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


class Sends:
    """Messages that are sent to one conversation, many at once; what became of each."""

    def __init__(self, server: Running, there: str) -> None:
        self.server = server
        self.there = there
        self.stored: dict[str, str] = {}
        """Key -> the message that was acknowledged."""
        self.answers: Counter[str] = Counter()
        self.sent = 0

    async def one(self, body: str = FILLER, key: str | None = None) -> str:
        """What was answered: `stored`, or the code of the error."""
        self.sent += 1
        key = key or f"key {self.sent}"
        values = {"in": self.there, "body": f"{key} {body}", "key": key}
        url, header = f"{self.server.address}/graphql", self.server.header(CURATOR_9A)
        async with self.server.client.post(url, json={"query": SEND, "variables": values}, headers=header) as it:
            assert it.status == 200
            answer = await it.json()
        if "errors" in answer:
            result = str(answer["errors"][0]["extensions"]["code"])
        else:
            self.stored[key] = answer["data"]["sendMessage"]["sent"]["id"]
            result = "stored"
        self.answers[result] += 1
        return result

    async def until_full(self) -> None:
        """Many at once, until not one of them is stored."""
        async with asyncio.timeout(60):
            while "stored" in await asyncio.gather(*(self.one() for _ in range(AT_ONCE))):
                pass

    def assert_kept(self, database: Path) -> None:
        """What was acknowledged is there, once; nothing is there twice, and the file is sound."""
        with closing(sqlite3.connect(database)) as connection:
            assert faults_of(connection) == []
            rows = connection.execute("SELECT id, body FROM messages").fetchall()
        keys = {body.rpartition(" ")[0]: f"Message_{id_}" for id_, body in rows}
        assert len(keys) == len(rows)
        assert self.stored.items() <= keys.items()


@asynccontextmanager
async def filled(disk: Path) -> AsyncIterator[Sends]:
    """A server whose disk has just become full while many were sending."""
    (disk / "ballast").write_bytes(bytes(BALLAST))
    async with at_school(disk, CURATOR_9A, LEARNER_9A, **PRODUCTION) as server:
        sends = Sends(server, await server.conversation(CURATOR_9A, LEARNER_9A))
        await sends.until_full()
        assert sends.answers.keys() == {"stored", "UNAVAILABLE"}
        assert sends.answers["stored"] > AT_ONCE
        yield sends


async def newest(server: Running, there: str) -> list[dict[str, Any]]:
    answer = await server.ask(LEARNER_9A, NEWEST, **{"in": there})
    found: list[dict[str, Any]] = answer["data"]["node"]["messages"]["nodes"]
    return found


async def test_a_full_disk_is_told_and_loses_nothing_and_goes_on_with_room(disk: Path) -> None:
    async with filled(disk) as sends:
        server, before = sends.server, len(sends.stored)
        assert len(await newest(server, sends.there)) == 3  # who reads is answered
        for _ in range(3):
            assert await sends.one() == "UNAVAILABLE"
        (disk / "ballast").unlink()
        assert await sends.one() == "stored"
        await sends.until_full()
        assert len(sends.stored) > before + 10
        assert len(await newest(server, sends.there)) == 3
        server.process.send_signal(signal.SIGTERM)
        code, errors = await last_words(server.process)
    assert (code, faults_in(errors)) == (0, [])
    sends.assert_kept(disk / "preau.db")


async def test_a_repeated_send_that_was_refused_is_stored_once(disk: Path) -> None:
    async with filled(disk) as sends:
        assert await sends.one(key="again") == "UNAVAILABLE"
        (disk / "ballast").unlink()
        assert {await sends.one(key="again") for _ in range(3)} == {"stored"}
    sends.assert_kept(disk / "preau.db")


async def test_who_is_killed_with_a_full_disk_comes_back_and_has_lost_nothing(disk: Path) -> None:
    """While many are sending. There is no room yet when the next one starts."""
    async with filled(disk) as sends:
        server = sends.server
        sending = [asyncio.create_task(sends.one()) for _ in range(AT_ONCE)]
        await asyncio.sleep(0.02)
        server.process.kill()
        await asyncio.gather(*sending, return_exceptions=True)
        fill_up(disk / "rest")
        async with started(disk, **PRODUCTION) as process:
            server.address = address_in(await first_words(process))
            assert len(await newest(server, sends.there)) == 3
            assert await sends.one() == "UNAVAILABLE"
            for name in ("rest", "ballast"):
                (disk / name).unlink()
            assert await sends.one() == "stored"
            process.send_signal(signal.SIGTERM)
            code, errors = await last_words(process)
        assert (code, faults_in(errors)) == (0, [])
    sends.assert_kept(disk / "preau.db")


def faults_in(errors: str) -> list[Any]:
    """What the server took for a fault of its own: a full disk is none."""
    return [line for line in logged(errors) if "fault" in line or line["level"] == "error"]


def fill_up(path: Path) -> None:
    """To the last byte of the disk."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
