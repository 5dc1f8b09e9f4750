"""Who may write mail to whom, who gets it, and who knows of whom?"""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import event, insert, select, update

from models.tables.chats import participations
from models.tables.conversations import deliveries, messages, recipients
from models.tables.people import memberships, users
from tests.api import Api, Person
from tests.listening import cursor
from tests.mailing import (
    CLASS,
    CLASSMATE,
    CURATOR,
    IN_CLASS,
    LEARNER,
    LIBRARIAN,
    OTHER_CLASS,
    OTHER_CURATOR,
    OTHER_LEARNER,
    OTHER_PARENT,
    PARENT,
    PARENTS_OF_CLASS,
    PRINCIPAL,
    SECRETARY,
    STRANGER,
    TEACHER,
    TEACHER_OF_BOTH,
    THIRD,
    MailSchool,
    addressed,
    folder,
    folders,
    letter,
    received,
    send,
    unread,
)
from tests.school import LEARNER_9A, NEXT_DOOR
from tests.steps import sees, show


@pytest.fixture
async def school(api: Api) -> AsyncIterator[MailSchool]:
    yield MailSchool(api)


# -------------------------------------------------------------------------------- people and audiences


async def test_M2_M5_M6_M7_a_mail_goes_to_people_and_to_audiences(school: MailSchool) -> None:
    teacher = school(TEACHER)
    mail = await send(
        teacher,
        school(PARENT),
        school.audience("GUARDIAN"),
        subject="Sortie",
        cc=[school(CURATOR)],
        bcc=[school(PRINCIPAL)],
    )
    assert received(school, mail) == {
        **dict.fromkeys(PARENTS_OF_CLASS, "TO"),
        CURATOR: "CC",
        PRINCIPAL: "BCC",
        TEACHER: None,
    }
    assert await addressed(teacher, mail) == {
        "to": [PARENT, "Parents, 3e A"],
        "cc": [CURATOR],
        "bcc": [PRINCIPAL],
    }
    assert await folders(teacher) == {"SENT": ["Sortie"]}
    for login in (*PARENTS_OF_CLASS, CURATOR, PRINCIPAL):
        assert await folders(school(login)) == {"INBOX": ["Sortie"]}


async def test_MA1_an_audience_is_who_is_in_it_when_the_mail_is_sent(school: MailSchool) -> None:
    await send(school(CURATOR), school.audience("LEARNER"), subject="avant")
    newcomer = school(OTHER_LEARNER)
    assert newcomer.viewer is not None
    with school.api.database.transaction() as tx:
        tx.execute(
            insert(memberships).values(
                organization_id=newcomer.viewer.organization_id,
                user_id=newcomer.viewer.id,
                group_id=int(school.api.group(CLASS).partition("_")[2]),
                position="LEARNER",
                since=tx.now,
            )
        )
    mail = await send(school(CURATOR), school.audience("LEARNER"), subject="après")
    assert set(received(school, mail)) == {*IN_CLASS, OTHER_LEARNER, CURATOR}
    assert await folder(newcomer) == ["après"]


async def test_MA1_nobody_gets_a_mail_twice_and_the_first_place_counts(school: MailSchool) -> None:
    mail = await send(
        school(PRINCIPAL),
        school(LEARNER),
        school(LEARNER),
        cc=[school.audience("LEARNER"), school(CURATOR)],
        bcc=[school(LEARNER), school(CLASSMATE), school(CURATOR), school(SECRETARY)],
    )
    assert received(school, mail) == {
        **dict.fromkeys(IN_CLASS, "CC"),
        LEARNER: "TO",
        CURATOR: "CC",
        SECRETARY: "BCC",
        PRINCIPAL: None,
    }
    assert (await addressed(school(PRINCIPAL), mail))["to"] == [LEARNER]


async def test_MA1_the_deliveries_are_one_statement_however_many(school: MailSchool) -> None:
    written: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith(("INSERT", "UPDATE")):
            written.append(statement.split("(", maxsplit=1)[0].split("SET", maxsplit=1)[0].strip())

    event.listen(school.api.database.engine, "before_cursor_execute", note)
    await send(school(SECRETARY), school(LEARNER))
    to_one = list(written)
    written.clear()
    mail = await send(school(SECRETARY), school.audience("LEARNER", NEXT_DOOR))
    assert len(received(school, mail)) == 10
    assert written == to_one
    assert to_one.count("INSERT INTO deliveries") == 1


