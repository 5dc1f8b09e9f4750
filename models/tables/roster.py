"""What each organization's last roster said, for sets that say only what changed."""

from sqlalchemy import Column, LargeBinary, Table, Text

from models.tables.base import metadata, of_organization, organization_column

roster_files = Table(
    "roster_files",
    metadata,
    organization_column(primary_key=True),
    Column("file", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    of_organization(),
)
"""`content` is the rows of one file of the set, packed; `digest` tells whether they changed. The import alone
reads and writes it."""
