"""What may stand in which column? The files and columns of OneRoster 1.1 and 1.2 that this import reads; those of
sets whose rows have no sourcedId are in `keyless`.

Values are read as the standard writes them. Around ids and names, white space does not count; line breaks and
tabs in a name become one space; any other control character is a fault.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from models.text import NAME_LENGTH

ID_LENGTH = 255
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

ROLES = {
    "student": "LEARNER",
    "guardian": "GUARDIAN",
    "parent": "GUARDIAN",
    "relative": "GUARDIAN",
    "teacher": "TEACHER",
    "administrator": "ADMINISTRATOR",
    "siteAdministrator": "ADMINISTRATOR",
    "systemAdministrator": "ADMINISTRATOR",
    "principal": "ADMINISTRATOR",
    "aide": "STAFF",
    "proctor": "STAFF",
    "counselor": "STAFF",
    "districtAdministrator": None,
}
"""The roles of both versions, and the position in a school that each gives."""

Parse = Callable[[str], Any]
"""Gives the value of a field, or raises ValueError with what is wrong with it."""


@dataclass(frozen=True)
class Column:
    """`header` in the file, `name` where the value is staged. A file without a required one is broken."""

    header: str
    name: str
    parse: Parse
    required: bool = True


@dataclass(frozen=True)
class Layout:
    """One file of the set. `unread`: the standard's columns that mean nothing here.

    `identity`: in files whose rows have no sourcedId, the names of the values that tell a row from others.
    """

    table: str
    columns: tuple[Column, ...]
    unread: frozenset[str]
    identity: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        return f"{self.table}.csv"

    @cached_property
    def own(self) -> Column:
        """Where the sourcedId is, if there is one."""
        return next(column for column in self.columns if column.name == "id")

    @cached_property
    def telling(self) -> tuple[Column, ...]:
        """The columns by which a row is known: they must be right even where the row is to be deleted."""
        return tuple(column for column in self.columns if column.name in (self.identity or ("id",)))


def identifier(text: str) -> str:
    text = text.strip()
    if not text:
        raise ValueError("is empty")
    if len(text) > ID_LENGTH:
        raise ValueError(f"is longer than {ID_LENGTH} characters")
    return _printable(text)


def reference(text: str) -> str | None:
    return identifier(text) if text.strip() else None


def references(text: str) -> str:
    """A list of ids, comma-separated, as JSON."""
    if not text:
        return "[]"
    return json.dumps([identifier(part) for part in text.split(",") if part.strip()])


def name_part(text: str) -> str:
    text = _printable(" ".join(text.split()))
    if len(text) > NAME_LENGTH:
        raise ValueError(f"is longer than {NAME_LENGTH} characters")
    return text


def name(text: str) -> str:
    if not (text := name_part(text)):
        raise ValueError("is empty")
    return text


def status(text: str) -> int:
    """Whether the row is to stay."""
    return int(one_of("active", "tobedeleted", "")(text) != "tobedeleted")


def boolean(*, if_empty: bool) -> Parse:
    def parse(text: str) -> int:
        word = one_of("true", "false", "")(text.lower())
        return int(word == "true" if word else if_empty)

    return parse


def one_of(*known: str) -> Parse:
    return meant(dict(zip(known, known, strict=True)))


def meant(known: Mapping[str, str]) -> Parse:
    """One of these words, for what it means."""

    def parse(text: str) -> str:
        text = text.strip()
        if text not in known:
            listed = ", ".join(word for word in known if word)
            raise ValueError(f'"{_shown(text)}" is not known; known are {listed}' if text else "is empty")
        return known[text]

    return parse


def _printable(text: str) -> str:
    if found := CONTROL.search(text):
        raise ValueError(f"contains the control character U+{ord(found[0]):04X}")
    return text


def _shown(text: str) -> str:
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", text[:40])


SOURCED_ID = Column("sourcedId", "id", identifier)
STATUS = Column("status", "active", status, required=False)
ROLE = Column("role", "role", one_of(*ROLES))


def kept(header: str, name: str) -> Column:
    """A column that may be missing, as metadata columns usually are."""
    return Column(header, name, reference, required=False)


def _layout(table: str, *columns: Column, unread: str) -> Layout:
    return Layout(table, (SOURCED_ID, STATUS, *columns), frozenset(("dateLastModified", *unread.split())))


ORGS = _layout(
    "orgs",
    Column("name", "name", name),
    Column("type", "type", identifier),
    kept("parentSourcedId", "parent"),
    kept("metadata.kind", "kind"),
    unread="identifier",
)

_USER = (
    Column("enabledUser", "enabled", boolean(if_empty=True)),
    Column("username", "login", identifier),
    Column("givenName", "given", name_part),
    Column("familyName", "family", name_part),
    Column("middleName", "middle", name_part, required=False),
    Column("agentSourcedIds", "agents", references, required=False),
    kept("metadata.position", "position"),
)
_USER_UNREAD = "userIds identifier email sms phone grades password"

USERS_1_1 = _layout(
    "users",
    *_USER,
    ROLE,
    Column("orgSourcedIds", "orgs", references),
    unread=_USER_UNREAD,
)
USERS_1_2 = _layout(
    "users",
    *_USER,
    unread=f"{_USER_UNREAD} userMasterIdentifier resourceSourcedIds preferredGivenName preferredMiddleName "
    "preferredFamilyName primaryOrgSourcedId pronouns",
)

ROLES_1_2 = _layout(
    "roles",
    Column("userSourcedId", "person", identifier),
    Column("roleType", "type", one_of("primary", "secondary")),
    ROLE,
    Column("orgSourcedId", "org", identifier),
    kept("metadata.position", "position"),
    unread="beginDate endDate userProfileSourcedId",
)

COURSES = _layout(
    "courses",
    Column("title", "title", name),
    kept("orgSourcedId", "org"),
    unread="schoolYearSourcedId courseCode grades subjects subjectCodes resources",
)

CLASSES = _layout(
    "classes",
    Column("title", "title", name),
    Column("classType", "type", one_of("homeroom", "scheduled")),
    Column("courseSourcedId", "course", reference),
    Column("schoolSourcedId", "school", identifier),
    kept("metadata.kind", "kind"),
    kept("metadata.parentSourcedId", "parent"),
    unread="grades classCode location termSourcedIds subjects subjectCodes periods resources",
)

ENROLLMENTS = _layout(
    "enrollments",
    Column("classSourcedId", "class", identifier),
    Column("userSourcedId", "person", identifier),
    ROLE,
    kept("schoolSourcedId", "school"),
    Column("primary", "is_primary", boolean(if_empty=False), required=False),
    kept("metadata.position", "position"),
    unread="beginDate endDate",
)
