"""Between whom stands a block?

It cuts both ways: neither of the two writes to the other, by message or by mail. Who is blocked is told what he
would be told of anybody out of reach. In rooms that they share both stay.
"""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, literal, or_, select

from models.actor import Viewer, is_personnel
from models.tables.people import users
from models.tables.safeguarding import blocks

MOST_BLOCKED = 500
"""By one person."""

block = blocks.alias("block")


def are_apart(one: Any, other: Any) -> ColumnElement[bool]:
    """Whether one of the two has blocked the other, whichever it is."""
    return or_(has_blocked(one, other), has_blocked(other, one))


def has_blocked(one: Any, other: Any) -> ColumnElement[bool]:
    return exists(select(literal(1)).where(block.c.user_id == one, block.c.blocked_id == other))


def blocked_people(viewer: Viewer) -> Select[Any]:
    """Whom the viewer has blocked."""
    return (
        select(users)
        .join(block, block.c.blocked_id == users.c.id)
        .where(block.c.user_id == viewer.id, block.c.organization_id == viewer.organization_id)
    )


def may_block(viewer: Viewer, other: Any) -> ColumnElement[bool]:
    """Whether the viewer may block this person. Learners and guardians have to stay within their school's reach:
    they block no personnel; and nobody blocks himself."""
    theirs = is_personnel(Viewer(other, viewer.organization_id))
    return and_(viewer.id != other, or_(is_personnel(viewer), ~theirs))
