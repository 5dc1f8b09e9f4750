"""Every tile counts the linked participants: an index that holds what is counted.

Revision: 0008, after 0007.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

NAME = "ix_participations_counted"


def upgrade() -> None:
    taking_part = sa.text("left_at IS NULL")
    op.create_index(
        NAME,
        "participations",
        ["room_id", "is_linked"],
        sqlite_where=taking_part,
        postgresql_where=taking_part,
    )


def downgrade() -> None:
    op.drop_index(NAME, "participations")
