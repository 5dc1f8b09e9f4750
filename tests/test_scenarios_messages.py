"""The acceptance scenarios of private messages (CAMPUS), and of dialogs with administrators and experts."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import select, update

from models.organization import organization, set_policy
from models.tables.people import Position, memberships, users
from tests.api import Api, Person
from tests.reach_school import ReachSchool
from tests.recount import assert_badges_equal_a_recount
from tests.school import SchoolClock
from tests.small_school import database_at

HILL = "Hill School"
Opened = Callable[[str], AbstractAsyncContextManager[tuple[Api, ReachSchool]]]


@pytest.fixture
def hill(tmp_path: Path, clock: SchoolClock) -> Opened:
    """Hill School under a preset, served."""

    @asynccontextmanager
    async def opened(preset: str) -> AsyncIterator[tuple[Api, ReachSchool]]:
        database = database_at(tmp_path, clock)
        school = ReachSchool(database, tmp_path, preset)
        async with Api.serving(database) as api:
            yield api, school
        assert_badges_equal_a_recount(database)

    return opened


async def opens(person: Person, other: Person) -> str:
    made = await person.do("openConversation", "conversation { id }", userId=other.id)
    conversation_id: str = made["conversation"]["id"]
    return conversation_id


async def sends(person: Person, there: str, body: str) -> str:
    made = await person.do("sendMessage", "sent { id }", conversationId=there, body=body)
    message_id: str = made["sent"]["id"]
    return message_id


async def reads(person: Person, there: str) -> dict[str, object]:
    document = """query($id: ID!) { node(id: $id) { ... on Conversation {
        viewerActions viewerCannotReplyReason messages { nodes { body viewerActions } } } } }"""
    found: dict[str, object] = (await person.ask(document, id=there))["node"]
    return found


def bodies(conversation: dict[str, object]) -> list[str]:
    return [message["body"] for message in conversation["messages"]["nodes"]]  # type: ignore[index]


async def test_scenario_17_P1_P10_P15_one_conversation(hill: Opened) -> None:
    async with hill("CAMPUS") as (api, _):
        one, other = api.as_("l.1a", HILL), api.as_("l.1a.2", HILL)
        there = await opens(one, other)
        await sends(one, there, "first")
        assert await opens(other, one) == there
        await sends(other, there, "second")
        assert bodies(await reads(one, there)) == ["first", "second"]
        for person in (one, other):
            listed = await person.ask("{ viewer { conversations { nodes { id kind } } } }")
            assert listed["viewer"]["conversations"]["nodes"] == [{"id": there, "kind": "DIRECT"}]


async def test_scenario_18_P3_P4_P5_P6_immutable(hill: Opened) -> None:
    async with hill("CAMPUS") as (api, _):
        one, other = api.as_("l.1a", HILL), api.as_("l.1a.2", HILL)
        there = await opens(one, other)
        message = await sends(one, there, "for good")
        shown = await reads(one, there)
        assert shown["viewerActions"] == ["REPLY", "MUTE"]
        assert shown["messages"]["nodes"][0]["viewerActions"] == ["REPLY"]  # type: ignore[index]
        await one.refused("IMMUTABLE", "deleteMessages", messageIds=[message])
        await one.refused("IMMUTABLE", "deleteConversation", conversationId=there)
        await one.refused("KIND_NOT_OFFERED", "createGroupConversation", title="We", participantIds=[other.id])


async def test_P2_PA6_a_message_to_oneself_is_born_read(hill: Opened) -> None:
    async with hill("CAMPUS") as (api, _):
        one = api.as_("l.1a", HILL)
        there = await opens(one, one)
        await sends(one, there, "milk")
        answer = await one.ask(
            "{ viewer { badges { unreadMessages } conversations { nodes { title unreadCount } } } }"
        )
        assert answer["viewer"]["badges"] == {"unreadMessages": 0}
        assert answer["viewer"]["conversations"]["nodes"] == [{"title": "Lea A", "unreadCount": 0}]


async def test_scenario_20_I1_I2_I4_I5_a_learner_cannot_start(hill: Opened) -> None:
    async with hill("ISPRING") as (api, _):
        learner, head = api.as_("l.1a", HILL), api.as_("head", HILL)
        await learner.refused("CANNOT_START", "openConversation", userId=head.id)
        there = await opens(head, learner)
        counts = "subscription { badgesChanged { unreadMessages } }"
        async with learner.listening(counts) as of_learner, head.listening(counts) as of_head:
            assert await of_learner.next() == {"unreadMessages": 0}
            assert await of_head.next() == {"unreadMessages": 0}
            await sends(head, there, "welcome")
            assert await of_learner.next() == {"unreadMessages": 1}
            await sends(learner, there, "thank you")
            assert await of_head.next() == {"unreadMessages": 1}


async def test_scenario_22_I3_I9_I10_I11_experts_and_the_switch(hill: Opened) -> None:
    async with hill("ISPRING") as (api, school):
        enrolled, other, expert = (api.as_(login, HILL) for login in ("l.team", "l.2a", "trainer"))
        await other.refused("OUT_OF_REACH", "openConversation", userId=expert.id)
        there = await opens(enrolled, expert)
        await sends(enrolled, there, "a question")
        with api.database.transaction() as tx:
            before = organization(tx, school.id)
            set_policy(tx, school.id, before.preset, before.policy.with_knobs({"messagingEnabled": False}))
        await enrolled.refused("MESSAGING_DISABLED", "sendMessage", conversationId=there, body="and?")
        shown = await reads(enrolled, there)
        assert shown["viewerCannotReplyReason"] == "MESSAGING_DISABLED"
        assert bodies(shown) == ["a question"]


@pytest.mark.parametrize("how", ["unassigned", "deactivated"])
async def test_scenario_24_I12_the_expert_is_gone(hill: Opened, how: str) -> None:
    async with hill("ISPRING") as (api, school):
        learner, expert = api.as_("l.team", HILL), api.as_("trainer", HILL)
        there = await opens(learner, expert)
        await sends(learner, there, "a question")
        await sends(expert, there, "an answer")
        number = school.numbers["trainer"]
        with api.database.transaction() as tx:
            if how == "deactivated":
                tx.execute(update(users).where(users.c.id == number).values(deactivated_at=tx.now))
            else:
                expertise = (memberships.c.user_id == number, memberships.c.position == Position.EXPERT)
                tx.execute(update(memberships).where(*expertise).values(until=tx.now))
        shown = await reads(learner, there)
        assert shown["viewerCannotReplyReason"] == "COUNTERPART_GONE"
        assert bodies(shown) == ["a question", "an answer"]
        await learner.refused("COUNTERPART_GONE", "sendMessage", conversationId=there, body="still there?")


async def test_I6_I7_I8_IA1_deleting_is_for_oneself(hill: Opened) -> None:
    async with hill("ISPRING") as (api, _):
        head, learner = api.as_("head", HILL), api.as_("l.1a", HILL)
        there = await opens(head, learner)
        first, second = await sends(head, there, "one"), await sends(head, there, "two")
        deleted = await learner.do(
            "deleteMessages", "deletedMessageIds badges { unreadMessages }", messageIds=[first]
        )
        assert deleted["deletedMessageIds"] == [first]
        assert deleted["badges"] == {"unreadMessages": 1}
        assert bodies(await reads(learner, there)) == ["two"]
        await learner.refused("NOT_FOUND", "deleteMessages", messageIds=[first, second])
        await learner.do("deleteConversation", conversationId=there)
        await learner.refused("NOT_FOUND", "deleteConversation", conversationId=there)
        assert bodies(await reads(head, there)) == ["one", "two"]
        await sends(head, there, "three")
        assert bodies(await reads(learner, there)) == ["three"]


async def test_PA3_reach_is_asked_on_every_send(hill: Opened) -> None:
    async with hill("CAMPUS") as (api, school):
        one, other = api.as_("l.1a", HILL), api.as_("l.1a.2", HILL)
        there = await opens(one, other)
        await sends(one, there, "before the summer")
        with api.database.transaction() as tx:
            left = select(memberships.c.id).where(memberships.c.user_id == school.numbers["l.1a.2"])
            tx.execute(update(memberships).where(memberships.c.id.in_(left)).values(until=tx.now))
        await one.refused("OUT_OF_REACH", "sendMessage", conversationId=there, body="after it")
        assert bodies(await reads(one, there)) == ["before the summer"]
