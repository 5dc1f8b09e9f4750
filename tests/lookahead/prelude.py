"""What has happened at the schools before they are asked? Chats and calls of every kind and state; what people
have written is in `writing`.

Through the rules, as the people themselves; what only a roster can do (somebody goes, a group ends) is written
as an afternoon's import leaves it, before any night has made up for it. Made once per test run, then copied.
"""

from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Table, insert, select, update

from jobs.demo.story import tell
from models.actor import Actor, actor
from models.calls import create_call, delete_call, finish, finish_call, publish_call, update_call
from models.chats import (
    add_participants,
    create_chat,
    delete_chat,
    mark_chats_seen,
    remove_participants,
    rename_chat,
    set_administrator,
)
from models.database import Database, Transaction
from models.groups import rebuild_tree
from models.links import unlink
from models.tables.calls import calls
from models.tables.chats import ChatKind, chats
from models.tables.people import groups, memberships, users
from tests.engines import copy_of, made_once
from tests.lookahead.writing import Writing
from tests.school import (
    ADMINISTRATOR,
    CLASS_9A,
    CLASS_9B,
    CLASS_10A,
    CLASS_11A,
    CURATOR_9A,
    CURATOR_9B,
    CURATOR_10A,
    DIRECTOR,
    ENGLISH_9A_1,
    ENGLISH_9A_2,
    GUARDIAN_9A,
    GUARDIAN_OF_TWO,
    HISTORY_11A,
    LEARNER_7V,
    LEARNER_9A,
    LEARNER_9B,
    LEARNER_UNLINKED,
    LIBRARIAN,
    MATH_9A,
    MATH_10A,
    NAMESAKE_10A,
    NEXT_DOOR,
    NEXT_DOOR_ADMINISTRATOR,
    NEXT_DOOR_CURATOR,
    NEXT_DOOR_GUARDIAN,
    NEXT_DOOR_LEARNER,
    NEXT_DOOR_TEACHER,
    NOW,
    OTHER_CURATOR_11A,
    OTHER_LEARNER_9A,
    PSYCHOLOGIST,
    SCHOOL,
    SECRETARY,
    TEACHER,
    TEACHER_AND_GUARDIAN,
    TEACHER_OF_TWO,
    TEACHER_UNLINKED,
    TEACHER_WITHOUT_SUBGROUP,
    build_school,
    school_database,
    viewer,
)

OTHER_TEACHER_OF_ENGLISH = "teacher.english.2"

AWKWARD_NAMES = (
    "Клуб",
    "клуб",  # the same when folded: only the number tells them apart
    "100% готово_к \\ выпуску",
    'Кружок "Ёж & Ёлка" <b>',
    "Éléonore à la fête 🎉",
    "Йога",
    "Итоги",
)
"""What searching, sorting and JSON may stumble over."""


def build_lively_school(path: Path) -> Database:
    """Both schools in the middle of a lively week, in a new database file at this path."""
    return school_database(copy_of(_made_once(), path.parent, path.stem, kept=True))


@cache
def _made_once() -> str:
    directory = made_once("lively")
    database = build_school(directory / "school.db", kept=True)
    with database.transaction() as tx:
        tell(tx)
        _Week(tx, database, SCHOOL).at_gorizont()
        _Week(tx, database, NEXT_DOOR).at_tilleuls()
    return database.url


