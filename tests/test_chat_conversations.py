"""What is written in a chat of a school without a messenger outside? Each chat's own conversation."""

from typing import Any

import pytest
from sqlalchemy import update

from app.messenger import BuiltinMessenger
from jobs.change_of_messenger import go_over
from models.tables.chats import chats, participations
from models.tables.conversations import conversations, deliveries, messages
from tests.api import Api, Person
from tests.listening import cursor, following, heard
from tests.school import (
    ADMINISTRATOR,
    CLASS_9A,
    CURATOR_9A,
    GUARDIAN_9A,
    GUARDIAN_OF_TWO,
    LEARNER_9A,
    LEARNER_UNLINKED,
    LIBRARIAN,
    NEXT_DOOR,
    NEXT_DOOR_CURATOR,
    OTHER_LEARNER_9A,
    SECRET,
    SECRETARY,
    Heard,
    SchoolClock,
)
from tests.steps import (
    create_custom_chat,
    create_subgroup_chat,
    import_school,
    next_night,
    regrouped,
    sees,
    show,
    turn,
    without_group,
)

LIST = """query($filter: ConversationFilter) { viewer { badges { unreadMessages unreadConversations }
  conversations(filter: $filter) { nodes { id title unreadCount lastMessage { body } } } } }"""
BADGES = "subscription { badgesChanged { unreadMessages unreadConversations newCalls } }"
RECEIVED = """subscription($in: ID, $after: String) { messageReceived(conversationId: $in, after: $after) {
  cursor message { body author { login } conversation { id kind chat { name } } } } }"""
CHANGES = """subscription($after: String) { conversationChanged(after: $after) {
  cursor conversationId conversation { title } } }"""
HISTORY = "messages { nodes { body author { login } isRead } }"


class Outside(Heard):
    """The messages of chats live with a messenger outside."""

    holds_chats = False


async def conversation_of(person: Person, chat: str) -> str:
    """The id of the chat's conversation, as the person sees it."""
    shown = await show(person, chat, "conversation { id kind title chat { id } }")
    there = shown["conversation"]
    assert (there["kind"], there["chat"]["id"]) == ("CHAT", chat)
    return str(there["id"])


async def say(person: Person, there: str, body: str, **more: Any) -> str:
    """The id of a new message."""
    sent = await person.do("sendMessage", "sent { id isRead }", conversationId=there, body=body, **more)
    assert sent["sent"]["isRead"] is True  # one's own is born read
    return str(sent["sent"]["id"])


async def listed(person: Person, **chosen: Any) -> list[str]:
    shown = await person.ask(LIST, filter=chosen or None)
    return [each["title"] for each in shown["viewer"]["conversations"]["nodes"]]


async def bodies(person: Person, there: str) -> list[str]:
    shown = await show(person, there, HISTORY)
    return [each["body"] for each in shown["messages"]["nodes"]]


async def unread(person: Person) -> int:
    return int((await person.ask(LIST))["viewer"]["badges"]["unreadMessages"])


# --------------------------------------------------------------------------------- as a new user would


