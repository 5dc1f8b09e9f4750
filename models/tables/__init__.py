"""What is stored: every table of a school, with the invariants that a database can hold."""

from models.tables import (
    calls,
    chats,
    conversations,
    events,
    files,
    links,
    organization,
    people,
    receipts,
    roster,
    safeguarding,
)
from models.tables.base import metadata

__all__ = [
    "calls",
    "chats",
    "conversations",
    "events",
    "files",
    "links",
    "metadata",
    "organization",
    "people",
    "receipts",
    "roster",
    "safeguarding",
]
