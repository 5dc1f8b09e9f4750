"""Direct and group conversations, as people of the demo school hold them."""

import pytest

from tests.api import Api
from tests.school import CURATOR_9A, GUARDIAN_9A, LEARNER_9A, OTHER_LEARNER_9A, SECRETARY, TEACHER_OF_TWO

LIST = """{ viewer { badges { unreadMessages unreadConversations } conversations { nodes {
    id kind title unreadCount isMuted viewerActions viewerCannotReplyReason
    lastMessage { body author { login } isRead }
    messages { nodes { body author { login } } } participants { nodes { user { login } isAdministrator leftAt } }
} } } }"""


async def conversations(person: object) -> list[dict]:  # type: ignore[type-arg]
    return (await person.ask(LIST))["viewer"]["conversations"]["nodes"]  # type: ignore[attr-defined,no-any-return]


async def test_P13_P14_P16_one_direct_conversation_per_pair_newest_last(api: Api) -> None:
    curator, learner = api.as_(CURATOR_9A), api.as_(LEARNER_9A)
    opened = await curator.do("openConversation", "conversation { id kind title }", userId=learner.id)
    there = opened["conversation"]["id"]
    assert (await conversations(learner)) == []
    with api.unchanged():
        again = await curator.do("openConversation", "conversation { id }", userId=learner.id)
    assert again["conversation"]["id"] == there

    async with learner.listening(
        "subscription { badgesChanged { unreadMessages unreadConversations } }"
    ) as badges:
        assert await badges.next() == {"unreadMessages": 0, "unreadConversations": 0}
        await curator.do("sendMessage", "sent { id body sentAt isRead }", conversationId=there, body="Добрый день")
        assert await badges.next() == {"unreadMessages": 1, "unreadConversations": 1}
    back = await learner.do("openConversation", "conversation { id title }", userId=curator.id)
    assert back["conversation"]["id"] == there
    await learner.do("sendMessage", "sent { id }", conversationId=there, body="Здравствуйте!")
    (seen,) = await conversations(learner)
    assert [message["body"] for message in seen["messages"]["nodes"]] == ["Добрый день", "Здравствуйте!"]
    assert seen["unreadCount"] == 1
    read = await learner.do("markConversationRead", "badges { unreadMessages }", conversationId=there)
    assert read["badges"] == {"unreadMessages": 0}


async def test_E6_E7_E8_E9_E12_a_group_conversation_and_who_was_removed(api: Api) -> None:
    teacher = api.as_(TEACHER_OF_TWO)
    learner, other = api.as_(LEARNER_9A), api.as_(OTHER_LEARNER_9A)
    made = await teacher.do(
        "createGroupConversation",
        "conversation { id title participants { totalCount } viewerActions }",
        title="Олимпиада",
        participantIds=[learner.id, other.id],
    )
    there = made["conversation"]["id"]
    assert made["conversation"]["participants"]["totalCount"] == 3
    await teacher.do("sendMessage", conversationId=there, body="first")
    cursor = (await learner.ask("{ viewer { eventCursor } }"))["viewer"]["eventCursor"]
    async with learner.listening(
        "subscription($c: ID, $a: String) { messageReceived(conversationId: $c, after: $a) { message { body } } }",
        c=there,
        a=cursor,
    ) as received:
        await teacher.do("sendMessage", conversationId=there, body="second")
        assert (await received.next())["message"] == {"body": "second"}
        await teacher.do("removeParticipants", conversationId=there, userIds=[learner.id])
        await received.ended()
    await teacher.do("sendMessage", conversationId=there, body="third")
    (kept,) = await conversations(learner)
    assert [message["body"] for message in kept["messages"]["nodes"]] == ["first", "second"]
    assert kept["viewerCannotReplyReason"] == "NOT_PARTICIPANT"
    await learner.refused("NOT_PARTICIPANT", "sendMessage", conversationId=there, body="late")
    (whole,) = await conversations(other)
    assert [message["body"] for message in whole["messages"]["nodes"]] == ["first", "second", "third"]


@pytest.mark.parametrize("body", ["", "   ", "a" * 20_001, "a\x07"])
async def test_bodies_that_are_refused(api: Api, body: str) -> None:
    secretary = api.as_(SECRETARY)
    opened = await secretary.do("openConversation", "conversation { id }", userId=api.as_(CURATOR_9A).id)
    refusal = await secretary.refused(
        "INVALID_INPUT", "sendMessage", conversationId=opened["conversation"]["id"], body=body
    )
    assert refusal["field"] == "body"


async def test_A22_E2_nobody_out_of_reach(api: Api) -> None:
    learner = api.as_(LEARNER_9A)
    await learner.refused("OUT_OF_REACH", "openConversation", userId=api.as_(GUARDIAN_9A).id)
    await learner.refused("OUT_OF_REACH", "openConversation", userId="User_999999")
    await learner.refused("OUT_OF_REACH", "openConversation", userId="nonsense")


async def test_E11_A16_A20_the_settings_of_a_group_are_its_administrators(api: Api) -> None:
    teacher, learner = api.as_(TEACHER_OF_TWO), api.as_(LEARNER_9A)
    made = await teacher.do(
        "createGroupConversation", "conversation { id }", title="Кружок", participantIds=[learner.id]
    )
    there = made["conversation"]["id"]
    await learner.refused("NOT_ADMINISTRATOR", "renameConversation", conversationId=there, title="Наш кружок")
    renamed = await teacher.do(
        "renameConversation", "conversation { title }", conversationId=there, title="Кружок математики"
    )
    assert renamed["conversation"] == {"title": "Кружок математики"}
    with api.unchanged():
        await teacher.do("renameConversation", conversationId=there, title="Кружок математики")
    stepping_down = {"conversationId": there, "userId": teacher.id, "isAdministrator": False}
    await teacher.refused("LAST_ADMINISTRATOR", "setParticipantAdministrator", **stepping_down)
    await teacher.do("leaveConversation", conversationId=there)
    with api.unchanged():
        await teacher.do("leaveConversation", conversationId=there)
    await learner.do("renameConversation", conversationId=there, title="Наш кружок")


async def test_a_muted_conversation_does_not_raise_the_badge(api: Api) -> None:
    curator, learner = api.as_(CURATOR_9A), api.as_(LEARNER_9A)
    there = (await curator.do("openConversation", "conversation { id }", userId=learner.id))["conversation"]["id"]
    await curator.do("sendMessage", conversationId=there, body="one")
    muted = await learner.do(
        "muteConversation", "badges { unreadMessages unreadConversations }", conversationId=there, muted=True
    )
    assert muted["badges"] == {"unreadMessages": 0, "unreadConversations": 0}
    await curator.do("sendMessage", conversationId=there, body="two")
    heard = await learner.do("muteConversation", "badges { unreadMessages }", conversationId=there, muted=False)
    assert heard["badges"] == {"unreadMessages": 2}


async def test_a_message_is_sent_once_however_often_it_is_repeated(api: Api) -> None:
    curator, learner = api.as_(CURATOR_9A), api.as_(LEARNER_9A)
    there = (await curator.do("openConversation", "conversation { id }", userId=learner.id))["conversation"]["id"]
    sending = {"conversationId": there, "body": "once", "idempotencyKey": "k1"}
    first = await curator.do("sendMessage", "sent { id body }", **sending)
    with api.unchanged():
        assert await curator.do("sendMessage", "sent { id body }", **sending) == first
    await curator.refused("IDEMPOTENCY_CONFLICT", "sendMessage", **{**sending, "body": "twice"})
