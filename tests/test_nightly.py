"""When does which night run? Once per organization and local date, whoever starts it."""

import asyncio
import contextlib
import json
import logging
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from jobs.midnights import due_date
from jobs.nightly import keep_nights, run_nights
from models.database import Database
from models.organization import Organization
from models.policy import Policy
from models.tables.events import job_runs
from models.tables.people import Position
from tests.small_school import MONDAY, SmallSchool, Watch, database_at, dump

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SEVENTH, EIGHTH, NINTH = (date(2026, 9, day) for day in (7, 8, 9))
AT_MIDNIGHT = datetime(2026, 9, 7, 19, 0, tzinfo=UTC)
"""When the eighth begins in Yekaterinburg."""


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def database(tmp_path: Path, watch: Watch) -> Database:
    return database_at(tmp_path, watch)


@pytest.fixture
def school(database: Database) -> SmallSchool:
    return small(database)


def small(database: Database, name: str = "School", time_zone: str = "Asia/Yekaterinburg") -> SmallSchool:
    school = SmallSchool(database, name, time_zone=time_zone)
    school.group("G")
    school.join("G", Position.CURATOR, "curator")
    school.join("G", Position.LEARNER, "anna")
    return school


def nights(database: Database) -> list[tuple[int, date]]:
    """(organization, local date) of every night that ran."""
    with database.engine.connect() as connection:
        rows = connection.execute(select(job_runs).order_by(job_runs.c.organization_id, job_runs.c.local_date))
        return [(row.organization_id, row.local_date) for row in rows]


# --------------------------------------------------------------------------------------- at most once


def test_A4_a_second_run_of_the_same_date_writes_nothing(school: SmallSchool, watch: Watch) -> None:
    school.night(EIGHTH)
    school.join("G", Position.LEARNER, "boris")
    school.call(1, MONDAY - 9 * DAY)
    watch.now += HOUR
    before = dump(school.database)
    assert school.night(EIGHTH) is None
    assert dump(school.database) == before
    night = school.night(NINTH)
    assert night is not None
    assert (night.joined, night.calls_finished) == (1, 1)


def test_what_a_night_did_is_kept_and_told_in_one_line(school: SmallSchool, watch: Watch) -> None:
    night = school.night(EIGHTH)
    with school.database.engine.connect() as connection:
        run = connection.execute(select(job_runs)).one()
    assert (run.organization_id, run.job, run.local_date) == (school.id, "nightly", EIGHTH)
    assert (run.started_at, run.finished_at) == (watch.now, watch.now)
    assert json.loads(run.changes) == {
        "chats_created": 3,
        "chats_changed": 0,
        "chats_ended": 0,
        "joined": 4,
        "left": 0,
        "calls_finished": 0,
        "commands_released": 0,
        "uploads_dropped": 0,
        "links_dropped": 0,
        "messages_purged": 0,
    }
    assert night is not None
    assert night.line() == "School, 2026-09-08: chats created: 3, participants joined: 4"


@pytest.mark.sqlite
def test_a_night_that_fails_leaves_nothing_and_runs_again(school: SmallSchool) -> None:
    broken(school.database, school.id)
    before = dump(school.database)
    with pytest.raises(Exception, match="broken on purpose"):
        run_nights(school.database, local_date=EIGHTH)
    assert dump(school.database) == before
    mended(school.database)
    [night] = run_nights(school.database, local_date=EIGHTH)
    assert night.chats_created == 3


def test_two_processes_at_one_midnight_run_it_once(school: SmallSchool, watch: Watch, tmp_path: Path) -> None:
    """Each on connections of its own, as the server and a command are."""
    databases = [school.database, *(database_at(tmp_path, watch) for _ in range(3))]
    start = threading.Barrier(len(databases))

    def run(database: Database) -> int:
        start.wait()
        return len(run_nights(database, local_date=EIGHTH))

    with ThreadPoolExecutor() as threads:
        assert sorted(threads.map(run, databases)) == [0, 0, 0, 1]
    assert nights(school.database) == [(school.id, EIGHTH)]
    assert len(school.chats()) == 3


# ---------------------------------------------------------------------------------------- the command


