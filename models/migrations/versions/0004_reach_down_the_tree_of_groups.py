"""Reach down the tree of groups, and the knobs of messages.

Revision: 0004, after 0003.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

Policy = dict[str, Any]

KNOBS: Policy = {
    "conversationKinds": ["DIRECT", "GROUP"],
    "selfMessages": False,
    "guardianReachesChild": False,
    "reply": "ALWAYS",
    "audiencesAsRecipients": False,
    "attachments": True,
    "bodyFormat": "TEXT",
    "messageDeletion": "NONE",
    "conversationDeletion": False,
    "historyAfterLeaving": True,
    "newsFeed": False,
    "mostRecipients": 5000,
    "mostAttachmentBytes": 25 * 1024 * 1024,
}
"""What both presets that there were until now say of messages."""

TREE = """
INSERT INTO group_ancestors (organization_id, group_id, ancestor_id)
WITH RECURSIVE up (organization_id, group_id, ancestor_id) AS (
    SELECT organization_id, id, id FROM groups WHERE ended_at IS NULL
    UNION
    SELECT up.organization_id, up.group_id, above.id
    FROM up
    JOIN groups step ON step.id = up.ancestor_id
    JOIN groups above ON above.id = step.parent_id AND above.ended_at IS NULL
)
SELECT organization_id, group_id, ancestor_id FROM up
"""

organizations = sa.table("organizations", sa.column("id", sa.Integer), sa.column("policy", sa.JSON))


def upgrade() -> None:
    op.add_column("reach_rules", sa.Column("descend", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "group_ancestors",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("group_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ancestor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_group_ancestors_organization_id")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "ancestor_id"],
            ["groups.organization_id", "groups.id"],
            name=op.f("fk_group_ancestors_organization_id_ancestor_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "group_id"],
            ["groups.organization_id", "groups.id"],
            name=op.f("fk_group_ancestors_organization_id_group_id"),
        ),
        sa.PrimaryKeyConstraint("group_id", "ancestor_id", name=op.f("pk_group_ancestors")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_group_ancestors_below", "group_ancestors", ["ancestor_id", "group_id"])
    op.execute(TREE)
    _rewrite(_with_knobs)


def downgrade() -> None:
    _rewrite(_without_knobs)
    op.drop_index("ix_group_ancestors_below", table_name="group_ancestors")
    op.drop_table("group_ancestors")
    op.drop_column("reach_rules", "descend")


def _with_knobs(policy: Policy) -> Policy:
    return {**KNOBS, **policy, "reach": [{**rule, "descend": False} for rule in policy.get("reach", [])]}


def _without_knobs(policy: Policy) -> Policy:
    kept = {knob: value for knob, value in policy.items() if knob not in KNOBS}
    rules = [{part: value for part, value in rule.items() if part != "descend"} for rule in policy["reach"]]
    return {**kept, "reach": rules}


def _rewrite(change: Callable[[Policy], Policy]) -> None:
    connection = op.get_bind()
    for number, policy in connection.execute(sa.select(organizations)).all():
        own = organizations.c.id == number
        connection.execute(sa.update(organizations).where(own).values(policy=change(policy)))
