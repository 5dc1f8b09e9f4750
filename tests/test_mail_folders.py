"""Where does mail lie, what moves it, and who else notices?"""

from collections.abc import AsyncIterator

import pytest

from models.tables.chats import participations
from models.tables.conversations import attachments, deliveries, messages, recipients
from tests.api import Api
from tests.listening import cursor
from tests.mailing import (
    CLASSMATE,
    CURATOR,
    LEARNER,
    PRINCIPAL,
    SECRETARY,
    TEACHER,
    MailSchool,
    folder,
    folders,
    letter,
    save,
    send,
    unread,
)
from tests.school import CURATOR_9A, LEARNER_9A
from tests.steps import Since, sees, show


@pytest.fixture
async def school(api: Api) -> AsyncIterator[MailSchool]:
    yield MailSchool(api)


async def threads(school: MailSchool, login: str) -> list[str]:
    shown = await school(login).ask("{ viewer { conversations { nodes { title } } } }")
    return [each["title"] for each in shown["viewer"]["conversations"]["nodes"]]


# --------------------------------------------------------------------------------------- what is new


async def test_scenario_27_unread(school: MailSchool) -> None:
    learner = school(LEARNER)
    first = await send(school(CURATOR), learner, subject="Un")
    second = await send(school(TEACHER), learner, subject="Deux")
    assert await unread(learner) == (2, 2)
    feed = await learner.ask("{ viewer { feed { nodes { subject { ... on Message { subject } } } } } }")
    assert [each["subject"]["subject"] for each in feed["viewer"]["feed"]["nodes"]] == ["Deux", "Un"]
    read = await learner.do("markMessagesRead", "badges { unreadMail }", messageIds=[first])
    assert read["badges"] == {"unreadMail": 1}
    assert await unread(learner) == (1, 1)
    gone = await learner.do("trashMessages", "badges { unreadMail } messages { isRead }", messageIds=[second])
    assert gone == {"badges": {"unreadMail": 0}, "messages": [{"isRead": False}], "__typename": gone["__typename"]}
    await save(learner, subject="brouillon")
    assert await unread(learner) == (0, 0)


async def test_M10_M11_M12_bold_until_it_is_read(school: MailSchool) -> None:
    learner = school(LEARNER)
    mail = await send(school(CURATOR), learner)
    assert await show(learner, mail, "isRead") == {"isRead": False}
    assert await show(school(CURATOR), mail, "isRead") == {"isRead": True}
    assert await folder(learner, unreadOnly=True) == ["Sujet"]
    await learner.do("markMessagesRead", messageIds=[mail])
    assert await folder(learner, unreadOnly=True) == []
    back = await learner.do("markMessagesUnread", "badges { unreadMail }", messageIds=[mail])
    assert back["badges"] == {"unreadMail": 1}
    assert await unread(learner) == (1, 1)


async def test_unread_is_counted_in_each_folder(school: MailSchool) -> None:
    learner = school(LEARNER)
    mails = [await send(school(CURATOR), learner) for _ in range(3)]
    await learner.do("trashMessages", messageIds=mails[:2])
    await learner.do("markMessagesRead", messageIds=mails[:1])
    counts = {}
    for name in ("INBOX", "SENT", "DRAFTS", "TRASH"):
        document = f"{{ viewer {{ mailbox(folder: {name}) {{ unreadCount }} }} }}"
        counts[name] = (await learner.ask(document))["viewer"]["mailbox"]["unreadCount"]
    assert counts == {"INBOX": 1, "SENT": 0, "DRAFTS": 0, "TRASH": 1}


# ------------------------------------------------------------------------------------ lists and search


async def test_a_mailbox_is_paged_both_ways_and_its_end_is_the_newest(school: MailSchool) -> None:
    learner = school(LEARNER)
    for number in range(25):
        await send(school(CURATOR), learner, subject=f"{number:02}")
    document = """query($first: Int, $after: String, $last: Int, $before: String) { viewer {
        mailbox(folder: INBOX) { messages(first: $first, after: $after, last: $last, before: $before) {
            edges { cursor node { subject } }
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } } }"""

    async def page(**chosen: object) -> tuple[list[str], dict[str, object]]:
        found = (await learner.ask(document, **chosen))["viewer"]["mailbox"]["messages"]
        return [edge["node"]["subject"] for edge in found["edges"]], found["pageInfo"]

    everything = [f"{number:02}" for number in range(25)]
    newest, info = await page()
    assert newest == everything[5:]
    assert (info["hasPreviousPage"], info["hasNextPage"]) == (True, False)
    older, before = await page(last=3, before=info["startCursor"])
    assert older == everything[2:5]
    assert before["hasPreviousPage"] is True
    assert (await page(first=2))[0] == everything[:2]
    assert (await page(first=2, after=before["endCursor"]))[0] == everything[5:7]
    await learner.fails("BAD_REQUEST", document, before="nonsense")
    await learner.fails("BAD_REQUEST", document, first=1, last=1)
    await learner.fails("LIMIT_EXCEEDED", document, last=101)


