"""Is who is blocked kept away, without learning of it, and never a school from its pupils?"""

from typing import Any

import pytest

import models.blocking
from models.tables.safeguarding import blocks
from tests.api import Api, Person
from tests.mailing import CLASS, CLASSMATE, CURATOR, LEARNER, PARENT, THIRD, MailSchool, folder, letter, send
from tests.reporting import gather, open_with, say
from tests.school import (
    ADMINISTRATOR,
    CURATOR_9A,
    DIRECTOR,
    GUARDIAN_9A,
    LEARNER_9A,
    LEARNER_9B,
    NEXT_DOOR_LEARNER,
    OTHER_LEARNER_9A,
    SECRETARY,
    TEACHER_OF_TWO,
)
from tests.steps import turn

STANDING = """query($id: ID!) { node(id: $id) { ... on User { id name login isActive memberships { position }
    viewerCanMessage viewerCannotMessageReason viewerCanBlock viewerHasBlocked } } }"""
TALK = """query($id: ID!) { node(id: $id) { ... on Conversation {
    viewerActions viewerCannotReplyReason messages { nodes { body viewerActions } } } } }"""
EVERYBODY = tuple(
    {"fromPosition": one, "groupKind": "ORGANIZATION", "toPosition": other}
    for one in ("LEARNER", "GUARDIAN", "TEACHER", "STAFF", "ADMINISTRATOR")
    for other in ("LEARNER", "GUARDIAN", "TEACHER", "STAFF", "ADMINISTRATOR")
)


@pytest.fixture
def pair(api: Api) -> tuple[Person, Person]:
    """Two learners of a school where everybody may write to everybody."""
    turn(api.database, reach=EVERYBODY)
    return api.as_(LEARNER_9A), api.as_(OTHER_LEARNER_9A)


async def standing(one: Person, other: Person) -> Any:
    return (await one.ask(STANDING, id=other.id))["node"]


async def blocked_by(person: Person) -> list[str]:
    shown = (await person.ask("{ viewer { blockedPeople { login } } }"))["viewer"]["blockedPeople"]
    return [each["login"] for each in shown]


async def test_neither_writes_to_the_other_any_more(pair: tuple[Person, Person]) -> None:
    one, other = pair
    there = await open_with(one, other)
    await say(one, there, "Привет")
    await say(other, there, "Дурак")
    done = await one.do("blockPerson", "blocked { login viewerHasBlocked viewerCanMessage }", userId=other.id)
    assert done["blocked"] == {"login": other.login, "viewerHasBlocked": True, "viewerCanMessage": False}
    assert await blocked_by(one) == [other.login]
    for person, counterpart in (pair, pair[::-1]):
        shown = (await person.ask(TALK, id=there))["node"]
        assert [each["body"] for each in shown["messages"]["nodes"]] == ["Привет", "Дурак"], "history stays"
        assert "REPLY" not in shown["viewerActions"]
        assert shown["viewerCannotReplyReason"] == "OUT_OF_REACH"
        assert all("REPLY" not in each["viewerActions"] for each in shown["messages"]["nodes"])
        await person.refused("OUT_OF_REACH", "sendMessage", conversationId=there, body="Ещё")
        found = await person.ask('{ viewer { recipients(search: "learner.9a") { ... on User { login } } } }')
        assert counterpart.login not in str(found)
        assert (await standing(person, counterpart))["viewerCannotMessageReason"] == "OUT_OF_REACH"


async def test_nothing_begins_between_them(pair: tuple[Person, Person]) -> None:
    one, other = pair
    await one.do("blockPerson", userId=other.id)
    for person, counterpart in (pair, pair[::-1]):
        await person.refused("OUT_OF_REACH", "openConversation", userId=counterpart.id)
        await person.refused(
            "OUT_OF_REACH", "createGroupConversation", title="Вдвоём", participantIds=[counterpart.id]
        )


