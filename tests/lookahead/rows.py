"""What stands in the database? Every table as plain rows, read without any of the program's code."""

from collections import defaultdict
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from tests.engines import plain_rows

Row = SimpleNamespace
"""A row: its columns are attributes, as the file holds them (moments are texts, booleans 0 and 1)."""

TABLES = (
    "organizations",
    "users",
    "groups",
    "memberships",
    "profile_links",
    "chats",
    "participations",
    "calls",
    "guardianships",
    "conversations",
    "messages",
    "recipients",
    "deliveries",
    "attachments",
    "events",
    "audit_entries",
    "reports",
    "report_messages",
    "report_readings",
    "report_decisions",
    "blocks",
)


class Rows:
    """All rows of a school's file, and some of them by what they are looked up by."""

    def __init__(self, url: str) -> None:
        tables = {name: [Row(**row) for row in plain_rows(url, name)] for name in TABLES}
        self.organizations = {row.id: row for row in tables["organizations"]}
        self.users = {row.id: row for row in tables["users"]}
        self.groups = {row.id: row for row in tables["groups"]}
        self.chats = {row.id: row for row in tables["chats"]}
        self.calls = {row.id: row for row in tables["calls"]}
        self.events = tables["events"]
        self.audit_of = gathered(tables["audit_entries"], "organization_id")
        self.intervals = tables["participations"]
        held = [row for row in tables["memberships"] if row.until is None]
        self.held_by = gathered(held, "user_id")
        self.held_in = gathered(held, "group_id")
        taking_part = [row for row in self.intervals if row.left_at is None]
        self.rooms_of = gathered(taking_part, "user_id")
        self.people_in = gathered(taking_part, "room_id")
        self.calls_in = gathered(tables["calls"], "chat_id")
        self.intervals_in = gathered(self.intervals, "room_id")
        self.guardians = {(row.guardian_id, row.child_id) for row in tables["guardianships"] if row.until is None}
        self.conversations = {row.id: row for row in tables["conversations"]}
        self.threads = {row.id for row in tables["conversations"] if row.kind == "MAIL"}
        self.messages = {row.id: row for row in tables["messages"]}
        self.attachments = {row.id: row for row in tables["attachments"]}
        self.addresses_of = gathered(sorted(tables["recipients"], key=lambda row: row.place), "message_id")
        self.copies_of = gathered(tables["deliveries"], "message_id")
        self.copies_for = gathered(tables["deliveries"], "user_id")
        self.copy = {(row.user_id, row.message_id): row for row in tables["deliveries"]}
        self.reports = {row.id: row for row in tables["reports"]}
        self.readings_of = gathered(tables["report_readings"], "report_id")
        self.rulings_of = gathered(tables["report_decisions"], "report_id")
        self.reported_with = gathered(tables["report_messages"], "message_id")
        self.blocked_by = gathered(tables["blocks"], "user_id")
        self.linked = {row.user_id for row in tables["profile_links"] if row.unlinked_at is None}


def gathered(rows: Iterable[Row], column: str) -> defaultdict[Any, list[Row]]:
    """The rows by the value of a column."""
    found: defaultdict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        found[getattr(row, column)].append(row)
    return found
