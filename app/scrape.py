"""Who may read the metrics, and what is looked up for them?

They tell how busy a school is, so they are not for the world: with `PREAU_METRICS_TOKEN` whoever sends it may read
them; without it nobody may, except in development, where the server listens on loopback alone.
"""

import asyncio
import hmac
from contextlib import suppress

from aiohttp import hdrs, web
from prometheus_client import CONTENT_TYPE_LATEST

from app.http import HEADERS
from app.metrics import Metrics
from app.settings import Settings
from models.backlog import Backlog, read_backlog
from models.database import Database

PATIENCE = 2.0
"""Seconds that the database may take; the other figures do not wait longer."""


class Scrape:
    """GET /metrics."""

    def __init__(self, settings: Settings, metrics: Metrics, database: Database) -> None:
        self._settings = settings
        self._metrics = metrics
        self._database = database

    async def respond(self, request: web.Request) -> web.Response:
        if not self._may_read(request.headers.get(hdrs.AUTHORIZATION, "")):
            raise web.HTTPNotFound
        self._metrics.stands(await self._backlog(), self._database.clock())
        headers = {**HEADERS, hdrs.CONTENT_TYPE: CONTENT_TYPE_LATEST}
        return web.Response(body=self._metrics.page(), headers=headers)

    def _may_read(self, authorization: str) -> bool:
        token = self._settings.metrics_token
        if not token:
            return self._settings.in_development
        return hmac.compare_digest(authorization.encode(errors="replace"), f"Bearer {token}".encode())

    async def _backlog(self) -> Backlog | None:
        with suppress(Exception):  # whatever an engine says when it cannot
            async with asyncio.timeout(PATIENCE):
                return await read_backlog(self._database)
        return None
