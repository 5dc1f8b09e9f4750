"""Which mails belong together, and who has a thread in his list?

A thread is a conversation of the kind MAIL. Everybody who has a mail of it takes part, by one row that is never
closed: what he sees there is his own deliveries alone.
"""

from collections.abc import Iterable

from sqlalchemy import delete, exists, func, insert, literal, select, update

from models.actor import Actor
from models.database import Transaction
from models.participations import open_room
from models.tables.chats import participations, rooms
from models.tables.conversations import ConversationKind, conversations, deliveries
from models.tables.links import profile_links
from models.tables.organization import organizations

parts = participations.c


def open_thread(tx: Transaction, actor: Actor) -> int:
    """A new thread with nobody in it; its number."""
    thread_id = open_room(tx, actor.organization_id)
    tx.execute(
        insert(conversations).values(
            id=thread_id,
            organization_id=actor.organization_id,
            kind=ConversationKind.MAIL,
            created_at=tx.now,
        )
    )
    return thread_id


def keep_for_oneself(tx: Transaction, actor: Actor, thread_id: int) -> None:
    """The actor takes part, without having the thread in his list: there is nothing but a draft."""
    now = select(organizations.c.last_event).where(organizations.c.id == actor.organization_id)
    tx.execute(
        insert(participations).values(
            organization_id=actor.organization_id,
            room_id=thread_id,
            user_id=actor.id,
            is_administrator=False,
            is_linked=actor.is_linked,
            joined_at=tx.now,
            joined_event=now.scalar_subquery(),
        )
    )


def list_thread(tx: Transaction, organization_id: int, thread_id: int, message_id: int, event: int) -> None:
    """Everybody who has got this mail has its thread on top of his list; two statements, however many."""
    reached = select(deliveries.c.user_id).where(deliveries.c.message_id == message_id)
    tx.execute(
        update(participations)
        .where(parts.room_id == thread_id, parts.left_at.is_(None), parts.user_id.in_(reached))
        .values(latest_event=event)
    )
    is_linked = exists(
        select(literal(1)).where(
            profile_links.c.user_id == deliveries.c.user_id, profile_links.c.unlinked_at.is_(None)
        )
    )
    takes_part = exists(
        select(literal(1)).where(
            parts.room_id == thread_id, parts.user_id == deliveries.c.user_id, parts.left_at.is_(None)
        )
    )
    row = {
        "organization_id": literal(organization_id),
        "room_id": literal(thread_id),
        "user_id": deliveries.c.user_id,
        "is_administrator": literal(False),
        "is_linked": is_linked,
        "joined_at": literal(tx.now, parts.joined_at.type),
        "joined_event": literal(event),
        "latest_event": literal(event),
    }
    newcomers = select(*row.values()).where(deliveries.c.message_id == message_id, ~takes_part)
    tx.execute(insert(participations).from_select(list(row), newcomers))


def list_anew(tx: Transaction, actor: Actor, thread_ids: Iterable[int]) -> None:
    """Places threads in the actor's list by the newest mail that he still has there, trash left out."""
    newest = (
        select(func.max(deliveries.c.event))
        .where(
            deliveries.c.user_id == actor.id,
            deliveries.c.conversation_id == parts.room_id,
            deliveries.c.deleted_at.is_(None),
            deliveries.c.trashed_at.is_(None),
        )
        .scalar_subquery()
    )
    tx.execute(
        update(participations)
        .where(parts.user_id == actor.id, parts.room_id.in_(set(thread_ids)), parts.left_at.is_(None))
        .values(latest_event=newest)
    )


def end_thread(tx: Transaction, thread_id: int) -> None:
    """The thread of a draft that has left it is gone: nothing has ever been told of it."""
    tx.execute(delete(participations).where(parts.room_id == thread_id))
    tx.execute(delete(conversations).where(conversations.c.id == thread_id))
    tx.execute(delete(rooms).where(rooms.c.id == thread_id))
