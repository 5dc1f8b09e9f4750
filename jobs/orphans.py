"""Which files does nobody need any more? The night takes them out of the storage.

Uploads that have waited for their message for longer than a day lose their rows in the night's transaction. The
files go after it: what could not be removed then, or was left behind by an upload that broke off, is remembered
and goes with a later night.
"""

from models.attachments import drop_orphans, forget_files, removable_files
from models.database import Database, Transaction
from models.organization import Organization
from models.storage import FileStorage

AT_ONCE = 500


def collect_orphans(tx: Transaction, organization: Organization) -> int:
    """How many uploads of the organization were given up."""
    return drop_orphans(tx, organization.id)


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
