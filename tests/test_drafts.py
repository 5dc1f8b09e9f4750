"""What is begun and not sent: who sees it, and what becomes of it?"""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import delete, update

from models.tables.chats import participations, rooms
from models.tables.conversations import attachments, conversations, deliveries, messages, recipients
from models.tables.people import memberships, users
from tests.api import Api, Person
from tests.listening import cursor
from tests.mailing import (
    CLASSMATE,
    CURATOR,
    LEARNER,
    OTHER_LEARNER,
    PARENT,
    PRINCIPAL,
    SECRETARY,
    TEACHER,
    MailSchool,
    addressed,
    folder,
    folders,
    letter,
    received,
    save,
    send,
    unread,
)
from tests.steps import Since, sees, show


@pytest.fixture
async def school(api: Api) -> AsyncIterator[MailSchool]:
    yield MailSchool(api)


async def drafts(person: Person, selection: str) -> list[dict[str, object]]:
    document = f"{{ viewer {{ mailbox(folder: DRAFTS) {{ messages {{ nodes {{ {selection} }} }} }} }} }}"
    found: list[dict[str, object]] = (await person.ask(document))["viewer"]["mailbox"]["messages"]["nodes"]
    return found


async def test_scenario_29_M4_M9_MA6_a_draft_is_saved_edited_and_sent(school: MailSchool) -> None:
    author, learner = school(CURATOR), school(LEARNER)
    draft = await save(author, subject="", body="")
    assert await drafts(author, "id subject body sentAt isRead viewerActions to { __typename }") == [
        {"id": draft, "subject": "", "body": "", "sentAt": None, "isRead": True, "viewerActions": [], "to": []}
    ]
    assert await save(author, draft=draft, subject="Brouillon", body="<b>Bonjour</b>") == draft
    assert await folder(author, "DRAFTS") == ["Brouillon"]
    whole = letter(subject="", body="<b>Bonjour</b>")
    refusal = await author.refused("NO_RECIPIENT", "sendMail", mail=whole, draftId=draft)
    assert refusal["field"] == "to"
    whole["to"] = [learner.id]
    sent = await author.do("sendMail", "sent { id subject body sentAt }", mail=whole, draftId=draft)
    assert sent["sent"] == {
        "id": draft,
        "subject": "",
        "body": "<b>Bonjour</b>",
        "sentAt": "2026-09-10T07:00:00.000Z",
    }
    assert await folders(author) == {"SENT": [""]}
    assert await folders(learner) == {"INBOX": [""]}
    await author.refused("NOT_FOUND", "sendMail", mail=whole, draftId=draft)
    await author.refused("NOT_FOUND", "saveDraft", mail=whole, draftId=draft)
    await author.refused("NOT_FOUND", "discardDraft", draftId=draft)


async def test_saving_replaces_all_of_a_draft(school: MailSchool) -> None:
    author = school(CURATOR)
    files = [school.upload(author, name) for name in ("a.png", "b.png")]
    draft = await save(
        author, school(LEARNER), cc=[school.audience("GUARDIAN")], bcc=[school(PRINCIPAL)], attachmentIds=files
    )
    assert await addressed(author, draft) == {
        "to": [LEARNER],
        "cc": ["Parents, 3e A"],
        "bcc": [PRINCIPAL],
    }
    shown = await author.do(
        "saveDraft",
        "draft { subject body to { __typename } cc { __typename } bcc { __typename } attachments { name } }",
        mail={"cc": [school(TEACHER).id], "attachmentIds": files[1:]},
        draftId=draft,
    )
    assert shown["draft"] == {
        "subject": "",
        "body": "",
        "to": [],
        "cc": [{"__typename": "User"}],
        "bcc": [],
        "attachments": [{"name": "b.png"}],
    }
    await author.do("sendMail", mail=letter(school(LEARNER)), draftId=draft)
    assert [row.message_id for row in school.api.rows(attachments)] == [None, None]
    assert await addressed(school(LEARNER), draft) == {"to": [LEARNER]}


async def test_MA5_a_draft_is_discarded_for_good(school: MailSchool) -> None:
    author = school(CURATOR)
    tables = (messages, recipients, deliveries, conversations, participations, rooms)
    before = [school.api.rows(table) for table in tables]
    since = Since(school.api)
    draft = await save(author, school(LEARNER), attachmentIds=[school.upload(author)])
    done = await author.do("discardDraft", "discardedDraftId", draftId=draft)
    assert done["discardedDraftId"] == draft
    assert [school.api.rows(table) for table in tables] == before
    assert [row.message_id for row in school.api.rows(attachments)] == [None]
    assert since.events() == []
    await author.refused("NOT_FOUND", "discardDraft", draftId=draft)
    await author.refused("NOT_FOUND", "sendMail", mail=letter(school(LEARNER)), draftId=draft)


