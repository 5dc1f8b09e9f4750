"""Who asks about past nights, what do they see? When, how long, what changed; and which night is missing."""

import os
import pty
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from jobs.nightly import run_nights
from jobs.past_nights import past_nights
from models.database import Database
from models.tables.people import Position
from tests.small_school import MONDAY, SmallSchool, Watch, database_at, dump
from tests.terminal import Run, assert_mistake, environment, run_at, started

SEVENTH, EIGHTH, NINTH = (date(2026, 9, day) for day in (7, 8, 9))


class Ticking(Watch):
    """A clock that goes on by seven milliseconds whenever it is asked."""

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=7)
        return super().__call__()


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def database(tmp_path: Path, watch: Watch) -> Database:
    return database_at(tmp_path, watch)


@pytest.fixture
def path(tmp_path: Path, database: Database) -> Path:
    """Where the commands find the same database."""
    return tmp_path / "preau.db"


@pytest.fixture
def run(path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return run_at(path, monkeypatch)


def small(database: Database, name: str, time_zone: str = "Asia/Yekaterinburg") -> SmallSchool:
    school = SmallSchool(database, name, time_zone=time_zone)
    school.group("G")
    school.join("G", Position.CURATOR, "curator")
    school.join("G", Position.LEARNER, "anna")
    return school


def test_a_past_night_says_when_how_long_and_what(tmp_path: Path) -> None:
    watch = Ticking()
    school = small(database_at(tmp_path, watch), "School")
    [ran] = run_nights(school.database, local_date=EIGHTH)
    before = dump(school.database)
    [night] = past_nights(school.database).nights
    assert dump(school.database) == before
    assert (night.organization, night.local_date) == ("School", EIGHTH)
    assert night.milliseconds == 7
    assert night.began.utcoffset() == timedelta(hours=5)
    assert MONDAY < night.began < watch.now
    assert night.did == ran.did()
    assert night.line() == (
        f"School, 2026-09-08: {night.began:%Y-%m-%d %H:%M:%S} +0500, 7 ms, "
        "chats created: 3, participants joined: 4"
    )


def test_the_newest_come_first_and_no_more_than_are_asked_for(database: Database, watch: Watch) -> None:
    east, west = small(database, "East"), small(database, "West", "America/New_York")
    for day in (SEVENTH, EIGHTH):
        for school in (east, west):
            school.night(day)
        watch.now += timedelta(days=1)
    every = [(night.organization, night.local_date) for night in past_nights(database).nights]
    assert every == [("West", EIGHTH), ("East", EIGHTH), ("West", SEVENTH), ("East", SEVENTH)]
    assert [night.organization for night in past_nights(database, most=1).nights] == ["West"]
    of_east = past_nights(database, organization="East").nights
    assert [(night.organization, night.local_date) for night in of_east] == [("East", EIGHTH), ("East", SEVENTH)]
    assert past_nights(database, organization="org-East").nights == of_east


def test_a_night_that_is_due_and_has_not_run_is_named(database: Database, watch: Watch) -> None:
    small(database, "East")
    small(database, "West", "America/New_York")
    assert past_nights(database).missing == []  # the first midnight is still to come
    watch.now = datetime(2026, 9, 7, 19, 0, tzinfo=UTC)  # when the eighth begins in Yekaterinburg
    assert past_nights(database).missing == ["East"]
    assert past_nights(database, organization="West").missing == []
    run_nights(database)
    assert past_nights(database).missing == []
    watch.now += timedelta(days=30)
    assert past_nights(database).missing == ["East", "West"]


def test_a_night_of_long_ago_that_counted_less_is_told_as_well(database: Database) -> None:
    small(database, "School").night(EIGHTH)
    with database.transaction() as tx:
        tx.connection.exec_driver_sql('UPDATE job_runs SET changes = \'{"joined": 2, "once": 1}\'')
    [night] = past_nights(database).nights
    assert night.line().endswith(", participants joined: 2")


# ---------------------------------------------------------------------------------------- the command


def test_the_command_shows_plain_lines_and_writes_nothing(run: Run, database: Database) -> None:
    assert run("nightly", "--status").stdout == "No night has run yet.\n"
    school = small(database, "Lycée [bold]")
    school.night(EIGHTH)
    school.leave("G", Position.LEARNER, "anna")
    school.night(NINTH)
    before = dump(database)
    lines = run("nightly", "--status").stdout.splitlines()
    assert lines[0] == (
        "Lycée [bold], 2026-09-09: 2026-09-07 10:00:00 +0500, 0 ms, "
        "chats changed: 1, participants left: 1, commands released: 1"
    )
    assert lines[1] == (
        "Lycée [bold], 2026-09-08: 2026-09-07 10:00:00 +0500, 0 ms, chats created: 3, participants joined: 4"
    )
    assert run("nightly", "--status", "--last", "1").stdout.splitlines()[:1] == lines[:1]
    assert run("nightly", "--status", "--organization", school.name).stdout.splitlines()[:2] == lines[:2]
    assert dump(database) == before


def test_the_command_refuses_what_cannot_be(run: Run, database: Database) -> None:
    before = dump(database)
    assert_mistake(run("nightly", "--status", "--organization", "Nowhere"), "Nowhere")
    assert_mistake(run("nightly", "--status", "--date", "2026-09-08"), "--status")
    assert run("nightly", "--status", "--last", "0").exit_code == 2
    assert dump(database) == before


def test_a_terminal_gets_a_table_and_a_bar(path: Path, database: Database) -> None:
    small(database, "Lycée [bold]").night(EIGHTH)
    shown = typed(path, "nightly", "--date", "2026-09-09")
    assert "schools" in shown and "1/1" in shown
    assert "Lycée [bold], 2026-09-09: nothing changed" in shown
    table = typed(path, "nightly", "--status")
    for word in ("Organization", "Night of", "Began", "Took", "Changes", "Lycée [bold]", "2026-09-08", "0 ms"):
        assert word in table


def test_who_is_no_terminal_gets_neither(path: Path, database: Database) -> None:
    small(database, "School")
    done = started(path, "nightly", "--date", "2026-09-09")
    assert done.stderr == ""
    assert done.stdout == "School, 2026-09-09: chats created: 3, participants joined: 4\n"


def typed(path: Path, *words: str) -> str:
    """What somebody sees who types this at a terminal."""
    terminal, end = pty.openpty()
    wide = environment(path) | {"COLUMNS": "160", "TERM": "xterm"}
    command = [sys.executable, "-m", "app", *words]
    with subprocess.Popen(command, env=wide, stdout=end, stderr=end) as process:
        os.close(end)
        shown = b""
        with suppress(OSError):  # the terminal's end
            while part := os.read(terminal, 4096):
                shown += part
        os.close(terminal)
        process.wait(timeout=60)
    assert process.returncode == 0, shown
    return shown.decode()
