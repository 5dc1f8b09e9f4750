"""Who is at a school after the import?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from jobs.roster.differences import batches, bytewise, insert_rows, paired, update_rows
from jobs.roster.staging import Staging
from jobs.roster.summary import Tally
from models.database import Transaction
from models.search_words import keep_words
from models.tables.people import users
from models.text import fold

FAMILY_FIRST = ("ru",)
"""Locales in which a name begins with the family."""

WANTED = """
SELECT people.id, users.login, users.given, users.middle, users.family
FROM people JOIN users ON users.id = people.id WHERE people.school = ? ORDER BY people.id
"""


@dataclass
class _Changes:
    """`freed`: who gives up a login while staying, so that another may take it over."""

    added: list[Sequence[Any]] = field(default_factory=list)
    changed: dict[int, dict[str, Any]] = field(default_factory=dict)
    freed: list[int] = field(default_factory=list)
    returned: set[int] = field(default_factory=set)
    ended: list[int] = field(default_factory=list)


def write_people(
    tx: Transaction, staging: Staging, organization_id: int, school: str, *, locale: str, tally: Tally
) -> tuple[set[int], set[int]]:
    """Who comes back is the same person. Afterwards the staged people know their numbers.

    Returns those who ended or came back, and those who are new.
    """
    changes = _changes(tx, staging, organization_id, school, locale)
    update_rows(tx, users, {number: {"deactivated_at": tx.now} for number in changes.ended})
    # Two people may swap their logins: nobody active holds a login of the school while they change.
    update_rows(tx, users, {number: {"login": f"\x1f{number}"} for number in changes.freed})
    update_rows(tx, users, changes.changed)
    insert_rows(
        tx,
        users,
        (
            {
                "organization_id": organization_id,
                "source_id": source_id,
                **_values(login, name),
                "created_at": tx.now,
            }
            for source_id, login, name in changes.added
        ),
    )
    newcomers = _number(tx, staging, organization_id, school, {row[0] for row in changes.added})
    keep_words(tx, organization_id, newcomers | changes.changed.keys() | set(changes.ended))
    tally.count("people", added=len(changes.added), changed=len(changes.changed), ended=len(changes.ended))
    return changes.returned | set(changes.ended), newcomers


def _changes(tx: Transaction, staging: Staging, organization_id: int, school: str, locale: str) -> _Changes:
    known = users.c
    current = tx.execute(
        select(known.source_id, known.id, known.login, known.name, known.deactivated_at)
        .where(known.organization_id == organization_id)
        .order_by(bytewise(tx, known.source_id))
    )
    changes = _Changes()
    for wanted, row in paired(_wanted(staging, school, locale), current):
        if row is None:
            assert wanted is not None
            changes.added.append(wanted)
            continue
        _, number, login, name, gone = row
        if wanted is None:
            if gone is None:
                changes.ended.append(number)
        elif gone is not None or (login, name) != tuple(wanted[1:]):
            changes.changed[number] = {**_values(*wanted[1:]), "deactivated_at": None}
            if gone is not None:
                changes.returned.add(number)
            elif login != wanted[1]:
                changes.freed.append(number)
    return changes


def _wanted(staging: Staging, school: str, locale: str) -> Iterator[Sequence[str]]:
    """(sourcedId, login, name) of everybody, by sourcedId."""
    for source_id, login, given, middle, family in staging.execute(WANTED, (school,)):
        parts = (family, given, middle) if locale in FAMILY_FIRST else (given, middle, family)
        yield source_id, login, " ".join(filter(None, parts))


def _values(login: str, name: str) -> dict[str, str]:
    return {"login": login, "name": name, "search_key": fold(f"{name} {login}")}


def _number(tx: Transaction, staging: Staging, organization_id: int, school: str, added: set[str]) -> set[int]:
    """Numbers the staged people; the numbers of the added ones."""
    newcomers: set[int] = set()
    active = tx.execute(
        select(users.c.id, users.c.source_id).where(
            users.c.organization_id == organization_id, users.c.deactivated_at.is_(None)
        )
    )
    for batch in batches(active):
        staging.execute("BEGIN")
        staging.executemany(
            "UPDATE people SET user_id = ? WHERE school = ? AND id = ?",
            [(row.id, school, row.source_id) for row in batch],
        )
        staging.execute("COMMIT")
        newcomers.update(row.id for row in batch if row.source_id in added)
    return newcomers
