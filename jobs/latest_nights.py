"""How far has each school got? Every organization, its first import, and its latest night up to today."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Date, and_, bindparam

from jobs.midnights import today
from jobs.night import JOB
from models import organization as schools
from models.database import Database, Transaction
from models.organization import Organization
from models.prepared import Prepared
from models.tables.events import job_runs
from models.tables.organization import organizations

RECENT = timedelta(days=2)
"""Who has had no night for longer has none due before today's."""

Standing = tuple[Organization, datetime, date | None]
"""The organization, its first import, and its latest night; none where that is long ago, or still to come."""


def latest_nights(tx: Transaction, now: datetime) -> list[Standing]:
    return list(_standings(_KNOWN.tuples(tx, recent=_recent(now)), now))


async def read_latest_nights(database: Database, now: datetime) -> list[Standing]:
    """The same by one statement of a reader: it waits for no writer."""
    return list(_standings(await _KNOWN.read(database, recent=_recent(now)), now))


def _recent(now: datetime) -> str:
    return (now - RECENT).date().isoformat()


def _standings(rows: Iterable[Sequence[Any]], now: datetime) -> Iterator[Standing]:
    """From the rows of an organization, one per recent night."""
    for _, nights in groupby(rows, key=itemgetter(0)):
        first, *others = nights
        *facts, imported_at, _ = first
        school = schools.organization_from(facts)
        ran = [_date(row[-1]) for row in (first, *others) if row[-1] is not None]
        past = [night for night in ran if night <= today(school, now)]
        yield school, _moment(imported_at), max(past, default=None)


def _date(kept: Any) -> date:
    """However the engine keeps it."""
    found: date = date.fromisoformat(kept) if isinstance(kept, str) else kept
    return found


def _moment(kept: Any) -> datetime:
    found: datetime = datetime.fromisoformat(kept) if isinstance(kept, str) else kept
    return found


_KNOWN = Prepared(
    schools.facts()
    .add_columns(organizations.c.imported_at, job_runs.c.local_date)
    .outerjoin_from(
        organizations,
        job_runs,
        and_(
            job_runs.c.organization_id == organizations.c.id,
            job_runs.c.job == JOB,
            job_runs.c.local_date >= bindparam("recent", type_=Date),
        ),
    )
)
