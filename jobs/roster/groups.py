"""Which groups does a school have after the import?"""

from typing import Any

from sqlalchemy import select

from jobs.roster.differences import insert_rows, update_rows
from jobs.roster.staging import Staging
from jobs.roster.summary import Tally
from models.database import Transaction
from models.tables.people import GroupKind, groups
from models.text import fold

WANTED = "SELECT source, id, kind, name, discipline FROM wanted_groups WHERE school = ? ORDER BY n"
ABOVE = """
SELECT wanted_groups.group_id, above.group_id
FROM wanted_groups LEFT JOIN wanted_groups above ON above.n = wanted_groups.parent
WHERE wanted_groups.school = ?
"""


def write_groups(tx: Transaction, staging: Staging, organization_id: int, school: str, tally: Tally) -> None:
    """A group that comes back is the same group. Afterwards the staged groups know their numbers."""
    current = {
        (row.source, row.source_id): row
        for row in tx.execute(select(groups).where(groups.c.organization_id == organization_id))
    }
    added: list[dict[str, Any]] = []
    changed: dict[int, dict[str, Any]] = {}
    ended = {row.id: row for row in current.values() if row.ended_at is None}
    for source, source_id, kind, name, discipline in staging.execute(WANTED, (school,)):
        values = {"kind": kind, "name": name, "search_key": fold(name), "discipline": discipline, "ended_at": None}
        row = current.get((source, source_id))
        if row is None:
            own = {"organization_id": organization_id, "source": source, "source_id": source_id}
            added.append({**own, **values})
            continue
        ended.pop(row.id, None)
        if any(getattr(row, field) != value for field, value in values.items()):
            changed[row.id] = values
    update_rows(tx, groups, {number: {"ended_at": tx.now} for number in ended})
    update_rows(tx, groups, changed)
    insert_rows(tx, groups, added)
    moved = _place(tx, staging, organization_id, school)
    known = {row.id for row in current.values()}
    tally.count("groups", added=len(added), changed=len(known & (moved | changed.keys())), ended=len(ended))
    whole = [row for row in ended.values() if row.kind == GroupKind.ORGANIZATION]
    tally.count("organizations", ended=len(whole))


def _place(tx: Transaction, staging: Staging, organization_id: int, school: str) -> set[int]:
    """Numbers the staged groups, and puts each below the one it belongs to; those that were moved."""
    known = groups.c
    live = select(known.id, known.source, known.source_id, known.parent_id).where(
        known.organization_id == organization_id, known.ended_at.is_(None)
    )
    rows = tx.execute(live).all()
    staging.execute("BEGIN")
    staging.executemany(
        "UPDATE wanted_groups SET group_id = ? WHERE source = ? AND id = ?",
        [(row.id, row.source, row.source_id) for row in rows],
    )
    staging.execute("COMMIT")
    parents = {row.id: row.parent_id for row in rows}
    moved = {number: above for number, above in staging.execute(ABOVE, (school,)) if parents[number] != above}
    update_rows(tx, groups, {number: {"parent_id": above} for number, above in moved.items()})
    return set(moved)
