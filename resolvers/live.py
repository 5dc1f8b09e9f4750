"""How does a subscription stay true? Register, read what is stored since the cursor, follow.

Each page is one statement: it tells how far the history goes, who may hear what, and renders the selection.
So a listener resumes from any age of cursor, in order, each event once, and nothing is queued for him here.
"""

from collections.abc import AsyncGenerator, Callable
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Integer, Select, String, cast, exists, literal, or_, select, true

from models.actor import person
from models.audience import (
    call_changes,
    chat_changes,
    conversation_changes,
    message_arrivals,
    message_changes,
    publications,
    takes_part,
)
from models.chat_scopes import visible_calls, visible_chats
from models.conversation_scopes import visible_conversations
from models.errors import BadRequest, NoSuchThing, Unauthenticated
from models.messages import visible_messages
from models.tables.calls import calls
from models.tables.chats import chats
from models.tables.conversations import conversations, messages
from models.tables.organization import organizations
from resolvers.asked import Asked, Field
from resolvers.context import Context
from resolvers.cursors import event_number
from resolvers.dialects import json_array, json_value
from resolvers.ids import number, spelled
from resolvers.lookahead import PLANS, Finished, Plan, make_plan, plan_of_field
from resolvers.projection import Column, One, Projection, Rendered, all_rows, an_object, one_row
from resolvers.statement import VIEWER, Row, given

AT_ONCE = 100
"""Events in one page of a replay."""

_SINCE = given("since", Integer())

_WHERE = given("conversation", Integer())

STREAMS: dict[str, tuple[str, Callable[[], Select[Any]]]] = {
    "messageReceived": ("MessageReceived", lambda: message_arrivals(VIEWER, _SINCE)),
    "messageChanged": ("MessageChanged", lambda: message_changes(VIEWER, _SINCE)),
    "conversationChanged": ("ConversationChanged", lambda: conversation_changes(VIEWER, _SINCE)),
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
Projection(
    "MessageReceived",
    cursor=_cursor,
    message=One("Message", lambda row, _: visible_messages(VIEWER).where(messages.c.id == row.message_id)),
)
Projection(
    "MessageChanged",
    cursor=_cursor,
    message_id=Column(lambda row: spelled("Message", row.message_id)),
    message=One(
        "Message",
        lambda row, _: visible_messages(VIEWER).where(messages.c.id == row.message_id),
        optional=True,
    ),
)
Projection(
    "ConversationChanged",
    cursor=_cursor,
    conversation_id=Column(lambda row: spelled("Conversation", row.conversation_id)),
    conversation=One(
        "Conversation",
        lambda row, _: visible_conversations(VIEWER).where(conversations.c.id == row.conversation_id),
        optional=True,
    ),
)
Projection("Subscription", badges_changed=One("Badges", lambda _, __: person(VIEWER)))


async def follow(
    ctx: Context, asked: Asked, after: str | None, *, conversation_id: str | None = None
) -> AsyncGenerator[Finished]:
    """Events after the cursor, or from now on, for as long as the viewer is active.

    Of one conversation: for as long as he takes part there, from before its first message on. Raises BadRequest
    for a cursor that the organization never gave, NoSuchThing for a conversation that he does not see,
    Unauthenticated when he goes.
    """
    where = None if conversation_id is None else number("Conversation", conversation_id)
    plan = _plan(asked.field, in_one=where is not None)
    since = _NOW if after is None else event_number(after)
    with ctx.listeners.listen(ctx.viewer) as listener:
        page = await _page(ctx, plan, asked, since, where)
        if not page.is_visible:
            raise NoSuchThing("There is no such conversation, as far as you can see.")
        if after is None:
            since = page.last
        elif since > page.last:
            raise BadRequest("That event has not happened here: read eventCursor anew.")
        while True:
            for event, change in page.changes:
                yield Finished(change)
                since = event
            if len(page.changes) < AT_ONCE:
                if not page.takes_part:
                    return
                since = page.last
                await listener.wait()
            page = await _page(ctx, plan, asked, since, where)


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


class _Page(NamedTuple):
    """How far the history goes, the next events (number, what is told of it) that the viewer may hear, and how
    he stands to the one conversation that he listens to."""

    last: int
    changes: list[tuple[int, Any]]
    is_visible: bool
    takes_part: bool


async def _page(ctx: Context, plan: Plan, asked: Asked, since: int, where: int | None) -> _Page:
    given_here = {"since": since, "conversation": where}
    answer = await plan.read(ctx.database, asked.values, ctx.asking(given_here))
    if answer is None:
        raise Unauthenticated
    return _Page(*answer)


@lru_cache(maxsize=PLANS)
def _plan(field: Field, *, in_one: bool) -> Plan:
    """The plan of one page, as the list of what `_Page` has; null for who is not active."""
    target, source = STREAMS[field.name]
    history = select(organizations.c.last_event).where(
        organizations.c.id == VIEWER.organization_id,
        exists(person(VIEWER).with_only_columns(literal(1))),
    )
    found = message_arrivals(VIEWER, _SINCE, _WHERE) if in_one else source()
    in_order = found.order_by(found.selected_columns.number).limit(AT_ONCE)

    def change(row: Row) -> Rendered:
        told = an_object(target, field.selection, row)
        finish = told.load
        load = None if finish is None else lambda pair, actor: [pair[0], finish(pair[1], actor)]
        return Rendered(json_array((row.number, told.expression)), load)

    def page(row: Row) -> Rendered:
        changes = all_rows(row.statement, in_order, change)
        visible = visible_conversations(VIEWER).where(conversations.c.id == _WHERE)
        there = takes_part(VIEWER, _WHERE) if in_one else true()
        sees = or_(exists(visible.with_only_columns(literal(1))), there) if in_one else true()
        finish = changes.load
        return Rendered(
            json_array((row.last_event, changes.expression, json_value(sees), json_value(there))),
            lambda answer, actor: [answer[0], finish(answer[1], actor) if finish else answer[1], *answer[2:]],
        )

    return make_plan(lambda statement, _: one_row(statement, history, page))


_NOW = 10**18
"""Later than every event."""
