"""What did the roster say last time? Deltas and partial sets are completed with it before they are checked.

Of each organization the database keeps the rows of its last roster, packed, as they were staged. A file that
is complete replaces them; of a delta, the rows that the set does not mention are taken from there. So there is
one way from rows to the school, and a delta ends where the complete set would.
"""

import hashlib
import json
import zlib
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

ROWS_OF_PART = 10_000
OF_SCHOOL = "IN (SELECT org FROM belonging WHERE school = :school)"
OF_OTHERS = "IN (SELECT org FROM belonging WHERE school <> :school)"

OWN = {
    "orgs": f"type <> 'department' OR id NOT {OF_OTHERS}",
    "users": "id IN (SELECT person FROM assignments WHERE school = :school)",
    "roles": f"org {OF_SCHOOL}",
    "relationships": "person IN (SELECT person FROM assignments WHERE school = :school)",
    "courses": f"org IS NULL OR org NOT {OF_OTHERS}"
    f" OR id IN (SELECT course FROM classes WHERE active AND school {OF_SCHOOL})",
    "classes": f"school {OF_SCHOOL}",
    "enrollments": f"class IN (SELECT id FROM classes WHERE active AND school {OF_SCHOOL}"
    " UNION SELECT org FROM belonging WHERE school = :school)",
}
"""Which rows of each file concern a school. Its orgs are all that came with it: a delta moves people among
them."""

LOOSE = {
    "users": "id NOT IN (SELECT person FROM assignments)",
    "roles": "org NOT IN (SELECT org FROM belonging)",
    "relationships": "person NOT IN (SELECT person FROM assignments)",
    "classes": "school NOT IN (SELECT org FROM belonging)",
    "enrollments": "class NOT IN (SELECT id FROM classes WHERE active AND school IN (SELECT org FROM belonging)"
    " UNION SELECT org FROM belonging)",
}
"""Which rows concern no school yet; the first school of the set keeps them."""

LISTED = "SELECT id FROM orgs"
NAMED = f"""
{LISTED}
UNION SELECT listed.value FROM users, json_each(users.orgs) listed
UNION SELECT org FROM roles
UNION SELECT school FROM classes
UNION SELECT school FROM enrollments
"""
"""Every organization that the set names. A complete list of them is the last word on which it is about."""


def complete(staging: Staging, connection: Connection, manifest: Manifest, findings: Findings) -> None:
    """Adds what the set leaves unsaid, from the last roster of the organizations that it is about."""
    partial = [table for table in TABLES if manifest.mode(table) is not Mode.BULK]
    if not partial:
        return
    numbers = {row.source_id: row.id for row in connection.execute(select(organizations))}
    about = NAMED if "orgs" in partial else LISTED
    named = [row[0] for row in staging.execute(about) if row[0] in numbers]
    if "orgs" in partial:
        family = _family(connection, numbers, named or list(numbers)[:1])
        if not named and len(family) < len(numbers):
            findings.fault(MANIFEST, None, None, "the set names no school that is known; whom is it about?")
            return
        named = family
    for table in partial:
        for school in named:
            for columns, rows in _unpacked(connection, numbers[school], table):
                kept = [name for name in columns if name in TABLES[table]]
                places = [columns.index(name) for name in kept]
                add_unknown(staging, table, kept, [[row[place] for place in places] for row in rows])


def remember(tx: Transaction, staging: Staging, organization_id: int, school: str) -> None:
    """Keeps the rows of the school; only parts that differ are written."""
    known = roster_files.c
    of_school = known.organization_id == organization_id
    kept = {
        (row.file, row.part): row.digest
        for row in tx.execute(select(known.file, known.part, known.digest).where(of_school))
    }
    for file in TABLES:
        for part, lines in enumerate(_parts(staging, file, school)):
            digest = hashlib.sha256(lines).hexdigest()
            before = kept.pop((file, part), None)
            if digest != before:
                values = {"digest": digest, "content": zlib.compress(lines)}
                here = {"organization_id": organization_id, "file": file, "part": part}
                if before is None:
                    tx.execute(insert(roster_files).values(**here, **values))
                else:
                    tx.execute(_at(update(roster_files), here).values(values))
    for file, part in kept:
        tx.execute(_at(delete(roster_files), {"organization_id": organization_id, "file": file, "part": part}))


def _family(connection: Connection, numbers: dict[str, int], named: list[str]) -> list[str]:
    """The known organizations that came in one set with the named ones, these included."""
    family: dict[str, None] = {}
    waiting = list(named)
    while waiting:
        school = waiting.pop()
        if school not in family:
            family[school] = None
            for columns, rows in _unpacked(connection, numbers[school], "orgs"):
                place = columns.index("id")
                waiting += [row[place] for row in rows if row[place] in numbers]
    return sorted(family)


def _parts(staging: Staging, file: str, school: str) -> Iterator[bytes]:
    """The school's rows by id, a line of JSON each, some thousand at a time below the names of the columns."""
    columns = TABLES[file]
    listed = ", ".join(f'"{column}"' for column in columns)
    (first,) = staging.execute("SELECT min(school) FROM belonging").fetchone()
    chosen = f"{OWN[file]} OR {LOOSE[file]}" if school == first and file in LOOSE else OWN[file]
    rows = staging.execute(
        f"SELECT json_array({listed}) FROM {file} WHERE active AND ({chosen}) ORDER BY id", {"school": school}
    )
    while lines := rows.fetchmany(ROWS_OF_PART):
        yield "\n".join((json.dumps(columns), *(line for (line,) in lines))).encode()


def _unpacked(
    connection: Connection, organization_id: int, file: str
) -> Iterator[tuple[list[str], list[list[Any]]]]:
    """The names of the columns and the rows, part by part."""
    known = roster_files.c
    parts = (
        select(known.content)
        .where(known.organization_id == organization_id, known.file == file)
        .order_by(known.part)
    )
    for content in connection.execute(parts).scalars():
        columns, *rows = map(json.loads, zlib.decompress(content).split(b"\n"))
        yield columns, rows


def _at(statement: Any, here: dict[str, Any]) -> Any:
    return statement.where(*(roster_files.c[column] == value for column, value in here.items()))
