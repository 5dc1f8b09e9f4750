"""A school small enough to count by hand: tests write its roster row by row and look at its chats.

People are known by their login, groups by their name.
"""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select, update

from jobs.night import Night, Unfinished, run_night
from models.actor import Actor, Viewer, actor
from models.database import Clock, Database, Transaction
from models.groups import rebuild_tree
from models.migrate import migrate
from models.organization import Organization, organization
from models.policy import Policy
from models.presets import PRESETS
from models.tables import metadata
from models.tables.calls import CallStatus, calls
from models.tables.chats import ChatKind, chats, participations
from models.tables.events import events, outbox
from models.tables.organization import organizations
from models.tables.people import GroupKind, Position, groups, memberships, users
from models.text import fold
from tests.engines import OF_WRITERS, new_url
from tests.school import Heard

MONDAY = datetime(2026, 9, 7, 5, 0, tzinfo=UTC)
"""Ten in the morning in Yekaterinburg (UTC+5, the clocks never change)."""

DIRECTORY = {
    Position.CURATOR: Position.TEACHER,
    Position.TEACHER: Position.TEACHER,
    Position.LEARNER: Position.LEARNER,
    Position.GUARDIAN: Position.GUARDIAN,
}
"""At which position somebody new in a group stands at the organization, as a roster's import would have it."""

Chats = dict[tuple[str, str], dict[str, bool]]
"""(kind, group or else the chat's name) -> login -> whether chat administrator."""


class Watch:
    """A clock that stands still until it is set, and counts how often it is asked."""

    def __init__(self, now: datetime = MONDAY) -> None:
        self.now = now
        self.asked = 0

    def __call__(self) -> datetime:
        self.asked += 1
        return self.now


def database_at(path: Path, clock: Clock, *, kept: bool = False) -> Database:
    database = Database(new_url(path, kept=kept), messenger=Heard("x" * 40), clock=clock)
    migrate(database.engine)
    return database


