"""A browser at the server's own pages, without the API: what their tests share."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient

from app import pages
from app.auth import Tokens
from app.settings import Environment, Settings
from models.actor import actor
from models.database import Database
from models.links import begin_link
from models.sign_in import new_attempt
from tests import school as cast

Client = TestClient[web.Request, web.Application]
Serve = Callable[..., Awaitable[Client]]

TOKENS = Tokens(cast.SECRET)
PRODUCTION = {"environment": Environment.PRODUCTION}
ROOM = "a" * 22
"""The end of a room's address."""


@asynccontextmanager
async def open_school(path: Path, clock: cast.SchoolClock) -> AsyncIterator[Database]:
    """The demo schools' database, as a server has it."""
    made = cast.build_school(path, clock=clock)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


def serving(aiohttp_client: Any, database: Database) -> Serve:
    """A browser at the pages: `await serve(environment=...)`."""

    async def browser(**settings: Any) -> Client:
        app = web.Application()
        app.add_routes(pages.routes(Settings(secret=cast.SECRET, **settings), database, TOKENS))
        client: Client = await aiohttp_client(app)
        return client

    return browser


def begin(database: Database, login: str) -> str:
    """Where the browser goes to link this person's profile."""
    with database.transaction() as tx:
        begin_link(tx, actor(tx, cast.viewer(database, login)), attempt := new_attempt())
    return f"/messenger/authorize?state={attempt.state}"


def number(database: Database, login: str) -> int:
    return int(cast.viewer(database, login).id)
