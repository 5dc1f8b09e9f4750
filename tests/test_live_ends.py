"""Do badges and subscriptions follow what happens elsewhere, and do they end when they have to?"""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest

from jobs.demo.gorizont import GORIZONT
from models.actor import actor
from models.calls import finish_call as finish_by_rule
from models.chats import give_name
from models.tables.events import events
from resolvers.listeners import Listeners
from tests.api import PATIENCE, Api
from tests.listening import BADGES, CALLS, CHATS, EVERY, following, heard, number, quiet
from tests.school import (
    ADMINISTRATOR,
    CLASS_9A,
    CLASS_9B,
    CURATOR_9A,
    CURATOR_9B,
    DIRECTOR,
    LEARNER_9A,
    LEARNER_9B,
    NEXT_DOOR,
    NEXT_DOOR_ADMINISTRATOR,
    OTHER_LEARNER_9A,
    TEACHER,
    SchoolClock,
    school_database,
)
from tests.steps import (
    TODAY,
    TOMORROW,
    create_call,
    create_subgroup_chat,
    import_school,
    new_calls,
    next_night,
    publish_call,
    without_group,
    without_person,
)

# ----------------------------------------------------------------------------------------------- badges


async def test_E58_badges_come_at_once_and_then_when_they_differ(api: Api) -> None:
    curator, learner, chat = api.as_(CURATOR_9A), api.as_(LEARNER_9A), api.chat("GROUP", CLASS_9A)
    async with learner.listening(BADGES) as badges, api.as_(LEARNER_9B).listening(BADGES) as others:
        assert (await badges.next(), await others.next()) == ({"newCalls": 0}, {"newCalls": 0})
        call = await create_call(curator, chat)
        await curator.do("updateCall", callId=call, title="Another")
        await badges.nothing()
        await curator.do("publishCall", callId=call)
        assert await badges.next() == {"newCalls": 1}
        await create_call(curator, chat)
        await curator.do("publishCall", callId=call)
        await quiet(badges, others)
    async with learner.listening(BADGES) as badges, api.as_(LEARNER_9A).listening(BADGES) as elsewhere:
        assert (await badges.next(), await elsewhere.next()) == ({"newCalls": 1}, {"newCalls": 1})
        await learner.do("markChatsSeen")  # on one device
        assert (await badges.next(), await elsewhere.next()) == ({"newCalls": 0}, {"newCalls": 0})


@pytest.mark.parametrize(
    "how", ["finished", "deleted", "chat deleted", "removed", "seen", "finished elsewhere", "night elsewhere"]
)
async def test_A14_a_badge_goes_down_at_once(api: Api, clock: SchoolClock, how: str) -> None:
    teacher, learner = api.as_(TEACHER), api.as_(LEARNER_9A)
    chat = await create_subgroup_chat(teacher)
    call = await publish_call(teacher, chat, "Call", TODAY)
    other = school_database(api.database.url, clock=clock)
    async with learner.listening(BADGES) as badges:
        assert await badges.next() == {"newCalls": 1}
        match how:
            case "finished":
                await teacher.do("finishCall", callId=call)
            case "deleted":
                await teacher.do("deleteCall", callId=call)
            case "chat deleted":
                await teacher.do("deleteChat", chatId=chat)
            case "removed":
                await teacher.do("removeChatParticipants", chatId=chat, userIds=[learner.id])
            case "seen":
                await learner.do("markChatsSeen")
            case "finished elsewhere":
                assert teacher.viewer is not None
                with other.transaction() as tx:
                    finish_by_rule(tx, actor(tx, teacher.viewer), number(call))
            case "night elsewhere":
                next_night(other, clock)
        assert await badges.next() == {"newCalls": 0}
        await badges.nothing()
    assert await new_calls(learner) == 0


async def test_A9_a_badge_goes_down_when_the_night_archives_the_chat(api: Api, clock: SchoolClock) -> None:
    learner = api.as_(LEARNER_9A)
    await publish_call(api.as_(CURATOR_9A), api.chat("GROUP", CLASS_9A), "Call", "2027-01-01T00:00:00Z")
    other = school_database(api.database.url, clock=clock)
    async with learner.listening(BADGES) as badges:
        assert await badges.next() == {"newCalls": 1}
        import_school(other, without_group("9a"))
        await badges.nothing()
        next_night(other, clock)
        assert await badges.next() == {"newCalls": 0}


# -------------------------------------------------------------------------------- other processes, and ends


async def test_what_another_process_does_arrives_by_the_poll(api: Api, clock: SchoolClock) -> None:
    learner, curator = api.as_(LEARNER_9A), api.as_(CURATOR_9A)
    call = await publish_call(curator, api.chat("GROUP", CLASS_9A), "Call", TODAY)
    other = school_database(api.database.url, clock=clock)
    async with (
        following(learner, CALLS) as calls,
        following(learner, CHATS) as chats,
        following(curator, CHATS) as all_,
    ):
        next_night(other, clock)
        (shown,) = await heard(calls, 1)
        assert (shown["callId"], shown["call"]) == (call, None)
        import_school(other, without_person(OTHER_LEARNER_9A))
        next_night(other, clock)
        assert [each["chat"]["name"] for each in await heard(chats, 1)] == ["9А"]
        # The guardian has left the parents with the child.
        assert [each["chat"]["name"] for each in await heard(all_, 2)] == ["9А", "Родители, 9А"]


