"""Do subscriptions tell each person what happens, in order, each event once, from now or from any cursor?"""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from models.chats import give_name
from models.database import Database
from tests.api import Api, Listening, Person
from tests.listening import CALLS, CHATS, EVERY, PUBLISHED, cursor, following, heard, number, quiet, replayed
from tests.school import (
    ADMINISTRATOR,
    CLASS_9A,
    CURATOR_9A,
    DIRECTOR,
    GUARDIAN_9A,
    LEARNER_9A,
    LEARNER_9B,
    LEARNER_UNLINKED,
    NEXT_DOOR,
    NEXT_DOOR_ADMINISTRATOR,
    OTHER_LEARNER_9A,
    TEACHER,
    SchoolClock,
    school_database,
)
from tests.steps import (
    create_call,
    create_custom_chat,
    create_subgroup_chat,
    finish_call,
    link,
    new_calls,
    publish_call,
    turn,
)

# ------------------------------------------------------------------------------------------ who hears what


async def test_E53_E58_participants_hear_of_a_publication_and_nobody_else(api: Api) -> None:
    curator, chat = api.as_(CURATOR_9A), api.chat("GROUP", CLASS_9A)
    call = await create_call(curator, chat, "Литература")
    async with AsyncExitStack() as stack:

        async def listen(login: str, organization: str | None = None) -> Listening:
            person = api.as_(login) if organization is None else api.as_(login, organization)
            return await stack.enter_async_context(following(person, PUBLISHED))

        hear = [await listen(login) for login in (CURATOR_9A, LEARNER_9A, LEARNER_UNLINKED)]
        deaf = [await listen(login) for login in (ADMINISTRATOR, GUARDIAN_9A, LEARNER_9B)]
        deaf.append(await listen(NEXT_DOOR_ADMINISTRATOR, NEXT_DOOR))
        await curator.do("publishCall", callId=call)
        for listening in hear:
            assert (await listening.next())["call"] == {"id": call, "title": "Литература"}
        await quiet(*hear, *deaf)


async def test_E54_callChanged_tells_each_step_as_it_is_for_the_viewer(api: Api) -> None:
    curator, chat = api.as_(CURATOR_9A), api.chat("GROUP", CLASS_9A)
    people = (curator, api.as_(LEARNER_9A), api.as_(ADMINISTRATOR), api.as_(GUARDIAN_9A))
    async with AsyncExitStack() as stack:
        listening = [await stack.enter_async_context(following(each, CALLS)) for each in people]

        async def told(status: str | None, *, member: str | None) -> None:
            """To curator and administrator, to the learner, and nothing to the guardian."""
            for listener, seen in zip(listening[:3], (status, member, status), strict=True):
                shown = await listener.next()
                shown.pop("cursor")
                expected = None if seen is None else {"id": call, "status": seen, "title": title}
                assert shown == {"callId": call, "chatId": chat, "chat": {"id": chat}, "call": expected}

        title = "Call"
        call = await create_call(curator, chat, title)
        await told("CREATED", member="CREATED")
        title = "Another"
        await curator.do("updateCall", callId=call, title=title)
        await told("CREATED", member="CREATED")
        await curator.do("publishCall", callId=call)
        await told("PUBLISHED", member="PUBLISHED")
        await curator.do("finishCall", callId=call)
        await told("FINISHED", member=None)
        await curator.do("deleteCall", callId=call)
        await told(None, member=None)
        await quiet(*listening)


async def test_A8_who_does_not_see_created_calls_hears_nothing_of_them(api: Api) -> None:
    curator, learner, chat = api.as_(CURATOR_9A), api.as_(LEARNER_9A), api.chat("GROUP", CLASS_9A)
    turn(api.database, callVisibility="PUBLISHED_ONLY")
    async with following(learner, CALLS) as members, following(curator, CALLS) as administrators:
        call = await create_call(curator, chat)
        dropped = await create_call(curator, chat)
        await curator.do("deleteCall", callId=dropped)
        assert [each["callId"] for each in await heard(administrators, 3)] == [call, dropped, dropped]
        await members.nothing()
        await curator.do("publishCall", callId=call)
        (shown,) = await heard(members, 1)
        assert shown["call"] == {"id": call, "status": "PUBLISHED", "title": "Call"}


