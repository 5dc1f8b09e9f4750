"""A link in progress keeps what the provider's answer is tied to, and links of another provider can be set aside.

Revision: 0012, after 0011.
"""

import sqlalchemy as sa
from alembic import op

from models.tables.base import Moment

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SET_ASIDE = sa.text("set_aside_at IS NOT NULL")


def upgrade() -> None:
    for name in ("provider", "verifier", "nonce"):
        op.add_column("link_attempts", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("profile_links", sa.Column("set_aside_at", Moment(), nullable=True))
    op.create_index(
        "ix_profile_links_set_aside",
        "profile_links",
        ["organization_id", "provider"],
        sqlite_where=SET_ASIDE,
        postgresql_where=SET_ASIDE,
    )


def downgrade() -> None:
    op.drop_index("ix_profile_links_set_aside", table_name="profile_links")
    op.drop_column("profile_links", "set_aside_at")
    for name in ("nonce", "verifier", "provider"):
        op.drop_column("link_attempts", name)
