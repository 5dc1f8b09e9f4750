"""By which words is a person found, and what does somebody who types look for?

A word is found by its beginning: any word of the name, or the login. `fold` has taken case, accents and the
difference of ё and е away; each part of a word with a hyphen or an apostrophe begins one too.
"""

import re
from collections.abc import Collection

from sqlalchemy import delete, insert, select

from models.database import Transaction
from models.tables.people import search_words, users
from models.text import fold

BATCH = 500
"""People at a time: engines take only so many values in one statement."""

LAST = "\U0010ffff"
"""Sorts after every character that a word can go on with."""

_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\u0060\u00b4", "'"))
_BETWEEN = re.compile(r"[^\w]+")


def words_of_person(name: str, login: str) -> dict[str, bool]:
    """The words by which somebody of this name is found -> whether they are of the name."""
    return {**dict.fromkeys(_words(login), False), **dict.fromkeys(words_of(name), True)}


def words_of(name: str) -> set[str]:
    """The words of a name, and what follows a hyphen or the like within them."""
    found = set()
    for word in _words(name):
        found.add(word)
        found.update(rest for gap in _BETWEEN.finditer(word) if (rest := word[gap.end() :]))
    return found


def words_wanted(search: str) -> list[str]:
    """What is typed, word by word, the longest first. Each must begin some word; none: nothing is looked for.

    A word that begins another one says nothing more than that; commas only part them.
    """
    words = {word.strip(",;") for word in _words(search)} - {""}
    typed = sorted(words, key=lambda word: (-len(word), word))
    return [word for place, word in enumerate(typed) if not any(each.startswith(word) for each in typed[:place])]


def keep_words(tx: Transaction, organization_id: int, people: Collection[int]) -> None:
    """These people are found by the names and logins that they have now; who is not active, by none.

    Call it for all whose name or login was written, and for those who ended or came back.
    """
    numbers = sorted(people)
    for start in range(0, len(numbers), BATCH):
        batch = numbers[start : start + BATCH]
        tx.execute(delete(search_words).where(search_words.c.user_id.in_(batch)))
        known = select(users.c.id, users.c.name, users.c.login).where(
            users.c.id.in_(batch), users.c.deactivated_at.is_(None)
        )
        rows = [
            {"organization_id": organization_id, "user_id": person.id, "word": word, "of_name": of_name}
            for person in tx.execute(known).all()
            for word, of_name in sorted(words_of_person(person.name, person.login).items())
        ]
        if rows:
            tx.execute(insert(search_words), rows)


def _words(text: str) -> list[str]:
    return fold(text).translate(_APOSTROPHES).split()
