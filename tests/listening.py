"""How do tests listen to what happens?"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

from tests.api import PATIENCE, Listening, Person

PUBLISHED = "subscription($after: String) { callPublished(after: $after) { cursor call { id title } } }"
CALLS = """subscription($after: String) { callChanged(after: $after) {
  cursor callId chatId chat { id } call { id status title } } }"""
CHATS = "subscription($after: String) { chatChanged(after: $after) { cursor chatId chat { id name } } }"
BADGES = "subscription { badgesChanged { newCalls } }"
RECEIVED = """subscription($in: ID, $after: String) { messageReceived(conversationId: $in, after: $after) {
  cursor message { id body author { name } conversation { id } } } }"""
READ = "subscription { messageReceived { message { id isRead } } }"
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


async def group_of(author: Person, *others: Person) -> str:
    """The id of a new group conversation."""
    made = await author.do(
        "createGroupConversation",
        "conversation { id }",
        title="Group",
        participantIds=[each.id for each in others],
    )
    return str(made["conversation"]["id"])


async def send(author: Person, conversation: str, body: str = "Hello") -> str:
    sent = await author.do("sendMessage", "sent { id }", conversationId=conversation, body=body)
    return str(sent["sent"]["id"])


@asynccontextmanager
async def parked(person: Person, document: str, **variables: Any) -> AsyncIterator[Listening]:
    """Listens, and nothing of it runs any more. The first look of all, which wakes everybody, is over."""
    async with person.listening(document, **variables) as listening:
        await listening.parked()
        assert person.viewer is not None
        known = person.api.listeners._organizations[person.viewer.organization_id]
        async with asyncio.timeout(PATIENCE):
            while known.seen is None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await listening.parked()
        yield listening
