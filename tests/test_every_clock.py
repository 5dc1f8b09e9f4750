"""Does each local date of every zone have exactly one night, at its first moment, whatever the clocks do?

The first moments are counted here from the offsets alone, without the program's calendar.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest
from sqlalchemy import select

from jobs.midnights import due_date, next_midnight
from jobs.nightly import run_due_nights
from models.organization import Organization
from models.policy import Policy
from models.tables.events import job_runs
from tests.small_school import SmallSchool, Watch, database_at

DAY, HOUR, TICK = timedelta(days=1), timedelta(hours=1), timedelta(milliseconds=1)
YEARS = [2010, 2023, 2026]
"""Two years from each on: St. John's goes back from 00:01 and Apia leaves a date out (2011), Asuncion still
changes its clocks at midnight (2023), and the rules of now."""

Offsets = tuple[tuple[datetime, timedelta], ...]
"""From when on, in UTC, which offset holds."""


@dataclass(frozen=True)
class Clock:
    """One way in which clocks go in these years, and the first zone that goes so."""

    zone: str
    offsets: Offsets

    @property
    def changes(self) -> list[datetime]:
        return [since for since, _ in self.offsets[1:]]

    def first_moments(self, end: datetime) -> dict[date, datetime]:
        """When each local date begins, in the order of the calendar."""
        found: dict[date, datetime] = {}
        untils = [*self.changes, end]
        for (since, offset), until in zip(self.offsets, untils, strict=True):
            day = (since + offset).date()
            while (begin := datetime(day.year, day.month, day.day, tzinfo=UTC) - offset) < until:
                found.setdefault(day, max(begin, since))
                day += DAY
        return found


@cache
def every_clock(year: int) -> list[Clock]:
    """All zones that there are; those that agree in these years once."""
    known: dict[Offsets, str] = {}
    for zone in sorted(available_timezones() - {"localtime", "Factory"}):
        known.setdefault(tuple(offsets(ZoneInfo(zone), year)), zone)
    return [Clock(zone, found) for found, zone in known.items()]


def offsets(zone: ZoneInfo, year: int) -> Iterator[tuple[datetime, timedelta]]:
    """Looks every six hours, and where something changed, for the very second."""
    now, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 2, 1, 1, tzinfo=UTC)
    offset = offset_at(zone, now)
    yield now, offset
    while now < end:
        later = now + 6 * HOUR
        if offset_at(zone, later) != offset:
            low, high = now, later
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) // 2 // timedelta(seconds=1) * timedelta(seconds=1)
                low, high = (middle, high) if offset_at(zone, middle) == offset else (low, middle)
            offset = offset_at(zone, high)
            yield high, offset
        now = later


def offset_at(zone: ZoneInfo, moment: datetime) -> timedelta:
    found = moment.astimezone(zone).utcoffset()
    assert found is not None
    return found


def in_zone(time_zone: str) -> Organization:
    return Organization(1, "School", ZoneInfo(time_zone), "en", "EPOS_SCHOOL", Policy())


def nights(clock: Clock, end: datetime) -> list[tuple[date, datetime]]:
    """What a server does that looks shortly before and at every first moment, and around every change."""
    school, imported = in_zone(clock.zone), clock.offsets[0][0]
    firsts = clock.first_moments(end)
    around = [
        change + step for change in clock.changes for step in (-HOUR, -TICK, 0 * DAY, 30 * TICK, HOUR, 2 * HOUR)
    ]
    moments = sorted({*firsts.values(), *(first - TICK for first in firsts.values()), *around})
    ran: list[tuple[date, datetime]] = []
    for now in moments:
        today = now.astimezone(school.time_zone).date()
        last_run = max((day for day, _ in ran[-3:] if day <= today), default=None)
        day = due_date(school, imported, last_run, now)
        if day is not None:
            ran.append((day, now))
    return ran


@pytest.mark.parametrize("year", YEARS)
def test_A4_every_date_of_every_zone_has_one_night_at_its_first_moment(year: int) -> None:
    clocks = every_clock(year)
    assert len(clocks) > 60
    end = datetime(year + 2, 1, 1, tzinfo=UTC)
    for clock in clocks:
        wanted = sorted(clock.first_moments(end).items())
        assert nights(clock, end) == wanted[1:], clock.zone  # the day of the import has none


@pytest.mark.parametrize("year", YEARS)
def test_A4_the_server_sleeps_until_the_first_moment_of_the_next_date(year: int) -> None:
    end = datetime(year + 2, 1, 1, tzinfo=UTC)
    for clock in every_clock(year):
        zone = ZoneInfo(clock.zone)
        firsts = sorted(clock.first_moments(end).values())
        for change in [*clock.changes, clock.offsets[0][0] + 100 * DAY]:
            near = [first for first in firsts if abs(first - change) < 3 * DAY]
            for earlier, later in pairwise(near):
                for now in (earlier, earlier + HOUR, later - TICK):
                    assert next_midnight(zone, now) == later, (clock.zone, now)


def test_all_zones_are_looked_at() -> None:
    assert len(available_timezones()) > 550


@pytest.mark.parametrize(
    ("zone", "year", "missing"),
    [("Pacific/Apia", 2010, date(2011, 12, 30)), ("Asia/Beirut", 2026, None)],
)
def test_the_count_knows_which_dates_there_were(zone: str, year: int, missing: date | None) -> None:
    clock = Clock(zone, tuple(offsets(ZoneInfo(zone), year)))
    days = sorted(clock.first_moments(datetime(year + 2, 1, 1, tzinfo=UTC)))
    every = {days[0] + n * DAY for n in range((days[-1] - days[0]).days + 1)}
    assert every - set(days) == ({missing} if missing else set())


HARD = [
    ("America/Havana", date(2026, 3, 8)),  # no midnight
    ("America/Havana", date(2026, 11, 1)),  # midnight twice
    ("Asia/Beirut", date(2026, 3, 29)),
    ("Asia/Beirut", date(2026, 10, 25)),  # the hour before midnight twice
    ("Africa/Cairo", date(2026, 4, 24)),
    ("Africa/Cairo", date(2026, 10, 30)),
    ("America/Santiago", date(2026, 9, 6)),
    ("America/Santiago", date(2026, 4, 5)),
    ("America/Asuncion", date(2023, 10, 1)),
    ("America/Asuncion", date(2024, 3, 24)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),  # half an hour
    ("America/St_Johns", date(2010, 11, 7)),  # back from 00:01 to the day before
    ("Pacific/Apia", date(2011, 12, 30)),  # a date that never was
]


@pytest.mark.parametrize(("zone", "day"), HARD)
async def test_A4_a_real_school_has_a_night_for_each_date_there_is(zone: str, day: date, tmp_path: Path) -> None:
    """Looked at every half hour, for two days before and after."""
    middle = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    watch = Watch(middle - 2 * DAY)
    database = database_at(tmp_path, watch)
    school = SmallSchool(database, time_zone=zone)
    await database.start()
    while watch.now < middle + 2 * DAY:
        pause = await run_due_nights(database)
        assert timedelta(0) < pause < 26 * HOUR + DAY  # a day left out
        watch.now += HOUR / 2
    await database.stop()
    with database.engine.connect() as connection:
        ran = [
            (run.local_date, run.started_at)
            for run in connection.execute(select(job_runs).order_by(job_runs.c.started_at))
        ]
    clock = Clock(zone, tuple(offsets(ZoneInfo(zone), day.year - 1)))
    firsts = clock.first_moments(middle + 2 * DAY)
    assert ran == [
        (on, first) for on, first in sorted(firsts.items()) if middle - 2 * DAY < first < middle + 2 * DAY
    ]
    assert len(ran) in (3, 4)
    assert school.night(day) is None or day == date(2011, 12, 30)
