"""Does the look-ahead answer as the oracle does? Documents are sent, answered again, and compared as text."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from random import Random
from typing import Any

import orjson
from graphql import GraphQLSchema, build_schema, parse

from app.answers import refusal
from app.auth import Identity
from app.operations import Operation
from models.errors import RequestFault
from schema import schema as served
from schema.execution import Events
from tests.api import PATIENCE, Api
from tests.engines import on_postgresql
from tests.lookahead import oracle, protection, talk
from tests.lookahead.arguments import Pools
from tests.lookahead.conformance import assert_conforms
from tests.lookahead.documents import Document, random_mutation, random_query, random_subscription
from tests.lookahead.rows import Rows
from tests.lookahead.rules import Sight

STREAMS = (
    *("callPublished", "callChanged", "chatChanged"),
    *("messageReceived", "messageChanged", "conversationChanged", "reportChanged", "organizationChanged"),
)
ADDRESS = "https://school.example"
EXPLORED = (
    "{ viewer { user { id } organization { id chats(first: 100) { edges { cursor node { id } } } } } }",
    "{ viewer { organization { chats { nodes { participants(first: 100) { edges { cursor } } } } } } }",
    "{ viewer { organization { chats { nodes { calls(first: 100) { edges { cursor node { id } } } } } } } }",
    "{ viewer { organization { groups(first: 100) { edges { cursor node { id } } } } } }",
    "{ viewer { conversations(first: 100) { edges { cursor node { id participants { edges { cursor } } } } } } }",
    "{ viewer { conversations(first: 50) { nodes { messages(first: 50) { edges { cursor node { id } } } } } } }",
    "{ viewer { feed { edges { cursor node { subject { ... on Message { attachments { id } } } } } } } }",
    "{ viewer { mailbox(folder: INBOX) { messages(first: 100) { edges { cursor node { id } } } } } }",
    "{ viewer { mailbox(folder: DRAFTS) { messages(first: 100) { edges { cursor node { id } } } } } }",
    "{ viewer { mailbox(folder: TRASH) { messages(first: 100) { edges { cursor node { id } } } } } }",
    "{ viewer { groups { members(first: 100) { edges { cursor node { id } } } } } }",
    "{ viewer { organization { auditEntries(first: 100) { edges { cursor } } } } }",
    "{ viewer { organization { reports(first: 100) { edges { cursor node { id } } } } } }",
)

TEXTS = (
    *("9", "9А", "9a", "ё", "Ё", "е", "й", "Й", "и", "о'", "O'B", "э", "É", "eo", "ма", "сан", "🎉", '"'),
    *("", " ", "  клуб ", "%", "_", "\\", "100%", "е%", "к_", "_%", "\\_", "иванов александр", "learner.9a"),
)
"""What is searched for: cases, accents, white space, and what LIKE takes for wildcards."""

NO_IDS = (
    *("", " ", "nonsense", "Chat_", "Chat_0", "Chat_01", "chat_1", " Chat_1", "Chat_1\n", "Chat_١", "User_-1"),
    *("Call_1_1", "Badges_1", "Viewer_1", "ChatParticipant_1", "Chat_999999", "Chat_99999999999999999999"),
)
"""Ids that mean nothing at all."""


class Differs(AssertionError):
    """The two answers are not the same."""


@dataclass
class Tally:
    """How many documents were compared and how much was in their answers; `refused`: nothing to compare."""

    compared: int = 0
    refused: int = 0
    characters: int = 0


class Trial:
    """A school that stands still, and random documents for its people: the same for the same seed."""

    def __init__(self, api: Api, people: Sequence[tuple[str, str]], seed: str) -> None:
        self.tally = Tally()
        self._api = api
        self._seed = seed
        self._schema: GraphQLSchema = build_schema(served.as_str())
        rows = Rows(api.database.url)
        self._people = [_Person(api, rows, login, school) for login, school in people]
        self._pools = Pools(texts=list(TEXTS), ids=list(NO_IDS))

    async def explore(self) -> None:
        """Asks plainly for everything there is: the ids and cursors of these answers are used from now on."""
        for person in self._people:
            for text in EXPLORED:
                answer = orjson.loads(await person.send(text, {}))
                assert_conforms(self._schema, parse(text), {}, answer["data"], self._keep)

    async def query(self, number: int, theme: str | None = None) -> None:
        random, person = self._begin("query", number)
        await self._answered(person, random_query(self._schema, random, self._pools, theme), number)

    async def everybody(self, text: str) -> None:
        """Everybody asks the same."""
        for person in self._people:
            await self._answered(person, Document(text, ({}, {})), 0)

    async def mutation(self, number: int) -> None:
        """Its payload is read back inside the writer."""
        random, person = self._begin("mutation", number)
        self._pools.idle = person.idle
        await self._answered(person, random_mutation(self._schema, random, self._pools), number)

    async def subscription(self, number: int) -> None:
        """What is replayed from a random event on: each event once, in order, and nothing more."""
        random, person = self._begin("subscription", number)
        stream, last = random.choice(STREAMS), person.sight.organization.last_event
        since = random.choice((0, last, *(random.randrange(last) for _ in range(4))))
        document = random_subscription(self._schema, random, self._pools, stream, since)
        await self._replayed(person, document, oracle.happened(person.sight, stream, since), number)

    # ------------------------------------------------------------------------------------- comparing

    async def _answered(self, person: "_Person", document: Document, number: int) -> None:
        parsed = parse(document.text)
        for variables in document.variables:
            actual = await person.send(document.text, variables)
            if self._is_refused(actual):
                return
            expected = oracle.answer(self._schema, parsed, person.sight, variables)
            self._compare(person, document, variables, number, actual, expected)
            assert_conforms(self._schema, parsed, variables, orjson.loads(actual)["data"])
        self.tally.compared += 1

    async def _replayed(self, person: "_Person", document: Document, events: list[Any], number: int) -> None:
        parsed, variables = parse(document.text), document.variables[0]
        async with aclosing(person.stream(document.text, variables)) as answers:
            for event in events:
                actual = await asyncio.wait_for(anext(answers), PATIENCE)
                if self._is_refused(actual):
                    return
                expected = oracle.answer(self._schema, parsed, person.sight, variables, event)
                self._compare(person, document, variables, number, actual, expected)
                assert_conforms(self._schema, parsed, variables, orjson.loads(actual)["data"])
            with suppress(StopAsyncIteration):
                more = await asyncio.wait_for(anext(answers), PATIENCE)
                if not self._is_refused(more):
                    raise Differs(f"{person.login}: nothing more was to come, yet {more}\n{document.text}")
        self.tally.compared += 1

    def _compare(
        self,
        person: "_Person",
        document: Document,
        variables: dict[str, Any],
        number: int,
        actual: str,
        expected: Any,
    ) -> None:
        wanted = json.dumps({"data": expected}, ensure_ascii=False, separators=(",", ":"))
        self.tally.characters += len(wanted)
        if on_postgresql():  # it puts blanks between, and nothing else
            actual = json.dumps(_without_blanks(json.loads(actual)), ensure_ascii=False, separators=(",", ":"))
        if actual != wanted:
            at = next((i for i, (one, other) in enumerate(zip(actual, wanted, strict=False)) if one != other), -1)
            around = slice(max(at - 200, 0), at + 200)
            raise Differs(
                f"document {number} of {self._seed!r}, as {person.login}:\n{document.text}\nwith {variables}\n"
                f"the look-ahead: ...{actual[around]}...\nthe oracle:     ...{wanted[around]}..."
            )

    def _is_refused(self, actual: str) -> bool:
        """Beyond the cost rule; or two fields of one key that differ, which the validation has to refuse."""
        refused = any(sign in actual for sign in ('"code":"LIMIT_EXCEEDED"', " conflict because "))
        self.tally.refused += refused
        return refused

    # --------------------------------------------------------------------------------------- choosing

    def _begin(self, kind: str, number: int) -> tuple[Random, "_Person"]:
        random = Random(f"{self._seed}:{kind}:{number}")
        return random, random.choice(self._people)

    def _keep(self, type_name: str, field_name: str, value: Any) -> None:
        if field_name == "cursor":
            known = self._pools.cursors.setdefault(type_name, [])
        elif field_name == "id":
            known = self._pools.ids
        else:
            return
        if value not in known:
            known.append(value)


class _Person:
    """Somebody who asks, and what he must be answered."""

    def __init__(self, api: Api, rows: Rows, login: str, school: str) -> None:
        self.login = login
        viewer = api.as_(login, school).viewer
        assert viewer is not None
        self.sight = Sight(rows, viewer.id, ADDRESS)
        self.idle = idle_mutations(self.sight)
        self._operations = api.operations
        self._context = api.operations.context(Identity(viewer, 2**40))

    async def send(self, text: str, variables: dict[str, Any]) -> str:
        """The answer's own text."""
        return orjson.dumps(
            await self._operations.execute(Operation(text, variables, None), self._context)
        ).decode()

    async def stream(self, text: str, variables: dict[str, Any]) -> AsyncGenerator[str]:
        """The answers to a subscription until there is no more for now."""
        opened = await self._operations.open(Operation(text, variables, None), self._context)
        if not isinstance(opened, Events):
            yield orjson.dumps(opened).decode()
            return
        try:
            async with aclosing(opened.source.news()) as news:
                async for value in news:
                    yield orjson.dumps({"data": {opened.key: value.value}}).decode()
        except RequestFault as fault:
            yield orjson.dumps(refusal(fault)).decode()
        finally:
            opened.source.close()


