"""Who tells the messenger outside while the server runs?"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.messenger.addresses import bridge_address
from app.messenger.webhook import Bridge
from app.settings import Settings
from jobs.outbox import keep_delivering, woken_by
from models.database import Database


@asynccontextmanager
async def telling(settings: Settings, database: Database) -> AsyncIterator[None]:
    """Enter it when whoever else is told of commits is in place. With the built-in messenger nobody is told."""
    if not database.messenger.is_outside:
        yield
        return
    address, secret = bridge_address(settings.messenger_url), settings.messenger_secret or ""
    async with Bridge(address, secret) as bridge:
        task = asyncio.create_task(keep_delivering(database, bridge, woken=woken_by(database)), name="outbox")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
