"""Which messages has the school kept for long enough? The night purges them, where the policy says how long."""

from datetime import timedelta

from models import audit
from models.database import Transaction
from models.organization import Organization
from models.retention import purge_sent_before

AT_ONCE = 2_000
"""Messages in one transaction: whoever sends meanwhile waits for no longer."""


def purge_old(tx: Transaction, organization: Organization) -> int:
    """How many messages went, of those sent more than the policy's days ago, to the moment of this night; when it
    is `AT_ONCE`, there may be more."""
    days = organization.policy.retention_days
    if days is None:
        return 0
    purged = purge_sent_before(tx, organization.id, tx.now - timedelta(days=days), at_most=AT_ONCE)
    if purged:
        audit.keep(tx, organization.id, "purgeMessages", [f"Organization_{organization.id}"])
    return purged