async def test_a_page_of_a_mailbox_is_one_statement(school: MailSchool) -> None:
    await send(school(CURATOR), school(LEARNER), cc=[school.audience("LEARNER")])
    document = """{ viewer { mailbox(folder: INBOX) { unreadCount messages { nodes {
        id subject body isRead sentAt author { name } to { ... on User { name } }
        cc { ... on Audience { name size } } bcc { ... on User { name } }
        attachments { name url } conversation { title } viewerActions } } } } }"""
    school.api.statements.clear()
    await school(LEARNER).ask(document)
    assert len(school.api.statements) == 1


async def test_the_search_looks_at_subjects_and_authors_folded(school: MailSchool) -> None:
    learner = school(LEARNER)
    await send(school(CURATOR), learner, subject="Été à Évian")
    await send(school(TEACHER), learner, subject="100 % sûr")
    assert await folder(learner, search="ete") == ["Été à Évian"]
    assert await folder(learner, search="BONNEFOY") == ["Été à Évian"]
    assert await folder(learner, search="%") == ["100 % sûr"]
    assert await folder(learner, search="_") == []
    document = "query($s: String) { viewer { mailbox(folder: INBOX) { messages(search: $s) { totalCount } } } }"
    await learner.fails("LIMIT_EXCEEDED", document, s="a" * 201)


# --------------------------------------------------------------------------- trash, restore, purge


async def test_M13_M14_MA2_MA3_only_ones_own_copy_moves(school: MailSchool) -> None:
    author, learner = school(CURATOR), school(LEARNER)
    mail = await send(author, learner, school(CLASSMATE))
    trashed = await learner.do("trashMessages", "messages { id viewerActions }", messageIds=[mail])
    assert trashed["messages"] == [{"id": mail, "viewerActions": ["REPLY", "RESTORE", "PURGE"]}]
    assert await folders(learner) == {"TRASH": ["Sujet"]}
    assert await folders(school(CLASSMATE)) == {"INBOX": ["Sujet"]}
    assert await folders(author) == {"SENT": ["Sujet"]}
    await author.do("trashMessages", messageIds=[mail])
    assert await folders(author) == {"TRASH": ["Sujet"]}
    await author.do("restoreMessages", messageIds=[mail])
    restored = await learner.do("restoreMessages", "messages { viewerActions }", messageIds=[mail])
    assert restored["messages"] == [{"viewerActions": ["REPLY", "TRASH"]}]
    assert await folders(learner) == {"INBOX": ["Sujet"]}
    assert await folders(author) == {"SENT": ["Sujet"]}
    await learner.do("trashMessages", messageIds=[mail])
    purged = await learner.do("purgeMessages", "purgedMessageIds badges { unreadMail }", messageIds=[mail])
    assert purged["purgedMessageIds"] == [mail]
    assert await folders(learner) == {}
    assert not await sees(learner, mail)
    assert (await show(school(CLASSMATE), mail, "body"))["body"] == "Bonjour"


async def test_several_at_once_all_or_nothing(school: MailSchool) -> None:
    learner = school(LEARNER)
    mails = [await send(school(CURATOR), learner, subject=str(number)) for number in range(3)]
    await learner.refused("NOT_FOUND", "trashMessages", messageIds=[*mails, "Message_999999"])
    await learner.do("trashMessages", messageIds=[*mails, mails[0]])
    assert await folder(learner, "TRASH") == ["0", "1", "2"]
    await learner.do("restoreMessages", messageIds=mails[:1])
    await learner.refused("NOT_IN_TRASH", "restoreMessages", messageIds=mails)
    await learner.refused("NOT_IN_TRASH", "purgeMessages", messageIds=mails)
    await learner.do("purgeMessages", messageIds=mails[1:])
    await learner.refused("NOT_FOUND", "purgeMessages", messageIds=mails[1:])
    for mutation in ("trashMessages", "restoreMessages", "purgeMessages"):
        await learner.invalid("messageIds", mutation, messageIds=[mails[0]] * 101)
        await learner.refused("NOT_FOUND", mutation, messageIds=["nonsense"])
        await school(CLASSMATE).refused("NOT_FOUND", mutation, messageIds=mails[:1])
        with school.api.unchanged():
            await learner.do(mutation, messageIds=[])


async def test_MA9_trashing_twice_is_no_mistake_and_the_other_two_need_the_trash(school: MailSchool) -> None:
    learner = school(LEARNER)
    mail = await send(school(CURATOR), learner)
    await learner.refused("NOT_IN_TRASH", "purgeMessages", messageIds=[mail])
    await learner.refused("NOT_IN_TRASH", "restoreMessages", messageIds=[mail])
    since = Since(school.api)
    await learner.do("trashMessages", messageIds=[mail])
    assert since.events() == ["MESSAGE_CHANGED"]
    with school.api.unchanged():
        await learner.do("trashMessages", messageIds=[mail])


