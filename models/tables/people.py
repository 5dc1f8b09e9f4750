"""People, groups, memberships and guardianships, as the roster gives them."""

from enum import StrEnum

from sqlalchemy import Boolean, CheckConstraint, Column, Index, Table, Text, UniqueConstraint

from models.tables import holds
from models.tables.base import (
    Folded,
    Key,
    Moment,
    index_where,
    metadata,
    of_organization,
    one_of,
    only_one,
    organization_column,
    referable,
    refers_to,
)


class Position(StrEnum):
    """At which position somebody belongs to a group."""

    LEARNER = "LEARNER"
    TEACHER = "TEACHER"
    CURATOR = "CURATOR"
    GUARDIAN = "GUARDIAN"
    STAFF = "STAFF"
    ADMINISTRATOR = "ADMINISTRATOR"
    OWNER = "OWNER"
    EXPERT = "EXPERT"


class GroupKind(StrEnum):
    ORGANIZATION = "ORGANIZATION"
    CYCLE = "CYCLE"
    DEPARTMENT = "DEPARTMENT"
    CLASS = "CLASS"
    SUBGROUP = "SUBGROUP"
    COURSE = "COURSE"


users = Table(
    "users",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True, info=holds.PERSON),
    organization_column(),
    Column("source_id", Text, nullable=False, info=holds.ADDRESS),
    Column("login", Text, nullable=False, info=holds.NAME),
    Column("name", Text, nullable=False, info=holds.NAME),
    Column("search_key", Folded, nullable=False, info=holds.NAME),
    Column("chats_seen_event", Key, nullable=False, server_default="0", info=holds.CONDUCT),
    Column("created_at", Moment, nullable=False, info=holds.CONDUCT),
    Column("deactivated_at", Moment, info=holds.CONDUCT),
    of_organization(),
    referable(),
    UniqueConstraint("organization_id", "source_id"),
    only_one("uq_users_active_login", "organization_id", "login", where="deactivated_at IS NULL"),
    index_where("ix_users_ended", "organization_id", where="deactivated_at IS NOT NULL"),
    sqlite_autoincrement=True,
)
"""`search_key` is the folded name and login. `chats_seen_event`: the call badge counts what came later."""

search_words = Table(
    "search_words",
    metadata,
    organization_column(),
    Column("user_id", Key, primary_key=True, info=holds.PERSON),
    Column("word", Folded, primary_key=True, info=holds.NAME),
    Column("of_name", Boolean, nullable=False, info=holds.TECHNICAL),
    of_organization(),
    refers_to("users", "user_id"),
    Index("ix_search_words", "organization_id", "word", "user_id", "of_name"),
    sqlite_with_rowid=False,
)
"""The folded words by which each active person is found, by their beginning: those of the name and, not
`of_name`, of the login alone. `models.search_words` keeps them."""

groups = Table(
    "groups",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True, info=holds.TECHNICAL),
    organization_column(),
    Column("source", Text, nullable=False, info=holds.SCHOOL),
    Column("source_id", Text, nullable=False, info=holds.SCHOOL),
    Column("kind", Text, nullable=False, info=holds.SCHOOL),
    Column("name", Text, nullable=False, info=holds.SCHOOL),
    Column("search_key", Folded, nullable=False, info=holds.SCHOOL),
    Column("discipline", Text, info=holds.SCHOOL),
    Column("parent_id", Key, info=holds.TECHNICAL),
    Column("ended_at", Moment, info=holds.SCHOOL),
    of_organization(),
    refers_to("groups", "parent_id"),
    referable(),
    UniqueConstraint("organization_id", "source", "source_id"),
    one_of("kind", GroupKind),
    CheckConstraint("source IN ('org', 'class')", name="source"),
    only_one("uq_groups_organization", "organization_id", where="kind = 'ORGANIZATION'"),
    index_where("ix_groups_listed", "organization_id", "search_key", "id", where="ended_at IS NULL"),
    sqlite_autoincrement=True,
)
"""`source` says which file of the roster the group comes from: an organization's id may equal a class's."""

group_ancestors = Table(
    "group_ancestors",
    metadata,
    organization_column(),
    Column("group_id", Key, primary_key=True, info=holds.TECHNICAL),
    Column("ancestor_id", Key, primary_key=True, info=holds.TECHNICAL),
    of_organization(),
    refers_to("groups", "group_id"),
    refers_to("groups", "ancestor_id"),
    Index("ix_group_ancestors_below", "ancestor_id", "group_id"),
    sqlite_with_rowid=False,
)
"""Each live group with itself and every live group above it; `models.groups` keeps it."""

memberships = Table(
    "memberships",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True, info=holds.TECHNICAL),
    organization_column(),
    Column("user_id", Key, nullable=False, info=holds.PERSON),
    Column("group_id", Key, nullable=False, info=holds.TECHNICAL),
    Column("position", Text, nullable=False, info=holds.CONDUCT),
    Column("since", Moment, nullable=False, info=holds.CONDUCT),
    Column("until", Moment, info=holds.CONDUCT),
    of_organization(),
    refers_to("users", "user_id"),
    refers_to("groups", "group_id"),
    one_of("position", Position),
    only_one("uq_memberships_open", "user_id", "group_id", "position", where="until IS NULL"),
    index_where("ix_memberships_of_group", "group_id", "position", "user_id", where="until IS NULL"),
    sqlite_autoincrement=True,
)
"""An interval at a position. A guardian's memberships follow the child's; the roster's import derives them."""

guardianships = Table(
    "guardianships",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True, info=holds.TECHNICAL),
    organization_column(),
    Column("guardian_id", Key, nullable=False, info=holds.PERSON),
    Column("child_id", Key, nullable=False, info=holds.PERSON),
    Column("since", Moment, nullable=False, info=holds.CONDUCT),
    Column("until", Moment, info=holds.CONDUCT),
    of_organization(),
    refers_to("users", "guardian_id"),
    refers_to("users", "child_id"),
    only_one("uq_guardianships_open", "guardian_id", "child_id", where="until IS NULL"),
    index_where("ix_guardianships_of_child", "child_id", "guardian_id", where="until IS NULL"),
    CheckConstraint("guardian_id <> child_id", name="somebody_else"),
    sqlite_autoincrement=True,
)