async def test_chatChanged_tells_participants_and_the_organizations_administrators(api: Api) -> None:
    teacher, learner, director = api.as_(TEACHER), api.as_(LEARNER_9A), api.as_(DIRECTOR)
    other = api.as_(LEARNER_9B)
    async with AsyncExitStack() as stack:
        people = (teacher, learner, director, other)
        hear = [await stack.enter_async_context(following(each, CHATS)) for each in people]
        chat = await create_subgroup_chat(teacher)

        async def told(name: str | None, *who: Listening) -> None:
            for listening in who:
                shown = await listening.next()
                shown.pop("cursor")
                assert shown == {"chatId": chat, "chat": None if name is None else {"id": chat, "name": name}}

        await told("Chat", *hear[:3])
        await teacher.do("renameChat", chatId=chat, name="Speaking")
        await told("Speaking", *hear[:3])
        await teacher.do("addChatParticipants", chatId=chat, userIds=[other.id])
        await told("Speaking", *hear)
        await teacher.do("setChatAdministrator", chatId=chat, userId=other.id, isAdministrator=True)
        await told("Speaking", *hear)
        await teacher.do("deleteChat", chatId=chat)
        await told(None, *hear)
        await quiet(*hear)


async def test_E19_tiles_hear_that_somebody_is_linked(api: Api) -> None:
    learner = api.as_(LEARNER_UNLINKED)
    document = "subscription($after: String) { chatChanged(after: $after) { chat { linkedParticipantCount } } }"
    async with (
        following(api.as_(LEARNER_9A), document) as listening,
        following(api.as_(GUARDIAN_9A), CHATS) as deaf,
    ):
        await link(learner)
        assert await listening.next() == {"chat": {"linkedParticipantCount": 8}}
        await learner.do("unlinkProfile")
        assert await listening.next() == {"chat": {"linkedParticipantCount": 7}}
        await quiet(listening, deaf)


async def test_what_is_pushed_is_the_viewers_own(api: Api) -> None:
    curator, chat = api.as_(CURATOR_9A), api.chat("GROUP", CLASS_9A)
    document = "subscription($after: String) { callPublished(after: $after) { call { joinUrl viewerActions } } }"
    async with AsyncExitStack() as stack:
        people = [api.as_(login) for login in (CURATOR_9A, LEARNER_9A, LEARNER_UNLINKED)]
        hear = [await stack.enter_async_context(following(each, document)) for each in people]
        await publish_call(curator, chat)
        shown = [(await listening.next())["call"] for listening in hear]
    assert [each["viewerActions"] for each in shown] == [["FINISH", "DELETE", "JOIN"], ["JOIN"], []]
    urls = [each["joinUrl"] for each in shown]
    assert urls[0].startswith("https://school.example/messenger/calls/")
    assert urls == [urls[0], urls[0], None]


async def test_who_is_removed_hears_of_that_and_of_nothing_after_it(api: Api) -> None:
    teacher, learner = api.as_(TEACHER), api.as_(LEARNER_9A)
    chat = await create_subgroup_chat(teacher)
    before = await cursor(learner)
    async with AsyncExitStack() as stack:
        hear = [await stack.enter_async_context(following(learner, document)) for document in EVERY]
        call = await create_call(teacher, chat)
        await teacher.do("removeChatParticipants", chatId=chat, userIds=[learner.id])
        await teacher.do("publishCall", callId=call)
        await teacher.do("renameChat", chatId=chat, name="Another")
        await teacher.do("deleteChat", chatId=chat)
        published, calls, chats = hear
        assert [(each["callId"], each["chatId"]) for each in await heard(calls, 1)] == [(call, chat)]
        assert await heard(chats, 1) == [{"chatId": chat, "chat": None}]
        await published.nothing()
    # Coming back with an older cursor tells the same, as it is now: nothing of it is visible.
    gone = {"callId": call, "chatId": chat, "chat": None, "call": None}
    assert await replayed(learner, CALLS, before, 1) == [gone]
    assert await replayed(learner, CHATS, before, 1) == [{"chatId": chat, "chat": None}]
    assert await replayed(learner, PUBLISHED, before, 0) == []


