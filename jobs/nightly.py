"""Which nights have to run, and who runs them? The command runs what it is asked for; the server only midnights
that it lives to see, and after downtime the latest one it missed.

A night belongs to a local date of its organization and runs at most once for it (A4).
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

from sqlalchemy import select

from jobs.latest_nights import read_latest_nights
from jobs.midnights import due_date, next_midnight, today
from jobs.night import Night, Unfinished, run_night
from jobs.orphans import remove_files
from models import organization as schools
from models.database import Database, Transaction
from models.organization import Organization
from models.storage import FileStorage
from models.tables.organization import organizations

__all__ = ["Night", "Progress", "keep_nights", "run_due_nights", "run_night", "run_nights"]

LOOK_EVERY = timedelta(minutes=1)
SHORTEST_PAUSE = timedelta(milliseconds=10)
SCHOOLS_AT_ONCE = 20
"""So many share a connection: what it remembers of them stays small."""

Progress = Callable[[int, int], None]
"""Hears how many schools are done, and how many there are."""

log = logging.getLogger(__name__)


def run_nights(
    database: Database,
    *,
    local_date: date | None = None,
    organization: str | None = None,
    progress: Progress | None = None,
) -> list[Night]:
    """The command `nightly`: the nights that ran now, one transaction each.

    `local_date` None: today's date in each organization. `organization`: this one alone, by its name or
    sourcedId; ValueError with one line when there is none.
    """
    tell = progress or _tell_nobody
    with database.transaction() as tx:
        asked = _asked(tx, organization)
    nights = []
    for first in range(0, len(asked), SCHOOLS_AT_ONCE):
        with database.transactions() as begin:
            for number, school_id in enumerate(asked[first : first + SCHOOLS_AT_ONCE], start=first):
                tell(number, len(asked))
                night: Night | Unfinished | None = Unfinished(0)
                while isinstance(night, Unfinished):
                    with begin(school_id) as tx:
                        night = _run_night(database, school_id, local_date, night, tx)
                if night is not None:
                    nights.append(night)
    tell(len(asked), len(asked))
    return nights


async def keep_nights(
    database: Database, *, storage: FileStorage | None = None, look_every: timedelta = LOOK_EVERY
) -> None:
    """Runs each organization's night when it is due, and takes out of the storage what nobody needs, until it is
    cancelled.

    Sleeps until the next midnight anywhere, but looks at least every `look_every`: organizations come and
    clocks are set. A night that fails is logged and tried again at the next look.
    """
    while True:
        pause = look_every
        try:
            pause = min(pause, await run_due_nights(database, storage=storage))
        except Exception:
            log.exception("could not find out which nights are due")
        await asyncio.sleep(max(pause, SHORTEST_PAUSE).total_seconds())


async def run_due_nights(database: Database, *, storage: FileStorage | None = None) -> timedelta:
    """One look: runs what is due. How long it is, from before the look, to the next midnight of any
    organization."""
    now = database.clock()
    zones = set()
    has_run = False
    for school, imported_at, last_run in await read_latest_nights(database, now):
        zones.add(school.time_zone)
        local_date = due_date(school, imported_at, last_run, now)
        if local_date is not None:
            has_run |= await _run(database, school, local_date)
    if has_run and storage is not None:
        await _tidy(database, storage)
    return min((next_midnight(zone, now) - now for zone in zones), default=LOOK_EVERY)


def _asked(tx: Transaction, organization: str | None) -> list[int]:
    if organization is not None:
        return [schools.organization_called(tx, organization).id]
    return list(tx.execute(select(organizations.c.id).order_by(organizations.c.id)).scalars())


def _run_night(
    database: Database, organization_id: int, local_date: date | None, begun: Unfinished, tx: Transaction
) -> Night | Unfinished | None:
    """By the policy and the clock of now, not of when the list of organizations was read."""
    school = schools.organization(tx, organization_id)
    return run_night(tx, school, local_date or today(school, tx.now), clock=database.clock, begun=begun)


async def _run(database: Database, school: Organization, local_date: date) -> bool:
    night: Night | Unfinished | None = Unfinished(0)
    try:
        while isinstance(night, Unfinished):
            night = await database.write(partial(_run_night, database, school.id, local_date, night), school.id)
    except Exception:
        log.exception("the night %s of %s failed", local_date, school.name)
    else:
        if night is not None:
            log.info("night of %s", night.line())
            return True
    return False


async def _tidy(database: Database, storage: FileStorage) -> None:
    try:
        await asyncio.to_thread(remove_files, database, storage)
    except Exception:
        log.exception("files that nobody needs stay for another night")


def _tell_nobody(_done: int, _of: int) -> None:
    pass
