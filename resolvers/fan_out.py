"""How is one event told to many? Read once for all who wait with the same selection, and pushed to each.

A group has one cursor. When something has happened it reads one statement: each event rendered once, and who of
its members may hear it, with the rights of now. Whoever does not take it at once, or may not listen any longer,
leaves and goes on alone from his own place: so nobody waits for anybody, and nothing is queued here.
"""

import asyncio
import json
from collections.abc import Collection, Iterable
from functools import partial
from sys import intern

import orjson

from models.tables.events import EventKind
from resolvers.context import Context
from resolvers.lookahead import Plan
from resolvers.looking import Look, Shared
from resolvers.streams import ALL_KINDS, kinds_of
from resolvers.subscription import patiently
from resolvers.together import BadgesMember, EventMember, Group, Key

IN_ONE_GO = 250
"""Pushes after which others have a turn."""

PEOPLE_AT_ONCE = 200
"""Whose badges one statement counts."""


class EventGroup(Group[EventMember]):
    """Those who listen to the same events of an organization, or of one conversation, with the same selection."""

    def __init__(self, ctx: Context, key: Key, shared: Shared, *, since: int) -> None:
        super().__init__(ctx, key)
        self._plan, self._mark = shared
        self._name, self._asked, self._where = key
        self._cursor = since
        self._people: str | None = None

    @property
    def kinds(self) -> frozenset[EventKind]:
        return kinds_of(self._name, in_one=self._where is not None)

    def wake(self, floor: int, people: Collection[int] | None) -> None:
        if not self.is_behind:
            if people is not None and self._members.keys().isdisjoint(people):
                return
            self._cursor = max(self._cursor, floor)
        self.start_looking()

    def knows_more(self, member: EventMember) -> bool:
        return member.since < self._cursor

    def send_off(self, member: EventMember) -> None:
        member.since = max(member.since, self._cursor)
        super().send_off(member)

    async def look(self) -> None:
        found = await patiently(self._read)
        for person in found.leaving:
            self._send_off_all(person)
        for number, told, people in found.changes:
            text = orjson.dumps(told).decode()
            if self._mark is not None and self._mark in text:
                for person in people:
                    self._send_off_all(person)
            else:
                await self._tell(number, text, people)
            self._cursor = number
        self._cursor = max(self._cursor, found.until)
        if found.until < found.last:
            self._is_woken = True

    async def _read(self) -> Look:
        if self._people is None:
            self._people = json.dumps([*self._members])
        asking = self.asking(since=self._cursor, people=self._people, conversation=self._where)
        look: Look = await self._plan.read(self._ctx.database, self._asked.values, asking)
        return look

    async def _tell(self, number: int, text: str, people: Iterable[int]) -> None:
        pushed = in_one_go = 0
        for person in people:
            for member in self.of(person):
                if member.since < number:
                    if member.peer is not None and member.peer.push(text):
                        pushed += 1
                    else:
                        self.send_off(member)
                in_one_go += 1
            if in_one_go >= IN_ONE_GO:
                in_one_go = 0
                await asyncio.sleep(0)
        self._ctx.listeners.on_pushed(pushed)

    def _send_off_all(self, person: int) -> None:
        for member in self.of(person):
            self.send_off(member)

    def _moved(self) -> None:
        self._people = None


class BadgesGroup(Group[BadgesMember]):
    """Those who listen to the same badges in an organization."""

    asks_for_people = True

    def __init__(self, ctx: Context, key: Key, plan: Plan) -> None:
        super().__init__(ctx, key)
        self._plan = plan
        self._values = key[1].values
        self._woken: set[int] = set()

    @property
    def kinds(self) -> frozenset[EventKind]:
        return ALL_KINDS

    def wake(self, floor: int, people: Collection[int] | None) -> None:  # noqa: ARG002
        waiting = self._members.keys() | {member.ctx.viewer.id for member in self._joining}
        woken = waiting if people is None else waiting.intersection(people)
        if woken:
            self._woken |= woken
            self.start_looking()

    def knows_more(self, member: BadgesMember) -> bool:  # noqa: ARG002
        """Never: whoever was listening alone when something happened was woken himself."""
        return False

    async def look(self) -> None:
        woken, self._woken = sorted(self._woken & self._members.keys()), set()
        for start in range(0, len(woken), PEOPLE_AT_ONCE):
            people = woken[start : start + PEOPLE_AT_ONCE]
            found = dict(await patiently(partial(self._read, people)))
            for person in people:
                self._tell(person, found.get(person))

    async def _read(self, people: list[int]) -> list[tuple[int, object]]:
        asking = self.asking(people=json.dumps(people))
        pairs: list[tuple[int, object]] = await self._plan.read(self._ctx.database, self._values, asking)
        return pairs

    def _tell(self, person: int, counts: object) -> None:
        """None: the person is not active any more, and is told so alone."""
        text = intern(orjson.dumps(counts).decode())
        for member in self.of(person):
            if counts is not None and member.shown == text:
                continue
            if counts is None or member.peer is None or not member.peer.push(text):
                self.send_off(member)
            else:
                member.shown = text
                self._ctx.listeners.on_pushed(1)
