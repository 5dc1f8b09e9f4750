"""A server of the tests' own: the real web edge over a small schema whose every movement is known."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

import strawberry
from aiohttp import ClientSession, web
from sqlalchemy import insert, update
from strawberry.scalars import JSON

from app.auth import Tokens
from app.messenger import BuiltinMessenger
from app.server import build_app, runner
from app.settings import Environment, Settings
from app.websocket import Terms
from models.actor import Viewer
from models.database import Database
from models.errors import LimitExceeded, Unauthenticated
from models.migrate import migrate
from models.tables.events import EventKind
from models.tables.organization import organizations
from models.tables.people import users
from resolvers.asked import Asked, Field
from resolvers.context import Context
from resolvers.listeners import Listeners
from resolvers.lookahead import Finished
from resolvers.subscription import Subscription
from schema.execution import Schema
from tests.engines import copy_of, made_once, new_url

SECRET = "x" * 40
NOW = datetime(2026, 9, 10, 7, 0, tzinfo=UTC)
Info = strawberry.Info[Context, None]


@dataclass
class Movements:
    """What the schema did: the subscriptions that are open now, what was taken from a flood, and whether
    the person goes."""

    open: int = 0
    told: int = 0
    gone: asyncio.Event = field(default_factory=asyncio.Event)


MOVEMENTS = Movements()


@strawberry.type
class Query:
    @strawberry.field
    def me(self, info: Info) -> str:
        return str(info.context.viewer.id)

    @strawberry.field
    def echo(self, text: str) -> str:
        return text

    @strawberry.field
    def number(self, of: int = 1) -> int:
        return of

    @strawberry.field
    def year(self, of: date) -> int:
        return of.year

    @strawberry.field
    def nowhere(self) -> str | None:
        raise KeyError("secret/path.py")

    @strawberry.field
    def limited(self) -> str | None:
        raise LimitExceeded("Too much.")

    @strawberry.field
    async def slow(self, seconds: float = 0.15) -> bool:
        await asyncio.sleep(seconds)
        return True

    @strawberry.field
    def odd(self) -> JSON:
        return cast(JSON, {"no": object()})


@strawberry.type
class Mutation:
    @strawberry.mutation
    def double(self, of: int) -> int:
        return 2 * of


class Told(Subscription):
    """Values that a generator gives, and nothing of the history."""

    def __init__(self, ctx: Context, values: AsyncGenerator[Any, None]) -> None:
        super().__init__(ctx, Asked(Field("", "")))
        self._values = values

    @property
    def kinds(self) -> frozenset[EventKind]:
        return frozenset()

    async def read(self) -> AsyncGenerator[Finished]:
        async with aclosing(self._values) as values:
            async for value in values:
                yield Finished(value)
        self.is_over = True

    def meet(self) -> None:
        """There are no others."""

    def skip_to(self, event: int) -> None:
        """There is no history."""


async def _count(to: int) -> AsyncGenerator[int, None]:
    for number in range(to):
        yield number


async def _silence() -> AsyncGenerator[int, None]:
    """Says one thing, then waits until nobody listens."""
    MOVEMENTS.open += 1
    try:
        yield 0
        await asyncio.Event().wait()
    finally:
        MOVEMENTS.open -= 1


async def _presence() -> AsyncGenerator[int, None]:
    yield 0
    await MOVEMENTS.gone.wait()
    raise Unauthenticated


async def _flood() -> AsyncGenerator[str, None]:
    """As much as somebody takes."""
    MOVEMENTS.open += 1
    try:
        while True:
            yield "x" * 10_000
            MOVEMENTS.told += 1
            await asyncio.sleep(0)
    finally:
        MOVEMENTS.open -= 1


@strawberry.type(name="Subscription")
class Subscribing:
    @strawberry.subscription(graphql_type=int)  # type: ignore[untyped-decorator]
    def count(self, info: Info, to: int) -> AsyncIterable[Finished]:
        return Told(info.context, _count(to))

    @strawberry.subscription(graphql_type=int)  # type: ignore[untyped-decorator]
    def silence(self, info: Info) -> AsyncIterable[Finished]:
        return Told(info.context, _silence())

    @strawberry.subscription(graphql_type=int)  # type: ignore[untyped-decorator]
    def presence(self, info: Info) -> AsyncIterable[Finished]:
        return Told(info.context, _presence())

    @strawberry.subscription(graphql_type=str)  # type: ignore[untyped-decorator]
    def flood(self, info: Info) -> AsyncIterable[Finished]:
        return Told(info.context, _flood())


SCHEMA = Schema(Query, Mutation, Subscribing)


@dataclass
class Served:
    """A running server, and what a test needs to talk to it."""

    address: str
    client: ClientSession
    database: Database
    tokens: Tokens
    runner: web.AppRunner
    clock: list[datetime]

    @property
    def url(self) -> str:
        return f"{self.address}/graphql"

    def token(self, viewer: Viewer | None = None) -> str:
        """What stands in the Authorization header."""
        return "Bearer " + self.tokens.issue(viewer or Viewer(1, 1), now=self.clock[0])

    async def ask(self, query: str, **request: Any) -> tuple[int, Any]:
        headers = request.pop("headers", {"Authorization": self.token()})
        async with self.client.post(self.url, json={"query": query, **request}, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    def deactivate(self, user_id: int) -> None:
        with self.database.transaction() as tx:
            tx.execute(update(users).where(users.c.id == user_id).values(deactivated_at=tx.now))


@asynccontextmanager
async def served(
    folder: Path, *, terms: Terms | None = None, environment: str = "production", **knobs: Any
) -> AsyncIterator[Served]:
    """The server on a port of its own, with two people in one organization."""
    url = copy_of(_school(), folder, "preau")
    settings = Settings(environment=Environment(environment), secret=SECRET, database_url=url, **knobs)
    clock = [NOW]
    database = Database(url, messenger=BuiltinMessenger(SECRET), clock=lambda: clock[0])
    await database.start()
    listeners = Listeners(database)
    await listeners.start()
    running = runner(build_app(settings, database, listeners, schema=SCHEMA, terms=terms))
    await running.setup()
    await web.TCPSite(running, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{running.addresses[0][1]}"
    try:
        async with ClientSession() as client:
            yield Served(address, client, database, Tokens(SECRET), running, clock)
    finally:
        await running.cleanup()
        await listeners.stop()
        await database.stop()


@cache
def _school() -> str:
    """A database with one organization and two people, made once."""
    url = new_url(made_once("web"), kept=True)
    database = Database(url, messenger=BuiltinMessenger(SECRET), clock=lambda: NOW)
    migrate(database.engine)
    with database.transaction() as tx:
        school = {
            "source_id": "1",
            "name": "School",
            "time_zone": "UTC",
            "locale": "en",
            "preset": "EPOS_SCHOOL",
        }
        tx.execute(insert(organizations).values(**school, policy={}, imported_at=tx.now))
        for number in ("1", "2"):
            person = {"source_id": number, "login": number, "name": number, "search_key": number}
            tx.execute(insert(users).values(organization_id=1, created_at=tx.now, **person))
    return url
