"""To whom is a mail addressed, may its author address them, and who is told? (M2, M5, M6)

People and audiences are stored as they were called.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
)

from models.actor import ASKING, Actor, Viewer
from models.blocks import are_apart
from models.database import Transaction
from models.decide_messages import may_answer
from models.errors import Code, Refused
from models.prepared import Prepared
from models.reach import may_address, may_start
from models.tables.base import Key
from models.tables.conversations import Role, recipients
from models.tables.people import Position, groups, users

MOST_ADDRESSES = 100
"""In one mail, as they are called; the people behind them are the policy's to limit."""

OPENLY = (Role.TO, Role.CC)
"""Whom every reader sees."""

first = recipients.alias("first")

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
    asking = {"viewer": actor.id, "organization": actor.organization_id}
    for whom in wanted:
        user_id, group_id, position = whom
        if position is None:
            row = _person().run(tx, **asking, person=user_id).one_or_none()
            reached = row is not None and _reaches(actor, row, is_answered=whom in answered)
        else:
            free = whom in answered and may_answer(actor, starts=False, other_starts=False, other_has_written=True)
            found = _audience().run(tx, **asking, group=group_id, position=position.value)
            reached = found.one_or_none() is not None or free
        if not reached:
            raise Refused(Code.OUT_OF_REACH)


def _reaches(actor: Actor, row: Any, *, is_answered: bool) -> bool:
    """Whether a person may be addressed. Who has left may still be answered: no copy is made for him. A block
    stands in the way of an answer as well."""
    if row.is_active and row.starts:
        return True
    return (
        is_answered
        and not row.apart
        and may_answer(actor, starts=bool(row.starts), other_starts=bool(row.other_starts), other_has_written=True)
    )


@cache
def _person() -> Prepared:
    """How a person and the actor stand to each other."""
    facts: dict[str, ColumnElement[Any]] = {
        "is_active": users.c.deactivated_at.is_(None),
        "starts": may_start(ASKING, ASKING.id, users.c.id),
        "other_starts": may_start(ASKING, users.c.id, ASKING.id),
        "apart": are_apart(ASKING.id, users.c.id),
    }
    whole = select(*(fact.label(name) for name, fact in facts.items()))
    wanted = bindparam("person", type_=Key)
    return Prepared(whole.where(users.c.organization_id == ASKING.organization_id, users.c.id == wanted))


@cache
def _audience() -> Prepared:
    """One row when the actor may address it."""
    return Prepared(
        select(groups.c.id).where(
            groups.c.organization_id == ASKING.organization_id,
            groups.c.ended_at.is_(None),
            groups.c.id == bindparam("group", type_=Key),
            may_address(ASKING, groups.c.id, bindparam("position", type_=Text())),
        )
    )


# ------------------------------------------------------------------------------------------ reading


def addressed_openly(message_id: ColumnElement[int], role: Role) -> Select[Any]:
    """`type`, `id`, `position` of those in TO, or in CC, in order."""
    return _called(recipients.c.user_id, recipients.c.group_id).where(
        recipients.c.message_id == message_id, recipients.c.role == role
    )


def addressed_blindly(viewer: Viewer, copy: Any) -> Select[Any]:
    """The same of those in BCC: its author sees all of them, a blind recipient himself, whether he was called by
    his name or in an audience, and everybody else nobody (invariant 9). `copy`: the viewer's own."""
    mine = case((copy.is_author, recipients.c.user_id), else_=viewer.id)
    first_of_them = select(func.min(first.c.place)).where(first.c.message_id == copy.id, first.c.role == Role.BCC)
    return _called(mine, case((copy.is_author, recipients.c.group_id))).where(
        recipients.c.message_id == copy.id,
        recipients.c.role == Role.BCC,
        or_(
            copy.is_author,
            and_(copy.received_as == Role.BCC, recipients.c.place == first_of_them.scalar_subquery()),
        ),
    )


def _called(user_id: Any, group_id: Any) -> Select[Any]:
    return select(
        case((group_id.is_(None), "User"), else_="Audience").label("type"),
        func.coalesce(group_id, user_id).label("id"),
        recipients.c.position,
    ).order_by(recipients.c.place)