def dump(database: Database, *, without: tuple[str, ...] = ()) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table: equal dumps mean that nothing was written."""
    with database.engine.connect() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in metadata.tables.values()
            if table.name not in (*without, OF_WRITERS)
        }


class SmallSchool:
    """One organization and its roster. Every change is a transaction of its own, at the clock's moment."""

    def __init__(
        self,
        database: Database,
        name: str = "School",
        *,
        time_zone: str = "Asia/Yekaterinburg",
        locale: str = "en",
        policy: Policy = PRESETS["EPOS_SCHOOL"],
    ) -> None:
        self.database = database
        self.people: dict[str, int] = {}
        self.groups: dict[str, int] = {}
        with database.transaction() as tx:
            values = {"name": name, "time_zone": time_zone, "locale": locale, "preset": "EPOS_SCHOOL"}
            self.id = _key(
                tx,
                organizations,
                source_id=f"org-{name}",
                policy=policy.document(),
                imported_at=tx.now,
                **values,
            )
        self.group(name, GroupKind.ORGANIZATION)
        self.name = name

    # ------------------------------------------------------------------------------------ the roster

    def group(self, name: str, kind: GroupKind = GroupKind.CLASS) -> int:
        with self.database.transaction() as tx:
            source = "org" if kind is GroupKind.ORGANIZATION else "class"
            texts = {"name": name, "search_key": fold(name), "source": source, "source_id": name}
            self.groups[name] = _key(tx, groups, organization_id=self.id, kind=kind, **texts)
            rebuild_tree(tx, self.id)
        return self.groups[name]

    def person(self, login: str, *positions: Position) -> int:
        """Somebody at these positions of the organization."""
        with self.database.transaction() as tx:
            texts = {"source_id": login, "login": login, "name": login.title(), "search_key": login}
            self.people[login] = _key(tx, users, organization_id=self.id, created_at=tx.now, **texts)
        for position in positions:
            self.join(self.name, position, login)
        return self.people[login]

    def join(self, group: str, position: Position, *logins: str) -> None:
        """They are at this position of the group now; who is new comes into the organization first."""
        for login in logins:
            if login not in self.people:
                self.person(login, DIRECTORY[position])
            values = {"user_id": self.people[login], "group_id": self.groups[group], "position": position}
            with self.database.transaction() as tx:
                tx.execute(insert(memberships).values(organization_id=self.id, since=tx.now, **values))

    def leave(self, group: str, position: Position, *logins: str) -> None:
        people = [self.people[login] for login in logins]
        with self.database.transaction() as tx:
            tx.execute(
                update(memberships)
                .where(
                    memberships.c.group_id == self.groups[group],
                    memberships.c.position == position,
                    memberships.c.user_id.in_(people),
                    memberships.c.until.is_(None),
                )
                .values(until=tx.now)
            )

    def end_person(self, login: str) -> None:
        """Memberships stay as they are: being active is asked for itself."""
        self._set(users, self.people[login], deactivated_at=self.database.clock())

    def end_group(self, name: str) -> None:
        self._set(groups, self.groups[name], ended_at=self.database.clock())

    def change_group(self, group: str, **values: Any) -> None:
        self._set(groups, self.groups[group], **values)

    def change(self, **values: Any) -> None:
        """Of the organization itself."""
        self._set(organizations, self.id, **values)

    # -------------------------------------------------------------------------------- what it becomes

    def night(self, day: date) -> Night | None:
        with self.database.transaction() as tx:
            night = run_night(tx, organization(tx, self.id), day, clock=self.database.clock)
        assert not isinstance(night, Unfinished)
        return night

    def chats(self) -> Chats:
        """The chats that have not ended, with who takes part in each."""
        with self.database.engine.connect() as connection:
            live = connection.execute(
                select(chats.c.id, chats.c.kind, func.coalesce(groups.c.name, chats.c.name).label("of"))
                .outerjoin(groups, groups.c.id == chats.c.group_id)
                .where(chats.c.organization_id == self.id, chats.c.ended_at.is_(None))
            ).all()
            found: Chats = {(chat.kind, chat.of): {} for chat in live}
            assert len(found) == len(live), "two chats of one kind for one group"
            for chat in live:
                taking_part = connection.execute(
                    select(users.c.login, participations.c.is_administrator)
                    .join(participations, participations.c.user_id == users.c.id)
                    .where(participations.c.room_id == chat.id, participations.c.left_at.is_(None))
                ).all()
                found[chat.kind, chat.of] = {row.login: row.is_administrator for row in taking_part}
        return found

    def names(self) -> dict[tuple[str, str], str]:
        """(kind, group) -> the name of its chat."""
        with self.database.engine.connect() as connection:
            rows = connection.execute(
                select(chats.c.kind, groups.c.name.label("of"), chats.c.name)
                .join(groups, groups.c.id == chats.c.group_id)
                .where(chats.c.organization_id == self.id, chats.c.ended_at.is_(None))
            )
            return {(row.kind, row.of): row.name for row in rows}

    def chat_id(self, kind: ChatKind, group: str) -> int:
        """The newest chat of this kind and group, or with this name; ended ones as well."""
        with self.database.engine.connect() as connection:
            return int(
                connection.execute(
                    select(func.max(chats.c.id))
                    .outerjoin(groups, groups.c.id == chats.c.group_id)
                    .where(
                        chats.c.organization_id == self.id,
                        chats.c.kind == kind,
                        func.coalesce(groups.c.name, chats.c.name) == group,
                    )
                ).scalar_one()
            )

    def events(self) -> list[tuple[str, int | None, int | None]]:
        """(kind, chat, call), in order."""
        rows = self._of(events, events.c.number)
        return [(row.kind, row.chat_id, row.call_id) for row in rows]

    def told(self) -> list[tuple[str, int | None, int | None]]:
        """What the messenger is told: (command, chat, call), in order."""
        rows = self._of(outbox, outbox.c.id)
        return [(row.command, row.chat_id, row.call_id) for row in rows]

    def call(self, chat_id: int, starts_at: datetime, status: CallStatus = CallStatus.PUBLISHED) -> int:
        """A call as the rules would have left it."""
        with self.database.transaction() as tx:
            published = None if status is CallStatus.CREATED else 0
            times = {"starts_at": starts_at, "last_acted_at": tx.now, "created_at": tx.now}
            texts = {"title": "Call", "status": status}
            return _key(
                tx, calls, organization_id=self.id, chat_id=chat_id, published_event=published, **times, **texts
            )

    def change_call(self, call_id: int, **values: Any) -> None:
        self._set(calls, call_id, **values)

    def actor(self, tx: Transaction, login: str) -> Actor:
        return actor(tx, Viewer(self.people[login], self.id))

    def known(self) -> Organization:
        with self.database.transaction() as tx:
            return organization(tx, self.id)

    def _of(self, table: Any, order: Any) -> list[Any]:
        with self.database.engine.connect() as connection:
            rows = connection.execute(select(table).where(table.c.organization_id == self.id).order_by(order))
            return list(rows.all())

    def _set(self, table: Any, key: int, **values: Any) -> None:
        with self.database.transaction() as tx:
            tx.execute(update(table).where(table.c.id == key).values(**values))


def _key(tx: Transaction, table: Any, **values: Any) -> int:
    return int(tx.execute(insert(table).values(**values).returning(table.c.id)).scalar_one())
