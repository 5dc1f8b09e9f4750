"""Which people are behind the addresses of a mail? Worked out once, when it is sent (MA1): who joins an audience
later does not get the mail."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, or_, select, union_all

from models.addresses import OPENLY
from models.blocks import are_apart
from models.tables.base import Key
from models.tables.conversations import Role, deliveries, recipients
from models.tables.people import memberships, users

RANKS = {Role.TO: 0, Role.CC: 1, Role.BCC: 2}
"""Who is addressed twice gets the mail once: as the first of these."""

NOT_ADDRESSED = 9

parents = recipients.alias("parents")
theirs = deliveries.alias("theirs")


def people_addressed(message_id: int, author_id: int, *, parent: Any = None) -> Select[Any]:
    """`user_id`, `rank`: the active people to whom a message goes, each once, as the first of TO, CC, BCC.

    Whoever addresses an audience in which he is does not address himself, nor anybody from whom a block keeps him
    apart. In a reply, an audience to which the parent went openly is those of it whom the parent has reached
    openly, and nobody else: a reply never widens.
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
        .where(
            here,
            memberships.c.user_id != author_id,
            ~are_apart(literal(author_id, Key), memberships.c.user_id),
        )
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
