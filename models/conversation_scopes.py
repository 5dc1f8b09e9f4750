"""Which conversations does somebody see, as what, and who takes part in them? The blessed SELECTs.

A conversation is visible to who has it in his list; that of a group or a chat to who takes part in it. Beside
its row each scope carries how the viewer stands to it: `mine_...` are columns of his participation.
"""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
    union,
)

from models.actor import Viewer
from models.blocks import are_apart
from models.messages import is_unread, visible_messages
from models.reach import may_start
from models.tables.chats import chats, participations
from models.tables.conversations import ConversationKind, Role, conversations, deliveries, messages
from models.tables.people import users

OF_A_ROOM = (ConversationKind.GROUP, ConversationKind.CHAT)
"""Kinds that are there for who takes part, written to or not."""

mine = participations.alias("mine")
counterpart = users.alias("counterpart")
first_mail = messages.alias("first_mail")
first_delivery = deliveries.alias("first_delivery")


def visible_conversations(viewer: Viewer) -> Select[Any]:
    """Every conversation that the viewer sees."""
    return _conversations(viewer).where(
        or_(
            mine.c.latest_event.is_not(None),
            and_(conversations.c.kind.in_(OF_A_ROOM), _takes_part()),
        )
    )


def conversation_of_chat(viewer: Viewer, chat_id: ColumnElement[int]) -> Select[Any]:
    """Where the messages of this chat live, for who sees them; nothing where they live outside."""
    return visible_conversations(viewer).where(conversations.c.id == chat_id, conversations.c.ended_at.is_(None))


def listed_conversations(viewer: Viewer) -> Select[Any]:
    """Those in the viewer's list; `latest_event` is their place in it."""
    return _conversations(viewer).where(mine.c.latest_event.is_not(None))


def any_conversations(viewer: Viewer) -> Select[Any]:
    """Every conversation in which the viewer takes part or did: for the answer to who has just acted on one."""
    newest = select(func.max(participations.c.id)).where(
        participations.c.room_id == mine.c.room_id, participations.c.user_id == viewer.id
    )
    return _conversations(viewer).where(mine.c.id == newest.scalar_subquery())


def _conversations(viewer: Viewer) -> Select[Any]:
    """With what decisions ask of the other person of a DIRECT one; each column is worked out when read. What
    somebody has written who is blocked, or blocks the viewer, is nothing to answer."""
    other = _other(viewer)
    is_direct = conversations.c.kind == ConversationKind.DIRECT
    has_written = exists(
        select(literal(1)).where(
            deliveries.c.user_id == viewer.id,
            deliveries.c.conversation_id == conversations.c.id,
            deliveries.c.received_as.is_not(None),
        )
    )
    is_active = exists(select(literal(1)).where(counterpart.c.id == other, counterpart.c.deactivated_at.is_(None)))
    return (
        select(
            conversations,
            mine.c.latest_event,
            mine.c.is_administrator.label("viewer_is_administrator"),
            _takes_part().label("viewer_takes_part"),
            mine.c.left_event.label("viewer_left_event"),
            and_(mine.c.muted_at.is_not(None), mine.c.left_at.is_(None)).label("is_muted"),  # as badges count
            other.label("counterpart_id"),
            case((is_direct, may_start(viewer, viewer.id, other)), else_=False).label("starts"),
            case((is_direct, may_start(viewer, other, viewer.id)), else_=False).label("other_starts"),
            case((is_direct, and_(has_written, ~are_apart(viewer.id, other))), else_=False).label(
                "other_has_written"
            ),
            case((is_direct, is_active), else_=True).label("other_is_active"),
        )
        .select_from(mine.join(conversations, conversations.c.id == mine.c.room_id))
        .where(mine.c.user_id == viewer.id)
    )


def title_of(viewer: Viewer, row: Any) -> ColumnElement[str]:
    """The title of a group, the name of a chat, the other's name in a direct conversation; of a mail the subject
    of the first message that the viewer sees there."""
    return case(
        (row.kind == ConversationKind.GROUP, row.title),
        (row.kind == ConversationKind.DIRECT, _name_of(row.counterpart_id)),
        (row.kind == ConversationKind.CHAT, _of_chat(chats.c.name, row.id)),
        else_=func.coalesce(_first_subject(viewer, row.id), ""),
    )


