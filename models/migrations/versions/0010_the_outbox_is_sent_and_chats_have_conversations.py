"""Commands for the messenger outside are sent, tried again and given up; the chats that there are have their
conversations here.

No messenger outside has been there so far: what was queued for one was never told to anybody and is forgotten.

Revision: 0010, after 0009.
"""

import sqlalchemy as sa
from alembic import op

from models.tables.base import Moment

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

UNSENT = sa.text("sent_at IS NULL")
WAITING = sa.text("sent_at IS NULL AND dead_at IS NULL")
DEAD = sa.text("dead_at IS NOT NULL")

MOMENTS = ("next_attempt_at", "failing_since", "dead_at", "leased_until")
TEXTS = ("fault", "lease")


def upgrade() -> None:
    op.execute("DELETE FROM outbox WHERE sent_at IS NULL")
    op.drop_index("ix_outbox_waiting", table_name="outbox")
    op.add_column("outbox", sa.Column("attempts", sa.Integer(), nullable=False, server_default=sa.text("0")))
    for name in MOMENTS:
        op.add_column("outbox", sa.Column(name, Moment(), nullable=True))
    for name in TEXTS:
        op.add_column("outbox", sa.Column(name, sa.Text(), nullable=True))
    _create("ix_outbox_waiting", ["id"], WAITING)
    _create("ix_outbox_line", ["chat_id", "user_id", "id"], WAITING)
    _create("ix_outbox_dead", ["dead_at"], DEAD)
    op.add_column("conversations", sa.Column("ended_at", Moment(), nullable=True))
    op.execute(
        "INSERT INTO conversations (id, organization_id, kind, created_at)"
        " SELECT id, organization_id, 'CHAT', created_at FROM chats WHERE ended_at IS NULL"
    )


def downgrade() -> None:
    op.execute("DELETE FROM conversations WHERE kind = 'CHAT'")
    op.drop_column("conversations", "ended_at")
    for name in ("ix_outbox_dead", "ix_outbox_line", "ix_outbox_waiting"):
        op.drop_index(name, table_name="outbox")
    for name in (*TEXTS, *MOMENTS, "attempts"):
        op.drop_column("outbox", name)
    _create("ix_outbox_waiting", ["id"], UNSENT)


def _create(name: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, "outbox", columns, sqlite_where=where, postgresql_where=where)
