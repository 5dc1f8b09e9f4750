"""Whom and what does one know on the stage? People, groups and audiences, with somebody in every relation."""

from sqlalchemy import insert

from models import audit
from models.actor import Viewer
from models.addresses import Address
from models.authorization.rule import Kind, Relation
from models.chats import change_members, found_chat
from models.conversations import create_group
from models.group_conversations import set_administrator
from models.letters import Letter
from models.mail import send_mail
from models.tables.chats import ChatKind
from models.tables.conversations import Role
from models.tables.people import GroupKind, Position
from models.tables.safeguarding import blocks
from tests.authorization.cast import NEXT_DOOR, Cast, Schools, numbers_of


class Known:
    """The target is known in as many ways as there are; the teacher, in few."""

    def __init__(self, schools: Schools, cast: Cast) -> None:
        self._schools, self._cast, self._tx = schools, cast, schools.tx
        self._people = {relation: schools.each_position("known", relation) for relation in Kind.PERSON.relations}
        self._keeper = schools.actor(schools.keeper)
        self._target = schools.person("target", Position.EXPERT)
        self._former = schools.person("former", Position.GUARDIAN)
        self._teacher = schools.person("some teacher", Position.TEACHER)

    def fill(self) -> None:
        self._groups_that_join()
        self._mail_that_joins()
        self._rooms_of_their_own()
        self._persons()
        self._study()

    # ------------------------------------------------------------------------------------- people

    def _groups_that_join(self) -> None:
        schools = self._schools
        for name, kind in (
            ("reached", GroupKind.CYCLE),
            ("reaching", GroupKind.CYCLE),
            ("left", GroupKind.CYCLE),
            ("course", GroupKind.COURSE),
            ("alone", GroupKind.CLASS),
            ("club", GroupKind.SUBGROUP),
        ):
            schools.group(name, kind)
        schools.join("reached", Position.ADMINISTRATOR, *self._people[Relation.REACHES].values())
        schools.join("reached", Position.GUARDIAN, self._target)
        schools.join("reaching", Position.ADMINISTRATOR, self._target)
        schools.join("reaching", Position.GUARDIAN, *self._people[Relation.REACHED].values())
        schools.join("left", Position.ADMINISTRATOR, *self._people[Relation.FORMER].values())
        schools.join("left", Position.GUARDIAN, self._former)
        schools.deactivate(self._former)
        schools.join("course", Position.LEARNER, self._target, *self._people[Relation.SHARES_GROUP].values())
        schools.join("alone", Position.LEARNER, self._target, self._former)

    def _mail_that_joins(self) -> None:
        for relation, role in ((Relation.SHARES_MESSAGE, Role.TO), (Relation.SHARES_BLINDLY, Role.BCC)):
            addresses = [Address(Role.TO, user_id=who.id) for who in self._people[relation].values()]
            addresses.append(Address(role, user_id=self._target.id))
            letter = Letter(tuple(addresses), "Subject", "Body")
            send_mail(self._tx, self._keeper, letter, draft_id=None, idempotency_key=None)

    def _rooms_of_their_own(self) -> None:
        """Each administers a chat and a conversation, not alone; who shares a room shares these. Next door they
        do the same."""
        own = self._people[Relation.SELF].values()
        next_door = self._schools.person("neighbour", Position.LEARNER, of=self._schools.next_door)
        self._schools.group("club next door", GroupKind.SUBGROUP, parent=NEXT_DOOR)
        for relation, people in self._people.items():
            is_here = relation is not Relation.OTHER_SCHOOL
            others = [self._target, self._teacher] if relation is Relation.SHARES_ROOM else []
            club = "club" if is_here else "club next door"
            self._schools.join(club, Position.TEACHER, *people.values())
            for position, who in people.items():
                beside = self._schools.keeper if is_here else next_door
                roles = {beside.id: True, who.id: True, **dict.fromkeys(numbers_of(others), False)}
                case = (Kind.PERSON, relation, position)
                chat = found_chat(self._tx, who.organization_id, ChatKind.CUSTOM, "Own", None, roles)
                self._cast.more["chat", case] = f"Chat_{chat}"
                self._cast.more["conversation", case] = f"Conversation_{self._conversation(who, others)}"
                self._cast.more["club", case] = f"Group_{self._schools.groups[club]}"
                self._cast.more["group", case] = f"Group_{self._schools.groups['club' if who in own else 'alone']}"

    def _conversation(self, who: Viewer, others: list[Viewer]) -> int:
        """Here the keeper begins it, who reaches everybody."""
        is_here = who.organization_id == self._schools.here
        beginner = self._keeper if is_here else self._schools.actor(who)
        people = numbers_of([who, *others])
        there = create_group(self._tx, beginner, title="Own", participant_ids=people, idempotency_key=None)
        if is_here:
            set_administrator(self._tx, beginner, there, who.id, is_administrator=True)
        return there

    def _persons(self) -> None:
        for relation, people in self._people.items():
            for position, who in people.items():
                target = {Relation.SELF: who, Relation.FORMER: self._former}.get(relation, self._target)
                self._cast.put((Kind.PERSON, relation, position), who, f"User_{target.id}")
                words = {Relation.SELF: f"known.self.{position.name.lower()}", Relation.FORMER: "former"}
                self._cast.more["words", (Kind.PERSON, relation, position)] = words.get(relation, "target")
                if relation is Relation.SELF:
                    self._block(who)
                    self._cast.put((Kind.ONESELF, relation, position), who, f"User_{who.id}")
                if relation in Kind.PERSON_OF_PERSONNEL.relations:
                    self._cast.put((Kind.PERSON_OF_PERSONNEL, relation, position), who, f"User_{self._teacher.id}")
                if relation in Kind.AUDIENCE.relations:
                    audience = f"Audience_{self._schools.groups['reached']}_GUARDIAN"
                    self._cast.put((Kind.AUDIENCE, relation, position), who, audience, words="reached")

    def _block(self, who: Viewer) -> None:
        row = {"user_id": who.id, "blocked_id": self._target.id, "blocked_at": self._tx.now}
        self._tx.execute(insert(blocks), {"organization_id": self._schools.here, **row})

    # ------------------------------------------------------------------------------------- groups

    def _study(self) -> None:
        """A subgroup, with a pupil and a parent in it; and a department. Each has a group below it and a chat, of
        which everybody is who is on this part of the stage."""
        schools = self._schools
        relations = (Relation.TEACHES, Relation.BELONGS, Relation.STRANGER, Relation.OTHER_SCHOOL)
        people = {relation: schools.each_position("study", relation) for relation in relations}
        pupil, parent = (
            schools.person(login, position)
            for login, position in (("pupil", Position.LEARNER), ("parent", Position.GUARDIAN))
        )
        here = [who for relation in relations[:3] for who in people[relation].values()]
        for name, of_kind in (("maths", GroupKind.SUBGROUP), ("arts", GroupKind.DEPARTMENT)):
            schools.group(name, of_kind)
            schools.group(f"below {name}", GroupKind.COURSE, parent=name)
            schools.join(f"below {name}", Position.LEARNER, *here)
            schools.join(name, Position.LEARNER, pupil, *people[Relation.BELONGS].values())
            schools.join(name, Position.GUARDIAN, parent)
        schools.join("maths", Position.TEACHER, *people[Relation.TEACHES].values())
        schools.join("maths", Position.CURATOR, schools.keeper)
        chats = {name: self._chat_of(name, here) for name in ("maths", "arts")}
        for kind, name in ((Kind.GROUP, "maths"), (Kind.GUARDIANS, "maths"), (Kind.LARGER_GROUP, "arts")):
            for relation in kind.relations:
                for position, who in people[relation].items():
                    self._cast.put(
                        (kind, relation, position),
                        who,
                        f"Group_{schools.groups[name]}",
                        chat=f"Chat_{chats[name]}",
                        below=f"Group_{schools.groups[f'below {name}']}",
                        pupil=f"User_{pupil.id}",
                        parent=f"User_{parent.id}",
                    )
        for relation, standing in ((Relation.BELONGS, Relation.STRANGER), (Relation.OTHER_SCHOOL,) * 2):
            for position, who in people[standing].items():
                self._cast.put((Kind.ORGANIZATION, relation, position), who, f"Organization_{schools.here}")
        for organization in (schools.here, schools.next_door):
            audit.keep(self._tx, organization, "importRoster", [f"Organization_{organization}"])

    def _chat_of(self, group: str, people: list[Viewer]) -> int:
        roles = {self._keeper.id: True}
        group_id = self._schools.groups[group]
        chat = found_chat(self._tx, self._schools.here, ChatKind.SUBGROUP, group, group_id, roles)
        joining = dict.fromkeys(numbers_of(people), False)
        change_members(self._tx, self._schools.here, chat, joining=joining)
        return chat
