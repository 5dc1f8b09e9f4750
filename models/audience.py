"""Whom does an event concern?

Who took part in its chat when it happened; whom it is about; and the administrators of the organization, who
see every chat. Asked again for each page that is delivered: what is shown of it follows the rights of now. So
what somebody is told depends on the story alone, and not on when he listened.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, or_, select, true, union

from models.actor import Viewer, administers_organization, is_officer, stands
from models.chat_scopes import mine
from models.tables.calls import CallStatus, calls
from models.tables.chats import chats, participations
from models.tables.conversations import conversations, deliveries, messages
from models.tables.events import EventKind, events
from models.tables.organization import organizations
from models.tables.people import GroupKind, Position, groups, memberships, users

CHAT_CHANGES = (EventKind.CHAT_CHANGED,)
CALL_CHANGES = (EventKind.CALL_CHANGED, EventKind.CALL_PUBLISHED)
PUBLICATIONS = (EventKind.CALL_PUBLISHED,)
MESSAGE_ARRIVALS = (EventKind.MESSAGE_SENT,)
MESSAGE_CHANGES = (EventKind.MESSAGE_CHANGED,)
CONVERSATION_CHANGES = (EventKind.CONVERSATION_CHANGED, EventKind.CHAT_CHANGED)
ORGANIZATION_CHANGES = (EventKind.ORGANIZATION_CHANGED,)
REPORT_CHANGES = (EventKind.REPORT_CHANGED,)
"""From which kinds of events each subscription is told."""

ENDINGS = (EventKind.PERSON_CHANGED,)
"""With these a person's subscriptions may end."""

DEPARTURES = (EventKind.CONVERSATION_CHANGED, EventKind.CHAT_CHANGED)
"""With these somebody may have left a room."""


def last_events(organization_ids: Select[Any]) -> Select[Any]:
    """How far the history of each of these organizations goes: `id`, `last_event`."""
    return select(organizations.c.id, organizations.c.last_event).where(organizations.c.id.in_(organization_ids))


def news(organization_id: Any, since: Any) -> Select[Any]:
    """How far the organization's history goes, `last_event`, beside each `kind` of event after `since`, if any."""
    new = and_(events.c.organization_id == organization_id, events.c.number > since)
    kinds = select(events.c.kind).where(new).distinct().subquery()
    return (
        select(organizations.c.last_event, kinds.c.kind)
        .select_from(organizations.outerjoin(kinds, true()))
        .where(organizations.c.id == organization_id)
    )


def people_concerned(organization_id: Any, since: Any) -> Select[Any]:
    """The numbers of the people whom events after `since` concern."""
    new = and_(events.c.organization_id == organization_id, events.c.number > since)
    take_part = (
        select(participations.c.user_id)
        .select_from(
            events.join(
                participations,
                participations.c.room_id == func.coalesce(events.c.chat_id, events.c.conversation_id),
            )
        )
        .where(new, events.c.user_id.is_(None), _covers(participations, events.c.number))
    )
    administer = (
        select(memberships.c.user_id)
        .select_from(memberships.join(groups, groups.c.id == memberships.c.group_id))
        .where(
            groups.c.organization_id == organization_id,
            groups.c.kind == GroupKind.ORGANIZATION,
            memberships.c.position == Position.ADMINISTRATOR,
            memberships.c.until.is_(None),
            exists(select(literal(1)).where(new, events.c.chat_id.is_not(None))),
        )
    )
    everybody = select(users.c.id).where(
        users.c.organization_id == organization_id,
        exists(select(literal(1)).where(new, events.c.kind.in_(ORGANIZATION_CHANGES))),
    )
    themselves = select(events.c.user_id).where(new, events.c.user_id.is_not(None))
    return select(union(take_part, administer, everybody, themselves).subquery().c.user_id)


def chat_changes(viewer: Viewer, since: Any) -> Select[Any]:
    """Changes of chats that the viewer sees or saw. Who is removed hears of that, and of nothing after it."""
    return _events(viewer, since, CHAT_CHANGES).where(or_(_took_part(viewer), administers_organization(viewer)))


def call_changes(viewer: Viewer, since: Any) -> Select[Any]:
    """Changes of calls that the viewer sees or saw, publication among them."""
    was_shown = or_(
        calls.c.published_event.is_not(None), stands(viewer, "sees_created_calls"), _administers_chat(viewer)
    )
    changes = _events(viewer, since, CALL_CHANGES)
    return changes.join_from(events, calls, calls.c.id == events.c.call_id).where(
        or_(administers_organization(viewer), and_(_took_part(viewer), was_shown))
    )


def publications(viewer: Viewer, since: Any) -> Select[Any]:
    """Publications of calls that are still published, in chats where the viewer takes part, and did then
    (E53, E58)."""
    return (
        _events(viewer, since, PUBLICATIONS)
        .join_from(events, calls, calls.c.id == events.c.call_id)
        .join(chats, chats.c.id == calls.c.chat_id)
        .join(mine, mine.c.room_id == chats.c.id)
        .where(
            calls.c.status == CallStatus.PUBLISHED,
            calls.c.deleted_at.is_(None),
            chats.c.ended_at.is_(None),
            mine.c.user_id == viewer.id,
            mine.c.left_at.is_(None),
            _took_part(viewer),
        )
    )


