"""Do the mandatory chats match the roster? Wanted and current people as sets; only differences are written.

Each kind is data: whose chat it is, who belongs to it, who administers it, and whether it waits for that
person to be there (E25-E29). Everything is rebuilt at night and by nobody else (E30, E31, E34).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, case, func, select

from models import participations
from models.chats import change_members, end_chat, found_chat
from models.database import Transaction
from models.organization import Organization
from models.tables.base import Key
from models.tables.chats import ChatKind, chats
from models.tables.chats import participations as parts
from models.tables.people import GroupKind, Position, groups, memberships, users

Roles = dict[int, bool]
"""Person -> whether chat administrator."""

OF_ORGANIZATION = bindparam("of_organization", type_=Key)
"""Statements are built once; a night that changes nothing costs little more than reading its rows."""


@dataclass(frozen=True, eq=False)
class Mandatory:
    """One chat per live group of this kind, for the people at `members` in it.

    Who is at `administrator` administers it, whatever else he is there (A10). `waits`: the chat is not
    made before somebody is at that position; once made it stays (E29, A9). `titles`: by language.
    """

    kind: ChatKind
    group_kind: GroupKind
    members: tuple[Position, ...]
    administrator: Position
    waits: bool
    titles: dict[str, str]

    def title(self, group: str, locale: str) -> str:
        return self.titles.get(locale, self.titles["en"]).format(group=group)


MANDATORY_CHATS = (
    Mandatory(
        ChatKind.TEACHERS,
        GroupKind.ORGANIZATION,
        members=(Position.TEACHER, Position.STAFF, Position.ADMINISTRATOR),
        administrator=Position.ADMINISTRATOR,
        waits=False,
        titles={"en": "Teachers", "fr": "Enseignants", "ru": "Преподаватели"},
    ),
    Mandatory(
        ChatKind.GROUP,
        GroupKind.CLASS,
        members=(Position.CURATOR, Position.LEARNER),
        administrator=Position.CURATOR,
        waits=True,
        titles={"en": "{group}"},
    ),
    Mandatory(
        ChatKind.PARENTS,
        GroupKind.CLASS,
        members=(Position.CURATOR, Position.GUARDIAN),
        administrator=Position.CURATOR,
        waits=True,
        titles={"en": "Parents, {group}", "fr": "Parents, {group}", "ru": "Родители, {group}"},
    ),
)


@dataclass
class Changes:
    """What a rebuild did: chats, and people who came into them or left them."""

    created: int = 0
    changed: int = 0
    ended: int = 0
    joined: int = 0
    left: int = 0


def rebuild(tx: Transaction, organization: Organization) -> Changes:
    """Brings the organization's mandatory chats to what its roster says now, and takes people whom the
    roster has ended out of every chat.

    A chat that people made stays when its subgroup has ended: it is theirs to delete (E39, A3).
    """
    changes = Changes()
    for mandatory in MANDATORY_CHATS:
        _rebuild_kind(tx, organization, mandatory, changes)
    _ended_people_leave(tx, organization, changes)
    return changes


def _rebuild_kind(tx: Transaction, organization: Organization, mandatory: Mandatory, changes: Changes) -> None:
    titles = _titles(tx, organization, mandatory)
    current_chats = {chat.group_id: chat for chat in _rows(tx, organization, _chats(mandatory))}
    for group_id in sorted(current_chats.keys() - titles.keys()):
        chat = current_chats.pop(group_id)
        changes.ended += 1
        changes.left += participations.count(tx, chat.id)
        end_chat(tx, organization.id, chat.id, by=None)
    if not titles:
        return
    wanted = set(map(tuple, _rows(tx, organization, _wanted(mandatory))))
    current = set(map(tuple, _rows(tx, organization, _current(mandatory))))
    coming, going = _by_group(wanted - current), _by_group(current - wanted)
    for group_id, title in titles.items():
        joining, leaving = coming[group_id], going[group_id]
        if group_id in current_chats:
            chat = current_chats[group_id]
            new_title = title if title != chat.name else None
            _change(tx, organization, chat.id, joining, leaving, new_title, changes)
        elif any(joining.values()) or not mandatory.waits:
            found_chat(tx, organization.id, mandatory.kind, title, group_id, joining)
            changes.created += 1
            changes.joined += len(joining)


def _change(
    tx: Transaction,
    organization: Organization,
    chat_id: int,
    wanted: Roles,
    unwanted: Roles,
    title: str | None,
    changes: Changes,
) -> None:
    """Of one chat: who is both wanted and unwanted stays, in the role that is wanted."""
    joining = {user_id: role for user_id, role in wanted.items() if user_id not in unwanted}
    leaving = unwanted.keys() - wanted.keys()
    roles = {user_id: role for user_id, role in wanted.items() if user_id in unwanted}
    if wanted or unwanted or title:
        change_members(tx, organization.id, chat_id, joining=joining, leaving=leaving, roles=roles, title=title)
        changes.changed += 1
        changes.joined += len(joining)
        changes.left += len(leaving)


def _ended_people_leave(tx: Transaction, organization: Organization, changes: Changes) -> None:
    """Mandatory chats have lost them already; here they leave those that people made."""
    leaving: dict[int, set[int]] = defaultdict(set)
    for row in _rows(tx, organization, _ended_people()):
        leaving[row.room_id].add(row.user_id)
    for chat_id, people in leaving.items():
        change_members(tx, organization.id, chat_id, leaving=people)
        changes.changed += 1
        changes.left += len(people)


def _titles(tx: Transaction, organization: Organization, mandatory: Mandatory) -> dict[int, str]:
    """Group -> the name of its chat, for every group that may have one; none when the policy has no such
    chats."""
    if mandatory.kind not in organization.policy.chat_kinds:
        return {}
    live = _rows(tx, organization, _groups(mandatory))
    return {group.id: mandatory.title(group.name, organization.locale) for group in live}


@cache
def _groups(mandatory: Mandatory) -> Select[Any]:
    return (
        select(groups.c.id, groups.c.name)
        .where(
            groups.c.organization_id == OF_ORGANIZATION,
            groups.c.kind == mandatory.group_kind,
            groups.c.ended_at.is_(None),
        )
        .order_by(groups.c.id)
    )


@cache
def _chats(mandatory: Mandatory) -> Select[Any]:
    return select(chats.c.id, chats.c.group_id, chats.c.name).where(
        chats.c.organization_id == OF_ORGANIZATION,
        chats.c.kind == mandatory.kind,
        chats.c.ended_at.is_(None),
    )


@cache
def _wanted(mandatory: Mandatory) -> Select[Any]:
    """(group, person, 1 for its administrators else 0), each pair once: the strongest role wins (A10)."""
    return (
        select(
            memberships.c.group_id,
            memberships.c.user_id,
            func.max(case((memberships.c.position == mandatory.administrator, 1), else_=0)),
        )
        .select_from(
            groups.join(memberships, memberships.c.group_id == groups.c.id).join(
                users, users.c.id == memberships.c.user_id
            )
        )
        .where(
            groups.c.organization_id == OF_ORGANIZATION,
            groups.c.kind == mandatory.group_kind,
            groups.c.ended_at.is_(None),
            memberships.c.until.is_(None),
            memberships.c.position.in_(mandatory.members),
            users.c.deactivated_at.is_(None),
        )
        .group_by(memberships.c.group_id, memberships.c.user_id)
    )


@cache
def _current(mandatory: Mandatory) -> Select[Any]:
    """The same of the chats as they are."""
    return (
        select(chats.c.group_id, parts.c.user_id, case((parts.c.is_administrator, 1), else_=0))
        .select_from(chats.join(parts, parts.c.room_id == chats.c.id))
        .where(
            chats.c.organization_id == OF_ORGANIZATION,
            chats.c.kind == mandatory.kind,
            chats.c.ended_at.is_(None),
            parts.c.left_at.is_(None),
        )
    )


def _rows(tx: Transaction, organization: Organization, statement: Select[Any]) -> Iterable[Any]:
    return tx.execute(statement, {"of_organization": organization.id})


@cache
def _ended_people() -> Select[Any]:
    """(chat, person) of everybody who still takes part though the roster has ended him."""
    return (
        select(parts.c.room_id, parts.c.user_id)
        .select_from(users.join(parts, parts.c.user_id == users.c.id).join(chats, chats.c.id == parts.c.room_id))
        .where(
            users.c.organization_id == OF_ORGANIZATION,
            users.c.deactivated_at.is_not(None),
            parts.c.left_at.is_(None),
        )
        .order_by(parts.c.room_id)
    )


def _by_group(pairs: Iterable[tuple[int, ...]]) -> dict[int, Roles]:
    found: dict[int, Roles] = defaultdict(dict)
    for group_id, user_id, role in sorted(pairs):
        found[group_id][user_id] = bool(role)
    return found