async def test_A19_a_deleted_chat_takes_its_calls_along(api: Api) -> None:
    teacher, learner = api.as_(TEACHER), api.as_(LEARNER_9A)
    chat = await create_subgroup_chat(teacher)
    gone = [await publish_call(teacher, chat), await create_call(teacher, chat)]
    before = await cursor(learner)
    await teacher.do("deleteChat", chatId=chat)
    for person in (teacher, learner, api.as_(ADMINISTRATOR)):
        assert await replayed(person, CALLS, before, 2) == [
            {"callId": call, "chatId": chat, "chat": None, "call": None} for call in gone
        ]
        assert await replayed(person, CHATS, before, 1) == [{"chatId": chat, "chat": None}]


async def test_what_happened_while_one_was_away_is_not_told(api: Api) -> None:
    """The badge counts what is still published all the same (A14)."""
    teacher, learner = api.as_(TEACHER), api.as_(LEARNER_9A)
    chat = await create_subgroup_chat(teacher)
    await teacher.do("removeChatParticipants", chatId=chat, userIds=[learner.id])
    before = await cursor(learner)
    async with following(learner, PUBLISHED) as published, following(learner, CALLS) as calls:
        call = await publish_call(teacher, chat)
        await teacher.do("addChatParticipants", chatId=chat, userIds=[learner.id])
        await quiet(published, calls)
        assert await new_calls(learner) == 1
        await teacher.do("finishCall", callId=call)
        assert [each["callId"] for each in await heard(calls, 1)] == [call]
    assert await replayed(learner, PUBLISHED, before, 0) == []
    assert [each["callId"] for each in await replayed(learner, CALLS, before, 1)] == [call]


async def test_A15_who_comes_back_hears_again(api: Api) -> None:
    teacher, learner = api.as_(TEACHER), api.as_(LEARNER_9A)
    chat = await create_subgroup_chat(teacher)
    await teacher.do("removeChatParticipants", chatId=chat, userIds=[learner.id])
    async with following(learner, PUBLISHED) as published, following(learner, CHATS) as chats:
        await teacher.do("renameChat", chatId=chat, name="Unheard")
        await chats.nothing()
        await teacher.do("addChatParticipants", chatId=chat, userIds=[learner.id])
        assert await heard(chats, 1) == [{"chatId": chat, "chat": {"id": chat, "name": "Unheard"}}]
        call = await publish_call(teacher, chat)
        assert [each["call"]["id"] for each in await heard(published, 1)] == [call]


# --------------------------------------------------------------------------------------------- resuming


async def test_a_page_and_the_subscription_from_its_cursor_leave_no_gap(api: Api) -> None:
    curator, learner, chat = api.as_(CURATOR_9A), api.as_(LEARNER_9A), api.chat("GROUP", CLASS_9A)
    first = await publish_call(curator, chat, "Seen")
    page = await learner.ask("{ viewer { eventCursor chats { nodes { publishedCall { id } } } } }")
    assert page["viewer"]["chats"]["nodes"] == [{"publishedCall": {"id": first}}]
    await curator.do("finishCall", callId=first)
    second = await publish_call(curator, chat, "Missed")
    async with learner.listening(PUBLISHED, after=page["viewer"]["eventCursor"]) as listening:
        assert (await listening.next())["call"] == {"id": second, "title": "Missed"}
        await curator.do("deleteCall", callId=second)
        third = await publish_call(curator, chat, "Live")
        shown = await listening.next()
        assert shown["call"] == {"id": third, "title": "Live"}
        await listening.nothing()
    # The highest cursor serves every subscription.
    assert await replayed(learner, CALLS, shown["cursor"], 0) == []
    assert await replayed(learner, CHATS, shown["cursor"], 0) == []


async def test_without_a_cursor_one_listens_from_now_on(api: Api) -> None:
    teacher, learner = api.as_(TEACHER), api.as_(LEARNER_9A)
    chat = await create_subgroup_chat(teacher)
    before = int(await cursor(learner))
    async with learner.listening(CHATS) as listening:
        for each in range(100):  # the server begins to listen somewhere in between
            await teacher.do("renameChat", chatId=chat, name=f"Name {each}")
            if listening.waiting:
                break
        first = int((await listening.next())["cursor"])
        assert before < first <= int(await cursor(learner))
        for place in range(first + 1, int(await cursor(learner)) + 1):
            assert int((await listening.next())["cursor"]) == place
        await listening.nothing()


