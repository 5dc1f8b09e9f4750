"""What changes in one school? Wanted and current rows side by side; only the differences are written."""

from dataclasses import dataclass

from sqlalchemy import select

from jobs.roster.erased import refuse_erased
from jobs.roster.groups import write_groups
from jobs.roster.memberships import write_guardianships, write_memberships
from jobs.roster.people import write_people
from jobs.roster.remembered import remember
from jobs.roster.staging import Staging
from jobs.roster.summary import Tally
from jobs.roster.wishes import FIRST_LOCALE, FIRST_PRESET, Wishes
from models import audit
from models.database import Transaction
from models.events import record
from models.groups import rebuild_tree
from models.organization import found, set_policy, settle
from models.presets import PRESETS
from models.tables.events import EventKind
from models.tables.organization import organizations


@dataclass(frozen=True)
class School:
    """An organization of the set; one that is not wanted ends, with everybody in it."""

    source_id: str
    name: str
    is_wanted: bool


def write_school(tx: Transaction, staging: Staging, school: School, wishes: Wishes, tally: Tally) -> None:
    """Brings one organization to what the set says of it.

    Whoever was there before, and ended, came back or changed groups, is told: his rights are others now.
    """
    known = school.source_id
    before = tally.summary([])
    organization_id, locale = _write_organization(tx, school, wishes, tally)
    refuse_erased(tx, staging, organization_id, known)
    write_groups(tx, staging, organization_id, known, tally)
    rebuild_tree(tx, organization_id)
    moved, newcomers = write_people(tx, staging, organization_id, known, locale=locale, tally=tally)
    moved |= write_memberships(tx, staging, organization_id, known, tally)
    write_guardianships(tx, staging, organization_id, known, tally)
    for user_id in sorted(moved - newcomers):
        record(tx, organization_id, EventKind.PERSON_CHANGED, user_id=user_id)
    remember(tx, staging, organization_id, known)
    if tally.summary([]) != before:
        audit.keep(tx, organization_id, "importRoster", [f"Organization_{organization_id}"])


def _write_organization(tx: Transaction, school: School, wishes: Wishes, tally: Tally) -> tuple[int, str]:
    """Its number and its locale. A preset that is in force already leaves the knobs as they were turned."""
    current = tx.execute(select(organizations).where(organizations.c.source_id == school.source_id)).one_or_none()
    if current is None:
        tally.count("organizations", added=1)
        return _found(tx, school, wishes)
    tx.hold(current.id)
    locale = wishes.locale or current.locale
    if school.is_wanted:
        zone = wishes.time_zone or current.time_zone
        changed = settle(tx, current.id, name=school.name, time_zone=zone, locale=locale)
        if wishes.preset is not None and wishes.preset != current.preset:
            set_policy(tx, current.id, wishes.preset, PRESETS[wishes.preset])
            changed = True
        tally.count("organizations", changed=int(changed))
    return current.id, locale


def _found(tx: Transaction, school: School, wishes: Wishes) -> tuple[int, str]:
    assert wishes.time_zone is not None, "refused before anything is written"
    preset, locale = wishes.preset or FIRST_PRESET, wishes.locale or FIRST_LOCALE
    number = found(
        tx,
        source_id=school.source_id,
        name=school.name,
        time_zone=wishes.time_zone,
        locale=locale,
        preset=preset,
        policy=PRESETS[preset],
    )
    return number, locale