def idle_mutations(sight: Sight) -> list[tuple[str, str]]:
    """Mutations (name, input) that change nothing when this person asks for them, yet answer with a payload."""
    found = [("markChatsSeen", '{upTo: "0"}')]
    if not sight.is_linked:
        found.append(("unlinkProfile", ""))
    for chat in filter(sight.sees_chat, sight.rows.chats.values()):
        if "RENAME" in sight.chat_actions(chat):
            this = f'chatId: "Chat_{chat.id}"'
            someone = f'"User_{sight.me.id}"'
            found.append(("renameChat", f"{{{this}, name: {json.dumps(chat.name)}}}"))
            found.append(("addChatParticipants", f"{{{this}, userIds: [{someone}]}}"))
            found.append(("removeChatParticipants", f"{{{this}, userIds: []}}"))
            found.append(("setChatAdministrator", f"{{{this}, userId: {someone}, isAdministrator: true}}"))
    for call in filter(sight.sees_call, sight.rows.calls.values()):
        if not sight.may_act or "DELETE" not in sight.call_actions(call):
            continue
        this = f'callId: "Call_{call.id}"'
        if call.status == "CREATED":
            found.append(("updateCall", f"{{{this}, title: {json.dumps(call.title)}}}"))
        if call.status == "FINISHED":
            found.append(("finishCall", f"{{{this}}}"))
        elif call.status == "PUBLISHED" or sight.published_in(call.chat_id) is not None:
            found.append(("publishCall", f"{{{this}}}"))
    return [*found, *_idle_in_conversations(sight), *_idle_with_messages(sight), *protection.idle(sight)]