async def test_a_replay_leaves_out_what_is_not_published_any_more(api: Api) -> None:
    curator, learner, administrator = api.as_(CURATOR_9A), api.as_(LEARNER_9A), api.as_(ADMINISTRATOR)
    chat, parents, before = api.chat("GROUP", CLASS_9A), api.chat("PARENTS", CLASS_9A), await cursor(learner)
    over = await finish_call(curator, chat, "Over")
    deleted = await publish_call(curator, chat, "Deleted")
    await curator.do("deleteCall", callId=deleted)
    still = await publish_call(curator, chat, "Still")
    await publish_call(curator, parents, "Elsewhere")
    created = await create_call(curator, chat, "Created")
    assert await replayed(learner, PUBLISHED, before, 1) == [{"call": {"id": still, "title": "Still"}}]
    assert [each["call"]["title"] for each in await replayed(curator, PUBLISHED, before, 2)] == [
        "Still",
        "Elsewhere",
    ]
    assert await replayed(administrator, PUBLISHED, before, 0) == []
    # callChanged tells of those as well: null where nothing is left to see.
    seen = {over: None, deleted: None, still: "PUBLISHED", created: "CREATED"}
    steps = [over, over, over, deleted, deleted, deleted, still, still, created]
    told = [
        (each["callId"], each["call"] and each["call"]["status"])
        for each in await replayed(learner, CALLS, before, len(steps))
    ]
    assert told == [(call, seen[call]) for call in steps]


@pytest.mark.parametrize("missed", [99, 100, 101, 250])
async def test_a_long_absence_is_told_in_order_page_by_page(api: Api, missed: int) -> None:
    teacher, learner = api.as_(TEACHER), api.as_(LEARNER_9A)
    chat = await create_subgroup_chat(teacher)
    before = int(await cursor(learner))
    rename_often(api.database, chat, missed)
    async with learner.listening(CHATS, after=str(before)) as listening:
        cursors = [int((await listening.next())["cursor"]) for _ in range(missed)]
        assert cursors == list(range(before + 1, before + missed + 1))
        await listening.nothing()
        await teacher.do("renameChat", chatId=chat, name="Live")
        shown = await listening.next()
        assert shown == {"cursor": str(cursors[-1] + 1), "chatId": chat, "chat": {"id": chat, "name": "Live"}}
        await listening.nothing()


def rename_often(database: Database, chat: str, times: int) -> None:
    """In one transaction."""
    with database.transaction() as tx:
        organization_id = 1
        for each in range(times):
            give_name(tx, organization_id, number(chat), f"Name {each}")


async def test_from_every_cursor_the_rest_of_the_story_is_told(api: Api) -> None:
    """What each person may hear, worked out again from the story itself."""
    teacher, learner, other = api.as_(TEACHER), api.as_(LEARNER_9A), api.as_(LEARNER_9B)
    administrator, third = api.as_(ADMINISTRATOR), api.as_(OTHER_LEARNER_9A)
    start = int(await cursor(teacher))
    inside: set[Person] = set()
    story: list[tuple[int, set[Person]]] = []

    async def happens(mutation: str, also: tuple[Person, ...] = (), /, **given: Any) -> Any:
        answer = await teacher.do(mutation, "chat { id }" if "Chat" in mutation else "__typename", **given)
        story.append((int(await cursor(teacher)), {*inside, *also, administrator}))
        return answer

    inside |= {teacher, learner, third}
    given = {"kind": "SUBGROUP", "name": "Chat", "groupId": api.group("Английский 9А-1")}
    made = await happens("createChat", **given, participantIds=[learner.id, third.id])
    chat = made["chat"]["id"]
    await happens("renameChat", chatId=chat, name="One")
    inside.remove(learner)
    await happens("removeChatParticipants", (learner,), chatId=chat, userIds=[learner.id])
    await happens("renameChat", chatId=chat, name="Two")
    inside.add(other)
    await happens("addChatParticipants", chatId=chat, userIds=[other.id])
    inside.remove(third)
    await happens("removeChatParticipants", (third,), chatId=chat, userIds=[third.id])
    await happens("renameChat", chatId=chat, name="Three")
    assert [number_ for number_, _ in story] == list(range(start + 1, start + 8))

    for person in (teacher, learner, third, other, administrator):
        for age in range(start, start + 8):
            async with person.listening(CHATS, after=str(age)) as listening:
                expected = [place for place, who in story if person in who and place > age]
                assert [int((await listening.next())["cursor"]) for _ in expected] == expected
                assert listening.waiting == 0


