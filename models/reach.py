"""Who may start writing to whom, and which audiences may somebody address?

Reach is data: a rule lets who is at one position of a kind of group start with those at another position there,
or, where it descends, in the groups below. Two knobs add oneself, and guardians and their own children. Whoever is
blocked by the other, or blocks him, starts nothing. This says nothing of switches, and of who has left:
`models.decide_messages` asks for those.
"""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    Text,
    and_,
    exists,
    literal,
    or_,
    select,
    tuple_,
    type_coerce,
    union_all,
)

from models.actor import Viewer, stands
from models.blocks import are_apart
from models.tables.organization import reach_rules
from models.tables.people import (
    GroupKind,
    Position,
    group_ancestors,
    groups,
    guardianships,
    memberships,
    users,
)

FAMILY = (Position.LEARNER, Position.GUARDIAN)
"""Who never addresses an audience of the whole organization."""

starting = memberships.alias("starting")
starting_group = groups.alias("starting_group")
reached = memberships.alias("reached")
rule = reach_rules.alias("rule")
tree = group_ancestors.alias("tree")
family = guardianships.alias("family")
audience_group = groups.alias("audience_group")
audience_member = memberships.alias("audience_member")
addressed = groups.alias("addressed")
addressee = users.alias("addressee")


def may_start(viewer: Viewer, starter: Any, other: Any) -> ColumnElement[bool]:
    """Whether one person of the viewer's organization may start writing to another, or to himself."""
    return or_(
        and_(starter != other, reaches(viewer, starter, other), ~are_apart(starter, other)),
        and_(starter == other, stands(viewer, "self_messages")),
    )


def reaches(viewer: Viewer, starter: Any, other: Any) -> ColumnElement[bool]:
    """Whether one person reaches another: by a rule, or as guardian and child (E1, E2, P7-P9, I1, I3, MA8)."""
    return or_(_by_rule(viewer, starter, other), _by_guardianship(viewer, starter, other))


def reach_each_other(viewer: Viewer, one: Any, other: Any) -> ColumnElement[bool]:
    """Whether one of the two reaches the other, whichever it is."""
    return or_(_by_rule(viewer, one, other), _by_rule(viewer, other, one), _by_guardianship(viewer, one, other))


def people_in_reach(viewer: Viewer) -> Select[Any]:
    """The active people with whom the viewer may start.

    The audiences that the rules give are few and worked out once; each person looked at is looked up there. So
    whatever else is asked of the people comes first, and nobody is compared with everybody.
    """
    given = select(literal(1)).where(
        reached.c.user_id == users.c.id,
        reached.c.until.is_(None),
        tuple_(reached.c.group_id, reached.c.position).in_(_given(viewer)),
    )
    return select(users).where(
        users.c.organization_id == viewer.organization_id,
        users.c.deactivated_at.is_(None),
        or_(
            and_(
                users.c.id != viewer.id,
                or_(exists(given), _by_guardianship(viewer, viewer.id, users.c.id)),
                ~are_apart(viewer.id, users.c.id),
            ),
            and_(users.c.id == viewer.id, stands(viewer, "self_messages")),
        ),
    )


def numbers_in_reach(viewer: Viewer) -> CompoundSelect[Any]:
    """`user_id` of everybody in `people_in_reach`, found the other way round: from the audiences and the family.

    Some are there twice, and so is who has left: a choice of whom to look up there, cheap where reach is narrow.
    """
    # Each once: that makes engines begin with these few.
    given = select(_given(viewer).subquery()).distinct().subquery("given_to_viewer")
    members = (
        select(reached.c.user_id)
        .join_from(
            given, reached, and_(reached.c.group_id == given.c.group_id, reached.c.position == given.c.to_position)
        )
        .where(reached.c.until.is_(None))
    )
    knows_family = and_(family.c.until.is_(None), stands(viewer, "guardian_reaches_child"))
    return union_all(
        members,
        select(family.c.child_id).where(family.c.guardian_id == viewer.id, knows_family),
        select(family.c.guardian_id).where(family.c.child_id == viewer.id, knows_family),
        select(users.c.id).where(users.c.id == viewer.id, stands(viewer, "self_messages")),
    )


