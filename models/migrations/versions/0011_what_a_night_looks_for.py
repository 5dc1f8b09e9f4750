"""A night finds what waits for it, links that were begun and never ended, and people who have gone, by their
school.

Revision: 0011, after 0010.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

WAITING = sa.text("waits_for_night")
GONE = sa.text("deactivated_at IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_outbox_night", "outbox", ["organization_id"], sqlite_where=WAITING, postgresql_where=WAITING
    )
    op.create_index("ix_link_attempts_begun", "link_attempts", ["organization_id", "begun_at"])
    op.create_index("ix_users_ended", "users", ["organization_id"], sqlite_where=GONE, postgresql_where=GONE)


def downgrade() -> None:
    op.drop_index("ix_users_ended", table_name="users")
    op.drop_index("ix_link_attempts_begun", table_name="link_attempts")
    op.drop_index("ix_outbox_night", table_name="outbox")
