"""In which order is the messenger outside told, how often, and when is a command given up?"""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from jobs.change_of_messenger import go_over
from jobs.nightly import run_nights
from jobs.outbox import NotActedUpon, Terms, keep_delivering
from models.outbox import Due, dead_letters, give_back, mark_failed, mark_sent, revive, take
from models.tables.chats import chats
from models.tables.events import events, outbox
from tests.api import Api, Person
from tests.bridging import Scripted, delivering, open_commands, outside, rows_of_outbox, told_everything
from tests.recount import assert_badges_equal_a_recount
from tests.school import (
    ADMINISTRATOR,
    CLASS_9A,
    CURATOR_9A,
    LEARNER_9A,
    LEARNER_UNLINKED,
    LIBRARIAN,
    OTHER_LEARNER_9A,
    SchoolClock,
    build_school,
)
from tests.steps import TOMORROW, create_call, create_custom_chat, link, publish_call, show
from tests.terminal import run_at

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
QUICK = Terms(look_every=timedelta(milliseconds=50))


@pytest.fixture
async def told(tmp_path: Path, clock: SchoolClock) -> AsyncIterator[Api]:
    """The demo schools with a messenger outside, which knows their chats already."""
    database = build_school(tmp_path / "school.db", clock=clock)
    database.messenger = outside()
    go_over(database)
    with database.transaction() as tx:
        tx.execute(update(outbox).values(sent_at=tx.now))
    async with Api.serving(database) as api:
        yield api
    assert_badges_equal_a_recount(database)


def taken(api: Api, lease: str = "a") -> list[Due]:
    """Whatever may be taken now."""
    everything = [row.id for row in rows_of_outbox(api.database)]
    with api.database.transaction() as tx:
        return take(tx, lease, everything, lasts=MINUTE)


def commands(found: list[Due]) -> list[str]:
    return [due.command.value for due in found]


def sent(api: Api, due: Due, url: str | None = None) -> None:
    with api.database.transaction(due.organization_id) as tx:
        mark_sent(tx, due, url)


def failed(api: Api, due: Due, *, after: timedelta | None, lease: str = "a") -> None:
    with api.database.transaction(due.organization_id) as tx:
        mark_failed(tx, due, lease, "status 500", again_at=None if after is None else tx.now + after)


def all_sent(api: Api) -> list[dict[str, Any]]:
    """Everything that may go now, in the order in which it goes."""
    told, before = [], None
    while (left := open_commands(api.database)) != before:
        before = left
        for due in taken(api):
            told.append(json.loads(due.text))
            sent(api, due)
    return told


async def chat_of(person: Person, name: str, *people: Person) -> str:
    return await create_custom_chat(person, *people, name=name)


# ------------------------------------------------------------------------------------------------ in order


async def test_a_failing_command_holds_up_its_chat_and_no_other(told: Api) -> None:
    office = told.as_(ADMINISTRATOR)
    one, other = await chat_of(office, "Раз"), await chat_of(office, "Два")
    await office.do("renameChat", chatId=one, name="Раз!")
    await office.do("renameChat", chatId=other, name="Два!")
    first = taken(told)
    assert commands(first) == ["CREATE_CHAT", "CREATE_CHAT"], "of each chat one at a time"
    assert taken(told, "b") == [], "what is under way is nobody else's, nor what follows it"
    failed(told, first[0], after=MINUTE)
    sent(told, first[1])
    (second,) = taken(told)
    assert (second.command, f"Chat_{second.chat_id}") == ("RENAME_CHAT", other)
    sent(told, second)
    assert taken(told) == []


async def test_a_command_is_tried_again_when_its_pause_is_over(told: Api, clock: SchoolClock) -> None:
    office = told.as_(ADMINISTRATOR)
    await chat_of(office, "Раз")
    (due,) = taken(told)
    failed(told, due, after=MINUTE)
    clock.forward(seconds=59)
    assert taken(told) == []
    clock.forward(seconds=1)
    (again,) = taken(told)
    assert (again.id, again.text, again.attempts) == (due.id, due.text, 1)
    (row,) = [row for row in rows_of_outbox(told.database) if row.id == due.id]
    assert row.fault == "status 500" and row.failing_since is not None