def _idle_in_conversations(sight: Sight) -> Iterator[tuple[str, str]]:
    me = f'"User_{sight.me.id}"'
    for row in sight.rows.conversations.values():
        if not talk.sees_conversation(sight, row):
            continue
        this = f'conversationId: "Conversation_{row.id}"'
        actions = talk.conversation_actions(sight, row)
        yield "markConversationRead", f'{{{this}, upTo: "0"}}'
        if row.kind == "DIRECT":
            yield "openConversation", f'{{userId: "User_{talk.other_in(sight, row).id}"}}'
        if "MUTE" in actions:
            yield "muteConversation", f"{{{this}, muted: {json.dumps(talk.is_muted(sight, row.id))}}}"
        if row.kind == "GROUP" and "LEAVE" not in actions:
            yield "leaveConversation", f"{{{this}}}"
        if "RENAME" in actions:
            yield "renameConversation", f"{{{this}, title: {json.dumps(row.title)}}}"
            yield "addParticipants", f"{{{this}, userIds: [{me}]}}"
            yield "removeParticipants", f"{{{this}, userIds: []}}"
            yield "setParticipantAdministrator", f"{{{this}, userId: {me}, isAdministrator: true}}"


def _idle_with_messages(sight: Sight) -> Iterator[tuple[str, str]]:
    copies = [row for row in sight.rows.copies_for[sight.me.id] if row.deleted_at is None and row.event]
    states = {
        "markMessagesRead": [row for row in copies if not talk.is_unread(row)],
        "markMessagesUnread": [row for row in copies if row.read_at is None or row.received_as is None],
        "trashMessages": [row for row in copies if row.trashed_at is not None],
    }
    for name, rows in states.items():
        for at in range(0, len(rows), 3):
            ids = ", ".join(f'"Message_{row.message_id}"' for row in reversed(rows[at : at + 3]))
            yield name, f"{{messageIds: [{ids}]}}"


def _without_blanks(value: Any) -> Any:
    """Cursors are JSON themselves."""
    if isinstance(value, dict):
        return {key: _without_blanks(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_blanks(each) for each in value]
    if isinstance(value, str) and value.startswith("[") and value.endswith("]"):
        with suppress(ValueError):
            return json.dumps(json.loads(value), ensure_ascii=False, separators=(",", ":"))
    return value
