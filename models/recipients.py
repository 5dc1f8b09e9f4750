"""Whom may somebody choose to write to, of those whose name begins with what is typed? (P11, M5, PA1)

Only who is within reach: nothing tells who is out of it from who does not exist (P12, PA2). Of many that match,
those whose matching word comes first in the alphabet; where both people and audiences are many, as many of each.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    exists,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    tuple_,
    union_all,
)

from models.actor import Viewer, stands
from models.audiences import POSITIONS
from models.people_scopes import visible_people
from models.reach import audiences_in_reach, numbers_in_reach
from models.search_words import LAST, words_wanted
from models.tables.people import guardianships, search_words, users
from models.text import begins_word, fold

found_word = search_words.alias("found_word")
earlier_word = search_words.alias("earlier_word")
other_word = search_words.alias("other_word")
child_of = guardianships.alias("child_of")
sibling_of = guardianships.alias("sibling_of")
sibling_word = search_words.alias("sibling_word")

PERSON, AUDIENCE = "User", "Audience"


def wanted(search: str) -> list[dict[str, str]]:
    """What is typed, word by word, the most telling first; nothing for a blank search.

    `low`, `high`: between which folded words those lie that begin so; `pattern`: for LIKE, names of groups with
    such a word; `labels`: the positions that are called so, each with its language.
    """
    return [
        {"low": word, "high": word + LAST, "pattern": begins_word(word), "labels": _labels(word)}
        for word in words_wanted(search)
    ]


@dataclass(frozen=True)
class Typed:
    """What is typed, as a statement has it: the first word's places, and the others as rows of the same columns."""

    low: ColumnElement[str]
    high: ColumnElement[str]
    pattern: ColumnElement[str]
    labels: ColumnElement[str]
    others: FromClause


def recipients(viewer: Viewer, typed: Typed, most: Any) -> Select[Any]:
    """`type`, `id`, `position` of at most so many: people by name, then audiences by their group's name."""
    found = union_all(_people(viewer, typed, most), _audiences(viewer, typed, most)).subquery()
    chosen = select(found).order_by(found.c.place, found.c.type.desc()).limit(most).subquery()
    return select(chosen.c.type, chosen.c.id, chosen.c.position).order_by(
        chosen.c.type.desc(), chosen.c.key, chosen.c.id, chosen.c.position
    )


def _people(viewer: Viewer, typed: Typed, most: Any) -> Select[Any]:
    """By their own names and logins, and guardians by the names of learners whom the viewer sees."""
    named = union_all(
        _whole(_by_own_name(viewer, typed).limit(most)), _whole(_by_childs_name(viewer, typed).limit(most))
    ).subquery()
    each = select(named.c.user_id, func.min(named.c.word).label("word")).group_by(named.c.user_id).subquery()
    return select(
        literal(PERSON).label("type"),
        each.c.user_id.label("id"),
        null().label("position"),
        func.row_number().over(order_by=(each.c.word, each.c.user_id)).label("place"),
        users.c.search_key.label("key"),
    ).join_from(each, users, users.c.id == each.c.user_id)


def _by_own_name(viewer: Viewer, typed: Typed) -> Select[Any]:
    """(person, the first word that matches), by that word: an index gives them in this order."""
    word, earlier = found_word.c, earlier_word.c
    comes_earlier = exists(
        select(literal(1)).where(
            earlier.user_id == word.user_id, earlier.word >= typed.low, earlier.word < word.word
        )
    )
    return (
        select(word.user_id, word.word)
        .where(
            word.organization_id == viewer.organization_id,
            *_begins(word, typed),
            word.user_id.in_(numbers_in_reach(viewer)),
            _is_active(word.user_id),
            not_(comes_earlier),
            _matches_others(word.user_id, typed, of_name=False),
        )
        .order_by(word.word, word.user_id)
    )


def _by_childs_name(viewer: Viewer, typed: Typed) -> Select[Any]:
    """(guardian, the first word of a child's name that matches), by that word."""
    word = found_word.c
    return (
        select(child_of.c.guardian_id.label("user_id"), word.word)
        .join_from(found_word, child_of, child_of.c.child_id == word.user_id)
        .where(
            word.organization_id == viewer.organization_id,
            *_begins(word, typed),
            child_of.c.until.is_(None),
            child_of.c.guardian_id.in_(numbers_in_reach(viewer)),
            *_is_told(viewer, word, typed),
            _is_active(child_of.c.guardian_id),
        )
        .order_by(word.word, word.user_id, child_of.c.guardian_id)
    )