async def test_E35_A13_people_wait_for_the_night_and_hold_nothing_up(told: Api, clock: SchoolClock) -> None:
    office, learner = told.as_(ADMINISTRATOR), told.as_(LEARNER_9A)
    chat = await chat_of(office, "Раз")
    all_sent(told)
    await office.do("addChatParticipants", chatId=chat, userIds=[learner.id])
    await office.do("setChatAdministrator", chatId=chat, userId=learner.id, isAdministrator=True)
    await office.do("renameChat", chatId=chat, name="Два")
    call = await publish_call(office, chat)
    assert [each["command"] for each in all_sent(told)] == ["RENAME_CHAT", "CREATE_CALL", "PUBLISH_CALL"]
    await office.do("removeChatParticipants", chatId=chat, userIds=[office.id])
    clock.forward(days=1)
    run_nights(told.database)
    night = all_sent(told)
    members = [each for each in night if each["command"] == "SET_MEMBERS"]
    assert [each["chat"]["id"] for each in members] == [chat], "three changes are told once, as it is now"
    assert members[0]["members"] == [{"user": learner.id, "isAdministrator": True}]
    assert {each["command"] for each in night} == {"SET_MEMBERS"}
    assert call


async def test_members_of_a_chat_that_has_ended_are_nobody_s_business(told: Api, clock: SchoolClock) -> None:
    office, learner = told.as_(ADMINISTRATOR), told.as_(LEARNER_9A)
    chat = await chat_of(office, "Раз")
    await office.do("addChatParticipants", chatId=chat, userIds=[learner.id])
    await office.do("deleteChat", chatId=chat)
    clock.forward(days=1)
    run_nights(told.database)
    assert [each["command"] for each in all_sent(told)] == ["CREATE_CHAT", "DELETE_CHAT"]


async def test_released_people_and_a_name_are_not_told_at_the_same_time(told: Api, clock: SchoolClock) -> None:
    """What waited for the night comes before what went already: still only one of a chat is under way."""
    office, learner = told.as_(ADMINISTRATOR), told.as_(LEARNER_9A)
    chat = await chat_of(office, "Раз")
    all_sent(told)
    await office.do("addChatParticipants", chatId=chat, userIds=[learner.id])
    await office.do("renameChat", chatId=chat, name="Два")
    (renaming,) = taken(told)
    with told.database.transaction() as tx:
        tx.execute(update(outbox).values(waits_for_night=False))
    assert taken(told, "b") == []
    sent(told, renaming)
    assert commands(taken(told, "b")) == ["SET_MEMBERS"]


async def test_links_are_in_order_per_person(told: Api) -> None:
    learner, other = told.as_(LEARNER_UNLINKED), told.as_(LEARNER_9A)
    await link(learner, "one")
    await learner.do("unlinkProfile")
    await link(learner, "two")
    await other.do("unlinkProfile")
    first = taken(told)
    assert commands(first) == ["LINK_PROFILE", "UNLINK_PROFILE"]
    assert {json.loads(due.text)["user"] for due in first} == {learner.id, other.id}
    for due in first:
        sent(told, due)
    rest = [(each["command"], each.get("account")) for each in all_sent(told)]
    assert rest == [("UNLINK_PROFILE", None), ("LINK_PROFILE", "two")]


# --------------------------------------------------------------------------------------------------- leases


async def test_what_a_dead_process_had_taken_is_free_when_its_lease_runs_out(
    told: Api, clock: SchoolClock
) -> None:
    await chat_of(told.as_(ADMINISTRATOR), "Раз")
    (lost,) = taken(told, "dead")
    clock.forward(seconds=60)
    assert taken(told, "alive") == []
    clock.forward(seconds=1)
    (due,) = taken(told, "alive")
    assert (due.id, due.text) == (lost.id, lost.text)
    failed(told, lost, after=None, lease="dead")  # he was only slow, and has no say any more
    assert taken(told, "dead") == []
    sent(told, lost)  # but if it was acted upon, it was
    assert taken(told, "alive") == []
    (row,) = [row for row in rows_of_outbox(told.database) if row.id == due.id]
    assert (row.sent_at, row.lease, row.dead_at) == (clock.now, None, None)


async def test_who_stops_gives_back_what_he_has_not_marked(told: Api) -> None:
    office = told.as_(ADMINISTRATOR)
    await chat_of(office, "Раз")
    await chat_of(office, "Два")
    one, two = taken(told)
    sent(told, one)
    with told.database.transaction() as tx:
        give_back(tx, "b")
    assert taken(told, "c") == []
    with told.database.transaction() as tx:
        give_back(tx, "a")
    assert [due.id for due in taken(told, "c")] == [two.id]


# --------------------------------------------------------------------------------------------- dead letters