class _Week:
    """One school's week: people by login, groups by name, and what they do."""

    def __init__(self, tx: Transaction, database: Database, school: str) -> None:
        self._tx = tx
        self._database = database
        self._school = school

    def at_gorizont(self) -> None:
        self._calls_of_mandatory_chats()
        self._chats_of_subgroups()
        self._chats_of_the_administrator()
        self._writing().at_gorizont()
        self._roster()
        unlink(self._tx, self._as(CURATOR_9B))

    def at_tilleuls(self) -> None:
        """Other knobs: only addresses need a link, and calls are shown once they are published."""
        curator, teacher = self._as(NEXT_DOOR_CURATOR), self._as(NEXT_DOOR_TEACHER)
        families = self._mandatory("3e A", ChatKind.PARENTS)
        self._call(curator, families, "Préparer", days=1)
        self._published(curator, families, "Réunion de rentrée", days=2)
        mine = self._subgroup_chat(teacher, "Anglais 3e A", "English, 3e A")
        self._finished(teacher, mine, "First talk", days=-1)
        everybody = (NEXT_DOOR_LEARNER, NEXT_DOOR_GUARDIAN, NEXT_DOOR_TEACHER)
        custom = self._custom(NEXT_DOOR_ADMINISTRATOR, "Fête de l'école", everybody)
        self._published(self._as(NEXT_DOOR_ADMINISTRATOR), custom, "Préparation", days=3)
        writing = self._writing()
        writing.set_knobs(
            {"linkRequirement": "JOIN", "callVisibility": "PUBLISHED_ONLY", "chatKinds": ["GROUP", "CUSTOM"]}
        )
        writing.at_tilleuls()

    # ------------------------------------------------------------------------------ at the main school

    def _calls_of_mandatory_chats(self) -> None:
        curator = self._as(CURATOR_9A)
        chat = self._mandatory(CLASS_9A, ChatKind.GROUP)
        for number in range(4):
            self._finished(curator, chat, f"Урок {number}", days=-number)
        for title in ("Родительский час", "Субботник", "Экскурсия"):
            self._call(curator, chat, title, days=2)  # three at one moment: the number orders them
        self._published(curator, chat, "Литература", days=1)
        delete_call(self._tx, curator, self._call(curator, chat, "Ошибка", days=5))
        changed = self._call(curator, chat, "Физика", days=3)
        moved = NOW + timedelta(days=4)
        update_call(self._tx, curator, changed, title="Химия", starts_at=moved)
        families = self._mandatory(CLASS_9A, ChatKind.PARENTS)
        self._published(self._as(ADMINISTRATOR), families, "Собрание", days=0)
        for who in (LEARNER_9A, GUARDIAN_9A, CURATOR_9A):
            mark_chats_seen(self._tx, self._as(who), None)
        over = self._published(
            self._as(OTHER_CURATOR_11A), self._mandatory(CLASS_11A, ChatKind.GROUP), "ЕГЭ", days=-1
        )
        finish(self._tx, self._row(calls, over), by=None)  # the night did it
        self._published(self._as(CURATOR_9B), self._mandatory(CLASS_9B, ChatKind.GROUP), "Поход", days=2)
        staff = self._mandatory(SCHOOL, ChatKind.TEACHERS)
        self._published(self._as(DIRECTOR), staff, "Педсовет", days=0)
        self._finished(self._as(CURATOR_10A), self._mandatory(CLASS_10A, ChatKind.PARENTS), "Встреча", days=-3)

    def _chats_of_subgroups(self) -> None:
        teacher = self._as(TEACHER_OF_TWO)
        algebra = self._subgroup_chat(teacher, MATH_9A, "Алгебра")
        self._subgroup_chat(teacher, MATH_9A, "Геометрия")
        self._published(teacher, algebra, "Разбор задач", days=1)
        self._call(teacher, algebra, "Контрольная", days=1)
        remove_participants(self._tx, teacher, algebra, [self._number(OTHER_LEARNER_9A)])
        self._call(teacher, algebra, "Без него", days=2)
        add_participants(self._tx, teacher, algebra, [self._number(OTHER_LEARNER_9A)])
        remove_participants(self._tx, teacher, algebra, [self._number(LEARNER_UNLINKED)])
        set_administrator(self._tx, teacher, algebra, self._number(LEARNER_9A), is_administrator=True)
        rename_chat(self._tx, teacher, self._subgroup_chat(teacher, MATH_10A, "Черновик"), "Математика, 10А")
        english = self._subgroup_chat(self._as(TEACHER), ENGLISH_9A_1, "English club")
        self._finished(self._as(TEACHER), english, "Small talk", days=-2)
        self._subgroup_chat(self._as(OTHER_TEACHER_OF_ENGLISH), ENGLISH_9A_2, "English, the others")
        history = self._subgroup_chat(self._as(DIRECTOR), HISTORY_11A, "История России")
        self._call(self._as(DIRECTOR), history, "Лекция", days=6)

    def _chats_of_the_administrator(self) -> None:
        people = (CURATOR_9A, LEARNER_9A, GUARDIAN_OF_TWO, LEARNER_UNLINKED, PSYCHOLOGIST, LIBRARIAN)
        for number, title in enumerate(AWKWARD_NAMES):
            chat = self._custom(ADMINISTRATOR, title, people[number % 3 :])
            if number % 2:
                self._published(self._as(ADMINISTRATOR), chat, f"Обсудить: {title}", days=number)
        gone = self._custom(ADMINISTRATOR, "Прошлый выпуск", (LEARNER_9B, CURATOR_9A))
        self._published(self._as(ADMINISTRATOR), gone, "Прощание", days=1)
        delete_chat(self._tx, self._as(ADMINISTRATOR), gone)
        alone = self._custom(ADMINISTRATOR, "Без хозяина", (SECRETARY, TEACHER_WITHOUT_SUBGROUP, LEARNER_7V))
        set_administrator(self._tx, self._as(ADMINISTRATOR), alone, self._number(SECRETARY), is_administrator=True)
        remove_participants(self._tx, self._as(ADMINISTRATOR), alone, [self._number(ADMINISTRATOR)])
        self._published(self._as(SECRETARY), alone, "Последний звонок", days=9)
        unlinked = self._custom(DIRECTOR, "Техника", (TEACHER_UNLINKED, TEACHER_AND_GUARDIAN))
        set_administrator(
            self._tx, self._as(DIRECTOR), unlinked, self._number(TEACHER_UNLINKED), is_administrator=True
        )

    def _roster(self) -> None:
        """The secretary and a learner are gone, and so is a subgroup; two classes belong to a department."""
        for login in (SECRETARY, NAMESAKE_10A):
            gone = self._number(login)
            self._tx.execute(update(users).where(users.c.id == gone).values(deactivated_at=self._tx.now))
            self._end_memberships(memberships.c.user_id == gone)
        subgroup = self._group(ENGLISH_9A_2)
        self._tx.execute(update(groups).where(groups.c.id == subgroup).values(ended_at=self._tx.now))
        self._end_memberships(memberships.c.group_id == subgroup)
        kept = self._row(groups, self._group(SCHOOL))
        department = self._tx.execute(
            insert(groups)
            .values(
                organization_id=kept.organization_id,
                source="org",
                source_id="department:senior",
                kind="DEPARTMENT",
                name="Старшая школа",
                search_key="старшая школа",
                parent_id=kept.id,
            )
            .returning(groups.c.id)
        ).scalar_one()
        for name in (CLASS_10A, CLASS_11A):
            self._tx.execute(update(groups).where(groups.c.id == self._group(name)).values(parent_id=department))
        rebuild_tree(self._tx, kept.organization_id)

    # --------------------------------------------------------------------------------------- the words

    def _call(self, by: Actor, chat: int, title: str, *, days: int) -> int:
        starts: datetime = NOW + timedelta(days=days, hours=2)
        return create_call(self._tx, by, chat_id=chat, title=title, starts_at=starts, idempotency_key=None)

    def _published(self, by: Actor, chat: int, title: str, *, days: int) -> int:
        call = self._call(by, chat, title, days=days)
        publish_call(self._tx, by, call)
        return call

    def _finished(self, by: Actor, chat: int, title: str, *, days: int) -> int:
        call = self._published(by, chat, title, days=days)
        finish_call(self._tx, by, call)
        return call

    def _subgroup_chat(self, by: Actor, group: str, title: str) -> int:
        return create_chat(
            self._tx,
            by,
            kind=ChatKind.SUBGROUP,
            title=title,
            group_id=self._group(group),
            participant_ids=None,
            idempotency_key=None,
        )

    def _custom(self, by: str, title: str, people: tuple[str, ...]) -> int:
        return create_chat(
            self._tx,
            self._as(by),
            kind=ChatKind.CUSTOM,
            title=title,
            group_id=None,
            participant_ids=[self._number(login) for login in people],
            idempotency_key=None,
        )

    def _writing(self) -> Writing:
        def person(tx: Transaction, login: str) -> Actor:
            return actor(tx, viewer(self._database, login, self._school))

        return Writing(self._tx, self._school, person, self._group)

    def _as(self, login: str) -> Actor:
        return actor(self._tx, viewer(self._database, login, self._school))

    def _number(self, login: str) -> int:
        return int(viewer(self._database, login, self._school).id)

    def _group(self, name: str) -> int:
        return int(self._tx.execute(select(groups.c.id).where(groups.c.name == name)).scalar_one())

    def _mandatory(self, group: str, kind: ChatKind) -> int:
        found = select(chats.c.id).where(chats.c.group_id == self._group(group), chats.c.kind == kind)
        return int(self._tx.execute(found).scalar_one())

    def _row(self, table: Table, number: int) -> Any:
        return self._tx.execute(select(table).where(table.c.id == number)).one()

    def _end_memberships(self, whose: ColumnElement[bool]) -> None:
        held = update(memberships).where(whose, memberships.c.until.is_(None))
        self._tx.execute(held.values(until=self._tx.now))