async def test_nobody_but_its_author_ever_sees_a_draft(school: MailSchool) -> None:
    author, learner = school(CURATOR), school(LEARNER)
    mail = await send(learner, author)
    now = await cursor(learner)
    received_ = "subscription($after: String) { messageReceived(after: $after) { message { id } } }"
    changed = "subscription($after: String) { messageChanged(after: $after) { messageId } }"
    threads = "subscription($after: String) { conversationChanged(after: $after) { conversationId } }"
    async with (
        learner.listening(received_, after=now) as arrivals,
        learner.listening(changed, after=now) as changes,
        learner.listening(threads, after=now) as moves,
        author.listening(received_, after=now) as own,
    ):
        draft = await save(author, learner, bcc=[school(PRINCIPAL)], inReplyToId=mail)
        thread = (await show(author, draft, "conversation { id title }"))["conversation"]["id"]
        for login in (LEARNER, PRINCIPAL, SECRETARY):
            other = school(login)
            assert not await sees(other, draft)
            assert not await sees(other, thread)
            assert await folders(other) == ({"SENT": ["Sujet"]} if login == LEARNER else {})
            for mutation in ("discardDraft", "saveDraft", "sendMail"):
                whole = {} if mutation == "discardDraft" else {"mail": letter(author)}
                await other.refused("NOT_FOUND", mutation, draftId=draft, **whole)
            for mutation in ("trashMessages", "markMessagesRead"):
                await other.refused("NOT_FOUND", mutation, messageIds=[draft])
            await other.refused("NOT_FOUND", "sendMail", mail=letter(author, inReplyToId=draft))
        for listening in (arrivals, changes, moves, own):
            await listening.nothing()
    conversation = await show(learner, mail, "conversation { messages { totalCount } lastMessage { id } }")
    assert conversation["conversation"] == {"messages": {"totalCount": 1}, "lastMessage": {"id": mail}}
    shown = await author.ask("{ viewer { conversations { nodes { title messages { totalCount } } } } }")
    assert shown["viewer"]["conversations"]["nodes"] == [{"title": "Sujet", "messages": {"totalCount": 1}}]


async def test_a_draft_is_no_mail(school: MailSchool) -> None:
    author = school(CURATOR)
    draft = await save(author, author, school(LEARNER))
    assert await unread(author) == (0, 0)
    shown = await show(author, draft, "conversation { title participants { nodes { joinedAt user { login } } } }")
    people = [{"joinedAt": "2026-09-10T07:00:00.000Z", "user": {"login": CURATOR}}]
    assert shown["conversation"] == {"title": "Sujet", "participants": {"nodes": people}}
    feed = await author.ask("{ viewer { feed { nodes { at } } } }")
    assert feed["viewer"]["feed"]["nodes"] == []
    await author.refused("IMMUTABLE", "trashMessages", messageIds=[draft])
    await author.refused("NOT_IN_TRASH", "purgeMessages", messageIds=[draft])
    with school.api.unchanged():
        await author.do("markMessagesRead", messageIds=[draft])
    await author.refused("NOT_FOUND", "sendMail", mail=letter(school(LEARNER), inReplyToId=draft))


async def test_a_draft_of_an_answer_joins_the_thread_when_it_is_sent(school: MailSchool) -> None:
    author, learner = school(CURATOR), school(LEARNER)
    mail = await send(learner, author, subject="Question")
    known = [school.api.rows(table) for table in (rooms, conversations)]
    draft = await save(author, learner, subject="Réponse", inReplyToId=mail)
    assert (await show(author, draft, "inReplyTo { id }"))["inReplyTo"] == {"id": mail}
    await author.do("sendMail", mail=letter(learner, subject="Réponse", inReplyToId=mail), draftId=draft)
    shown = await show(learner, draft, "inReplyTo { id } conversation { title messages { nodes { subject } } }")
    assert shown["inReplyTo"] == {"id": mail}
    assert shown["conversation"]["messages"]["nodes"] == [{"subject": "Question"}, {"subject": "Réponse"}]
    assert [school.api.rows(table) for table in (rooms, conversations)] == known
    there = [row for row in school.api.rows(participations) if row.room_id == known[1][-1].id]
    assert {row.user_id for row in there} == {author.viewer.id, learner.viewer.id}  # type: ignore[union-attr]
    assert len(there) == 2


async def test_a_draft_of_a_mail_of_its_own_keeps_its_thread(school: MailSchool) -> None:
    author = school(CURATOR)
    draft = await save(author, school(LEARNER))
    thread = (await show(author, draft, "conversation { id }"))["conversation"]["id"]
    await author.do("sendMail", mail=letter(school(LEARNER)), draftId=draft)
    assert (await show(school(LEARNER), draft, "conversation { id }"))["conversation"]["id"] == thread
    assert received(school, draft) == {LEARNER: "TO", CURATOR: None}


