"""What keeps people safe: reports of messages, who has read them and what was decided; and who blocks whom."""

from enum import StrEnum

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from models.tables import holds
from models.tables.base import (
    Key,
    Moment,
    index_where,
    metadata,
    of_organization,
    one_of,
    organization_column,
    referable,
    refers_to,
)


class ReportStatus(StrEnum):
    """How a report stands: nobody has decided yet, or what was decided last."""

    OPEN = "OPEN"
    KEPT = "KEPT"
    HIDDEN = "HIDDEN"
    PASSED_ON = "PASSED_ON"


class ReportDecision(StrEnum):
    KEEP = "KEEP"
    HIDE = "HIDE"
    PASS_ON = "PASS_ON"


reports = Table(
    "reports",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True, info=holds.TECHNICAL),
    organization_column(),
    Column("message_id", Key, nullable=False, info=holds.TECHNICAL),
    Column("reporter_id", Key, nullable=False, info=holds.PERSON),
    Column("reason", Text, nullable=False, info=holds.CONTENT),
    Column("status", Text, nullable=False, info=holds.CONDUCT),
    Column("reported_at", Moment, nullable=False, info=holds.CONDUCT),
    of_organization(),
    refers_to("messages", "message_id"),
    refers_to("users", "reporter_id"),
    referable(),
    one_of("status", ReportStatus),
    UniqueConstraint("message_id", "reporter_id"),
    index_where("ix_reports_open", "organization_id", "id", where="status = 'OPEN'"),
    sqlite_autoincrement=True,
)
"""That somebody reported a message, once. Its author never learns of it."""

report_messages = Table(
    "report_messages",
    metadata,
    organization_column(),
    Column("report_id", Key, nullable=False, info=holds.TECHNICAL),
    Column("message_id", Key, nullable=False, info=holds.TECHNICAL),
    PrimaryKeyConstraint("report_id", "message_id"),
    of_organization(),
    refers_to("reports", "report_id"),
    refers_to("messages", "message_id"),
    Index("ix_report_messages_of_message", "message_id"),
)
"""The message that was reported and those around it, as the reporter saw them then. Their texts are kept."""

report_readings = Table(
    "report_readings",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True, info=holds.TECHNICAL),
    organization_column(),
    Column("report_id", Key, nullable=False, info=holds.TECHNICAL),
    Column("reader_id", Key, nullable=False, info=holds.PERSON),
    Column("reason", Text, nullable=False, info=holds.CONTENT),
    Column("read_at", Moment, nullable=False, info=holds.CONDUCT),
    of_organization(),
    refers_to("reports", "report_id"),
    refers_to("users", "reader_id"),
    Index("ix_report_readings_of_report", "report_id", "reader_id"),
    sqlite_autoincrement=True,
)
"""That an officer read what a report is about, and why."""

report_decisions = Table(
    "report_decisions",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True, info=holds.TECHNICAL),
    organization_column(),
    Column("report_id", Key, nullable=False, info=holds.TECHNICAL),
    Column("officer_id", Key, nullable=False, info=holds.PERSON),
    Column("decision", Text, nullable=False, info=holds.CONDUCT),
    Column("note", Text, info=holds.CONTENT),
    Column("decided_at", Moment, nullable=False, info=holds.CONDUCT),
    of_organization(),
    refers_to("reports", "report_id"),
    refers_to("users", "officer_id"),
    one_of("decision", ReportDecision),
    Index("ix_report_decisions_of_report", "report_id", "id"),
    sqlite_autoincrement=True,
)
"""What an officer decided about a report. The last one counts; none is taken away."""

blocks = Table(
    "blocks",
    metadata,
    organization_column(),
    Column("user_id", Key, nullable=False, info=holds.PERSON),
    Column("blocked_id", Key, nullable=False, info=holds.PERSON),
    Column("blocked_at", Moment, nullable=False, info=holds.CONDUCT),
    PrimaryKeyConstraint("user_id", "blocked_id"),
    of_organization(),
    refers_to("users", "user_id"),
    refers_to("users", "blocked_id"),
    Index("ix_blocks_of_blocked", "blocked_id", "user_id"),
)
"""Whom a person does not want to hear from."""
