"""What does a person's badge count? Each count is what a fresh query would give (invariant 7)."""

from typing import Any

from sqlalchemy import ColumnElement, distinct, exists, func, literal, select

from models.actor import Viewer
from models.chat_scopes import mine
from models.messages import is_unread
from models.tables.calls import CallStatus, calls
from models.tables.chats import participations
from models.tables.conversations import ConversationKind, deliveries
from models.tables.people import users


def new_calls(viewer: Viewer) -> ColumnElement[Any]:
    """Calls still published, in chats where the viewer takes part, published after he last opened the chats
    (E58, A14). The partial index on published calls keeps this at a few microseconds."""
    seen = select(users.c.chats_seen_event).where(users.c.id == viewer.id).correlate(None).scalar_subquery()
    return (
        select(func.count())
        .select_from(mine.join(calls, calls.c.chat_id == mine.c.room_id))
        .where(
            mine.c.user_id == viewer.id,
            mine.c.left_at.is_(None),
            calls.c.status == CallStatus.PUBLISHED,
            calls.c.deleted_at.is_(None),
            calls.c.published_event > seen,
        )
        .correlate(None)
        .scalar_subquery()
    )


def unread_messages(viewer: Viewer) -> ColumnElement[Any]:
    """Messages of direct, group and chat conversations that the viewer has not read and not muted."""
    return _unread(viewer, func.count())


def unread_conversations(viewer: Viewer) -> ColumnElement[Any]:
    """Conversations in which there are such messages."""
    return _unread(viewer, func.count(distinct(deliveries.c.conversation_id)))


def unread_mail(viewer: Viewer) -> ColumnElement[Any]:
    """Mail in the inbox that the viewer has not read (M10, MA4)."""
    return (
        select(func.count())
        .where(deliveries.c.user_id == viewer.id, is_unread(), deliveries.c.kind == ConversationKind.MAIL)
        .correlate(None)
        .scalar_subquery()
    )


def _unread(viewer: Viewer, count: ColumnElement[Any]) -> ColumnElement[Any]:
    muted = exists(
        select(literal(1)).where(
            participations.c.room_id == deliveries.c.conversation_id,
            participations.c.user_id == viewer.id,
            participations.c.left_at.is_(None),
            participations.c.muted_at.is_not(None),
        )
    )
    return (
        select(count)
        .select_from(deliveries)
        .where(
            deliveries.c.user_id == viewer.id,
            is_unread(),
            deliveries.c.kind != ConversationKind.MAIL,
            ~muted,
        )
        .correlate(None)
        .scalar_subquery()
    )
