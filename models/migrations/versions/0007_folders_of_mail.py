"""Folders of mail: what somebody has sent or begun, and his trash, are found by themselves.

Revision: 0007, after 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_deliveries_sent",
        "deliveries",
        ["user_id", "event"],
        sqlite_where=sa.text("kind = 'MAIL' AND is_author = 1 AND deleted_at IS NULL"),
        postgresql_where=sa.text("kind = 'MAIL' AND is_author AND deleted_at IS NULL"),
    )
    op.create_index(
        "ix_deliveries_trash",
        "deliveries",
        ["user_id", "event"],
        sqlite_where=sa.text("trashed_at IS NOT NULL AND deleted_at IS NULL"),
        postgresql_where=sa.text("trashed_at IS NOT NULL AND deleted_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_deliveries_trash", table_name="deliveries")
    op.drop_index("ix_deliveries_sent", table_name="deliveries")
