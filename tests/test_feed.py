"""What is new for somebody, in which order, and when does it go?"""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from models.presets import PRESETS
from tests.api import Api, Person
from tests.mailing import CLASSMATE, CURATOR, LEARNER, OTHER_LEARNER, PRINCIPAL, MailSchool, save, send
from tests.school import NEXT_DOOR, NEXT_DOOR_CURATOR, SchoolClock
from tests.steps import publish_call, turn

FEED = """query($first: Int, $after: String) { viewer { feed(first: $first, after: $after) {
    edges { cursor node { at subject { __typename ... on Message { id subject } ... on Call { id title } } } }
    nodes { at } pageInfo { hasNextPage hasPreviousPage endCursor } } } }"""


@pytest.fixture
async def school(api: Api) -> AsyncIterator[MailSchool]:
    yield MailSchool(api)


async def feed(person: Person, **page: object) -> list[str]:
    """What is new, newest first."""
    found = (await person.ask(FEED, **page))["viewer"]["feed"]["edges"]
    return [edge["node"]["subject"].get("subject") or edge["node"]["subject"]["title"] for edge in found]


async def call(school: MailSchool, title: str) -> str:
    """The id of a call that is published in the chat of the class."""
    chat = school.api.chat("GROUP", "3e A")
    school.turn(linkRequirement="NONE", chatKinds=["GROUP"])
    return await publish_call(school(PRINCIPAL), chat, title)


async def test_M3_new_messages_and_published_calls_newest_first(school: MailSchool, clock: SchoolClock) -> None:
    learner = school(LEARNER)
    await send(school(CURATOR), learner, school(CLASSMATE), subject="Un")
    clock.now += timedelta(minutes=5)
    published = await call(school, "Appel")
    await send(school(CURATOR), learner, subject="Deux")
    found = (await learner.ask(FEED))["viewer"]["feed"]
    assert [(edge["node"]["at"], edge["node"]["subject"]["__typename"]) for edge in found["edges"]] == [
        ("2026-09-10T07:05:00.000Z", "Message"),
        ("2026-09-10T07:05:00.000Z", "Call"),
        ("2026-09-10T07:00:00.000Z", "Message"),
    ]
    assert found["edges"][1]["node"]["subject"]["id"] == published
    assert await feed(learner) == ["Deux", "Appel", "Un"]
    assert await feed(school(CLASSMATE)) == ["Appel", "Un"]
    assert await feed(school(OTHER_LEARNER)) == []
    assert await feed(school(PRINCIPAL)) == []


async def test_what_is_gone_is_no_news(school: MailSchool) -> None:
    learner = school(LEARNER)
    mails = [await send(school(CURATOR), learner, subject=name) for name in ("Un", "Deux", "Trois")]
    published = await call(school, "Appel")
    assert await feed(learner) == ["Appel", "Trois", "Deux", "Un"]
    await learner.do("trashMessages", messageIds=mails[:2])
    await learner.do("purgeMessages", messageIds=mails[:1])
    await school(PRINCIPAL).do("finishCall", callId=published)
    assert await feed(learner) == ["Trois"]
    await learner.do("restoreMessages", messageIds=mails[1:2])
    await learner.do("markMessagesRead", messageIds=mails[1:2])
    assert await feed(learner) == ["Trois", "Deux"]
    again = await call(school, "Encore")
    await school(PRINCIPAL).do("deleteCall", callId=again)
    assert await feed(learner) == ["Trois", "Deux"]


async def test_ones_own_is_no_news_unless_it_is_to_oneself(school: MailSchool) -> None:
    author = school(CURATOR)
    await send(author, school(LEARNER), subject="Un")
    await save(author, author, subject="Brouillon")
    assert await feed(author) == []
    await send(author, author, subject="Note")
    assert await feed(author) == ["Note"]


async def test_the_feed_is_the_organizations_choice(school: MailSchool) -> None:
    learner = school(LEARNER)
    await send(school(CURATOR), learner)
    school.turn(newsFeed=False)
    assert await feed(learner) == []
    school.turn()
    assert await feed(learner) == ["Sujet"]


async def test_messages_of_other_conversations_are_news_as_well(api: Api) -> None:
    curator, learner = api.as_(NEXT_DOOR_CURATOR, NEXT_DOOR), api.as_(LEARNER, NEXT_DOOR)
    assert not PRESETS["EPOS_SCHOOL"].news_feed
    turn(api.database, NEXT_DOOR, newsFeed=True)
    there = (await curator.do("openConversation", "conversation { id }", userId=learner.id))["conversation"]["id"]
    sent = await curator.do("sendMessage", "sent { id }", conversationId=there, body="x")
    found = (await learner.ask(FEED))["viewer"]["feed"]["edges"]
    assert [edge["node"]["subject"] for edge in found] == [
        {"__typename": "Message", "id": sent["sent"]["id"], "subject": None}
    ]
    assert (await curator.ask(FEED))["viewer"]["feed"]["edges"] == []


async def test_the_feed_is_paged_and_stays_in_place(school: MailSchool) -> None:
    learner = school(LEARNER)
    for number in range(23):
        await send(school(CURATOR), learner, subject=str(number))
    school.api.statements.clear()
    page = (await learner.ask(FEED))["viewer"]["feed"]
    assert len(school.api.statements) == 1
    assert len(page["edges"]) == len(page["nodes"]) == 20
    assert page["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "endCursor": page["edges"][-1]["cursor"],
    }
    await send(school(CURATOR), learner, subject="nouveau")
    assert await feed(learner, after=page["pageInfo"]["endCursor"]) == ["2", "1", "0"]
    assert await feed(learner, first=2) == ["nouveau", "22"]
    await learner.fails("BAD_REQUEST", FEED, after="nonsense")
    await learner.fails("LIMIT_EXCEEDED", FEED, first=101)


async def test_a_subject_by_itself_comes_in_order_too(school: MailSchool) -> None:
    learner = school(LEARNER)
    for number in range(3):
        await send(school(CURATOR), learner, subject=str(number))
    document = "{ viewer { feed(first: 2) { nodes { subject { ... on Message { subject viewerActions } } } } } }"
    nodes = (await learner.ask(document))["viewer"]["feed"]["nodes"]
    actions = ["REPLY", "TRASH"]
    assert [node["subject"] for node in nodes] == [
        {"subject": "2", "viewerActions": actions},
        {"subject": "1", "viewerActions": actions},
    ]
