"""Does each person hear the same, whether it is read once for many or by each alone?

A long history at random, at both demo schools, with every person listening to everything in both ways.
"""

import asyncio
from contextlib import AsyncExitStack
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from models.tables.calls import calls
from models.tables.chats import chats, participations
from models.tables.conversations import conversations, deliveries
from models.tables.organization import organizations
from models.tables.people import users
from models.tables.safeguarding import reports
from tests.api import PATIENCE, Api, Listening, Person
from tests.mailing import MailSchool
from tests.school import NEXT_DOOR, SCHOOL

DOCUMENTS = (
    """subscription { messageReceived { cursor message {
      id subject body format sentAt author { name } conversation { id kind } attachments { id name } } } }""",
    "subscription { messageChanged { cursor messageId } }",
    "subscription { conversationChanged { cursor conversationId } }",
    "subscription { callPublished { cursor call { id title startsAt status chat { id name } } } }",
    "subscription { callChanged { cursor callId chatId } }",
    "subscription { chatChanged { cursor chatId } }",
    "subscription { badgesChanged { newCalls unreadMail unreadMessages unreadConversations openReports } }",
    "subscription { reportChanged { cursor reportId } }",
)
SILENT: dict[str, list[str]] = {SCHOOL: [], NEXT_DOOR: [DOCUMENTS[5]]}
"""Nobody makes or changes chats next door."""

STEPS = 200
CIRCLE = {
    *("admin", "director", "curator.9a", "teacher.english", "teacher.math", "learner.9a.1", "learner.9a.3"),
    *("principale", "secretariat", "pp.3a", "prof.anglais", "eleve.3a.1", "eleve.3a.2", "parent.3a.1"),
}
"""Among whom most things happen."""


class Story:
    """What happens at random in one school."""

    def __init__(self, api: Api, school: str, choose: Random) -> None:
        self.api = api
        self.school = school
        self.choose = choose
        self.done = 0
        self.mail = MailSchool(api) if school == NEXT_DOOR else None
        with api.database.engine.connect() as connection:
            wanted = (
                select(users.c.login)
                .join(organizations, organizations.c.id == users.c.organization_id)
                .where(organizations.c.name == school, users.c.deactivated_at.is_(None))
                .order_by(users.c.id)
            )
            self.people = [api.as_(login, school) for login in connection.scalars(wanted)]

        self.head = api.as_("admin" if school == SCHOOL else "principale", school)
        self.circle = [each for each in self.people if each.login in CIRCLE]

    async def happens(self) -> None:
        """One thing that somebody tries; some are refused."""
        kind = self.choose.choice((*[self._talk] * 4, *[self._rooms, self._chats, self._calls] * 2, self._safety))
        one = (
            self.head
            if kind in (self._chats, self._calls, self._safety) and self.choose.random() < 0.7
            else self._one()
        )
        name, given = kind(one)
        if name:
            self.done += await self._tried(one, name, given)

    async def _tried(self, person: Person, name: str, given: dict[str, Any]) -> bool:
        head = f"mutation($input: {name[0].upper()}{name[1:]}Input!)"
        answer = await person.send(f"{head} {{ {name}(input: $input) {{ __typename }} }}", input=given)
        assert "errors" not in answer, answer
        return str(answer["data"][name]["__typename"]).endswith("Payload")

    def _some(self, most: int = 3) -> list[str]:
        return list({self._one().id for _ in range(self.choose.randint(1, most))})

    def _one(self) -> Person:
        """Most things happen among a few."""
        return self.choose.choice(self.circle if self.choose.random() < 0.9 else self.people)

    def _talk(self, one: Person) -> tuple[str, dict[str, Any]]:
        there, sent = self._own(one, conversations, "Conversation"), self._messages(one)
        match self.choose.randrange(9):
            case 0:
                return "openConversation", {"userId": self.choose.choice(self.people).id}
            case 1:
                return "createGroupConversation", {"title": "Group", "participantIds": self._some(8)}
            case 2 | 6 | 7 if self.mail:
                return "sendMail", {"mail": self._mail(one)}
            case 3 if there:
                return "markConversationRead", {"conversationId": there}
            case 4 if sent:
                return "deleteMessages", {"messageIds": [sent]}
            case 5 if sent:
                return self.choose.choice(("markMessagesUnread", "trashMessages")), {"messageIds": [sent]}
            case _ if there:
                body = self.choose.choice(("Hello", "attachment:Attachment_1", "Привет"))
                return "sendMessage", {"conversationId": there, "body": body}
        return "", {}

    def _mail(self, one: Person) -> dict[str, Any]:
        """Some with a file that is shown in the body, by an address of each reader's own."""
        people = {"to": self._some(), "cc": self._some(), "bcc": self._some(2)}
        if self.mail is None or self.choose.random() < 0.5:
            return {"subject": "Sujet", "body": "<p>Bonjour</p>", **people}
        file = self.mail.upload(one)
        body = f'<p><img src="attachment:{file}"></p>'
        return {"subject": "Image", "body": body, "attachmentIds": [file], **people}

    def _rooms(self, one: Person) -> tuple[str, dict[str, Any]]:
        there = self._own(one, conversations, "Conversation")
        if not there:
            return "", {}
        return self.choose.choice(
            (
                ("renameConversation", {"conversationId": there, "title": f"Title {self.done}"}),
                ("addParticipants", {"conversationId": there, "userIds": self._some()}),
                ("removeParticipants", {"conversationId": there, "userIds": self._some(1)}),
                ("leaveConversation", {"conversationId": there}),
                ("muteConversation", {"conversationId": there, "muted": self.choose.random() < 0.5}),
                ("deleteConversation", {"conversationId": there}),
            )
        )

    def _chats(self, one: Person) -> tuple[str, dict[str, Any]]:
        there = self._own(one, chats, "Chat")
        if not there or self.choose.random() < 0.2:
            return "createChat", {"kind": "CUSTOM", "name": "Chat", "participantIds": self._some(8)}
        return self.choose.choice(
            (
                ("renameChat", {"chatId": there, "name": f"Name {self.done}"}),
                ("addChatParticipants", {"chatId": there, "userIds": self._some()}),
                ("removeChatParticipants", {"chatId": there, "userIds": self._some(1)}),
                ("deleteChat", {"chatId": there}),
                ("createCall", {"chatId": there, "title": "Call", "startsAt": "2026-09-11T09:00:00+05:00"}),
            )
        )

    def _calls(self, one: Person) -> tuple[str, dict[str, Any]]:
        there = self._own(one, chats, "Chat")
        with self.api.database.engine.connect() as connection:
            wanted = select(calls.c.id).where(calls.c.chat_id == int(there.partition("_")[2] or 0))
            found = list(connection.scalars(wanted.order_by(calls.c.id)))
        if not found:
            return self._chats(one)
        call = f"Call_{self.choose.choice(found)}"
        change = {"callId": call, "title": f"Title {self.done}"}
        return self.choose.choice(
            (
                ("publishCall", {"callId": call}),
                ("publishCall", {"callId": call}),
                ("finishCall", {"callId": call}),
                ("updateCall", change),
                ("deleteCall", {"callId": call}),
            )
        )

    def _safety(self, one: Person) -> tuple[str, dict[str, Any]]:
        found, sent = self._one_of(select(reports.c.id).order_by(reports.c.id), "Report"), self._messages(one)
        other = self._one().id
        return self.choose.choice(
            (
                ("reportMessage", {"messageId": sent, "reason": "Так нельзя"}),
                ("reportMessage", {"messageId": sent, "reason": "Так нельзя"}),
                ("readReport", {"reportId": found, "reason": "Жалоба"}),
                ("decideReport", {"reportId": found, "decision": self.choose.choice(("KEEP", "HIDE"))}),
                ("blockPerson", {"userId": other}),
                ("unblockPerson", {"userId": other}),
            )
        )

    def _own(self, one: Person, table: Any, name: str) -> str:
        """The id of a room of this kind in which the person takes part; none: an empty text."""
        assert one.viewer is not None
        wanted = (
            select(table.c.id)
            .join(participations, participations.c.room_id == table.c.id)
            .where(participations.c.user_id == one.viewer.id, participations.c.left_at.is_(None))
        )
        return self._one_of(wanted.order_by(table.c.id), name)

    def _messages(self, one: Person) -> str:
        assert one.viewer is not None
        wanted = select(deliveries.c.message_id).where(
            deliveries.c.user_id == one.viewer.id, deliveries.c.deleted_at.is_(None)
        )
        return self._one_of(wanted.order_by(deliveries.c.message_id), "Message")

    def _one_of(self, wanted: Any, name: str) -> str:
        with self.api.database.engine.connect() as connection:
            found = list(connection.scalars(wanted))
        return f"{name}_{self.choose.choice(found)}" if found else ""


