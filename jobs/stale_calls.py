"""Which published calls are over because their day has passed? The night finishes them (E56)."""

from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import bindparam, select, text

from models.calls import finish
from models.database import Transaction
from models.organization import Organization
from models.prepared import Prepared
from models.tables.base import Key, Moment
from models.tables.calls import calls
from models.tables.chats import chats

FURTHEST_BEHIND = timedelta(hours=24)
"""No zone's clock is this far behind UTC: a safe bound for the statement, refined by the local date."""


def finish_stale_calls(tx: Transaction, organization: Organization, local_date: date) -> int:
    """Finishes, in the name of the system, published calls whose local date lies before this date (A5); how many.

    The date of a call is the one in the organization's time zone.
    """
    end = datetime.combine(local_date, time(), tzinfo=UTC) + FURTHEST_BEHIND
    if not _ANY.tuples(tx, of_organization=organization.id):
        return 0
    stale = [
        call
        for call in tx.execute(_BEFORE, {"of_organization": organization.id, "end": end}).all()
        if call.starts_at.astimezone(organization.time_zone).date() < local_date
    ]
    for call in stale:
        finish(tx, call, by=None)
    return len(stale)


_PUBLISHED = (
    select(calls.c.id, calls.c.organization_id, calls.c.chat_id, calls.c.starts_at)
    .select_from(chats.join(calls, calls.c.chat_id == chats.c.id))
    .where(
        chats.c.organization_id == bindparam("of_organization", type_=Key),
        chats.c.ended_at.is_(None),
        text("calls.status = 'PUBLISHED' AND calls.deleted_at IS NULL"),  # as the partial index is written
    )
)
_ANY = Prepared(_PUBLISHED.with_only_columns(calls.c.id).limit(1))
_BEFORE = _PUBLISHED.where(calls.c.starts_at < bindparam("end", type_=Moment)).order_by(calls.c.id)
