"""Which nights have run? When, how long they took, and what they changed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from jobs.latest_nights import latest_nights
from jobs.midnights import due_date
from jobs.night import JOB, told
from models import organization as schools
from models.database import Database, Transaction
from models.tables.events import job_runs

MOST = 20


@dataclass(frozen=True)
class PastNight:
    """`began` in the organization's own time zone; `did`: how many of what."""

    organization: str
    local_date: date
    began: datetime
    took: timedelta
    did: dict[str, int]

    @property
    def milliseconds(self) -> int:
        return self.took // timedelta(milliseconds=1)

    def line(self) -> str:
        began = f"{self.began:%Y-%m-%d %H:%M:%S %z}"
        return f"{self.organization}, {self.local_date}: {began}, {self.milliseconds} ms, {told(self.did)}"


@dataclass(frozen=True)
class PastNights:
    """The latest nights, newest first, and the organizations whose night is due and has not run."""

    nights: Sequence[PastNight]
    missing: Sequence[str]


def past_nights(database: Database, *, organization: str | None = None, most: int = MOST) -> PastNights:
    """At most so many, of all organizations, or of this one alone, by its name or sourcedId; ValueError with one
    line when there is none."""
    with database.transaction() as tx:
        one = None if organization is None else schools.organization_called(tx, organization).id
        standings = {
            school.id: (school, due_date(school, imported_at, last_run, tx.now))
            for school, imported_at, last_run in latest_nights(tx, tx.now)
            if one in (None, school.id)
        }
        nights = [_night(standings[run.organization_id][0], run) for run in _runs(tx, one, most)]
    return PastNights(nights, [school.name for school, due in standings.values() if due is not None])


def _night(school: schools.Organization, run: Any) -> PastNight:
    return PastNight(
        organization=school.name,
        local_date=run.local_date,
        began=run.started_at.astimezone(school.time_zone),
        took=run.finished_at - run.started_at,
        did=json.loads(run.changes),
    )


def _runs(tx: Transaction, organization_id: int | None, most: int) -> Sequence[Any]:
    runs = job_runs.c
    own = [] if organization_id is None else [runs.organization_id == organization_id]
    newest = (runs.started_at.desc(), runs.organization_id.desc(), runs.local_date.desc())
    return tx.execute(select(job_runs).where(runs.job == JOB, *own).order_by(*newest).limit(most)).all()
