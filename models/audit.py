"""Who did what to what, and when? A row for each change, of ids alone; none is ever changed or taken away."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, insert, select

from models.actor import Viewer, administers_organization
from models.database import Transaction
from models.tables.events import audit_entries


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
    """All of the organization for its administrators; for others there are none."""
    return select(audit_entries).where(
        audit_entries.c.organization_id == viewer.organization_id, administers_organization(viewer)
    )
