"""Do the mandatory chats match the roster? Wanted and current people as sets; only differences are written.

Each kind is data: whose chat it is, who belongs to it, who administers it, and whether it waits for that
person to be there (E25-E29). Everything is rebuilt at night and by nobody else (E30, E31, E34).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Select, bindparam, case, literal_column, select

from models import participations
from models.chats import change_members, end_chat, found_chat
from models.database import Transaction
from models.organization import Organization
from models.prepared import Prepared
from models.tables.base import Key
from models.tables.chats import MANDATORY, ChatKind, chats
from models.tables.chats import participations as parts
from models.tables.people import GroupKind, Position, groups, memberships, users

Roles = dict[int, bool]
"""Person -> whether chat administrator."""

OF_ORGANIZATION = bindparam("of_organization", type_=Key)


@dataclass(frozen=True)
class Mandatory:
    """One chat per live group of this kind, for the people at `members` and at `administrator` in it.

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

    # Statements are written once: a night that changes nothing costs little more than reading its rows.

    @cached_property
    def groups(self) -> Prepared:
        """(group, its name) of every group that may have this chat."""
        return Prepared(select(groups.c.id, groups.c.name).where(*self._live_groups()))

    @cached_property
    def chats(self) -> Prepared:
        """(chat, group, the chat's name)."""
        return Prepared(select(chats.c.id, chats.c.group_id, chats.c.name).where(*self._live_chats()))

    @cached_property
    def wanted_members(self) -> Prepared:
        """(group, person, 0): those who are there for anything but administration."""
        return Prepared(self._at(self.members, role=0))

    @cached_property
    def wanted_administrators(self) -> Prepared:
        """(group, person, 1)."""
        return Prepared(self._at((self.administrator,), role=1))

    @cached_property
    def current(self) -> Prepared:
        """(group, person, 1 or 0) of the chats as they are."""
        return Prepared(
            select(chats.c.group_id, parts.c.user_id, case((parts.c.is_administrator, 1), else_=0))
            .select_from(chats.join(parts, parts.c.room_id == chats.c.id))
            .where(*self._live_chats(), parts.c.left_at.is_(None))
        )

    def _at(self, positions: Iterable[Position], *, role: int) -> Select[Any]:
        return (
            select(memberships.c.group_id, memberships.c.user_id, literal_column(str(role)))
            .select_from(groups.join(memberships, memberships.c.group_id == groups.c.id))
            .where(*self._live_groups(), memberships.c.until.is_(None), memberships.c.position.in_(positions))
        )

    def _live_groups(self) -> tuple[Any, ...]:
        own = groups.c.organization_id == OF_ORGANIZATION
        return (own, groups.c.kind == self.group_kind, groups.c.ended_at.is_(None))

    def _live_chats(self) -> tuple[Any, ...]:
        own = chats.c.organization_id == OF_ORGANIZATION
        return (own, chats.c.kind == self.kind, chats.c.ended_at.is_(None))