async def test_in_rooms_that_they_share_both_stay(api: Api, pair: tuple[Person, Person]) -> None:
    one, other = pair
    there = await gather(api.as_(CURATOR_9A), one, other)
    await one.do("blockPerson", userId=other.id)
    await say(other, there, "Всем привет")
    shown = (await one.ask(TALK, id=there))["node"]
    assert [each["body"] for each in shown["messages"]["nodes"]] == ["Всем привет"]
    assert "REPLY" in shown["viewerActions"]


async def test_who_is_blocked_is_told_nothing_that_a_stranger_is_not(
    api: Api, pair: tuple[Person, Person]
) -> None:
    one, other = pair
    await one.do("blockPerson", userId=other.id)
    seen = await standing(other, one)
    assert (seen["viewerHasBlocked"], seen["viewerCanBlock"], seen["isActive"]) == (False, True, True)
    assert await blocked_by(other) == []
    refused = await other.refused("OUT_OF_REACH", "openConversation", userId=one.id)
    stranger = await other.refused("OUT_OF_REACH", "openConversation", userId="User_999999")
    assert refused == stranger
    turn(api.database, safeguardingPosition="ADMINISTRATOR")
    entries = "{ viewer { organization { auditEntries(first: 5) { nodes { action } } } } }"
    await api.as_(SECRETARY).do("blockPerson", userId=api.as_(ADMINISTRATOR).id)
    assert "blockPerson" in str(await api.as_(DIRECTOR).ask(entries))
    shown = (await api.as_(ADMINISTRATOR).ask(entries))["viewer"]["organization"]["auditEntries"]["nodes"]
    assert [each["action"] for each in shown].count("blockPerson") == 1, "that of the learners alone"


async def test_until_it_is_taken_back(pair: tuple[Person, Person]) -> None:
    one, other = pair
    there = await open_with(one, other)
    await say(one, there, "Привет")
    await one.do("blockPerson", userId=other.id)
    done = await one.do("unblockPerson", "unblocked { viewerHasBlocked viewerCanMessage }", userId=other.id)
    assert done["unblocked"] == {"viewerHasBlocked": False, "viewerCanMessage": True}
    await say(other, there, "Мир?")
    assert await blocked_by(one) == []


async def test_each_has_his_own_block(pair: tuple[Person, Person]) -> None:
    one, other = pair
    await one.do("blockPerson", userId=other.id)
    await other.do("blockPerson", userId=one.id)
    await one.do("unblockPerson", userId=other.id)
    await one.refused("OUT_OF_REACH", "openConversation", userId=other.id)
    await other.do("unblockPerson", userId=one.id)
    await open_with(one, other)


async def test_again_changes_nothing(api: Api, pair: tuple[Person, Person]) -> None:
    one, other = pair
    with api.unchanged():
        await one.do("unblockPerson", userId=other.id)
    await one.do("blockPerson", userId=other.id)
    with api.unchanged():
        await one.do("blockPerson", userId=other.id)


@pytest.mark.parametrize("login", [LEARNER_9A, GUARDIAN_9A])
@pytest.mark.parametrize("other", [ADMINISTRATOR, SECRETARY, CURATOR_9A, TEACHER_OF_TWO])
async def test_learners_and_guardians_block_no_personnel(api: Api, login: str, other: str) -> None:
    turn(api.database, reach=EVERYBODY)
    person, whom = api.as_(login), api.as_(other)
    assert (await standing(person, whom))["viewerCanBlock"] is False
    await person.refused("NOT_ALLOWED", "blockPerson", userId=whom.id)


@pytest.mark.parametrize(
    ("login", "other"),
    [(CURATOR_9A, LEARNER_9A), (SECRETARY, CURATOR_9A), (LEARNER_9A, GUARDIAN_9A), (ADMINISTRATOR, DIRECTOR)],
)
async def test_all_others_may_be_blocked(api: Api, login: str, other: str) -> None:
    turn(api.database, reach=EVERYBODY)
    person, whom = api.as_(login), api.as_(other)
    assert (await standing(person, whom))["viewerCanBlock"] is True
    await person.do("blockPerson", userId=whom.id)