async def test_deactivated_people_are_skipped_in_audiences_and_nobody_by_themselves(school: MailSchool) -> None:
    gone = school(CLASSMATE)
    with school.api.database.transaction() as tx:
        tx.execute(update(users).where(users.c.login == CLASSMATE).values(deactivated_at=tx.now))
    mail = await send(school(CURATOR), school.audience("LEARNER"))
    assert set(received(school, mail)) == {*IN_CLASS, CURATOR} - {CLASSMATE}
    await school(CURATOR).refused("OUT_OF_REACH", "sendMail", mail=letter(gone))


async def test_MA4_who_writes_to_himself_has_sent_and_received_it(school: MailSchool) -> None:
    teacher = school(TEACHER)
    mail = await send(teacher, school(LEARNER), subject="note", cc=[teacher])
    assert received(school, mail) == {LEARNER: "TO", TEACHER: "CC"}
    assert await folders(teacher) == {"INBOX": ["note"], "SENT": ["note"]}
    assert await unread(teacher) == (1, 1)
    await teacher.do("markMessagesRead", messageIds=[mail])
    assert await unread(teacher) == (0, 0)
    await teacher.do("trashMessages", messageIds=[mail])
    assert await folders(teacher) == {"TRASH": ["note"]}
    await teacher.do("restoreMessages", messageIds=[mail])
    assert await folders(teacher) == {"INBOX": ["note"], "SENT": ["note"]}


async def test_MA4_an_audience_with_the_author_in_it_is_no_mail_to_himself(school: MailSchool) -> None:
    mail = await send(school(TEACHER), school.audience("TEACHER", NEXT_DOOR))
    assert received(school, mail)[TEACHER] is None
    assert await unread(school(TEACHER)) == (0, 0)
    school.turn(selfMessages=False)
    await school(TEACHER).refused("OUT_OF_REACH", "sendMail", mail=letter(school(TEACHER)))


# ------------------------------------------------------------------------------------------- reach


async def test_scenario_26_what_is_not_offered_is_out_of_reach(school: MailSchool) -> None:
    learner = school(LEARNER)
    document = """query($search: String!) { viewer { recipients(search: $search) {
        ... on User { login } ... on Audience { name } } } }"""
    found = (await learner.ask(document, search="par"))["viewer"]["recipients"]
    assert found == [{"login": PARENT}]
    await learner.refused("OUT_OF_REACH", "sendMail", mail=letter(school.audience("GUARDIAN")))
    await learner.refused("OUT_OF_REACH", "sendMail", mail=letter(school(OTHER_PARENT)))
    mail = await send(school(SECRETARY), learner, school(OTHER_PARENT))
    await learner.refused("OUT_OF_REACH", "sendMail", mail=letter(school(OTHER_PARENT)))
    answer = await send(learner, school(OTHER_PARENT), inReplyToId=mail)
    assert received(school, answer) == {OTHER_PARENT: "TO", LEARNER: None}


@pytest.mark.parametrize("field", ["to", "cc", "bcc"])
@pytest.mark.parametrize(
    "whom", ["nonsense", "", "User_999999", "User_0", "Chat_1", "Audience_999999_LEARNER", "Audience_1_NOBODY"]
)
async def test_whoever_is_no_recipient_is_out_of_reach(school: MailSchool, field: str, whom: str) -> None:
    mail = letter(school(CURATOR))
    mail[field] = [*mail.get(field, []), whom]
    refusal = await school(LEARNER).refused("OUT_OF_REACH", "sendMail", mail=mail)
    known = await school(LEARNER).refused("OUT_OF_REACH", "sendMail", mail=letter(school(OTHER_LEARNER)))
    assert refusal["reason"] == known["reason"]
    await school(LEARNER).refused("OUT_OF_REACH", "saveDraft", mail=mail)


async def test_nobody_of_another_school_and_none_of_its_audiences(school: MailSchool) -> None:
    abroad = school.api.as_(LEARNER_9A)
    await school(SECRETARY).refused("OUT_OF_REACH", "sendMail", mail=letter(abroad))
    audience = school.audience("LEARNER", "9А")
    await school(SECRETARY).refused("OUT_OF_REACH", "sendMail", mail=letter(audience))


