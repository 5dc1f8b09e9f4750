"""What happened: numbered events, commands for the messenger, the audit, nights, and used keys."""

from enum import StrEnum

from sqlalchemy import Boolean, Column, Date, Index, Integer, Table, Text, text

from models.tables.base import (
    Key,
    Moment,
    index_where,
    metadata,
    of_organization,
    one_of,
    organization_column,
    refers_to,
)


class EventKind(StrEnum):
    """What an event says. Names stay for ever: clients replay old events."""

    CHAT_CHANGED = "CHAT_CHANGED"
    CALL_CHANGED = "CALL_CHANGED"
    CALL_PUBLISHED = "CALL_PUBLISHED"
    CHATS_SEEN = "CHATS_SEEN"
    MESSAGE_SENT = "MESSAGE_SENT"
    MESSAGE_CHANGED = "MESSAGE_CHANGED"
    CONVERSATION_CHANGED = "CONVERSATION_CHANGED"
    PERSON_CHANGED = "PERSON_CHANGED"


events = Table(
    "events",
    metadata,
    organization_column(primary_key=True),
    Column("number", Key, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("chat_id", Key),
    Column("call_id", Key),
    Column("conversation_id", Key),
    Column("message_id", Key),
    Column("user_id", Key),
    Column("at", Moment, nullable=False),
    of_organization(),
    refers_to("chats", "chat_id"),
    refers_to("calls", "call_id"),
    refers_to("conversations", "conversation_id"),
    refers_to("messages", "message_id"),
    refers_to("users", "user_id"),
    one_of("kind", EventKind),
)
"""Ids only. The number is taken under the organization's row in the same transaction, so numbers follow the
order of commits and have no holes."""

outbox = Table(
    "outbox",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    organization_column(),
    Column("command", Text, nullable=False),
    Column("chat_id", Key),
    Column("call_id", Key),
    Column("user_id", Key),
    Column("payload", Text, nullable=False),
    Column("waits_for_night", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("sent_at", Moment),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("next_attempt_at", Moment),
    Column("failing_since", Moment),
    Column("fault", Text),
    Column("dead_at", Moment),
    Column("lease", Text),
    Column("leased_until", Moment),
    of_organization(),
    refers_to("chats", "chat_id"),
    refers_to("calls", "call_id"),
    refers_to("users", "user_id"),
    index_where("ix_outbox_waiting", "id", where="sent_at IS NULL AND dead_at IS NULL"),
    index_where("ix_outbox_line", "chat_id", "user_id", "id", where="sent_at IS NULL AND dead_at IS NULL"),
    index_where("ix_outbox_dead", "dead_at", where="dead_at IS NOT NULL"),
    index_where("ix_outbox_night", "organization_id", where="waits_for_night"),
    sqlite_autoincrement=True,
)
"""Commands for the messenger outside; `id` is their idempotency key, `payload` is JSON. `lease`: whoever sends it
now, for as long as `leased_until` says. `dead_at`: given up; the row stays for somebody to look at."""

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    organization_column(),
    Column("actor_id", Key),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("at", Moment, nullable=False),
    of_organization(),
    refers_to("users", "actor_id"),
    Index("ix_audit_entries_listed", "organization_id", "id"),
    sqlite_autoincrement=True,
)
"""Who did what to what. No actor: the system."""

job_runs = Table(
    "job_runs",
    metadata,
    organization_column(primary_key=True),
    Column("job", Text, primary_key=True),
    Column("local_date", Date, primary_key=True),
    Column("started_at", Moment, nullable=False),
    Column("finished_at", Moment, nullable=False),
    Column("changes", Text, nullable=False),
    of_organization(),
)
"""A night that ran, at most once per organization and local date. `changes` is JSON: what it did."""

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    organization_column(),
    Column("user_id", Key, primary_key=True),
    Column("mutation", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("subject", Key, nullable=False),
    Column("used_at", Moment, nullable=False),
    of_organization(),
    refers_to("users", "user_id"),
)
"""Unique per person, mutation and key, for ever: a retry finds what the first call made."""
