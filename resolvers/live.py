"""How does a subscription stay true? Register, read what is stored since the cursor, follow.

Each page is one statement: it tells how far the history goes, who may hear what, and renders the selection.
So a listener resumes from any age of cursor, in order, each event once, and nothing is queued for him here.
"""

from collections.abc import AsyncGenerator, Callable
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Integer, Select, String, cast, exists, literal, select

from models.actor import person
from models.audience import call_changes, chat_changes, publications
from models.chat_scopes import visible_calls, visible_chats
from models.errors import BadRequest, Unauthenticated
from models.tables.calls import calls
from models.tables.chats import chats
from models.tables.organization import organizations
from resolvers.asked import Asked, Field
from resolvers.context import Context
from resolvers.cursors import event_number
from resolvers.dialects import json_array
from resolvers.ids import spelled
from resolvers.lookahead import PLANS, Finished, Plan, make_plan, plan_of_field
from resolvers.projection import Column, One, Projection, Rendered, all_rows, an_object, one_row
from resolvers.statement import VIEWER, Row, given

AT_ONCE = 100
"""Events in one page of a replay."""

_SINCE = given("since", Integer())

STREAMS: dict[str, tuple[str, Callable[[], Select[Any]]]] = {
    "callPublished": ("CallPublished", lambda: publications(VIEWER, _SINCE)),
    "callChanged": ("CallChanged", lambda: call_changes(VIEWER, _SINCE)),
    "chatChanged": ("ChatChanged", lambda: chat_changes(VIEWER, _SINCE)),
}
"""What each subscription yields, and from which events."""

_cursor = Column(lambda row: cast(row.number, String))


def _call(*, optional: bool) -> One:
    return One("Call", lambda row, _: visible_calls(VIEWER).where(calls.c.id == row.call_id), optional=optional)


def _chat() -> One:
    return One("Chat", lambda row, _: visible_chats(VIEWER).where(chats.c.id == row.chat_id), optional=True)


Projection("CallPublished", cursor=_cursor, call=_call(optional=False))
Projection(
    "CallChanged",
    cursor=_cursor,
    call_id=Column(lambda row: spelled("Call", row.call_id)),
    chat_id=Column(lambda row: spelled("Chat", row.chat_id)),
    chat=_chat(),
    call=_call(optional=True),
)
Projection(
    "ChatChanged",
    cursor=_cursor,
    chat_id=Column(lambda row: spelled("Chat", row.chat_id)),
    chat=_chat(),
)
Projection("Subscription", badges_changed=One("Badges", lambda _, __: person(VIEWER)))


async def follow(ctx: Context, asked: Asked, after: str | None) -> AsyncGenerator[Finished]:
    """Events after the cursor, or from now on, for as long as the viewer is active.

    Raises BadRequest for a cursor that the organization never gave, Unauthenticated when the viewer goes.
    """
    plan = _plan(asked.field)
    since = _NOW if after is None else event_number(after)
    with ctx.listeners.listen(ctx.viewer) as listener:
        last, found = await _page(ctx, plan, asked, since)
        if after is None:
            since = last
        elif since > last:
            raise BadRequest("That event has not happened here: read eventCursor anew.")
        while True:
            for number, change in found:
                yield Finished(change)
                since = number
            if len(found) < AT_ONCE:
                since = last
                await listener.wait()
            last, found = await _page(ctx, plan, asked, since)


async def badges(ctx: Context, asked: Asked) -> AsyncGenerator[Finished]:
    """The counts now, then again whenever one of those that were asked for differs."""
    plan = plan_of_field("Subscription", asked.field)
    shown = ""
    with ctx.listeners.listen(ctx.viewer) as listener:
        while True:
            counts = await plan.read(ctx.database, asked.values, ctx.asking())
            if counts is None:
                raise Unauthenticated
            text = orjson.dumps(counts).decode()
            if text != shown:
                shown = text
                yield Finished(counts)
            await listener.wait()


async def _page(ctx: Context, plan: Plan, asked: Asked, since: int) -> tuple[int, list[tuple[int, Any]]]:
    """How far the history goes, and the next events (number, what is told of it) that the viewer may hear."""
    answer = await plan.read(ctx.database, asked.values, ctx.asking({"since": since}))
    if answer is None:
        raise Unauthenticated
    last, found = answer
    return last, found


@lru_cache(maxsize=PLANS)
def _plan(field: Field) -> Plan:
    """The plan of one page: `[last event, [[number, object], ...]]`; null for who is not active."""
    target, source = STREAMS[field.name]
    history = select(organizations.c.last_event).where(
        organizations.c.id == VIEWER.organization_id,
        exists(person(VIEWER).with_only_columns(literal(1))),
    )

    def change(row: Row) -> Rendered:
        told = an_object(target, field.selection, row)
        finish = told.load
        load = None if finish is None else lambda pair, actor: [pair[0], finish(pair[1], actor)]
        return Rendered(json_array((row.number, told.expression)), load)

    def page(row: Row) -> Rendered:
        in_order = source().order_by(source().selected_columns.number).limit(AT_ONCE)
        changes = all_rows(row.statement, in_order, change)
        finish = changes.load
        return Rendered(
            json_array((row.last_event, changes.expression)),
            lambda found, actor: [found[0], finish(found[1], actor) if finish else found[1]],
        )

    return make_plan(lambda statement, _: one_row(statement, history, page))


_NOW = 10**18
"""Later than every event."""