async def test_MA8_audiences_that_the_rules_give(school: MailSchool) -> None:
    await send(school(LEARNER), school.audience("LEARNER"))
    await send(school(PARENT), school.audience("CURATOR"), school(LEARNER))
    for author, audience in (
        (LEARNER, school.audience("LEARNER", OTHER_CLASS)),
        (LEARNER, school.audience("STAFF", NEXT_DOOR)),
        (PARENT, school.audience("LEARNER")),
        (PARENT, school.audience("GUARDIAN")),
    ):
        await school(author).refused("OUT_OF_REACH", "sendMail", mail=letter(audience))
    school.turn(audiencesAsRecipients=False)
    await school(SECRETARY).refused("OUT_OF_REACH", "sendMail", mail=letter(school.audience("LEARNER")))


# ------------------------------------------------------------------------------------ blind recipients


async def test_invariant_9_blind_recipients_are_known_to_the_author_and_each_to_himself(
    school: MailSchool,
) -> None:
    author, blind, seen = school(PRINCIPAL), school(STRANGER), school(OTHER_PARENT)
    mail = await send(author, seen, cc=[school(CURATOR)], bcc=[school.audience("LEARNER"), blind])
    assert (await addressed(author, mail))["bcc"] == ["Élèves, 3e A", STRANGER]
    openly = {"to": [OTHER_PARENT], "cc": [CURATOR]}
    assert await addressed(blind, mail) == {**openly, "bcc": [STRANGER]}
    assert await addressed(school(LEARNER), mail) == {**openly, "bcc": [LEARNER]}
    for other in (seen, school(CURATOR)):
        assert await addressed(other, mail) == openly

    document = "conversation { id participants { nodes { user { login } } totalCount } }"
    people = {"principale", "parent.3a.2", "pp.3a"}
    for reader in (blind, seen, school(LEARNER)):
        thread = (await show(reader, mail, document))["conversation"]
        assert {each["user"]["login"] for each in thread["participants"]["nodes"]} == people
        assert thread["participants"]["totalCount"] == 3
    assert not await sees(seen, blind.id)
    assert await sees(blind, seen.id)
    assert await sees(seen, author.id)


async def test_a_blind_recipients_answer_shows_him_to_those_whom_he_answers(school: MailSchool) -> None:
    mail = await send(school(PRINCIPAL), school(OTHER_PARENT), bcc=[school(STRANGER)])
    answer = await send(school(STRANGER), school(PRINCIPAL), inReplyToId=mail, subject="Re")
    assert received(school, answer) == {PRINCIPAL: "TO", STRANGER: None}
    shown = await show(school(OTHER_PARENT), mail, "conversation { messages { nodes { subject } } }")
    assert shown["conversation"]["messages"]["nodes"] == [{"subject": "Sujet"}]
    assert not await sees(school(OTHER_PARENT), school(STRANGER).id)


# ------------------------------------------------------------------------------------------ answers


async def test_MA7_the_author_may_always_be_answered(school: MailSchool) -> None:
    parent, learner = school(PARENT), school(THIRD)
    await learner.refused("OUT_OF_REACH", "sendMail", mail=letter(parent))
    mail = await send(school(SECRETARY), learner, cc=[parent])
    first = await send(parent, learner, inReplyToId=mail, subject="Re")
    answer = await send(learner, parent, inReplyToId=first, subject="Re: Re")
    assert received(school, answer) == {PARENT: "TO", THIRD: None}
    shown = await show(parent, answer, "inReplyTo { id } conversation { id title messages { nodes { id } } }")
    assert shown["inReplyTo"] == {"id": first}
    assert shown["conversation"]["title"] == "Sujet"
    assert [each["id"] for each in shown["conversation"]["messages"]["nodes"]] == [mail, first, answer]


async def test_the_knob_of_replies_is_the_organizations(school: MailSchool) -> None:
    parent, learner = school(PARENT), school(THIRD)
    mail = await send(school(SECRETARY), learner, cc=[parent, school.audience("GUARDIAN")])
    school.turn(reply="WITHIN_REACH")
    for whom in (parent, school.audience("GUARDIAN")):
        await learner.refused("OUT_OF_REACH", "sendMail", mail=letter(whom, inReplyToId=mail))
    await send(learner, school(SECRETARY), inReplyToId=mail)
    school.turn(reply="WHILE_EITHER_MAY_START")
    await learner.refused("OUT_OF_REACH", "sendMail", mail=letter(parent, inReplyToId=mail))
    await send(learner, school(SECRETARY), inReplyToId=mail)


