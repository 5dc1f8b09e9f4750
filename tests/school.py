"""Who is who in the tests? The cast of the demo schools by login, and a database in which they are at school.

`build_school` gives a file of its own each time: made once per test run, then copied.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import select

from app.messenger import BuiltinMessenger
from jobs.demo import SCHOOLS, import_schools
from jobs.demo.gorizont import GORIZONT
from jobs.demo.story import link_people
from jobs.demo.tilleuls import TILLEULS
from models.actor import Viewer
from models.database import Clock, Database
from models.migrate import migrate
from models.tables import metadata
from models.tables.organization import organizations
from models.tables.people import users
from tests.engines import OF_WRITERS, copy_of, made_once, new_url, plain_rows

SECRET = "x" * 40
NOW = datetime(2026, 9, 10, 7, 0, tzinfo=UTC)
"""Thursday noon in Yekaterinburg, nine in the morning in Paris."""

SCHOOL = GORIZONT.name
NEXT_DOOR = TILLEULS.name
ZONE = GORIZONT.time_zone

# ---- Школа Горизонт: personnel
ADMINISTRATOR = "admin"  # teaches nothing
DIRECTOR = "director"  # administrator of the organization, and teaches a subgroup of 11А
SECRETARY = "secretary"
LIBRARIAN = "library"  # the same login stands in both schools
PSYCHOLOGIST = "psychologist"  # staff, unlinked
CURATOR_9A = "curator.9a"  # also teaches the subgroup LITERATURE_9A
CURATOR_9B = "curator.9b"
CURATOR_10A = "curator.10a"
CURATOR_11A = "curator.11a"
OTHER_CURATOR_11A = "curator.11a.2"
TEACHER_OF_TWO = "teacher.math"  # MATH_9A and MATH_10A
TEACHER = "teacher.english"  # of ENGLISH_9A_1, and of 9Б without being its curator
TEACHER_UNLINKED = "teacher.physics"
TEACHER_AND_GUARDIAN = "teacher.sport"  # father of learner.9b.5
TEACHER_OF_FRENCH = "teacher.french"
TEACHER_WITHOUT_SUBGROUP = "teacher.music"

# ---- learners and guardians
LEARNER_9A = "learner.9a.1"
OTHER_LEARNER_9A = "learner.9a.3"
NAMESAKE_9A, NAMESAKE_10A = "learner.9a.2", "learner.10a.3"  # two people, one name
LEARNER_UNLINKED = "learner.9a.7"  # and without a guardian
LEARNER_9B = "learner.9b.1"
LEARNER_10A = "learner.10a.1"
LEARNER_7V = "learner.7v.3"
GUARDIAN_9A = "guardian.9a.3"
GUARDIAN_OF_TWO = "guardian.9a.1"  # of learner.9a.1 and learner.7v.1
GUARDIAN_OF_THREE = "guardian.9b.4"  # of learner.9b.4, learner.11a.2 and learner.7v.2
GUARDIAN_9B_10A = "guardian.9b.1"  # of learner.9b.1 and learner.10a.1
GUARDIAN_UNLINKED = "guardian.9a.5"

# ---- groups: the names of classes, and of subgroups by discipline
CLASS_9A, CLASS_9B, CLASS_10A, CLASS_11A = "9А", "9Б", "10А", "11А"
CLASS_WITHOUT_CURATOR = "7В"
MATH_9A, MATH_10A = "Математика 9А", "Математика 10А"
ENGLISH_9A_1, ENGLISH_9A_2 = "Английский 9А-1", "Английский 9А-2"
FRENCH = "Французский 9-10"  # learners of three classes
LITERATURE_9A = "Литература 9А"
PHYSICS_9B = "Физика 9Б"
HISTORY_11A = "История 11А"

# ---- Collège des Tilleuls
NEXT_DOOR_ADMINISTRATOR = "principale"
NEXT_DOOR_CURATOR = "pp.3a"
NEXT_DOOR_TEACHER = "prof.anglais"
NEXT_DOOR_LEARNER = "eleve.3a.1"
NEXT_DOOR_GUARDIAN = "parent.3a.1"


class Heard(BuiltinMessenger):
    """The built-in messenger, and somebody outside who is told of everything: what is queued can be looked at."""

    is_outside = True


class SchoolClock:
    """Stands still until a test moves it: `clock.now += timedelta(days=1)`."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **duration: int) -> None:
        """By `timedelta`'s words: `forward(days=1)`."""
        self.now += timedelta(**duration)


def build_school(path: Path, *, clock: Clock | None = None, kept: bool = False) -> Database:
    """Both demo schools after their first night, in a new database file at this path.

    Everybody but `jobs.demo.story.UNLINKED` is linked. There are the mandatory chats and nothing else: tests
    make their own chats and calls. Without a clock of the test's own, it is always NOW.
    """
    return school_database(copy_of(_made_once(), path.parent, path.stem, kept=kept), clock=clock)


def school_database(url: str, *, clock: Clock | None = None) -> Database:
    """The database at this URL, as the tests open one."""
    return Database(url, messenger=BuiltinMessenger(SECRET), clock=clock or SchoolClock())


def url_of(path: Path) -> str:
    """Of the database that stands for the file at this path, whatever the engine."""
    return new_url(path.parent, path.stem)


def viewer(database: Database, login: str, organization: str = SCHOOL) -> Viewer:
    """This person of the main school, or of the one named."""
    wanted = (
        select(users.c.id, users.c.organization_id)
        .join(organizations, organizations.c.id == users.c.organization_id)
        .where(users.c.login == login, organizations.c.name == organization)
    )
    with database.engine.connect() as connection:
        row = connection.execute(wanted).one()
    return Viewer(row.id, row.organization_id)


def dump(url: str) -> list[str]:
    """Everything that is stored in the database."""
    tables = [name for name in metadata.tables if name != OF_WRITERS]
    return [f"{name}: {row}" for name in tables for row in sorted(map(repr, plain_rows(url, name)))]


@cache
def _made_once() -> str:
    """The database that is copied. Closed: nothing of it is left in a write-ahead log."""
    directory = made_once("school")
    return build_school_at(new_url(directory, "school", kept=True)).url


def build_school_at(url: str, *, clock: Clock | None = None) -> Database:
    """The same in an empty database, without a copy."""
    database = school_database(url, clock=clock)
    migrate(database.engine)
    import_schools(database)
    with database.transaction() as tx:
        for school in SCHOOLS:
            link_people(tx, school)
    return database
