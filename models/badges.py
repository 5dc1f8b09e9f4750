"""What does a person's badge count? Each count is what a fresh query would give (invariant 7)."""

from typing import Any

from sqlalchemy import ColumnElement, func, select

from models.actor import Viewer
from models.chat_scopes import mine
from models.tables.calls import CallStatus, calls
from models.tables.people import users


def new_calls(viewer: Viewer) -> ColumnElement[Any]:
    """Calls still published, in chats where the viewer takes part, published after he last opened the chats
    (E58, A14). The partial index on published calls keeps this at a few microseconds."""
    seen = select(users.c.chats_seen_event).where(users.c.id == viewer.id).correlate(None).scalar_subquery()
    return (
        select(func.count())
        .select_from(mine.join(calls, calls.c.chat_id == mine.c.room_id))
        .where(
            mine.c.user_id == viewer.id,
            mine.c.left_at.is_(None),
            calls.c.status == CallStatus.PUBLISHED,
            calls.c.deleted_at.is_(None),
            calls.c.published_event > seen,
        )
        .correlate(None)
        .scalar_subquery()
    )
