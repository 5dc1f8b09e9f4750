"""What is new? Messages that have come, and calls that were published, in one list (M3)."""

from typing import Any

from sqlalchemy import JSON, ColumnElement, Select, exists, literal, select, type_coerce, union_all

from models.actor import Viewer
from models.chat_scopes import own_chats
from models.tables.calls import CallStatus, calls
from models.tables.chats import chats, participations
from models.tables.conversations import ConversationKind, conversations, deliveries
from models.tables.organization import organizations


def news(viewer: Viewer) -> Select[Any]:
    """`number`, `type` and `id` of each message that the viewer has received and not trashed or deleted, and of
    each published call of a chat in which he takes part. `number` is that of the event that made it new, and
    higher for what is newer. Nothing where the knob is off.

    Each kind is read from one table alone: so an engine merges what its indexes give in order, and stops at the
    end of the page.
    """
    mail = _received(viewer).where(deliveries.c.kind == ConversationKind.MAIL)
    talk = _received(viewer).where(deliveries.c.conversation_id.in_(_rooms_of_talk(viewer)))
    found = union_all(mail, talk, _published(viewer)).cte().prefix_with("NOT MATERIALIZED")
    return select(found.c.number, found.c.type, found.c.id)


def _received(viewer: Viewer) -> Select[Any]:
    return select(
        deliveries.c.event.label("number"), literal("Message").label("type"), deliveries.c.message_id.label("id")
    ).where(
        deliveries.c.user_id == viewer.id,
        deliveries.c.received_as.is_not(None),
        deliveries.c.trashed_at.is_(None),
        deliveries.c.deleted_at.is_(None),
        _has_feed(viewer),
    )


def _rooms_of_talk(viewer: Viewer) -> Select[Any]:
    """The conversations that are no mail, in which the viewer takes part or did."""
    return (
        select(participations.c.room_id)
        .join_from(participations, conversations, conversations.c.id == participations.c.room_id)
        .where(participations.c.user_id == viewer.id, conversations.c.kind != ConversationKind.MAIL)
    )


def _published(viewer: Viewer) -> Select[Any]:
    mine = own_chats(viewer).with_only_columns(chats.c.id, maintain_column_froms=True)
    return select(calls.c.published_event.label("number"), literal("Call").label("type"), calls.c.id).where(
        calls.c.chat_id.in_(mine),
        calls.c.status == CallStatus.PUBLISHED,
        calls.c.deleted_at.is_(None),
        _has_feed(viewer),
    )


def _has_feed(viewer: Viewer) -> ColumnElement[bool]:
    knob = type_coerce(organizations.c.policy, JSON)["newsFeed"].as_boolean()
    return exists(select(literal(1)).where(organizations.c.id == viewer.organization_id, knob))
