"""Who did what to what, and when? A row for each change, of ids alone; none is ever changed or taken away."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, Text, and_, cast, exists, insert, literal, select

from models.actor import Viewer, administers_organization
from models.database import Transaction
from models.tables.conversations import messages
from models.tables.events import audit_entries
from models.tables.safeguarding import reports

REFUSED_READING = "readReportRefused"
"""The one refusal of which there is an entry: an officer who was not let read."""

ABOUT_REPORTS = ("reportMessage", "readReport", REFUSED_READING, "decideReport")
ABOUT_BLOCKS = ("blockPerson", "unblockPerson")


def keep(
    tx: Transaction, organization_id: int, action: str, subjects: Sequence[str], *, by: int | None = None
) -> None:
    """Keeps that this was done to these, ids as clients know them. `by` None: the system, or somebody at a
    terminal."""
    tx.execute(
        insert(audit_entries),
        {
            "organization_id": organization_id,
            "actor_id": by,
            "action": action,
            "subject": " ".join(subjects),
            "at": tx.now,
        },
    )


def visible_entries(viewer: Viewer) -> Select[Any]:
    """All of the organization for its administrators; for others there are none. Nobody reads here that a message
    of his was reported, or that he was blocked."""
    about_him = exists(
        select(literal(1))
        .select_from(reports.join(messages, messages.c.id == reports.c.message_id))
        .where(literal("Report_").op("||")(cast(reports.c.id, Text)) == audit_entries.c.subject)
        .where(messages.c.author_id == viewer.id, reports.c.organization_id == viewer.organization_id)
    )
    himself = literal("User_").op("||")(cast(viewer.id, Text))
    return select(audit_entries).where(
        audit_entries.c.organization_id == viewer.organization_id,
        administers_organization(viewer),
        ~and_(audit_entries.c.action.in_(ABOUT_REPORTS), about_him),
        ~and_(audit_entries.c.action.in_(ABOUT_BLOCKS), audit_entries.c.subject == himself),
    )
