"""Who is listening, and who is to look again? Wake-ups in one process, with a poll as the net.

An event is a wake-up: it carries ids, and whoever is woken reads what is stored, with the rights of now. A
wake-up that is lost or doubled costs time, never an event. Changes by other processes on the same database
are seen by the poll.
"""

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Integer, bindparam

from models.actor import Viewer
from models.audience import last_events, people_concerned
from models.database import Database
from models.prepared import Prepared
from resolvers.dialects import numbers_of

log = logging.getLogger(__name__)

POLL_SECONDS = 2.0


class Listener:
    """One subscription that waits. `wait` returns when there may be something new."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    async def wait(self) -> None:
        await self._woken.wait()
        self._woken.clear()


class Listeners:
    """All subscriptions of this process, by organization and person."""

    def __init__(self, database: Database, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._database = database
        self._poll_seconds = poll_seconds
        self._waiting: dict[int, dict[int, set[Listener]]] = defaultdict(lambda: defaultdict(set))
        self._seen: dict[int, int] = {}
        self._changed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._database.on_commit = self._committed
        self._task = asyncio.create_task(self._keep_looking(), name="listeners")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    @contextmanager
    def listen(self, viewer: Viewer) -> Iterator[Listener]:
        """Registers a listener for events that concern the viewer. Register first, then read, then wait."""
        listener = Listener()
        people = self._waiting[viewer.organization_id]
        people[viewer.id].add(listener)
        try:
            yield listener
        finally:
            people[viewer.id].discard(listener)
            if not people[viewer.id]:
                del people[viewer.id]
            if not people:
                self._waiting.pop(viewer.organization_id, None)
                self._seen.pop(viewer.organization_id, None)

    def _committed(self, _: set[int]) -> None:
        """Called by the writer's thread, after the commit."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._changed.set)

    async def _keep_looking(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_seconds):  # `wait_for` may lose the cancellation of `stop`
                    await self._changed.wait()
            self._changed.clear()
            try:
                await self._look()
            except Exception:
                log.exception("looking for new events failed; the next look makes up for it")

    async def _look(self) -> None:
        """Wakes the people whom events since the last look concern."""
        if not self._waiting:
            return
        for organization_id, last in await _LAST.read(self._database, ids=json.dumps([*self._waiting])):
            seen = self._seen.get(organization_id)
            self._seen[organization_id] = last
            if seen is None or last - seen > _EVERYBODY:
                self._wake(organization_id, None)
            elif last > seen:
                found = await _CONCERNED.read(self._database, organization=organization_id, since=seen)
                self._wake(organization_id, [row[0] for row in found])

    def _wake(self, organization_id: int, people: Iterable[int] | None) -> None:
        """Wakes these people, or everybody in the organization."""
        waiting = self._waiting.get(organization_id, {})
        for user_id in list(waiting) if people is None else people:
            for listener in waiting.get(user_id, ()):
                listener.wake()


_EVERYBODY = 1_000
"""Beyond this number of events nobody asks whom they concern."""

_LAST = Prepared(last_events(numbers_of(bindparam("ids"))))
_CONCERNED = Prepared(
    people_concerned(bindparam("organization", type_=Integer()), bindparam("since", type_=Integer()))
)
