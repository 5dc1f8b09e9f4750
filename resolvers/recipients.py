"""Whom may the viewer write to, and how is an audience read?"""

from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Select, func, select

from models.actor import Actor
from models.audiences import audience, audience_name, people_of_audience
from models.authorization.people import FINDS_RECIPIENT
from models.decide_messages import decide_start
from models.errors import Code
from models.offered_audiences import AUDIENCE
from models.people_scopes import any_group
from models.reach import may_start
from models.recipients import PERSON, recipients
from models.tables.people import Position, users
from models.typed import Typed, wanted
from resolvers.dialects import texts_of
from resolvers.ids import spelled_audience
from resolvers.paging import searchable, size
from resolvers.projection import Column, Derived, One, OneOf, Projection
from resolvers.statement import VIEWER, Arguments, Expression, Row

# ------------------------------------------------------------------------------------------ search


def _found(_: Row, arguments: Arguments) -> Select[Any]:
    return recipients(VIEWER, _typed(arguments), size(arguments))


def _typed(arguments: Arguments) -> Typed:
    def of_first(part: str) -> Expression:
        return arguments.bind("search", lambda text: _wanted(text)[0][part] if _wanted(text) else "")

    others = arguments.bind("search", lambda text: orjson.dumps(_wanted(text)[1:]).decode())
    return Typed(
        low=of_first("low"),
        high=of_first("high"),
        pattern=of_first("pattern"),
        labels=of_first("labels"),
        others=texts_of(others, "low", "high", "pattern", "labels").subquery(),
    )


@lru_cache(maxsize=64)
def _wanted(text: str) -> list[dict[str, str]]:
    return wanted(searchable(text))


RECIPIENTS = OneOf(
    _found,
    {
        PERSON: lambda row: select(users).where(users.c.id == row.id),
        AUDIENCE: lambda row: audience(row.id, row.position),
    },
    arguments=frozenset({"search", "first"}),
    for_each=True,
    seen_by=FINDS_RECIPIENT,
)
"""The entry of a viewer's recipients."""

# ------------------------------------------------------------------------------------ what they show


def _name(actor: Actor, position: str, group: str) -> str:
    return audience_name(Position(position), group, actor.locale)


def _size(row: Row) -> Expression:
    people = people_of_audience(row.group_id, row.position).subquery()
    return select(func.count()).select_from(people).scalar_subquery()


Projection(
    "Audience",
    seen_by=FINDS_RECIPIENT,
    id=Column(lambda row: spelled_audience(row.group_id, row.position)),
    name=Derived(_name, ("position", "group_name")),
    group=One("Group", lambda row, _: any_group(VIEWER, row.group_id), seen_by=FINDS_RECIPIENT),
    position=Column(),
    size=Column(_size),
)


def _why_not(actor: Actor, starts: bool, other_starts: bool, is_active: bool) -> Code | None:
    return decide_start(actor, starts=starts, other_starts=other_starts, is_active=is_active)


STANDING = (
    lambda row: may_start(VIEWER, VIEWER.id, row.id),
    lambda row: may_start(VIEWER, row.id, VIEWER.id),
    lambda row: row.deactivated_at.is_(None),
)
"""How the viewer and the person of a row stand to each other."""

CAN_MESSAGE = Derived(lambda *facts: _why_not(*facts) is None, STANDING)
CANNOT_MESSAGE_REASON = Derived(_why_not, STANDING, optional=True)
"""The entries of a person: both are what `openConversation` would decide."""
