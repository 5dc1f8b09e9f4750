"""Which chats and calls may somebody see? The blessed SELECTs: whoever reads a chat or a call starts here.

Each scope carries, beside the row, how the viewer stands to it: `viewer_takes_part` and
`viewer_is_administrator` (of the chat).
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
    or_,
    select,
    true,
)

from models.actor import Viewer, administers_organization, stands
from models.tables.calls import CallStatus, calls
from models.tables.chats import chats, participations
from models.tables.people import users

mine = participations.alias("mine")
others = participations.alias("others")


def own_chats(viewer: Viewer) -> Select[Any]:
    """The chats in which the viewer takes part (E13)."""
    return (
        select(
            chats,
            true().label("viewer_takes_part"),
            mine.c.is_administrator.label("viewer_is_administrator"),
        )
        .select_from(mine.join(chats, chats.c.id == mine.c.room_id))
        .where(mine.c.user_id == viewer.id, mine.c.left_at.is_(None), chats.c.ended_at.is_(None))
    )


def visible_chats(viewer: Viewer) -> Select[Any]:
    """Own chats; for administrators of the organization all of them (E44)."""
    return any_chats(viewer).where(
        chats.c.ended_at.is_(None),
        or_(mine.c.id.is_not(None), administers_organization(viewer)),
    )


def any_chats(viewer: Viewer) -> Select[Any]:
    """Every chat of the organization, ended ones as well: for the answer to who has just acted on one."""
    return (
        select(
            chats,
            mine.c.id.is_not(None).label("viewer_takes_part"),
            func.coalesce(mine.c.is_administrator, literal(False)).label("viewer_is_administrator"),
        )
        .select_from(chats.outerjoin(mine, _takes_part(viewer, chats.c.id)))
        .where(chats.c.organization_id == viewer.organization_id)
    )


def visible_calls(viewer: Viewer) -> Select[Any]:
    """Created and published calls for participants, all for who administers them (E54, A7, A8)."""
    return any_calls(viewer).where(
        calls.c.deleted_at.is_(None),
        chats.c.ended_at.is_(None),
        or_(
            administers_organization(viewer),
            mine.c.is_administrator,
            and_(
                mine.c.id.is_not(None),
                or_(
                    calls.c.status == CallStatus.PUBLISHED,
                    and_(calls.c.status == CallStatus.CREATED, stands(viewer, "sees_created_calls")),
                ),
            ),
        ),
    )


def any_calls(viewer: Viewer) -> Select[Any]:
    """Every call of the organization, deleted ones as well: for the answer to who has just acted on one."""
    return (
        select(
            calls,
            mine.c.id.is_not(None).label("viewer_takes_part"),
            func.coalesce(mine.c.is_administrator, literal(False)).label("viewer_is_administrator"),
        )
        .select_from(
            calls.join(chats, chats.c.id == calls.c.chat_id).outerjoin(mine, _takes_part(viewer, calls.c.chat_id))
        )
        .where(calls.c.organization_id == viewer.organization_id)
    )


def has_administrator(chat_id: ColumnElement[int], viewer: Viewer) -> ColumnElement[bool]:
    """Whether somebody active administers the chat; looked up only where it matters: for an administrator
    of the organization, who may appoint one where there is none."""
    found = exists(
        select(literal(1))
        .select_from(others.join(users, users.c.id == others.c.user_id))
        .where(
            others.c.room_id == chat_id,
            others.c.left_at.is_(None),
            others.c.is_administrator,
            users.c.deactivated_at.is_(None),
        )
    )
    return case((administers_organization(viewer), found), else_=True)


def another_is_published(chat_id: ColumnElement[int], status: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a created call cannot be published because another of its chat is (E49)."""
    other_calls = calls.alias("other_calls")
    found = exists(
        select(literal(1)).where(
            other_calls.c.chat_id == chat_id,
            other_calls.c.status == CallStatus.PUBLISHED,
            other_calls.c.deleted_at.is_(None),
        )
    )
    return case((status == CallStatus.CREATED, found), else_=False)


def _takes_part(viewer: Viewer, chat_id: ColumnElement[int]) -> ColumnElement[bool]:
    return and_(mine.c.room_id == chat_id, mine.c.user_id == viewer.id, mine.c.left_at.is_(None))
