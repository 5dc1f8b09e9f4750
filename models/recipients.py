"""Whom may somebody choose to write to, of those whose name begins with what is typed? (P11, M5, PA1)

Only who is within reach: nothing tells who is out of it from who does not exist (P12, PA2). Of many that match
those whose matching word comes first in the alphabet are taken; of people and audiences, where both are many, as
many each.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    exists,
    func,
    literal,
    literal_column,
    not_,
    null,
    or_,
    select,
    union_all,
)

from models.actor import Viewer
from models.offered_audiences import offered_audiences
from models.people_scopes import visible_people
from models.reach import numbers_in_reach, people_in_reach
from models.tables.people import guardianships, search_words, users
from models.typed import Typed

PERSON = "User"

NARROW = 20_000
"""A reach up to so many is gathered first; of a wider one those who match are looked up, one by one, until there
are enough."""

CHILDREN = 10
"""Nobody answers for more learners of one name. So many guardianships per person asked for are looked at."""

Reached = Callable[[ColumnElement[int]], ColumnElement[bool]]

named = search_words.alias("named")
named_before = search_words.alias("named_before")
named_besides = search_words.alias("named_besides")
guarded = guardianships.alias("guarded")


def recipients(viewer: Viewer, typed: Typed, most: ColumnElement[int]) -> Select[Any]:
    """`type`, `id`, `position` of at most so many: people by name, then audiences by the name of their group."""
    found = union_all(_people(viewer, typed, most), offered_audiences(viewer, typed, most)).cte()
    chosen = select(found).order_by(found.c.place, found.c.type.desc()).limit(most).cte()
    return select(chosen.c.type, chosen.c.id, chosen.c.position).order_by(
        chosen.c.type.desc(), chosen.c.search_key, chosen.c.id, chosen.c.position
    )


def _people(viewer: Viewer, typed: Typed, most: ColumnElement[int]) -> Select[Any]:
    """By names and logins of their own, and guardians by the names of learners whom the viewer sees."""
    reach = _reach(viewer)
    own = _by_own_name(viewer, typed, reach).limit(most).cte()
    of_child = _by_name_of_child(viewer, typed, reach).limit(most * literal_column(str(CHILDREN))).cte()
    both = union_all(select(own), select(of_child)).cte()
    each = select(both.c.user_id, func.min(both.c.word).label("word")).group_by(both.c.user_id).cte()
    return select(
        literal_column(f"'{PERSON}'").label("type"),
        each.c.user_id.label("id"),
        null().label("position"),
        func.row_number().over(order_by=(each.c.word, each.c.user_id)).label("place"),
        users.c.search_key,
    ).join_from(each, users, users.c.id == each.c.user_id)


def _by_own_name(viewer: Viewer, typed: Typed, is_reached: Reached) -> Select[Any]:
    """`user_id` and the first `word` that matches, by that word: in the order of an index."""
    person = named.c.user_id
    return (
        select(person, named.c.word)
        .where(
            *_begins(viewer, typed),
            is_reached(person),
            not_(exists(_before(person, typed))),
            _begin_others(person, typed),
        )
        .order_by(named.c.word, person)
    )


def _by_name_of_child(viewer: Viewer, typed: Typed, is_reached: Reached) -> Select[Any]:
    """The same of guardians, by the name of a child; who has several may be there several times.

    What is asked of the child is asked for each guardian, after all that is asked of him: few are left then.
    """
    guardian, child = guarded.c.guardian_id, guarded.c.child_id
    return (
        select(guardian.label("user_id"), named.c.word)
        .join_from(named, guarded, child == named.c.user_id)
        .where(
            *_begins(viewer, typed),
            named.c.of_name,
            guarded.c.until.is_(None),
            is_reached(guardian),
            not_(exists(_before(child, typed).where(named_before.c.of_name))),
            _begin_others(child, typed, named_besides.c.of_name),
            exists(visible_people(viewer).where(users.c.id == child)),
        )
        .order_by(named.c.word, named.c.user_id, guardian)
    )


def _reach(viewer: Viewer) -> Reached:
    """Whether a person is active and within reach. Where reach is narrow, most are told apart by a set."""
    some = select(literal(1).label("one")).select_from(numbers_in_reach(viewer).subquery()).limit(NARROW + 1)
    wide = select((func.count() > NARROW).label("is_wide")).select_from(some.subquery()).cte()
    is_wide = select(wide.c.is_wide).scalar_subquery()
    gathered = numbers_in_reach(viewer).subquery()
    near = select(gathered.c.user_id).where(not_(is_wide)).cte()

    def is_reached(user_id: ColumnElement[int]) -> ColumnElement[bool]:
        return and_(
            or_(is_wide, user_id.in_(select(near.c.user_id))),
            exists(people_in_reach(viewer).where(users.c.id == user_id)),
        )

    return is_reached


def _begins(viewer: Viewer, typed: Typed) -> tuple[ColumnElement[bool], ...]:
    return (
        named.c.organization_id == viewer.organization_id,
        named.c.word >= typed.low,
        named.c.word < typed.high,
    )


def _before(user_id: ColumnElement[int], typed: Typed) -> Select[Any]:
    """A word of the same person that matches as well and comes before: each is found by one word."""
    return select(literal(1)).where(
        named_before.c.user_id == user_id,
        named_before.c.word >= typed.low,
        named_before.c.word < named.c.word,
    )


def _begin_others(
    user_id: ColumnElement[int], typed: Typed, *conditions: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Whether each further word that is typed begins some word of the person."""
    others = typed.others
    begun = (
        select(literal(1))
        .where(
            named_besides.c.user_id == user_id,
            named_besides.c.word >= others.c.low,
            named_besides.c.word < others.c.high,
            *conditions,
        )
        .correlate_except(named_besides)
    )
    missing = select(literal(1)).select_from(others).where(not_(exists(begun))).correlate_except(others)
    return not_(exists(missing))
