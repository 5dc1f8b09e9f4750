"""Chats, and who takes part in them since when."""

from collections.abc import Iterable
from enum import StrEnum

from sqlalchemy import Boolean, CheckConstraint, Column, Index, Table, Text

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


class ChatKind(StrEnum):
    TEACHERS = "TEACHERS"
    GROUP = "GROUP"
    PARENTS = "PARENTS"
    SUBGROUP = "SUBGROUP"
    CUSTOM = "CUSTOM"


MANDATORY = (ChatKind.TEACHERS, ChatKind.GROUP, ChatKind.PARENTS)
"""Made and kept by the nightly rebuild alone (E25, E30, E31)."""


def _names(kinds: Iterable[ChatKind]) -> str:
    return ", ".join(f"'{kind}'" for kind in kinds)


rooms = Table(
    "rooms",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True, info=holds.TECHNICAL),
    organization_column(),
    of_organization(),
    referable(),
    sqlite_autoincrement=True,
)
"""What people take part in. A chat is one; what a room holds is said by the table that shares its number."""

chats = Table(
    "chats",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=False, info=holds.TECHNICAL),
    organization_column(),
    Column("kind", Text, nullable=False, info=holds.SCHOOL),
    Column("group_id", Key, info=holds.TECHNICAL),
    Column("name", Text, nullable=False, info=holds.CONTENT),
    Column("search_key", Folded, nullable=False, info=holds.CONTENT),
    Column("url", Text, info=holds.TECHNICAL),
    Column("created_at", Moment, nullable=False, info=holds.SCHOOL),
    Column("ended_at", Moment, info=holds.SCHOOL),
    of_organization(),
    refers_to("rooms", "id"),
    refers_to("groups", "group_id"),
    referable(),
    one_of("kind", ChatKind),
    CheckConstraint("(kind = 'CUSTOM') = (group_id IS NULL)", name="group"),
    only_one(
        "uq_chats_mandatory",
        "group_id",
        "kind",
        where=f"ended_at IS NULL AND kind IN ({_names(MANDATORY)})",
    ),
    index_where("ix_chats_listed", "organization_id", "search_key", "id", where="ended_at IS NULL"),
)
"""`ended_at`: deleted by its administrator, or archived because its group has ended (A9). Rows stay: who saw
the chat learns from its last event that it is gone."""

participations = Table(
    "participations",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True, info=holds.TECHNICAL),
    organization_column(),
    Column("room_id", Key, nullable=False, info=holds.TECHNICAL),
    Column("user_id", Key, nullable=False, info=holds.PERSON),
    Column("is_administrator", Boolean, nullable=False, info=holds.CONDUCT),
    Column("is_linked", Boolean, nullable=False, info=holds.CONDUCT),
    Column("joined_at", Moment, nullable=False, info=holds.CONDUCT),
    Column("joined_event", Key, nullable=False, info=holds.TECHNICAL),
    Column("left_at", Moment, info=holds.CONDUCT),
    Column("left_event", Key, info=holds.TECHNICAL),
    Column("latest_event", Key, info=holds.TECHNICAL),
    Column("muted_at", Moment, info=holds.CONDUCT),
    of_organization(),
    refers_to("rooms", "room_id"),
    refers_to("users", "user_id"),
    CheckConstraint("(left_at IS NULL) = (left_event IS NULL)", name="left"),
    only_one("uq_participations_open", "room_id", "user_id", where="left_at IS NULL"),
    index_where("ix_participations_counted", "room_id", "is_linked", where="left_at IS NULL"),
    Index("ix_participations_of_person", "user_id", "room_id", "left_at"),
    only_one("uq_participations_listed", "room_id", "user_id", where="latest_event IS NOT NULL"),
    index_where("ix_participations_latest", "user_id", "latest_event", where="latest_event IS NOT NULL"),
    index_where("ix_participations_former", "room_id", "user_id", where="left_at IS NOT NULL"),
    sqlite_autoincrement=True,
)
"""An interval of taking part, in time and in event numbers. `is_linked` repeats whether the person's profile
is linked, because every tile counts it (E19). `latest_event` places a conversation in the person's list:
the newest message that the person still sees there, or its opening; none: it is not listed."""
