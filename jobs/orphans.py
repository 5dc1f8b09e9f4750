"""What does nobody need any more? Uploads that no message wanted, files without an owner, and profile links that
were begun and never ended.

Uploads that have waited for their message for longer than a day lose their rows in the night's transaction. The
files go after it: what could not be removed then, or was left behind by an upload that broke off, is remembered
and goes with a later night.
"""

from sqlalchemy import bindparam, delete, literal, select

from models.attachments import KEPT, drop_orphans, forget_files, removable_files
from models.database import Database, Transaction
from models.links import ATTEMPT_LASTS
from models.organization import Organization
from models.storage import FileStorage
from models.tables.base import Key, Moment
from models.tables.conversations import attachments
from models.tables.links import link_attempts

AT_ONCE = 500

_OF_ORGANIZATION = bindparam("of_organization", type_=Key)
_BEFORE = bindparam("before", type_=Moment)


def collect_orphans(tx: Transaction, organization: Organization) -> int:
    """How many uploads of the organization were given up."""
    if tx.execute(_ANY_ORPHAN, {"of_organization": organization.id, "before": tx.now - KEPT}).first() is None:
        return 0
    return drop_orphans(tx, organization.id)


def collect_link_attempts(tx: Transaction, organization: Organization) -> int:
    """How many links of profiles had been begun too long ago to be completed, or were, and are forgotten."""
    asked = {"of_organization": organization.id, "before": tx.now - ATTEMPT_LASTS}
    return tx.execute(_DROP_ATTEMPTS, asked).rowcount


def remove_files(database: Database, storage: FileStorage) -> int:
    """Removes every file that may go, of all organizations; how many. Outside the night's transaction, in short
    ones of its own. Raises OSError when the storage cannot be reached: the rest goes another time."""
    removed = 0
    while True:
        with database.transaction() as tx:
            keys = removable_files(tx, at_most=AT_ONCE)
        if not keys:
            return removed
        storage.remove(keys)
        with database.transaction() as tx:
            removed += forget_files(tx, keys)


_ANY_ORPHAN = (
    select(literal(1))
    .where(
        attachments.c.organization_id == _OF_ORGANIZATION,
        attachments.c.message_id.is_(None),
        attachments.c.created_at < _BEFORE,
    )
    .limit(1)
)
_DROP_ATTEMPTS = delete(link_attempts).where(
    link_attempts.c.organization_id == _OF_ORGANIZATION, link_attempts.c.begun_at <= _BEFORE
)