def test_the_command_runs_today_of_each_school_where_it_has_not_run(database: Database, watch: Watch) -> None:
    east, west = small(database, "East"), small(database, "West", "America/New_York")
    watch.now = AT_MIDNIGHT
    ran = run_nights(database)
    assert [(night.organization, night.local_date) for night in ran] == [("East", EIGHTH), ("West", SEVENTH)]
    assert run_nights(database) == []
    watch.now += 10 * HOUR  # past midnight in New York as well
    assert [(night.organization, night.local_date) for night in run_nights(database)] == [("West", EIGHTH)]
    assert nights(database) == [(east.id, EIGHTH), (west.id, SEVENTH), (west.id, EIGHTH)]


def test_the_command_runs_any_date_once_whichever_later_nights_have_run(school: SmallSchool) -> None:
    for day in (date(2031, 1, 1), NINTH, EIGHTH):
        [night] = run_nights(school.database, local_date=day)
        assert night.local_date == day
        assert run_nights(school.database, local_date=day) == []
    assert run_nights(school.database)[0].local_date == SEVENTH


def test_the_command_knows_a_school_by_name_or_sourced_id(database: Database) -> None:
    one, other = small(database, "One"), small(database, "Other")
    [night] = run_nights(database, organization="Other")
    assert night.organization == "Other"
    assert run_nights(database, organization="org-Other") == []
    assert nights(database) == [(other.id, SEVENTH)]
    [night] = run_nights(database, organization="org-One", local_date=NINTH)
    assert nights(database) == [(one.id, NINTH), (other.id, SEVENTH)]


def test_the_command_refuses_an_unknown_school_and_a_name_of_two(database: Database) -> None:
    one, other = small(database, "One"), small(database, "Other")
    other.change(name="One")
    before = dump(database)
    for name in ("Nowhere", "One", "one", "", "org-One "):
        with pytest.raises(ValueError, match=r"^[^\n]*organization[^\n]*$"):
            run_nights(database, organization=name)
    assert dump(database) == before
    assert len(run_nights(database, organization=f"org-{one.name}")) == 1


# --------------------------------------------------------------------------------------- what is due


def in_zone(time_zone: str) -> Organization:
    zone = ZoneInfo(time_zone)
    return Organization(id=1, name="S", time_zone=zone, locale="en", preset="P", policy=Policy())


def test_A4_only_midnights_after_the_first_import_are_the_servers(watch: Watch) -> None:
    school = in_zone("Asia/Yekaterinburg")
    assert due_date(school, MONDAY, None, MONDAY) is None
    assert due_date(school, MONDAY, None, AT_MIDNIGHT - timedelta(milliseconds=1)) is None
    assert due_date(school, MONDAY, None, AT_MIDNIGHT) == EIGHTH
    assert due_date(school, AT_MIDNIGHT, None, AT_MIDNIGHT + HOUR) is None


def test_A4_after_a_week_of_downtime_only_the_latest_night_is_due() -> None:
    school = in_zone("Asia/Yekaterinburg")
    back = AT_MIDNIGHT + 7 * DAY + 9 * HOUR
    due = due_date(school, MONDAY, EIGHTH, back)
    assert due == date(2026, 9, 15)
    assert due_date(school, MONDAY, due, back) is None
    assert due_date(school, MONDAY, due, back + DAY) == date(2026, 9, 16)


# ---------------------------------------------------------------------------------------- the server


@pytest.fixture
async def serving(database: Database) -> AsyncIterator[Database]:
    """The database as in a server, with its nights kept."""
    await database.start()
    keeper = asyncio.create_task(keep_nights(database, look_every=timedelta(milliseconds=10)))
    yield database
    keeper.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await keeper
    await database.stop()


