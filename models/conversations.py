"""What happens to conversations: opened, created, written to, muted, deleted."""

from collections.abc import Sequence

from sqlalchemy import insert, literal, select, update

from models import participations
from models.actor import Actor
from models.attachments import attach
from models.conversation_scopes import visible_conversations
from models.conversation_standing import allowed, changed, find, in_reach, standing
from models.database import Transaction
from models.decide_conversations import ConversationAction, decide_in_conversation
from models.decide_messages import decide_start, decide_switches
from models.errors import Code, Refused, refuse
from models.idempotency import Once
from models.messages import (
    Sending,
    deliver_to_members,
    find_messages,
    record_changes,
    store_sent,
    visible_messages,
)
from models.named import bounded
from models.people_scopes import visible_people
from models.reach import may_start
from models.tables.chats import participations as parts
from models.tables.conversations import ConversationKind, conversations, deliveries, messages
from models.tables.people import users
from models.text import body as checked_body
from models.text import fold, name


def open_conversation(tx: Transaction, actor: Actor, user_id: int) -> int:
    """The one direct conversation with this person; made, and then listed for the actor alone, when there is
    none (P13, P14). One that the actor sees already is his whatever the reach is now (PA3)."""
    low, high = sorted((actor.id, user_id))
    known = select(conversations.c.id).where(
        conversations.c.kind == ConversationKind.DIRECT,
        conversations.c.low_id == low,
        conversations.c.high_id == high,
    )
    conversation_id = tx.execute(known).scalar_one_or_none()
    if conversation_id is not None and _sees(tx, actor, conversation_id):
        return int(conversation_id)
    refuse(_may_open(tx, actor, user_id))
    is_new = conversation_id is None
    if conversation_id is None:
        conversation_id = participations.open_room(tx, actor.organization_id)
        tx.execute(
            insert(conversations).values(
                id=conversation_id,
                organization_id=actor.organization_id,
                kind=ConversationKind.DIRECT,
                low_id=low,
                high_id=high,
                created_at=tx.now,
            )
        )
    event = changed(tx, actor, conversation_id, for_oneself=True)
    if is_new:
        people = dict.fromkeys((low, high), False)
        participations.join(tx, actor.organization_id, conversation_id, people, event=event)
    _list(tx, actor.id, conversation_id, event)
    return int(conversation_id)


def create_group(
    tx: Transaction,
    actor: Actor,
    *,
    title: str,
    participant_ids: Sequence[int],
    idempotency_key: str | None,
) -> int:
    """A group conversation with the actor as its administrator (E7). Everybody must be in his reach (A22)."""
    title = name("title", title)
    bounded("participantIds", participant_ids)
    content = [title, sorted(set(participant_ids))]
    once = Once(tx, actor, "createGroupConversation", idempotency_key, content)
    if once.before is not None:
        return once.before
    refuse(decide_switches(actor, ConversationKind.GROUP))
    others = in_reach(tx, actor, set(participant_ids) - {actor.id})
    conversation_id = participations.open_room(tx, actor.organization_id)
    tx.execute(
        insert(conversations).values(
            id=conversation_id,
            organization_id=actor.organization_id,
            kind=ConversationKind.GROUP,
            title=title,
            search_key=fold(title),
            created_at=tx.now,
        )
    )
    event = changed(tx, actor, conversation_id)
    roles = {**dict.fromkeys(others, False), actor.id: True}
    participations.join(tx, actor.organization_id, conversation_id, roles, event=event)
    _list(tx, actor.id, conversation_id, event)
    return once.made(conversation_id)


def mute(tx: Transaction, actor: Actor, conversation_id: int, *, muted: bool) -> None:
    """A muted conversation does not raise the badge. The same again changes nothing."""
    row = allowed(tx, actor, conversation_id, ConversationAction.MUTE)
    if row.is_muted != muted:
        tx.execute(
            update(parts)
            .where(parts.c.room_id == conversation_id, parts.c.user_id == actor.id, parts.c.left_at.is_(None))
            .values(muted_at=tx.now if muted else None)
        )
        changed(tx, actor, conversation_id, for_oneself=True)