def title_contains(viewer: Viewer, pattern: Any) -> ColumnElement[bool]:
    """For the list's search: of a row of these scopes."""
    names = select(counterpart.c.search_key).where(counterpart.c.id == _other(viewer)).scalar_subquery()
    key = case(
        (conversations.c.kind == ConversationKind.GROUP, conversations.c.search_key),
        (conversations.c.kind == ConversationKind.DIRECT, names),
        (conversations.c.kind == ConversationKind.CHAT, _of_chat(chats.c.search_key, conversations.c.id)),
        else_=_first_subject(viewer, conversations.c.id, folded=True),
    )
    return key.like(pattern, escape="\\")


def has_unread(viewer: Viewer) -> ColumnElement[bool]:
    return exists(
        select(literal(1)).where(
            deliveries.c.user_id == viewer.id, deliveries.c.conversation_id == conversations.c.id, is_unread()
        )
    )


def messages_in(viewer: Viewer, conversation_id: ColumnElement[int]) -> Select[Any]:
    """What the viewer sees there, drafts and trash left out; in order by `event`."""
    return visible_messages(viewer).where(
        deliveries.c.conversation_id == conversation_id,
        deliveries.c.event.is_not(None),
        deliveries.c.trashed_at.is_(None),
    )


def people_in(viewer: Viewer, row: Any) -> Select[Any]:
    """Who takes part in a conversation: user_id, is_administrator, joined_at, left_at, search_key.

    Who has left sees who was there then. In a mail: its authors and those whom the viewer sees addressed,
    never a blind recipient.
    """
    end = func.coalesce(row.viewer_left_event, literal(10**18))
    there = select(
        participations.c.user_id,
        participations.c.is_administrator,
        participations.c.joined_at,
        case((participations.c.left_event <= end, participations.c.left_at)).label("left_at"),
    ).where(
        participations.c.room_id == row.id,
        row.kind != ConversationKind.MAIL,
        participations.c.joined_event <= end,
        or_(
            participations.c.left_at.is_(None),
            and_(participations.c.left_at.is_not(None), participations.c.left_event >= end),
        ),
    )
    seen, theirs = deliveries.alias("seen"), deliveries.alias("theirs")
    addressed = (
        select(
            theirs.c.user_id,
            literal(False).label("is_administrator"),
            func.min(
                func.coalesce(messages.c.sent_at, messages.c.created_at), type_=messages.c.sent_at.type
            ).label("joined_at"),
            type_coerce(null(), participations.c.left_at.type).label("left_at"),
        )
        .select_from(
            seen.join(theirs, theirs.c.message_id == seen.c.message_id).join(
                messages, messages.c.id == seen.c.message_id
            )
        )
        .where(
            row.kind == ConversationKind.MAIL,
            seen.c.user_id == viewer.id,
            seen.c.conversation_id == row.id,
            seen.c.deleted_at.is_(None),
            or_(theirs.c.is_author, theirs.c.received_as.in_((Role.TO, Role.CC))),
        )
        .group_by(theirs.c.user_id)
    )
    people = union(there, addressed).subquery("people")
    return select(people, users.c.search_key).join(users, users.c.id == people.c.user_id)


def _other(viewer: Viewer) -> ColumnElement[int]:
    """The other person of a DIRECT conversation, one of the two being the viewer; oneself in that with oneself."""
    other: ColumnElement[int] = conversations.c.low_id + conversations.c.high_id - viewer.id
    return other


def _takes_part() -> ColumnElement[bool]:
    return and_(mine.c.left_at.is_(None), conversations.c.ended_at.is_(None))


def _of_chat(column: Any, chat_id: ColumnElement[int]) -> Any:
    return select(column).where(chats.c.id == chat_id).scalar_subquery()


def _name_of(user_id: ColumnElement[int]) -> Any:
    return select(counterpart.c.name).where(counterpart.c.id == user_id).scalar_subquery()


def _first_subject(viewer: Viewer, conversation_id: ColumnElement[int], *, folded: bool = False) -> Any:
    column = first_mail.c.subject_key if folded else first_mail.c.subject
    return (
        select(column)
        .select_from(first_delivery.join(first_mail, first_mail.c.id == first_delivery.c.message_id))
        .where(
            first_delivery.c.user_id == viewer.id,
            first_delivery.c.conversation_id == conversation_id,
            first_delivery.c.deleted_at.is_(None),
        )
        .order_by(func.coalesce(first_delivery.c.event, literal(10**18)))
        .limit(1)
        .scalar_subquery()
    )
