"""Who is meant by a login on the command line?"""

from sqlalchemy import select

from app.commands.mistake import Mistake
from models.actor import Viewer
from models.database import Database
from models.organization import organization_called
from models.tables.organization import organizations
from models.tables.people import users


def find_person(database: Database, login: str, *, organization: str | None = None) -> Viewer:
    """The active person with this login, in this organization (name or sourcedId) or anywhere.

    Raises Mistake for nobody, and for somebody in several organizations when none is named.
    """
    wanted = (
        select(users.c.id, users.c.organization_id, organizations.c.name)
        .join(organizations, organizations.c.id == users.c.organization_id)
        .where(users.c.login == login, users.c.deactivated_at.is_(None))
        .order_by(organizations.c.id)
    )
    with database.transaction() as tx:
        if organization is not None:
            try:
                school = organization_called(tx, organization)
            except ValueError as error:
                raise Mistake(str(error)) from None
            wanted = wanted.where(organizations.c.id == school.id)
        found = tx.execute(wanted).all()
    if not found:
        where = "any organization" if organization is None else organization
        raise Mistake(f"{login}: nobody active has this login in {where}")
    if len(found) > 1:
        schools = ", ".join(row.name for row in found)
        raise Mistake(f"{login} stands in several organizations: name one with --organization ({schools})")
    return Viewer(found[0].id, found[0].organization_id)
