"""Where do the messages of a chat live? With the built-in messenger here, in the conversation that shares the
chat's room: who takes part in the one takes part in the other.
"""

from collections.abc import Iterable

from sqlalchemy import exists, insert, literal, select, update

from models import participations
from models.database import Transaction
from models.events import store, take_numbers
from models.organization import organization
from models.tables.chats import chats
from models.tables.chats import participations as parts
from models.tables.conversations import ConversationKind, conversations, deliveries, messages
from models.tables.events import EventKind


def open_for(tx: Transaction, organization_id: int, chat_id: int) -> None:
    """The conversation of a new chat; none where the messages of chats live outside."""
    if tx.messenger.holds_chats:
        tx.execute(
            insert(conversations).values(
                id=chat_id, organization_id=organization_id, kind=ConversationKind.CHAT, created_at=tx.now
            )
        )


def people_joined(tx: Transaction, chat_id: int, people: Iterable[int]) -> None:
    """They see what is written from now on, and what they kept from before (A15)."""
    participations.keep_listed(tx, chat_id, people)


def people_left(tx: Transaction, organization_id: int, chat_id: int, people: Iterable[int]) -> None:
    """They keep the history up to now where the policy lets them, as in any conversation (E12)."""
    if not organization(tx, organization_id).policy.history_after_leaving:
        participations.drop_history(tx, chat_id, people)


def end_with_chat(tx: Transaction, organization_id: int, chat_id: int) -> None:
    """The chat is gone for everybody, and what was written in it as well: also for those who had left and kept
    the history, who are told of it. Messages stay stored, without anybody to see them. Call it while those who
    take part still do: they hear of the chat.
    """
    ending = update(conversations).where(conversations.c.id == chat_id).values(ended_at=tx.now)
    if tx.execute(ending).rowcount == 0:
        return
    in_it = select(messages.c.id).where(messages.c.conversation_id == chat_id)
    tx.execute(
        update(deliveries)
        .where(deliveries.c.message_id.in_(in_it), deliveries.c.deleted_at.is_(None))
        .values(deleted_at=tx.now)
    )
    former = select(parts.c.user_id).where(
        parts.c.room_id == chat_id, parts.c.left_at.is_not(None), parts.c.latest_event.is_not(None)
    )
    _tell(tx, organization_id, chat_id, tx.execute(former.order_by(parts.c.user_id)).scalars().all())
    listed = (parts.c.room_id == chat_id, parts.c.latest_event.is_not(None))
    tx.execute(update(parts).where(*listed).values(latest_event=None))


def settle(tx: Transaction, organization_id: int) -> None:
    """Every live chat has an open conversation with a messenger that holds chats here, and none with another:
    after the school has changed its messenger. What was written before stays readable."""
    live = select(chats.c.id).where(chats.c.organization_id == organization_id, chats.c.ended_at.is_(None))
    of_chats = (
        conversations.c.organization_id == organization_id,
        conversations.c.kind == ConversationKind.CHAT,
        conversations.c.id.in_(live),
    )
    if not tx.messenger.holds_chats:
        tx.execute(
            update(conversations).where(*of_chats, conversations.c.ended_at.is_(None)).values(ended_at=tx.now)
        )
        return
    tx.execute(update(conversations).where(*of_chats, conversations.c.ended_at.is_not(None)).values(ended_at=None))
    has_one = exists(select(literal(1)).where(conversations.c.id == chats.c.id))
    for chat_id in tx.execute(live.where(~has_one).order_by(chats.c.id)).scalars().all():
        open_for(tx, organization_id, chat_id)


def _tell(tx: Transaction, organization_id: int, chat_id: int, people: Iterable[int]) -> None:
    subjects = [{"conversation_id": chat_id, "user_id": user_id} for user_id in people]
    if subjects:
        first = take_numbers(tx, organization_id, len(subjects))
        store(tx, organization_id, EventKind.CONVERSATION_CHANGED, first, subjects)
