"""How do many wait together? By what they have in common; each comes, is told, and may go on alone at any time.

While a group looks, those who join are kept apart: what it learns meanwhile was not asked for them.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Generic, TypeVar

from models.actor import Viewer
from models.errors import Unavailable
from models.tables.events import EventKind
from resolvers.asked import Asked
from resolvers.context import Context
from resolvers.statement import Asking
from resolvers.subscription import Subscription

log = logging.getLogger(__name__)

NOBODY = 0
"""The number of no person: a shared statement does not ask who asks."""

Key = tuple[str, Asked, int | None]


class EventMember(Subscription):
    """Listens to events: `since` is the last one that it knows."""

    __slots__ = ("since",)
    since: int


class BadgesMember(Subscription):
    """Listens to badges: `shown` are those that it knows."""

    __slots__ = ("shown",)
    shown: str


Member = TypeVar("Member", bound=Subscription)


class Group(ABC, Generic[Member]):
    """Subscriptions that wait together, by person. While it looks, those who join are kept apart until the end."""

    asks_for_people = False

    def __init__(self, ctx: Context, key: Key) -> None:
        self._key = key
        self._organization_id = ctx.viewer.organization_id
        self._ctx = replace(ctx, identity=Viewer(NOBODY, self._organization_id))
        self._members: dict[int, tuple[Member, ...]] = {}
        self._joining: dict[Member, None] = {}
        self._look: asyncio.Task[None] | None = None
        self._is_woken = False

    @property
    @abstractmethod
    def kinds(self) -> frozenset[EventKind]: ...

    @abstractmethod
    async def look(self) -> None:
        """Reads what is new and tells it."""

    @abstractmethod
    def knows_more(self, member: Member) -> bool:
        """Whether something was told here that the member has not heard."""

    def join(self, member: Member) -> bool:
        """Whether the member is told from here on. If not, it has to read alone once more."""
        if self._look is not None:
            self._joining[member] = None
            return True
        if self.knows_more(member):
            return False
        self._add(member)
        return True

    def leave(self, member: Member) -> None:
        self._joining.pop(member, None)
        person = member.ctx.viewer.id
        if others := tuple(each for each in self._members.get(person, ()) if each is not member):
            self._members[person] = others
        elif person in self._members:
            del self._members[person]
            self._moved()
        if not self._members and not self._joining:
            self._ctx.listeners.dismiss(self._organization_id, self._key)

    def send_off(self, member: Member) -> None:
        """The member leaves and goes on alone from where the group is."""
        self.turn_away(member)

    def turn_away(self, member: Member) -> None:
        """The member leaves and goes on alone from where it came."""
        self.leave(member)
        member.go_alone()

    def of(self, person: int) -> tuple[Member, ...]:
        return self._members.get(person, ())

    def start_looking(self) -> None:
        self._is_woken = True
        if self._look is None:
            self._look = asyncio.create_task(self._keep_looking())

    @property
    def is_looking(self) -> bool:
        return self._look is not None

    @property
    def is_behind(self) -> bool:
        """Whether something may have happened that is not looked at yet."""
        return self._is_woken or self.is_looking

    def asking(self, **given: object) -> Asking:
        return self._ctx.asking(given)

    def _add(self, member: Member) -> None:
        person = member.ctx.viewer.id
        self._members[person] = (*self._members.get(person, ()), member)
        self._moved()

    def _moved(self) -> None:
        """Somebody came or went."""

    async def _keep_looking(self) -> None:
        try:
            while self._is_woken and (self._members or self._joining):
                self._is_woken = False
                await self.look()
                self._settle()
        except Unavailable:
            self._is_woken = True
            for member in self._all():
                member.give_up()
        except Exception:
            if self._members or self._joining:  # else they have all gone, and perhaps the database with them
                log.exception("Looking for many failed: each looks alone")
            self._is_woken = True
            self._settle()
            for member in self._all():
                self.send_off(member)
        finally:
            self._look = None
            self._settle()

    def _settle(self) -> None:
        """Those who joined meanwhile belong to the group, or have missed something and go on alone."""
        joining, self._joining = self._joining, {}
        for member in joining:
            self._add(member)
        for member in joining:
            if self.knows_more(member):
                self.turn_away(member)

    def _all(self) -> list[Member]:
        return [member for those in self._members.values() for member in those] + [*self._joining]
