"""Does the look-ahead answer as the oracle does? Documents are sent, answered a second time, and compared as text."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from random import Random
from typing import Any

import orjson
from graphql import DocumentNode, GraphQLSchema, build_schema, parse, validate

from app.auth import Identity
from app.operations import Operation
from schema import schema as served
from tests.api import PATIENCE, Api
from tests.lookahead import oracle
from tests.lookahead.arguments import Pools
from tests.lookahead.conformance import assert_conforms
from tests.lookahead.documents import Document, random_mutation, random_query, random_subscription
from tests.lookahead.rows import Rows
from tests.lookahead.rules import Sight

STREAMS = ("callPublished", "callChanged", "chatChanged")
ADDRESS = "https://school.example"
SETTLED = 0.02
"""Seconds after which a replay has nothing more to tell."""

EXPLORED = (
    "{ viewer { user { id } organization { id chats(first: 100) { edges { cursor node { id } } } } } }",
    "{ viewer { organization { chats { nodes { participants(first: 100) { edges { cursor } } } } } } }",
    "{ viewer { organization { chats { nodes { calls(first: 100) { edges { cursor node { id } } } } } } } }",
    "{ viewer { organization { groups(first: 100) { edges { cursor node { id } } } } } }",
    "{ viewer { groups { members(first: 100) { edges { cursor node { id } } } } } }",
)

TEXTS = (
    "9", "9А", "9a", "ё", "Ё", "е", "й", "Й", "и", "о'", "O'B", "%", "_", "\\", "100%", "э", "É", "eo", " ", "",
    "  клуб ", "иванов александр", "learner.9a", "ж", "🎉", '"', "<b>", "ма", "сан",
)  # fmt: skip
NO_IDS = (
    "", "Chat_0", "Chat_", "Chat_01", "chat_1", "Chat_999999", "User_-1", "Call_1_1", "nonsense", "Badges_1", "Chat_١",
    "Viewer_1", " Chat_1", "Chat_99999999999999999999", "ChatParticipant_1", "Chat_1\n",
)  # fmt: skip


class Differs(AssertionError):
    """The two answers are not the same."""


@dataclass
class Tally:
    """How much was compared. `refused`: beyond what is admitted, so nothing to compare."""

    compared: int = 0
    refused: int = 0
    invalid: int = 0
    characters: int = 0


class Trial:
    """A school that stands still, and random documents for its people: the same for the same seed."""

    def __init__(self, api: Api, people: Sequence[tuple[str, str]], seed: str) -> None:
        self.tally = Tally()
        self._api = api
        self._seed = seed
        self._schema: GraphQLSchema = build_schema(served.as_str())
        rows = Rows(api.database.path)
        self._people = [_Person(api, rows, login, school) for login, school in people]
        self._pools = Pools(texts=list(TEXTS), ids=list(NO_IDS))

    async def explore(self) -> None:
        """Asks plainly for everything there is: the ids and cursors of these answers are used from now on."""
        for person in self._people:
            for text in EXPLORED:
                answer = orjson.loads(await person.send(text, {}))
                assert_conforms(self._schema, parse(text), {}, answer["data"], self._keep)

    async def queries(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            random, person = self._begin("query", number)
            document, parsed = self._valid(lambda random=random: random_query(self._schema, random, self._pools))
            await self._answered(person, document, parsed, number)

    async def mutations(self, numbers: Iterable[int]) -> None:
        """Their payloads are read back inside the writer."""
        for number in numbers:
            random, person = self._begin("mutation", number)
            if person.idle:
                self._pools.idle = person.idle
                document, parsed = self._valid(
                    lambda random=random: random_mutation(self._schema, random, self._pools)
                )
                await self._answered(person, document, parsed, number)

    async def subscriptions(self, numbers: Iterable[int]) -> None:
        """What is replayed from a random event on: each event once, in order, and nothing more."""
        for number in numbers:
            random, person = self._begin("subscription", number)
            stream, last = random.choice(STREAMS), person.sight.organization.last_event
            since = random.choice((0, last, *(random.randrange(last) for _ in range(4))))
            document, parsed = self._valid(
                lambda random=random, stream=stream, since=since: random_subscription(
                    self._schema, random, self._pools, stream, since
                )
            )
            await self._replayed(person, document, parsed, oracle.happened(person.sight, stream, since), number)

    # ------------------------------------------------------------------------------------- comparing

    async def _answered(self, person: "_Person", document: Document, parsed: DocumentNode, number: int) -> None:
        for variables in document.variables:
            actual = await person.send(document.text, variables)
            if self._is_refused(actual):
                return
            expected = oracle.answer(self._schema, parsed, person.sight, variables)
            self._compare(person, document, variables, number, actual, expected)
            assert_conforms(self._schema, parsed, variables, orjson.loads(actual)["data"])
        self.tally.compared += 1

    async def _replayed(
        self, person: "_Person", document: Document, parsed: DocumentNode, events: list[Any], number: int
    ) -> None:
        variables = document.variables[0]
        async with aclosing(person.stream(document.text, variables)) as answers:
            for event in events:
                actual = await asyncio.wait_for(anext(answers), PATIENCE)
                if self._is_refused(actual):
                    return
                expected = oracle.told(self._schema, parsed, person.sight, variables, event)
                self._compare(person, document, variables, number, actual, expected)
                assert_conforms(self._schema, parsed, variables, orjson.loads(actual)["data"])
            with suppress(TimeoutError):
                more = await asyncio.wait_for(anext(answers), SETTLED)
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
        if actual != wanted:
            at = next((i for i, (one, other) in enumerate(zip(actual, wanted, strict=False)) if one != other), -1)
            around = slice(max(at - 200, 0), at + 200)
            raise Differs(
                f"document {number} of {self._seed!r}, as {person.login}:\n{document.text}\nwith {variables}\n"
                f"the look-ahead: ...{actual[around]}...\nthe oracle:     ...{wanted[around]}..."
            )

    def _is_refused(self, actual: str) -> bool:
        refused = '"code":"LIMIT_EXCEEDED"' in actual
        self.tally.refused += refused
        return refused

    # --------------------------------------------------------------------------------------- choosing

    def _begin(self, kind: str, number: int) -> tuple[Random, "_Person"]:
        random = Random(f"{self._seed}:{kind}:{number}")
        return random, random.choice(self._people)

    def _valid(self, make: Callable[[], Document]) -> tuple[Document, DocumentNode]:
        """The first that is valid: two fields of one key that differ are left for the validation to refuse."""
        while True:
            document = make()
            parsed = parse(document.text)
            if not validate(self._schema, parsed):
                return document, parsed
            self.tally.invalid += 1

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
        return orjson.dumps(await self._operations.execute(Operation(text, variables, None), self._context)).decode()

    async def stream(self, text: str, variables: dict[str, Any]) -> AsyncGenerator[str]:
        async with aclosing(self._operations.stream(Operation(text, variables, None), self._context)) as answers:
            async for answer in answers:
                yield orjson.dumps(answer).decode()


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
    return found
