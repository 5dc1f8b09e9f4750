"""Writers leave a receipt in each transaction, by which they know it again after their connection was lost.

Revision: 0013, after 0012.
"""

import sqlalchemy as sa
from alembic import op

from models.tables.base import Moment

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "receipts",
        sa.Column("writer", sa.Text(), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("writer", name=op.f("pk_receipts")),
    )


def downgrade() -> None:
    op.drop_table("receipts")
