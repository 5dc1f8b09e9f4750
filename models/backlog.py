"""What waits for the messenger, and when did the nights run? Figures of all schools, for who runs the program."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, false, func, literal_column, select, true

from models.database import Database
from models.prepared import Prepared
from models.tables.base import Moment
from models.tables.events import job_runs, outbox
from models.tables.organization import organizations

RECENT = timedelta(hours=26)
"""A night is a day after the one before; where clocks change, an hour more."""


@dataclass(frozen=True)
class Backlog:
    """Commands for the messenger that may go at once, and since when the oldest of them waits; those that the next
    night lets go; those that are given up. In how many schools the latest nightly run was recent, when it was in
    the school that was last, and in the school where it is longest ago."""

    ready: int
    oldest: datetime | None
    for_night: int
    dead: int
    nights: int
    latest_night: datetime | None
    oldest_night: datetime | None


async def read_backlog(database: Database) -> Backlog:
    """As of now. Raises Unavailable while the database is away."""
    since = Moment().process_bind_param(database.clock() - RECENT, database.engine.dialect)
    (figures,) = await _statement().read(database, since=since)
    ready, oldest, for_night, dead, nights, latest, longest_ago = figures
    return Backlog(ready, _moment(oldest), for_night, dead, nights, _moment(latest), _moment(longest_ago))


@cache
def _statement() -> Prepared:
    """One row. What has been sent is not looked at, and of each school the latest night alone."""
    waits = outbox.c.sent_at.is_(None) & outbox.c.dead_at.is_(None)
    goes = select(func.count(), func.min(outbox.c.created_at)).where(waits, outbox.c.waits_for_night == false())
    stays = select(func.count()).where(waits, outbox.c.waits_for_night == true())
    dead = select(func.count()).where(outbox.c.dead_at.is_not(None))
    night = _night().subquery("nights").c.finished_at
    return Prepared(
        select(
            *(goes.with_only_columns(column).scalar_subquery() for column in goes.selected_columns),
            *(counted.select_from(outbox).scalar_subquery() for counted in (stays, dead)),
            select(func.count()).where(night >= bindparam("since", type_=Moment)).scalar_subquery(),
            *(select(extreme(night)).scalar_subquery() for extreme in (func.max, func.min)),
        )
    )


def _night() -> Select[Any]:
    """When the latest night of each school ended; null where none has been."""
    latest = (
        select(job_runs.c.finished_at)
        .where(job_runs.c.organization_id == organizations.c.id, job_runs.c.job == literal_column("'nightly'"))
        .order_by(job_runs.c.local_date.desc())
        .limit(1)
    )
    return select(latest.scalar_subquery().label("finished_at")).select_from(organizations)


def _moment(kept: Any) -> datetime | None:
    """As the engine keeps it: a text, or a moment."""
    return datetime.fromisoformat(kept) if isinstance(kept, str) else kept
