"""Online calls of chats."""

from enum import StrEnum

from sqlalchemy import CheckConstraint, Column, Index, Table, Text

from models.tables.base import (
    Key,
    Moment,
    metadata,
    of_organization,
    one_of,
    only_one,
    organization_column,
    referable,
    refers_to,
)


class CallStatus(StrEnum):
    CREATED = "CREATED"
    PUBLISHED = "PUBLISHED"
    FINISHED = "FINISHED"


calls = Table(
    "calls",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    organization_column(),
    Column("chat_id", Key, nullable=False),
    Column("title", Text, nullable=False),
    Column("starts_at", Moment, nullable=False),
    Column("status", Text, nullable=False),
    Column("last_actor_id", Key),
    Column("last_acted_at", Moment, nullable=False),
    Column("published_event", Key),
    Column("url", Text),
    Column("created_at", Moment, nullable=False),
    Column("deleted_at", Moment),
    of_organization(),
    refers_to("chats", "chat_id"),
    refers_to("users", "last_actor_id"),
    referable(),
    one_of("status", CallStatus),
    CheckConstraint("(status = 'CREATED') = (published_event IS NULL)", name="published"),
    only_one("uq_calls_published", "chat_id", where="status = 'PUBLISHED' AND deleted_at IS NULL"),
    Index("ix_calls_of_chat", "chat_id", "starts_at", "id"),
    sqlite_autoincrement=True,
)
"""At most one published call per chat (E49). `last_actor_id` is null when the system acted (E56)."""
