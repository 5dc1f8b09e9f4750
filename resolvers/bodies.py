"""How is a body read? As it is stored, with addresses that work for a short time in place of its own files."""

from typing import Any

from sqlalchemy import func, select

from models.rich_text import REFERENCE, with_addresses
from models.tables.conversations import Format, attachments
from resolvers.asked import Field
from resolvers.dialects import constant, json_array, json_list, json_string
from resolvers.projection import Entry, Rendered
from resolvers.statement import Row


class _Body(Entry):
    """Only a rich body that names a file has to be finished: it travels with the message's files, [number, name]
    of each. All others go out as they are."""

    def render(self, field: Field, row: Row) -> Rendered:  # noqa: ARG002
        file = attachments.alias(row.statement.alias())
        with_files = (
            select(json_array((row.body, json_list(json_array((file.c.id, file.c.name))))))
            .where(
                file.c.message_id == row.id,
                row.format == Format.RICH,
                row.body.like(constant(f"%{REFERENCE}%")),
            )
            .group_by(file.c.message_id)
        )
        return Rendered(func.coalesce(with_files.scalar_subquery(), json_string(row.body)), _shown, REFERENCE)


def _shown(value: Any, asker: Any) -> Any:
    if not isinstance(value, list):
        return value
    stored, files = value
    names = dict(files)
    return with_addresses(stored, lambda number: asker.signer.address(asker.viewer, number, names[number]))


BODY = _Body()
"""The entry of a message's body."""
