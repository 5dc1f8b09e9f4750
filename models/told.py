"""What does a command say? Its text, from what was queued and what is so when it is sent."""

import json
from typing import Any

from sqlalchemy import select

from models import participations
from models.bridge import written
from models.database import Transaction
from models.events import Command
from models.tables.base import rfc3339
from models.tables.calls import calls
from models.tables.chats import chats
from models.tables.events import outbox
from models.tables.organization import organizations

WITH_MEMBERS = (Command.CREATE_CHAT, Command.SET_MEMBERS)

FACTS = select(
    outbox,
    organizations.c.source_id,
    chats.c.kind,
    chats.c.name,
    calls.c.title,
    calls.c.starts_at,
).select_from(
    outbox.join(organizations, organizations.c.id == outbox.c.organization_id)
    .outerjoin(chats, chats.c.id == outbox.c.chat_id)
    .outerjoin(calls, calls.c.id == outbox.c.call_id)
)
"""A command's row, and of its school, chat and call what is told of them."""


def text_of(tx: Transaction, row: Any) -> bytes:
    """As it is sent, from a row of `FACTS`. Raises ValidationError for what cannot be told."""
    command, payload = Command(row.command), json.loads(row.payload)
    told: dict[str, Any] = {
        "id": str(row.id),
        "at": rfc3339(row.created_at),
        "organization": {"id": f"Organization_{row.organization_id}", "sourcedId": row.source_id},
        "command": command,
    }
    if row.chat_id is not None:
        told["chat"] = {"id": f"Chat_{row.chat_id}", "kind": row.kind, "name": payload.get("name", row.name)}
    if row.call_id is not None:
        known = {"title": row.title, "startsAt": rfc3339(row.starts_at), **payload}
        told["call"] = {"id": f"Call_{row.call_id}", **known}
    if row.chat_id is None:
        told |= {"user": f"User_{row.user_id}", **payload}
    if command in WITH_MEMBERS:
        told["members"] = payload.get("members") or _members(tx, row.chat_id)
        told["members"] = [{**each, "user": f"User_{each['user']}"} for each in told["members"]]
    return written(told)


def _members(tx: Transaction, chat_id: int) -> list[dict[str, Any]]:
    roles = participations.members(tx, chat_id)
    return [{"user": user_id, "isAdministrator": role} for user_id, role in sorted(roles.items())]
