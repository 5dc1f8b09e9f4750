"""Who follows a subscription over many connections, and has he heard what he should? By the plain model's word."""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Any

from tests.api import PATIENCE, Listening, Person
from tests.conversation_model import Heard, Model

DOCUMENTS = {
    "messageReceived": """subscription($in: ID, $after: String) {
      messageReceived(conversationId: $in, after: $after) { cursor subject: message { id shown: body } } }""",
    "messageChanged": """subscription($after: String) { messageChanged(after: $after) {
      cursor id: messageId subject: message { shown: body } } }""",
    "conversationChanged": """subscription($after: String) { conversationChanged(after: $after) {
      cursor id: conversationId subject: conversation { shown: title } } }""",
}
BADGES = "subscription { badgesChanged { unreadMessages unreadConversations } }"


class Connection:
    """A line of somebody to the server, as long as it holds."""

    def __init__(self) -> None:
        self._context: AbstractAsyncContextManager[Listening] | None = None
        self.listening: Listening | None = None

    @property
    def is_open(self) -> bool:
        return self.listening is not None

    async def open(self, person: Person, document: str, *, pushed: bool, **variables: Any) -> None:
        self._context = person.listening(document, **variables)
        self.listening = await self._context.__aenter__()
        self.listening.takes_pushes = pushed

    async def close(self) -> None:
        if self._context is not None:
            context, self._context, self.listening = self._context, None, None
            await context.__aexit__(None, None, None)

    def taken(self) -> list[Any]:
        """The answers that have come since."""
        assert self.listening is not None
        return [self.listening._queue.get_nowait() for _ in range(self.listening.waiting)]

    @property
    def is_at_rest(self) -> bool:
        """Nothing more is under way on this line."""
        return self.listening is None or self.listening.is_parked or self.is_over

    @property
    def is_over(self) -> bool:
        """The server has ended it."""
        return self.listening is not None and self.listening._over.is_set()


class Follower:
    """One person's subscription: what he has `heard` over all his connections, beside what he should have."""

    def __init__(self, login: str, name: str, conversation: str | None, after: int) -> None:
        self.login = login
        self.name = name
        self.conversation = conversation
        self.heard: list[Heard] = []
        self.expected: list[Heard] = []
        self.line = Connection()
        self.is_refused = False
        self._start = after
        self._known = after

    def __repr__(self) -> str:
        return f"{self.name}({self.conversation or ''}) of {self.login}"

    @property
    def cursor(self) -> int:
        """The last that he has processed."""
        return self.heard[-1].number if self.heard else self._start

    async def connect(self, person: Person, model: Model, *, pushed: bool) -> None:
        """Begins, or goes on from the last cursor: what was deleted meanwhile is left out."""
        self.expected, self._known = list(self.heard), self.cursor
        self.is_refused = self.conversation is not None and not model.conversations[
            self.conversation
        ].is_visible_to(self.login)
        variables = {"after": str(self.cursor)} | ({"in": self.conversation} if self.conversation else {})
        await self.line.open(person, DOCUMENTS[self.name], pushed=pushed, **variables)

    async def cut(self, *, unprocessed: int = 0) -> None:
        """The line breaks, and the last that came were not processed."""
        await self.line_breaks()
        self.heard = self.heard[: len(self.heard) - unprocessed]
        assert self.heard == self.expected[: len(self.heard)], self

    async def line_breaks(self) -> None:
        """While something is under way: some of it has come, or nothing."""
        if self.line.is_open:
            self._take()
            await self.line.close()

    def was_cut(self, model: Model) -> None:
        """What he had heard by then was true."""
        self.should_hear(model)
        assert self.heard == self.expected[: len(self.heard)], self

    def should_hear(self, model: Model) -> None:
        if not self.is_refused:
            self.expected += model.heard(self.login, self.name, self._known, self.conversation)
        self._known = model.last

    def should_end(self, model: Model) -> bool:
        return self.conversation is not None and (
            self.is_refused or model.conversations[self.conversation].stay(self.login) is None
        )

    async def has_heard(self, model: Model) -> None:
        """All that he should, in order, each once; and the subscription has ended where it must."""
        if not self.line.is_open:
            return
        self.should_hear(model)
        ends = self.should_end(model)
        await until(
            lambda: self._take() >= len(self.expected) and self.line.is_at_rest and self.line.is_over == ends
        )
        assert self.heard == self.expected, self
        assert self.line.is_over == ends, self
        if self.line.is_over:
            await self.line.close()

    def _take(self) -> int:
        """How many have been heard by now."""
        for answer in self.line.taken():
            if self.is_refused:
                assert answer["errors"][0]["extensions"]["code"] == "NOT_FOUND", answer
                continue
            assert "errors" not in answer, (self, answer)
            (told,) = answer["data"].values()
            subject = told["subject"] or {}
            self.heard.append(Heard(int(told["cursor"]), told.get("id") or subject["id"], subject.get("shown")))
        return len(self.heard)


class Counter:
    """One person's badges, as he was last told."""

    def __init__(self, login: str) -> None:
        self.login = login
        self.told: list[dict[str, int]] = []
        self.line = Connection()

    async def connect(self, person: Person, *, pushed: bool) -> None:
        self.told = []
        await self.line.open(person, BADGES, pushed=pushed)

    async def shows(self, badges: dict[str, int]) -> None:
        """These counts; and he was never told the same twice."""
        if self.line.is_open:
            await until(lambda: self._take() == badges and self.line.is_at_rest)
            assert self._take() == badges, self.login
            assert all(one != other for one, other in zip(self.told, self.told[1:], strict=False)), self.told

    def _take(self) -> dict[str, int] | None:
        for answer in self.line.taken():
            assert "errors" not in answer, answer
            self.told.append(answer["data"]["badgesChanged"])
        return self.told[-1] if self.told else None


async def until(condition: Any) -> None:
    """Waits for it, patiently; what has not come by then is for who asks next."""
    end = asyncio.get_running_loop().time() + PATIENCE
    while not condition() and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
