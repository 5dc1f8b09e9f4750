"""Does anything grow with each event, or run while nothing happens?"""

import asyncio
import gc
import tracemalloc
from contextlib import AsyncExitStack

import pytest

from tests.api import Api, Listening
from tests.listening import BADGES, CALLS, CHATS, PUBLISHED, READ, RECEIVED, group_of, parked, send
from tests.school import ADMINISTRATOR, DIRECTOR, SECRETARY, TEACHER

EVENTS = 400
LISTENERS = 5
WARM_UP = 100
A_LEAK = 100
"""Bytes for each delivery. The memo of sub-selections that a library keeps for each event takes four thousand."""


async def hears(listening: Listening) -> None:
    """Something comes, and nothing of it is kept."""
    await listening.next()
    await listening.parked()


@pytest.mark.parametrize("how", ["together", "alone", "alone, as nobody else sees it"])
async def test_nothing_grows_with_each_event(api: Api, how: str) -> None:
    author, reader = api.as_(TEACHER), api.as_(DIRECTOR)
    there = await group_of(author, reader)
    document = READ if how.endswith("sees it") else RECEIVED
    async with AsyncExitStack() as stack:
        hear = [await stack.enter_async_context(parked(reader, document)) for _ in range(LISTENERS)]
        for listening in hear:
            listening.takes_pushes = how == "together"

        async def happens(times: int) -> int:
            """How many bytes there are afterwards."""
            for _ in range(times):
                await send(author, there)
                for listening in hear:
                    await hears(listening)
                api.statements.clear()
            gc.collect()
            return tracemalloc.get_traced_memory()[0]

        tracemalloc.start()
        try:
            before = await happens(WARM_UP)
            after = await happens(EVENTS)
        finally:
            tracemalloc.stop()
        assert (after - before) / (EVENTS * LISTENERS) < A_LEAK
        assert {each.pushed for each in hear} == {WARM_UP + EVENTS if how == "together" else 0}


async def test_nothing_runs_while_nothing_happens(api: Api) -> None:
    """However many listen, and to whatever."""
    people = [api.as_(login) for login in (TEACHER, DIRECTOR, ADMINISTRATOR, SECRETARY)]
    running = len(asyncio.all_tasks())
    async with AsyncExitStack() as stack:
        for person in people:
            for document in (RECEIVED, READ, PUBLISHED, CALLS, CHATS, BADGES):
                await stack.enter_async_context(parked(person, document))
        assert len(asyncio.all_tasks()) == running
    assert not api.listeners._organizations