def delete(tx: Transaction, actor: Actor, conversation_id: int) -> None:
    """I6, I8, IA1: for the actor alone; a later message brings it back with what comes after."""
    allowed(tx, actor, conversation_id, ConversationAction.DELETE)
    there = deliveries.c.conversation_id == conversation_id
    found = tx.execute(visible_messages(actor).where(there).order_by(messages.c.id)).all()
    tx.execute(
        update(deliveries)
        .where(deliveries.c.user_id == actor.id, there, deliveries.c.deleted_at.is_(None))
        .values(deleted_at=tx.now)
    )
    tx.execute(
        update(parts)
        .where(parts.c.room_id == conversation_id, parts.c.user_id == actor.id)
        .values(latest_event=None)
    )
    record_changes(tx, actor, found)
    changed(tx, actor, conversation_id, for_oneself=True)


def send(
    tx: Transaction,
    actor: Actor,
    *,
    conversation_id: int,
    body: str,
    parent_id: int | None,
    idempotency_key: str | None,
    attachment_ids: Sequence[int],
) -> int:
    """A message into a direct or group conversation, delivered to all who take part now; its number (E9, I2).

    Reach is asked on every send (PA3).
    """
    text = checked_body("body", body)
    content = [conversation_id, text, parent_id, list(attachment_ids)]
    once = Once(tx, actor, "sendMessage", idempotency_key, content)
    if once.before is not None:
        return once.before
    row = find(tx, actor, conversation_id)
    kind = ConversationKind(row.kind)
    if parent_id is not None:
        (parent,) = find_messages(tx, actor, [parent_id])
        if parent.conversation_id != conversation_id:
            raise Refused(Code.NOT_FOUND)
    refuse(decide_in_conversation(actor, ConversationAction.REPLY, standing(row)))
    if kind is ConversationKind.MAIL:
        raise Refused(Code.KIND_NOT_OFFERED)
    sending = Sending(actor.organization_id, conversation_id, kind, actor.id, text, parent_id=parent_id)
    message_id, event = store_sent(tx, sending)
    if attachment_ids:
        attach(tx, actor, message_id, attachment_ids)
    deliver_to_members(tx, sending, message_id, event)
    return once.made(message_id)


def _sees(tx: Transaction, actor: Actor, conversation_id: int) -> bool:
    scope = visible_conversations(actor).where(conversations.c.id == conversation_id)
    return tx.execute(scope.with_only_columns(literal(1))).scalar_one_or_none() is not None


def _may_open(tx: Transaction, actor: Actor, user_id: int) -> Code | None:
    """Whether the actor may start with this person. Who is unknown or not to be seen is out of reach, and
    nothing tells whether he was ever here (P12, PA2)."""
    if (refusal := decide_switches(actor, ConversationKind.DIRECT)) is not None:
        return refusal
    facts = (
        visible_people(actor)
        .where(users.c.id == user_id)
        .with_only_columns(
            users.c.deactivated_at.is_(None).label("is_active"),
            may_start(actor, actor.id, users.c.id).label("starts"),
            may_start(actor, users.c.id, actor.id).label("other_starts"),
        )
    )
    other = tx.execute(facts).one_or_none()
    if other is None:
        return Code.OUT_OF_REACH
    return decide_start(
        actor,
        starts=bool(other.starts),
        other_starts=bool(other.other_starts),
        is_active=bool(other.is_active),
    )


def _list(tx: Transaction, user_id: int, conversation_id: int, event: int) -> None:
    """The conversation stands first in the person's list."""
    tx.execute(
        update(parts)
        .where(parts.c.room_id == conversation_id, parts.c.user_id == user_id, parts.c.left_at.is_(None))
        .values(latest_event=event)
    )
