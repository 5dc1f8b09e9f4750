"""Are messages gone when the school keeps them no longer, and is nothing else? The clock is moved."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

import jobs.night
import jobs.retention
from jobs.nightly import run_nights
from models.organization import organization_called, set_policy
from models.tables.conversations import attachments, deliveries, messages, recipients
from models.tables.events import audit_entries, events
from models.tables.files import loose_files
from models.tables.organization import organizations
from tests.api import Api, Person
from tests.mailing import CLASSMATE, CURATOR, LEARNER, TEACHER, MailSchool, save, send
from tests.recount import assert_badges_equal_a_recount
from tests.school import ADMINISTRATOR, CURATOR_9A, NEXT_DOOR, OTHER_LEARNER_9A, SCHOOL, SchoolClock, build_school
from tests.terminal import assert_mistake, run_at

WHOLE = """query($id: ID!) { node(id: $id) { ... on Conversation {
    unreadCount messages { nodes { body } totalCount } } } }"""
BADGES = "{ viewer { badges { unreadMessages unreadConversations unreadMail } conversations { nodes { id } } } }"
RECEIVED = "subscription($a: String) { messageReceived(after: $a) { cursor message { body } } }"
CHANGED = "subscription($a: String) { messageChanged(after: $a) { messageId message { body } } }"


def keep_for(api: Api, days: int | None, school: str = SCHOOL) -> None:
    with api.database.transaction() as tx:
        found = organization_called(tx, school)
        set_policy(tx, found.id, found.preset, found.policy.with_knobs({"retentionDays": days}))


def night(api: Api, on: date | None = None, school: str = SCHOOL) -> int:
    """How many messages the night purged."""
    (told,) = run_nights(api.database, local_date=on, organization=school)
    return told.messages_purged


async def talk(one: Person, other: Person, *bodies: str, there: str | None = None) -> str:
    if there is None:
        opened = await one.do("openConversation", "conversation { id }", userId=other.id)
        there = str(opened["conversation"]["id"])
    for body in bodies:
        await one.do("sendMessage", conversationId=there, body=body)
    return there


@pytest.fixture
def people(api: Api) -> tuple[Person, Person]:
    return api.as_(CURATOR_9A), api.as_(OTHER_LEARNER_9A)


async def test_many_go_in_several_transactions_and_are_counted_together(
    api: Api, clock: SchoolClock, people: tuple[Person, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sends meanwhile does not wait until all are gone."""
    monkeypatch.setattr(jobs.retention, "AT_ONCE", 2)
    monkeypatch.setattr(jobs.night, "AT_ONCE", 2)
    keep_for(api, 30)
    await talk(*people, *map(str, range(5)))
    clock.forward(days=31)
    asked = "{ viewer { organization { auditEntries(first: 9) { nodes { action } } } } }"
    assert night(api) == 5
    shown = (await api.as_(ADMINISTRATOR).ask(asked))["viewer"]["organization"]["auditEntries"]["nodes"]
    assert [each["action"] for each in shown].count("purgeMessages") == 3
    assert {row.body for row in api.rows(messages)} == {""}


async def test_messages_go_after_so_many_days_and_no_earlier(
    api: Api, clock: SchoolClock, people: tuple[Person, Person]
) -> None:
    curator, learner = people
    keep_for(api, 30)
    there = await talk(curator, learner, "first", "second")
    clock.forward(days=20)
    await talk(curator, learner, "third", there=there)
    clock.forward(days=10)
    assert night(api) == 0, "thirty days are not over before they are"
    clock.forward(days=1)
    assert night(api) == 2
    shown = (await learner.ask(WHOLE, id=there))["node"]
    assert shown == {"unreadCount": 1, "messages": {"nodes": [{"body": "third"}], "totalCount": 1}}
    assert [row.body for row in api.rows(messages)] == ["", "", "third"]
    assert (await learner.ask(BADGES))["viewer"]["badges"] == {
        "unreadMessages": 1,
        "unreadConversations": 1,
        "unreadMail": 0,
    }
    assert_badges_equal_a_recount(api.database)
    clock.forward(days=20)
    assert night(api) == 1
    for person in people:
        assert there not in str((await person.ask(BADGES))["viewer"]["conversations"])
    clock.forward(days=1)
    before = api.dump(without=("job_runs",))
    assert night(api) == 0
    assert api.dump(without=("job_runs",)) == before, "a night that finds nothing writes nothing"


async def test_by_default_messages_are_kept_for_ever(
    api: Api, clock: SchoolClock, people: tuple[Person, Person]
) -> None:
    there = await talk(*people, "hello")
    clock.forward(days=36_000)
    assert night(api) == 0
    assert (await people[1].ask(WHOLE, id=there))["node"]["messages"]["totalCount"] == 1
    asked = "{ viewer { organization { policy { retentionDays } } } }"
    assert (await people[1].ask(asked))["viewer"]["organization"]["policy"] == {"retentionDays": None}
    keep_for(api, 365)
    assert (await people[1].ask(asked))["viewer"]["organization"]["policy"] == {"retentionDays": 365}


async def test_another_school_keeps_its_own(api: Api, clock: SchoolClock, people: tuple[Person, Person]) -> None:
    keep_for(api, 1, NEXT_DOOR)
    there = await talk(*people, "hello")
    clock.forward(days=5)
    assert night(api, school=NEXT_DOOR) == 0
    assert (await people[1].ask(WHOLE, id=there))["node"]["messages"]["totalCount"] == 1