async def becomes(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - a database tells nobody
            await asyncio.sleep(0.01)


async def looks(watch: Watch) -> None:
    """Waits until the keeper has looked at least once from beginning to end. Where no night runs, nobody
    else asks the clock."""
    before = watch.asked
    await becomes(lambda: watch.asked >= before + 3)


async def test_the_server_runs_the_night_at_midnight(school: SmallSchool, serving: Database, watch: Watch) -> None:
    await looks(watch)
    watch.now = AT_MIDNIGHT - timedelta(seconds=1)
    await looks(watch)
    assert nights(serving) == []
    watch.now = AT_MIDNIGHT
    await becomes(lambda: nights(serving) == [(school.id, EIGHTH)])
    assert school.chats()["GROUP", "G"] == {"curator": True, "anna": False}
    before = dump(serving)
    await looks(watch)
    assert dump(serving) == before


async def test_the_server_makes_up_for_the_latest_night_alone(
    school: SmallSchool, serving: Database, watch: Watch
) -> None:
    school.night(SEVENTH)
    watch.now = AT_MIDNIGHT + 7 * DAY + 9 * HOUR
    await becomes(lambda: len(nights(serving)) > 1)
    await looks(watch)
    assert nights(serving) == [(school.id, SEVENTH), (school.id, date(2026, 9, 15))]


async def test_a_night_run_ahead_by_the_command_holds_up_none_of_the_servers(
    school: SmallSchool, serving: Database, watch: Watch
) -> None:
    school.night(NINTH)
    watch.now = AT_MIDNIGHT
    await becomes(lambda: (school.id, EIGHTH) in nights(serving))
    watch.now = AT_MIDNIGHT + DAY
    await looks(watch)
    watch.now = AT_MIDNIGHT + 2 * DAY
    await becomes(lambda: len(nights(serving)) == 3)
    assert nights(serving) == [(school.id, day) for day in (EIGHTH, NINTH, date(2026, 9, 10))]


async def test_the_server_sees_a_school_that_comes_later(
    school: SmallSchool, serving: Database, watch: Watch
) -> None:
    watch.now = AT_MIDNIGHT
    await becomes(lambda: len(nights(serving)) == 1)
    newcomer = small(serving, "Newcomer", "America/New_York")
    await looks(watch)
    assert len(nights(serving)) == 1
    watch.now += 10 * HOUR
    await becomes(lambda: nights(serving) == [(school.id, EIGHTH), (newcomer.id, EIGHTH)])


@pytest.mark.sqlite
async def test_one_failing_night_holds_up_no_other(
    school: SmallSchool, serving: Database, watch: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    other = small(serving, "Other")
    broken(serving, school.id)
    with caplog.at_level(logging.INFO, logger="jobs.nightly"):
        watch.now = AT_MIDNIGHT
        await becomes(lambda: nights(serving) == [(other.id, EIGHTH)])
        assert school.chats() == {}
        assert "the night 2026-09-08 of School failed" in caplog.text
        mended(serving)
        await becomes(lambda: "night of School, 2026-09-08: chats created: 3" in caplog.text)
    assert len(nights(serving)) == 2


async def test_the_server_goes_on_after_it_could_not_look(
    school: SmallSchool, serving: Database, watch: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="jobs.nightly"):
        school.change(time_zone="Nowhere/Land")
        watch.now = AT_MIDNIGHT
        await becomes(lambda: "could not find out which nights are due" in caplog.text)
        school.change(time_zone="Asia/Yekaterinburg")
        await becomes(lambda: nights(serving) == [(school.id, EIGHTH)])


@pytest.mark.sqlite
async def test_looking_for_what_is_due_waits_for_no_writer(
    school: SmallSchool, serving: Database, watch: Watch
) -> None:
    watch.now = AT_MIDNIGHT
    await becomes(lambda: len(nights(serving)) == 1)
    other = sqlite3.connect(serving.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        await asyncio.wait_for(looks(watch), timeout=5)
    finally:
        other.execute("ROLLBACK")
        other.close()


def broken(database: Database, organization_id: int) -> None:
    """From now on the last statement of this organization's nights fails."""
    with database.transaction() as tx:
        tx.connection.exec_driver_sql(
            "CREATE TRIGGER broken BEFORE INSERT ON job_runs "
            f"WHEN NEW.organization_id = {organization_id} "
            "BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END"
        )


def mended(database: Database) -> None:
    with database.transaction() as tx:
        tx.connection.exec_driver_sql("DROP TRIGGER broken")
