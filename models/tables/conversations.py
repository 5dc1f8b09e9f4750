"""Conversations, their messages, whom each message is addressed to, and whom it has reached."""

from enum import StrEnum

from sqlalchemy import Boolean, CheckConstraint, Column, Index, Integer, PrimaryKeyConstraint, Table, Text, text

from models.tables import holds
from models.tables.base import (
    Folded,
    Key,
    Moment,
    index_where,
    metadata,
    of_organization,
    one_of,
    only_one,
    organization_column,
    referable,
    refers_to,
)


class ConversationKind(StrEnum):
    DIRECT = "DIRECT"
    GROUP = "GROUP"
    MAIL = "MAIL"
    CHAT = "CHAT"


class Format(StrEnum):
    """How a body is written."""

    TEXT = "TEXT"
    RICH = "RICH"


class Role(StrEnum):
    """As what a message reached a person."""

    MEMBER = "MEMBER"
    TO = "TO"
    CC = "CC"
    BCC = "BCC"


conversations = Table(
    "conversations",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=False, info=holds.TECHNICAL),
    organization_column(),
    Column("kind", Text, nullable=False, info=holds.SCHOOL),
    Column("title", Text, info=holds.CONTENT),
    Column("search_key", Folded, info=holds.CONTENT),
    Column("low_id", Key, info=holds.PERSON),
    Column("high_id", Key, info=holds.PERSON),
    Column("created_at", Moment, nullable=False, info=holds.CONDUCT),
    Column("ended_at", Moment, info=holds.SCHOOL),
    of_organization(),
    refers_to("rooms", "id"),
    refers_to("users", "low_id"),
    refers_to("users", "high_id"),
    referable(),
    one_of("kind", ConversationKind),
    CheckConstraint("(kind = 'DIRECT') = (low_id IS NOT NULL AND high_id IS NOT NULL)", name="pair"),
    CheckConstraint("low_id <= high_id", name="order"),
    CheckConstraint("(kind = 'GROUP') = (title IS NOT NULL)", name="title"),
    only_one("uq_conversations_pair", "low_id", "high_id", where="kind = 'DIRECT'"),
)
"""A room whose messages are stored here. A DIRECT one stands for an unordered pair; with oneself both are the
same. A MAIL one is a thread; its title and its people are what each viewer's own deliveries show. A CHAT one
belongs to the chat that shares its number; `ended_at`: the chat has ended, or its messages live outside now, and
nobody writes there any more."""

messages = Table(
    "messages",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True, info=holds.TECHNICAL),
    organization_column(),
    Column("conversation_id", Key, nullable=False, info=holds.TECHNICAL),
    Column("author_id", Key, nullable=False, info=holds.PERSON),
    Column("parent_id", Key, info=holds.TECHNICAL),
    Column("subject", Text, info=holds.CONTENT),
    Column("subject_key", Folded, info=holds.CONTENT),
    Column("body", Text, nullable=False, info=holds.CONTENT),
    Column("format", Text, nullable=False, info=holds.TECHNICAL),
    Column("event", Key, info=holds.TECHNICAL),
    Column("sent_at", Moment, info=holds.CONDUCT),
    Column("created_at", Moment, nullable=False, info=holds.CONDUCT),
    of_organization(),
    refers_to("conversations", "conversation_id"),
    refers_to("users", "author_id"),
    refers_to("messages", "parent_id"),
    referable(),
    one_of("format", Format),
    CheckConstraint("(event IS NULL) = (sent_at IS NULL)", name="sent"),
    only_one("uq_messages_event", "organization_id", "event", where="event IS NOT NULL"),
    Index("ix_messages_of_conversation", "conversation_id", "event"),
    sqlite_autoincrement=True,
)
"""`event` is the number under which it was sent: messages are in that order everywhere. None: a draft."""

