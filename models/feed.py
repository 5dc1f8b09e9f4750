"""What is new? Messages that have come, and calls that were published, in one list (M3)."""

from typing import Any

from sqlalchemy import JSON, ColumnElement, Select, exists, literal, select, type_coerce, union_all

from models.actor import Viewer
from models.chat_scopes import mine
from models.tables.calls import CallStatus, calls
from models.tables.chats import chats
from models.tables.conversations import ConversationKind, deliveries, messages
from models.tables.events import events
from models.tables.organization import organizations


def news(viewer: Viewer) -> Select[Any]:
    """`number` (the event's: newer ones are higher), `at`, `type` and `id` of each message that the viewer has
    received and not trashed or deleted, and of each published call of a chat in which he takes part. Nothing
    where the knob is off."""
    mail = _received(viewer).where(deliveries.c.kind == ConversationKind.MAIL)
    talk = _received(viewer).where(deliveries.c.kind != ConversationKind.MAIL)
    found = union_all(mail, talk, _published(viewer)).cte("news").prefix_with("NOT MATERIALIZED")
    return select(found.c.number, found.c.at, found.c.type, found.c.id)


def _received(viewer: Viewer) -> Select[Any]:
    """Mail by itself: it has an index that gives the newest first."""
    return (
        select(
            deliveries.c.event.label("number"),
            messages.c.sent_at.label("at"),
            literal("Message").label("type"),
            deliveries.c.message_id.label("id"),
        )
        .join_from(deliveries, messages, messages.c.id == deliveries.c.message_id)
        .where(
            deliveries.c.user_id == viewer.id,
            deliveries.c.received_as.is_not(None),
            deliveries.c.trashed_at.is_(None),
            deliveries.c.deleted_at.is_(None),
            _has_feed(viewer),
        )
    )


def _published(viewer: Viewer) -> Select[Any]:
    return (
        select(
            calls.c.published_event.label("number"),
            events.c.at,
            literal("Call").label("type"),
            calls.c.id,
        )
        .select_from(
            mine.join(chats, chats.c.id == mine.c.room_id)
            .join(calls, calls.c.chat_id == chats.c.id)
            .join(
                events,
                (events.c.organization_id == calls.c.organization_id)
                & (events.c.number == calls.c.published_event),
            )
        )
        .where(
            mine.c.user_id == viewer.id,
            mine.c.left_at.is_(None),
            chats.c.ended_at.is_(None),
            calls.c.status == CallStatus.PUBLISHED,
            calls.c.deleted_at.is_(None),
            _has_feed(viewer),
        )
    )


def _has_feed(viewer: Viewer) -> ColumnElement[bool]:
    knob = type_coerce(organizations.c.policy, JSON)["newsFeed"].as_boolean()
    return exists(select(literal(1)).where(organizations.c.id == viewer.organization_id, knob))
