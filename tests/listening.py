"""How do tests listen to what happens?"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

from tests.api import Listening, Person

PUBLISHED = "subscription($after: String) { callPublished(after: $after) { cursor call { id title } } }"
CALLS = """subscription($after: String) { callChanged(after: $after) {
  cursor callId chatId chat { id } call { id status title } } }"""
CHATS = "subscription($after: String) { chatChanged(after: $after) { cursor chatId chat { id name } } }"
BADGES = "subscription { badgesChanged { newCalls } }"
EVERY = (PUBLISHED, CALLS, CHATS)


async def cursor(person: Person) -> str:
    """The moment of now: where to begin, or to resume."""
    return str((await person.ask("{ viewer { eventCursor } }"))["viewer"]["eventCursor"])


async def quiet(*listening: Listening) -> None:
    """Nothing comes to any of them."""
    await listening[0].nothing()
    assert [each.waiting for each in listening] == [0] * len(listening)


async def heard(listening: Listening, count: int) -> list[Any]:
    """So many, and no more; their cursors rise."""
    found = [await listening.next() for _ in range(count)]
    await listening.nothing()
    numbers = [int(each.pop("cursor")) for each in found]
    assert all(one < other for one, other in pairwise(numbers))
    return found


@asynccontextmanager
async def following(person: Person, document: str) -> AsyncIterator[Listening]:
    """Listens from this moment on, however long the server takes to begin."""
    async with person.listening(document, after=await cursor(person)) as listening:
        yield listening


async def replayed(person: Person, document: str, after: str, count: int) -> list[Any]:
    """So many events since this cursor, and no more; without cursors, which rise."""
    async with person.listening(document, after=after) as listening:
        return await heard(listening, count)


def number(id_: str) -> int:
    """Of the row that an id stands for."""
    return int(id_.partition("_")[2])
