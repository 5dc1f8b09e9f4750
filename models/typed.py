"""What does somebody look for who types the beginning of a name? (P11, M5)"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, FromClause

from models.audiences import POSITIONS
from models.search_words import LAST, words_of, words_wanted
from models.text import contains

_CALLED = {
    f"{locale}:{position}": words_of(label)
    for locale, labels in POSITIONS.items()
    for position, label in labels.items()
}


@dataclass(frozen=True)
class Typed:
    """What is typed, as a statement has it: what `wanted` says of the most telling word, empty for a blank search,
    and the other words as rows of the same columns."""

    low: ColumnElement[str]
    high: ColumnElement[str]
    pattern: ColumnElement[str]
    labels: ColumnElement[str]
    others: FromClause


def wanted(search: str) -> list[dict[str, str]]:
    """What is typed, word by word, the most telling one first; none for a blank search.

    `low`, `high`: folded words between them begin like this one; `pattern`, for LIKE: so do those; `labels`: the
    languages and positions that are called so, `,en:GUARDIAN,fr:GUARDIAN,` for `par`.
    """
    return [
        {"low": word, "high": word + LAST, "pattern": contains(word)[1:], "labels": _labels(word)}
        for word in words_wanted(search)
    ]


def _labels(word: str) -> str:
    called = [key for key, words in _CALLED.items() if any(each.startswith(word) for each in words)]
    return ",".join(("", *called, ""))
