"""Who belongs where at a school after the import, and who answers for whom?"""

from sqlalchemy import bindparam, or_, select

from jobs.roster.differences import insert_rows, update_rows
from jobs.roster.staging import Staging
from jobs.roster.summary import Tally
from models.database import Transaction
from models.tables.people import groups, guardianships, memberships, users

WANTED = """
SELECT people.user_id, claims.position
FROM claims JOIN people ON people.n = claims.person
WHERE claims.grp = ?
"""
WANTED_GUARDIANSHIPS = """
SELECT guardian.user_id, child.user_id
FROM guardianships
JOIN people guardian ON guardian.n = guardianships.guardian
JOIN people child ON child.n = guardianships.child
WHERE guardianships.school = ?
"""

_known = memberships.c
CURRENT = select(_known.user_id, _known.position, _known.id).where(
    _known.group_id == bindparam("of_group"), _known.until.is_(None)
)


def write_memberships(
    tx: Transaction, staging: Staging, organization_id: int, school: str, tally: Tally
) -> set[int]:
    """One group after the other, so that memory stays small; the people whose memberships changed."""
    staged = dict(staging.execute("SELECT group_id, n FROM wanted_groups WHERE school = ?", (school,)))
    live_until_now = or_(groups.c.ended_at.is_(None), groups.c.ended_at == tx.now)
    every = select(groups.c.id).where(groups.c.organization_id == organization_id, live_until_now)
    moved: set[int] = set()
    for group_id in tx.execute(every.order_by(groups.c.id)).scalars().all():
        wanted = set(staging.execute(WANTED, (staged.get(group_id),)))
        current = {(row.user_id, row.position): row.id for row in tx.execute(CURRENT, {"of_group": group_id})}
        added, ended = wanted - current.keys(), current.keys() - wanted
        own = {"organization_id": organization_id, "group_id": group_id, "since": tx.now}
        update_rows(tx, memberships, {current[key]: {"until": tx.now} for key in ended})
        insert_rows(
            tx,
            memberships,
            ({**own, "user_id": user_id, "position": position} for user_id, position in sorted(added)),
        )
        moved.update(user_id for user_id, _ in added | ended)
        tally.count("memberships", added=len(added), ended=len(ended))
    return moved


def write_guardianships(
    tx: Transaction, staging: Staging, organization_id: int, school: str, tally: Tally
) -> None:
    known = guardianships.c
    children = select(users.c.id).where(users.c.organization_id == organization_id)
    open_now = select(known.guardian_id, known.child_id, known.id).where(
        known.child_id.in_(children), known.until.is_(None)
    )
    current = {(row.guardian_id, row.child_id): row.id for row in tx.execute(open_now)}
    wanted = set(staging.execute(WANTED_GUARDIANSHIPS, (school,)))
    added, ended = wanted - current.keys(), current.keys() - wanted
    own = {"organization_id": organization_id, "since": tx.now}
    update_rows(tx, guardianships, {current[key]: {"until": tx.now} for key in ended})
    insert_rows(
        tx,
        guardianships,
        ({**own, "guardian_id": guardian, "child_id": child} for guardian, child in sorted(added)),
    )
    tally.count("guardianships", added=len(added), ended=len(ended))
