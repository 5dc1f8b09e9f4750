"""Files in the storage that no attachment owns."""

from sqlalchemy import Column, Index, Table, Text

from models.tables import holds
from models.tables.base import Moment, metadata, of_organization, organization_column

loose_files = Table(
    "loose_files",
    metadata,
    Column("storage_key", Text, primary_key=True, info=holds.SECRET),
    organization_column(),
    Column("removable_at", Moment, nullable=False, info=holds.TECHNICAL),
    of_organization(),
    Index("ix_loose_files_removable", "removable_at"),
)
"""A file that is being uploaded, or one whose attachment is gone. A row is here before the file is and until it
is not: so nothing is lost in the storage, wherever the program stops. From `removable_at` on the night removes
it."""
