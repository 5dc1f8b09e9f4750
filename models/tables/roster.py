"""What each organization's last roster said, for sets that say only what changed."""

from sqlalchemy import Column, LargeBinary, Table, Text

from models.tables import holds
from models.tables.base import Key, metadata, of_organization, organization_column

roster_files = Table(
    "roster_files",
    metadata,
    organization_column(primary_key=True),
    Column("file", Text, primary_key=True, info=holds.TECHNICAL),
    Column("part", Key, primary_key=True, info=holds.TECHNICAL),
    Column("digest", Text, nullable=False, info=holds.TECHNICAL),
    Column("content", LargeBinary, nullable=False, info=holds.ROSTER),
    of_organization(),
)
"""`content` is some thousand rows of one file of the set, packed; `digest` tells whether they changed. The
import alone reads and writes it."""
