"""What does a call name? Not too much at once, and people who are known."""

from collections.abc import Sequence

from sqlalchemy import select

from models.actor import Actor
from models.database import Transaction
from models.errors import Code, Refused
from models.tables.people import users

MOST_IDS = 100


def bounded(field: str, ids: Sequence[int] | None) -> None:
    """At most 100 ids in one call, or INVALID_INPUT."""
    if ids is not None and len(ids) > MOST_IDS:
        raise Refused(Code.INVALID_INPUT, field=field)


def known_people(tx: Transaction, actor: Actor, user_ids: Sequence[int]) -> set[int]:
    """These people of the organization, gone or not; NOT_FOUND when one of them is unknown."""
    wanted = set(user_ids)
    found = select(users.c.id).where(users.c.organization_id == actor.organization_id, users.c.id.in_(wanted))
    if set(tx.execute(found).scalars()) != wanted:
        raise Refused(Code.NOT_FOUND)
    return wanted
