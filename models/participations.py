"""Who takes part in a room? Joining, leaving and the administrator's role, as intervals; and what of its history
stays with whom."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import bindparam, exists, func, insert, literal, select, update

from models.database import Transaction
from models.tables.base import Key, Moment
from models.tables.chats import participations, rooms
from models.tables.conversations import deliveries
from models.tables.links import profile_links

MOST_PARTICIPANTS = 500


def open_room(tx: Transaction, organization_id: int) -> int:
    """The number of a new, empty room."""
    return int(
        tx.execute(insert(rooms).values(organization_id=organization_id).returning(rooms.c.id)).scalar_one()
    )


def members(tx: Transaction, room_id: int) -> dict[int, bool]:
    """Who takes part now: person -> whether administrator."""
    rows = tx.execute(select(participations.c.user_id, participations.c.is_administrator).where(*_open(room_id)))
    return {row.user_id: row.is_administrator for row in rows}


def join(tx: Transaction, organization_id: int, room_id: int, people: Mapping[int, bool], *, event: int) -> None:
    """These people (person -> whether administrator) take part from this event on. They must not already."""
    if not people:
        return
    tx.execute(
        insert(participations),
        [
            {
                "organization_id": organization_id,
                "room_id": room_id,
                "user_id": user_id,
                "is_administrator": administrator,
                "is_linked": False,
                "joined_at": tx.now,
                "joined_event": event,
            }
            for user_id, administrator in people.items()
        ],
    )
    tx.execute(_LINK, {"of_room": room_id, "of_event": event})


def leave(tx: Transaction, room_id: int, people: Iterable[int] | None = None, *, event: int) -> None:
    """These people, or all, take part up to this event."""
    at = {"of_room": room_id, "at": tx.now, "of_event": event}
    if people is None:
        tx.execute(_ALL_LEAVE, at)
    else:
        tx.execute(_LEAVE, {**at, "people": list(people)})


def appoint(tx: Transaction, room_id: int, roles: Mapping[int, bool]) -> None:
    """Sets the role of people who take part: person -> whether administrator."""
    for administrator in (True, False):
        people = [user_id for user_id, role in roles.items() if role is administrator]
        if people:
            tx.execute(
                update(participations)
                .where(*_open(room_id), participations.c.user_id.in_(people))
                .values(is_administrator=administrator)
            )


def keep_listed(tx: Transaction, room_id: int, joining: Iterable[int]) -> None:
    """Who comes back finds the conversation where it stood in his list: people who have just joined again."""
    parts = participations.c
    for row in tx.execute(_STOOD, {"of_room": room_id, "people": list(joining)}).all():
        person = (parts.room_id == room_id, parts.user_id == row.user_id)
        tx.execute(update(participations).where(*person, parts.left_at.is_not(None)).values(latest_event=None))
        tx.execute(
            update(participations).where(*person, parts.left_at.is_(None)).values(latest_event=row.latest_event)
        )


def drop_history(tx: Transaction, room_id: int, people: Iterable[int]) -> None:
    """These people, who have left, see nothing of the conversation any more."""
    whom = list(people)
    copies = (deliveries.c.conversation_id == room_id, deliveries.c.user_id.in_(whom))
    tx.execute(update(deliveries).where(*copies, deliveries.c.deleted_at.is_(None)).values(deleted_at=tx.now))
    tx.execute(
        update(participations)
        .where(participations.c.room_id == room_id, participations.c.user_id.in_(whom))
        .values(latest_event=None)
    )


def count(tx: Transaction, room_id: int) -> int:
    return int(tx.execute(select(func.count()).select_from(participations).where(*_open(room_id))).scalar_one())


def _open(room_id: int) -> tuple[Any, ...]:
    return (participations.c.room_id == room_id, participations.c.left_at.is_(None))


# Written once: a night runs them for each chat that changes.

_IN_ROOM = (
    participations.c.room_id == bindparam("of_room", type_=Key),
    participations.c.left_at.is_(None),
)
_LINK = (
    update(participations)
    .where(*_IN_ROOM, participations.c.joined_event == bindparam("of_event", type_=Key))
    .values(
        is_linked=exists(
            select(literal(1)).where(
                profile_links.c.user_id == participations.c.user_id, profile_links.c.unlinked_at.is_(None)
            )
        )
    )
)
_ALL_LEAVE = (
    update(participations)
    .where(*_IN_ROOM)
    .values(left_at=bindparam("at", type_=Moment), left_event=bindparam("of_event", type_=Key))
)
_LEAVE = _ALL_LEAVE.where(participations.c.user_id.in_(bindparam("people", expanding=True)))
_STOOD = select(participations.c.user_id, participations.c.latest_event).where(
    participations.c.room_id == bindparam("of_room", type_=Key),
    participations.c.user_id.in_(bindparam("people", expanding=True)),
    participations.c.latest_event.is_not(None),
)
