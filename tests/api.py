"""How do tests use the API? As a named person of a named school, through everything but the wire."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import orjson
from sqlalchemy import Table, select

import app.operations
from app.auth import Identity, Tokens
from app.operations import Operation
from app.settings import Settings
from app.telling import Telling
from models.actor import Viewer
from models.database import Database
from models.tables import metadata
from models.tables.chats import chats
from models.tables.people import groups
from resolvers.context import Context
from resolvers.listeners import Listeners
from schema import schema
from tests.engines import OF_WRITERS
from tests.school import SCHOOL, SECRET, viewer

Dump = dict[str, list[tuple[Any, ...]]]

REFUSALS = {
    "NOT_FOUND": "NotFoundError",
    "CALL_ALREADY_PUBLISHED": "CallAlreadyPublishedError",
    **dict.fromkeys(("INVALID_INPUT", "TOO_LARGE", "IDEMPOTENCY_CONFLICT", "NO_RECIPIENT"), "InvalidInputError"),
}
"""Which type stands for which code; DeniedError for all others."""

PATIENCE = 5.0
"""Seconds that something which must come may take, on a busy machine."""

QUIET = 0.15
"""Seconds after which something that must not come has not come."""


class Api:
    """The API over one database. `statements` are those that were read since it was last emptied."""

    def __init__(self, database: Database, listeners: Listeners) -> None:
        self.database = database
        self.listeners = listeners
        self.statements: list[str] = []
        settings = Settings(secret=SECRET, public_url="https://school.example", sends_per_minute=0)
        self.operations = app.operations.Api(
            schema, settings, database=database, listeners=listeners, tokens=Tokens(SECRET)
        )

    @classmethod
    @asynccontextmanager
    async def serving(cls, database: Database) -> AsyncIterator["Api"]:
        listeners = Listeners(database, poll_seconds=0.1)
        api = cls(database, listeners)
        read = database.read

        async def counted(sql: str, parameters: Any) -> Any:
            api.statements.append(sql)
            return await read(sql, parameters)

        database.read = counted  # type: ignore[method-assign]
        await database.start()
        await listeners.start()
        try:
            yield api
        finally:
            await listeners.stop()
            await database.stop()

    def as_(self, login: str, organization: str = SCHOOL) -> "Person":
        return Person(self, viewer(self.database, login, organization), login)

    def signed_out(self) -> "Person":
        return Person(self, None, "nobody")

    def group(self, name: str) -> str:
        """The id of a group, by its name."""
        return self._id("Group", select(groups.c.id).where(groups.c.name == name))

    def chat(self, kind: str, name: str | None = None) -> str:
        """The id of a live chat, by its kind and the name of its group; without that, of the main school's."""
        wanted = (
            select(chats.c.id)
            .join(groups, groups.c.id == chats.c.group_id)
            .where(chats.c.kind == kind, groups.c.name == (name or SCHOOL), chats.c.ended_at.is_(None))
        )
        return self._id("Chat", wanted)

    def dump(self, *, without: tuple[str, ...] = ()) -> Dump:
        """Every row of every table, as the database keeps it."""
        with self.database.engine.connect() as connection:
            return {
                name: sorted(map(_row, connection.exec_driver_sql(f"SELECT * FROM {name}")), key=repr)
                for name in metadata.tables
                if name not in (*without, OF_WRITERS)
            }

    def rows(self, table: Table) -> list[Any]:
        """What is stored in a table, in the order of its key."""
        with self.database.engine.connect() as connection:
            return list(connection.execute(select(table).order_by(*table.primary_key)))

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Nothing may be written meanwhile: no row, no event, no command for the messenger."""
        before = self.dump()
        yield
        after = self.dump()
        written = {
            name: {"before": set(before[name]) - set(rows), "after": set(rows) - set(before[name])}
            for name, rows in after.items()
            if rows != before[name]
        }
        assert not written, str(written)[:2000]

    def _id(self, type_name: str, wanted: Any) -> str:
        with self.database.engine.connect() as connection:
            return f"{type_name}_{connection.execute(wanted).scalar_one()}"


class Person:
    """Somebody who uses the API."""

    def __init__(self, api: Api, who: Viewer | None, login: str) -> None:
        self.api, self.viewer, self.login = api, who, login
        self.id = f"User_{who.id}" if who else ""
        self._context = api.operations.context(Identity(who, 2**40) if who else None)

    async def send(self, document: str, /, **variables: Any) -> dict[str, Any]:
        """The whole answer, errors included."""
        answer = await self.api.operations.execute(Operation(document, variables, None), self._context)
        shown: dict[str, Any] = orjson.loads(orjson.dumps(answer))
        return shown

    async def ask(self, document: str, /, **variables: Any) -> dict[str, Any]:
        """The data of an answer without errors."""
        answer = await self.send(document, **variables)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    async def fails(self, code: str, document: str, /, **variables: Any) -> str:
        """The request is refused with this code at the top level, and nothing is written; its text."""
        with self.api.unchanged():
            answer = await self.send(document, **variables)
        assert {error["extensions"]["code"] for error in answer.get("errors", [])} == {code}, answer
        assert not any((answer.get("data") or {}).values())
        text: str = answer["errors"][0]["message"]
        return text

    async def do(self, mutation: str, selection: str = "__typename", /, **given: Any) -> dict[str, Any]:
        """The payload of a mutation that must succeed; `given` is its input."""
        answer = await self._mutate(mutation, f"... on {_payload(mutation)} {{ {selection} }}", given)
        assert answer["__typename"] == _payload(mutation), answer
        return answer

    async def refused(self, code: str, mutation: str, /, **given: Any) -> dict[str, Any]:
        """The refusal of a mutation, with this code; nothing may be left behind."""
        asked = "... on UserError { code reason } ... on InvalidInputError { field }"
        with self.api.unchanged():
            answer = await self._mutate(
                mutation, asked if _has_shape(mutation) else asked.split(" ... ", maxsplit=1)[0], given
            )
        assert answer.get("code") == code, answer
        assert answer["__typename"] == REFUSALS.get(code, "DeniedError")
        assert answer["reason"]
        return answer

    async def invalid(self, field: str, mutation: str, /, **given: Any) -> None:
        """The mutation is refused because of the shape of this field."""
        assert (await self.refused("INVALID_INPUT", mutation, **given))["field"] == field

    @asynccontextmanager
    async def listening(self, document: str, **variables: Any) -> AsyncIterator["Listening"]:
        listening = Listening()
        listening.start(self.api.operations, Operation(document, variables, None), self._context)
        try:
            yield listening
        finally:
            await listening.stop()

    async def _mutate(self, mutation: str, selection: str, given: dict[str, Any]) -> dict[str, Any]:
        input_type = f"{mutation[0].upper()}{mutation[1:]}Input"
        takes = input_type in schema._schema.type_map
        head, call = (f"mutation($input: {input_type}!)", "(input: $input)") if takes else ("mutation", "")
        document = f"{head} {{ {mutation}{call} {{ __typename {selection} }} }}"
        answer: dict[str, Any] = (await self.ask(document, **({"input": given} if takes else {})))[mutation]
        return answer


class Listening:
    """A subscription that somebody follows: the socket of the tests, which reads all that comes.

    `pushed` counts what came together with others; `takes_pushes`: whether anything does. `closed`: the code with
    which the server ended the socket.
    """

    def __init__(self) -> None:
        self.takes_pushes = True
        self.pushed = 0
        self.closed: int | None = None
        self._queue: asyncio.Queue[Any] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()
        self._telling = Telling(self, "1")

    def start(self, api: app.operations.Api, operation: Operation, context: Context) -> None:
        self._telling.start(api, operation, context)

    @property
    def is_parked(self) -> bool:
        """Nothing of it runs, and it goes on."""
        return not self._tasks and not self._over.is_set()

    async def parked(self) -> None:
        async with asyncio.timeout(PATIENCE):
            while not self.is_parked:  # noqa: ASYNC110
                await asyncio.sleep(0.001)

    async def next(self) -> Any:
        """What comes next: the value of the one root field."""
        answer = await asyncio.wait_for(self._queue.get(), PATIENCE)
        assert "errors" not in answer, answer
        (value,) = answer["data"].values()
        return value

    async def error(self) -> str:
        """The code of the error that ends it."""
        answer = await asyncio.wait_for(self._queue.get(), PATIENCE)
        code: str = answer["errors"][0]["extensions"]["code"]
        return code

    @property
    def waiting(self) -> int:
        """How many have come that nobody has asked for yet."""
        return self._queue.qsize()

    async def ended(self) -> None:
        """The server has completed it."""
        await asyncio.wait_for(self._over.wait(), PATIENCE)

    async def nothing(self) -> None:
        """Nothing comes."""
        await asyncio.sleep(QUIET)
        assert self._queue.empty(), self._queue.get_nowait()

    async def stop(self) -> None:
        self._telling.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ------------------------------------------------------------------------------ as the server sees it

    async def say(self, text: str) -> None:
        message = orjson.loads(text)
        match message["type"]:
            case "next":
                self._queue.put_nowait(message["payload"])
            case "error":
                self._queue.put_nowait({"errors": message["payload"]})

    def push(self, text: str) -> bool:
        if self.takes_pushes:
            self._queue.put_nowait(orjson.loads(text)["payload"])
            self.pushed += 1
        return self.takes_pushes

    def forget(self, telling: Telling) -> None:  # noqa: ARG002
        self._over.set()

    def keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def end(self, code: int, reason: str) -> None:  # noqa: ARG002
        self.closed = code
        self._over.set()


def _row(row: Any) -> tuple[Any, ...]:
    return tuple(json.dumps(value) if isinstance(value, dict) else value for value in row)


def _payload(mutation: str) -> str:
    return f"{mutation[0].upper()}{mutation[1:]}Payload"


def _has_shape(mutation: str) -> bool:
    """Whether InvalidInputError is a member of the mutation's union."""
    result: Any = schema._schema.type_map[f"{mutation[0].upper()}{mutation[1:]}Result"]
    return any(member.name == "InvalidInputError" for member in result.types)