async def test_whoever_is_out_of_reach_cannot_be_put_into_a_draft(school: MailSchool) -> None:
    learner = school(LEARNER)
    for whom in (school(OTHER_LEARNER), school.audience("GUARDIAN"), "User_999999", "nonsense"):
        await learner.refused("OUT_OF_REACH", "saveDraft", mail=letter(whom))
    draft = await save(learner, school(CLASSMATE))
    await learner.refused("OUT_OF_REACH", "saveDraft", mail=letter(school(OTHER_LEARNER)), draftId=draft)
    mail = await send(school(SECRETARY), learner, school(PARENT), school.audience("GUARDIAN"))
    await save(learner, school(PARENT), school.audience("GUARDIAN"), draft=draft, inReplyToId=mail)


async def test_reach_is_asked_again_when_a_draft_is_sent(school: MailSchool) -> None:
    learner = school(LEARNER)
    whom = [school(CLASSMATE), school.audience("LEARNER")]
    draft = await save(learner, *whom)
    with school.api.database.transaction() as tx:
        left = users.c.login.in_((LEARNER, CLASSMATE))
        tx.execute(
            delete(memberships).where(
                memberships.c.user_id.in_(users.select().with_only_columns(users.c.id).where(left)),
                memberships.c.position == "LEARNER",
            )
        )
    assert (await addressed(learner, draft))["to"] == [CLASSMATE, "Élèves, 3e A"]
    await save(learner, *whom, draft=draft, subject="encore")
    await learner.refused("OUT_OF_REACH", "sendMail", mail=letter(*whom), draftId=draft)
    assert await folder(learner, "DRAFTS") == ["encore"]


async def test_an_audience_in_a_draft_is_who_is_there_when_it_is_sent(school: MailSchool) -> None:
    author = school(CURATOR)
    audience = school.audience("LEARNER")
    draft = await save(author, audience)
    with school.api.database.transaction() as tx:
        tx.execute(update(users).where(users.c.login == CLASSMATE).values(deactivated_at=tx.now))
    await author.do("sendMail", mail=letter(audience), draftId=draft)
    assert CLASSMATE not in received(school, draft)


async def test_shapes_of_drafts(school: MailSchool) -> None:
    author = school(CURATOR)
    for body in ("a" * 20_001, "a\x07", "\x00", "a&#7;"):
        await author.invalid("body", "saveDraft", mail={"body": body})
    await author.invalid("subject", "saveDraft", mail={"subject": "a" * 201})
    await author.invalid("to", "saveDraft", mail={"to": ["User_1"] * 101})
    await author.refused("NOT_FOUND", "saveDraft", mail={"attachmentIds": ["Attachment_999999"]})
    for draft in ("Message_999999", "nonsense", author.id):
        await author.refused("NOT_FOUND", "saveDraft", mail={}, draftId=draft)
        await author.refused("NOT_FOUND", "discardDraft", draftId=draft)
    await save(author, body=" \n")


async def test_switches_of_drafts(school: MailSchool) -> None:
    author = school(CURATOR)
    draft = await save(author, school(LEARNER))
    school.turn(messagingEnabled=False, lockdown=True)
    await author.refused("MESSAGING_DISABLED", "saveDraft", mail={})
    school.turn(conversationKinds=["DIRECT"], lockdown=True)
    await author.refused("KIND_NOT_OFFERED", "saveDraft", mail={})
    school.turn(lockdown=True)
    await save(author, school(LEARNER), draft=draft, subject="pour plus tard")
    await author.refused("LOCKDOWN", "sendMail", mail=letter(school(LEARNER)), draftId=draft)
    school.turn(messagingEnabled=False)
    await author.do("discardDraft", draftId=draft)


async def test_a_draft_that_becomes_a_mail_is_sent_once(school: MailSchool) -> None:
    author, learner = school(CURATOR), school(LEARNER)
    draft = await save(author, learner)
    given = {"mail": letter(learner), "draftId": draft, "idempotencyKey": "k"}
    await author.do("sendMail", **given)
    with school.api.unchanged():
        again = await author.do("sendMail", "sent { id }", **given)
    assert again["sent"] == {"id": draft}
    other = await save(author, learner)
    await author.refused("IDEMPOTENCY_CONFLICT", "sendMail", **{**given, "draftId": other})


async def test_a_mail_that_was_a_draft_stands_where_it_was_sent(school: MailSchool) -> None:
    author, learner = school(CURATOR), school(LEARNER)
    draft = await save(author, learner, subject="ancien")
    await send(author, learner, subject="entre")
    await author.do("sendMail", mail=letter(learner, subject="ancien"), draftId=draft)
    assert await folder(learner) == ["entre", "ancien"]
    assert await folder(author, "SENT") == ["entre", "ancien"]
