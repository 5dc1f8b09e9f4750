"""As whom can one try the program? The people of the demo schools, each at the most telling position."""

import re
from dataclasses import dataclass

from sqlalchemy import case, exists, func, literal, select

from jobs.demo import SCHOOLS
from models.actor import Viewer
from models.database import Database
from models.tables.links import profile_links
from models.tables.organization import organizations
from models.tables.people import Position, memberships, users

MOST_TELLING = (
    Position.OWNER,
    Position.ADMINISTRATOR,
    Position.CURATOR,
    Position.TEACHER,
    Position.EXPERT,
    Position.STAFF,
    Position.GUARDIAN,
    Position.LEARNER,
)
"""Of somebody's positions in all groups, the first of these says most about what he may do."""


@dataclass(frozen=True)
class Person:
    """Somebody to sign in as. `organization` is its name; `is_linked`: has an account in the messenger."""

    viewer: Viewer
    login: str
    name: str
    position: Position
    organization: str
    is_linked: bool


def demo_people(database: Database) -> list[Person]:
    """Everybody active of the demo schools, school by school, by position and login; nobody where the demo
    has not been imported. Reads on a connection of its own, and waits for no writer."""
    with database.engine.connect() as connection:
        people = [
            Person(
                viewer=Viewer(row.id, row.organization_id),
                login=row.login,
                name=row.name,
                position=MOST_TELLING[row.rank],
                organization=row.organization,
                is_linked=bool(row.is_linked),
            )
            for row in connection.execute(_PEOPLE)
        ]
    return sorted(people, key=_place)


def _place(person: Person) -> tuple[int, int, list[tuple[int, str]]]:
    """`learner.9a.10` comes after `learner.9a.9`."""
    parts = re.findall(r"(\d+)|(\D+)", person.login)
    return (
        person.viewer.organization_id,
        MOST_TELLING.index(person.position),
        [(int(number or 0), text) for number, text in parts],
    )


_RANK = case({position.value: rank for rank, position in enumerate(MOST_TELLING)}, value=memberships.c.position)

_PEOPLE = (
    select(
        users.c.id,
        users.c.organization_id,
        users.c.login,
        users.c.name,
        organizations.c.name.label("organization"),
        func.min(_RANK).label("rank"),
        exists(
            select(literal(1)).where(profile_links.c.user_id == users.c.id, profile_links.c.unlinked_at.is_(None))
        ).label("is_linked"),
    )
    .select_from(
        users.join(organizations, organizations.c.id == users.c.organization_id).join(
            memberships, memberships.c.user_id == users.c.id
        )
    )
    .where(
        organizations.c.source_id.in_([school.source_id for school in SCHOOLS]),
        users.c.deactivated_at.is_(None),
        memberships.c.until.is_(None),
    )
    .group_by(users.c.id, organizations.c.name)
)
