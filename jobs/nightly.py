"""Has today's night run? At each school's midnight calls of the past are finished, chats rebuilt, and uploads
dropped that no message wanted.

A night belongs to a local date of its organization and runs at most once for it, in one short transaction
(E34, E56, A4). The command runs what it is asked for; the server only midnights that it lives to see, and
after downtime the latest one it missed.
"""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim
from sqlalchemy import Text, and_, bindparam, exists, insert, literal_column, select

from jobs.mandatory_chats import rebuild
from jobs.orphans import collect_orphans, remove_files
from jobs.stale_calls import finish_stale_calls
from models import organization as schools
from models.database import Database, Transaction
from models.organization import Organization
from models.storage import FileStorage
from models.tables.events import job_runs
from models.tables.organization import organizations

JOB = "nightly"
LOOK_EVERY = timedelta(minutes=1)
SHORTEST_PAUSE = timedelta(milliseconds=10)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Night:
    """What a night of one organization did."""

    organization: str
    local_date: date
    chats_created: int
    chats_changed: int
    chats_ended: int
    joined: int
    left: int
    calls_finished: int
    uploads_dropped: int

    def line(self) -> str:
        """For a terminal or a log."""
        return (
            f"{self.organization}, {self.local_date}: "
            f"chats {self.chats_created} created, {self.chats_changed} changed, {self.chats_ended} ended; "
            f"participants {self.joined} joined, {self.left} left; calls {self.calls_finished} finished; "
            f"uploads {self.uploads_dropped} dropped"
        )


def run_night(tx: Transaction, organization: Organization, local_date: date) -> Night | None:
    """The night that begins this local date; None when it has run already, and then nothing is written.

    A night that finds nothing to change leaves its row in `job_runs` and nothing else.
    """
    if _has_run(tx, organization, local_date):
        return None
    finished = finish_stale_calls(tx, organization, local_date)
    changes = rebuild(tx, organization)
    night = Night(
        organization=organization.name,
        local_date=local_date,
        chats_created=changes.created,
        chats_changed=changes.changed,
        chats_ended=changes.ended,
        joined=changes.joined,
        left=changes.left,
        calls_finished=finished,
        uploads_dropped=collect_orphans(tx, organization),
    )
    _keep(tx, organization, night)
    return night


def run_nights(
    database: Database, *, local_date: date | None = None, organization: str | None = None
) -> list[Night]:
    """The command `nightly`: the nights that ran now, one transaction each.

    `local_date` None: today's date in each organization. `organization`: this one alone, by its name or
    sourcedId; ValueError with one line when there is none.
    """
    with database.transaction() as tx:
        if organization is None:
            asked = schools.every_organization(tx)
        else:
            asked = [schools.organization_called(tx, organization)]
    nights = []
    for school in asked:
        with database.transaction() as tx:
            night = _run_night(tx, school.id, local_date or _today(school, tx.now))
        if night is not None:
            nights.append(night)
    return nights


def due_date(
    organization: Organization, imported_at: datetime, last_run: date | None, now: datetime
) -> date | None:
    """The local date whose night the server must run now, or None.

    `imported_at`: when the organization was first imported; only midnights after that are the server's.
    `last_run`: the latest night that has run, leaving out dates that are still to come (a command may have
    run those). Nights missed before today's are not made up for: today's does their work.
    """
    today = _today(organization, now)
    if imported_at.astimezone(organization.time_zone).date() >= today:
        return None
    return None if last_run is not None and last_run >= today else today


def next_midnight(time_zone: ZoneInfo, after: datetime) -> datetime:
    """When the next local day begins, in UTC: once per day, also where the clocks skip or repeat midnight."""
    return next(CronSim("0 0 * * *", after.astimezone(time_zone))).astimezone(UTC)


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
            pause = min(pause, await _run_what_is_due(database, storage))
        except Exception:
            log.exception("could not find out which nights are due")
        await asyncio.sleep(max(pause, SHORTEST_PAUSE).total_seconds())


def _run_night(tx: Transaction, organization_id: int, local_date: date) -> Night | None:
    """By the policy of now, not of when the list of organizations was read."""
    return run_night(tx, schools.organization(tx, organization_id), local_date)


def _has_run(tx: Transaction, organization: Organization, local_date: date) -> bool:
    runs = job_runs.c
    this = (runs.organization_id == organization.id, runs.job == JOB, runs.local_date == local_date)
    return bool(tx.execute(select(exists().where(*this))).scalar_one())


def _keep(tx: Transaction, organization: Organization, night: Night) -> None:
    """That it ran, and what it did. One short transaction is one moment."""
    did = asdict(night)
    del did["organization"], did["local_date"]
    tx.execute(
        insert(job_runs).values(
            organization_id=organization.id,
            job=JOB,
            local_date=night.local_date,
            started_at=tx.now,
            finished_at=tx.now,
            changes=json.dumps(did),
        )
    )


async def _run_what_is_due(database: Database, storage: FileStorage | None) -> timedelta:
    """How long it is, from before this look, to the next midnight of any organization."""
    now = database.clock()
    zones = set()
    has_run = False
    for school, imported_at, last_run in await _known(database, now):
        zones.add(school.time_zone)
        local_date = due_date(school, imported_at, last_run, now)
        if local_date is not None:
            has_run |= await _run(database, school, local_date)
    if has_run and storage is not None:
        await _tidy(database, storage)
    return min((next_midnight(zone, now) - now for zone in zones), default=LOOK_EVERY)


async def _run(database: Database, school: Organization, local_date: date) -> bool:
    def job(tx: Transaction) -> Night | None:
        return _run_night(tx, school.id, local_date)

    try:
        night = await database.write(job)
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


async def _known(database: Database, now: datetime) -> list[tuple[Organization, datetime, date | None]]:
    """Every organization, its first import, and its latest night up to today: one statement of a reader."""
    recent = (now - timedelta(days=2)).date()
    rows = await database.read(str(_KNOWN.compile(database.engine)), [recent.isoformat()])
    return [_last_run(list(nights), now) for _, nights in groupby(rows, key=itemgetter(0))]


def _last_run(rows: list[Sequence[Any]], now: datetime) -> tuple[Organization, datetime, date | None]:
    """From the rows of one organization, one per recent night."""
    *facts, imported_at, _ = rows[0]
    school = schools.organization_from(facts)
    nights = [date.fromisoformat(row[-1]) for row in rows if row[-1] is not None]
    past = [night for night in nights if night <= _today(school, now)]
    return school, datetime.fromisoformat(imported_at), max(past, default=None)


def _today(school: Organization, now: datetime) -> date:
    return now.astimezone(school.time_zone).date()


_KNOWN = (
    schools.facts()
    .add_columns(organizations.c.imported_at, job_runs.c.local_date)
    .outerjoin_from(
        organizations,
        job_runs,
        and_(
            job_runs.c.organization_id == organizations.c.id,
            job_runs.c.job == literal_column(f"'{JOB}'"),
            job_runs.c.local_date >= bindparam("recent", type_=Text),
        ),
    )
)
