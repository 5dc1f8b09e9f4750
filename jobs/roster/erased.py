"""Who was erased and must not come back with a roster? Left out of sets, and of what the last roster said.

Of an erased person a digest of the sourcedId is kept (`models.erasure.mark`), and nothing else: by that a set is
asked whether it names him again.
"""

import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, exists, literal, select, update

from jobs.roster.staging import Staging
from models.database import Transaction
from models.erasure import ERASED, mark
from models.tables.organization import organizations
from models.tables.people import users
from models.tables.roster import roster_files

Pair = tuple[str, str]
"""A school and a person, by their sourcedIds."""

IN_SCHOOL = "SELECT org FROM belonging WHERE school = :school"

OUT_OF_SCHOOL = (
    f"""
UPDATE users SET orgs = (
    SELECT json_group_array(listed.value) FROM json_each(users.orgs) listed WHERE listed.value NOT IN ({IN_SCHOOL})
) WHERE id = :person
""",
    f"DELETE FROM roles WHERE person = :person AND org IN ({IN_SCHOOL})",
    f"DELETE FROM enrollments WHERE person = :person AND (class IN ({IN_SCHOOL})"
    f" OR class IN (SELECT id FROM classes WHERE school IN ({IN_SCHOOL})))",
)
"""What the set says of the person in this school; `belonging` says which orgs are the school's."""

ELSEWHERE = """
SELECT EXISTS (SELECT 1 FROM roles WHERE person = :person)
    OR EXISTS (SELECT 1 FROM users, json_each(users.orgs) listed WHERE users.id = :person)
"""

ALTOGETHER = (
    "DELETE FROM relationships WHERE :person IN (person, other)",
    "DELETE FROM enrollments WHERE person = :person",
    "DELETE FROM users WHERE id = :person",
    """
UPDATE users SET agents = (
    SELECT json_group_array(agent.value) FROM json_each(users.agents) agent WHERE agent.value <> :person
) WHERE EXISTS (SELECT 1 FROM json_each(users.agents) agent WHERE agent.value = :person)
""",
)


def erased_in(connection: Connection, staging: Staging) -> list[Pair]:
    """Who of the staged people was erased, and where."""
    known = (
        select(organizations.c.source_id, users.c.organization_id, users.c.source_id)
        .join(organizations, organizations.c.id == users.c.organization_id)
        .where(users.c.source_id.startswith(ERASED))
    )
    marks: dict[tuple[str, int], set[str]] = {}
    for school, organization_id, source_id in connection.execute(known):
        marks.setdefault((school, organization_id), set()).add(source_id)
    return [
        (school, person)
        for (school, organization_id), erased in marks.items()
        for (person,) in staging.execute("SELECT id FROM users ORDER BY id")
        if mark(organization_id, person) in erased
    ]


def refuse_erased(tx: Transaction, staging: Staging, organization_id: int, school: str) -> None:
    """Raises ValueError when one of these people was erased since the set was looked at."""
    known = select(users.c.source_id).where(
        users.c.organization_id == organization_id, users.c.source_id.startswith(ERASED)
    )
    marks = set(tx.execute(known).scalars())
    people = staging.execute("SELECT id FROM people WHERE school = ?", (school,)) if marks else ()
    if any(mark(organization_id, person) in marks for (person,) in people):
        raise ValueError("somebody was erased meanwhile; import the set again")


def leave_out(staging: Staging, erased: Iterable[Pair]) -> None:
    """The set does not name these people in these schools any more; who is in no other, not at all."""
    for school, person in erased:
        which = {"school": school, "person": person}
        for statement in OUT_OF_SCHOOL:
            staging.execute(statement, which)
        (is_elsewhere,) = staging.execute(ELSEWHERE, which).fetchone()
        if not is_elsewhere:
            for statement in ALTOGETHER:
                staging.execute(statement, which)


def forget(tx: Transaction, organization_id: int, source_id: str) -> None:
    """What the last roster said of the person is gone: in this organization, and in those where nobody is known
    by this sourcedId, which may have kept rows that concerned no school."""
    theirs = exists(
        select(literal(1)).where(
            users.c.organization_id == roster_files.c.organization_id, users.c.source_id == source_id
        )
    )
    known = roster_files.c
    of_people = (known.file.in_(_STAYS), (known.organization_id == organization_id) | ~theirs)
    for part in tx.execute(select(roster_files).where(*of_people)).all():
        columns, *rows = map(json.loads, zlib.decompress(part.content).split(b"\n"))
        kept = [row for row in (_STAYS[part.file](columns, row, source_id) for row in rows) if row is not None]
        if kept != rows:
            lines = "\n".join(json.dumps(each, ensure_ascii=False) for each in [columns, *kept]).encode()
            here = (
                known.organization_id == part.organization_id,
                known.file == part.file,
                known.part == part.part,
            )
            digest = hashlib.sha256(lines).hexdigest()
            tx.execute(update(roster_files).where(*here).values(digest=digest, content=zlib.compress(lines)))


def remembered_of(tx: Transaction, organization_id: int, source_id: str) -> list[dict[str, Any]]:
    """What the last roster said of the person, by file and column."""
    known = roster_files.c
    of_people = (known.organization_id == organization_id, known.file.in_(_STAYS))
    found = []
    for part in tx.execute(select(roster_files).where(*of_people).order_by(known.file, known.part)).all():
        columns, *rows = map(json.loads, zlib.decompress(part.content).split(b"\n"))
        for row in rows:
            if _STAYS[part.file](columns, row, source_id) is None:
                found.append({"file": part.file, **dict(zip(columns, row, strict=True))})
    return found


Row = Sequence[Any]


def _unless_in(*names: str) -> Callable[[Row, Row, str], Row | None]:
    def stays(columns: Row, row: Row, person: str) -> Row | None:
        return None if any(row[columns.index(name)] == person for name in names) else row

    return stays


def _user(columns: Row, row: Row, person: str) -> Row | None:
    """Somebody else, without the person among those whom he lists."""
    if row[columns.index("id")] == person:
        return None
    place = columns.index("agents")
    agents = json.loads(row[place] or "[]")
    if person not in agents:
        return row
    return [*row[:place], json.dumps([each for each in agents if each != person]), *row[place + 1 :]]


_STAYS: dict[str, Callable[[Row, Row, str], Row | None]] = {
    "users": _user,
    "roles": _unless_in("person"),
    "relationships": _unless_in("person", "other"),
    "enrollments": _unless_in("person"),
}
"""By the name of a remembered file: a row of it without the person; None where it is the person's."""
