"""Who takes part in a room? Joining, leaving and the administrator's role, as intervals."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import exists, func, insert, literal, select, update

from models.database import Transaction
from models.tables.chats import participations, rooms
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
    linked = exists(
        select(literal(1)).where(
            profile_links.c.user_id == participations.c.user_id, profile_links.c.unlinked_at.is_(None)
        )
    )
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
    tx.execute(
        update(participations)
        .where(*_open(room_id), participations.c.joined_event == event)
        .values(is_linked=linked)
    )


def leave(tx: Transaction, room_id: int, people: Iterable[int] | None = None, *, event: int) -> None:
    """These people, or all, take part up to this event."""
    whom = [] if people is None else [participations.c.user_id.in_(list(people))]
    tx.execute(update(participations).where(*_open(room_id), *whom).values(left_at=tx.now, left_event=event))


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


def count(tx: Transaction, room_id: int) -> int:
    return int(tx.execute(select(func.count()).select_from(participations).where(*_open(room_id))).scalar_one())


def _open(room_id: int) -> tuple[Any, ...]:
    return (participations.c.room_id == room_id, participations.c.left_at.is_(None))
