"""What is left of a message that is kept no longer? Its number and its place, so that history has no holes.

Text, subject, recipients and files go; so do all copies but the author's, which nobody sees: a retry of the call
that sent it still finds what it made. Drafts stay, they are nobody's but their author's; so do calls. What a
report names is gone for everybody as well, and its text once the report has been settled for as long.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, exists, func, literal, or_, select, update

from models.database import Transaction
from models.erasure import AT_ONCE, forget_texts
from models.events import store, take_numbers
from models.reports import forget_settled_before, is_kept
from models.tables.chats import participations
from models.tables.conversations import deliveries, messages
from models.tables.events import EventKind

newer = deliveries.alias("newer")


def purge_sent_before(tx: Transaction, organization_id: int, moment: datetime, *, at_most: int) -> int:
    """How many messages went, the oldest first. Each conversation that lost some tells those who take part."""
    old = tx.execute(
        select(messages.c.id, messages.c.conversation_id)
        .where(
            messages.c.organization_id == organization_id,
            messages.c.event.is_not(None),
            messages.c.sent_at < moment,
            or_(
                and_(messages.c.body != "", ~is_kept(messages.c.id, moment)),
                exists(select(literal(1)).where(*_COPIES, messages.c.id == _OF)),
            ),
        )
        .order_by(messages.c.id)
        .limit(at_most)
    ).all()
    for start in range(0, len(old), AT_ONCE):
        _purge(tx, [row.id for row in old[start : start + AT_ONCE]], moment)
    forget_settled_before(tx, organization_id, moment)
    rooms = sorted({row.conversation_id for row in old})
    if rooms:
        first = take_numbers(tx, organization_id, len(rooms))
        told = [{"conversation_id": room} for room in rooms]
        store(tx, organization_id, EventKind.CONVERSATION_CHANGED, first, told)
    return len(old)


_OF = deliveries.c.message_id
_COPIES = (or_(deliveries.c.deleted_at.is_(None), deliveries.c.is_author.is_(False)),)
"""What of its copies is there of a message that has not been purged."""


def _purge(tx: Transaction, message_ids: Sequence[int], moment: datetime) -> None:
    numbers = list(message_ids)
    list_without(tx, numbers)
    forget_texts(tx, numbers, settled_before=moment)
    copies = deliveries.c.message_id.in_(numbers)
    tx.execute(delete(deliveries).where(copies, deliveries.c.is_author.is_(False)))
    gone: dict[str, Any] = {"deleted_at": tx.now, "trashed_at": None}
    tx.execute(update(deliveries).where(copies, deliveries.c.deleted_at.is_(None)).values(gone))


def list_without(tx: Transaction, message_ids: list[int]) -> None:
    """These messages are about to go for everybody: a conversation that stands in somebody's list by one of them
    stands there by a newer one, or no longer."""
    going = select(messages.c.event).where(
        messages.c.id.in_(message_ids), messages.c.conversation_id == participations.c.room_id
    )
    newest = select(func.max(newer.c.event)).where(
        newer.c.user_id == participations.c.user_id,
        newer.c.conversation_id == participations.c.room_id,
        newer.c.message_id.not_in(message_ids),
        newer.c.deleted_at.is_(None),
        newer.c.trashed_at.is_(None),
    )
    rooms = select(messages.c.conversation_id).where(messages.c.id.in_(message_ids))
    tx.execute(
        update(participations)
        .where(and_(participations.c.room_id.in_(rooms), participations.c.latest_event.in_(going)))
        .values(latest_event=newest.scalar_subquery())
    )
