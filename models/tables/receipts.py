"""Which of a writer's transactions was committed last? For the writer, when the answer to a commit is lost."""

from sqlalchemy import Column, Table, Text

from models.tables.base import Moment, metadata
from models.tables.holds import TECHNICAL

receipts = Table(
    "receipts",
    metadata,
    Column("writer", Text, primary_key=True, info=TECHNICAL),
    Column("receipt", Text, nullable=False, info=TECHNICAL),
    Column("at", Moment, nullable=False, info=TECHNICAL),
)
"""A row for each connection that writes on PostgreSQL, changed by each of its transactions. The engine's own
numbers of transactions would not do: one that a crash took is given again."""