async def test_after_a_day_a_command_is_given_up_and_the_next_goes_on(told: Api, clock: SchoolClock) -> None:
    office = told.as_(ADMINISTRATOR)
    chat = await chat_of(office, "Раз")
    await office.do("renameChat", chatId=chat, name="Два")
    courier = Scripted(lambda text: NotActedUpon("status 500") if b"CREATE_CHAT" in text else None)
    nine = timedelta(hours=9)
    async with delivering(told.database, courier, Terms(look_every=QUICK.look_every, shortest=nine, longest=nine)):
        for _ in range(24 + 2 * 9):
            clock.forward(hours=1)
            await asyncio.sleep(0.1)
    assert not open_commands(told.database)
    assert len(set(courier.carried)) == 2
    assert 4 <= len(courier.carried) - 1 <= 9
    with told.database.transaction() as tx:
        (dead,) = dead_letters(tx)
        assert (dead.command, dead.fault, dead.organization) == ("CREATE_CHAT", "status 500", "Школа Горизонт")
        assert dead.sent_at is None and dead.attempts == len(courier.carried) - 1
        assert timedelta(days=1) <= dead.dead_at - dead.failing_since <= timedelta(days=1) + nine + 2 * HOUR
        assert revive(tx) == 1
    await office.do("renameChat", chatId=chat, name="Три")
    assert [each["command"] for each in all_sent(told)] == ["CREATE_CHAT", "RENAME_CHAT"], "it comes first"


async def test_what_will_never_be_acted_upon_is_given_up_at_once(told: Api) -> None:
    office = told.as_(ADMINISTRATOR)
    chat = await chat_of(office, "Раз")
    await office.do("renameChat", chatId=chat, name="Два")
    courier = Scripted(lambda text: NotActedUpon("no", never=True) if b"CREATE_CHAT" in text else None)
    async with delivering(told.database, courier, QUICK):
        await told_everything(told.database)
    assert len(courier.carried) == 2
    with told.database.transaction() as tx:
        assert [row.command for row in dead_letters(tx)] == ["CREATE_CHAT"]


async def test_what_cannot_be_told_is_given_up_and_holds_nothing_up(told: Api) -> None:
    office = told.as_(ADMINISTRATOR)
    one, other = await chat_of(office, "Раз"), await chat_of(office, "Два")
    with told.database.transaction() as tx:  # no program of ours writes this
        broken = outbox.c.chat_id == int(one.partition("_")[2])
        tx.execute(update(outbox).where(broken).values(payload='{"members": [{"user": 1}]}'))
    assert [each["chat"]["id"] for each in all_sent(told)] == [other]
    with told.database.transaction() as tx:
        (dead,) = dead_letters(tx)
        assert dead.fault == "not to be told: CREATE_CHAT.members.0.isAdministrator: missing"


async def test_what_was_given_up_is_shown_and_tried_again(
    told: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: SchoolClock
) -> None:
    run = run_at(tmp_path / "school.db", monkeypatch)
    office = told.as_(ADMINISTRATOR)
    assert run("outbox").stdout.splitlines() == ["0 to be told, 0 for the night, 0 given up"]
    chat = await chat_of(office, "Раз", told.as_(LEARNER_9A))
    await office.do("renameChat", chatId=chat, name="Тайна")
    await office.do("removeChatParticipants", chatId=chat, userIds=[told.as_(LEARNER_9A).id])
    (due,) = taken(told)
    failed(told, due, after=None)
    counts, line = run("outbox", "--again").stdout.splitlines()[:2]
    assert counts == "1 to be told, 1 for the night, 1 given up"
    assert line.split("  ") == [
        *(str(due.id), "CREATE_CHAT", chat, "Школа Горизонт"),
        *("2026-09-10 07:00 to 2026-09-10 07:00 UTC", "1 times", "status 500"),
    ], "without a name of anybody"
    assert run("outbox").stdout.splitlines() == ["2 to be told, 1 for the night, 0 given up"]
    assert [each["command"] for each in all_sent(told)] == ["CREATE_CHAT", "RENAME_CHAT"]


# ----------------------------------------------------------------------------------------------- the loop


def test_pauses_grow_up_to_a_bound_and_differ() -> None:
    terms = Terms()
    for attempts, longest in ((1, 1), (2, 2), (5, 16), (30, 600), (10_000, 600)):
        found = [terms.pause(attempts).total_seconds() for _ in range(50)]
        assert all(longest / 2 <= pause <= longest for pause in found)
        assert len(set(found)) > 10


