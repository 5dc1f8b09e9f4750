"""Are two servers on one PostgreSQL one system? Processes of their own, killed for real."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
import pytest
from aiohttp import ClientSession
from sqlalchemy import delete, func, select, update

from models.tables.events import job_runs
from models.tables.organization import organizations
from tests.faults.racers import race
from tests.faults.scene import GROUP, Scene, on_postgresql
from tests.running import Running, address_in, first_words, last_words, logged, started
from tests.school import CURATOR_9A, LEARNER_9A, SCHOOL, school_database, viewer

SEND = """mutation($in: ID!, $body: String!) { sendMessage(input: {conversationId: $in, body: $body}) {
  ... on SendMessagePayload { sent { id } } } }"""
HEAR = "subscription { messageReceived { cursor message { body } } }"
LOCKED = "SELECT 1 FROM organizations WHERE id = %s FOR NO KEY UPDATE NOWAIT"


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with on_postgresql() as (scene, _):
        yield scene


@pytest.fixture
async def two(scene: Scene, tmp_path: Path) -> AsyncIterator[list[Running]]:
    async with AsyncExitStack() as stack:
        yield await both(stack, scene, tmp_path)


async def both(stack: AsyncExitStack, scene: Scene, folder: Path) -> list[Running]:
    """Two servers that have come up together."""
    database = school_database(scene.database_url)
    people = {login: viewer(database, login) for login in (CURATOR_9A, LEARNER_9A)}
    client = await stack.enter_async_context(ClientSession())
    variables = {name: value for name, value in scene.environment(0).items() if name != "PREAU_STORAGE_URL"}
    processes = [await stack.enter_async_context(started(folder, **variables)) for _ in range(2)]
    lines = await asyncio.gather(*map(first_words, processes))
    return [
        Running(process, address_in(line), client, people, scene.database_url)
        for process, line in zip(processes, lines, strict=True)
    ]


async def group(server: Running) -> str:
    given = {"title": "Group", "participantIds": [f"User_{server.people[LEARNER_9A].id}"]}
    answer = await server.ask(CURATOR_9A, GROUP, input=given)
    return str(answer["data"]["createGroupConversation"]["conversation"]["id"])


async def test_what_is_sent_through_one_is_heard_through_the_other_at_once(two: list[Running]) -> None:
    one, other = two
    there = await group(one)
    ws = await other.signed_in(LEARNER_9A)
    await ws.send_json({"id": "1", "type": "subscribe", "payload": {"query": HEAR}})
    await asyncio.sleep(0.5)
    seconds = []
    for number in range(20):
        began = time.monotonic()
        await one.ask(CURATOR_9A, SEND, **{"in": there, "body": f"Body {number}"})
        told = (await ws.receive_json(timeout=5))["payload"]["data"]["messageReceived"]
        seconds.append(time.monotonic() - began)
        assert told["message"] == {"body": f"Body {number}"}
    assert median(seconds) < 0.5, seconds  # the listeners' own poll would need a second


async def test_A4_a_night_that_is_due_for_both_runs_once(scene: Scene, tmp_path: Path) -> None:
    """As after a midnight that no server has lived to see: each school's latest night is due."""
    now, nights = datetime.now(UTC), select(job_runs.c.organization_id, func.count()).group_by("organization_id")
    with school_database(scene.database_url).transaction() as tx:
        tx.execute(delete(job_runs))
        tx.execute(update(organizations).values(imported_at=now - timedelta(days=2)))
        schools = list(tx.execute(select(organizations.c.id).order_by(organizations.c.id)).scalars())
    async with AsyncExitStack() as stack:
        servers = await both(stack, scene, tmp_path)
        async with asyncio.timeout(20):
            while len(counted := rows(scene, nights)) < len(schools):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        await asyncio.sleep(0.5)
        assert sorted(counted) == [(school, 1) for school in schools] == sorted(rows(scene, nights))
        for server in servers:
            server.process.send_signal(signal.SIGTERM)
        errors = [(await last_words(server.process))[1] for server in servers]
    events = [line["event"] for text in errors for line in logged(text)]
    assert len([event for event in events if event.startswith("night of")]) == len(schools), events


async def test_who_is_killed_with_the_lock_does_not_keep_it(two: list[Running], scene: Scene) -> None:
    """Stopped in the middle of a transaction the one holds the organization for itself; killed, no more."""
    one, other = two
    there = await group(one)
    sending = [asyncio.create_task(flood(one, there)) for _ in range(8)]
    try:
        await stop_with_the_lock(one, scene)
        waiting = asyncio.create_task(other.ask(CURATOR_9A, SEND, **{"in": there, "body": "through the other"}))
        done, _ = await asyncio.wait([waiting], timeout=1)
        assert not done
        began = time.monotonic()
        one.process.kill()
        answer = await asyncio.wait_for(waiting, 5)
        assert time.monotonic() - began < 1
        assert "sent" in answer["data"]["sendMessage"]
    finally:
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)


async def test_E50_of_racers_through_two_servers_one_gets_there(two: list[Running], scene: Scene) -> None:
    faults, _ = await race(scene, [server.address for server in two], racers=20, rounds=3)
    assert faults == []


async def flood(server: Running, there: str) -> None:
    while True:
        await server.ask(CURATOR_9A, SEND, **{"in": there, "body": "Hello"})


async def stop_with_the_lock(server: Running, scene: Scene) -> None:
    """Stops the process at a moment when it holds the organization."""
    school = viewer(school_database(scene.database_url), CURATOR_9A).organization_id
    with psycopg.connect(scene.database_url, autocommit=True) as connection:
        for _ in range(500):
            server.process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(0.05)
            try:
                connection.execute(LOCKED, (school,))
            except psycopg.errors.LockNotAvailable:
                return
            server.process.send_signal(signal.SIGCONT)
            await asyncio.sleep(0.01)
    raise AssertionError(f"{SCHOOL} was never held")


def rows(scene: Scene, statement: Any) -> list[tuple[int, int]]:
    with school_database(scene.database_url).engine.connect() as connection:
        return [tuple(row) for row in connection.execute(statement)]
