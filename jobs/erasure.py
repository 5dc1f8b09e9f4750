"""How is a person erased everywhere at once? In one transaction: in the school, and in what its roster said."""

from sqlalchemy import select

from jobs.roster.erased import forget
from models import erasure
from models.database import Database
from models.tables.people import users


def erase_person(database: Database, organization_id: int, user_id: int) -> bool:
    """False for one who is erased already. His files may be removed afterwards, as `jobs.orphans` does. Raises
    LookupError for nobody, UnderReport while a report to which he matters is not settled."""
    with database.transaction(organization_id) as tx:
        tx.hold(organization_id)
        known = select(users.c.source_id).where(users.c.id == user_id, users.c.organization_id == organization_id)
        source_id = tx.execute(known).scalar_one_or_none()
        if not erasure.erase(tx, organization_id, user_id):
            return False
        forget(tx, organization_id, str(source_id))
    return True
