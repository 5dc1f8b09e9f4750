"""Who is asking, and what of that person do decisions need?"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, cast, exists, literal, select

from models.database import Transaction
from models.errors import Unauthenticated
from models.policy import LinkRequirement, Policy, read_policy
from models.tables.links import profile_links
from models.tables.organization import organizations
from models.tables.people import GroupKind, Position, groups, memberships, users

PERSONNEL = (Position.TEACHER, Position.STAFF, Position.ADMINISTRATOR)


@dataclass(frozen=True)
class Viewer:
    """The person for whom something is read: two numbers, or two bind parameters of a statement."""

    id: Any
    organization_id: Any


@dataclass(frozen=True)
class Actor(Viewer):
    """A person who is active now, with what decisions ask of him."""

    locale: str
    policy: Policy
    is_linked: bool
    is_administrator: bool
    teaches_subgroup: bool

    @property
    def may_act(self) -> bool:
        """Whether the linked profile that acting on chats and calls may require is there (E41)."""
        return self.is_linked or self.policy.link_requirement is not LinkRequirement.ACT

    @property
    def may_join(self) -> bool:
        """Whether addresses in the messenger are open to him (E21, E43)."""
        return self.is_linked or self.policy.link_requirement is LinkRequirement.NONE


def is_at(viewer: Viewer, kind: GroupKind, *positions: Position) -> ColumnElement[bool]:
    """Whether the viewer holds one of the positions in some group of this kind."""
    return exists(
        select(literal(1))
        .select_from(memberships.join(groups, groups.c.id == memberships.c.group_id))
        .where(
            memberships.c.user_id == viewer.id,
            memberships.c.until.is_(None),
            memberships.c.position.in_(positions),
            groups.c.kind == kind,
            groups.c.ended_at.is_(None),
        )
    ).correlate(None)


def is_personnel(viewer: Viewer) -> ColumnElement[bool]:
    """Staff, teachers and administrators of the organization."""
    return is_at(viewer, GroupKind.ORGANIZATION, *PERSONNEL)


def administers_organization(viewer: Viewer) -> ColumnElement[bool]:
    return is_at(viewer, GroupKind.ORGANIZATION, Position.ADMINISTRATOR)


def is_linked(viewer: Viewer) -> ColumnElement[bool]:
    return exists(
        select(literal(1))
        .select_from(profile_links)
        .where(profile_links.c.user_id == viewer.id, profile_links.c.unlinked_at.is_(None))
    ).correlate(None)


def person(viewer: Viewer) -> Select[Any]:
    """The viewer's own row while active: no row means that nobody is signed in."""
    return select(users).where(
        users.c.id == viewer.id,
        users.c.organization_id == viewer.organization_id,
        users.c.deactivated_at.is_(None),
    )


def facts(viewer: Viewer) -> Select[Any]:
    """What `actor_from` needs, in one row."""
    return (
        select(
            organizations.c.locale,
            cast(organizations.c.policy, Text).label("policy"),
            is_linked(viewer).label("is_linked"),
            administers_organization(viewer).label("is_administrator"),
            is_at(viewer, GroupKind.SUBGROUP, Position.TEACHER).label("teaches_subgroup"),
        )
        .select_from(organizations)
        .where(organizations.c.id == viewer.organization_id)
    )


def actor_from(viewer: Viewer, row: Any) -> Actor:
    """The actor, from the columns of `facts` in their order."""
    locale, policy, linked, administers, teaches = row
    return Actor(
        id=viewer.id,
        organization_id=viewer.organization_id,
        locale=locale,
        policy=read_policy(policy),
        is_linked=bool(linked),
        is_administrator=bool(administers),
        teaches_subgroup=bool(teaches),
    )


def actor(tx: Transaction, viewer: Viewer) -> Actor:
    """The person who acts in this transaction, with the rights of now. Raises Unauthenticated."""
    active = exists(person(viewer).with_only_columns(literal(1)))
    row = tx.execute(facts(viewer).where(active)).one_or_none()
    if row is None:
        raise Unauthenticated("This person is not active in this organization any more.")
    return actor_from(viewer, row)
