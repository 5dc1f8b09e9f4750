"""How does a subscription stay true? Register, read what is stored since the cursor, then wait for more.

Each page is one statement: it tells how far the history goes, who may hear what, and renders the selection.
So a listener resumes from any age of cursor, in order, each event once, and nothing is queued for him here.
"""

import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from functools import lru_cache, partial
from sys import intern

import orjson

from models.errors import BadRequest, NoSuchThing, Unauthenticated
from models.tables.events import EventKind
from resolvers.asked import Asked, Field, Fields, Slot
from resolvers.compiling import aside
from resolvers.context import Context
from resolvers.cursors import event_number
from resolvers.fan_out import BadgesGroup, EventGroup
from resolvers.ids import number
from resolvers.lookahead import PLANS, Finished
from resolvers.looking import AT_ONCE, Page, Shared, badges_plan, page_plan, shared_plan
from resolvers.streams import ALL_KINDS, kinds_of
from resolvers.subscription import Meeting, patiently
from resolvers.together import BadgesMember, EventMember, Key


def follow(ctx: Context, asked: Asked, after: str | None, *, conversation_id: str | None = None) -> "Following":
    """Events after the cursor, or from now on, for as long as the viewer is active.

    Of one conversation: for as long as he takes part there, from before its first message on. It raises BadRequest
    for a cursor that the organization never gave, NoSuchThing for a conversation that he does not see,
    Unauthenticated when he goes.
    """
    return Following(ctx, _alike(asked), after, conversation_id)


def badges(ctx: Context, asked: Asked) -> "Counting":
    """The counts now, then again whenever one of those that were asked for differs."""
    return Counting(ctx, _alike(asked))


class Following(EventMember):
    """Listens to events of one kind, everywhere or in one conversation."""

    __slots__ = ("_after", "_where")

    def __init__(self, ctx: Context, asked: Asked, after: str | None, conversation_id: str | None) -> None:
        super().__init__(ctx, asked)
        self._after = after
        self._where = None if conversation_id is None else number("Conversation", conversation_id)
        self.since = -1

    @property
    def kinds(self) -> frozenset[EventKind]:
        return kinds_of(self.asked.field.name, in_one=self._where is not None)

    async def read(self) -> AsyncGenerator[Finished]:
        if self.since < 0:
            page = await self._first_page()
        else:
            page = await patiently(self._page)
        while True:
            for event, change in page.changes:
                yield Finished(change)
                self.since = event
            if len(page.changes) < AT_ONCE:
                break
            page = await patiently(self._page)
        self.is_over = not page.takes_part
        self.since = page.last

    async def _first_page(self) -> Page:
        self.since = _NOW if self._after is None else event_number(self._after)
        page = await patiently(self._page)
        if not page.is_visible:
            raise NoSuchThing("There is no such conversation, as far as you can see.")
        if self._after is not None and self.since > page.last:
            raise BadRequest("That event has not happened here: read eventCursor anew.")
        self._after = None
        return page

    async def _page(self) -> Page:
        plan = page_plan(self.asked.field, in_one=self._where is not None)
        asking = self.ctx.asking({"since": self.since, "conversation": self._where})
        is_new = not plan.is_ready(self.ctx.database)
        answer = await plan.read(self.ctx.database, self.asked.values, asking)
        if answer is None:
            raise Unauthenticated
        if is_new:
            await aside(self.ctx.viewer, self._shared)  # and remembered: `meet` waits for nothing
        return Page(*answer)

    def _shared(self) -> Shared | None:
        return shared_plan(self.asked.field, self.ctx.database.backend.name, in_one=self._where is not None)

    def meet(self) -> Meeting | None:
        field, shared = self.asked.field, self._shared()
        if shared is None:
            return None
        key: Key = (field.name, self.asked, self._where)
        make = partial(EventGroup, self.ctx, key, shared, since=self.since)
        group = self.ctx.listeners.group(self.ctx.viewer.organization_id, key, make)
        if group.join(self):
            return group
        self._is_woken = True
        return None

    def skip_to(self, event: int) -> None:
        self.since = max(self.since, event)


class Counting(BadgesMember):
    """Listens to the viewer's badges."""

    __slots__ = ()

    def __init__(self, ctx: Context, asked: Asked) -> None:
        super().__init__(ctx, asked)
        self.shown = ""

    @property
    def kinds(self) -> frozenset[EventKind]:
        return ALL_KINDS

    async def read(self) -> AsyncGenerator[Finished]:
        counts = await patiently(self._counts)
        text = orjson.dumps(counts).decode()
        if text != self.shown:
            yield Finished(counts)
            self.shown = intern(text)

    async def _counts(self) -> object:
        plan = badges_plan(self.asked.field)
        asking = self.ctx.asking({"people": json.dumps([self.ctx.viewer.id])})
        found = await plan.read(self.ctx.database, self.asked.values, asking)
        if not found:
            raise Unauthenticated
        return found[0][1]

    def meet(self) -> Meeting | None:
        key: Key = (self.asked.field.name, self.asked, None)
        make = partial(BadgesGroup, self.ctx, key, badges_plan(self.asked.field))
        group = self.ctx.listeners.group(self.ctx.viewer.organization_id, key, make)
        return group if group.join(self) else None

    def skip_to(self, event: int) -> None:
        """Badges have no place in history."""


def _alike(asked: Asked) -> Asked:
    """The same for all who want to see the same: without what says from where on, and where."""
    field, taken = _without_arguments(asked.field)
    return Asked(field, tuple([None if place in taken else each for place, each in enumerate(asked.values)]))


@lru_cache(maxsize=PLANS)
def _without_arguments(field: Field) -> tuple[Field, frozenset[int]]:
    """The field, and the places of the values that its arguments had."""
    taken = frozenset(slot.index for _, slot in field.arguments.given if isinstance(slot, Slot))
    return replace(field, arguments=Fields(())), taken


_NOW = 10**18
"""Later than every event."""