async def test_reply_to_all_never_widens(school: MailSchool) -> None:
    audience = school.audience("GUARDIAN")
    mail = await send(school(TEACHER), audience, cc=[school(LEARNER)], bcc=[school(OTHER_CURATOR)])
    with school.api.database.transaction() as tx:
        left = select(users.c.id).where(users.c.login == OTHER_PARENT).scalar_subquery()
        joins = select(users.c.id, users.c.organization_id).where(users.c.login == STRANGER)
        group = int(school.api.group(CLASS).partition("_")[2])
        there = (memberships.c.group_id == group, memberships.c.user_id == left)
        tx.execute(update(memberships).where(*there).values(until=tx.now))
        person = tx.execute(joins).one()
        tx.execute(
            insert(memberships).values(
                organization_id=person.organization_id,
                user_id=person.id,
                group_id=group,
                position="GUARDIAN",
                since=tx.now,
            )
        )
    everybody = [school(TEACHER), audience, school(LEARNER)]
    answer = await send(school(PARENT), *everybody, inReplyToId=mail)
    who_knew = {**dict.fromkeys(PARENTS_OF_CLASS, "TO"), TEACHER: "TO", LEARNER: "TO", PARENT: None}
    assert received(school, answer) == who_knew
    again = await send(school(LEARNER), school(PARENT), *everybody, inReplyToId=answer)
    assert received(school, again) == {**dict.fromkeys(PARENTS_OF_CLASS, "TO"), TEACHER: "TO", LEARNER: "TO"}
    # Whoever may address the audience anyway does so only in a mail of his own.
    of_the_teacher = await send(school(TEACHER), audience, inReplyToId=answer)
    assert STRANGER not in received(school, of_the_teacher)
    assert STRANGER in received(school, await send(school(TEACHER), audience))


async def test_reply_to_all_names_nobody_who_was_hidden(school: MailSchool) -> None:
    mail = await send(school(PRINCIPAL), school(LEARNER), bcc=[school(OTHER_PARENT), school.audience("GUARDIAN")])
    for whom in (school(OTHER_PARENT), school.audience("GUARDIAN")):
        await school(LEARNER).refused("OUT_OF_REACH", "sendMail", mail=letter(whom, inReplyToId=mail))


async def test_an_answer_needs_a_mail_that_its_author_sees(school: MailSchool) -> None:
    learner = school(LEARNER)
    mail = await send(school(SECRETARY), school(CLASSMATE))
    for parent in (mail, "Message_999999", "nonsense", school(CURATOR).id):
        await learner.refused("NOT_FOUND", "sendMail", mail=letter(school(CURATOR), inReplyToId=parent))
        await learner.refused("NOT_FOUND", "saveDraft", mail=letter(school(CURATOR), inReplyToId=parent))
    own = await send(learner, school(CURATOR))
    await learner.do("trashMessages", messageIds=[own])
    await send(learner, school(CURATOR), inReplyToId=own)
    await learner.do("purgeMessages", messageIds=[own])
    await learner.refused("NOT_FOUND", "sendMail", mail=letter(school(CURATOR), inReplyToId=own))


async def test_who_has_left_the_school_cannot_be_answered_and_does_not_stop_an_answer_to_all(
    school: MailSchool,
) -> None:
    curator, learner = school(CURATOR), school(LEARNER)
    mail = await send(curator, learner, cc=[school(CLASSMATE)])
    with school.api.database.transaction() as tx:
        tx.execute(update(users).where(users.c.login == CURATOR).values(deactivated_at=tx.now))
    await learner.refused("COUNTERPART_GONE", "sendMail", mail=letter(curator, inReplyToId=mail))
    answer = await send(learner, curator, school(CLASSMATE), inReplyToId=mail)
    assert received(school, answer) == {CLASSMATE: "TO", LEARNER: None}


# ----------------------------------------------------------------------------------------- refusals


async def test_shapes_that_are_refused(school: MailSchool) -> None:
    author, learner = school(CURATOR), school(LEARNER)
    for body in ("", " \n\t", "\u200b", "a" * 20_001, "a\x07", "<p> &nbsp; </p>", "<script>x</script>", "a&#7;"):
        await author.invalid("body", "sendMail", mail=letter(learner, body=body))
    await author.invalid("body", "sendMail", mail={"to": [learner.id]})
    for subject in ("a" * 201, "a\nb", "a\x00"):
        await author.invalid("subject", "sendMail", mail=letter(learner, subject=subject))
    many = ["User_1"] * 101
    await author.invalid("to", "sendMail", mail=letter(*many))
    await author.invalid("bcc", "sendMail", mail=letter(*many[:50], cc=many[:50], bcc=many[:1]))
    await author.invalid("idempotencyKey", "sendMail", mail=letter(learner), idempotencyKey=" ")
    await send(author, learner, subject="", body="a" * 20_000)
    assert await folder(learner) == [""]


