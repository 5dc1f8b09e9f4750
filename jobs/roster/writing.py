"""What changes in one school? Wanted and current rows side by side; only the differences are written."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, bindparam, insert, select, update

from jobs.roster.memberships import write_guardianships, write_memberships
from jobs.roster.remembered import remember
from jobs.roster.staging import Staging
from jobs.roster.summary import Tally
from jobs.roster.wishes import FIRST_LOCALE, FIRST_PRESET, Wishes
from models.database import Transaction
from models.events import record
from models.organization import found, set_policy, settle
from models.presets import PRESETS
from models.tables.events import EventKind
from models.tables.organization import organizations
from models.tables.people import GroupKind, groups, users
from models.text import fold

FAMILY_FIRST = ("ru",)
"""Locales in which a name begins with the family."""

WANTED_GROUPS = """
SELECT source || ':' || id, n, source, id, kind, name, discipline FROM "groups" WHERE school = ? ORDER BY 1
"""
WANTED_PEOPLE = """
SELECT people.id, users.login, users.given, users.middle, users.family
FROM people JOIN users ON users.id = people.id WHERE people.school = ? ORDER BY people.id
"""


@dataclass(frozen=True)
class School:
    """An organization of the set; one that is not wanted ends, with everybody in it."""

    source_id: str
    name: str
    is_wanted: bool


def write_school(tx: Transaction, staging: Staging, school: School, wishes: Wishes, tally: Tally) -> None:
    """Brings one organization to what the set says of it, and tells the people whom that concerns."""
    organization_id, locale = _write_organization(tx, school, wishes, tally)
    _write_groups(tx, staging, organization_id, school, tally)
    moved, newcomers = _write_people(tx, staging, organization_id, school, locale, tally)
    moved |= write_memberships(tx, staging, organization_id, school.source_id, tally)
    write_guardianships(tx, staging, organization_id, school.source_id, tally)
    for user_id in sorted(moved - newcomers):
        record(tx, organization_id, EventKind.PERSON_CHANGED, user_id=user_id)
    remember(tx, staging, organization_id, school.source_id)


def _write_organization(tx: Transaction, school: School, wishes: Wishes, tally: Tally) -> tuple[int, str]:
    """Its number and its locale. A preset that is in force already keeps the knobs that were turned since."""
    current = tx.execute(select(organizations).where(organizations.c.source_id == school.source_id)).one_or_none()
    if current is None:
        preset = wishes.preset or FIRST_PRESET
        locale = wishes.locale or FIRST_LOCALE
        assert wishes.time_zone is not None, "refused before anything is written"
        tally.count("organizations", added=1)
        return found(
            tx,
            source_id=school.source_id,
            name=school.name,
            time_zone=wishes.time_zone,
            locale=locale,
            preset=preset,
            policy=PRESETS[preset],
        ), locale
    locale = wishes.locale or current.locale
    if not school.is_wanted:
        return current.id, locale
    changed = settle(
        tx, current.id, name=school.name, time_zone=wishes.time_zone or current.time_zone, locale=locale
    )
    if wishes.preset not in (None, current.preset):
        set_policy(tx, current.id, wishes.preset, PRESETS[wishes.preset])
        changed = True
    tally.count("organizations", changed=int(changed))
    return current.id, locale


def _write_groups(tx: Transaction, staging: Staging, organization_id: int, school: School, tally: Tally) -> None:
    """Groups first without those above them, which may be as new as they are."""
    current = {
        f"{row.source}:{row.source_id}": row
        for row in tx.execute(select(groups).where(groups.c.organization_id == organization_id))
    }
    added, changed, ended = [], {}, []
    wanted = {key: rest for key, *rest in staging.execute(WANTED_GROUPS, (school.source_id,))}
    for key, (_, source, source_id, kind, name, discipline) in wanted.items():
        values = {"kind": kind, "name": name, "discipline": discipline}
        row = current.get(key)
        if row is None:
            own = {"organization_id": organization_id, "source": source, "source_id": source_id}
            added.append({**own, **values, "search_key": fold(name)})
        elif row.ended_at is not None or values != {field: getattr(row, field) for field in values}:
            changed[row.id] = {**values, "search_key": fold(name), "ended_at": None}
    ended = [row.id for key, row in current.items() if key not in wanted and row.ended_at is None]
    _update(tx, groups, ((number, {"ended_at": tx.now}) for number in ended))
    _update(tx, groups, changed.items())
    if added:
        tx.execute(insert(groups), added)
    new = {number for number in _number_groups(tx, staging, organization_id) if number not in changed}
    moved = _place_groups(tx, staging, organization_id, school)
    kinds = {row.id: row.kind for row in current.values()}
    tally.count("groups", added=len(added), changed=len(changed.keys() | (moved & kinds.keys())), ended=len(ended))
    tally.count("organizations", ended=sum(kinds[number] == GroupKind.ORGANIZATION for number in ended))
    del new
