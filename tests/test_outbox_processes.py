"""What becomes of commands that are under way when the server is killed, or told to stop? With real processes."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import update

from app.messenger.webhook import Bridge
from jobs.change_of_messenger import go_over
from jobs.outbox import Terms
from models.actor import actor
from models.chats import create_chat
from models.database import wall_clock
from models.tables.chats import ChatKind
from models.tables.events import outbox
from tests.bridging import (
    BRIDGE_SECRET,
    EXAMPLE,
    delivering,
    open_commands,
    ours,
    outside,
    rows_of_outbox,
    serving,
    theirs,
    told_everything,
)
from tests.running import first_words, last_words, started
from tests.school import ADMINISTRATOR, SchoolClock, build_school, viewer

pytestmark = pytest.mark.sqlite

CHATS = 3


class Forgetful:
    """The example receiver, which acts and then, as long as it `hangs`, never answers."""

    def __init__(self) -> None:
        self.receiver = EXAMPLE.Receiver(BRIDGE_SECRET)
        self.hangs = True
        self.numbers: list[str] = []
        self.arrived = asyncio.Event()

    def application(self) -> web.Application:
        app: web.Application = EXAMPLE.application(self.receiver)
        app.middlewares.append(self._answer)
        return app

    @web.middleware
    async def _answer(self, request: web.Request, handler: Any) -> web.StreamResponse:
        answer: web.StreamResponse = await handler(request)
        self.numbers.append(request.headers["Idempotency-Key"])
        if len(self.numbers) >= CHATS:
            self.arrived.set()
        if self.hangs:
            await asyncio.sleep(60)
        return answer


@asynccontextmanager
async def under_way(folder: Path) -> AsyncIterator[tuple[Any, Forgetful, Any, str]]:
    """A server that has told a bridge of some chats and waits for its answers."""
    database = build_school(folder / "preau.db", clock=SchoolClock(wall_clock()))
    database.messenger = outside()
    go_over(database)
    with database.transaction() as tx:
        tx.execute(update(outbox).values(sent_at=tx.now))
        office = actor(tx, viewer(database, ADMINISTRATOR))
        for number in range(CHATS):
            create_chat(
                tx,
                office,
                kind=ChatKind.CUSTOM,
                title=f"Чат {number}",
                group_id=None,
                participant_ids=None,
                idempotency_key=None,
            )
    forgetful = Forgetful()
    async with serving(forgetful.application()) as address:
        variables = {"PREAU_MESSENGER_URL": f"webhook+{address}", "PREAU_MESSENGER_SECRET": BRIDGE_SECRET}
        async with started(folder, **variables) as process:
            await first_words(process)
            async with asyncio.timeout(20):
                await forgetful.arrived.wait()
            forgetful.hangs = False
            yield process, forgetful, database, address


async def test_killed_while_it_tells_it_tells_again_when_the_lease_has_run_out(tmp_path: Path) -> None:
    async with under_way(tmp_path) as (process, forgetful, database, address):
        process.kill()
        await last_words(process)
        rows = [row for row in rows_of_outbox(database) if row.sent_at is None]
        assert len(rows) == CHATS and all(row.lease and row.attempts == 0 for row in rows)
        await database.start()
        try:
            async with (
                Bridge(address, BRIDGE_SECRET) as bridge,
                delivering(database, bridge, Terms(look_every=timedelta(milliseconds=20))),
            ):
                await asyncio.sleep(0.2)
                assert len(open_commands(database)) == CHATS, "nobody takes what is leased"
                database.clock.forward(seconds=70)
                await told_everything(database)
        finally:
            await database.stop()
        assert sorted(forgetful.numbers) == sorted([str(row.id) for row in rows] * 2)
        assert len(forgetful.receiver.answers) == CHATS, "told twice, acted upon once"
        made = theirs(forgetful.receiver)["chats"]
        assert made == {id_: chat for id_, chat in ours(database)["chats"].items() if id_ in made}


async def test_told_to_stop_it_gives_back_what_is_under_way(tmp_path: Path) -> None:
    async with under_way(tmp_path) as (process, _, database, __):
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(5):
            code, _ = await last_words(process)
        assert code == 0
        rows = [row for row in rows_of_outbox(database) if row.sent_at is None]
        assert len(rows) == CHATS and not any(row.lease for row in rows)
