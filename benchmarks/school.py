"""On what is measured? One school, the same rows every time: 2,000 people, 300 chats of 30, 200,000 messages.

Rows go straight into the tables: the rules are not what is measured here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Table, insert, select

from app.messenger import BuiltinMessenger
from benchmarks import conversations
from models.actor import Viewer
from models.database import Database
from models.groups import rebuild_tree
from models.migrate import migrate
from models.organization import set_policy
from models.presets import PRESETS
from models.tables.calls import CallStatus, calls
from models.tables.chats import ChatKind, chats, participations, rooms
from models.tables.events import EventKind, events
from models.tables.links import profile_links
from models.tables.organization import organizations
from models.tables.people import GroupKind, Position, groups, memberships, users
from models.text import fold

PEOPLE = 2_000
TEACHERS = 100
CLASSES = 80
CHATS = 300
IN_A_CHAT = 30
CHATS_OF_VIEWER = 26

SCHOOL = 1
VIEWER = 1
"""A teacher whose profile is linked, who takes part in `CHATS_OF_VIEWER` chats and administers every other one."""

NOW = datetime(2026, 9, 7, 5, 0, tzinfo=UTC)
NO_NIGHT_YET = datetime(2100, 1, 1, tzinfo=UTC)
"""First imported then: until that day no night runs and changes what is measured."""

FIRST_CONVERSATION = CHATS + 1
"""Conversations are numbered from here on, the groups first."""

PRESET = "EPOS_SCHOOL"

Rows = list[dict[str, Any]]

NAMES = ("Анна Кузнецова", "Élodie Lefèvre", "Oliver Wright", "Фёдор Ильин", "Camille Moreau", "Мария Орлова")


@dataclass(frozen=True)
class School:
    """The database, made and filled, and the person who asks."""

    path: Path
    viewer: Viewer

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"


def make(folder: Path) -> School:
    """The school in a new database in this folder."""
    path = folder / "preau.db"
    database = Database(f"sqlite:///{path}", messenger=BuiltinMessenger("x" * 40), clock=lambda: NOW)
    migrate(database.engine)
    with database.transaction() as tx:
        for table, rows in _everything():
            tx.connection.execute(insert(table), rows)
        set_policy(tx, SCHOOL, PRESET, PRESETS[PRESET])
        rebuild_tree(tx, SCHOOL)
        last_event = tx.execute(select(organizations.c.last_event)).scalar_one()
    conversations.converse(path, school=SCHOOL, first_room=FIRST_CONVERSATION, first_event=last_event + 1, now=NOW)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return School(path, Viewer(id=VIEWER, organization_id=SCHOOL))


def _everything() -> Iterator[tuple[Table, Rows]]:
    """All rows, table by table, in the order that references need."""
    choose = Random(2026)
    linked = {person for person in range(1, PEOPLE + 1) if person == VIEWER or choose.random() < 0.6}
    yield organizations, [_school()]
    yield users, [_person(number) for number in range(1, PEOPLE + 1)]
    yield groups, [*_groups()]
    yield memberships, [*_memberships()]
    yield profile_links, [_link(number) for number in sorted(linked)]
    yield rooms, [{"id": number, "organization_id": SCHOOL} for number in range(1, CHATS + 1)]
    yield chats, [_chat(number) for number in range(1, CHATS + 1)]
    yield participations, [*_participations(choose, linked)]
    all_calls = [*_calls()]
    yield calls, all_calls
    yield events, [_publication(call) for call in all_calls if call["published_event"]]


def _school() -> dict[str, Any]:
    return {
        "id": SCHOOL,
        "source_id": "school",
        "name": "Школа № 7",
        "time_zone": "Asia/Yekaterinburg",
        "locale": "ru",
        "preset": PRESET,
        "policy": PRESETS[PRESET].document(),
        "last_event": 2 * CHATS,
        "imported_at": NO_NIGHT_YET,
    }


def _person(number: int) -> dict[str, Any]:
    name, login = f"{NAMES[number % len(NAMES)]} {number}", f"person.{number}"
    return {
        "id": number,
        "organization_id": SCHOOL,
        "source_id": f"u{number}",
        "login": login,
        "name": name,
        "search_key": fold(f"{name} {login}"),
        "created_at": NOW,
    }


def _groups() -> Iterator[dict[str, Any]]:
    """The school is group 1, then classes, then as many subgroups."""
    yield _group(1, GroupKind.ORGANIZATION, "Школа № 7", source="org", parent=None)
    for place in range(CLASSES):
        yield _group(2 + place, GroupKind.CLASS, _class(place))
    for place in range(CLASSES):
        yield _group(2 + CLASSES + place, GroupKind.SUBGROUP, f"Физика {_class(place)}")


def _group(
    number: int, kind: GroupKind, name: str, *, source: str = "class", parent: int | None = 1
) -> dict[str, Any]:
    return {
        "id": number,
        "organization_id": SCHOOL,
        "source": source,
        "source_id": f"g{number}",
        "kind": kind,
        "name": name,
        "search_key": fold(name),
        "discipline": "Физика" if kind is GroupKind.SUBGROUP else None,
        "parent_id": parent,
    }


def _class(place: int) -> str:
    return f"{1 + place % 11}{'АБВГДЕЖЗ'[place // 11]}"


def _memberships() -> Iterator[dict[str, Any]]:
    """Everybody in the school; a teacher curates a class and teaches its subgroup; the others learn in both."""
    for number in range(1, PEOPLE + 1):
        teaches = number <= TEACHERS
        yield _membership(number, 1, Position.TEACHER if teaches else Position.LEARNER)
        a_class = 2 + number % CLASSES
        yield _membership(number, a_class, Position.CURATOR if teaches else Position.LEARNER)
        yield _membership(number, a_class + CLASSES, Position.TEACHER if teaches else Position.LEARNER)


def _membership(user: int, group: int, position: Position) -> dict[str, Any]:
    return {
        "organization_id": SCHOOL,
        "user_id": user,
        "group_id": group,
        "position": position,
        "since": NOW,
    }


def _link(user: int) -> dict[str, Any]:
    account = {"provider": "builtin", "account": f"person.{user}"}
    return {"organization_id": SCHOOL, "user_id": user, "linked_at": NOW, **account}


def _chat(number: int) -> dict[str, Any]:
    """A chat for all of each class, for its parents and for its subgroup, then chats that people made."""
    turn, place = divmod(number - 1, CLASSES)
    kinds = (ChatKind.GROUP, ChatKind.PARENTS, ChatKind.SUBGROUP, ChatKind.CUSTOM)
    names = (_class(place), f"Родители, {_class(place)}", f"Физика {_class(place)}", f"Théâtre {number}")
    groups_of = (2 + place, 2 + place, 2 + CLASSES + place, None)
    return {
        "id": number,
        "organization_id": SCHOOL,
        "kind": kinds[turn],
        "group_id": groups_of[turn],
        "name": names[turn],
        "search_key": fold(names[turn]),
        "url": f"/messenger/chats/{number:022}",
        "created_at": NOW,
    }


def _participations(choose: Random, linked: set[int]) -> Iterator[dict[str, Any]]:
    """Thirty per chat; the viewer in some of each kind."""
    of_viewer = set(range(1, CHATS + 1, CHATS // CHATS_OF_VIEWER)[:CHATS_OF_VIEWER])
    for chat in range(1, CHATS + 1):
        people = choose.sample(range(2, PEOPLE + 1), IN_A_CHAT)
        if chat in of_viewer:
            people[chat % IN_A_CHAT] = VIEWER
        for place, person in enumerate(people):
            administers = place == 0 if person != VIEWER else chat % 2 == 0
            yield {
                "organization_id": SCHOOL,
                "room_id": chat,
                "user_id": person,
                "is_administrator": administers,
                "is_linked": person in linked,
                "joined_at": NOW,
                "joined_event": chat,
            }


def _calls() -> Iterator[dict[str, Any]]:
    """In every chat a finished call and a created one; in every third one a published one besides."""
    for chat in range(1, CHATS + 1):
        yield _call(chat, CallStatus.FINISHED, event=chat)
        yield _call(chat, CallStatus.CREATED, event=None)
        if chat % 3 == 0:
            yield _call(chat, CallStatus.PUBLISHED, event=CHATS + chat)


def _call(chat: int, status: CallStatus, *, event: int | None) -> dict[str, Any]:
    titles = {CallStatus.FINISHED: "Консультация", CallStatus.CREATED: "Réunion"}
    return {
        "organization_id": SCHOOL,
        "chat_id": chat,
        "title": f"{titles.get(status, 'Классный час')} {chat}",
        "starts_at": NOW + timedelta(days=[*CallStatus].index(status) * 7, minutes=chat),
        "status": status,
        "last_actor_id": VIEWER,
        "last_acted_at": NOW,
        "published_event": event,
        "url": f"/messenger/calls/{chat:022}",
        "created_at": NOW,
    }


def _publication(call: dict[str, Any]) -> dict[str, Any]:
    return {
        "organization_id": SCHOOL,
        "number": call["published_event"],
        "kind": EventKind.CALL_PUBLISHED,
        "chat_id": call["chat_id"],
        "at": NOW,
    }