async def test_a_class_chat_is_opened_written_in_heard_and_read(api: Api) -> None:
    curator, parent = api.as_(CURATOR_9A), api.as_(GUARDIAN_9A)
    chats = (
        "{ viewer { eventCursor chats(filter: { kinds: [PARENTS] }) { nodes { id name conversation { id } } } } }"
    )
    page = (await curator.ask(chats))["viewer"]["chats"]["nodes"]
    assert [each["name"] for each in page] == ["Родители, 9А"]
    there = page[0]["conversation"]["id"]

    seen = (await parent.ask(chats))["viewer"]
    assert seen["chats"]["nodes"] == page
    assert await listed(parent) == [], "what nobody has written in is in nobody's list"
    async with (
        parent.listening(BADGES) as badges,
        parent.listening(RECEIVED, **{"in": there, "after": seen["eventCursor"]}) as received,
    ):
        assert await badges.next() == {"unreadMessages": 0, "unreadConversations": 0, "newCalls": 0}
        await say(curator, there, "Собрание в среду, в 18:30")
        message = (await received.next())["message"]
        assert message == {
            "body": "Собрание в среду, в 18:30",
            "author": {"login": CURATOR_9A},
            "conversation": {"id": there, "kind": "CHAT", "chat": {"name": "Родители, 9А"}},
        }
        assert await badges.next() == {"unreadMessages": 1, "unreadConversations": 1, "newCalls": 0}
        assert await listed(parent, unreadOnly=True) == ["Родители, 9А"]
        shown = await show(parent, there, f"unreadCount {HISTORY}")
        assert shown["unreadCount"] == 1
        read = await parent.do(
            "markConversationRead", "badges { unreadMessages } conversation { unreadCount }", conversationId=there
        )
        assert read == {
            "__typename": "MarkConversationReadPayload",
            "badges": {"unreadMessages": 0},
            "conversation": {"unreadCount": 0},
        }
        assert await badges.next() == {"unreadMessages": 0, "unreadConversations": 0, "newCalls": 0}
        await say(parent, there, "Приду")
    assert await bodies(curator, there) == ["Собрание в среду, в 18:30", "Приду"]
    assert await unread(curator) == 1


async def test_every_chat_has_one_and_only_who_takes_part_sees_it(api: Api) -> None:
    learner, parent, office = api.as_(LEARNER_9A), api.as_(GUARDIAN_9A), api.as_(ADMINISTRATOR)
    group = api.chat("GROUP", CLASS_9A)
    there = await conversation_of(learner, group)
    await say(learner, there, "Что задано?")
    assert await show(office, group, "name conversation { id }") == {"name": "9А", "conversation": None}  # E44
    for stranger in (office, parent, api.as_(NEXT_DOOR_CURATOR, NEXT_DOOR)):
        assert not await sees(stranger, there)
        await stranger.refused("NOT_FOUND", "sendMessage", conversationId=there, body="?")
        await stranger.refused("NOT_FOUND", "muteConversation", conversationId=there, muted=True)
    made = await create_custom_chat(office, learner, name="Клуб")
    assert await listed(learner, kinds=["CHAT"]) == ["9А"]
    assert (await show(learner, made, "conversation { title viewerActions viewerCannotReplyReason }")) == {
        "conversation": {"title": "Клуб", "viewerActions": ["REPLY", "MUTE"], "viewerCannotReplyReason": None}
    }
    await say(office, await conversation_of(office, made), "Привет")
    assert await listed(learner) == ["Клуб", "9А"]
    assert await listed(learner, search="КЛУ") == ["Клуб"]
    assert await listed(learner, search="клу", kinds=["GROUP"]) == []


# ------------------------------------------------------------------------------------------ who may write


async def test_E41_who_has_to_link_reads_and_does_not_write(api: Api) -> None:
    learner, unlinked = api.as_(LEARNER_9A), api.as_(LEARNER_UNLINKED)
    there = await conversation_of(learner, api.chat("GROUP", CLASS_9A))
    await say(learner, there, "Кто идёт?")
    assert await unread(unlinked) == 1
    shown = await show(unlinked, there, f"{HISTORY} viewerActions viewerCannotReplyReason")
    assert [each["body"] for each in shown["messages"]["nodes"]] == ["Кто идёт?"]
    assert shown["viewerCannotReplyReason"] == "PROFILE_NOT_LINKED"
    assert shown["viewerActions"] == ["MUTE"]
    await unlinked.refused("PROFILE_NOT_LINKED", "sendMessage", conversationId=there, body="Я")
    turn(api.database, linkRequirement="JOIN")  # addresses alone are closed
    await say(unlinked, there, "Я")
    await unlinked.do("markConversationRead", conversationId=there)
    assert await unread(unlinked) == 0


