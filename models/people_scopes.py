"""Who sees whom? The blessed SELECTs of people and groups (semantics.md, "Who sees whom")."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, literal, or_, select

from models.actor import Viewer, is_personnel, stands
from models.reach import reach_each_other
from models.tables.chats import participations
from models.tables.conversations import ConversationKind, Role, conversations, deliveries
from models.tables.people import GroupKind, Position, groups, memberships, users

STUDY = (GroupKind.CLASS, GroupKind.SUBGROUP, GroupKind.COURSE)
"""Groups whose members see each other; larger ones are listed for personnel only."""

SHOWN = (Position.LEARNER, Position.TEACHER, Position.CURATOR, Position.EXPERT)
"""Whom learners and guardians see in their groups: no other guardians."""

own = memberships.alias("own")
theirs = memberships.alias("theirs")
listed = memberships.alias("listed")
own_rooms = participations.alias("own_rooms")
their_rooms = participations.alias("their_rooms")
own_copies = deliveries.alias("own_copies")
their_copies = deliveries.alias("their_copies")
threads = conversations.alias("threads")


def active_people(viewer: Viewer) -> Select[Any]:
    """The numbers of all active people of the organization: whom chats may take in."""
    return select(users.c.id).where(
        users.c.organization_id == viewer.organization_id, users.c.deactivated_at.is_(None)
    )


def visible_people(viewer: Viewer) -> Select[Any]:
    """Oneself; who reaches the viewer or is reached; who shares a room, a message or a visible membership with
    him."""
    return select(users).where(
        users.c.organization_id == viewer.organization_id,
        or_(
            users.c.id == viewer.id,
            is_personnel(viewer),
            reach_each_other(viewer, viewer.id, users.c.id),
            _shares_room(viewer),
            _shares_study_group(viewer),
            _shares_message(viewer),
        ),
    )


def visible_groups(viewer: Viewer) -> Select[Any]:
    """Every group for staff, teachers and administrators; for others, their own."""
    return select(groups).where(
        groups.c.organization_id == viewer.organization_id,
        groups.c.ended_at.is_(None),
        or_(is_personnel(viewer), belongs_to(viewer, groups.c.id)),
    )


def any_group(viewer: Viewer, group_id: ColumnElement[int]) -> Select[Any]:
    """A group that the viewer may see because he sees what leads to it."""
    return select(groups).where(groups.c.organization_id == viewer.organization_id, groups.c.id == group_id)


def own_groups(viewer: Viewer) -> Select[Any]:
    return select(groups).where(
        groups.c.organization_id == viewer.organization_id,
        groups.c.ended_at.is_(None),
        belongs_to(viewer, groups.c.id),
    )


def members_of(
    viewer: Viewer, group_id: ColumnElement[int], kind: ColumnElement[str], position: Any = None
) -> Select[Any]:
    """The people of a group that the viewer sees, at this position or at any; each once."""
    shown = or_(
        is_personnel(viewer),
        and_(kind.in_(STUDY), or_(listed.c.position.in_(SHOWN), listed.c.user_id == viewer.id)),
    )
    chosen = [] if position is None else [listed.c.position == position]
    return select(users).where(
        users.c.id.in_(
            select(listed.c.user_id).where(listed.c.group_id == group_id, listed.c.until.is_(None), shown, *chosen)
        )
    )


def curators_of(group_id: ColumnElement[int]) -> Select[Any]:
    return select(users).where(users.c.id.in_(at(group_id, Position.CURATOR)))


def learners_of(group_id: int) -> Select[Any]:
    """The numbers of the learners of a group (A3)."""
    return at(group_id, Position.LEARNER)


def at(group_id: Any, *positions: Position) -> Select[Any]:
    """The numbers of the people at one of these positions of a group."""
    return select(listed.c.user_id).where(
        listed.c.group_id == group_id, listed.c.until.is_(None), listed.c.position.in_(positions)
    )


def memberships_of(viewer: Viewer, user_id: ColumnElement[int]) -> Select[Any]:
    """All memberships for oneself, staff and administrators; for others those in groups they share."""
    return (
        select(theirs, groups.c.search_key.label("group_search_key"))
        .select_from(theirs.join(groups, groups.c.id == theirs.c.group_id))
        .where(
            theirs.c.user_id == user_id,
            theirs.c.until.is_(None),
            groups.c.ended_at.is_(None),
            or_(user_id == viewer.id, stands(viewer, "sees_memberships"), belongs_to(viewer, theirs.c.group_id)),
        )
    )


def belongs_to(viewer: Viewer, group_id: ColumnElement[int]) -> ColumnElement[bool]:
    return _holds(viewer, group_id, ())


def teaches(viewer: Viewer, group_id: ColumnElement[int]) -> ColumnElement[bool]:
    return _holds(viewer, group_id, (Position.TEACHER,))


def _holds(viewer: Viewer, group_id: ColumnElement[int], positions: Iterable[Position]) -> ColumnElement[bool]:
    wanted = list(positions)
    chosen = [own.c.position.in_(wanted)] if wanted else []
    return exists(
        select(literal(1)).where(
            own.c.group_id == group_id, own.c.user_id == viewer.id, own.c.until.is_(None), *chosen
        )
    )


def _shares_room(viewer: Viewer) -> ColumnElement[bool]:
    """A thread of mail is no such room: who has got one blindly takes part in it as well."""
    is_thread = exists(
        select(literal(1)).where(threads.c.id == own_rooms.c.room_id, threads.c.kind == ConversationKind.MAIL)
    )
    return exists(
        select(literal(1))
        .select_from(own_rooms.join(their_rooms, their_rooms.c.room_id == own_rooms.c.room_id))
        .where(
            own_rooms.c.user_id == viewer.id,
            own_rooms.c.left_at.is_(None),
            their_rooms.c.user_id == users.c.id,
            their_rooms.c.left_at.is_(None),
            ~is_thread,
        )
    )


def _shares_message(viewer: Viewer) -> ColumnElement[bool]:
    """Somebody has written a message that the viewer sees, or has got it, and not blindly; of his own messages the
    viewer knows everybody."""
    return exists(
        select(literal(1))
        .select_from(own_copies.join(their_copies, their_copies.c.message_id == own_copies.c.message_id))
        .where(
            own_copies.c.user_id == viewer.id,
            own_copies.c.deleted_at.is_(None),
            their_copies.c.user_id == users.c.id,
            or_(own_copies.c.is_author, their_copies.c.is_author, their_copies.c.received_as != Role.BCC),
        )
    )


def _shares_study_group(viewer: Viewer) -> ColumnElement[bool]:
    return exists(
        select(literal(1))
        .select_from(
            own.join(theirs, theirs.c.group_id == own.c.group_id).join(groups, groups.c.id == own.c.group_id)
        )
        .where(
            own.c.user_id == viewer.id,
            own.c.until.is_(None),
            theirs.c.user_id == users.c.id,
            theirs.c.until.is_(None),
            theirs.c.position.in_(SHOWN),
            groups.c.kind.in_(STUDY),
        )
    )
