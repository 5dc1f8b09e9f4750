"""To whom is a mail addressed, may its author address them, and which people are that? (M2, M5, M6)

People and audiences are stored as they were called. Who is behind an audience is worked out once, when the mail
is sent (MA1): who joins it later does not get the mail.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
)

from models.actor import Actor
from models.database import Transaction
from models.decide_messages import may_answer
from models.errors import Code, Refused
from models.reach import may_address, may_start
from models.tables.conversations import Role, deliveries, recipients
from models.tables.people import Position, groups, memberships, users

OPENLY = (Role.TO, Role.CC)
RANKS = {Role.TO: 0, Role.CC: 1, Role.BCC: 2}
"""Who is addressed twice gets the mail once: as the first of these."""

NOT_ADDRESSED = 9

theirs = deliveries.alias("theirs")
parents = recipients.alias("parents")

Whom = tuple[int | None, int | None, Position | None]


@dataclass(frozen=True)
class Address:
    """A person, or the people at a position of a group, addressed in this role. Number 0 is nobody."""

    role: Role
    user_id: int | None = None
    group_id: int | None = None
    position: Position | None = None

    @property
    def whom(self) -> Whom:
        """Who it is, whatever the role."""
        return self.user_id, self.group_id, self.position


def store_addresses(tx: Transaction, organization_id: int, message_id: int, addresses: Iterable[Address]) -> None:
    """The message is addressed like this from now on, each once in its role."""
    tx.execute(delete(recipients).where(recipients.c.message_id == message_id))
    rows = [
        {
            "organization_id": organization_id,
            "message_id": message_id,
            "place": place,
            "role": each.role,
            "user_id": each.user_id,
            "group_id": each.group_id,
            "position": each.position,
        }
        for place, each in enumerate(dict.fromkeys(addresses))
    ]
    if rows:
        tx.execute(insert(recipients), rows)


def addresses_of(tx: Transaction, message_id: int) -> list[Address]:
    """How the message is addressed, in order."""
    called = recipients.c
    rows = tx.execute(select(recipients).where(called.message_id == message_id).order_by(called.place))
    return [
        Address(
            Role(row.role), row.user_id, row.group_id, None if row.position is None else Position(row.position)
        )
        for row in rows
    ]


def check_reach(
    tx: Transaction,
    actor: Actor,
    addresses: Collection[Address],
    *,
    parent: Any = None,
    known: Collection[Address] = (),
) -> None:
    """Raises OUT_OF_REACH when the actor may not write to one of them, whatever the reason is.

    `parent`: the message that is answered. Its author, and whoever it is openly addressed to, may be written to
    as the knob `reply` says (MA7). `known`: addresses that a draft has had before.
    """
    wanted = {each.whom for each in addresses} - {each.whom for each in known}
    answered: set[Whom] = set()
    if parent is not None:
        answered = {each.whom for each in addresses_of(tx, parent.id) if each.role in OPENLY}
        answered.add((parent.author_id, None, None))
    _check_people(tx, actor, wanted, answered)
    _check_audiences(tx, actor, wanted, answered)


def _check_people(tx: Transaction, actor: Actor, wanted: set[Whom], answered: set[Whom]) -> None:
    ids = {user_id for user_id, _, _ in wanted if user_id is not None}
    if not ids:
        return
    may_be_answered = {user_id for user_id, _, _ in answered}
    facts = select(
        users.c.id,
        users.c.deactivated_at.is_(None).label("is_active"),
        may_start(actor, actor.id, users.c.id).label("starts"),
        may_start(actor, users.c.id, actor.id).label("other_starts"),
    ).where(users.c.organization_id == actor.organization_id, users.c.id.in_(ids))
    reached = {
        row.id
        for row in tx.execute(facts)
        if (row.is_active and row.starts)
        or (
            row.id in may_be_answered
            and may_answer(actor, starts=row.starts, other_starts=row.other_starts, other_has_written=True)
        )
    }
    if reached != ids:
        raise Refused(Code.OUT_OF_REACH)


def _check_audiences(tx: Transaction, actor: Actor, wanted: set[Whom], answered: set[Whom]) -> None:
    free = may_answer(actor, starts=False, other_starts=False, other_has_written=True)
    by_position: defaultdict[Position, set[int]] = defaultdict(set)
    for each in wanted - answered if free else wanted:
        _, group_id, position = each
        if group_id is not None and position is not None:
            by_position[position].add(group_id)
    for position, group_ids in by_position.items():
        found = select(groups.c.id).where(
            groups.c.organization_id == actor.organization_id,
            groups.c.ended_at.is_(None),
            groups.c.id.in_(group_ids),
            may_address(actor, groups.c.id, literal(position.value)),
        )
        if set(tx.execute(found).scalars()) != group_ids:
            raise Refused(Code.OUT_OF_REACH)


# ------------------------------------------------------------------------------------------- people


def people_addressed(message_id: int, author_id: int, *, parent: Any = None) -> Select[Any]:
    """`user_id`, `rank`: the active people to whom a message goes, each once, as the first of TO, CC, BCC.

    Whoever addresses an audience in which he is does not address himself. In a reply, an audience to which the
    parent went openly is those of it whom the parent has reached openly, and nobody else: a reply never widens.
    """
    rank = case(*((recipients.c.role == role, number) for role, number in RANKS.items()), else_=NOT_ADDRESSED)
    here = recipients.c.message_id == message_id
    called = select(recipients.c.user_id, rank.label("rank")).where(here, recipients.c.user_id.is_not(None))
    audiences = recipients.join(
        memberships,
        and_(memberships.c.group_id == recipients.c.group_id, memberships.c.position == recipients.c.position),
    )
    members = (
        select(memberships.c.user_id, rank.label("rank"))
        .select_from(audiences)
        .where(here, memberships.c.user_id != author_id)
    )
    is_member = memberships.c.until.is_(None)
    if parent is None:
        parts = [called, members.where(is_member)]
    else:
        went = _went_to_audience(parent.id)
        parts = [called, members.where(is_member, ~went), members.where(went, *_got_it_there(parent))]
    everybody = union_all(*parts).subquery("everybody")
    return (
        select(everybody.c.user_id, func.min(everybody.c.rank).label("rank"))
        .join_from(everybody, users, users.c.id == everybody.c.user_id)
        .where(users.c.deactivated_at.is_(None))
        .group_by(everybody.c.user_id)
    )


def _went_to_audience(parent_id: int) -> ColumnElement[bool]:
    """Whether the parent was openly addressed to the audience of a recipient's row."""
    return exists(
        select(literal(1)).where(
            parents.c.message_id == parent_id,
            parents.c.group_id == recipients.c.group_id,
            parents.c.position == recipients.c.position,
            parents.c.role.in_(OPENLY),
        )
    )


def _got_it_there(parent: Any) -> tuple[ColumnElement[bool], ...]:
    """Who was of the audience when the parent was sent, and has got it openly."""
    since, until = memberships.c.since, memberships.c.until
    has_it = exists(
        select(literal(1)).where(
            theirs.c.user_id == memberships.c.user_id,
            theirs.c.message_id == parent.id,
            theirs.c.received_as.in_(OPENLY),
        )
    )
    return (since <= parent.sent_at, or_(until.is_(None), until >= parent.sent_at), has_it)
