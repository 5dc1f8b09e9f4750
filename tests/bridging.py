"""How do tests tell a messenger outside? The documentation's example receiver, really running, and its faults."""

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

from aiohttp import web
from sqlalchemy import select

from app.messenger import WebhookMessenger
from jobs.outbox import NotActedUpon, Terms, keep_delivering, woken_by
from models.database import Database
from models.tables.calls import calls
from models.tables.chats import chats, participations
from models.tables.events import outbox
from models.tables.links import profile_links
from tests.api import PATIENCE
from tests.school import SECRET

DOCS = Path(__file__).parent.parent / "docs" / "messenger"
BRIDGE_SECRET = "s" * 32


def outside(**more: Any) -> WebhookMessenger:
    """A messenger outside, for the database."""
    return WebhookMessenger(SECRET, home="https://messenger.example/", **more)


def _example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("example_receiver", DOCS / "receiver.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


EXAMPLE = _example()
"""The file in `docs/messenger/`, as it stands there."""


class Faults:
    """What may go wrong on the way, at random but the same for the same seed. `bodies`: what has arrived."""

    def __init__(self, seed: str, share: float) -> None:
        self.random = Random(seed)
        self.share = share
        self.bodies: list[tuple[dict[str, str], bytes]] = []

    @web.middleware
    async def happen(self, request: web.Request, handler: Callable[..., Any]) -> web.StreamResponse:
        body = await request.read()
        self.bodies.append((dict(request.headers), body))
        fault = self.random.choice(FAULTS) if self.random.random() < self.share else "none"
        if fault == "refused":
            return web.Response(status=self.random.choice((400, 401, 404, 500, 503)))
        if fault == "dropped before":
            _drop(request)
        if fault == "slow":
            await asyncio.sleep(0.3)
        answer: web.StreamResponse = await handler(request)
        if fault == "twice":
            answer = await handler(request)
        if fault == "dropped after":
            _drop(request)
        if fault == "garbage":
            return web.Response(text='{"url": "javascript:alert(1)"')
        if fault == "redirected":
            return web.Response(status=307, headers={"Location": "/elsewhere"})
        return answer


FAULTS = ("refused", "dropped before", "dropped after", "slow", "twice", "garbage", "redirected")


def _drop(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    """The address of the application, on loopback."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def delivering(database: Database, courier: Any, terms: Terms) -> AsyncIterator[None]:
    task = asyncio.create_task(keep_delivering(database, courier, woken=woken_by(database), terms=terms))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def told_everything(database: Database, patience: float = PATIENCE) -> None:
    """Nothing is open any more."""
    async with asyncio.timeout(patience):
        while open_commands(database):  # noqa: ASYNC110 - another task, or process, writes it
            await asyncio.sleep(0.02)


class Scripted:
    """A courier that keeps what it is given; `fails` says what goes wrong with which text."""

    def __init__(self, fails: Callable[[bytes], NotActedUpon | None] = lambda _: None) -> None:
        self.carried: list[int] = []
        self.fails = fails

    async def carry(self, number: int, text: bytes) -> str | None:
        await asyncio.sleep(0)
        self.carried.append(number)
        if (fault := self.fails(text)) is not None:
            raise fault
        return None


def rows_of_outbox(database: Database) -> list[Any]:
    with database.engine.connect() as connection:
        return list(connection.execute(select(outbox).order_by(outbox.c.id)))


def open_commands(database: Database) -> list[int]:
    """What is to be told, now or after a pause."""
    return [
        row.id
        for row in rows_of_outbox(database)
        if row.sent_at is None and row.dead_at is None and not row.waits_for_night
    ]


def ours(database: Database) -> dict[str, Any]:
    """Chats, members, calls and accounts as they are here, in the words of the receiver. Calls that are over or
    gone with their chat are as gone here as there."""
    with database.engine.connect() as connection:

        def rows(table: Any, *where: Any) -> list[Any]:
            return list(connection.execute(select(table).where(*where)))

        members: dict[int, list[dict[str, Any]]] = {}
        for part in sorted(rows(participations, participations.c.left_at.is_(None)), key=lambda row: row.user_id):
            one = {"user": f"User_{part.user_id}", "isAdministrator": part.is_administrator}
            members.setdefault(part.room_id, []).append(one)
        return {
            "chats": {
                f"Chat_{row.id}": {
                    "id": f"Chat_{row.id}",
                    "kind": row.kind,
                    "name": row.name,
                    "members": members.get(row.id, []),
                }
                for row in rows(chats, chats.c.ended_at.is_(None))
            },
            "calls": {
                f"Call_{row.id}": (f"Chat_{row.chat_id}", row.title, row.status)
                for row in rows(calls, calls.c.deleted_at.is_(None))
            },
            "accounts": {
                f"User_{row.user_id}": row.account
                for row in rows(profile_links, profile_links.c.unlinked_at.is_(None))
                if row.provider == database.messenger.sign_in.provider
            },
        }


def theirs(receiver: Any) -> dict[str, Any]:
    """The same as the receiver has it."""
    return {
        "chats": receiver.chats,
        "calls": {id_: (call["chat"], call["title"], call["status"]) for id_, call in receiver.calls.items()},
        "accounts": receiver.accounts,
    }
