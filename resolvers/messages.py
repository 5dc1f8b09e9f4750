"""How are messages read, and how are mutations of one's own copies answered?"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import String, not_, select

from models import messages as rules
from models.actor import Actor, person
from models.authorization.conversations import SEES_ANSWERED, SEES_MESSAGE
from models.authorization.people import HAS_DONE_IT, IS_ONESELF
from models.conversation_scopes import any_conversations
from models.database import Transaction
from models.decide_conversations import (
    ConversationAction,
    Copy,
    InConversation,
    MessageAction,
    decide_in_conversation,
    decide_with_copy,
)
from models.messages import any_messages, visible_messages
from models.named import MOST_IDS
from models.reports import has_reported
from models.tables.conversations import ConversationKind, conversations, deliveries, messages
from models.tables.people import users
from resolvers.addresses import BCC, CC, TO
from resolvers.asked import Asked
from resolvers.attachments import attachments_in
from resolvers.bodies import BODY
from resolvers.context import Context, Given
from resolvers.dialects import json_array, json_value, numbers_of
from resolvers.ids import id_of, numbers
from resolvers.lookahead import Finished
from resolvers.projection import Column, Derived, Many, One, Projection
from resolvers.statement import VIEWER, Expression, Row, given

STANDING = (
    "kind",
    "viewer_takes_part",
    "viewer_is_administrator",
    "starts",
    "other_starts",
    "other_has_written",
    "other_is_active",
)
"""The columns of a scope of conversations that `in_conversation` is made of."""


def in_conversation(kind: str, *facts: bool) -> InConversation:
    return InConversation(ConversationKind(kind), *map(bool, facts))


def _actions(
    actor: Actor, there: list[Any], event: int | None, received_as: str | None, *state: bool
) -> list[MessageAction]:
    standing = in_conversation(*there)
    is_read, is_trashed = map(bool, state)
    copy = Copy(
        standing.kind,
        is_draft=event is None,
        is_received=received_as is not None,
        is_read=is_read,
        is_trashed=is_trashed,
    )
    answers = decide_in_conversation(actor, ConversationAction.REPLY, standing) is None and not copy.is_draft
    replies = [MessageAction.REPLY] if answers else []
    others = (action for action in MessageAction if action is not MessageAction.REPLY)
    return replies + [action for action in others if decide_with_copy(actor, action, copy) is None]


def _standing_of_conversation(row: Row) -> Expression:
    """What `in_conversation` needs, of the message's conversation, as one list."""
    there = any_conversations(VIEWER).where(conversations.c.id == row.conversation_id).subquery("there")
    return select(json_array(json_value(there.c[name]) for name in STANDING)).scalar_subquery()


Projection(
    "Message",
    messages,
    seen_by=SEES_MESSAGE,
    id=id_of("Message"),
    conversation=One(
        "Conversation",
        lambda row, _: any_conversations(VIEWER).where(conversations.c.id == row.conversation_id),
        shared=lambda row, _: select(conversations).where(conversations.c.id == row.conversation_id),
        seen_by=SEES_MESSAGE,
    ),
    author=One("User", lambda row, _: select(users).where(users.c.id == row.author_id), seen_by=SEES_MESSAGE),
    subject=Column(optional=True),
    body=BODY,
    format=Column(),
    sent_at=Column(optional=True),
    is_read=Column(),
    in_reply_to=One(
        "Message",
        lambda row, _: visible_messages(VIEWER).where(messages.c.id == row.parent_id),
        optional=True,
        seen_by=SEES_ANSWERED,
    ),
    to=TO,
    cc=CC,
    bcc=BCC,
    attachments=Many("Attachment", attachments_in, seen_by=SEES_MESSAGE),
    viewer_actions=Derived(
        _actions, (_standing_of_conversation, "event", "received_as", "is_read", "is_trashed"), gives_list=True
    ),
    viewer_can_report=Column(lambda row: not_(row.is_author)),
    viewer_has_reported=Column(lambda row: has_reported(VIEWER, row.id)),
)


# ----------------------------------------------------------------------------------------- mutations


def changed_messages() -> Many:
    """The messages as the mutation leaves them, in order."""
    return Many(
        "Message",
        lambda _, __: (
            any_messages(VIEWER)
            .where(messages.c.id.in_(numbers_of(given("messages", String()))))
            .order_by(deliveries.c.event, messages.c.id)
            .limit(MOST_IDS)
        ),
        seen_by=HAS_DONE_IT,
    )


def given_ids(name: str) -> Derived:
    """The ids that a mutation was given, as they were."""
    return Derived(lambda _, text: json.loads(text), (lambda _: given(name, String()),), gives_list=True)


for _payload in ("MarkMessagesReadPayload", "MarkMessagesUnreadPayload"):
    Projection(
        _payload,
        seen_by=HAS_DONE_IT,
        messages=changed_messages(),
        badges=One("Badges", lambda _, __: person(VIEWER), seen_by=IS_ONESELF),
    )
Projection(
    "DeleteMessagesPayload",
    seen_by=HAS_DONE_IT,
    deleted_message_ids=given_ids("ids"),
    badges=One("Badges", lambda _, __: person(VIEWER), seen_by=IS_ONESELF),
)


async def mark_messages_read(ctx: Context, asked: Asked, *, message_ids: Sequence[str]) -> Finished:
    return await change_copies(
        ctx, asked, message_ids, lambda tx, actor, found: rules.mark_messages(tx, actor, found, read=True)
    )


async def mark_messages_unread(ctx: Context, asked: Asked, *, message_ids: Sequence[str]) -> Finished:
    return await change_copies(
        ctx, asked, message_ids, lambda tx, actor, found: rules.mark_messages(tx, actor, found, read=False)
    )


async def delete_messages(ctx: Context, asked: Asked, *, message_ids: Sequence[str]) -> Finished:
    return await change_copies(ctx, asked, message_ids, rules.delete_messages)


async def change_copies(
    ctx: Context,
    asked: Asked,
    message_ids: Sequence[str],
    act: Callable[[Transaction, Actor, Sequence[int]], None],
) -> Finished:
    """A mutation of the viewer's own copies: all or nothing."""
    found = numbers("Message", message_ids)

    def job(tx: Transaction, actor: Actor) -> Given:
        act(tx, actor, found)
        return {"messages": json.dumps(found), "ids": json.dumps(list(message_ids))}

    return await ctx.change(asked, job)
