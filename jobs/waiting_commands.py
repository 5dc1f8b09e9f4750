"""What has the messenger outside not been told because it waits for the night? Now it leaves (E35, A13)."""

from sqlalchemy import bindparam, select, text, update

from models.database import Transaction
from models.organization import Organization
from models.prepared import Prepared
from models.tables.base import Key
from models.tables.events import outbox

_OWN = outbox.c.organization_id == bindparam("of_organization", type_=Key)
_WAITS = text("outbox.waits_for_night")  # as the partial index is written


def release(tx: Transaction, organization: Organization) -> int:
    """Membership and rights, as changed by day and by this night, are the outbox's to send from this commit on;
    how many commands."""
    if not _ANY.tuples(tx, of_organization=organization.id):
        return 0
    tx.woken.add(organization.id)
    return tx.execute(_RELEASE, {"of_organization": organization.id}).rowcount


_ANY = Prepared(select(outbox.c.id).where(_OWN, _WAITS).limit(1))
_RELEASE = update(outbox).where(_OWN, _WAITS).values(waits_for_night=False)
