"""On what is the night measured? A region: 1,000,000 people in 1,000 schools, made once below `var/` and kept.

Rows go straight into the tables; the chats are made by a first night, as everywhere.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

from app.messenger import BuiltinMessenger
from jobs.nightly import run_nights
from models.database import Database
from models.migrate import migrate
from models.presets import PRESETS
from models.tables.base import rfc3339

SCHOOLS = 1_000
CLASSES = 20
LEARNERS, GUARDIANS, TEACHERS, STAFF, ADMINISTRATORS = 520, 400, 60, 18, 2
PEOPLE = LEARNERS + GUARDIANS + TEACHERS + STAFF + ADMINISTRATORS
"""Of each school."""

GROUPS = 1 + 2 * CLASSES
NOW = datetime(2026, 9, 7, 5, 0, tzinfo=UTC)
FIRST_NIGHT = date(2026, 9, 8)
MOMENT = rfc3339(NOW)
PRESET = "EPOS_SCHOOL"

Row = tuple[object, ...]


@dataclass(frozen=True)
class Region:
    path: Path

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"


def kept(folder: Path, schools: int = SCHOOLS) -> Region:
    """The region in this folder, made now if it is not there or was made by older tables."""
    folder.mkdir(parents=True, exist_ok=True)
    region = Region(folder / f"region-{schools}.db")
    if not _is_whole(region):
        for left in folder.glob(f"{region.path.name}*"):
            left.unlink()
        _make(region, schools)
    return region


def open_region(region: Region) -> Database:
    return Database(region.url, messenger=BuiltinMessenger("x" * 40), clock=lambda: NOW)


def move_some(region: Region, choose: Random, share: float) -> int:
    """That share of the people of the region change classes, their guardians with them; how many people."""
    with closing(sqlite3.connect(region.path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        (schools,) = connection.execute("SELECT count(*) FROM organizations").fetchone()
        moved = 0
        while moved < share * schools * PEOPLE:
            school = choose.randrange(schools)
            moved += _move(connection, school, choose.randrange(LEARNERS), choose.randrange(CLASSES))
        connection.execute("COMMIT")
    return moved


def last_night(region: Region) -> date:
    """The latest date of which a night has run."""
    with closing(sqlite3.connect(region.path)) as connection:
        (latest,) = connection.execute("SELECT max(local_date) FROM job_runs").fetchone()
    return date.fromisoformat(latest)


def longest_night(region: Region, local_date: date) -> int:
    """Of this date, of any school, in milliseconds: from the lock to just before the commit."""
    with closing(sqlite3.connect(region.path)) as connection:
        nights = connection.execute(
            "SELECT started_at, finished_at FROM job_runs WHERE local_date = ?", (local_date.isoformat(),)
        ).fetchall()
    lasted = [datetime.fromisoformat(end) - datetime.fromisoformat(begin) for begin, end in nights]
    return max(lasted) // timedelta(milliseconds=1)


def _move(connection: sqlite3.Connection, school: int, learner: int, to: int) -> int:
    """The learner goes into another class. The guardian stays in the former one only for another child there."""
    person, guardian = _person(school, learner), _person(school, LEARNERS + learner % GUARDIANS)
    home = _class(school, to)
    (before,) = connection.execute(
        "SELECT group_id FROM memberships JOIN groups ON groups.id = group_id WHERE user_id = ? "
        "AND position = 'LEARNER' AND groups.kind = 'CLASS' AND until IS NULL",
        (person,),
    ).fetchone()
    if before == home:
        return 0
    sibling = [_person(school, other) for other in range(LEARNERS) if other % GUARDIANS == learner % GUARDIANS]
    marks = ", ".join("?" * len(sibling))
    end = "UPDATE memberships SET until = ? WHERE user_id = ? AND group_id = ? AND until IS NULL"
    begin = (
        "INSERT OR IGNORE INTO memberships (organization_id, user_id, group_id, position, since) "
        "VALUES (?, ?, ?, ?, ?)"
    )
    connection.execute(end, (MOMENT, person, before))
    connection.execute(begin, (school + 1, person, home, "LEARNER", MOMENT))
    stays = connection.execute(
        f"SELECT 1 FROM memberships WHERE group_id = ? AND position = 'LEARNER' AND until IS NULL "
        f"AND user_id IN ({marks})",
        (before, *sibling),
    ).fetchone()
    if stays is None:
        connection.execute(end, (MOMENT, guardian, before))
    connection.execute(begin, (school + 1, guardian, home, "GUARDIAN", MOMENT))
    return 2


def _is_whole(region: Region) -> bool:
    if not region.path.exists():
        return False
    database = open_region(region)
    if migrate(database.engine):
        return False
    with closing(sqlite3.connect(region.path)) as connection:
        (nights,) = connection.execute("SELECT count(DISTINCT organization_id) FROM job_runs").fetchone()
        (schools,) = connection.execute("SELECT count(*) FROM organizations").fetchone()
    return bool(schools) and nights == schools


def _make(region: Region, schools: int) -> None:
    database = open_region(region)
    migrate(database.engine)
    with closing(sqlite3.connect(region.path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        for school in range(schools):
            for table, columns, rows in _school(school):
                marks = ", ".join("?" * len(columns.split()))
                names = ", ".join(columns.split())
                connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)
        connection.execute("COMMIT")
        run_nights(database, local_date=FIRST_NIGHT)
        connection.execute("ANALYZE")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _school(school: int) -> Iterator[tuple[str, str, Iterable[Row]]]:
    """Table, columns, rows."""
    own = school + 1
    organization = (own, f"school-{own}", f"Школа № {own}", "Asia/Yekaterinburg", "ru", PRESET, _POLICY, MOMENT)
    yield "organizations", "id source_id name time_zone locale preset policy imported_at", [organization]
    yield (
        "users",
        "id organization_id source_id login name search_key created_at",
        (
            (_person(school, n), own, f"u{n}", f"u{n}", f"Анна Кузнецова {n}", f"анна кузнецова {n} u{n}", MOMENT)
            for n in range(PEOPLE)
        ),
    )
    yield (
        "groups",
        "id organization_id source source_id kind name search_key parent_id",
        (
            (school * GROUPS + 1 + n, own, source, f"g{n}", kind, f"Группа {n}", f"группа {n}", above)
            for n, (source, kind, above) in enumerate(_groups(school))
        ),
    )
    yield (
        "memberships",
        "organization_id user_id group_id position since",
        (
            (own, _person(school, person), group, position, MOMENT)
            for person, group, position in _memberships(school)
        ),
    )


def _groups(school: int) -> Iterator[tuple[str, str, int | None]]:
    whole = school * GROUPS + 1
    yield "org", "ORGANIZATION", None
    for kind in ("CLASS", "SUBGROUP"):
        for _ in range(CLASSES):
            yield "class", kind, whole


def _memberships(school: int) -> Iterator[tuple[int, int, str]]:
    whole = school * GROUPS + 1
    first = 0
    for count, position in (
        (LEARNERS, "LEARNER"),
        (GUARDIANS, "GUARDIAN"),
        (TEACHERS, "TEACHER"),
        (STAFF, "STAFF"),
        (ADMINISTRATORS, "ADMINISTRATOR"),
    ):
        for person in range(first, first + count):
            yield person, whole, position
        first += count
    for number in range(CLASSES):
        taught = range(number, LEARNERS, CLASSES)
        guardians = sorted({LEARNERS + learner % GUARDIANS for learner in taught})
        for group in (_class(school, number), _class(school, CLASSES + number)):
            yield from ((learner, group, "LEARNER") for learner in taught)
            yield from ((guardian, group, "GUARDIAN") for guardian in guardians)
            yield LEARNERS + GUARDIANS + number, group, "TEACHER"
        yield LEARNERS + GUARDIANS + number, _class(school, number), "CURATOR"


def _person(school: int, number: int) -> int:
    return school * PEOPLE + number + 1


def _class(school: int, number: int) -> int:
    """A class, or from `CLASSES` on a subgroup."""
    return school * GROUPS + 2 + number


_POLICY = PRESETS[PRESET].model_dump_json(by_alias=True)
