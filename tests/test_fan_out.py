"""Is what many listen to read once, and told to each as if he had read it alone?"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from models.database import Database
from models.errors import Unavailable
from resolvers import subscription
from resolvers.fan_out import EventGroup
from tests.api import Api, Listening
from tests.listening import BADGES, CALLS, CHATS, PUBLISHED, READ, RECEIVED, cursor, group_of, parked, send
from tests.school import (
    ADMINISTRATOR,
    CLASS_9A,
    CURATOR_9A,
    DIRECTOR,
    LEARNER_9A,
    OTHER_LEARNER_9A,
    SECRETARY,
    TEACHER,
    TEACHER_OF_TWO,
    SchoolClock,
    school_database,
)
from tests.steps import create_call, import_school, publish_call, without_person

STAFF = (TEACHER, DIRECTOR, ADMINISTRATOR, SECRETARY, CURATOR_9A)


async def bodies(listening: Listening, count: int) -> list[str]:
    return [(await listening.next())["message"]["body"] for _ in range(count)]


def read(api: Api) -> list[str]:
    """The statements that were read for listeners, without those that ask what is new."""
    asked = ("SELECT organizations.id, ", "SELECT organizations.last_event, ")
    return [each for each in api.statements if not each.startswith(asked)]


class Gate:
    """Holds statements of one kind back until it is opened."""

    def __init__(
        self, database: Database, chosen: Callable[[str], bool], *, before: bool = False, once: bool = False
    ) -> None:
        self._is_before = before
        self._is_once = once
        self._has_held = False
        self.reached = asyncio.Event()
        self._open = asyncio.Event()
        self._read = database.read
        self._chosen = chosen
        database.read = self._held  # type: ignore[method-assign]

    def open(self) -> None:
        self._open.set()

    async def _held(self, sql: str, parameters: Any) -> Any:
        """The statement runs before it is held: what happens meanwhile is not in it. Or after that."""
        if not self._chosen(sql) or self._open.is_set() or (self._is_once and self._has_held):
            return await self._read(sql, parameters)
        self._has_held = True
        if self._is_before:
            await self._hold()
        rows = await self._read(sql, parameters)
        if not self._is_before:
            await self._hold()
        return rows

    async def _hold(self) -> None:
        self.reached.set()
        await self._open.wait()


def is_look(sql: str) -> bool:
    """Whether the statement is read for many."""
    return "count(*) = 100" in sql


def is_page(sql: str) -> bool:
    """Whether it is read by one alone."""
    return "(r2.last_event, (SELECT" in sql and not is_look(sql)


def is_badges(sql: str) -> bool:
    return "'unreadMessages'" in sql


# --------------------------------------------------------------------------------------- one for all


async def test_one_message_is_read_once_for_all_who_listen(api: Api) -> None:
    people = [api.as_(login) for login in STAFF]
    there = await group_of(*people)
    async with AsyncExitStack() as stack:
        hear = [await stack.enter_async_context(parked(each, RECEIVED)) for each in people * 4]
        deaf = await stack.enter_async_context(parked(api.as_(TEACHER_OF_TWO), RECEIVED))
        api.statements.clear()
        sent = await send(people[0], there)
        for listening in hear:
            shown = await listening.next()
            assert shown["message"]["id"] == sent
            assert (shown["message"]["body"], shown["message"]["conversation"]) == ("Hello", {"id": there})
        # The message, with those who hear it; before that it was asked once what is new.
        (statement,) = read(api)
        assert is_look(statement)
        assert [each.pushed for each in (*hear, deaf)] == [1] * 20 + [0]
        assert all(each.is_parked for each in (*hear, deaf))


async def test_groups_of_other_kinds_of_events_do_not_look(api: Api) -> None:
    people = [api.as_(login) for login in STAFF]
    there = await group_of(*people)
    async with (
        parked(people[1], RECEIVED) as listening,
        parked(people[1], PUBLISHED),
        parked(people[2], CALLS),
        parked(people[2], CHATS),
    ):
        api.statements.clear()
        await send(people[0], there)
        await listening.next()
        assert len([each for each in api.statements if is_look(each)]) == 1
        assert not [each for each in api.statements if is_page(each)]


async def test_badges_of_all_who_are_woken_come_from_one_statement(api: Api) -> None:
    people = [api.as_(login) for login in STAFF]
    there = await group_of(*people)
    document = "subscription { badgesChanged { unreadMessages unreadConversations newCalls unreadMail } }"
    async with AsyncExitStack() as stack:
        hear = [await stack.enter_async_context(parked(each, document)) for each in people]
        for listening in hear:
            assert (await listening.next())["unreadMessages"] == 0
        api.statements.clear()
        await send(people[0], there)
        for listening in hear[1:]:
            assert await listening.next() == {
                "unreadMessages": 1,
                "unreadConversations": 1,
                "newCalls": 0,
                "unreadMail": 0,
            }
        concerned, counts = read(api)
        assert ("participations.user_id" in concerned, is_badges(counts)) == (True, True)
        assert [each.pushed for each in hear] == [0, 1, 1, 1, 1]
        await people[1].do("markConversationRead", conversationId=there)
        assert (await hear[1].next())["unreadMessages"] == 0
        await hear[0].nothing()
        assert [each.waiting for each in hear] == [0] * 5


@pytest.mark.parametrize(
    ("selection", "is_shared"),
    [
        ("messageReceived { cursor }", True),
        ("messageReceived { message { id subject body format sentAt author { id name login isActive } } }", True),
        ("messageReceived { message { conversation { __typename id kind } attachments { id name } } }", True),
        ("messageReceived { message { to { ... on User { name } } } }", True),
        ("messageReceived { message { isRead } }", False),
        ("messageReceived { message { viewerActions } }", False),
        ("messageReceived { message { bcc { ... on User { name } } } }", False),
        ("messageReceived { message { inReplyTo { id } } }", False),
        ("messageReceived { message { attachments { url } } }", False),
        ("messageReceived { message { author { viewerCanMessage } } }", False),
        ("messageReceived { message { author { memberships { position } } } }", False),
        ("messageReceived { message { conversation { title } } }", False),
        ("messageReceived { message { conversation { unreadCount } } }", False),
        ("callPublished { call { id title startsAt status lastActor { name } chat { id name kind } } }", True),
        ("callPublished { call { joinUrl } }", False),
        ("callPublished { call { chat { viewerIsAdministrator } } }", False),
        ("callPublished { call { chat { publishedCall { id } } } }", False),
        ("callChanged { callId chatId }", True),
        ("callChanged { call { id } }", False),
        ("chatChanged { chatId }", True),
        ("chatChanged { chat { id } }", False),
        ("conversationChanged { conversationId }", True),
        ("conversationChanged { conversation { id } }", False),
        ("messageChanged { messageId }", True),
        ("messageChanged { message { id } }", False),
    ],
)
async def test_what_is_the_same_for_all_is_found_out_from_the_statement(
    api: Api, selection: str, is_shared: bool
) -> None:
    async with parked(api.as_(TEACHER), f"subscription {{ {selection} }}"):
        (there,) = api.listeners._organizations.values()
        assert bool(there.groups) is is_shared
        assert bool(there.people) is not is_shared
    assert not api.listeners._organizations


async def test_what_differs_is_told_to_each_as_his_own(api: Api) -> None:
    author, *others = people = [api.as_(login) for login in STAFF]
    there = await group_of(*people)
    async with AsyncExitStack() as stack:
        hear = [await stack.enter_async_context(parked(each, READ)) for each in people]
        sent = await send(author, there)
        shown = [(await listening.next())["message"] for listening in hear]
        assert shown == [{"id": sent, "isRead": place == 0} for place in range(len(others) + 1)]
        assert [each.pushed for each in hear] == [0] * 5


async def test_values_keep_listeners_apart(api: Api) -> None:
    """The same selection with other values is another group."""
    author, reader = api.as_(TEACHER), api.as_(DIRECTOR)
    chat, other = await group_of(author, reader), await group_of(author, reader)
    async with (
        parked(reader, RECEIVED) as all_,
        parked(reader, RECEIVED, **{"in": chat}) as one,
        parked(
            reader, RECEIVED.replace("cursor message", "at: cursor cursor message"), **{"in": other}
        ) as another,
    ):
        await send(author, chat, "One")
        await send(author, other, "Another")
        assert await bodies(all_, 2) == ["One", "Another"]
        assert await bodies(one, 1) == ["One"]
        shown = await another.next()
        assert shown["at"] == shown["cursor"]
        await one.nothing()
        assert another.waiting == all_.waiting == 0


# ------------------------------------------------------------------------------------ slow, and gone


async def test_who_does_not_take_it_goes_alone_and_delays_nobody(api: Api) -> None:
    author, slow, quick = (api.as_(login) for login in STAFF[:3])
    there = await group_of(author, slow, quick)
    async with parked(slow, RECEIVED) as late, parked(quick, RECEIVED) as soon:
        late.takes_pushes = False
        for turn in range(5):
            await send(author, there, f"{turn}")
            assert await bodies(soon, 1) == [f"{turn}"]
        assert await bodies(late, 5) == [f"{turn}" for turn in range(5)]
        assert (late.pushed, soon.pushed) == (0, 5)
        await late.parked()
        late.takes_pushes = True
        await send(author, there, "At last")
        assert await bodies(late, 1) == await bodies(soon, 1) == ["At last"]
        assert (late.pushed, soon.pushed) == (1, 6)
        await late.nothing()


async def test_who_is_removed_is_told_the_end_and_nothing_after_it(api: Api) -> None:
    author, leaver, stays = (api.as_(login) for login in STAFF[:3])
    there = await group_of(author, leaver, stays)
    async with (
        parked(leaver, RECEIVED, **{"in": there}) as one,
        parked(leaver, RECEIVED) as all_,
        parked(stays, RECEIVED, **{"in": there}) as other,
    ):
        await send(author, there, "Heard")
        await author.do("removeParticipants", conversationId=there, userIds=[leaver.id])
        await send(author, there, "Unheard")
        assert await bodies(one, 1) == ["Heard"]
        await one.ended()
        assert await bodies(other, 2) == ["Heard", "Unheard"]
        assert await bodies(all_, 1) == ["Heard"]
        await all_.nothing()
        assert (one.waiting, all_.is_parked, one.closed) == (0, True, None)


@pytest.mark.parametrize("document", [RECEIVED, PUBLISHED, CHATS, READ, BADGES])
async def test_who_leaves_the_school_is_signed_out_although_parked(
    api: Api, clock: SchoolClock, document: str
) -> None:
    other = school_database(api.database.url, clock=clock)
    async with (
        parked(api.as_(LEARNER_9A), document) as listening,
        parked(api.as_(OTHER_LEARNER_9A), document) as stays,
    ):
        if document is BADGES:
            assert await listening.next() == await stays.next() == {"newCalls": 0}
        import_school(other, without_person(LEARNER_9A))
        assert await listening.error() == "UNAUTHENTICATED"
        await listening.ended()
        assert listening.closed == 4403
        assert stays.is_parked
        assert stays.closed is None


async def test_addresses_of_files_are_each_persons_own(api: Api) -> None:
    """What is marked in a body is finished for the one who reads it."""
    async with AsyncExitStack() as stack:
        author, *others = people = [api.as_(login) for login in STAFF[:3]]
        there = await group_of(*people)
        hear = [await stack.enter_async_context(parked(each, RECEIVED)) for each in others]
        await send(author, there, "attachment:Attachment_1")
        assert [await bodies(each, 1) for each in hear] == [["attachment:Attachment_1"]] * 2
        assert [each.pushed for each in hear] == [0, 0]


# ----------------------------------------------------------------------------------------- hand-over


async def test_who_joins_while_a_look_is_under_way_misses_nothing(api: Api) -> None:
    """The look knows an event that the newcomer, who has read before it, does not."""
    author, first, second = (api.as_(login) for login in STAFF[:3])
    there = await group_of(author, first, second)
    async with parked(first, RECEIVED) as old:
        page = Gate(api.database, is_page)
        async with second.listening(RECEIVED) as new:
            await page.reached.wait()  # it has read, and found nothing
            look = Gate(api.database, is_look)
            await send(author, there, "Between")
            await look.reached.wait()
            page.open()
            await asyncio.sleep(0.01)
            look.open()
            assert await bodies(old, 1) == await bodies(new, 1) == ["Between"]
            await new.parked()
            await send(author, there, "After")
            assert await bodies(old, 1) == await bodies(new, 1) == ["After"]
            assert (old.pushed, new.pushed) == (2, 1)
            await new.nothing()


async def test_what_a_look_learns_after_somebody_joined_is_told_to_him_as_well(api: Api) -> None:
    """He has read before it, and no wake-up was for him: he was in the group already."""
    author, first, second = (api.as_(login) for login in STAFF[:3])
    there = await group_of(author, first, second)
    async with parked(first, RECEIVED) as old:
        look = Gate(api.database, is_look, before=True)
        await send(author, there, "Before")
        await look.reached.wait()
        async with parked(second, RECEIVED) as new:
            await send(author, there, "After")
            look.open()
            assert await bodies(old, 2) == ["Before", "After"]
            assert await bodies(new, 1) == ["After"]
            await new.nothing()
            assert (new.pushed, new.is_parked) == (0, True)


async def test_who_joins_after_a_look_that_knew_more_reads_again(api: Api) -> None:
    author, first, second = (api.as_(login) for login in STAFF[:3])
    there = await group_of(author, first, second)
    async with parked(first, RECEIVED) as old:
        page = Gate(api.database, is_page)
        async with second.listening(RECEIVED) as new:
            await page.reached.wait()
            await send(author, there, "Between")
            assert await bodies(old, 1) == ["Between"]
            page.open()
            assert await bodies(new, 1) == ["Between"]
            await new.parked()
            assert (old.pushed, new.pushed) == (1, 0)
            await new.nothing()


async def test_what_a_look_does_not_know_yet_is_not_told_twice(api: Api) -> None:
    """The newcomer has read an event that the group has still to look at."""
    author, first, second = (api.as_(login) for login in STAFF[:3])
    there = await group_of(author, first, second)
    async with parked(first, RECEIVED) as old:
        start = await cursor(second)
        look = Gate(api.database, is_look)
        await send(author, there, "One")
        await look.reached.wait()
        await send(author, there, "Two")
        async with parked(second, RECEIVED, after=start) as new:
            assert await bodies(new, 2) == ["One", "Two"]
            look.open()
            assert await bodies(old, 2) == ["One", "Two"]
            await new.nothing()
            assert new.is_parked
            await send(author, there, "Three")
            assert await bodies(old, 1) == await bodies(new, 1) == ["Three"]


async def test_who_goes_while_a_look_is_under_way_is_told_nothing(api: Api) -> None:
    author, first, second = (api.as_(login) for login in STAFF[:3])
    there = await group_of(author, first, second)
    async with parked(first, RECEIVED) as stays:
        async with parked(second, RECEIVED) as goes:
            look = Gate(api.database, is_look)
            await send(author, there)
            await look.reached.wait()
        look.open()
        assert await bodies(stays, 1) == ["Hello"]
        assert goes.waiting == 0
        assert len(only_group(api)._members) == 1
    assert not api.listeners._organizations


async def test_the_last_one_goes_while_a_look_is_under_way(api: Api) -> None:
    author, reader = api.as_(TEACHER), api.as_(DIRECTOR)
    there = await group_of(author, reader)
    async with parked(reader, RECEIVED):
        look = Gate(api.database, is_look)
        await send(author, there)
        await look.reached.wait()
    assert not api.listeners._organizations
    async with parked(reader, RECEIVED) as again:  # another group of the same kind
        look.open()
        await asyncio.sleep(0.01)
        await send(author, there, "Again")
        assert await bodies(again, 1) == ["Again"]
    assert not api.listeners._organizations


async def test_badges_that_change_while_somebody_joins_are_told(api: Api) -> None:
    author, first, second = (api.as_(login) for login in STAFF[:3])
    there = await group_of(author, first, second)
    document = "subscription { badgesChanged { unreadMessages } }"
    async with parked(first, document) as old:
        assert await old.next() == {"unreadMessages": 0}
        look = Gate(api.database, is_badges, once=True)
        await send(author, there)
        await look.reached.wait()
        async with second.listening(document) as new:
            assert await new.next() == {"unreadMessages": 1}
            await new.parked()
            await send(author, there)
            await new.nothing()
            look.open()
            assert await new.next() == {"unreadMessages": 2}
            assert (await old.next(), await old.next()) == ({"unreadMessages": 1}, {"unreadMessages": 2})


async def test_who_joins_while_the_last_one_goes_is_told_of_what_happens_then(api: Api) -> None:
    """Of the group nobody is left but who has joined during the look; what wakes it then is for him alone."""
    author, first, second = (api.as_(login) for login in STAFF[:3])
    there, elsewhere = await group_of(author, first), await group_of(author, second)
    async with AsyncExitStack() as goes, parked(second, CHATS):
        await goes.enter_async_context(parked(first, RECEIVED))
        look = Gate(api.database, is_look)
        await send(author, there)
        await look.reached.wait()
        async with parked(second, RECEIVED) as stays:
            assert stays.waiting == 0
            await goes.aclose()
            await send(author, elsewhere, "For one")
            await stays.nothing()
            look.open()
            assert await bodies(stays, 1) == ["For one"]
            await send(author, elsewhere, "After")
            assert await bodies(stays, 1) == ["After"]


async def test_many_events_at_once_are_told_in_order_look_by_look(api: Api) -> None:
    author, first, second = (api.as_(login) for login in STAFF[:3])
    there = await group_of(author, first, second)
    async with parked(first, RECEIVED) as one, parked(second, RECEIVED) as other:
        look = Gate(api.database, is_look)
        await send(author, there, "0")
        await look.reached.wait()
        for turn in range(1, 231):
            await send(author, there, f"{turn}")
        look.open()
        expected = [f"{turn}" for turn in range(231)]
        assert await bodies(one, 231) == await bodies(other, 231) == expected
        assert (one.pushed, other.pushed) == (231, 231)


async def test_events_of_no_interest_are_passed_over_without_being_read_later(api: Api) -> None:
    """A group does not read again what it was not woken for."""
    author, reader = api.as_(TEACHER), api.as_(DIRECTOR)
    there = await group_of(author, reader)
    chat = api.chat("GROUP", CLASS_9A)
    async with parked(reader, RECEIVED) as listening:
        for _ in range(5):
            await create_call(api.as_(CURATOR_9A), chat)
        await listening.nothing()
        last = int(await cursor(reader))
        assert only_group(api)._cursor < last
        await send(author, there)
        assert await bodies(listening, 1) == ["Hello"]
        assert only_group(api)._cursor == last + 1


def only_group(api: Api) -> EventGroup:
    (there,) = api.listeners._organizations.values()
    (group,) = there.groups.values()
    assert isinstance(group, EventGroup)
    return group


# ------------------------------------------------------------------------------ the database is away


class Away:
    """The database answers nobody until it is back."""

    def __init__(self, database: Database) -> None:
        self.is_away = True
        self._read = database.read
        database.read = self._answer  # type: ignore[method-assign]

    async def _answer(self, sql: str, parameters: Any) -> Any:
        if self.is_away:
            raise Unavailable
        return await self._read(sql, parameters)


@pytest.mark.parametrize("document", [RECEIVED, READ.replace("message {", "message { body ")])
async def test_nothing_is_lost_while_the_database_is_away(
    api: Api, monkeypatch: pytest.MonkeyPatch, document: str
) -> None:
    monkeypatch.setattr(subscription, "BETWEEN_TRIES", 0.01)
    author, reader = api.as_(TEACHER), api.as_(DIRECTOR)
    there = await group_of(author, reader)
    async with parked(reader, document) as listening, reader.listening(BADGES) as badges:
        assert await badges.next() == {"newCalls": 0}
        away = Away(api.database)
        async with reader.listening(document) as begins:
            for turn in range(3):
                await send(author, there, f"{turn}")
            await listening.nothing()
            assert begins.waiting == 0
            away.is_away = False
            assert await bodies(listening, 3) == ["0", "1", "2"]
            await begins.parked()
            await send(author, there, "3")
            assert await bodies(listening, 1) == await bodies(begins, 1) == ["3"]
        await publish_call(api.as_(CURATOR_9A), api.chat("GROUP", CLASS_9A))
        await badges.nothing()


@pytest.mark.parametrize("document", [RECEIVED, READ, BADGES])
async def test_who_waits_too_long_for_the_database_is_told_to_come_again(
    api: Api, monkeypatch: pytest.MonkeyPatch, document: str
) -> None:
    monkeypatch.setattr(subscription, "PATIENCE", 0.05)
    monkeypatch.setattr(subscription, "BETWEEN_TRIES", 0.01)
    author, reader = api.as_(TEACHER), api.as_(DIRECTOR)
    there = await group_of(author, reader)
    start = await cursor(reader)
    async with parked(reader, document) as listening:
        if document is BADGES:
            await listening.next()
        there_was = api.database.read
        Away(api.database)
        await send(author, there, "Not lost")
        async with reader.listening(document) as begins:
            await begins.ended()
            assert begins.closed == 1013
        (known,) = api.listeners._organizations.values()
        for group in known.groups.values():
            group.wake(0, None)
        for waiting in known.people.values():
            for each in waiting:
                each.wake(0)
        await listening.ended()
        assert (listening.closed, listening.waiting) == (1013, 0)
        api.database.read = there_was  # type: ignore[method-assign]
    async with reader.listening(RECEIVED, after=start) as again:
        assert await bodies(again, 1) == ["Not lost"]


async def test_a_look_that_fails_lets_each_look_alone(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    author, reader = api.as_(TEACHER), api.as_(DIRECTOR)
    there = await group_of(author, reader)

    async def fail(_: EventGroup) -> None:
        raise KeyError("a fault of ours")

    async with parked(reader, RECEIVED) as listening, parked(author, RECEIVED) as own:
        with monkeypatch.context() as patched:
            patched.setattr(EventGroup, "look", fail)
            await send(author, there)
            assert await bodies(listening, 1) == await bodies(own, 1) == ["Hello"]
            assert "each looks alone" in caplog.text
            await listening.parked()
            await own.parked()
        await send(author, there, "Together again")
        assert await bodies(listening, 1) == await bodies(own, 1) == ["Together again"]
        assert (listening.pushed, own.pushed) == (1, 1)
