"""On what does a story stand, and how is it judged? A school that is served, its people, and the plain model.

After each step what is stored, counted and heard must be what the model says.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine
from sqlalchemy import func, select

from models.tables.chats import participations
from models.tables.conversations import deliveries
from tests.api import QUIET, Api, Person
from tests.conversation_model import Model, Refusal
from tests.followers import Counter, Follower
from tests.recount import assert_badges_equal_a_recount
from tests.school import (
    CURATOR_9A,
    DIRECTOR,
    LEARNER_9A,
    PSYCHOLOGIST,
    TEACHER,
    SchoolClock,
    build_school,
    school_database,
)
from tests.steps import turn

POLL_SECONDS = 0.1
"""The listeners' own net."""

PEOPLE = (TEACHER, DIRECTOR, CURATOR_9A, LEARNER_9A)
OFFICER, OFFICERS = PSYCHOLOGIST, 3
"""Who looks at reports, and how many hear of them: the school's staff."""

SHOWN = """... on Conversation { title isMuted unreadCount lastMessage { id }
  messages(first: 100) { nodes { id body isRead author { login } } }
  participants(first: 100) { nodes { isAdministrator user { login } } } }"""


class Stage(RuleBasedStateMachine):
    """A few people of one school, what they listen to, and what the model knows of it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="preau-story-"))
        self.clock = SchoolClock()
        self.runner = asyncio.Runner()
        self.followers: list[Follower] = []
        self.counters: list[Counter] = []
        self.steps = 0
        self.hidden: set[str] = set()
        self.is_well = True
        database = build_school(self.folder / "school.db", clock=self.clock)
        turn(database, messageDeletion="FOR_ME", safeguardingPosition="STAFF")
        self.url = database.url
        self.run(self.serve())
        self.before = self.run(self._rows())
        shown = self.run(self.by(TEACHER).ask("{ viewer { eventCursor } }"))
        self.model = Model(int(shown["viewer"]["eventCursor"]))

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    def by(self, login: str) -> Person:
        return self.people[login]

    def teardown(self) -> None:
        try:
            if self.is_well:
                self.run(asyncio.sleep(QUIET / 3))
                for login in PEOPLE:
                    self.run(self._looks(login))
                self.run(self._everybody_has_heard())
                assert_badges_equal_a_recount(self.api.database)
        finally:
            self.run(self.stop())
            self.runner.close()
            shutil.rmtree(self.folder)

    # ------------------------------------------------------------------------------------------ below

    async def serve(self) -> None:
        self._stack = AsyncExitStack()
        database = school_database(self.url, clock=self.clock)
        self.api = await self._stack.enter_async_context(Api.serving(database))
        self.api.listeners._poll_seconds = POLL_SECONDS
        self.people = {login: self.api.as_(login) for login in (*PEOPLE, OFFICER)}

    async def stop(self) -> None:
        for line in [each.line for each in self.followers] + [each.line for each in self.counters]:
            await line.close()
        await self._stack.aclose()

    def does(self, who: str, mutation: str, given: dict[str, Any], act: Callable[[], None]) -> None:
        """Somebody does it, or is refused; the model says which, after the program has answered."""
        answer = self.run(self._answer(who, mutation, given))
        refusal = self.refusal(act)
        assert answer.get("code") == refusal, (who, mutation, given, answer, refusal)
        self.all_is_well()

    def says(self, who: str, there: str, body: str, key: str, meanwhile: Follower | None = None) -> None:
        given = {"conversationId": there, "body": body, "idempotencyKey": key}

        async def sent() -> Any:
            answer = await self._answer(who, "sendMessage", given, "sent { id body }")
            if meanwhile is not None:
                await meanwhile.line_breaks()
            return answer

        answer, before = self.run(sent()), None

        def act() -> None:
            nonlocal before
            before = self.model.may_send(who, there, body, key)

        assert answer.get("code") == self.refusal(act), (who, given, answer)
        if "sent" in answer:
            assert answer["sent"]["body"] == body
            assert before in (None, answer["sent"]["id"])
            if before is None:
                assert answer["sent"]["id"] not in self.model.messages
                self.model.send(who, there, body, key, answer["sent"]["id"])
        if meanwhile is not None:
            meanwhile.was_cut(self.model)
        self.all_is_well()

    async def _answer(self, who: str, mutation: str, given: dict[str, Any], selection: str = "__typename") -> Any:
        name = f"{mutation[0].upper()}{mutation[1:]}"
        asked = f"... on {name}Payload {{ {selection} }} ... on UserError {{ code }}"
        head = f"mutation($input: {name}Input!) {{ {mutation}(input: $input) {{ {asked} }} }}"
        return (await self.by(who).ask(head, input=given))[mutation]

    def refusal(self, act: Callable[[], object]) -> str | None:
        try:
            act()
        except Refusal as refusal:
            return refusal.code
        return None

    def chosen(self, there: str, successors: set[str]) -> str | None:
        """Who has become the administrator, as one of those sees it who may have."""
        if not successors:
            return None
        shown = self.run(self._shown_to(min(successors), there))
        found = {each["user"]["login"] for each in shown["participants"]["nodes"] if each["isAdministrator"]}
        (chosen,) = found
        return str(chosen)

    def report(self, place: int) -> str:
        """The id of a report, by its place in the queue."""
        asked = "{ viewer { organization { reports(first: 100) { nodes { id } } } } }"
        shown = self.run(self.by(OFFICER).ask(asked))["viewer"]["organization"]["reports"]["nodes"]
        assert len(shown) == len(self.model.reports)
        return str(shown[place]["id"])

    def administrator(self, there: str) -> str:
        """One who administers the conversation, if anybody does."""
        found = [who for who, stay in self.model.conversations[there].present().items() if stay.is_administrator]
        return min(found, default=TEACHER)

    def participant(self, there: str) -> str:
        """One after another."""
        found = sorted(self.model.conversations[there].present()) or [TEACHER]
        return found[self.steps % len(found)]

    def conversation(self, which: int) -> str:
        known = list(self.model.conversations)
        return known[which % len(known)]

    def all_is_well(self) -> None:
        """For everybody who listens, and for one person after another who looks."""
        self.steps += 1
        self.is_well = False
        self.run(self._everybody_has_heard())
        self.run(self._looks(PEOPLE[self.steps % len(PEOPLE)]))
        assert self.run(self._rows()) == [
            known + new for known, new in zip(self.before, self._rows_wanted(), strict=True)
        ]
        self.is_well = True

    async def _everybody_has_heard(self) -> None:
        for follower in self.followers:
            await follower.has_heard(self.model)
        for counter in self.counters:
            await counter.shows(self.model.badges(counter.login))

    async def _looks(self, login: str) -> None:
        shown = (
            await self.by(login).ask(
                """{ viewer { eventCursor badges { unreadMessages unreadConversations }
                conversations(first: 100) { nodes { id } } } }"""
            )
        )["viewer"]
        assert int(shown["eventCursor"]) == self.model.last
        assert shown["badges"] == self.model.badges(login)
        assert [each["id"] for each in shown["conversations"]["nodes"]] == self.model.listed(login)
        for there in self.model.conversations:
            found = await self._shown_to(login, there)
            if found is not None:
                found["participants"] = _by_login(found["participants"]["nodes"])
            assert found == self._wanted(login, there)

    async def _shown_to(self, login: str, there: str) -> Any:
        return (await self.by(login).ask(f"query($id: ID!) {{ node(id: $id) {{ {SHOWN} }} }}", id=there))["node"]

    def _wanted(self, login: str, id_: str) -> Any:
        there = self.model.conversations[id_]
        if not there.is_visible_to(login):
            return None
        history = self.model.history(login, id_)
        return {
            "title": there.title,
            "isMuted": self.model.is_muted(login, id_),
            "unreadCount": self.model.unread(login, id_),
            "lastMessage": {"id": history[-1].id} if history else None,
            "messages": {
                "nodes": [
                    {
                        "id": each.id,
                        "body": each.body,
                        "isRead": each.copies[login].is_read,
                        "author": {"login": each.author},
                    }
                    for each in history
                ]
            },
            "participants": there.seen_taking_part(login),
        }

    async def _rows(self) -> list[int]:
        """How many deliveries, participations, and people who take part."""
        taking_part = select(func.count()).select_from(participations)
        counts = (
            select(func.count()).select_from(deliveries),
            taking_part,
            taking_part.where(participations.c.left_at.is_(None)),
        )
        with self.api.database.engine.connect() as connection:
            return [connection.execute(each).scalar_one() for each in counts]

    def _rows_wanted(self) -> list[int]:
        stays = [stay for there in self.model.conversations.values() for stay in there.stays]
        copies = sum(len(message.copies) for message in self.model.messages.values())
        return [copies, len(stays), sum(stay.left is None for stay in stays)]


def _by_login(nodes: list[Any]) -> dict[str, bool]:
    return {each["user"]["login"]: each["isAdministrator"] for each in nodes}
