"""How are calls read, and how are mutations of calls answered?"""

from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import String, select

from models import calls as rules
from models.actor import Actor, Rights, person
from models.authorization.chats import JOINS_CALL, PUBLISHES_CALL, SEES_CALL
from models.authorization.people import HAS_DONE_IT, IS_ONESELF
from models.chat_scopes import another_is_published, any_calls, any_chats, visible_calls
from models.decide import CallAction, InCall, decide
from models.tables.calls import CallStatus, calls
from models.tables.chats import chats
from models.tables.people import users
from resolvers.asked import Asked
from resolvers.context import Context
from resolvers.ids import id_of, number, spelled
from resolvers.lookahead import Finished
from resolvers.projection import Column, Derived, One, Projection
from resolvers.statement import VIEWER, given
from resolvers.urls import address

STANDING = (
    "status",
    "viewer_takes_part",
    "viewer_is_administrator",
    "deleted_at",
    lambda row: another_is_published(row.chat_id, row.status),
)


def _actions(actor: Actor, *standing: Any) -> tuple[CallAction, ...]:
    return _allowed(actor.rights, standing)


@lru_cache(maxsize=4_096)
def _allowed(rights: Rights, standing: tuple[Any, ...]) -> tuple[CallAction, ...]:
    """Remembered: few people differ in their rights, and few calls in how one stands to them."""
    call = _in_call(*standing)
    return tuple(action for action in CallAction if decide(rights, action, call) is None)


def _join_url(actor: Actor, url: str | None, *standing: Any) -> str | None:
    return url if decide(actor, CallAction.JOIN, _in_call(*standing)) is None else None


def _in_call(
    status: str,
    takes_part: bool,
    is_administrator: bool,
    deleted_at: str | None = None,
    another_is_published: bool = False,
) -> InCall:
    return InCall(
        CallStatus(status),
        takes_part=takes_part,
        is_administrator=is_administrator,
        is_gone=deleted_at is not None,
        another_is_published=another_is_published,
    )


Projection(
    "Call",
    calls,
    seen_by=SEES_CALL,
    id=id_of("Call"),
    chat=One(
        "Chat",
        lambda row, _: any_chats(VIEWER).where(chats.c.id == row.chat_id),
        shared=lambda row, _: select(chats).where(chats.c.id == row.chat_id),
        seen_by=SEES_CALL,
    ),
    title=Column(),
    starts_at=Column(),
    status=Column(),
    last_actor=One(
        "User",
        lambda row, _: select(users).where(users.c.id == row.last_actor_id),
        optional=True,
        seen_by=SEES_CALL,
    ),
    last_acted_at=Column(),
    join_url=Derived(_join_url, (lambda row: address(row.url), *STANDING[:4]), optional=True, seen_by=JOINS_CALL),
    viewer_actions=Derived(_actions, STANDING, gives_list=True),
)


# ----------------------------------------------------------------------------------------- mutations

for _payload in ("CreateCallPayload", "UpdateCallPayload", "PublishCallPayload", "FinishCallPayload"):
    Projection(
        _payload,
        seen_by=HAS_DONE_IT,
        call=One("Call", lambda _, __: any_calls(VIEWER).where(calls.c.id == given("call")), seen_by=HAS_DONE_IT),
    )

Projection(
    "DeleteCallPayload",
    seen_by=HAS_DONE_IT,
    deleted_call_id=Column(lambda _: spelled("Call", given("call"))),
    chat=One("Chat", lambda _, __: any_chats(VIEWER).where(chats.c.id == given("chat")), seen_by=HAS_DONE_IT),
    badges=One("Badges", lambda _, __: person(VIEWER), seen_by=IS_ONESELF),
)

Projection(
    "CallAlreadyPublishedError",
    seen_by=PUBLISHES_CALL,
    code=Column(lambda _: given("code", String())),
    reason=Column(lambda _: given("reason", String())),
    published_call=One(
        "Call",
        lambda _, __: visible_calls(VIEWER).where(calls.c.id == given("call")),
        optional=True,
        seen_by=PUBLISHES_CALL,
    ),
)


async def create_call(
    ctx: Context,
    asked: Asked,
    *,
    chat_id: str,
    title: str,
    starts_at: datetime,
    idempotency_key: str | None,
) -> Finished:
    return await ctx.change(
        asked,
        lambda tx, actor: {
            "call": rules.create_call(
                tx,
                actor,
                chat_id=number("Chat", chat_id),
                title=title,
                starts_at=starts_at,
                idempotency_key=idempotency_key,
            )
        },
    )


async def update_call(
    ctx: Context, asked: Asked, *, call_id: str, title: str | None, starts_at: datetime | None
) -> Finished:
    return await ctx.change_one(
        asked,
        "Call",
        call_id,
        lambda tx, actor, call: rules.update_call(tx, actor, call, title=title, starts_at=starts_at),
    )


async def publish_call(ctx: Context, asked: Asked, *, call_id: str) -> Finished:
    return await ctx.change_one(asked, "Call", call_id, rules.publish_call)


async def finish_call(ctx: Context, asked: Asked, *, call_id: str) -> Finished:
    return await ctx.change_one(asked, "Call", call_id, rules.finish_call)


async def delete_call(ctx: Context, asked: Asked, *, call_id: str) -> Finished:
    call = number("Call", call_id)
    return await ctx.change(asked, lambda tx, actor: {"call": call, "chat": rules.delete_call(tx, actor, call)})
