"""How are conversations read, and how are their mutations answered?"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select

from models import conversations as rules
from models import group_conversations as group_rules
from models import messages as message_rules
from models.actor import Actor, person
from models.authorization.conversations import LISTS_MESSAGE, SEES_CHAT_TOO, SEES_CONVERSATION
from models.authorization.people import HAS_DONE_IT, IS_ONESELF
from models.chat_scopes import visible_chats
from models.conversation_scopes import (
    any_conversations,
    has_unread,
    listed_conversations,
    messages_in,
    people_in,
    title_contains,
    title_of,
)
from models.conversation_standing import find
from models.database import Transaction
from models.decide_conversations import ConversationAction, decide_in_conversation
from models.errors import Code
from models.messages import any_messages, is_unread
from models.tables.chats import chats
from models.tables.conversations import conversations, deliveries, messages
from models.tables.people import users
from resolvers.asked import Asked
from resolvers.context import Context
from resolvers.cursors import event_number
from resolvers.ids import id_of, number, numbers, spelled
from resolvers.lookahead import Finished
from resolvers.messages import STANDING, in_conversation
from resolvers.paging import Page, pattern
from resolvers.projection import Column, Derived, One, Projection
from resolvers.statement import VIEWER, Arguments, Expression, Row, given


def conversations_of_viewer(_: Row, arguments: Arguments) -> Select[Any]:
    chosen = arguments.within("filter")
    scope = listed_conversations(VIEWER)
    if "kinds" in chosen and (kinds := chosen.each("kinds")):
        scope = scope.where(conversations.c.kind.in_(kinds))
    if chosen.flag("unreadOnly"):
        scope = scope.where(has_unread(VIEWER))
    if "search" in chosen:
        scope = scope.where(title_contains(VIEWER, chosen.bind("search", pattern)))
    return scope


def _last_message(row: Row, _: Arguments) -> Select[Any]:
    return messages_in(VIEWER, row.id).order_by(deliveries.c.event.desc()).limit(1)


def _unread_count(row: Row) -> Expression:
    return (
        select(func.count())
        .select_from(deliveries)
        .where(deliveries.c.user_id == VIEWER.id, deliveries.c.conversation_id == row.id, is_unread())
        .scalar_subquery()
    )


def _actions(actor: Actor, *standing: Any) -> list[ConversationAction]:
    there = in_conversation(*standing)
    return [action for action in ConversationAction if decide_in_conversation(actor, action, there) is None]


def _why_not_reply(actor: Actor, *standing: Any) -> Code | None:
    return decide_in_conversation(actor, ConversationAction.REPLY, in_conversation(*standing))


Projection(
    "Conversation",
    conversations,
    seen_by=SEES_CONVERSATION,
    id=id_of("Conversation"),
    kind=Column(),
    title=Column(lambda row: title_of(VIEWER, row)),
    chat=One(
        "Chat",
        lambda row, _: visible_chats(VIEWER).where(chats.c.id == row.id),
        optional=True,
        seen_by=SEES_CHAT_TOO,
    ),
    participants=Page(
        "Participant",
        lambda row, _: people_in(VIEWER, row),
        keys=("search_key", "user_id"),
        seen_by=SEES_CONVERSATION,
    ),
    messages=Page(
        "Message",
        lambda row, _: messages_in(VIEWER, row.id),
        keys=("event",),
        newest=True,
        seen_by=LISTS_MESSAGE,
    ),
    last_message=One("Message", _last_message, optional=True, seen_by=LISTS_MESSAGE),
    unread_count=Column(_unread_count),
    is_muted=Column(),
    viewer_actions=Derived(_actions, STANDING, gives_list=True),
    viewer_cannot_reply_reason=Derived(_why_not_reply, STANDING, optional=True),
)

Projection(
    "Participant",
    seen_by=SEES_CONVERSATION,
    user=One("User", lambda row, _: select(users).where(users.c.id == row.user_id), seen_by=SEES_CONVERSATION),
    is_administrator=Column(),
    joined_at=Column(),
    left_at=Column(optional=True),
)


# ----------------------------------------------------------------------------------------- mutations


def _changed_conversation() -> One:
    """The conversation as the mutation leaves it, also for who has just left it."""
    return One(
        "Conversation",
        lambda _, __: any_conversations(VIEWER).where(conversations.c.id == given("conversation")),
        seen_by=HAS_DONE_IT,
    )


def _badges() -> One:
    return One("Badges", lambda _, __: person(VIEWER), seen_by=IS_ONESELF)


for _payload in (
    "OpenConversationPayload",
    "CreateGroupConversationPayload",
    "RenameConversationPayload",
    "AddParticipantsPayload",
    "RemoveParticipantsPayload",
    "SetParticipantAdministratorPayload",
    "LeaveConversationPayload",
):
    Projection(_payload, seen_by=HAS_DONE_IT, conversation=_changed_conversation())
for _payload in ("MuteConversationPayload", "MarkConversationReadPayload"):
    Projection(_payload, seen_by=HAS_DONE_IT, conversation=_changed_conversation(), badges=_badges())
Projection(
    "DeleteConversationPayload",
    seen_by=HAS_DONE_IT,
    deleted_conversation_id=Column(lambda _: spelled("Conversation", given("conversation"))),
    badges=_badges(),
)
Projection(
    "SendMessagePayload",
    seen_by=HAS_DONE_IT,
    sent=One(
        "Message",
        lambda _, __: any_messages(VIEWER).where(messages.c.id == given("message")),
        seen_by=HAS_DONE_IT,
    ),
)


async def open_conversation(ctx: Context, asked: Asked, *, user_id: str) -> Finished:
    user = number("User", user_id)
    return await ctx.change(asked, lambda tx, actor: {"conversation": rules.open_conversation(tx, actor, user)})


async def create_group(
    ctx: Context, asked: Asked, *, title: str, participant_ids: Sequence[str], idempotency_key: str | None
) -> Finished:
    people = numbers("User", participant_ids)
    return await ctx.change(
        asked,
        lambda tx, actor: {
            "conversation": rules.create_group(
                tx, actor, title=title, participant_ids=people, idempotency_key=idempotency_key
            )
        },
    )


async def rename(ctx: Context, asked: Asked, *, conversation_id: str, title: str) -> Finished:
    return await ctx.change_one(
        asked,
        "Conversation",
        conversation_id,
        lambda tx, actor, there: group_rules.rename(tx, actor, there, title),
    )


async def add_participants(
    ctx: Context, asked: Asked, *, conversation_id: str, user_ids: Sequence[str]
) -> Finished:
    people = numbers("User", user_ids)
    return await ctx.change_one(
        asked,
        "Conversation",
        conversation_id,
        lambda tx, actor, there: group_rules.add_participants(tx, actor, there, people),
    )


async def remove_participants(
    ctx: Context, asked: Asked, *, conversation_id: str, user_ids: Sequence[str]
) -> Finished:
    people = numbers("User", user_ids)
    return await ctx.change_one(
        asked,
        "Conversation",
        conversation_id,
        lambda tx, actor, there: group_rules.remove_participants(tx, actor, there, people),
    )


async def set_administrator(
    ctx: Context, asked: Asked, *, conversation_id: str, user_id: str, is_administrator: bool
) -> Finished:
    user = number("User", user_id)
    return await ctx.change_one(
        asked,
        "Conversation",
        conversation_id,
        lambda tx, actor, there: group_rules.set_administrator(
            tx, actor, there, user, is_administrator=is_administrator
        ),
    )


async def leave(ctx: Context, asked: Asked, *, conversation_id: str) -> Finished:
    return await ctx.change_one(asked, "Conversation", conversation_id, group_rules.leave)


async def mute(ctx: Context, asked: Asked, *, conversation_id: str, muted: bool) -> Finished:
    return await ctx.change_one(
        asked, "Conversation", conversation_id, lambda tx, actor, there: rules.mute(tx, actor, there, muted=muted)
    )


async def delete(ctx: Context, asked: Asked, *, conversation_id: str) -> Finished:
    return await ctx.change_one(asked, "Conversation", conversation_id, rules.delete)


async def mark_read(ctx: Context, asked: Asked, *, conversation_id: str, up_to: str | None) -> Finished:
    event = None if up_to is None else event_number(up_to)

    def act(tx: Transaction, actor: Actor, there: int) -> None:
        find(tx, actor, there)
        message_rules.mark_read(tx, actor, there, event)

    return await ctx.change_one(asked, "Conversation", conversation_id, act)


async def send(
    ctx: Context,
    asked: Asked,
    *,
    conversation_id: str,
    body: str,
    attachment_ids: Sequence[str],
    parent_id: str | None,
    idempotency_key: str | None,
) -> Finished:
    return await ctx.change(
        asked,
        lambda tx, actor: {
            "message": rules.send(
                tx,
                actor,
                conversation_id=number("Conversation", conversation_id),
                body=body,
                attachment_ids=numbers("Attachment", attachment_ids),
                parent_id=None if parent_id is None else number("Message", parent_id),
                idempotency_key=idempotency_key,
            )
        },
    )