async def test_lists_that_are_null_or_left_out_are_empty(school: MailSchool) -> None:
    author = school(CURATOR)
    nothing = {"to": None, "cc": None, "bcc": None, "attachmentIds": None, "inReplyToId": None, "subject": None}
    refusal = await author.refused("NO_RECIPIENT", "sendMail", mail={**nothing, "body": "x"})
    assert refusal["field"] == "to"
    await author.do("sendMail", mail={**nothing, "bcc": [school(LEARNER).id], "body": "x"})
    assert await folder(school(LEARNER)) == [""]


async def test_NO_RECIPIENT_an_audience_with_nobody_in_it(school: MailSchool) -> None:
    with school.api.database.transaction() as tx:
        tx.execute(update(users).where(users.c.login == CURATOR).values(deactivated_at=tx.now))
    await school(SECRETARY).refused("NO_RECIPIENT", "sendMail", mail=letter(school.audience("CURATOR")))


async def test_TOO_LARGE_more_people_than_the_policy_admits(school: MailSchool) -> None:
    school.turn(mostRecipients=4)
    refusal = await school(CURATOR).refused("TOO_LARGE", "sendMail", mail=letter(school.audience("LEARNER")))
    assert refusal["field"] == "to"
    school.turn(mostRecipients=5)
    await send(school(CURATOR), school.audience("LEARNER"), cc=[school(LEARNER)])


async def test_switches_come_in_their_order_before_reach(school: MailSchool) -> None:
    learner, far = school(LEARNER), school(OTHER_LEARNER)
    old = await send(school(CURATOR), learner)
    unseen = letter(far, inReplyToId="Message_999999")
    for knobs, code in (
        ({"messagingEnabled": False, "lockdown": True, "conversationKinds": []}, "MESSAGING_DISABLED"),
        ({"lockdown": True, "conversationKinds": []}, "LOCKDOWN"),
        ({"conversationKinds": ["DIRECT", "GROUP"]}, "KIND_NOT_OFFERED"),
    ):
        school.turn(**knobs)
        await learner.refused(code, "sendMail", mail=letter(far))
        await learner.refused("NOT_FOUND", "sendMail", mail=unseen)
        await learner.refused("NO_RECIPIENT", "sendMail", mail=letter())
    school.turn(lockdown=True)
    await send(school(PRINCIPAL), learner)
    await learner.do("trashMessages", messageIds=[old])


async def test_M8_attachments_go_with_the_mail_and_are_the_authors_own(school: MailSchool) -> None:
    author, learner = school(CURATOR), school(LEARNER)
    files = [school.upload(author, name) for name in ("b.png", "a.png")]
    mail = await send(author, learner, attachmentIds=files)
    assert (await show(learner, mail, "attachments { name }"))["attachments"] == [
        {"name": "b.png"},
        {"name": "a.png"},
    ]
    for ids in (files[:1], ["Attachment_999999"], ["nonsense"], [school.upload(learner)]):
        await author.refused("NOT_FOUND", "sendMail", mail=letter(learner, attachmentIds=ids))
    many = [school.upload(author) for _ in range(21)]
    refusal = await author.refused("TOO_LARGE", "sendMail", mail=letter(learner, attachmentIds=many))
    assert refusal["field"] == "attachmentIds"