async def test_from_the_first_cursor_of_all_everything_is_told(api: Api) -> None:
    learner, chat = api.as_(LEARNER_9A), api.chat("GROUP", CLASS_9A)
    call = await publish_call(api.as_(CURATOR_9A), chat)
    assert (
        await replayed(learner, CALLS, "0", 2)
        == [
            {
                "callId": call,
                "chatId": chat,
                "chat": {"id": chat},
                "call": {"id": call, "status": "PUBLISHED", "title": "Call"},
            }
        ]
        * 2
    )
    # Made in the first night, then changed whenever one of the seven who are linked was linked.
    told = await replayed(learner, CHATS, "0", 8)
    assert told == [{"chatId": chat, "chat": {"id": chat, "name": "9А"}}] * 8


async def test_what_is_no_cursor_of_the_organization_is_a_bad_request(api: Api) -> None:
    wrong = ["", "x", "-1", "+1", "1.0", " 1", "1 ", "0x1", "1e3", "١", "9" * 18, "9" * 19, "9" * 5000, '["a",1]']
    for after in wrong:
        for document in EVERY:
            async with api.as_(LEARNER_9A).listening(document, after=after) as listening:
                assert await listening.error() == "BAD_REQUEST"


async def test_a_cursor_is_valid_for_everybody_and_not_before_it_was_given(api: Api) -> None:
    latest = await cursor(api.as_(CURATOR_9A))
    assert latest == await cursor(api.as_(ADMINISTRATOR)) == await cursor(api.as_(LEARNER_9B))
    assert await replayed(api.as_(LEARNER_9B), CHATS, latest, 0) == []
    async with api.as_(LEARNER_9B).listening(CHATS, after=str(int(latest) + 1)) as listening:
        assert await listening.error() == "BAD_REQUEST"
    # Next door less has happened.
    assert int(await cursor(api.as_(NEXT_DOOR_ADMINISTRATOR, NEXT_DOOR))) < int(latest)
    async with api.as_(NEXT_DOOR_ADMINISTRATOR, NEXT_DOOR).listening(CHATS, after=latest) as listening:
        assert await listening.error() == "BAD_REQUEST"


async def test_nothing_is_lost_or_doubled_while_two_servers_write(api: Api, clock: SchoolClock) -> None:
    """Readers come at different moments, read a page and go on from its cursor."""
    administrator = api.as_(ADMINISTRATOR)
    readers = [api.as_(login) for login in (LEARNER_9A, LEARNER_9B, TEACHER)]
    chats = [await create_custom_chat(administrator, *readers, name=f"Chat {each}") for each in range(2)]
    start, rounds = int(await cursor(administrator)), 25
    last = start + 2 * rounds
    async with Api.serving(school_database(api.database.url, clock=clock)) as other:

        async def write(person: Person, chat: str) -> None:
            for each in range(rounds):
                await person.do("renameChat", chatId=chat, name=f"Name {each}")

        async def read(person: Person, pause: float) -> list[int]:
            await asyncio.sleep(pause)
            begin = int(await cursor(person))
            async with person.listening(CHATS, after=str(begin)) as listening:
                found = [int((await listening.next())["cursor"]) for _ in range(last - begin)]
                await listening.nothing()
            return [begin, *found]

        writing = [write(administrator, chats[0]), write(other.as_(ADMINISTRATOR), chats[1])]
        reading = [read(person, 0.02 * place) for place, person in enumerate(readers * 3)]
        heard_by_all = (await asyncio.gather(*writing, *reading))[2:]
    assert len(heard_by_all) == 9
    for found in heard_by_all:
        assert found is not None
        assert found == list(range(found[0], last + 1))
    assert max(found[0] for found in heard_by_all if found) > start  # some came while it was written