async def test_nobody_blocks_himself_or_whom_he_does_not_see(api: Api) -> None:
    learner = api.as_(LEARNER_9A)
    await learner.refused("NOT_ALLOWED", "blockPerson", userId=learner.id)
    for mutation in ("blockPerson", "unblockPerson"):
        for id_ in (
            api.as_(LEARNER_9B).id,
            "User_999999",
            "Chat_1",
            api.as_(NEXT_DOOR_LEARNER, "Collège des Tilleuls").id,
        ):
            await learner.refused("NOT_FOUND", mutation, userId=id_)


async def test_there_is_an_end_to_it(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    turn(api.database, reach=EVERYBODY)
    monkeypatch.setattr(models.blocking, "MOST_BLOCKED", 1)
    learner = api.as_(LEARNER_9A)
    await learner.do("blockPerson", userId=api.as_(OTHER_LEARNER_9A).id)
    await learner.refused("TOO_LARGE", "blockPerson", userId=api.as_(LEARNER_9B).id)
    assert len(api.rows(blocks)) == 1


async def test_whoever_has_the_conversation_is_told_that_it_changed(api: Api, pair: tuple[Person, Person]) -> None:
    one, other = pair
    there = await open_with(one, other)
    changed = "subscription { conversationChanged { conversationId conversation { viewerActions } } }"
    async with one.listening(changed) as mine, other.listening(changed) as theirs:
        await mine.parked()
        await theirs.parked()
        await one.do("blockPerson", userId=other.id)
        assert "REPLY" not in (await mine.next())["conversation"]["viewerActions"]
        await theirs.nothing()  # he has not seen the empty conversation
        await one.do("unblockPerson", userId=other.id)
        await mine.next()
        await say(one, there, "Привет")
        await one.do("blockPerson", userId=other.id)
        assert "REPLY" not in (await mine.next())["conversation"]["viewerActions"]
        assert "REPLY" not in (await theirs.next())["conversation"]["viewerActions"]


# ---------------------------------------------------------------------------------------------- mail


async def test_mail_to_an_audience_passes_by_who_is_apart(api: Api) -> None:
    school = MailSchool(api)
    one, other, third = school(LEARNER), school(CLASSMATE), school(THIRD)
    await one.do("blockPerson", userId=other.id)
    await other.refused("OUT_OF_REACH", "sendMail", mail=letter(one))
    await one.refused("OUT_OF_REACH", "sendMail", mail=letter(other))
    await send(other, school.audience("LEARNER"), subject="À tous")
    assert (await folder(one), await folder(third)) == ([], ["À tous"])
    await send(school(CURATOR), school.audience("LEARNER"), subject="Contrôle")
    assert await folder(one) == ["Contrôle"], f"who may not be blocked reaches all of {CLASS}"


async def test_an_answer_does_not_pass_a_block_either(api: Api) -> None:
    """MA7 lets the author of the parent be answered, whatever the reach is; not so who is apart."""
    school = MailSchool(api)
    one, other, third = school(LEARNER), school(CLASSMATE), school(THIRD)
    mail = await send(one, other, third, subject="Exposé")
    await one.do("blockPerson", userId=other.id)
    await other.refused("OUT_OF_REACH", "sendMail", mail=letter(one, inReplyToId=mail))
    await send(other, third, subject="Re: Exposé", inReplyToId=mail)
    await send(third, one, subject="Re: Exposé", inReplyToId=mail)
    assert await folder(one) == ["Re: Exposé"]


async def test_a_draft_from_before_is_not_sent_either(api: Api) -> None:
    school = MailSchool(api)
    one, other = school(LEARNER), school(CLASSMATE)
    draft = await other.do("saveDraft", "draft { id }", mail=letter(one))
    await one.do("blockPerson", userId=other.id)
    await other.refused("OUT_OF_REACH", "sendMail", mail=letter(one), draftId=draft["draft"]["id"])


async def test_a_child_may_block_a_parent(api: Api) -> None:
    """In the portal guardian and child reach each other by a rule of their own."""
    school = MailSchool(api)
    child, parent = school(LEARNER), school(PARENT)
    assert (await standing(child, parent))["viewerCanMessage"] is True
    await child.do("blockPerson", userId=parent.id)
    await parent.refused("OUT_OF_REACH", "sendMail", mail=letter(child))
