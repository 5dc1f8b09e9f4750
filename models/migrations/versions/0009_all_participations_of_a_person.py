"""All participations of a person are found by one index, and those who have left a room by another: a conversation is
looked up for whoever takes part in it or did.

Revision: 0009, after 0008.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

OPEN, ENDED = sa.text("left_at IS NULL"), sa.text("left_at IS NOT NULL")


def upgrade() -> None:
    op.drop_index("ix_participations_ended", table_name="participations")
    op.drop_index("ix_participations_of_user", table_name="participations")
    op.create_index("ix_participations_of_person", "participations", ["user_id", "room_id", "left_at"])
    _create("ix_participations_former", ["room_id", "user_id"], ENDED)


def downgrade() -> None:
    op.drop_index("ix_participations_former", table_name="participations")
    op.drop_index("ix_participations_of_person", table_name="participations")
    _create("ix_participations_of_user", ["user_id", "room_id"], OPEN)
    _create("ix_participations_ended", ["user_id", "room_id"], ENDED)


def _create(name: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, "participations", columns, sqlite_where=where, postgresql_where=where)
