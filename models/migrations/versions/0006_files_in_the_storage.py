"""Files in the storage that no attachment owns.

Revision: 0006, after 0005.
"""

import sqlalchemy as sa
from alembic import op

from models.tables.base import Moment

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "loose_files",
        sa.Column("storage_key", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("removable_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_loose_files_organization_id")
        ),
        sa.PrimaryKeyConstraint("storage_key", name=op.f("pk_loose_files")),
    )
    op.create_index("ix_loose_files_removable", "loose_files", ["removable_at"])


def downgrade() -> None:
    op.drop_index("ix_loose_files_removable", table_name="loose_files")
    op.drop_table("loose_files")