@pytest.mark.parametrize(
    ("knobs", "code"),
    [
        ({"messagingEnabled": False, "lockdown": True}, "MESSAGING_DISABLED"),
        ({"lockdown": True}, "LOCKDOWN"),
    ],
)
async def test_the_switches_of_the_school_hold_in_chats(api: Api, knobs: dict[str, Any], code: str) -> None:
    learner, unlinked = api.as_(LEARNER_9A), api.as_(LEARNER_UNLINKED)
    there = await conversation_of(learner, api.chat("GROUP", CLASS_9A))
    turn(api.database, **knobs)
    for person in (learner, unlinked):  # the switch is asked before the link
        await person.refused(code, "sendMessage", conversationId=there, body="?")
        shown = await show(person, there, "viewerActions viewerCannotReplyReason")
        assert shown == {"viewerActions": ["MUTE"], "viewerCannotReplyReason": code}


async def test_a_chat_s_settings_are_the_chat_s(api: Api) -> None:
    office, learner = api.as_(ADMINISTRATOR), api.as_(LEARNER_9A)
    there = await conversation_of(office, await create_custom_chat(office, learner))
    await office.refused("NOT_ALLOWED", "renameConversation", conversationId=there, title="Другое")
    await office.refused("NOT_ALLOWED", "addParticipants", conversationId=there, userIds=[api.as_(LIBRARIAN).id])
    await office.refused("NOT_ALLOWED", "removeParticipants", conversationId=there, userIds=[learner.id])
    await office.refused("NOT_ALLOWED", "leaveConversation", conversationId=there)
    await office.refused("IMMUTABLE", "deleteConversation", conversationId=there)
    given = {"conversationId": there, "userId": learner.id, "isAdministrator": True}
    await office.refused("NOT_ALLOWED", "setParticipantAdministrator", **given)


async def test_messages_of_chats_are_sent_once_answered_and_muted(api: Api) -> None:
    office, learner = api.as_(ADMINISTRATOR), api.as_(LEARNER_9A)
    there = await conversation_of(office, await create_custom_chat(office, learner))
    first = await say(office, there, "Раз", idempotencyKey="k")
    with api.unchanged():
        assert await say(office, there, "Раз", idempotencyKey="k") == first
    answer = await say(learner, there, "Два", inReplyToId=first)
    assert await show(office, answer, "inReplyTo { body } viewerActions") == {
        "inReplyTo": {"body": "Раз"},
        "viewerActions": ["REPLY"],
    }
    muted = await learner.do(
        "muteConversation", "badges { unreadMessages } conversation { isMuted }", conversationId=there, muted=True
    )
    assert muted["conversation"] == {"isMuted": True} and muted["badges"] == {"unreadMessages": 0}
    await say(office, there, "Три")
    assert await unread(learner) == 0
    back = await learner.do("muteConversation", "badges { unreadMessages }", conversationId=there, muted=False)
    assert back["badges"] == {"unreadMessages": 2}


# ------------------------------------------------------------------------------ people come, go, return


async def test_E12_A15_who_leaves_keeps_what_was_written_and_finds_it_again(api: Api) -> None:
    office, learner, other = api.as_(ADMINISTRATOR), api.as_(LEARNER_9A), api.as_(OTHER_LEARNER_9A)
    chat = await create_custom_chat(office, learner, name="Клуб")
    there = await conversation_of(office, chat)
    await say(office, there, "до")
    async with learner.listening(RECEIVED, **{"in": there, "after": await cursor(learner)}) as received:
        await office.do("removeChatParticipants", chatId=chat, userIds=[learner.id])
        await received.ended()
    await office.do("addChatParticipants", chatId=chat, userIds=[other.id])
    await say(office, there, "без тебя")
    assert await bodies(learner, there) == ["до"]
    assert await bodies(other, there) == ["без тебя"], "who comes later sees nothing from before"
    assert await show(learner, there, "viewerActions viewerCannotReplyReason chat { id }") == {
        "viewerActions": [],
        "viewerCannotReplyReason": "NOT_PARTICIPANT",
        "chat": None,
    }
    await learner.refused("NOT_PARTICIPANT", "sendMessage", conversationId=there, body="?")
    await office.do("addChatParticipants", chatId=chat, userIds=[learner.id])
    assert await listed(learner) == ["Клуб"], "it stands where it stood"
    await say(office, there, "снова вместе")
    assert await bodies(learner, there) == ["до", "снова вместе"]
    assert await listed(learner) == ["Клуб"]


