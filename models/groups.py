"""Which groups lie above which?"""

from sqlalchemy import bindparam, delete, insert, select

from models.database import Transaction
from models.tables.people import group_ancestors, groups

_Pair = tuple[int, int]
_ONE_PAIR = delete(group_ancestors).where(
    group_ancestors.c.group_id == bindparam("of_group"), group_ancestors.c.ancestor_id == bindparam("of_ancestor")
)


def rebuild_tree(tx: Transaction, organization_id: int) -> None:
    """Every live group knows itself and the groups above it. Call it when groups came, ended or were moved."""
    known = group_ancestors.c
    of_school = known.organization_id == organization_id
    current = {
        (pair.group_id, pair.ancestor_id)
        for pair in tx.execute(select(known.group_id, known.ancestor_id).where(of_school))
    }
    wanted = _closure(tx, organization_id)
    gone, new = sorted(current - wanted), sorted(wanted - current)
    if gone:
        tx.execute(_ONE_PAIR, [{"of_group": group, "of_ancestor": above} for group, above in gone])
    if new:
        own = {"organization_id": organization_id}
        tx.execute(
            insert(group_ancestors), [{**own, "group_id": group, "ancestor_id": above} for group, above in new]
        )


def _closure(tx: Transaction, organization_id: int) -> set[_Pair]:
    """(group, itself) and (group, one above it), as far up as groups are live."""
    live = select(groups.c.id, groups.c.parent_id).where(
        groups.c.organization_id == organization_id, groups.c.ended_at.is_(None)
    )
    parents: dict[int, int | None] = {row.id: row.parent_id for row in tx.execute(live)}
    pairs: set[_Pair] = set()
    for group in parents:
        above: int | None = group
        while above is not None and above in parents and (group, above) not in pairs:
            pairs.add((group, above))
            above = parents[above]
    return pairs
