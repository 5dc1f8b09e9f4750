"""What happened, in which order? Numbers the events of an organization and queues what the messenger must hear."""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, insert, update

from models.database import Transaction
from models.tables.base import Key
from models.tables.events import EventKind, events, outbox
from models.tables.organization import organizations


class Command(StrEnum):
    """What the external messenger is told. Names stay for ever: bridges are written against them."""

    CREATE_CHAT = "CREATE_CHAT"
    RENAME_CHAT = "RENAME_CHAT"
    DELETE_CHAT = "DELETE_CHAT"
    SET_MEMBERS = "SET_MEMBERS"
    CREATE_CALL = "CREATE_CALL"
    UPDATE_CALL = "UPDATE_CALL"
    PUBLISH_CALL = "PUBLISH_CALL"
    FINISH_CALL = "FINISH_CALL"
    DELETE_CALL = "DELETE_CALL"
    LINK_PROFILE = "LINK_PROFILE"
    UNLINK_PROFILE = "UNLINK_PROFILE"


def record(
    tx: Transaction,
    organization_id: int,
    kind: EventKind,
    *,
    chat_id: int | None = None,
    call_id: int | None = None,
    conversation_id: int | None = None,
    user_id: int | None = None,
) -> int:
    """Stores an event and returns its number: in the organization, in commit order, without holes."""
    number = take_numbers(tx, organization_id)
    store(
        tx,
        organization_id,
        kind,
        number,
        [{"chat_id": chat_id, "call_id": call_id, "conversation_id": conversation_id, "user_id": user_id}],
    )
    return number


_TAKE = (
    update(organizations)
    .where(organizations.c.id == bindparam("of_organization", type_=Key))
    .values(last_event=organizations.c.last_event + bindparam("of_count", type_=Key))
    .returning(organizations.c.last_event)
)


def take_numbers(tx: Transaction, organization_id: int, count: int = 1) -> int:
    """The first of the next numbers. From here to the commit the organization's row is held, so nobody else
    can take one; each must be stored with its event."""
    last: int = tx.execute(_TAKE, {"of_organization": organization_id, "of_count": count}).scalar_one()
    tx.woken.add(organization_id)
    return last - count + 1


Subject = Mapping[str, int | None]
"""The ids that an event carries, by the names of their columns."""


def store(tx: Transaction, organization_id: int, kind: EventKind, first: int, subjects: Sequence[Subject]) -> None:
    """Stores one event for each subject, under the numbers from `first` on."""
    tx.execute(
        insert(events),
        [
            {"organization_id": organization_id, "number": first + place, "kind": kind, "at": tx.now, **subject}
            for place, subject in enumerate(subjects)
        ],
    )


def tell_messenger(
    tx: Transaction,
    organization_id: int,
    command: Command,
    payload: dict[str, Any],
    *,
    chat_id: int | None = None,
    call_id: int | None = None,
    user_id: int | None = None,
    at_night: bool = False,
) -> None:
    """Queues a command; where no messenger is outside, nothing. `at_night`: membership and rights wait for the
    nightly run (E35, A13)."""
    if not tx.messenger.is_outside:
        return
    tx.execute(
        insert(outbox).values(
            organization_id=organization_id,
            command=command,
            chat_id=chat_id,
            call_id=call_id,
            user_id=user_id,
            payload=json.dumps(payload, ensure_ascii=False),
            waits_for_night=at_night,
            created_at=tx.now,
        )
    )