async def test_without_the_knob_who_leaves_keeps_nothing(api: Api) -> None:
    office, learner = api.as_(ADMINISTRATOR), api.as_(LEARNER_9A)
    turn(api.database, historyAfterLeaving=False)
    chat = await create_custom_chat(office, learner, name="Клуб")
    there = await conversation_of(office, chat)
    message = await say(office, there, "до")
    async with learner.listening(BADGES) as badges:
        assert (await badges.next())["unreadMessages"] == 1
        await office.do("removeChatParticipants", chatId=chat, userIds=[learner.id])
        assert (await badges.next())["unreadMessages"] == 0
    assert not await sees(learner, there)
    assert not await sees(learner, message)
    await office.do("addChatParticipants", chatId=chat, userIds=[learner.id])
    await say(office, there, "после")
    assert await bodies(learner, there) == ["после"]


async def test_E34_the_night_brings_people_into_a_class_and_out_of_it(api: Api, clock: SchoolClock) -> None:
    curator, learner = api.as_(CURATOR_9A), api.as_(LEARNER_9A)
    there = await conversation_of(curator, api.chat("GROUP", CLASS_9A))
    await say(curator, there, "вчера")
    moved = regrouped("9a", learners=("learner.9a.2", "learner.9a.3", "learner.9b.1"))
    import_school(api.database, moved)
    next_night(api.database, clock)
    await say(curator, there, "сегодня")
    assert await bodies(learner, there) == ["вчера"]
    assert await bodies(api.as_("learner.9b.1"), there) == ["сегодня"]
    assert await bodies(api.as_(OTHER_LEARNER_9A), there) == ["вчера", "сегодня"]


# --------------------------------------------------------------------------------------- what listeners hear


async def test_what_changes_a_chat_changes_its_conversation(api: Api) -> None:
    office, learner, other = api.as_(ADMINISTRATOR), api.as_(LEARNER_9A), api.as_(OTHER_LEARNER_9A)
    chat = await create_custom_chat(office, learner, name="Клуб")
    there = await conversation_of(office, chat)
    await say(office, there, "!")
    async with following(learner, CHANGES) as changes, following(other, CHANGES) as others:
        await office.do("renameChat", chatId=chat, name="Клуб 2")
        await office.do("addChatParticipants", chatId=chat, userIds=[other.id])
        await office.do("deleteChat", chatId=chat)
        gone = {"conversationId": there, "conversation": None}
        told = await heard(changes, 3)
        assert {each["conversationId"] for each in told} == {there}
        assert told[-1] == gone
        assert (await heard(others, 2))[-1] == gone


# ------------------------------------------------------------------------------------------- a chat ends


async def test_A19_a_deleted_chat_takes_its_conversation_from_everybody(api: Api) -> None:
    office, learner, former = api.as_(ADMINISTRATOR), api.as_(LEARNER_9A), api.as_(SECRETARY)
    chat = await create_custom_chat(office, learner, former, name="Клуб")
    there = await conversation_of(office, chat)
    message = await say(office, there, "раз")
    await office.do("removeChatParticipants", chatId=chat, userIds=[former.id])
    assert (await unread(learner), await unread(former)) == (1, 1)
    async with learner.listening(BADGES) as badges, former.listening(BADGES) as others:
        for each in (badges, others):
            assert (await each.next())["unreadMessages"] == 1
        await office.do("deleteChat", chatId=chat)
        for each in (badges, others):
            assert (await each.next())["unreadMessages"] == 0
    for person in (office, learner, former):
        assert not await sees(person, there)
        assert not await sees(person, message)
        assert await listed(person) == []
        await person.refused("NOT_FOUND", "sendMessage", conversationId=there, body="?")
    assert [row.body for row in api.rows(messages)] == ["раз"], "it stays stored"
    assert all(row.deleted_at is not None for row in api.rows(deliveries))
    assert not any(row.latest_event for row in api.rows(participations))