async def test_commits_wake_the_delivery_and_nothing_is_told_within_a_transaction(told: Api) -> None:
    """With an hour between the looks, only the commit can have told it."""
    courier = Scripted()
    slow = Terms(look_every=timedelta(hours=1))
    async with delivering(told.database, courier, slow):
        await asyncio.sleep(0.05)
        await chat_of(told.as_(ADMINISTRATOR), "Раз")
        await told_everything(told.database)
    assert len(courier.carried) == 1


async def test_a_messenger_that_hangs_holds_up_nobody_here(told: Api) -> None:
    never, under_way = asyncio.Event(), []

    class Hanging:
        async def carry(self, number: int, text: bytes) -> str | None:  # noqa: ARG002
            under_way.append(number)
            await never.wait()
            return None

    office = told.as_(ADMINISTRATOR)
    async with delivering(told.database, Hanging(), QUICK):
        for number in range(12):
            chat = await chat_of(office, f"Чат {number}")
            await office.do("renameChat", chatId=chat, name=f"Чат {number}!")
        async with asyncio.timeout(5):
            while len(under_way) < QUICK.at_once:  # noqa: ASYNC110 - another task does it
                await asyncio.sleep(0.02)
    assert not any(row.lease for row in rows_of_outbox(told.database)), "given back at the end"
    assert len(all_sent(told)) == 24


async def test_a_courier_that_breaks_is_a_failure_like_any_other(
    told: Api, caplog: pytest.LogCaptureFixture
) -> None:
    broken = iter([RuntimeError("a secret"), None])

    class Breaking(Scripted):
        async def carry(self, number: int, text: bytes) -> str | None:
            if (error := next(broken)) is not None:
                raise error
            return await super().carry(number, text)

    courier = Breaking()
    terms = Terms(look_every=timedelta(milliseconds=20), shortest=timedelta(), longest=timedelta())
    await chat_of(told.as_(ADMINISTRATOR), "Раз")
    async with delivering(told.database, courier, terms):
        await told_everything(told.database)
    (row,) = [row for row in rows_of_outbox(told.database) if row.id in courier.carried]
    assert (row.attempts, row.fault) == (2, "RuntimeError")
    assert "could not be carried" in caplog.text


async def test_two_processes_never_tell_the_same_at_the_same_time(told: Api) -> None:
    """Two deliveries on one database, as of two servers: each command once, each chat in order."""
    office = told.as_(ADMINISTRATOR)
    for number in range(10):
        chat = await chat_of(office, f"Чат {number}")
        await office.do("renameChat", chatId=chat, name=f"Чат {number}!")
    under_way: set[str] = set()
    order: list[tuple[str, int]] = []

    class Watching:
        async def carry(self, number: int, text: bytes) -> str | None:
            line = json.loads(text)["chat"]["id"]
            assert line not in under_way, "two at once"
            under_way.add(line)
            await asyncio.sleep(0.005)
            order.append((line, number))
            under_way.remove(line)
            return None

    deliveries = [asyncio.create_task(keep_delivering(told.database, Watching(), terms=QUICK)) for _ in range(2)]
    await told_everything(told.database)
    for task in deliveries:
        task.cancel()
    await asyncio.gather(*deliveries, return_exceptions=True)
    assert len(order) == len({number for _, number in order}) == 20
    for line in {line for line, _ in order}:
        numbers = [number for each, number in order if each == line]
        assert numbers == sorted(numbers)


# ------------------------------------------------------------------------------------------------ addresses


async def test_E21_E33_the_messenger_gives_the_address_of_a_chat(told: Api) -> None:
    office, learner = told.as_(ADMINISTRATOR), told.as_(LEARNER_9A)
    chat = await chat_of(office, "Раз", learner, told.as_(LEARNER_UNLINKED))
    assert await show(learner, chat, "url") == {"url": None}
    async with learner.listening("subscription { chatChanged { chatId chat { url } } }") as changes:
        await asyncio.sleep(0.1)
        (due,) = taken(told)
        sent(told, due, "https://messenger.example/1")
        assert await changes.next() == {"chatId": chat, "chat": {"url": "https://messenger.example/1"}}
        sent(told, due, "https://messenger.example/2")  # it was told twice
        await changes.nothing()
    assert await show(learner, chat, "url") == {"url": "https://messenger.example/1"}
    assert await show(told.as_(LEARNER_UNLINKED), chat, "url") == {"url": None}


