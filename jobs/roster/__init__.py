"""How does a school get in? From a OneRoster CSV set, 1.1, 1.2 or SDS v2.1, read whole and checked before a row is
written.

files, rows      the set as files, and files as rows with their line numbers
columns          what may stand where; keyless: in sets without sourcedIds; headers: which column is meant
manifest         which files are complete
staging          the rows wait in a temporary database of their own
remembered       what the set leaves unsaid comes from the last roster
erased           whom no set brings back
mapping, kin     from rows to people, groups and memberships; who answers for whom
checks           what does not fit is a fault
writing          the differences, one transaction per school
"""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, select

from jobs.roster.checks import check
from jobs.roster.erased import erased_in
from jobs.roster.faults import BrokenRoster, Fault, Findings
from jobs.roster.files import Files, open_set
from jobs.roster.manifest import Mode, read_manifest
from jobs.roster.mapping import arrange
from jobs.roster.remembered import complete
from jobs.roster.staging import Staging, open_staging, stage
from jobs.roster.summary import Count, Summary, Tally
from jobs.roster.wishes import Wishes
from jobs.roster.writing import School, write_school
from models.database import Database
from models.tables.organization import organizations

__all__ = ["BrokenRoster", "Count", "Fault", "Progress", "Summary", "import_roster"]

OPTIONAL = ("courses", "relationships")
"""Files without which a set is complete."""

Progress = Callable[[str, int, int], None]
"""Hears what is being done, how much of it is done, and how much there is: bytes of a file, or schools."""


def import_roster(
    database: Database,
    path: Path,
    *,
    preset: str | None = None,
    time_zone: str | None = None,
    locale: str | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Brings the schools of the set at `path`, a zip or a folder, to what it says.

    Killed half-way and run again, it ends where one clean run ends: each school is one transaction. The same
    set again writes nothing. Raises BrokenRoster for a set with faults and ValueError with one plain line for
    anything else that is missing or unknown; nothing is written then.
    """
    wishes = Wishes(preset, time_zone, locale)
    tell = progress or _tell_nobody
    findings = Findings()
    with open_staging() as staging:
        with open_set(path, findings) as files:
            manifest = read_manifest(files, findings)
            for layout in manifest.layouts:
                mode = manifest.mode(layout.table)
                if mode is not Mode.ABSENT and layout.file in files:
                    may_be_empty = mode is Mode.DELTA or layout.table in OPTIONAL
                    passed = _passed(layout.file, files, tell)
                    stage(staging, layout, files, findings, passed=passed, may_be_empty=may_be_empty)
        with database.engine.connect() as connection:
            complete(staging, connection, manifest, findings)
            erased = erased_in(connection, staging)
            if erased:
                findings.note(f"people who were erased and stay out: {len(erased)}")
            arrange(staging, erased)
            check(staging, findings)
            findings.refuse()
            schools = _schools(staging, connection, wishes)
        tally = Tally()
        for number, school in enumerate(schools):
            tell("schools", number, len(schools))
            with database.transaction() as tx:
                write_school(tx, staging, school, wishes, tally)
        tell("schools", len(schools), len(schools))
    return tally.summary(findings.notes)


def _schools(staging: Staging, connection: Connection, wishes: Wishes) -> list[School]:
    """The organizations that the set is about. Raises ValueError for a new one without a time zone."""
    known = set(connection.execute(select(organizations.c.source_id)).scalars())
    schools = [
        School(source_id, name, is_wanted=bool(is_wanted))
        for source_id, name, is_wanted in staging.execute(
            "SELECT id, name, active FROM orgs WHERE type = 'school' OR NOT active ORDER BY line, id"
        )
        if is_wanted or source_id in known
    ]
    for school in schools:
        if school.source_id not in known and wishes.time_zone is None:
            raise ValueError(
                f"{school.name}: a new organization needs a time zone (--time-zone Europe/Paris, for example)"
            )
    return schools


def _passed(file: str, files: Files, tell: Progress) -> Callable[[int], None]:
    done = 0

    def passed(count: int) -> None:
        nonlocal done
        done += count
        tell(file, done, max(done, files.sizes[file]))

    return passed


def _tell_nobody(_what: str, _done: int, _of: int) -> None:
    pass