async def test_who_comes_back_hears_of_what_is_left_and_the_numbers_have_no_holes(
    api: Api, clock: SchoolClock, people: tuple[Person, Person]
) -> None:
    curator, learner = people
    keep_for(api, 30)
    since = (await learner.ask("{ viewer { eventCursor } }"))["viewer"]["eventCursor"]
    there = await talk(curator, learner, "first", "second")
    await learner.do("markConversationRead", conversationId=there)
    clock.forward(days=31)
    await talk(curator, learner, "third", there=there)
    changed = "subscription { conversationChanged { conversation { id unreadCount } } }"
    async with (
        learner.listening(changed) as listening,
        learner.listening("subscription { badgesChanged { unreadMessages } }") as badges,
    ):
        assert await badges.next() == {"unreadMessages": 1}
        await listening.parked()
        assert night(api) == 2
        assert (await listening.next())["conversation"] == {"id": there, "unreadCount": 1}
        await badges.nothing()
    async with learner.listening(RECEIVED, a=since) as received:
        assert (await received.next())["message"] == {"body": "third"}
        await received.nothing()
    async with learner.listening(CHANGED, a=since) as changes:
        assert [(await changes.next())["message"] for _ in range(2)] == [None, None]
    for school in api.rows(organizations):
        numbers = [row.number for row in api.rows(events) if row.organization_id == school.id]
        assert numbers == list(range(1, school.last_event + 1))


async def test_a_call_that_is_repeated_after_all_still_finds_what_it_made(
    api: Api, clock: SchoolClock, people: tuple[Person, Person]
) -> None:
    curator, learner = people
    keep_for(api, 30)
    there = await talk(curator, learner)
    given: dict[str, Any] = {"conversationId": there, "body": "once", "idempotencyKey": "k"}
    first = await curator.do("sendMessage", "sent { id body }", **given)
    clock.forward(days=31)
    assert night(api) == 1
    again = await curator.do("sendMessage", "sent { id body }", **given)
    assert again["sent"] == {"id": first["sent"]["id"], "body": ""}


async def test_of_mail_files_and_addresses_go_and_drafts_stay(api: Api, clock: SchoolClock) -> None:
    school = MailSchool(api, retentionDays=30)
    teacher, learner, friend, curator = school(TEACHER), school(LEARNER), school(CLASSMATE), school(CURATOR)
    file = school.upload(teacher)
    old = await send(teacher, learner, cc=[friend], bcc=[curator], subject="Alt", attachmentIds=[file])
    await learner.do("trashMessages", messageIds=[old])
    await save(learner, teacher, subject="Brouillon", body="plus tard")
    clock.forward(days=31)
    new = await send(friend, teacher, inReplyToId=old, subject="Neu", body="Merci")
    assert night(api, school=NEXT_DOOR) == 1
    assert api.rows(attachments) == []
    assert [row.storage_key for row in api.rows(loose_files)] == ["key-0"]
    assert {row.message_id for row in api.rows(recipients)} >= {int(new.partition("_")[2])}
    assert int(old.partition("_")[2]) not in {row.message_id for row in api.rows(recipients)}
    kept = [row for row in api.rows(deliveries) if row.message_id == int(old.partition("_")[2])]
    assert [(row.is_author, row.deleted_at is None) for row in kept] == [(True, False)]
    for person in (learner, friend, curator, teacher):
        assert (await person.ask("query($id: ID!) { node(id: $id) { id } }", id=old))["node"] is None
    asked = "query($id: ID!) { node(id: $id) { ... on Message { body inReplyTo { id } } } }"
    assert (await teacher.ask(asked, id=new))["node"] == {"body": "Merci", "inReplyTo": None}
    drafts = "{ viewer { mailbox(folder: DRAFTS) { messages { nodes { subject } } } } }"
    mine = (await learner.ask(drafts))["viewer"]["mailbox"]["messages"]["nodes"]
    assert mine == [{"subject": "Brouillon"}]


async def test_the_audit_says_that_a_night_purged(
    api: Api, clock: SchoolClock, people: tuple[Person, Person]
) -> None:
    keep_for(api, 1)
    await talk(*people, "hello")
    clock.now += timedelta(days=2)
    night(api)
    (entry,) = [row for row in api.rows(audit_entries) if row.action == "purgeMessages"]
    assert (entry.actor_id, entry.subject) == (None, "Organization_1")


def test_the_knob_is_turned_at_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "var" / "preau.db"
    build_school(path)
    run = run_at(path, monkeypatch)
    assert run("policy", SCHOOL, "retentionDays=365").stdout == "retentionDays=365\n"
    assert "retentionDays=365" in run("policy", SCHOOL).stdout.splitlines()
    assert run("policy", SCHOOL, "retentionDays=null").stdout == "retentionDays=null\n"
    assert_mistake(run("policy", SCHOOL, "retentionDays=0"), "retentionDays")


@pytest.mark.parametrize("days", [0, -1, 1.5, "30", True, 10**6])
def test_days_that_are_none(api: Api, days: Any) -> None:
    with pytest.raises(ValueError, match="retentionDays"):
        keep_for(api, days)
