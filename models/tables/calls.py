"""Online calls of chats."""

from enum import StrEnum

from sqlalchemy import CheckConstraint, Column, Index, Table, Text

from models.tables import holds
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
    Column("id", Key, primary_key=True, autoincrement=True, info=holds.TECHNICAL),
    organization_column(),
    Column("chat_id", Key, nullable=False, info=holds.TECHNICAL),
    Column("title", Text, nullable=False, info=holds.CONTENT),
    Column("starts_at", Moment, nullable=False, info=holds.SCHOOL),
    Column("status", Text, nullable=False, info=holds.SCHOOL),
    Column("last_actor_id", Key, info=holds.PERSON),
    Column("last_acted_at", Moment, nullable=False, info=holds.CONDUCT),
    Column("published_event", Key, info=holds.TECHNICAL),
    Column("url", Text, info=holds.TECHNICAL),
    Column("created_at", Moment, nullable=False, info=holds.CONDUCT),
    Column("deleted_at", Moment, info=holds.CONDUCT),
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
