"""Which audiences may somebody choose to write to, of those that are called by what is typed? (M2, M5)"""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    exists,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
)

from models.actor import Viewer, stands
from models.audiences import people_of_audience
from models.reach import may_address, positions_in_reach
from models.tables.people import groups
from models.typed import Typed

AUDIENCE = "Audience"
offering = groups.alias("offering")


def offered_audiences(viewer: Viewer, typed: Typed, most: ColumnElement[int]) -> Select[Any]:
    """`type`, `id`, `position`, `place`, `search_key`: those of at most so many groups, by the names of these.

    Each word that is typed begins a word of the group's name or of what people at the position are called. First
    the groups that have such an audience are found, in the order of an index: there may be enough after a few.
    """
    positions = positions_in_reach(viewer).subquery()
    at = select(positions.c.position, _is_labelled(viewer, positions.c.position, typed.labels).label("fits")).cte()
    # As text, so that a SELECT in a SELECT reaches the group around it.
    group_id, key = (literal_column(f"offering.{name}", offering.c[name].type) for name in ("id", "search_key"))
    offered = select(literal(1)).select_from(at).where(*_is_offered(viewer, typed, group_id, key, at))
    by_position, by_group = offered.where(at.c.fits), and_(_has_word(key, typed.pattern), exists(offered))
    first = select(offering.c.id, offering.c.search_key).where(
        offering.c.organization_id == viewer.organization_id,
        offering.c.ended_at.is_(None),
        stands(viewer, "audiences_as_recipients"),
        typed.low != "",
        or_(by_group, exists(by_position)),
    )
    chosen = first.order_by(offering.c.search_key, offering.c.id).limit(most).cte()
    return select(
        literal_column(f"'{AUDIENCE}'").label("type"),
        chosen.c.id,
        at.c.position,
        func.row_number().over(order_by=(chosen.c.search_key, chosen.c.id, at.c.position)).label("place"),
        chosen.c.search_key,
    ).where(
        or_(at.c.fits, _has_word(chosen.c.search_key, typed.pattern)),
        *_is_offered(viewer, typed, chosen.c.id, chosen.c.search_key, at),
    )


def _is_offered(
    viewer: Viewer, typed: Typed, group_id: ColumnElement[int], key: ColumnElement[str], at: FromClause
) -> tuple[ColumnElement[bool], ...]:
    """Whether those at the position of the group are somebody, within reach, and called by the other words."""
    others, position = typed.others, at.c.position
    called_otherwise = (
        select(literal(1))
        .select_from(others)
        .where(not_(or_(_has_word(key, others.c.pattern), _is_labelled(viewer, position, others.c.labels))))
    )
    return (
        exists(people_of_audience(group_id, position)),
        may_address(viewer, group_id, position),
        not_(exists(called_otherwise)),
    )


def _has_word(search_key: ColumnElement[str], pattern: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a word of a folded name, or a part of one, begins so."""
    plain = func.replace(search_key, "’", "'")
    parts = func.replace(func.replace(plain, "-", " "), "'", " ")
    # The pattern is put together here: engines plan anew for each value that stands right beside a LIKE.
    return (literal(" ") + plain + " " + parts).like(literal("% ") + pattern, escape="\\")


def _is_labelled(viewer: Viewer, position: ColumnElement[str], labels: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether the people at the position are called so in the organization's language."""
    return labels.like(literal("%,") + stands(viewer, "locale") + ":" + position + ",%")
