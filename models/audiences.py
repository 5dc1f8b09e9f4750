"""What is an audience called, and who is it? The people at one position of a group, as one recipient (M2, M5)."""

import re
from typing import Any

from sqlalchemy import Select, select

from models.tables.people import Position, groups, memberships, users

_ID = re.compile(r"Audience_([1-9][0-9]{0,17})_([A-Z]+)", re.ASCII)

POSITIONS: dict[str, dict[Position, str]] = {
    "en": {
        Position.LEARNER: "Students",
        Position.TEACHER: "Teachers",
        Position.CURATOR: "Form teachers",
        Position.GUARDIAN: "Parents",
        Position.STAFF: "Staff",
        Position.ADMINISTRATOR: "Administrators",
        Position.OWNER: "Owners",
        Position.EXPERT: "Experts",
    },
    "fr": {
        Position.LEARNER: "Élèves",
        Position.TEACHER: "Enseignants",
        Position.CURATOR: "Professeurs principaux",
        Position.GUARDIAN: "Parents",
        Position.STAFF: "Personnels",
        Position.ADMINISTRATOR: "Administrateurs",
        Position.OWNER: "Propriétaires",
        Position.EXPERT: "Experts",
    },
    "ru": {
        Position.LEARNER: "Учащиеся",
        Position.TEACHER: "Преподаватели",
        Position.CURATOR: "Кураторы",
        Position.GUARDIAN: "Родители",
        Position.STAFF: "Сотрудники",
        Position.ADMINISTRATOR: "Администраторы",
        Position.OWNER: "Владельцы",
        Position.EXPERT: "Эксперты",
    },
}
"""By language, what the people at a position are called together."""


def audience_name(position: Position, group: str, locale: str) -> str:
    """`Parents, 3e A`, in the organization's language."""
    return f"{POSITIONS[locale][position]}, {group}"


def audience_id(group_id: Any, position: Any) -> str:
    """The id that clients know it by."""
    return f"Audience_{group_id}_{position}"


def parse_audience(id_: str) -> tuple[int, Position] | None:
    """The group's number and the position; None for what is no audience's id."""
    found = _ID.fullmatch(id_)
    if found is None or found[2] not in Position.__members__:
        return None
    return int(found[1]), Position(found[2])


def people_of_audience(group_id: Any, position: Any) -> Select[Any]:
    """The numbers of the active people who are there now, each once."""
    return (
        select(users.c.id)
        .join_from(memberships, users, users.c.id == memberships.c.user_id)
        .where(
            memberships.c.group_id == group_id,
            memberships.c.position == position,
            memberships.c.until.is_(None),
            users.c.deactivated_at.is_(None),
        )
    )


def audience(group_id: Any, position: Any) -> Select[Any]:
    """One audience as a row: `group_id`, `position`, `group_name`, whether or not anybody is there."""
    return select(
        groups.c.id.label("group_id"), position.label("position"), groups.c.name.label("group_name")
    ).where(groups.c.id == group_id)
