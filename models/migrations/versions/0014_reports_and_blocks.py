"""Messages are reported and looked at, and people block each other; an event may be about a report, or the school.

Revision: 0014, after 0013.
"""

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

from models.tables.base import Key, Moment

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

BEFORE = (
    "'CHAT_CHANGED', 'CALL_CHANGED', 'CALL_PUBLISHED', 'CHATS_SEEN', 'MESSAGE_SENT', 'MESSAGE_CHANGED', "
    "'CONVERSATION_CHANGED', 'PERSON_CHANGED'"
)
OPEN = sa.text("status = 'OPEN'")


def upgrade() -> None:
    op.create_table(
        "reports",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("organization_id", Key, nullable=False),
        sa.Column("message_id", Key, nullable=False),
        sa.Column("reporter_id", Key, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reported_at", Moment(), nullable=False),
        sa.CheckConstraint("status IN ('OPEN', 'KEPT', 'HIDDEN', 'PASSED_ON')", name=op.f("ck_reports_status")),
        *_of("reports", message_id="messages", reporter_id="users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_reports_organization_id_id")),
        sa.UniqueConstraint("message_id", "reporter_id", name=op.f("uq_reports_message_id_reporter_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_reports_open", "reports", ["organization_id", "id"], sqlite_where=OPEN, postgresql_where=OPEN
    )
    op.create_table(
        "report_messages",
        sa.Column("organization_id", Key, nullable=False),
        sa.Column("report_id", Key, nullable=False),
        sa.Column("message_id", Key, nullable=False),
        *_of("report_messages", report_id="reports", message_id="messages"),
        sa.PrimaryKeyConstraint("report_id", "message_id", name=op.f("pk_report_messages")),
    )
    op.create_index("ix_report_messages_of_message", "report_messages", ["message_id"])
    op.create_table(
        "report_readings",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("organization_id", Key, nullable=False),
        sa.Column("report_id", Key, nullable=False),
        sa.Column("reader_id", Key, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("read_at", Moment(), nullable=False),
        *_of("report_readings", report_id="reports", reader_id="users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_readings")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_report_readings_of_report", "report_readings", ["report_id", "reader_id"])
    op.create_table(
        "report_decisions",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("organization_id", Key, nullable=False),
        sa.Column("report_id", Key, nullable=False),
        sa.Column("officer_id", Key, nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("decided_at", Moment(), nullable=False),
        sa.CheckConstraint("decision IN ('KEEP', 'HIDE', 'PASS_ON')", name=op.f("ck_report_decisions_decision")),
        *_of("report_decisions", report_id="reports", officer_id="users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_decisions")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_report_decisions_of_report", "report_decisions", ["report_id", "id"])
    op.create_table(
        "blocks",
        sa.Column("organization_id", Key, nullable=False),
        sa.Column("user_id", Key, nullable=False),
        sa.Column("blocked_id", Key, nullable=False),
        sa.Column("blocked_at", Moment(), nullable=False),
        *_of("blocks", user_id="users", blocked_id="users"),
        sa.PrimaryKeyConstraint("user_id", "blocked_id", name=op.f("pk_blocks")),
    )
    op.create_index("ix_blocks_of_blocked", "blocks", ["blocked_id", "user_id"])
    with op.batch_alter_table("events") as batch_op:
        batch_op.add_column(sa.Column("report_id", Key, nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_events_organization_id_report_id"),
            "reports",
            ["organization_id", "report_id"],
            ["organization_id", "id"],
        )
        _say_kinds(batch_op, f"{BEFORE}, 'REPORT_CHANGED', 'ORGANIZATION_CHANGED'")


def downgrade() -> None:
    op.execute("DELETE FROM events WHERE kind IN ('REPORT_CHANGED', 'ORGANIZATION_CHANGED')")
    with op.batch_alter_table("events") as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_events_organization_id_report_id"), type_="foreignkey")
        batch_op.drop_column("report_id")
        _say_kinds(batch_op, BEFORE)
    for table in ("blocks", "report_decisions", "report_readings", "report_messages", "reports"):
        op.drop_table(table)


def _of(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    """What the table refers to, all within one organization."""
    return [
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f(f"fk_{table}_organization_id")
        ),
        *(
            sa.ForeignKeyConstraint(
                ["organization_id", column],
                [f"{other}.organization_id", f"{other}.id"],
                name=op.f(f"fk_{table}_organization_id_{column}"),
            )
            for column, other in columns.items()
        ),
    ]


def _say_kinds(batch_op: BatchOperations, kinds: str) -> None:
    """Which kinds of event there are. SQLite's copy of the table leaves the old check behind by itself."""
    if op.get_context().dialect.name != "sqlite":
        batch_op.drop_constraint(batch_op.f("ck_events_kind"), type_="check")
    batch_op.create_check_constraint(batch_op.f("ck_events_kind"), sa.text(f"kind IN ({kinds})"))