async def test_a_repeated_call_sends_nothing_again(school: MailSchool) -> None:
    author, learner = school(CURATOR), school(LEARNER)
    whole = letter(learner, cc=[school(PRINCIPAL)], attachmentIds=[school.upload(author)])
    made = await author.do("sendMail", "sent { id }", mail=whole, idempotencyKey="k")
    with school.api.unchanged():
        again = await author.do("sendMail", "sent { id }", mail=whole, idempotencyKey="k")
    assert again == made
    others: tuple[dict[str, object], ...] = (
        {"subject": "x"},
        {"body": "x"},
        {"bcc": [school(SECRETARY).id]},
        {"attachmentIds": []},
    )
    for other in others:
        await author.refused("IDEMPOTENCY_CONFLICT", "sendMail", mail={**whole, **other}, idempotencyKey="k")
    swapped = {**whole, "to": whole["cc"], "cc": whole["to"]}
    await author.refused("IDEMPOTENCY_CONFLICT", "sendMail", mail=swapped, idempotencyKey="k")
    await author.refused("OUT_OF_REACH", "sendMail", mail=letter("nonsense"), idempotencyKey="new")
    await author.do("sendMail", mail=letter(learner), idempotencyKey="new")
    await author.do("trashMessages", messageIds=[made["sent"]["id"]])
    await author.do("purgeMessages", messageIds=[made["sent"]["id"]])
    with school.api.unchanged():
        assert await author.do("sendMail", "sent { id }", mail=whole, idempotencyKey="k") == made


async def test_sendMessage_is_not_for_mail(school: MailSchool) -> None:
    mail = await send(school(CURATOR), school(LEARNER))
    thread = (await show(school(LEARNER), mail, "conversation { id }"))["conversation"]["id"]
    await school(LEARNER).refused("KIND_NOT_OFFERED", "sendMessage", conversationId=thread, body="x")
    await school(LEARNER).refused("IMMUTABLE", "deleteConversation", conversationId=thread)
    await school(LEARNER).refused("IMMUTABLE", "deleteMessages", messageIds=[mail])


# --------------------------------------------------------------------------------- threads, and live


async def titles(person: Person) -> list[tuple[str, int]]:
    shown = await person.ask("{ viewer { conversations { nodes { kind title unreadCount } } } }")
    nodes = shown["viewer"]["conversations"]["nodes"]
    assert {each["kind"] for each in nodes} <= {"MAIL"}
    return [(each["title"], each["unreadCount"]) for each in nodes]


async def test_a_thread_is_what_each_has_of_it(school: MailSchool) -> None:
    teacher, learner, other = school(TEACHER_OF_BOTH), school(THIRD), school(SECRETARY)
    first = await send(teacher, learner, subject="Un")
    second = await send(teacher, learner, other, subject="Deux", inReplyToId=first)
    await send(teacher, learner, subject="Trois")
    assert await titles(learner) == [("Trois", 1), ("Un", 2)]
    assert await titles(other) == [("Deux", 1)]
    assert await titles(teacher) == [("Trois", 0), ("Un", 0)]
    shown = await show(
        other, second, "inReplyTo { id } conversation { lastMessage { subject } messages { totalCount } }"
    )
    assert shown == {
        "inReplyTo": None,
        "conversation": {"lastMessage": {"subject": "Deux"}, "messages": {"totalCount": 1}},
    }
    open_rows = [(row.room_id, row.user_id) for row in school.api.rows(participations) if row.latest_event]
    assert len(open_rows) == len(set(open_rows)) == 5


async def test_mail_arrives_live_once_and_raises_the_badge(school: MailSchool) -> None:
    author, learner = school(CURATOR), school(LEARNER)
    now = await cursor(learner)
    arrivals = """subscription($after: String) { messageReceived(after: $after) {
        message { subject author { login } } } }"""
    counts = "subscription { badgesChanged { unreadMail unreadMessages } }"
    async with (
        learner.listening(arrivals, after=now) as here,
        author.listening(arrivals, after=now) as at_the_authors,
        school(OTHER_LEARNER).listening(arrivals, after=now) as elsewhere,
        learner.listening(counts) as badges,
    ):
        assert await badges.next() == {"unreadMail": 0, "unreadMessages": 0}
        mail = await send(author, school.audience("LEARNER"), cc=[learner], subject="Sortie")
        told = {"message": {"subject": "Sortie", "author": {"login": CURATOR}}}
        assert await here.next() == told
        assert await at_the_authors.next() == told
        assert await badges.next() == {"unreadMail": 1, "unreadMessages": 0}
        await learner.do("markMessagesRead", messageIds=[mail])
        assert await badges.next() == {"unreadMail": 0, "unreadMessages": 0}
        await here.nothing()
        await elsewhere.nothing()


async def test_refused_mail_leaves_nothing(school: MailSchool) -> None:
    """`refused` looks at every table; here is what it would have found."""
    await send(school(CURATOR), school(LEARNER), cc=[school(LIBRARIAN)])
    counts = {table.name: len(school.api.rows(table)) for table in (messages, recipients, deliveries)}
    assert counts == {"messages": 1, "recipients": 2, "deliveries": 3}
