"""What happens to messages: stored, delivered, read, deleted. Whoever sees one has a delivery of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Insert,
    Select,
    Text,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal_column,
    null,
    select,
    update,
)

from models.actor import Actor, Viewer
from models.database import Transaction
from models.decide_conversations import Copy, MessageAction, decide_with_copy
from models.errors import Code, Refused
from models.events import store, take_numbers
from models.named import bounded
from models.tables.base import Key
from models.tables.chats import participations
from models.tables.conversations import ConversationKind, Format, Role, deliveries, messages
from models.tables.events import EventKind
from models.text import fold


def visible_messages(viewer: Viewer) -> Select[Any]:
    """The messages of which the viewer has a live delivery, with the columns of that (invariant 1)."""
    return any_messages(viewer).where(deliveries.c.deleted_at.is_(None))


def any_messages(viewer: Viewer) -> Select[Any]:
    """Those that he has deleted as well: for the answer to who has just acted on one, or repeats a call.

    Their place is read from the delivery, so that indexes give them in order.
    """
    mine = deliveries.c
    return (
        select(
            *(column for column in messages.c if column is not messages.c.event),
            mine.event,
            mine.kind,
            mine.is_author,
            mine.received_as,
            mine.read_at.is_not(None).label("is_read"),
            mine.trashed_at.is_not(None).label("is_trashed"),
        )
        .select_from(deliveries.join(messages, messages.c.id == mine.message_id))
        .where(mine.user_id == viewer.id)
    )


def is_unread() -> ColumnElement[bool]:
    """Of a delivery, as the partial index is written."""
    mine = deliveries.c
    return and_(
        mine.read_at.is_(None),
        mine.trashed_at.is_(None),
        mine.deleted_at.is_(None),
        mine.received_as.is_not(None),
    )


@dataclass(frozen=True)
class Sending:
    """A message that is being sent."""

    organization_id: int
    conversation_id: int
    kind: ConversationKind
    author_id: int
    body: str
    format: Format = Format.TEXT
    parent_id: int | None = None
    subject: str | None = None


_STORE = insert(messages).returning(messages.c.id)


def store_sent(tx: Transaction, sending: Sending, *, draft_id: int | None = None) -> tuple[int, int]:
    """Stores the message as sent now, or makes a draft it; its number and its event's. Delivers nothing yet."""
    event = take_numbers(tx, sending.organization_id)
    values: dict[str, Any] = {
        "conversation_id": sending.conversation_id,
        "parent_id": sending.parent_id,
        "subject": sending.subject,
        "subject_key": None if sending.subject is None else fold(sending.subject),
        "body": sending.body,
        "format": sending.format,
        "event": event,
        "sent_at": tx.now,
    }
    if draft_id is None:
        owned = {
            "organization_id": sending.organization_id,
            "author_id": sending.author_id,
            "created_at": tx.now,
        }
        message_id = int(tx.execute(_STORE, {**owned, **values}).scalar_one())
    else:
        message_id = draft_id
        tx.execute(update(messages).where(messages.c.id == draft_id).values(values))
    subjects = [{"conversation_id": sending.conversation_id, "message_id": message_id}]
    store(tx, sending.organization_id, EventKind.MESSAGE_SENT, event, subjects)
    return message_id, event


def deliver_to_members(tx: Transaction, sending: Sending, message_id: int, event: int) -> None:
    """Delivers to all who take part now, in one statement however many. The author's own is born read."""
    known = {
        "of_organization": sending.organization_id,
        "of_conversation": sending.conversation_id,
        "of_kind": sending.kind.value,
        "of_author": sending.author_id,
        "of_message": message_id,
        "of_event": event,
        "of_moment": tx.now,
    }
    tx.execute(_DELIVER_TO_MEMBERS, known)
    tx.execute(_LIST_FOR_MEMBERS, known)


def _members_deliveries() -> Insert:
    """Of the message that is being sent, one for each who takes part."""
    taking_part = participations.c
    own = taking_part.user_id == _given("author")
    columns = {
        "organization_id": _given("organization"),
        "user_id": taking_part.user_id,
        "message_id": _given("message"),
        "conversation_id": _given("conversation"),
        "kind": bindparam("of_kind", type_=Text),
        "event": _given("event"),
        "is_author": own,
        "received_as": case((own, null()), else_=literal_column(f"'{Role.MEMBER}'")),
        "read_at": case((own, bindparam("of_moment", type_=taking_part.joined_at.type)), else_=null()),
    }
    return insert(deliveries).from_select([*columns], select(*columns.values()).where(*_IN_THE_ROOM))


def _given(name: str) -> BindParameter[int]:
    return bindparam(f"of_{name}", type_=Key)


