"""Is anything lost or out of order when somebody sets the clock, an hour back and forth, while people write?"""

from itertools import cycle, pairwise
from typing import Any

from tests.api import Api
from tests.listening import RECEIVED, cursor, group_of, send
from tests.school import CURATOR_9A, DIRECTOR, TEACHER, SchoolClock

HISTORY = """query($id: ID!) { node(id: $id) { ... on Conversation {
  unreadCount messages(first: 100) { nodes { body } } } } }"""
LISTED = "{ viewer { conversations { nodes { id } } } }"
BODIES = [f"Body {number}" for number in range(40)]


async def test_order_is_by_number_whatever_the_clock_says(api: Api, clock: SchoolClock) -> None:
    author, reader, other = (api.as_(login) for login in (TEACHER, DIRECTOR, CURATOR_9A))
    there, elsewhere = await group_of(author, reader, other), await group_of(other, reader)
    start, hours = await cursor(reader), cycle((1, -2, 1))
    told: list[Any] = []
    for part in (BODIES[:20], BODIES[20:]):
        after = told[-1]["cursor"] if told else start
        async with reader.listening(RECEIVED, after=after) as listening:
            for number, body in enumerate(part):
                if number % 3 == 0:
                    clock.forward(hours=next(hours))
                await send(author, there, body)
            told += [await listening.next() for _ in part[:-1]]  # the last one is not processed before the cut
    async with reader.listening(RECEIVED, after=told[-1]["cursor"]) as listening:
        told += [await listening.next() for _ in range(len(BODIES) - len(told))]
        await listening.nothing()
    assert [each["message"]["body"] for each in told] == BODIES
    assert all(int(one["cursor"]) < int(next_["cursor"]) for one, next_ in pairwise(told))
    shown = (await reader.ask(HISTORY, id=there))["node"]
    assert [each["body"] for each in shown["messages"]["nodes"]] == BODIES
    assert shown["unreadCount"] == len(BODIES)
    clock.forward(hours=-1)
    await send(other, elsewhere)
    listed = await reader.ask(LISTED)
    assert [each["id"] for each in listed["viewer"]["conversations"]["nodes"]] == [elsewhere, there]


async def test_a_repeated_send_is_known_after_the_clock_was_set(api: Api, clock: SchoolClock) -> None:
    author = api.as_(TEACHER)
    there = await group_of(author, api.as_(DIRECTOR))
    given = {"conversationId": there, "body": "Hello", "idempotencyKey": "once"}
    ids = []
    for hours in (0, -1, 2):
        clock.forward(hours=hours)
        ids.append((await author.do("sendMessage", "sent { id }", **given))["sent"]["id"])
    assert len(set(ids)) == 1
