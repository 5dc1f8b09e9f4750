"""Organizations, and the rules of reach that their policies contain."""

from sqlalchemy import JSON, Boolean, Column, ForeignKeyConstraint, Table, Text, false

from models.tables import holds
from models.tables.base import Key, Moment, metadata, organization_column

organizations = Table(
    "organizations",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True, info=holds.TECHNICAL),
    Column("source_id", Text, nullable=False, unique=True, info=holds.SCHOOL),
    Column("name", Text, nullable=False, info=holds.SCHOOL),
    Column("time_zone", Text, nullable=False, info=holds.SCHOOL),
    Column("locale", Text, nullable=False, info=holds.SCHOOL),
    Column("preset", Text, nullable=False, info=holds.SCHOOL),
    Column("policy", JSON, nullable=False, info=holds.SCHOOL),
    Column("last_event", Key, nullable=False, server_default="0", info=holds.TECHNICAL),
    Column("imported_at", Moment, nullable=False, info=holds.TECHNICAL),
    sqlite_autoincrement=True,
)

reach_rules = Table(
    "reach_rules",
    metadata,
    organization_column(primary_key=True),
    Column("from_position", Text, primary_key=True, info=holds.SCHOOL),
    Column("group_kind", Text, primary_key=True, info=holds.SCHOOL),
    Column("to_position", Text, primary_key=True, info=holds.SCHOOL),
    Column("descend", Boolean, nullable=False, server_default=false(), info=holds.SCHOOL),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
)
"""Who is at `from_position` of a group of this kind may start writing to those at `to_position` there, and, where
it descends, of every group below."""
