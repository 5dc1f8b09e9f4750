"""What happens when somebody blocks another person, or no longer does?"""

from sqlalchemy import delete, func, insert, select

from models.actor import Actor
from models.blocks import MOST_BLOCKED, has_blocked, may_block
from models.database import Transaction
from models.errors import Code, Refused, refuse
from models.events import record
from models.people_scopes import visible_people
from models.tables.chats import participations
from models.tables.conversations import ConversationKind, conversations
from models.tables.events import EventKind
from models.tables.people import users
from models.tables.safeguarding import blocks


def block_person(tx: Transaction, actor: Actor, user_id: int) -> None:
    """Neither writes to the other from now on. Somebody blocked stays that: a success.

    Raises NOT_FOUND for who is not visible, NOT_ALLOWED for oneself and, where the actor is none of it, for
    personnel, TOO_LARGE beyond 500.
    """
    _visible(tx, actor, user_id)
    refuse(None if tx.execute(select(may_block(actor, user_id))).scalar_one() else Code.NOT_ALLOWED)
    if _is_blocked(tx, actor, user_id):
        return
    count = select(func.count()).where(blocks.c.user_id == actor.id)
    if tx.execute(count).scalar_one() >= MOST_BLOCKED:
        raise Refused(Code.TOO_LARGE, field="userId")
    row = {
        "organization_id": actor.organization_id,
        "user_id": actor.id,
        "blocked_id": user_id,
        "blocked_at": tx.now,
    }
    tx.execute(insert(blocks).values(row))
    _tell(tx, actor, user_id)


def unblock_person(tx: Transaction, actor: Actor, user_id: int) -> None:
    """They may write again, as reach says. Somebody who is not blocked stays that: a success."""
    if not _is_blocked(tx, actor, user_id):
        _visible(tx, actor, user_id)
        return
    tx.execute(delete(blocks).where(blocks.c.user_id == actor.id, blocks.c.blocked_id == user_id))
    _tell(tx, actor, user_id)


def _visible(tx: Transaction, actor: Actor, user_id: int) -> None:
    found = visible_people(actor).where(users.c.id == user_id).with_only_columns(users.c.id)
    if tx.execute(found).scalar_one_or_none() is None:
        raise Refused(Code.NOT_FOUND)


def _is_blocked(tx: Transaction, actor: Actor, user_id: int) -> bool:
    return bool(tx.execute(select(has_blocked(actor.id, user_id))).scalar_one())


def _tell(tx: Transaction, actor: Actor, user_id: int) -> None:
    """What may be done in the conversation of the two has changed, for whoever of them has it in his list; the
    actor is told in any case."""
    low, high = sorted((actor.id, user_id))
    listed = (
        select(participations.c.room_id, participations.c.user_id)
        .join(conversations, conversations.c.id == participations.c.room_id)
        .where(
            conversations.c.kind == ConversationKind.DIRECT,
            conversations.c.low_id == low,
            conversations.c.high_id == high,
            participations.c.latest_event.is_not(None),
        )
        .order_by(participations.c.user_id)
    )
    rooms = tx.execute(listed).all()
    for room in rooms:
        record(
            tx,
            actor.organization_id,
            EventKind.CONVERSATION_CHANGED,
            conversation_id=room.room_id,
            user_id=room.user_id,
        )
    if actor.id not in {room.user_id for room in rooms}:
        record(tx, actor.organization_id, EventKind.PERSON_CHANGED, user_id=actor.id)
