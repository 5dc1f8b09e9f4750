"""What has happened at the demo schools already? People linked their profiles; chats and calls were made.

Everything goes through the rules, as the people themselves. The main school leaves the chats of 9А without a
published call, so that whoever tries the program can publish one there.
"""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import literal, select

from jobs.demo.gorizont import GORIZONT, IN_11A
from jobs.demo.roster_set import School, class_id
from jobs.demo.tilleuls import TILLEULS
from models.actor import Actor, Viewer, actor
from models.calls import create_call, finish_call, publish_call
from models.chats import create_chat
from models.database import Transaction
from models.links import link
from models.tables.chats import ChatKind, chats
from models.tables.events import idempotency_keys
from models.tables.organization import organizations
from models.tables.people import groups, users

UNLINKED = frozenset(
    {
        "learner.9a.7",
        "learner.10a.5",
        "guardian.9a.5",
        "guardian.9b.3",
        "teacher.physics",
        "psychologist",
        "eleve.3a.4",
        "parent.4b.2",
        "prof.russe",
    }
)
"""Who has no account in the messenger (E41); everybody else of the demo schools has."""

TOLD = "demo:"
"""What the idempotency keys of the story begin with: each of its chats and calls is made once, for ever."""


def link_people(tx: Transaction, school: School) -> None:
    """Everybody at this school but the unlinked ones."""
    organization_id = _organization(tx, school)
    people = select(users.c.id, users.c.login).where(users.c.organization_id == organization_id)
    for person in tx.execute(people.order_by(users.c.id)).all():
        if person.login not in UNLINKED:
            link(tx, organization_id, person.id, f"demo:{person.login}")


def is_told(tx: Transaction) -> bool:
    """Whether the story has happened here."""
    keys = idempotency_keys.c
    made = (
        select(literal(1))
        .select_from(idempotency_keys.join(organizations, organizations.c.id == keys.organization_id))
        .where(organizations.c.source_id == GORIZONT.source_id, keys.key.startswith(TOLD))
    )
    return tx.execute(made.limit(1)).first() is not None


def tell(tx: Transaction) -> None:
    """Chats and calls at both schools, after their first night."""
    _at_gorizont(tx)
    _at_tilleuls(tx)


def _at_gorizont(tx: Transaction) -> None:
    school = _Telling(tx, GORIZONT)
    school.call("curator.9a", "9a", ChatKind.GROUP, "Классный час", days=2, at=time(15))
    school.call("curator.9a", "9a", ChatKind.PARENTS, "Родительское собрание", days=6, at=time(18, 30))
    school.call("curator.9b", "9b", ChatKind.GROUP, "Экскурсия в музей", days=4, at=time(13, 30))
    exam = school.call("curator.10a", "10a", ChatKind.GROUP, "Подготовка к экзамену", days=3, at=time(16))
    publish_call(tx, school.person("curator.10a"), exam)
    over = school.call("curator.11a", "11a", ChatKind.PARENTS, "Итоги четверти", days=0, at=time(8))
    publish_call(tx, school.person("curator.11a"), over)
    finish_call(tx, school.person("curator.11a"), over)
    school.call("admin", None, ChatKind.TEACHERS, "Педагогический совет", days=1, at=time(14))
    school.chat("teacher.math", ChatKind.SUBGROUP, "Олимпиада по математике", key="math.9a")
    school.chat("admin", ChatKind.CUSTOM, "Выпускной вечер", people=("curator.11a", *IN_11A))


def _at_tilleuls(tx: Transaction) -> None:
    school = _Telling(tx, TILLEULS)
    school.call("pp.3a", "3a", ChatKind.PARENTS, "Réunion parents-professeurs", days=5, at=time(18, 30))
    outing = school.call("pp.4b", "4b", ChatKind.GROUP, "Préparer la sortie au théâtre", days=2, at=time(17))
    publish_call(tx, school.person("pp.4b"), outing)


class _Telling:
    """One school while its story is told: people by login, groups by key, times of its own days."""

    def __init__(self, tx: Transaction, school: School) -> None:
        self._tx = tx
        self._id = _organization(tx, school)
        self._zone = ZoneInfo(school.time_zone)

    def person(self, login: str) -> Actor:
        return actor(self._tx, Viewer(self._number(login), self._id))

    def call(self, login: str, key: str | None, kind: ChatKind, title: str, *, days: int, at: time) -> int:
        """A call that this person creates, so many days from now at this local time."""
        day = self._tx.now.astimezone(self._zone).date() + timedelta(days=days)
        return create_call(
            self._tx,
            self.person(login),
            chat_id=self._mandatory_chat(key, kind),
            title=title,
            starts_at=datetime.combine(day, at, self._zone),
            idempotency_key=TOLD + title,
        )

    def chat(
        self, login: str, kind: ChatKind, title: str, *, key: str | None = None, people: tuple[str, ...] = ()
    ) -> int:
        return create_chat(
            self._tx,
            self.person(login),
            kind=kind,
            title=title,
            group_id=None if key is None else self._group(key),
            participant_ids=[self._number(one) for one in people] or None,
            idempotency_key=TOLD + title,
        )

    def _number(self, login: str) -> int:
        found = select(users.c.id).where(users.c.organization_id == self._id, users.c.login == login)
        return int(self._tx.execute(found).scalar_one())

    def _group(self, key: str) -> int:
        found = select(groups.c.id).where(
            groups.c.organization_id == self._id, groups.c.source == "class", groups.c.source_id == class_id(key)
        )
        return int(self._tx.execute(found).scalar_one())

    def _mandatory_chat(self, key: str | None, kind: ChatKind) -> int:
        """The chat of this kind for the group; for the organization itself without a key."""
        found = select(chats.c.id).where(
            chats.c.organization_id == self._id, chats.c.kind == kind, chats.c.ended_at.is_(None)
        )
        if key is not None:
            found = found.where(chats.c.group_id == self._group(key))
        return int(self._tx.execute(found).scalar_one())


def _organization(tx: Transaction, school: School) -> int:
    found = select(organizations.c.id).where(organizations.c.source_id == school.source_id)
    return int(tx.execute(found).scalar_one())
