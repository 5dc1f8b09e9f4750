"""How is a body read? As it is stored, with addresses that work for a short time in place of its own files."""

from typing import Any

from sqlalchemy import and_, case, select

from models.rich_text import REFERENCE, with_addresses
from models.tables.conversations import Format, attachments
from resolvers.asked import Field
from resolvers.attachments import address
from resolvers.dialects import constant, json_array, json_list
from resolvers.projection import Entry, Rendered
from resolvers.statement import Expression, Row


class _Body(Entry):
    """Only a rich body that names a file has to be finished; it travels with the message's files. All others go
    out as they are."""

    def render(self, field: Field, row: Row) -> Rendered:  # noqa: ARG002
        names_file = and_(row.format == Format.RICH, row.body.like(constant(f"%{REFERENCE}%")))
        return Rendered(case((names_file, json_array((row.body, _files(row)))), else_=row.body), _shown, REFERENCE)


def _files(row: Row) -> Expression:
    """[number, name] of each file of the message."""
    file = attachments.alias(row.statement.alias())
    return (
        select(json_list(json_array((file.c.id, file.c.name))))
        .where(file.c.message_id == row.id)
        .scalar_subquery()
    )


def _shown(value: Any, asker: Any) -> Any:
    """The files of other messages have no address here, whoever sees them."""
    if not isinstance(value, list):
        return value
    stored, files = value
    names = dict(files)
    return with_addresses(
        stored, lambda number: address(asker, number, names[number]) if number in names else None
    )


BODY = _Body()
"""The entry of a message's body."""
