"""How are attachments read, and which file is behind one?"""

from typing import Any

from sqlalchemy import Integer, Select, bindparam, exists, literal

from models.actor import ASKING, Viewer, person
from models.attachments import File, attachments_of, visible_attachments
from models.authorization.conversations import SEES_FILE
from models.database import Database
from models.prepared import Prepared
from models.tables.conversations import attachments
from resolvers.ids import id_of
from resolvers.projection import Column, Derived, Projection
from resolvers.statement import VIEWER, Arguments, Asker, Row


def address(asker: Asker, attachment_id: int, name: str) -> str:
    """Where the person who asks fetches an attachment, for ten minutes from now."""
    return asker.signer.address(asker, attachment_id, name)


def one_attachment(row: Row) -> Select[Any]:
    """The one whose number is the row's, where the viewer sees it."""
    return visible_attachments(VIEWER).where(attachments.c.id == row.id)


def attachments_in(row: Row, _: Arguments) -> Select[Any]:
    """Those of a message that is being read."""
    return attachments_of(row.id)


async def find_file(database: Database, viewer: Viewer, attachment_id: int) -> File | None:
    """The file of an attachment that the viewer, who is active, sees now; None for every other."""
    found = await _FILE.read(
        database, viewer=viewer.id, organization=viewer.organization_id, attachment=attachment_id
    )
    return File(*found[0]) if found else None


Projection(
    "Attachment",
    attachments,
    seen_by=SEES_FILE,
    id=id_of("Attachment"),
    name=Column(),
    content_type=Column(),
    byte_size=Column(),
    url=Derived(address, ("id", "name")),
)

_FILE = Prepared(
    visible_attachments(ASKING)
    .with_only_columns(*(attachments.c[name] for name in File.__dataclass_fields__))
    .where(
        attachments.c.id == bindparam("attachment", type_=Integer()),
        exists(person(ASKING).with_only_columns(literal(1))),
    )
)
