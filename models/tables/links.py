"""Links of profiles to accounts of the external messenger."""

from sqlalchemy import Column, Index, Table, Text

from models.tables import holds
from models.tables.base import (
    Key,
    Moment,
    index_where,
    metadata,
    of_organization,
    only_one,
    organization_column,
    refers_to,
)

profile_links = Table(
    "profile_links",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True, info=holds.TECHNICAL),
    organization_column(),
    Column("user_id", Key, nullable=False, info=holds.PERSON),
    Column("provider", Text, nullable=False, info=holds.ADDRESS),
    Column("account", Text, nullable=False, info=holds.ADDRESS),
    Column("linked_at", Moment, nullable=False, info=holds.CONDUCT),
    Column("unlinked_at", Moment, info=holds.CONDUCT),
    Column("set_aside_at", Moment, info=holds.CONDUCT),
    of_organization(),
    refers_to("users", "user_id"),
    only_one("uq_profile_links_of_user", "user_id", "provider", where="unlinked_at IS NULL"),
    only_one("uq_profile_links_account", "organization_id", "provider", "account", where="unlinked_at IS NULL"),
    index_where("ix_profile_links_set_aside", "organization_id", "provider", where="set_aside_at IS NOT NULL"),
    sqlite_autoincrement=True,
)
"""At most one is open for each person. What is set aside ended because people sign in elsewhere now, and opens
again when they sign in there again."""

link_attempts = Table(
    "link_attempts",
    metadata,
    Column("state", Text, primary_key=True, info=holds.SECRET),
    organization_column(),
    Column("user_id", Key, nullable=False, info=holds.PERSON),
    Column("provider", Text, info=holds.ADDRESS),
    Column("verifier", Text, info=holds.SECRET),
    Column("nonce", Text, info=holds.SECRET),
    Column("begun_at", Moment, nullable=False, info=holds.CONDUCT),
    Column("used_at", Moment, info=holds.CONDUCT),
    of_organization(),
    refers_to("users", "user_id"),
    Index("ix_link_attempts_begun", "organization_id", "begun_at"),
)
"""A link in progress: one use, ten minutes, for the person who began it, with this provider, whose answer is tied
to `verifier` and `nonce`."""
