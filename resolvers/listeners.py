"""Who is listening, and who is to look again? Wake-ups in one process, with a poll as the net.

An event is a wake-up: it carries ids, and whoever is woken reads what is stored, with the rights of now. A
wake-up that is lost or doubled costs time, never an event. Who is told alone is woken for what concerns him; who
waits together with others, when anything of the kind has happened.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Collection, Hashable
from contextlib import suppress
from math import inf
from time import monotonic
from typing import Any, Protocol, TypeVar

from sqlalchemy import Integer, bindparam

from models.actor import Viewer
from models.audience import last_events, news, people_concerned
from models.database import Database
from models.errors import Unavailable
from models.prepared import Prepared
from models.tables.events import EventKind
from resolvers.dialects import numbers_of

log = logging.getLogger(__name__)

POLL_SECONDS = 2.0


class Listener(Protocol):
    """One person's subscription, or many that wait together.

    `kinds` are those of the events that it wants to be woken for.
    """

    @property
    def kinds(self) -> frozenset[EventKind]: ...


class Alone(Listener, Protocol):
    """A subscription that is told alone."""

    def wake(self, floor: int) -> None:
        """There may be something new. Nothing up to the event `floor` was of interest since it was woken last."""


class Together(Listener, Protocol):
    """Subscriptions that wait together."""

    asks_for_people: bool
    """Whether it has to know whom the events concern."""

    def wake(self, floor: int, people: Collection[int] | None) -> None:
        """The same; `people` are those whom it concerns, None: everybody."""


Group = TypeVar("Group", bound=Together)


class _Organization:
    """Those who listen there: `people` by their numbers, `groups` by what they have in common."""

    __slots__ = ("groups", "people", "seen")

    def __init__(self) -> None:
        self.seen: int | None = None
        self.people: dict[int, tuple[Alone, ...]] = {}
        self.groups: dict[Hashable, Any] = {}


class Listeners:
    """All subscriptions of this process, by organization."""

    def __init__(self, database: Database, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._database = database
        self._poll_seconds = poll_seconds
        self.on_woken: Callable[[float], None] = _tell_nobody
        """Told how many seconds after a commit those whom it concerns were woken."""
        self.on_pushed: Callable[[int], None] = _tell_nobody
        """Told how many have got an event that was read for many."""
        self._organizations: dict[int, _Organization] = {}
        self._changed = asyncio.Event()
        self._to_look_at: set[int] | None = set()
        self._wait_since = inf
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._database.on_commit = self.look_at
        self._task = asyncio.create_task(self._keep_looking(), name="listeners")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def look_at(self, organizations: set[int] | None) -> None:
        """Something may have happened in these organizations, or in any: look soon. From any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._note, organizations, monotonic())

    def add(self, viewer: Viewer, listener: Alone) -> None:
        """Registers a subscription for events that concern the viewer. Register first, then read, then wait."""
        people = self._at(viewer.organization_id).people
        people[viewer.id] = (*people.get(viewer.id, ()), listener)

    def remove(self, viewer: Viewer, listener: Alone) -> None:
        """Nothing when it is not registered."""
        there = self._organizations.get(viewer.organization_id)
        if there is None or viewer.id not in there.people:
            return
        if others := tuple(each for each in there.people[viewer.id] if each is not listener):
            there.people[viewer.id] = others
        else:
            del there.people[viewer.id]
            self._forget(viewer.organization_id, there)

    def group(self, organization_id: int, key: Hashable, make: Callable[[], Group]) -> Group:
        """The group with this key, made where there is none. It has to be dismissed when it is empty."""
        groups = self._at(organization_id).groups
        if key not in groups:
            groups[key] = make()
        found: Group = groups[key]
        return found

    def dismiss(self, organization_id: int, key: Hashable) -> None:
        there = self._organizations[organization_id]
        del there.groups[key]
        self._forget(organization_id, there)

    def _at(self, organization_id: int) -> _Organization:
        if organization_id not in self._organizations:
            self._organizations[organization_id] = _Organization()
        return self._organizations[organization_id]

    def _forget(self, organization_id: int, there: _Organization) -> None:
        if not there.people and not there.groups:
            self._organizations.pop(organization_id, None)

    # ----------------------------------------------------------------------------------------- looking

    def _note(self, organizations: set[int] | None, since: float) -> None:
        self._wait_since = min(self._wait_since, since)
        if organizations is None or self._to_look_at is None:
            self._to_look_at = None
        else:
            self._to_look_at |= organizations
        self._changed.set()

    async def _keep_looking(self) -> None:
        loop = asyncio.get_running_loop()
        poll_at = loop.time()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(poll_at):  # `wait_for` may lose the cancellation of `stop`
                    await self._changed.wait()
            wanted, self._to_look_at = self._to_look_at, set()
            since, self._wait_since = self._wait_since, inf
            self._changed.clear()
            if loop.time() >= poll_at:
                wanted, poll_at = None, loop.time() + self._poll_seconds
            try:
                await self._look(wanted)
                if since < inf:
                    self.on_woken(monotonic() - since)
            except Unavailable:
                pass  # whoever reads is told; the next look makes up for it
            except Exception:
                log.exception("looking for new events failed; the next look makes up for it")

    async def _look(self, wanted: set[int] | None) -> None:
        """Wakes whom events since the last look concern, in these organizations, or in all."""
        if wanted is None:
            ids = json.dumps([*self._organizations])
            found = await _LAST.read(self._database, ids=ids) if self._organizations else ()
            wanted = {organization_id for organization_id, last in found if last != self._seen(organization_id)}
        for organization_id in wanted:
            if organization_id in self._organizations:
                await self._look_at(organization_id, self._organizations[organization_id])

    def _seen(self, organization_id: int) -> int | None:
        there = self._organizations.get(organization_id)
        return None if there is None else there.seen

    async def _look_at(self, organization_id: int, there: _Organization) -> None:
        seen = there.seen
        since = _NEVER if seen is None else seen
        found = await _NEWS.read(self._database, organization=organization_id, since=since)
        last = found[0][0]
        if seen is None or last - seen > _EVERYBODY:
            _wake(there, 0, _ALL_KINDS, None)
        elif last > seen:
            people = None
            if there.people or any(each.asks_for_people for each in there.groups.values()):
                concerned = await _CONCERNED.read(self._database, organization=organization_id, since=seen)
                people = frozenset(row[0] for row in concerned)
            _wake(there, seen, frozenset(row[1] for row in found), people)
        there.seen = last


def _wake(there: _Organization, floor: int, kinds: frozenset[str], people: Collection[int] | None) -> None:
    """Wakes these people, or everybody, and the groups, each when it wants to hear of such events."""
    for person in tuple(there.people) if people is None else people:
        for alone in there.people.get(person, ()):
            if kinds & alone.kinds:
                alone.wake(floor)
    for group in tuple(there.groups.values()):
        if kinds & group.kinds:
            group.wake(floor, people)


def _tell_nobody(_: float) -> None:
    """Until somebody measures."""


_EVERYBODY = 1_000
"""Beyond this number of events nobody asks whom they concern."""

_NEVER = 10**18
"""Later than every event."""

_ALL_KINDS: frozenset[str] = frozenset(EventKind)

_LAST = Prepared(last_events(numbers_of(bindparam("ids"))))
_ORGANIZATION, _SINCE = bindparam("organization", type_=Integer()), bindparam("since", type_=Integer())
_NEWS = Prepared(news(_ORGANIZATION, _SINCE))
_CONCERNED = Prepared(people_concerned(_ORGANIZATION, _SINCE))