_IN_THE_ROOM = (participations.c.room_id == _given("conversation"), participations.c.left_at.is_(None))
_DELIVER_TO_MEMBERS = _members_deliveries()
_LIST_FOR_MEMBERS = update(participations).where(*_IN_THE_ROOM).values(latest_event=_given("event"))


def mark_read(tx: Transaction, actor: Actor, conversation_id: int, up_to: int | None) -> None:
    """Reads what the actor has not read there, up to that event. What is read already stays as it was."""
    bound = [] if up_to is None else [deliveries.c.event <= up_to]
    _set_read(tx, actor, [deliveries.c.conversation_id == conversation_id, *bound], read=True)


def mark_messages(tx: Transaction, actor: Actor, message_ids: Sequence[int], *, read: bool) -> None:
    """Reads messages, or makes those that the actor received unread again. All or nothing."""
    find_messages(tx, actor, message_ids)
    _set_read(tx, actor, [deliveries.c.message_id.in_(message_ids)], read=read)


def delete_messages(tx: Transaction, actor: Actor, message_ids: Sequence[int]) -> None:
    """I6, I7, IA1: for the actor alone. All or nothing."""
    found = find_messages(tx, actor, message_ids)
    allow_with_copies(actor, MessageAction.DELETE, found)
    remove_copies(tx, actor, found)


def remove_copies(tx: Transaction, actor: Actor, found: Sequence[Any]) -> None:
    """These messages are gone for the actor; `found` are rows of `visible_messages`."""
    ids = [row.id for row in found]
    tx.execute(
        update(deliveries)
        .where(deliveries.c.user_id == actor.id, deliveries.c.message_id.in_(ids))
        .values(deleted_at=tx.now)
    )
    relist(tx, actor.id, {row.conversation_id for row in found})
    record_changes(tx, actor, found)


def find_messages(tx: Transaction, actor: Actor, message_ids: Sequence[int]) -> Sequence[Any]:
    """These messages as the actor sees them, or NOT_FOUND when one is missing; at most 100."""
    bounded("messageIds", message_ids)
    wanted = set(message_ids)
    found = tx.execute(visible_messages(actor).where(messages.c.id.in_(wanted)).order_by(messages.c.id)).all()
    if len(found) != len(wanted):
        raise Refused(Code.NOT_FOUND)
    return found


def allow_with_copies(actor: Actor, action: MessageAction, found: Sequence[Any]) -> None:
    """Whether the actor may do this with all of these copies of his, rows of `visible_messages`. All or nothing:
    what the policy does not offer is told before what has the wrong state."""
    refusals = [code for row in found if (code := decide_with_copy(actor, action, _copy(row))) is not None]
    if refusals:
        raise Refused(Code.IMMUTABLE if Code.IMMUTABLE in refusals else refusals[0])


def _copy(row: Any) -> Copy:
    return Copy(
        ConversationKind(row.kind),
        is_draft=row.event is None,
        is_received=row.received_as is not None,
        is_read=bool(row.is_read),
        is_trashed=bool(row.is_trashed),
    )


def record_changes(tx: Transaction, actor: Actor, found: Sequence[Any]) -> None:
    """Tells the actor's devices that these copies of his have changed."""
    if found:
        first = take_numbers(tx, actor.organization_id, len(found))
        store(
            tx,
            actor.organization_id,
            EventKind.MESSAGE_CHANGED,
            first,
            [{"conversation_id": row.conversation_id, "message_id": row.id, "user_id": actor.id} for row in found],
        )


def relist(tx: Transaction, user_id: int, conversation_ids: Iterable[int]) -> None:
    """Places the conversations anew in the person's list: by the newest message that he still sees there."""
    newest = (
        select(func.max(deliveries.c.event))
        .where(
            deliveries.c.user_id == user_id,
            deliveries.c.conversation_id == participations.c.room_id,
            deliveries.c.deleted_at.is_(None),
            deliveries.c.trashed_at.is_(None),
        )
        .scalar_subquery()
    )
    tx.execute(
        update(participations)
        .where(
            participations.c.user_id == user_id,
            participations.c.room_id.in_(list(conversation_ids)),
            participations.c.latest_event.is_not(None),
        )
        .values(latest_event=newest)
    )


def _set_read(tx: Transaction, actor: Actor, which: list[ColumnElement[bool]], *, read: bool) -> None:
    mine = deliveries.c
    state = mine.read_at.is_(None) if read else mine.read_at.is_not(None)
    chosen = (
        mine.user_id == actor.id,
        mine.deleted_at.is_(None),
        mine.received_as.is_not(None),
        state,
        *which,
    )
    changing = tx.execute(
        select(mine.message_id.label("id"), mine.conversation_id).where(*chosen).order_by(mine.event)
    ).all()
    if changing:
        tx.execute(update(deliveries).where(*chosen).values(read_at=tx.now if read else None))
        record_changes(tx, actor, changing)
