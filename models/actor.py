"""Who is asking, and what of that person do decisions need?"""

from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    ColumnElement,
    FromClause,
    Select,
    Text,
    bindparam,
    cast,
    exists,
    func,
    literal,
    literal_column,
    select,
    type_coerce,
)

from models.database import Transaction
from models.errors import Unauthenticated
from models.policy import CallVisibility, LinkRequirement, Policy, read_policy
from models.prepared import Prepared
from models.tables.base import Key
from models.tables.links import profile_links
from models.tables.organization import organizations
from models.tables.people import GroupKind, Position, groups, memberships, users

PERSONNEL = (Position.TEACHER, Position.STAFF, Position.ADMINISTRATOR)
OFFICE = (Position.STAFF, Position.ADMINISTRATOR)
"""Who sees everybody's memberships."""


@dataclass(frozen=True)
class Viewer:
    """The person for whom something is read: two numbers, or two bind parameters of a statement.

    A large statement asks once how the viewer stands: then `known` is the named row of `standing`, and every
    scope looks there.
    """

    id: Any
    organization_id: Any
    known: FromClause | None = field(default=None, kw_only=True, repr=False, compare=False)


ASKING = Viewer(bindparam("viewer", type_=Key), bindparam("organization", type_=Key))
"""Whoever asks, in a statement that is prepared."""


class Rights(NamedTuple):
    """What of an actor decisions about chats and calls depend on; few people differ in it."""

    may_act: bool
    may_join: bool
    is_administrator: bool


@dataclass(frozen=True)
class Actor(Viewer):
    """A person who is active now, with what decisions ask of him."""

    locale: str
    policy: Policy
    is_linked: bool
    is_administrator: bool
    teaches_subgroup: bool

    @cached_property
    def rights(self) -> Rights:
        return Rights(self.may_act, self.may_join, self.is_administrator)

    @property
    def may_act(self) -> bool:
        """Whether the linked profile that acting on chats and calls may require is there (E41)."""
        return self.is_linked or self.policy.link_requirement is not LinkRequirement.ACT

    @property
    def may_join(self) -> bool:
        """Whether addresses in the messenger are open to him (E21, E43)."""
        return self.is_linked or self.policy.link_requirement is LinkRequirement.NONE


def standing(viewer: Viewer) -> Select[Any]:
    """How the viewer stands in the organization: one row, of which each column is worked out when read."""
    knobs = type_coerce(organizations.c.policy, JSON)
    return (
        select(
            organizations.c.locale,
            cast(organizations.c.policy, Text).label("policy"),
            exists(
                select(literal(1)).where(
                    profile_links.c.user_id == viewer.id, profile_links.c.unlinked_at.is_(None)
                )
            ).label("is_linked"),
            _is_at(viewer, GroupKind.ORGANIZATION, Position.ADMINISTRATOR).label("is_administrator"),
            _is_at(viewer, GroupKind.SUBGROUP, Position.TEACHER).label("teaches_subgroup"),
            _is_at(viewer, GroupKind.ORGANIZATION, *PERSONNEL).label("is_personnel"),
            _is_at(viewer, GroupKind.ORGANIZATION, *OFFICE).label("sees_memberships"),
            _is_at(viewer, GroupKind.ORGANIZATION, safeguarding_position()).label("is_officer"),
            (knobs["callVisibility"].as_string() == CallVisibility.CREATED_AND_PUBLISHED).label(
                "sees_created_calls"
            ),
            knobs["selfMessages"].as_boolean().label("self_messages"),
            knobs["guardianReachesChild"].as_boolean().label("guardian_reaches_child"),
            knobs["audiencesAsRecipients"].as_boolean().label("audiences_as_recipients"),
        )
        .select_from(organizations)
        .where(organizations.c.id == viewer.organization_id)
        .correlate(None)
    )


def safeguarding_position() -> ColumnElement[str]:
    """At which position of the organization, whose row it is, there are safeguarding officers. A policy that was
    kept before there was the knob does not say so: then its administrators are."""
    said = type_coerce(organizations.c.policy, JSON)["safeguardingPosition"].as_string()
    return func.coalesce(said, literal_column(f"'{Policy().safeguarding_position.name}'"))


def stands(viewer: Viewer, name: str) -> ColumnElement[bool]:
    """One of the facts of `standing`."""
    if viewer.known is not None:
        return select(viewer.known.c[name]).scalar_subquery()
    whole = standing(viewer)
    return whole.with_only_columns(whole.selected_columns[name]).scalar_subquery()


def is_personnel(viewer: Viewer) -> ColumnElement[bool]:
    """Staff, teachers and administrators of the organization."""
    return stands(viewer, "is_personnel")


def administers_organization(viewer: Viewer) -> ColumnElement[bool]:
    return stands(viewer, "is_administrator")


def is_officer(viewer: Viewer) -> ColumnElement[bool]:
    """Whether he looks at reports, as the knob `safeguardingPosition` says."""
    return stands(viewer, "is_officer")


def person(viewer: Viewer) -> Select[Any]:
    """The viewer's own row while active: no row means that nobody is signed in."""
    return select(users).where(
        users.c.id == viewer.id,
        users.c.organization_id == viewer.organization_id,
        users.c.deactivated_at.is_(None),
    )


FACTS = ("locale", "policy", "is_linked", "is_administrator", "teaches_subgroup")
"""The columns of `standing` that an actor is made of."""


def actor_from(viewer: Viewer, row: Any) -> Actor:
    """The actor, from the columns `FACTS` in their order."""
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
    row = _active().run(tx, viewer=viewer.id, organization=viewer.organization_id).one_or_none()
    if row is None:
        raise Unauthenticated("This person is not active in this organization any more.")
    return actor_from(viewer, row)


@cache
def _active() -> Prepared:
    """`FACTS` of the asking person, who is active."""
    whole = standing(ASKING).where(exists(person(ASKING).with_only_columns(literal(1))))
    return Prepared(whole.with_only_columns(*(whole.selected_columns[name] for name in FACTS)))


def _is_at(viewer: Viewer, kind: GroupKind, *positions: Position | ColumnElement[str]) -> ColumnElement[bool]:
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
    )