async def test_MA2_with_the_last_copy_goes_the_text(school: MailSchool) -> None:
    author, learner = school(CURATOR), school(LEARNER)
    mail = await send(
        author,
        learner,
        subject="Secret",
        body="Secret",
        attachmentIds=[school.upload(author)],
        bcc=[school(PRINCIPAL)],
    )
    answer = await send(learner, author, inReplyToId=mail, subject="Re")
    for login in (LEARNER, PRINCIPAL, CURATOR):
        assert next(row.body for row in school.api.rows(messages)) == "Secret"
        await school(login).do("trashMessages", messageIds=[mail])
        await school(login).do("purgeMessages", messageIds=[mail])
    erased = school.api.rows(messages)[0]
    assert (erased.body, erased.subject, erased.subject_key) == ("", None, None)
    assert [row.message_id for row in school.api.rows(attachments)] == [None]
    assert {row.message_id for row in school.api.rows(recipients)} == {int(answer.partition("_")[2])}
    assert (await show(author, answer, "inReplyTo { id }"))["inReplyTo"] is None


async def test_IMMUTABLE_where_there_is_no_trash(school: MailSchool, api: Api) -> None:
    learner = school(LEARNER)
    mail = await send(school(CURATOR), learner)
    school.turn(messageDeletion="NONE")
    await learner.refused("IMMUTABLE", "trashMessages", messageIds=[mail])
    assert (await show(learner, mail, "viewerActions"))["viewerActions"] == ["REPLY"]
    curator, other = api.as_(CURATOR_9A), api.as_(LEARNER_9A)
    there = (await curator.do("openConversation", "conversation { id }", userId=other.id))["conversation"]["id"]
    sent = await curator.do("sendMessage", "sent { id }", conversationId=there, body="x")
    await other.refused("IMMUTABLE", "trashMessages", messageIds=[sent["sent"]["id"]])


async def test_the_thread_follows_what_is_left_of_it(school: MailSchool) -> None:
    learner = school(LEARNER)
    first = await send(school(CURATOR), learner, subject="Un")
    other = await send(school(CURATOR), learner, subject="Autre")
    second = await send(school(CURATOR), learner, subject="Deux", inReplyToId=first)
    assert await threads(school, LEARNER) == ["Un", "Autre"]
    await learner.do("trashMessages", messageIds=[second])
    assert await threads(school, LEARNER) == ["Autre", "Un"]
    await learner.do("trashMessages", messageIds=[first])
    assert await threads(school, LEARNER) == ["Autre"]
    await learner.do("restoreMessages", messageIds=[second])
    assert await threads(school, LEARNER) == ["Un", "Autre"]
    await learner.do("trashMessages", messageIds=[second, other])
    assert await threads(school, LEARNER) == []
    latest = [row.latest_event for row in school.api.rows(participations) if row.user_id == learner.viewer.id]  # type: ignore[union-attr]
    assert set(latest) == {None}
    await learner.do("purgeMessages", messageIds=[second])
    third = await send(school(CURATOR), learner, subject="Trois", inReplyToId=first)
    assert len(await threads(school, LEARNER)) == 1
    assert await sees(learner, third)


async def test_other_devices_hear_of_each_move(school: MailSchool) -> None:
    learner = school(LEARNER)
    mail = await send(school(CURATOR), learner, school(CLASSMATE))
    now = await cursor(learner)
    changed = """subscription($after: String) { messageChanged(after: $after) {
        messageId message { isRead viewerActions } } }"""
    badges = "subscription { badgesChanged { unreadMail } }"
    async with (
        learner.listening(changed, after=now) as here,
        learner.listening(badges) as badge,
        school(CLASSMATE).listening(changed, after=now) as elsewhere,
        school(CURATOR).listening(changed, after=now) as at_the_authors,
    ):
        assert await badge.next() == {"unreadMail": 1}
        await learner.do("trashMessages", messageIds=[mail])
        actions = {"isRead": False, "viewerActions": ["REPLY", "RESTORE", "PURGE"]}
        assert await here.next() == {"messageId": mail, "message": actions}
        assert await badge.next() == {"unreadMail": 0}
        await learner.do("restoreMessages", messageIds=[mail])
        assert await here.next() == {
            "messageId": mail,
            "message": {"isRead": False, "viewerActions": ["REPLY", "TRASH"]},
        }
        assert await badge.next() == {"unreadMail": 1}
        await learner.do("trashMessages", messageIds=[mail])
        await learner.do("purgeMessages", messageIds=[mail])
        await here.next()
        assert await here.next() == {"messageId": mail, "message": None}
        await elsewhere.nothing()
        await at_the_authors.nothing()


async def test_folders_are_ones_own(school: MailSchool) -> None:
    await send(school(CURATOR), school(LEARNER))
    assert await folders(school(SECRETARY)) == {}
    assert {row.user_id for row in school.api.rows(deliveries)} == {
        school(login).viewer.id  # type: ignore[union-attr]
        for login in (CURATOR, LEARNER)
    }
    await school(SECRETARY).refused("NOT_FOUND", "sendMail", mail=letter(school(LEARNER)), draftId="Message_1")
