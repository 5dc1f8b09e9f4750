"""Who is on the stage? Two schools, and in them somebody for each relation and each position.

A person holds one position of the organization, and whatever else the relation asks for. People of different
relations have nothing to do with each other.
"""

from collections.abc import Iterable

from sqlalchemy import insert, select, update

from models.actor import Actor, Viewer, actor
from models.authorization.rule import EVERYBODY, Kind, Relation
from models.authorization.tried import KNOBS, PRESET
from models.database import Transaction
from models.groups import rebuild_tree
from models.links import link
from models.organization import found
from models.presets import PRESETS
from models.search_words import keep_words
from models.tables.organization import organizations
from models.tables.people import GroupKind, Position, groups, memberships, users
from models.text import fold

Case = tuple[Kind, Relation, Position]
"""How somebody stands to something, and at which position of the organization."""

POLICY = PRESETS[PRESET].with_knobs(dict(KNOBS))

SCHOOL, NEXT_DOOR = "Here", "Next door"


class Cast:
    """What is known of the stage: who stands like this to which thing. Ids are those of the API."""

    def __init__(self) -> None:
        self.people: dict[Case, Viewer] = {}
        self.logins: dict[int, str] = {}
        self.things: dict[Case, str] = {}
        self.more: dict[tuple[str, Case], str] = {}
        """What else a case needs, by what it is for."""

    def put(self, case: Case, who: Viewer, thing: str, **more: str) -> None:
        assert case not in self.people, case
        self.people[case], self.things[case] = who, thing
        for name, id_ in more.items():
            self.more[name, case] = id_


class Schools:
    """The two schools while they are made, in one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx
        self.groups: dict[str, int] = {}
        self.here, self.next_door = (self._organization(name) for name in (SCHOOL, NEXT_DOOR))
        self.group("everyone", GroupKind.CYCLE)
        self.keeper = self.person("keeper", Position.ADMINISTRATOR)
        """Has made what there is: reaches everybody, and administers whatever can be administered."""
        self.join("everyone", Position.ADMINISTRATOR, self.keeper)

    def person(self, login: str, position: Position, *, is_linked: bool = True, of: int | None = None) -> Viewer:
        """Somebody at this position of the organization whom the keeper reaches."""
        organization = of or self.here
        texts = {"source_id": login, "login": login, "name": f"Somebody {login}", "search_key": fold(login)}
        row = {"organization_id": organization, "created_at": self.tx.now, **texts}
        number = int(self.tx.execute(insert(users).returning(users.c.id), row).scalar_one())
        who = Viewer(number, organization)
        self.join(SCHOOL if organization == self.here else NEXT_DOOR, position, who)
        if organization == self.here and login != "keeper":
            self.join("everyone", Position.GUARDIAN, who)
        if is_linked:
            link(self.tx, organization, number, f"account of {login}")
        keep_words(self.tx, organization, [number])
        return who

    def each_position(self, scene: str, relation: Relation) -> dict[Position, Viewer]:
        """One person at each position, of the other school where the relation is that."""
        of = self.next_door if relation is Relation.OTHER_SCHOOL else self.here
        is_linked = relation is not Relation.UNLINKED
        return {
            position: self.person(
                f"{scene}.{relation.name}.{position.name}".lower(), position, is_linked=is_linked, of=of
            )
            for position in EVERYBODY
        }

    def group(self, name: str, kind: GroupKind, *, parent: str = SCHOOL) -> int:
        of = self.next_door if parent == NEXT_DOOR else self.here
        row = {
            "organization_id": of,
            "kind": kind,
            "name": name,
            "search_key": fold(name),
            "source": "class",
            "source_id": name,
            "parent_id": self.groups[parent],
        }
        self.groups[name] = int(self.tx.execute(insert(groups).returning(groups.c.id), row).scalar_one())
        rebuild_tree(self.tx, of)
        return self.groups[name]

    def join(self, group: str, position: Position, *people: Viewer) -> None:
        for who in people:
            row = {"user_id": who.id, "group_id": self.groups[group], "position": position, "since": self.tx.now}
            self.tx.execute(insert(memberships), {"organization_id": who.organization_id, **row})

    def deactivate(self, *people: Viewer) -> None:
        numbers = [who.id for who in people]
        self.tx.execute(update(users).where(users.c.id.in_(numbers)).values(deactivated_at=self.tx.now))

    def actor(self, who: Viewer) -> Actor:
        return actor(self.tx, who)

    def last_event(self) -> int:
        number = select(organizations.c.last_event).where(organizations.c.id == self.here)
        return int(self.tx.execute(number).scalar_one())

    def _organization(self, name: str) -> int:
        number = found(
            self.tx,
            source_id=name,
            name=name,
            time_zone="Europe/Paris",
            locale="en",
            preset=PRESET,
            policy=POLICY,
        )
        row = {
            "organization_id": number,
            "kind": GroupKind.ORGANIZATION,
            "name": name,
            "search_key": fold(name),
            "source": "org",
            "source_id": name,
        }
        self.groups[name] = int(self.tx.execute(insert(groups).returning(groups.c.id), row).scalar_one())
        rebuild_tree(self.tx, number)
        return number


def numbers_of(people: Iterable[Viewer]) -> list[int]:
    return [who.id for who in people]


def said(case: Case) -> str:
    """The case in a word each."""
    return " ".join(each.name for each in case)
