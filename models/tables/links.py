"""Links of profiles to accounts of the external messenger."""

from sqlalchemy import Column, Table, Text

from models.tables.base import (
    Key,
    Moment,
    metadata,
    of_organization,
    only_one,
    organization_column,
    refers_to,
)

profile_links = Table(
    "profile_links",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    organization_column(),
    Column("user_id", Key, nullable=False),
    Column("provider", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("linked_at", Moment, nullable=False),
    Column("unlinked_at", Moment),
    of_organization(),
    refers_to("users", "user_id"),
    only_one("uq_profile_links_of_user", "user_id", "provider", where="unlinked_at IS NULL"),
    only_one("uq_profile_links_account", "organization_id", "provider", "account", where="unlinked_at IS NULL"),
    sqlite_autoincrement=True,
)

link_attempts = Table(
    "link_attempts",
    metadata,
    Column("state", Text, primary_key=True),
    organization_column(),
    Column("user_id", Key, nullable=False),
    Column("begun_at", Moment, nullable=False),
    Column("used_at", Moment),
    of_organization(),
    refers_to("users", "user_id"),
)
"""A link in progress: one use, ten minutes, for the person who began it."""