async def test_A9_a_class_that_ends_takes_its_conversations_with_it(api: Api, clock: SchoolClock) -> None:
    curator, parent = api.as_(CURATOR_9A), api.as_(GUARDIAN_OF_TWO)
    for kind, person in (("GROUP", curator), ("PARENTS", parent)):
        await say(person, await conversation_of(person, api.chat(kind, CLASS_9A)), "!")
    assert await listed(curator) == ["Родители, 9А", "9А"]
    import_school(api.database, without_group("9a"))
    assert await listed(curator) == ["Родители, 9А", "9А"], "until the night"
    next_night(api.database, clock)
    assert await listed(curator) == await listed(parent) == []


# ------------------------------------------------------------------------------- a messenger outside


async def test_with_a_messenger_outside_chats_have_no_conversation(api: Api) -> None:
    office, learner = api.as_(ADMINISTRATOR), api.as_(LEARNER_9A)
    api.database.messenger = Outside(SECRET)
    chat = await create_custom_chat(office, learner)
    assert await show(learner, chat, "conversation { id }") == {"conversation": None}
    there = chat.replace("Chat", "Conversation")
    await office.refused("NOT_FOUND", "sendMessage", conversationId=there, body="?")


async def test_who_changes_the_messenger_keeps_what_was_written(api: Api) -> None:
    curator, learner = api.as_(CURATOR_9A), api.as_(LEARNER_9A)
    chat = api.chat("GROUP", CLASS_9A)
    there = await conversation_of(curator, chat)
    await say(curator, there, "раньше")

    api.database.messenger = Outside(SECRET)
    go_over(api.database)
    made = await create_custom_chat(api.as_(ADMINISTRATOR), learner)
    for each in (chat, made):
        assert await show(learner, each, "conversation { id }") == {"conversation": None}
    assert await bodies(learner, there) == ["раньше"]
    await learner.refused("NOT_PARTICIPANT", "sendMessage", conversationId=there, body="?")
    with api.database.transaction() as tx:
        tx.execute(update(chats).values(url="https://messenger.example/1"))
    api.database.messenger = BuiltinMessenger(SECRET)
    go_over(api.database)
    with api.unchanged():
        go_over(api.database)
    for each in (chat, made):
        await say(learner, await conversation_of(learner, each), "снова")
        assert (await show(learner, each, "url"))["url"].startswith("https://school.example/messenger/chats/")
    assert await bodies(learner, there) == ["раньше", "снова"]


async def test_a_chat_that_ends_outside_takes_what_was_written_here(api: Api) -> None:
    office, learner = api.as_(ADMINISTRATOR), api.as_(LEARNER_9A)
    chat = await create_custom_chat(office, learner)
    there = await conversation_of(office, chat)
    await say(office, there, "раньше")
    api.database.messenger = Outside(SECRET)
    go_over(api.database)
    await office.do("deleteChat", chatId=chat)
    assert not await sees(learner, there)
    assert await unread(learner) == 0


async def test_a_chat_and_its_conversation_are_one_room(api: Api) -> None:
    """There is no second list of people that could differ."""
    chat = await create_subgroup_chat(api.as_("teacher.english"))
    (kept,) = [row for row in api.rows(conversations) if f"Chat_{row.id}" == chat]
    assert (kept.kind, kept.title, kept.ended_at) == ("CHAT", None, None)
    assert {row.id for row in api.rows(conversations)} == {row.id for row in api.rows(chats)}