async def test_E22_E57_the_messenger_gives_the_address_of_a_call(told: Api) -> None:
    curator, learner = told.as_(CURATOR_9A), told.as_(LEARNER_9A)
    call = await publish_call(curator, told.chat("GROUP", CLASS_9A))
    assert await show(learner, call, "status joinUrl") == {"status": "PUBLISHED", "joinUrl": None}
    creating = taken(told)
    assert commands(creating) == ["CREATE_CALL"]
    before = set(told.rows(events))
    sent(told, creating[0], "https://messenger.example/call")
    assert [row.kind for row in set(told.rows(events)) - before] == ["CALL_CHANGED"]
    assert (await show(learner, call, "joinUrl"))["joinUrl"] == "https://messenger.example/call"
    assert (await show(told.as_(LEARNER_UNLINKED), call, "joinUrl"))["joinUrl"] is None
    assert commands(taken(told)) == ["PUBLISH_CALL"]


async def test_what_has_gone_meanwhile_gets_no_address(told: Api) -> None:
    office = told.as_(ADMINISTRATOR)
    chat = await chat_of(office, "Раз")
    (due,) = taken(told)
    await office.do("deleteChat", chatId=chat)
    before = len(told.rows(events))
    sent(told, due, "https://messenger.example/1")
    assert len(told.rows(events)) == before


async def test_calls_are_held_where_the_template_says_at_once(told: Api) -> None:
    told.database.messenger = outside(call_url="https://meet.example.org/{room}?lang=ru")
    curator, learner = told.as_(CURATOR_9A), told.as_(LEARNER_9A)
    chat = told.chat("GROUP", CLASS_9A)
    call = await create_call(curator, chat)
    shown = await curator.do("publishCall", "call { joinUrl }", callId=call)
    address = shown["call"]["joinUrl"]
    room = address.removeprefix("https://meet.example.org/").removesuffix("?lang=ru")
    assert len(room) == 32 and set(room) <= set("0123456789abcdef")
    assert await show(learner, call, "joinUrl") == {"joinUrl": address}
    (due,) = taken(told)
    sent(told, due, "https://messenger.example/call")
    assert await show(learner, call, "joinUrl") == {"joinUrl": address}, "the school's own choice stays"
    await curator.do("finishCall", callId=call)
    other = await publish_call(curator, chat, starts_at=TOMORROW)
    assert (await show(curator, other, "joinUrl"))["joinUrl"] != address


# ----------------------------------------------------------------------------------- which messenger there is


async def test_with_the_builtin_messenger_nothing_is_queued(api: Api) -> None:
    office, learner = api.as_(ADMINISTRATOR), api.as_(LEARNER_9A)
    chat = await chat_of(office, "Раз", learner)
    await publish_call(office, chat)
    await office.do("removeChatParticipants", chatId=chat, userIds=[learner.id])
    await link(api.as_(LEARNER_UNLINKED))
    await office.do("deleteChat", chatId=chat)
    assert rows_of_outbox(api.database) == []


async def test_a_messenger_that_is_new_is_told_of_all_there_is(api: Api) -> None:
    office, learner = api.as_(ADMINISTRATOR), api.as_(LEARNER_9A)
    chat = await chat_of(office, "Раз", learner, api.as_(OTHER_LEARNER_9A))
    await publish_call(office, chat, "Скоро")
    gone = await chat_of(office, "Прошлое", api.as_(LIBRARIAN))
    await office.do("deleteChat", chatId=gone)
    assert (await show(learner, chat, "url"))["url"].startswith("https://school.example/messenger/chats/")
    api.database.messenger = outside()
    go_over(api.database)
    with api.unchanged():
        go_over(api.database)
    assert await show(learner, chat, "url conversation { id }") == {"url": None, "conversation": None}
    told = all_sent(api)
    with api.database.engine.connect() as connection:
        live = connection.execute(select(chats.c.id).where(chats.c.ended_at.is_(None))).scalars().all()
    created = [each["chat"]["id"] for each in told if each["command"] == "CREATE_CHAT"]
    assert sorted(created) == sorted(f"Chat_{number}" for number in live)
    here = [each for each in told if each.get("chat", {}).get("id") == chat]
    assert [each["command"] for each in here] == ["CREATE_CHAT", "CREATE_CALL", "PUBLISH_CALL"]
    assert len(here[0]["members"]) == 3
    assert {each["call"]["title"] for each in here[1:]} == {"Скоро"}


async def test_a_command_says_its_school_and_its_moment(told: Api, clock: SchoolClock) -> None:
    await chat_of(told.as_(ADMINISTRATOR), "Раз")
    clock.forward(hours=3)
    (each,) = all_sent(told)
    assert each["at"] == "2026-09-10T07:00:00.000Z", "when it happened, not when it was sent"
    assert each["organization"]["sourcedId"] == "demo-gorizont"
    assert set(each) == {"id", "at", "organization", "command", "chat", "members"}