def message_arrivals(viewer: Viewer, since: Any, conversation_id: Any = None) -> Select[Any]:
    """Messages that reached the viewer and that he still sees; in one conversation, or in all."""
    chosen = [] if conversation_id is None else [events.c.conversation_id == conversation_id]
    return (
        _events(viewer, since, MESSAGE_ARRIVALS)
        .join_from(events, deliveries, deliveries.c.message_id == events.c.message_id)
        .where(deliveries.c.user_id == viewer.id, deliveries.c.deleted_at.is_(None), *chosen)
    )


def message_changes(viewer: Viewer, since: Any) -> Select[Any]:
    """Changes of the viewer's own copies."""
    return _events(viewer, since, MESSAGE_CHANGES).where(events.c.user_id == viewer.id)


def organization_changes(viewer: Viewer, since: Any) -> Select[Any]:
    """Changes of the organization, for everybody in it."""
    return _events(viewer, since, ORGANIZATION_CHANGES)


def report_changes(viewer: Viewer, since: Any) -> Select[Any]:
    """Changes of reports, told to each officer by himself, for as long as he is one."""
    return _events(viewer, since, REPORT_CHANGES).where(events.c.user_id == viewer.id, is_officer(viewer))


def conversation_changes(viewer: Viewer, since: Any) -> Select[Any]:
    """Changes of conversations in which the viewer takes part or did, and those that are his alone. What changes
    a chat, its name or its people, changes its conversation."""
    room = func.coalesce(events.c.conversation_id, events.c.chat_id)
    there = exists(
        select(literal(1)).where(
            participations.c.room_id == room,
            participations.c.user_id == viewer.id,
            _covers(participations, events.c.number),
        )
    )
    of_chat = exists(select(literal(1)).where(conversations.c.id == events.c.chat_id))
    changes = _events(viewer, since, CONVERSATION_CHANGES)
    return changes.with_only_columns(events.c.number, room.label("conversation_id")).where(
        or_(events.c.kind == EventKind.CONVERSATION_CHANGED, of_chat),
        or_(events.c.user_id == viewer.id, and_(events.c.user_id.is_(None), there)),
    )


def takes_part(viewer: Viewer, room_id: Any) -> ColumnElement[bool]:
    return exists(
        select(literal(1)).where(
            participations.c.room_id == room_id,
            participations.c.user_id == viewer.id,
            participations.c.left_at.is_(None),
        )
    )


def happened(organization_id: Any, since: Any, kinds: Sequence[EventKind], room_id: Any = None) -> Select[Any]:
    """Events of these kinds, whomever they concern; in one conversation, or in all."""
    chosen = [] if room_id is None else [func.coalesce(events.c.conversation_id, events.c.chat_id) == room_id]
    return select(events).where(
        events.c.organization_id == organization_id, events.c.number > since, events.c.kind.in_(kinds), *chosen
    )


def people_gone(organization_id: Any, since: Any) -> Select[Any]:
    """The numbers of those who have changed after `since` and are not active any more."""
    gone = exists(select(literal(1)).where(users.c.id == events.c.user_id, users.c.deactivated_at.is_not(None)))
    return happened(organization_id, since, ENDINGS).with_only_columns(events.c.user_id).where(gone)


def message_as_sent(message_id: Any) -> Select[Any]:
    """As all see it whom it has reached: without what is each person's own."""
    return select(messages).where(messages.c.id == message_id)


def call_as_published(call_id: Any) -> Select[Any]:
    """As all see it who hear of its publication: without how each person stands to it."""
    return select(calls).where(calls.c.id == call_id)


def _events(viewer: Viewer, since: Any, kinds: Sequence[EventKind]) -> Select[Any]:
    return happened(viewer.organization_id, since, kinds)


def _took_part(viewer: Viewer) -> ColumnElement[bool]:
    return exists(
        select(literal(1)).where(
            participations.c.room_id == events.c.chat_id,
            participations.c.user_id == viewer.id,
            _covers(participations, events.c.number),
        )
    )


def _administers_chat(viewer: Viewer) -> ColumnElement[bool]:
    return exists(
        select(literal(1)).where(
            mine.c.room_id == events.c.chat_id,
            mine.c.user_id == viewer.id,
            mine.c.left_at.is_(None),
            mine.c.is_administrator,
        )
    )


def _covers(interval: Any, number: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether somebody took part at this event. Joining and leaving count: both are told (A15)."""
    return and_(
        interval.c.joined_event <= number,
        or_(
            interval.c.left_at.is_(None),
            and_(interval.c.left_at.is_not(None), number <= interval.c.left_event),
        ),
    )