async def test_who_leaves_the_school_is_signed_out_at_once(api: Api, clock: SchoolClock) -> None:
    learner = api.as_(LEARNER_9A)
    other = school_database(api.database.url, clock=clock)
    async with AsyncExitStack() as stack:
        hear = [await stack.enter_async_context(following(learner, document)) for document in EVERY]
        hear.append(await stack.enter_async_context(learner.listening(BADGES)))
        stays = await stack.enter_async_context(api.as_(OTHER_LEARNER_9A).listening(BADGES))
        assert await hear[3].next() == {"newCalls": 0}
        assert await stays.next() == {"newCalls": 0}
        import_school(other, without_person(LEARNER_9A))
        for listening in hear:
            assert await listening.error() == "UNAUTHENTICATED"
        await publish_call(api.as_(CURATOR_9A), api.chat("GROUP", CLASS_9A))
        assert await stays.next() == {"newCalls": 1}
        await quiet(*hear)
    for document in (*EVERY, BADGES):
        for person in (learner, api.signed_out()):
            async with person.listening(document) as listening:
                assert await listening.error() == "UNAUTHENTICATED"


async def test_who_is_no_administrator_any_more_hears_own_chats_alone(api: Api, clock: SchoolClock) -> None:
    director, curator = api.as_(DIRECTOR), api.as_(CURATOR_9B)
    async with following(director, CALLS) as calls:
        first = await create_call(curator, api.chat("GROUP", CLASS_9B))
        assert [each["callId"] for each in await heard(calls, 1)] == [first]
        people = [replace(each, role="teacher") if each.login == DIRECTOR else each for each in GORIZONT.people]
        import_school(api.database, replace(GORIZONT, people=tuple(people)))
        await create_call(curator, api.chat("GROUP", CLASS_9B))
        await calls.nothing()
        # Among the personnel he is still.
        last = await create_call(api.as_(ADMINISTRATOR), api.chat("TEACHERS"))
        assert [each["callId"] for each in await heard(calls, 1)] == [last]


async def test_the_poll_comes_in_time_however_much_happens_elsewhere(api: Api, clock: SchoolClock) -> None:
    """What another process does next door is heard while there is one commit after another here."""
    other = school_database(api.database.url, clock=clock)
    curator, chat = api.as_(CURATOR_9A), api.chat("GROUP", CLASS_9A)
    neighbour, elsewhere = api.as_(NEXT_DOOR_ADMINISTRATOR, NEXT_DOOR), api.chat("GROUP", "3e A")
    async with following(neighbour, CHATS) as listening, following(curator, CALLS):
        call = await create_call(curator, chat)
        assert neighbour.viewer is not None
        with other.transaction() as tx:
            give_name(tx, neighbour.viewer.organization_id, number(elsewhere), "Renamed")
        async with asyncio.timeout(PATIENCE):
            while not listening.waiting:
                await curator.do("updateCall", callId=call, title="Again and again")
        assert await heard(listening, 1) == [{"chatId": elsewhere, "chat": {"id": elsewhere, "name": "Renamed"}}]


async def test_only_organizations_in_which_something_happened_are_looked_at(api: Api) -> None:
    curator, chat = api.as_(CURATOR_9A), api.chat("GROUP", CLASS_9A)
    api.listeners._poll_seconds = 60
    read, looked_at = api.database.read, []

    async def watched(sql: str, parameters: Any) -> Any:
        if sql.startswith("SELECT organizations.last_event, "):
            looked_at.append({each for each in parameters if each in (1, 2)})
        return await read(sql, parameters)

    async with (
        following(curator, CALLS) as calls,
        following(api.as_(NEXT_DOOR_ADMINISTRATOR, NEXT_DOOR), CHATS) as chats,
    ):
        await asyncio.sleep(0.2)  # the last poll is over
        api.listeners.look_at(None)
        await asyncio.sleep(0.1)
        api.database.read = watched  # type: ignore[method-assign]
        await create_call(curator, chat)
        assert len(await heard(calls, 1)) == 1
        await chats.nothing()
        assert looked_at == [{1}]
        api.listeners.look_at(None)
        await chats.nothing()
        assert looked_at == [{1}]  # one statement for all of them says that nothing is new
        api.listeners.look_at({2})
        await chats.nothing()
        assert looked_at == [{1}, {2}]


async def test_listening_ends_although_something_happens_at_that_moment(api: Api) -> None:
    listeners = Listeners(api.database, poll_seconds=60)
    for _ in range(20):
        await listeners.start()
        await asyncio.sleep(0)
        listeners.look_at(set())
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await listeners.stop()


async def test_an_event_carries_ids_alone(api: Api) -> None:
    """Nothing of a person is kept in the history: what is told is read when it is told."""
    teacher = api.as_(TEACHER)
    chat = await create_subgroup_chat(teacher, "Secret")
    await publish_call(teacher, chat, "Secret", TOMORROW)
    (made, created, published) = [row for row in api.rows(events) if row.organization_id == 1][-3:]
    assert [each.kind for each in (made, created, published)] == ["CHAT_CHANGED", "CALL_CHANGED", "CALL_PUBLISHED"]
    assert {name for name in made._mapping if not name.endswith("_id")} == {"number", "kind", "at"}
    assert published.number == created.number + 1 == made.number + 2
