"""Is the process alive, and may it be asked now? For who starts it again, and for who sends it requests."""

import asyncio
import logging
from collections.abc import Callable
from time import monotonic

from aiohttp import web

from app.http import HEADERS
from models.database import Database
from models.migrate import known_revisions

PATIENCE = 2.0
"""Seconds that the database may take to answer."""

FRESH = 1.0
"""Seconds for which an answer is given again: whoever asks often asks nothing of the database."""

GOOD = ("ok", "current")

log = logging.getLogger(__name__)

Words = dict[str, str]


class Health:
    """`is_connected`: whether wake-ups of other processes come in."""

    def __init__(self, database: Database, is_connected: Callable[[], bool]) -> None:
        self._database = database
        self._is_connected = is_connected
        self._known: tuple[float, Words] | None = None
        self._asking = asyncio.Lock()
        self._newest, *self._older = known_revisions()  # of the program that runs, whatever lies on the disk later

    async def alive(self, _: web.Request) -> web.Response:
        """GET /healthz: this answer, for as long as the loop turns; whatever the database does."""
        return web.json_response({"status": "ok"}, headers=HEADERS)

    async def ready(self, _: web.Request) -> web.Response:
        """GET /readyz: a word for each thing that requests need; 503 when one is missing."""
        words = await self._words()
        status = 200 if all(word in GOOD for word in words.values()) else 503
        return web.json_response(words, status=status, headers=HEADERS)

    async def _words(self) -> Words:
        async with self._asking:
            if self._known is None or monotonic() - self._known[0] > FRESH:
                words = await self._ask()
                if self._known is not None and self._known[1] != words:
                    log.warning("Readiness changed", extra=words)
                self._known = (monotonic(), words)
            return self._known[1]

    async def _ask(self) -> Words:
        revision = await self._revision()
        return {
            "database": "away" if revision is None else "ok",
            "broker": "ok" if self._is_connected() else "away",
            "migrations": "unknown" if revision is None else self._age(revision),
        }

    async def _revision(self) -> str | None:
        """The migration that the database has come to; None when it does not answer."""
        try:
            async with asyncio.timeout(PATIENCE):
                ((revision,),) = await self._database.read("SELECT version_num FROM alembic_version", ())
        except Exception:  # whatever an engine says when it cannot
            return None
        return str(revision)

    def _age(self, revision: str) -> str:
        """How the database stands to this program. `ahead`: a newer one has changed it."""
        if revision == self._newest:
            return "current"
        return "behind" if revision in self._older else "ahead"
