"""SIGTERM to a server as a process: who is told, what is still answered, and that it is over within a second."""

import asyncio
import signal
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError, WSMsgType

from tests.engines import on_postgresql, plain_rows
from tests.running import TO_STOP, Running, at_school, faults_of, frame, last_words, logged
from tests.school import CURATOR_9A, LEARNER_9A

SEND = (
    "mutation($to: ID!, $body: String!) { sendMessage(input: {conversationId: $to, body: $body}) "
    "{ ... on SendMessagePayload { sent { id } } ... on UserError { code } } }"
)
HEAR = "subscription($after: String) { messageReceived(after: $after) { cursor message { body } } }"

CUT_OFF = "Stopped while something was still under way: none of it was acknowledged"


async def told_to_stop(server: Running) -> tuple[float, str]:
    """The seconds from the signal to the end of the process, and what it had logged. It ended well."""
    start = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    code, errors = await last_words(server.process)
    assert code == 0, errors
    return time.monotonic() - start, errors


def bodies_stored(server: Running) -> set[str]:
    if not on_postgresql():
        with closing(sqlite3.connect(server.database_url.removeprefix("sqlite:///"))) as connection:
            assert faults_of(connection) == []
    return {row["body"] for row in plain_rows(server.database_url, "messages")}


async def listen(server: Running, login: str, *, after: str | None = None) -> Any:
    ws = await server.signed_in(login)
    await ws.send_json({"id": "1", "type": "subscribe", "payload": {"query": HEAR, "variables": {"after": after}}})
    return ws


async def test_all_sockets_are_told_that_the_server_stops(tmp_path: Path) -> None:
    async with at_school(tmp_path, CURATOR_9A, LEARNER_9A, PREAU_ENVIRONMENT="production") as server:
        sockets = [await listen(server, login) for login in (CURATOR_9A, LEARNER_9A) for _ in range(40)]
        seconds, errors = await told_to_stop(server)
        for ws in sockets:
            message = await ws.receive(timeout=5)
            assert (message.type, message.data, message.extra) == (WSMsgType.CLOSE, 1001, "The server stops")
        assert seconds < TO_STOP
        assert CUT_OFF not in errors


async def test_nobody_who_does_not_answer_or_read_keeps_it(tmp_path: Path) -> None:
    """One listener takes nothing of a replay that is larger than all buffers, one shakes hands and is silent."""
    async with at_school(tmp_path, CURATOR_9A, LEARNER_9A, PREAU_ENVIRONMENT="production") as server:
        there = await server.conversation(CURATOR_9A, LEARNER_9A)
        body = "ы" * 20_000
        for _ in range(12):
            await asyncio.gather(*(server.ask(CURATOR_9A, SEND, to=there, body=body) for _ in range(25)))
        replay = {"query": HEAR, "variables": {"after": "0"}}
        deaf = await server.deaf_socket(LEARNER_9A)
        silent = await server.deaf_socket(LEARNER_9A)
        try:
            await asyncio.get_running_loop().sock_sendall(
                deaf, frame({"id": "1", "type": "subscribe", "payload": replay})
            )
            await asyncio.sleep(0.5)  # by now it waits for the peer
            seconds, _ = await told_to_stop(server)
            assert seconds < TO_STOP
        finally:
            deaf.close()
            silent.close()


async def test_sends_under_way_are_answered(tmp_path: Path) -> None:
    """Whatever was stored was answered with success, and nobody hears of a fault of the server."""
    async with at_school(tmp_path, CURATOR_9A, LEARNER_9A, PREAU_ENVIRONMENT="production") as server:
        there = await server.conversation(CURATOR_9A, LEARNER_9A)
        answered: list[str] = []
        enough = asyncio.Event()

        async def send_on(number: int) -> None:
            for count in range(100_000):
                body = f"{number}:{count}"
                answer = await server.ask(CURATOR_9A, SEND, to=there, body=body)
                assert "id" in answer["data"]["sendMessage"]["sent"]
                answered.append(body)
                if len(answered) == 100:
                    enough.set()

        senders = [asyncio.create_task(send_on(number)) for number in range(32)]
        await enough.wait()
        seconds, errors = await told_to_stop(server)
        for sender in senders:
            with suppress(ClientError):
                await sender
        assert seconds < TO_STOP
        assert CUT_OFF not in errors
        assert bodies_stored(server) == set(answered)


async def test_sends_under_way_on_sockets_are_answered(tmp_path: Path) -> None:
    """The same on sockets, each of which has several sends under way; all are told 1001 after their answers."""
    async with at_school(tmp_path, CURATOR_9A, LEARNER_9A, PREAU_ENVIRONMENT="production") as server:
        there = await server.conversation(CURATOR_9A, LEARNER_9A)
        answered: list[str] = []
        enough = asyncio.Event()
        stopping = False

        async def send_on(number: int) -> Any:
            """Until the server closes the socket; gives the code that it says."""
            ws = await listen(server, CURATOR_9A)
            for count in range(4):
                await send(ws, f"{number}:{count}")
            while (message := await ws.receive()).type is WSMsgType.TEXT:
                told = message.json()
                if told["type"] == "next" and told["id"] != "1":
                    assert "id" in told["payload"]["data"]["sendMessage"]["sent"]
                    answered.append(told["id"])
                    if len(answered) == 100:
                        enough.set()
                    if not stopping:
                        await send(ws, f"{told['id']}+")
            return message.data

        async def send(ws: Any, body: str) -> None:
            payload = {"query": SEND, "variables": {"to": there, "body": body}}
            await ws.send_json({"id": body, "type": "subscribe", "payload": payload})

        senders = [asyncio.create_task(send_on(number)) for number in range(16)]
        await enough.wait()
        stopping = True
        seconds, errors = await told_to_stop(server)
        assert [await sender for sender in senders] == [1001] * 16
        assert seconds < TO_STOP
        assert CUT_OFF not in errors
        assert bodies_stored(server) == set(answered)


@pytest.mark.sqlite
async def test_what_cannot_be_finished_is_left_and_was_not_acknowledged(tmp_path: Path) -> None:
    """Another process holds the database: a send waits for it longer than the server may."""
    async with at_school(tmp_path, CURATOR_9A, LEARNER_9A, PREAU_ENVIRONMENT="production") as server:
        there = await server.conversation(CURATOR_9A, LEARNER_9A)
        with closing(sqlite3.connect(tmp_path / "preau.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            sent = asyncio.create_task(server.ask(CURATOR_9A, SEND, to=there, body="never"))
            await asyncio.sleep(0.2)
            seconds, errors = await told_to_stop(server)
            other.execute("ROLLBACK")
        try:
            answer = await sent
        except ClientError:
            pass
        else:
            pytest.fail(f"answered with {answer}")
        assert seconds < TO_STOP
        assert [line["event"] for line in logged(errors) if line["level"] == "warning"] == [CUT_OFF]
        assert bodies_stored(server) == set()
