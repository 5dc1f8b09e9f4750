"""How is the audit read?"""

from sqlalchemy import select

from models.audit import visible_entries
from models.authorization.people import SEES_AUDIT
from models.tables.events import audit_entries
from models.tables.people import users
from resolvers.paging import Page
from resolvers.projection import Column, One, Projection
from resolvers.statement import VIEWER

AUDIT = Page(
    "AuditEntry", lambda _, __: visible_entries(VIEWER), keys=("id",), descending=True, seen_by=SEES_AUDIT
)
"""The entry of an organization's audit."""

Projection(
    "AuditEntry",
    audit_entries,
    seen_by=SEES_AUDIT,
    at=Column(),
    actor=One(
        "User",
        lambda row, _: select(users).where(users.c.id == row.actor_id),
        optional=True,
        seen_by=SEES_AUDIT,
    ),
    action=Column(),
    subject=Column(),
)
