"""Does somebody who asks for something new each time hold up the others? He waits for himself."""

import asyncio
import threading
from time import monotonic

import pytest

from models.actor import Viewer
from models.errors import LimitExceeded
from resolvers.compiling import aside
from schema.execution import SHORT
from tests.api import Api
from tests.school import CURATOR_9A, LEARNER_9A

ADA, BOB = Viewer(1, 1), Viewer(2, 1)


async def test_what_is_made_aside_comes_back_and_so_do_its_faults() -> None:
    def fail() -> None:
        raise LimitExceeded("Too much.")

    assert await aside(ADA, threading.current_thread) is not threading.main_thread()
    with pytest.raises(LimitExceeded):
        await aside(ADA, fail)
    assert await aside(None, lambda: 5) == 5


async def test_a_persons_are_made_one_at_a_time_and_others_come_between() -> None:
    made: list[str] = []
    gate = threading.Event()

    def make(name: str) -> None:
        gate.wait(5)
        made.append(name)

    tasks = [asyncio.create_task(aside(ADA, lambda n=number: make(f"ada {n}"))) for number in range(5)]  # type: ignore[misc]
    await asyncio.sleep(0)
    tasks.append(asyncio.create_task(aside(BOB, lambda: make("bob"))))
    await asyncio.sleep(0.01)
    gate.set()
    await asyncio.gather(*tasks)
    assert made[:2] == ["ada 0", "bob"]
    assert made[2:] == ["ada 1", "ada 2", "ada 3", "ada 4"]


async def test_who_goes_while_waiting_leaves_the_turn_to_the_next() -> None:
    gate = threading.Event()
    first = asyncio.create_task(aside(ADA, lambda: gate.wait(5)))
    second = asyncio.create_task(aside(ADA, lambda: None))
    third = asyncio.create_task(aside(ADA, lambda: 3))
    await asyncio.sleep(0.01)
    second.cancel()
    gate.set()
    assert await third == 3
    assert await first
    assert second.cancelled()


def novel(number: int) -> str:
    """As much as one may ask, and never asked before."""
    roots = []
    for root in range(10):
        fields = " ".join(
            f"a{number}_{root}_{each}: messages(last: 1) {{ nodes {{ body author {{ name }} }} }}"
            for each in range(5)
        )
        roots.append(f"r{root}: node(id: $in) {{ ... on Conversation {{ {fields} }} }}")
    return f"query($in: ID!) {{ {' '.join(roots)} }}"


async def test_others_are_answered_while_somebody_asks_for_new_things(api: Api) -> None:
    """Together these would hold the loop for seconds."""
    assert len(novel(0)) > SHORT
    one, other = api.as_(CURATOR_9A), api.as_(LEARNER_9A)
    await other.ask("{ viewer { user { id } } }")
    began = monotonic()
    asked = [asyncio.create_task(one.ask(novel(number), **{"in": "Conversation_1"})) for number in range(6)]
    waited = []
    while not all(task.done() for task in asked):
        since = monotonic()
        await other.ask("{ viewer { user { id } } }")
        waited.append(monotonic() - since)
        await asyncio.sleep(0.005)
    took = monotonic() - began
    await asyncio.gather(*asked)
    assert len(waited) > 10
    assert max(waited) < took / 3, (max(waited), took)
    assert sorted(waited)[len(waited) // 2] < took / 20
