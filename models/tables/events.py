"""What happened: numbered events, commands for the messenger, the audit, nights, and used keys."""

from enum import StrEnum

from sqlalchemy import Boolean, Column, Date, Index, Integer, Table, Text, text

from models.tables import holds
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
    REPORT_CHANGED = "REPORT_CHANGED"
    ORGANIZATION_CHANGED = "ORGANIZATION_CHANGED"


events = Table(
    "events",
    metadata,
    organization_column(primary_key=True),
    Column("number", Key, primary_key=True, info=holds.TECHNICAL),
    Column("kind", Text, nullable=False, info=holds.TECHNICAL),
    Column("chat_id", Key, info=holds.TECHNICAL),
    Column("call_id", Key, info=holds.TECHNICAL),
    Column("conversation_id", Key, info=holds.TECHNICAL),
    Column("message_id", Key, info=holds.TECHNICAL),
    Column("user_id", Key, info=holds.PERSON),
    Column("report_id", Key, info=holds.TECHNICAL),
    Column("at", Moment, nullable=False, info=holds.CONDUCT),
    of_organization(),
    refers_to("chats", "chat_id"),
    refers_to("calls", "call_id"),
    refers_to("conversations", "conversation_id"),
    refers_to("messages", "message_id"),
    refers_to("reports", "report_id"),
    refers_to("users", "user_id"),
    one_of("kind", EventKind),
)
"""Ids only. The number is taken under the organization's row in the same transaction, so numbers follow the
order of commits and have no holes."""

outbox = Table(
    "outbox",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True, info=holds.TECHNICAL),
    organization_column(),
    Column("command", Text, nullable=False, info=holds.TECHNICAL),
    Column("chat_id", Key, info=holds.TECHNICAL),
    Column("call_id", Key, info=holds.TECHNICAL),
    Column("user_id", Key, info=holds.PERSON),
    Column("payload", Text, nullable=False, info=holds.ADDRESS),
    Column("waits_for_night", Boolean, nullable=False, info=holds.TECHNICAL),
    Column("created_at", Moment, nullable=False, info=holds.CONDUCT),
    Column("sent_at", Moment, info=holds.TECHNICAL),
    Column("attempts", Integer, nullable=False, server_default=text("0"), info=holds.TECHNICAL),
    Column("next_attempt_at", Moment, info=holds.TECHNICAL),
    Column("failing_since", Moment, info=holds.TECHNICAL),
    Column("fault", Text, info=holds.TECHNICAL),
    Column("dead_at", Moment, info=holds.TECHNICAL),
    Column("lease", Text, info=holds.TECHNICAL),
    Column("leased_until", Moment, info=holds.TECHNICAL),
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
    Column("id", Key, primary_key=True, autoincrement=True, info=holds.TECHNICAL),
    organization_column(),
    Column("actor_id", Key, info=holds.PERSON),
    Column("action", Text, nullable=False, info=holds.CONDUCT),
    Column("subject", Text, nullable=False, info=holds.CONDUCT),
    Column("at", Moment, nullable=False, info=holds.CONDUCT),
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
    Column("job", Text, primary_key=True, info=holds.TECHNICAL),
    Column("local_date", Date, primary_key=True, info=holds.TECHNICAL),
    Column("started_at", Moment, nullable=False, info=holds.TECHNICAL),
    Column("finished_at", Moment, nullable=False, info=holds.TECHNICAL),
    Column("changes", Text, nullable=False, info=holds.TECHNICAL),
    of_organization(),
)
"""A night that ran, at most once per organization and local date. `changes` is JSON: what it did."""

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    organization_column(),
    Column("user_id", Key, primary_key=True, info=holds.PERSON),
    Column("mutation", Text, primary_key=True, info=holds.CONDUCT),
    Column("key", Text, primary_key=True, info=holds.CONTENT),
    Column("digest", Text, nullable=False, info=holds.CONTENT),
    Column("subject", Key, nullable=False, info=holds.TECHNICAL),
    Column("used_at", Moment, nullable=False, info=holds.CONDUCT),
    of_organization(),
    refers_to("users", "user_id"),
)
"""Unique per person, mutation and key, for ever: a retry finds what the first call made."""