MANDATORY_CHATS = (
    Mandatory(
        ChatKind.TEACHERS,
        GroupKind.ORGANIZATION,
        members=(Position.TEACHER, Position.STAFF),
        administrator=Position.ADMINISTRATOR,
        waits=False,
        titles={"en": "Teachers", "fr": "Enseignants", "ru": "Преподаватели"},
    ),
    Mandatory(
        ChatKind.GROUP,
        GroupKind.CLASS,
        members=(Position.LEARNER,),
        administrator=Position.CURATOR,
        waits=True,
        titles={"en": "{group}"},
    ),
    Mandatory(
        ChatKind.PARENTS,
        GroupKind.CLASS,
        members=(Position.GUARDIAN,),
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
    gone = {person for (person,) in _rows(tx, organization, _GONE)}
    for mandatory in MANDATORY_CHATS:
        _rebuild_kind(tx, organization, mandatory, gone, changes)
    if gone:
        _leave_made_chats(tx, organization, gone, changes)
    return changes


def _rebuild_kind(
    tx: Transaction, organization: Organization, mandatory: Mandatory, gone: set[int], changes: Changes
) -> None:
    titles = _titles(tx, organization, mandatory)
    numbers, names = {}, {}
    for chat_id, group_id, name in _rows(tx, organization, mandatory.chats):
        numbers[group_id], names[group_id] = chat_id, name
    for group_id in sorted(numbers.keys() - titles.keys()):
        chat_id = numbers.pop(group_id)
        changes.ended += 1
        changes.left += participations.count(tx, chat_id)
        end_chat(tx, organization.id, chat_id, by=None)
    if not titles:
        return
    wanted = _wanted(tx, organization, mandatory, gone)
    current = set(_rows(tx, organization, mandatory.current))
    coming, going = _by_group(wanted - current), _by_group(current - wanted)
    new_titles = dict(titles.items() - names.items())
    for group_id in sorted(new_titles.keys() | coming.keys() | going.keys()):
        joining, leaving = coming.get(group_id, {}), going.get(group_id, {})
        if group_id in numbers:
            new_title = new_titles.get(group_id)
            _change(tx, organization, numbers[group_id], joining, leaving, new_title, changes)
        elif any(joining.values()) or not mandatory.waits:
            found_chat(tx, organization.id, mandatory.kind, titles[group_id], group_id, joining)
            changes.created += 1
            changes.joined += len(joining)


def _wanted(
    tx: Transaction, organization: Organization, mandatory: Mandatory, gone: set[int]
) -> set[tuple[int, int, int]]:
    """(group, person, 1 for its administrators else 0), each person once: the strongest role wins (A10)."""
    administrators = set(_rows(tx, organization, mandatory.wanted_administrators))
    wanted = set(_rows(tx, organization, mandatory.wanted_members))
    wanted -= {(group_id, user_id, 0) for group_id, user_id, _ in administrators}
    wanted |= administrators
    return {row for row in wanted if row[1] not in gone} if gone else wanted


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
    change_members(tx, organization.id, chat_id, joining=joining, leaving=leaving, roles=roles, title=title)
    changes.changed += 1
    changes.joined += len(joining)
    changes.left += len(leaving)


def _leave_made_chats(tx: Transaction, organization: Organization, gone: set[int], changes: Changes) -> None:
    """Mandatory chats have lost them already; here they leave those that people made."""
    leaving: dict[int, set[int]] = defaultdict(set)
    for chat_id, user_id in _rows(tx, organization, _IN_MADE_CHATS):
        if user_id in gone:
            leaving[chat_id].add(user_id)
    for chat_id in sorted(leaving):
        change_members(tx, organization.id, chat_id, leaving=leaving[chat_id])
        changes.changed += 1
        changes.left += len(leaving[chat_id])


def _titles(tx: Transaction, organization: Organization, mandatory: Mandatory) -> dict[int, str]:
    """Group -> the name of its chat, for every group that may have one; none when the policy has no such
    chats."""
    if mandatory.kind not in organization.policy.chat_kinds:
        return {}
    live = _rows(tx, organization, mandatory.groups)
    return {group_id: mandatory.title(name, organization.locale) for group_id, name in live}


def _rows(tx: Transaction, organization: Organization, statement: Prepared) -> list[tuple[Any, ...]]:
    return statement.tuples(tx, of_organization=organization.id)


def _by_group(rows: Iterable[tuple[int, int, int]]) -> dict[int, Roles]:
    found: dict[int, Roles] = {}
    for group_id, user_id, role in sorted(rows):
        found.setdefault(group_id, {})[user_id] = bool(role)
    return found


_GONE = Prepared(
    select(users.c.id).where(users.c.organization_id == OF_ORGANIZATION, users.c.deactivated_at.is_not(None))
)
"""Who has left the school: memberships may still stand, rights do not."""

_IN_MADE_CHATS = Prepared(
    select(parts.c.room_id, parts.c.user_id)
    .select_from(chats.join(parts, parts.c.room_id == chats.c.id))
    .where(
        chats.c.organization_id == OF_ORGANIZATION,
        chats.c.kind.not_in(MANDATORY),
        chats.c.ended_at.is_(None),
        parts.c.left_at.is_(None),
    )
)