def audiences_in_reach(viewer: Viewer) -> Select[Any]:
    """`group_id`, `position` of each audience that the viewer may address and in which somebody is active; beside
    them the group's `name` and `search_key`, so that a search comes before the question."""
    given = (
        select(reach_rules.c.to_position.label("position"))
        .where(reach_rules.c.organization_id == viewer.organization_id)
        .distinct()
        .subquery("given")
    )
    somebody = (
        select(literal(1))
        .select_from(audience_member.join(addressee, addressee.c.id == audience_member.c.user_id))
        .where(
            audience_member.c.group_id == audience_group.c.id,
            audience_member.c.position == given.c.position,
            audience_member.c.until.is_(None),
            addressee.c.deactivated_at.is_(None),
        )
    )
    return (
        select(
            audience_group.c.id.label("group_id"),
            given.c.position,
            audience_group.c.name,
            audience_group.c.search_key,
        )
        .join_from(audience_group, given, literal(True))
        .where(
            audience_group.c.organization_id == viewer.organization_id,
            audience_group.c.ended_at.is_(None),
            may_address(viewer, audience_group.c.id, given.c.position),
            exists(somebody),
        )
    )


def positions_in_reach(viewer: Viewer) -> Select[Any]:
    """`position` of every audience that the viewer may address, whichever the group, each once."""
    own = _rules_of(viewer).subquery("own_rules")
    return select(own.c.to_position.label("position")).distinct()


def may_address(viewer: Viewer, group_id: Any, position: Any) -> ColumnElement[bool]:
    """Whether a rule gives the viewer this position in the group or in one above it, and the knob is on (M2)."""
    audience = tuple_(tree.c.ancestor_id, type_coerce(position, Text))
    return and_(
        stands(viewer, "audiences_as_recipients"),
        exists(
            select(literal(1))
            .select_from(tree.join(addressed, addressed.c.id == tree.c.group_id))
            .where(
                tree.c.group_id == group_id,
                audience.in_(_rules_of(viewer)),
                or_(
                    addressed.c.kind != GroupKind.ORGANIZATION,
                    audience.in_(_rules_of(viewer).where(starting.c.position.not_in(FAMILY))),
                ),
            )
        ),
    )


def _rules_of(viewer: Viewer) -> Select[Any]:
    """(group, position) of each rule that holds for the viewer in one of his groups."""
    return (
        select(starting.c.group_id, rule.c.to_position)
        .select_from(_starting_rules(viewer))
        .where(starting.c.user_id == viewer.id, starting.c.until.is_(None))
    )


def _given(viewer: Viewer) -> CompoundSelect[Any]:
    """(group, position) of everybody whom the rules give the viewer, groups below included where they descend."""
    below = (
        select(tree.c.group_id, rule.c.to_position)
        .select_from(_starting_rules(viewer).join(tree, tree.c.ancestor_id == starting.c.group_id))
        .where(starting.c.user_id == viewer.id, starting.c.until.is_(None), rule.c.descend)
    )
    return union_all(_rules_of(viewer), below)


def _by_rule(viewer: Viewer, starter: Any, other: Any) -> ColumnElement[bool]:
    return exists(
        select(literal(1))
        .select_from(
            _starting_rules(viewer)
            .join(tree, tree.c.ancestor_id == starting.c.group_id)
            .join(reached, and_(reached.c.group_id == tree.c.group_id, reached.c.position == rule.c.to_position))
        )
        .where(
            starting.c.user_id == starter,
            starting.c.until.is_(None),
            reached.c.user_id == other,
            reached.c.until.is_(None),
            or_(tree.c.group_id == tree.c.ancestor_id, rule.c.descend),
        )
    )


def _starting_rules(viewer: Viewer) -> Any:
    """Memberships with the rules of the viewer's organization that begin there."""
    return starting.join(starting_group, starting_group.c.id == starting.c.group_id).join(
        rule,
        and_(
            rule.c.organization_id == viewer.organization_id,
            starting_group.c.organization_id == viewer.organization_id,
            rule.c.from_position == starting.c.position,
            rule.c.group_kind == starting_group.c.kind,
        ),
    )


def _by_guardianship(viewer: Viewer, one: Any, other: Any) -> ColumnElement[bool]:
    """Whether one is the other's guardian, where guardians and their own children reach each other (MA8)."""
    return and_(stands(viewer, "guardian_reaches_child"), or_(_is_guardian(one, other), _is_guardian(other, one)))


def _is_guardian(guardian: Any, child: Any) -> ColumnElement[bool]:
    return exists(
        select(literal(1)).where(
            family.c.guardian_id == guardian, family.c.child_id == child, family.c.until.is_(None)
        )
    )