recipients = Table(
    "recipients",
    metadata,
    organization_column(),
    Column("message_id", Key, primary_key=True, info=holds.TECHNICAL),
    Column("place", Integer, primary_key=True, info=holds.TECHNICAL),
    Column("role", Text, nullable=False, info=holds.CONDUCT),
    Column("user_id", Key, info=holds.PERSON),
    Column("group_id", Key, info=holds.TECHNICAL),
    Column("position", Text, info=holds.CONDUCT),
    of_organization(),
    refers_to("messages", "message_id"),
    refers_to("users", "user_id"),
    refers_to("groups", "group_id"),
    one_of("role", Role),
    CheckConstraint("(user_id IS NULL) = (group_id IS NOT NULL)", name="one_of_two"),
    CheckConstraint("(group_id IS NULL) = (position IS NULL)", name="audience"),
)
"""A mail as it was addressed: people, and audiences as they were called."""

deliveries = Table(
    "deliveries",
    metadata,
    organization_column(),
    Column("user_id", Key, nullable=False, info=holds.PERSON),
    Column("message_id", Key, nullable=False, info=holds.TECHNICAL),
    Column("conversation_id", Key, nullable=False, info=holds.TECHNICAL),
    Column("kind", Text, nullable=False, info=holds.TECHNICAL),
    Column("event", Key, info=holds.TECHNICAL),
    Column("is_author", Boolean, nullable=False, info=holds.CONDUCT),
    Column("received_as", Text, info=holds.CONDUCT),
    Column("read_at", Moment, info=holds.CONDUCT),
    Column("trashed_at", Moment, info=holds.CONDUCT),
    Column("deleted_at", Moment, info=holds.CONDUCT),
    PrimaryKeyConstraint("user_id", "message_id"),
    of_organization(),
    refers_to("users", "user_id"),
    refers_to("messages", "message_id"),
    refers_to("conversations", "conversation_id"),
    one_of("kind", ConversationKind),
    CheckConstraint("received_as IN ('MEMBER', 'TO', 'CC', 'BCC')", name="received_as"),
    CheckConstraint("is_author OR received_as IS NOT NULL", name="reason"),
    Index("ix_deliveries_of_message", "message_id", "user_id"),
    index_where("ix_deliveries_history", "user_id", "conversation_id", "event", where="deleted_at IS NULL"),
    index_where(
        "ix_deliveries_unread",
        "user_id",
        "conversation_id",
        where="read_at IS NULL AND trashed_at IS NULL AND deleted_at IS NULL AND received_as IS NOT NULL",
    ),
    index_where(
        "ix_deliveries_mail",
        "user_id",
        "event",
        where="kind = 'MAIL' AND deleted_at IS NULL",
    ),
    Index(
        "ix_deliveries_sent",
        "user_id",
        "event",
        sqlite_where=text("kind = 'MAIL' AND is_author = 1 AND deleted_at IS NULL"),
        postgresql_where=text("kind = 'MAIL' AND is_author AND deleted_at IS NULL"),
    ),
    index_where("ix_deliveries_trash", "user_id", "event", where="trashed_at IS NOT NULL AND deleted_at IS NULL"),
)
"""A person sees a message if and only if there is a row here that is not deleted (invariant 1). `kind` and
`event` repeat the conversation's kind and the message's place, for the indexes. The author of a mail who
addressed himself has both marks on one row."""

attachments = Table(
    "attachments",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True, info=holds.TECHNICAL),
    organization_column(),
    Column("uploader_id", Key, nullable=False, info=holds.PERSON),
    Column("message_id", Key, info=holds.TECHNICAL),
    Column("place", Integer, info=holds.TECHNICAL),
    Column("name", Text, nullable=False, info=holds.CONTENT),
    Column("content_type", Text, nullable=False, info=holds.CONTENT),
    Column("byte_size", Integer, nullable=False, info=holds.CONTENT),
    Column("digest", Text, nullable=False, info=holds.CONTENT),
    Column("storage_key", Text, nullable=False, unique=True, info=holds.SECRET),
    Column("created_at", Moment, nullable=False, info=holds.CONDUCT),
    of_organization(),
    refers_to("users", "uploader_id"),
    refers_to("messages", "message_id"),
    referable(),
    Index("ix_attachments_of_message", "message_id", "place"),
    index_where("ix_attachments_orphans", "created_at", where="message_id IS NULL"),
    sqlite_autoincrement=True,
)
"""A file that was uploaded; it belongs to a message once that is saved or sent with it."""