@pytest.mark.parametrize("school", [SCHOOL, NEXT_DOOR])
async def test_all_hear_the_same_together_as_alone(api: Api, school: str) -> None:
    story = Story(api, school, Random(2026))
    async with AsyncExitStack() as stack:
        pairs: list[tuple[Listening, Listening]] = []
        for person in story.people:
            for document in DOCUMENTS:
                together = await stack.enter_async_context(person.listening(document))
                alone = await stack.enter_async_context(person.listening(document))
                alone.takes_pushes = False
                pairs.append((together, alone))
        await settled(api, pairs)
        for _ in range(STEPS):
            await story.happens()
            await settled(api, pairs)
        heard = [(taken(together), taken(alone)) for together, alone in pairs]
        for shared, own in heard:
            assert shared == own
        told = [sum(len(one) for one, _ in heard[place :: len(DOCUMENTS)]) for place in range(len(DOCUMENTS))]
        assert [document for document, count in zip(DOCUMENTS, told, strict=True) if not count] == SILENT[school]
        assert sum(one.pushed for one, _ in pairs) > 0.7 * (sum(told) - len(story.people))
        assert sum(other.pushed for _, other in pairs) == 0


def taken(listening: Listening) -> list[Any]:
    """All that has come, as it came."""
    return [listening._queue.get_nowait() for _ in range(listening.waiting)]


async def settled(api: Api, pairs: list[tuple[Listening, Listening]]) -> None:
    """Everybody has heard of everything."""
    with api.database.engine.connect() as connection:
        last = {row.id: row.last_event for row in connection.execute(select(organizations))}
    known = api.listeners._organizations

    def is_settled() -> bool:
        looking = [group.is_looking for there in known.values() for group in there.groups.values()]
        seen = all(there.seen == last[each] for each, there in known.items())
        return seen and not any(looking) and all(one.is_parked and other.is_parked for one, other in pairs)

    async with asyncio.timeout(4 * PATIENCE):
        while not is_settled():  # noqa: ASYNC110
            await asyncio.sleep(0.002)
