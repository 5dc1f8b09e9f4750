"""What did the roster say last time? Deltas and partial sets are completed with it before they are checked.

Of each organization the database keeps the rows of its last roster, packed, as they were staged. A file that
is complete replaces them; of a delta, the rows that the set does not mention are taken from there. So there is
one way from rows to the school, and a delta ends where the complete set would.
"""

import gzip
import hashlib
import io
import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from jobs.roster.faults import Findings
from jobs.roster.files import MANIFEST
from jobs.roster.manifest import Manifest, Mode
from jobs.roster.staging import TABLES, Staging, add_unknown
from models.database import Transaction
from models.tables.organization import organizations
from models.tables.roster import roster_files

OF_SCHOOL = "IN (SELECT org FROM belonging WHERE school = :school)"
OF_OTHERS = "IN (SELECT org FROM belonging WHERE school <> :school)"

ROWS = {
    "orgs": f"active AND (type <> 'department' OR id {OF_SCHOOL})",
    "users": "active AND id IN (SELECT person FROM assignments WHERE school = :school)",
    "roles": f"active AND org {OF_SCHOOL}",
    "courses": f"active AND (org IS NULL OR org NOT {OF_OTHERS}"
    f" OR id IN (SELECT course FROM classes WHERE active AND school {OF_SCHOOL}))",
    "classes": f"active AND school {OF_SCHOOL}",
    "enrollments": f"active AND class IN (SELECT id FROM classes WHERE active AND school {OF_SCHOOL}"
    " UNION SELECT org FROM belonging WHERE school = :school)",
}
"""Which rows of each file concern a school. Its orgs are all that came with it: a delta moves people among
them."""

NAMED = """
SELECT id FROM orgs
UNION SELECT listed.value FROM users, json_each(users.orgs) listed
UNION SELECT org FROM roles
UNION SELECT school FROM classes
UNION SELECT school FROM enrollments
"""
"""Every organization that the set names."""


def complete(staging: Staging, connection: Connection, manifest: Manifest, findings: Findings) -> None:
    """Adds what the set leaves unsaid, from the last roster of the organizations that it is about."""
    partial = [table for table in TABLES if manifest.mode(table) is not Mode.BULK]
    if not partial:
        return
    numbers = {row.source_id: row.id for row in connection.execute(select(organizations))}
    named = [row[0] for row in staging.execute(NAMED) if row[0] in numbers]
    if "orgs" in partial:
        family = _family(connection, numbers, named or list(numbers)[:1])
        if not named and len(family) < len(numbers):
            findings.fault(MANIFEST, None, None, "the set names no school that is known; whom is it about?")
            return
        named = family
    for table in partial:
        for school in named:
            columns, rows = _unpacked(connection, numbers[school], table)
            kept = [name for name in columns if name in TABLES[table]]
            places = [columns.index(name) for name in kept]
            add_unknown(staging, table, kept, ([row[place] for place in places] for row in rows))


def remember(tx: Transaction, staging: Staging, organization_id: int, school: str) -> None:
    """Keeps the rows of the school, where they differ from those that are kept."""
    table, files = roster_files, roster_files.c
    kept = {
        row.file: row.digest
        for row in tx.execute(select(files.file, files.digest).where(files.organization_id == organization_id))
    }
    for file in TABLES:
        digest = hashlib.sha256()
        rows = 0
        for rows, line in enumerate(_lines(staging, file, school), start=1):  # noqa: B007
            digest.update(line)
        here = [files.organization_id == organization_id, files.file == file]
        if rows == 1:  # the header alone
            if file in kept:
                tx.execute(delete(table).where(*here))
        elif kept.get(file) != digest.hexdigest():
            values = {"digest": digest.hexdigest(), "content": _packed(_lines(staging, file, school))}
            if file in kept:
                tx.execute(update(table).where(*here).values(values))
            else:
                tx.execute(insert(table).values(organization_id=organization_id, file=file, **values))


def _family(connection: Connection, numbers: dict[str, int], named: list[str]) -> list[str]:
    """The known organizations that came in one set with the named ones, these included."""
    family: dict[str, None] = {}
    waiting = list(named)
    while waiting:
        school = waiting.pop()
        if school not in family:
            family[school] = None
            columns, rows = _unpacked(connection, numbers[school], "orgs")
            waiting += [row[columns.index("id")] for row in rows if row[columns.index("id")] in numbers]
    return sorted(family)


def _lines(staging: Staging, file: str, school: str) -> Iterator[bytes]:
    """The names of the columns, then the school's rows by id: a line of JSON each."""
    columns = TABLES[file]
    yield json.dumps(columns).encode() + b"\n"
    listed = ", ".join(f'"{column}"' for column in columns)
    rows = f"SELECT json_array({listed}) FROM {file} WHERE {ROWS[file]} ORDER BY id"
    for (row,) in staging.execute(rows, {"school": school}):
        yield row.encode() + b"\n"


def _packed(lines: Iterator[bytes]) -> bytes:
    held = io.BytesIO()
    with gzip.GzipFile(fileobj=held, mode="wb", mtime=0) as packer:
        packer.writelines(lines)
    return held.getvalue()


def _unpacked(connection: Connection, organization_id: int, file: str) -> tuple[list[str], Iterator[list[Any]]]:
    """The names of the columns, and the rows."""
    content = connection.execute(
        select(roster_files.c.content).where(
            roster_files.c.organization_id == organization_id, roster_files.c.file == file
        )
    ).scalar_one_or_none()
    if content is None:
        return [], iter(())
    lines = gzip.GzipFile(fileobj=io.BytesIO(content))
    return json.loads(next(lines)), map(json.loads, lines)
