"""Conversations, messages, deliveries and attachments.

Revision: 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

import models.tables.base

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


KINDS = "'CHAT_CHANGED', 'CALL_CHANGED', 'CALL_PUBLISHED', 'CHATS_SEEN', 'PERSON_CHANGED'"
NEW_KINDS = ", 'MESSAGE_SENT', 'MESSAGE_CHANGED', 'CONVERSATION_CHANGED'"


def upgrade() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("search_key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=True),
        sa.Column("low_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("high_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", models.tables.base.Moment(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'DIRECT') = (low_id IS NOT NULL AND high_id IS NOT NULL)", name=op.f("ck_conversations_pair")
        ),
        sa.CheckConstraint("(kind = 'GROUP') = (title IS NOT NULL)", name=op.f("ck_conversations_title")),
        sa.CheckConstraint("kind IN ('DIRECT', 'GROUP', 'MAIL', 'CHAT')", name=op.f("ck_conversations_kind")),
        sa.CheckConstraint("low_id <= high_id", name=op.f("ck_conversations_order")),
        sa.ForeignKeyConstraint(
            ["organization_id", "high_id"],
            ["users.organization_id", "users.id"],
            name=op.f("fk_conversations_organization_id_high_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "id"],
            ["rooms.organization_id", "rooms.id"],
            name=op.f("fk_conversations_organization_id_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "low_id"],
            ["users.organization_id", "users.id"],
            name=op.f("fk_conversations_organization_id_low_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_conversations_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_conversations_organization_id_id")),
    )
    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.create_index(
            "uq_conversations_pair",
            ["low_id", "high_id"],
            unique=True,
            sqlite_where=sa.text("kind = 'DIRECT'"),
            postgresql_where=sa.text("kind = 'DIRECT'"),
        )

    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("conversation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("subject_key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("event", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("sent_at", models.tables.base.Moment(), nullable=True),
        sa.Column("created_at", models.tables.base.Moment(), nullable=False),
        sa.CheckConstraint("format IN ('TEXT', 'RICH')", name=op.f("ck_messages_format")),
        sa.CheckConstraint("(event IS NULL) = (sent_at IS NULL)", name=op.f("ck_messages_sent")),
        sa.ForeignKeyConstraint(
            ["organization_id", "author_id"],
            ["users.organization_id", "users.id"],
            name=op.f("fk_messages_organization_id_author_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "conversation_id"],
            ["conversations.organization_id", "conversations.id"],
            name=op.f("fk_messages_organization_id_conversation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "parent_id"],
            ["messages.organization_id", "messages.id"],
            name=op.f("fk_messages_organization_id_parent_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_messages_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_messages_organization_id_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.create_index("ix_messages_of_conversation", ["conversation_id", "event"], unique=False)
        batch_op.create_index(
            "uq_messages_event",
            ["organization_id", "event"],
            unique=True,
            sqlite_where=sa.text("event IS NOT NULL"),
            postgresql_where=sa.text("event IS NOT NULL"),
        )

    op.create_table(
        "attachments",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uploader_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("place", sa.Integer(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("byte_size", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("storage_key", sa.Text(), nullable=False),
        sa.Column("created_at", models.tables.base.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "message_id"],
            ["messages.organization_id", "messages.id"],
            name=op.f("fk_attachments_organization_id_message_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "uploader_id"],
            ["users.organization_id", "users.id"],
            name=op.f("fk_attachments_organization_id_uploader_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_attachments_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachments")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_attachments_organization_id_id")),
        sa.UniqueConstraint("storage_key", name=op.f("uq_attachments_storage_key")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("attachments", schema=None) as batch_op:
        batch_op.create_index("ix_attachments_of_message", ["message_id", "place"], unique=False)
        batch_op.create_index(
            "ix_attachments_orphans",
            ["created_at"],
            unique=False,
            sqlite_where=sa.text("message_id IS NULL"),
            postgresql_where=sa.text("message_id IS NULL"),
        )

    op.create_table(
        "deliveries",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("conversation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("event", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("is_author", sa.Boolean(), nullable=False),
        sa.Column("received_as", sa.Text(), nullable=True),
        sa.Column("read_at", models.tables.base.Moment(), nullable=True),
        sa.Column("trashed_at", models.tables.base.Moment(), nullable=True),
        sa.Column("deleted_at", models.tables.base.Moment(), nullable=True),
        sa.CheckConstraint("kind IN ('DIRECT', 'GROUP', 'MAIL', 'CHAT')", name=op.f("ck_deliveries_kind")),
        sa.CheckConstraint("received_as IN ('MEMBER', 'TO', 'CC', 'BCC')", name=op.f("ck_deliveries_received_as")),
        sa.CheckConstraint("is_author OR received_as IS NOT NULL", name=op.f("ck_deliveries_reason")),
        sa.ForeignKeyConstraint(
            ["organization_id", "conversation_id"],
            ["conversations.organization_id", "conversations.id"],
            name=op.f("fk_deliveries_organization_id_conversation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "message_id"],
            ["messages.organization_id", "messages.id"],
            name=op.f("fk_deliveries_organization_id_message_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "user_id"],
            ["users.organization_id", "users.id"],
            name=op.f("fk_deliveries_organization_id_user_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_deliveries_organization_id")
        ),
        sa.PrimaryKeyConstraint("user_id", "message_id", name=op.f("pk_deliveries")),
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.create_index(
            "ix_deliveries_history",
            ["user_id", "conversation_id", "event"],
            unique=False,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.create_index(
            "ix_deliveries_mail",
            ["user_id", "event"],
            unique=False,
            sqlite_where=sa.text("kind = 'MAIL' AND deleted_at IS NULL"),
            postgresql_where=sa.text("kind = 'MAIL' AND deleted_at IS NULL"),
        )
        batch_op.create_index("ix_deliveries_of_message", ["message_id", "user_id"], unique=False)
        batch_op.create_index(
            "ix_deliveries_unread",
            ["user_id", "conversation_id"],
            unique=False,
            sqlite_where=sa.text(
                "read_at IS NULL AND trashed_at IS NULL AND deleted_at IS NULL AND received_as IS NOT NULL"
            ),
            postgresql_where=sa.text(
                "read_at IS NULL AND trashed_at IS NULL AND deleted_at IS NULL AND received_as IS NOT NULL"
            ),
        )

    op.create_table(
        "recipients",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("group_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("position", sa.Text(), nullable=True),
        sa.CheckConstraint("role IN ('MEMBER', 'TO', 'CC', 'BCC')", name=op.f("ck_recipients_role")),
        sa.CheckConstraint("(group_id IS NULL) = (position IS NULL)", name=op.f("ck_recipients_audience")),
        sa.CheckConstraint("(user_id IS NULL) = (group_id IS NOT NULL)", name=op.f("ck_recipients_one_of_two")),
        sa.ForeignKeyConstraint(
            ["organization_id", "group_id"],
            ["groups.organization_id", "groups.id"],
            name=op.f("fk_recipients_organization_id_group_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "message_id"],
            ["messages.organization_id", "messages.id"],
            name=op.f("fk_recipients_organization_id_message_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "user_id"],
            ["users.organization_id", "users.id"],
            name=op.f("fk_recipients_organization_id_user_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_recipients_organization_id")
        ),
        sa.PrimaryKeyConstraint("message_id", "place", name=op.f("pk_recipients")),
    )
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("conversation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
        )
        batch_op.add_column(
            sa.Column("message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_events_organization_id_conversation_id"),
            "conversations",
            ["organization_id", "conversation_id"],
            ["organization_id", "id"],
        )
        _say_kinds(batch_op, KINDS + NEW_KINDS)
        batch_op.create_foreign_key(
            batch_op.f("fk_events_organization_id_message_id"),
            "messages",
            ["organization_id", "message_id"],
            ["organization_id", "id"],
        )

    with op.batch_alter_table("participations", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("latest_event", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
        )
        batch_op.add_column(sa.Column("muted_at", models.tables.base.Moment(), nullable=True))
        batch_op.create_index(
            "ix_participations_latest",
            ["user_id", "latest_event"],
            unique=False,
            sqlite_where=sa.text("latest_event IS NOT NULL"),
            postgresql_where=sa.text("latest_event IS NOT NULL"),
        )
        batch_op.create_index(
            "uq_participations_listed",
            ["room_id", "user_id"],
            unique=True,
            sqlite_where=sa.text("latest_event IS NOT NULL"),
            postgresql_where=sa.text("latest_event IS NOT NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("participations", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_participations_listed",
            sqlite_where=sa.text("latest_event IS NOT NULL"),
            postgresql_where=sa.text("latest_event IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_participations_latest",
            sqlite_where=sa.text("latest_event IS NOT NULL"),
            postgresql_where=sa.text("latest_event IS NOT NULL"),
        )
        batch_op.drop_column("muted_at")
        batch_op.drop_column("latest_event")

    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_events_organization_id_message_id"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_events_organization_id_conversation_id"), type_="foreignkey")
        _say_kinds(batch_op, KINDS)
        batch_op.drop_column("message_id")
        batch_op.drop_column("conversation_id")

    op.drop_table("recipients")
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_deliveries_unread",
            sqlite_where=sa.text(
                "read_at IS NULL AND trashed_at IS NULL AND deleted_at IS NULL AND received_as IS NOT NULL"
            ),
            postgresql_where=sa.text(
                "read_at IS NULL AND trashed_at IS NULL AND deleted_at IS NULL AND received_as IS NOT NULL"
            ),
        )
        batch_op.drop_index("ix_deliveries_of_message")
        batch_op.drop_index(
            "ix_deliveries_mail",
            sqlite_where=sa.text("kind = 'MAIL' AND deleted_at IS NULL"),
            postgresql_where=sa.text("kind = 'MAIL' AND deleted_at IS NULL"),
        )
        batch_op.drop_index(
            "ix_deliveries_history",
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )

    op.drop_table("deliveries")
    with op.batch_alter_table("attachments", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_attachments_orphans",
            sqlite_where=sa.text("message_id IS NULL"),
            postgresql_where=sa.text("message_id IS NULL"),
        )
        batch_op.drop_index("ix_attachments_of_message")

    op.drop_table("attachments")
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_messages_event",
            sqlite_where=sa.text("event IS NOT NULL"),
            postgresql_where=sa.text("event IS NOT NULL"),
        )
        batch_op.drop_index("ix_messages_of_conversation")

    op.drop_table("messages")
    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_conversations_pair",
            sqlite_where=sa.text("kind = 'DIRECT'"),
            postgresql_where=sa.text("kind = 'DIRECT'"),
        )

    op.drop_table("conversations")


def _say_kinds(batch_op: BatchOperations, kinds: str) -> None:
    """Which kinds of event there are. SQLite's copy of the table leaves the old check behind by itself."""
    if op.get_context().dialect.name != "sqlite":
        batch_op.drop_constraint(batch_op.f("ck_events_kind"), type_="check")
    batch_op.create_check_constraint(batch_op.f("ck_events_kind"), sa.text(f"kind IN ({kinds})"))
