"""What is a rule made of? Kinds of things, relations of a person to them, and positions in the organization."""

from collections.abc import Iterator
from enum import Enum, StrEnum
from typing import NamedTuple

from models.errors import Code
from models.tables.people import Position

EVERYBODY = tuple(Position)
"""Whatever the position is."""

ADMINISTRATOR = (Position.ADMINISTRATOR,)
OFFICE = (Position.STAFF, Position.ADMINISTRATOR)
PERSONNEL = (Position.TEACHER, *OFFICE)


class Relation(StrEnum):
    """How a person stands to a thing. The value is a sentence about that person."""

    SELF = "It is the person's own, or the person."
    ADMINISTERS = "Takes part in it, and administers it."
    TAKES_PART = "Takes part in it."
    UNLINKED = "Administers it, and has not linked the profile that the policy asks for."
    LEFT = "Took part in it, and has left or was removed."
    UNWRITTEN = "The other of the two has opened it, and nobody has written."
    AUTHOR = "Has written it, or uploaded it."
    RECEIVED = "Has got it, and everybody who sees it may know."
    ADDRESSED = "Is to get it, once it is sent."
    BLIND = "Has got it blindly."
    TRASHED = "Has got it, and put it into the trash."
    LATE = "Came after it was sent."
    DELETED = "Had it, and has deleted it."
    REACHES = "Is given the other by a rule of reach, and not the other way round."
    REACHED = "The other is given him by a rule of reach, and not the other way round."
    SHARES_ROOM = "Takes part in a chat or a conversation with the other."
    SHARES_GROUP = "Belongs to a class, subgroup or course with the other."
    SHARES_MESSAGE = "Has got the same message as the other, both openly."
    SHARES_BLINDLY = "Has got the same mail as the other, who got it blindly."
    FORMER = "Reached the other, who has left the school."
    REPORTER = "Has reported the message."
    OPENED = "Has said, as a safeguarding officer, why he reads what a report names."
    TEACHES = "Teaches it."
    BELONGS = "Belongs to it."
    STRANGER = "Nothing joins them but the organization."
    OTHER_SCHOOL = "Is of another organization."


_ROOM = (Relation.ADMINISTERS, Relation.TAKES_PART, Relation.UNLINKED, Relation.LEFT)
_OUTSIDE = (Relation.STRANGER, Relation.OTHER_SCHOOL)


class Kind(Enum):
    """A kind of thing, and all the relations that there are to one."""

    CHAT = "A chat that people made", (*_ROOM, *_OUTSIDE)
    LEADERLESS_CHAT = (
        "A chat that people made, and that nobody active administers",
        (Relation.TAKES_PART, *_OUTSIDE),
    )
    MANDATORY_CHAT = "A chat that the school keeps", (*_ROOM, *_OUTSIDE)
    CREATED_CALL = "A call that is created", (*_ROOM, *_OUTSIDE)
    PUBLISHED_CALL = "A call that is published", (*_ROOM, *_OUTSIDE)
    FINISHED_CALL = "A call that is finished", (*_ROOM, *_OUTSIDE)
    CHAT_CONVERSATION = "The conversation of a chat", (*_ROOM, *_OUTSIDE)
    GROUP_CONVERSATION = (
        "A group conversation",
        (Relation.ADMINISTERS, Relation.TAKES_PART, Relation.LEFT, *_OUTSIDE),
    )
    DIRECT = "A direct conversation", (Relation.TAKES_PART, Relation.UNWRITTEN, Relation.DELETED, *_OUTSIDE)
    THREAD = (
        "The thread of a mail",
        (Relation.AUTHOR, Relation.RECEIVED, Relation.BLIND, Relation.DELETED, *_OUTSIDE),
    )
    MESSAGE = (
        "A message of a conversation",
        (Relation.AUTHOR, Relation.RECEIVED, Relation.LEFT, Relation.LATE, Relation.DELETED, *_OUTSIDE),
    )
    MAIL = (
        "A mail that was sent",
        (Relation.AUTHOR, Relation.RECEIVED, Relation.BLIND, Relation.TRASHED, Relation.DELETED, *_OUTSIDE),
    )
    DRAFT = "The draft of a mail", (Relation.AUTHOR, Relation.ADDRESSED, *_OUTSIDE)
    ATTACHMENT = (
        "A file of a mail",
        (
            Relation.AUTHOR,
            Relation.RECEIVED,
            Relation.BLIND,
            Relation.TRASHED,
            Relation.DELETED,
            Relation.OPENED,
            *_OUTSIDE,
        ),
    )
    UPLOAD = "A file that waits for its message", (Relation.AUTHOR, *_OUTSIDE)
    PERSON = (
        "A person",
        (
            Relation.SELF,
            Relation.REACHES,
            Relation.REACHED,
            Relation.SHARES_ROOM,
            Relation.SHARES_GROUP,
            Relation.SHARES_MESSAGE,
            Relation.SHARES_BLINDLY,
            Relation.FORMER,
            *_OUTSIDE,
        ),
    )
    PERSON_OF_PERSONNEL = "A teacher, somebody of the staff, an administrator", (Relation.SHARES_ROOM, *_OUTSIDE)
    AUDIENCE = "An audience", (Relation.REACHES, *_OUTSIDE)
    GROUP = "A class, subgroup or course", (Relation.TEACHES, Relation.BELONGS, *_OUTSIDE)
    GUARDIANS = "The guardians in a class, subgroup or course", (Relation.TEACHES, Relation.BELONGS, *_OUTSIDE)
    LARGER_GROUP = "A cycle, a department, the whole organization", (Relation.BELONGS, *_OUTSIDE)
    ORGANIZATION = "An organization", (Relation.BELONGS, Relation.OTHER_SCHOOL)
    REPORT = "A report of a message", (Relation.REPORTER, Relation.AUTHOR, *_OUTSIDE)
    ONESELF = "What is personal", (Relation.SELF,)

    def __init__(self, called: str, relations: tuple[Relation, ...]) -> None:
        self.called = called
        self.relations = relations


class Allowed(NamedTuple):
    """Who stands like this to things of these kinds, at one of these positions, may."""

    kinds: tuple[Kind, ...]
    relations: tuple[Relation, ...]
    positions: tuple[Position, ...] = EVERYBODY


class Told(NamedTuple):
    """Who stands like this may not, and is told why: he knows of the thing."""

    code: Code
    kinds: tuple[Kind, ...]
    relations: tuple[Relation, ...]
    positions: tuple[Position, ...] = EVERYBODY


class Rule:
    """Who may. Whatever is not listed is denied, in the same words as what does not exist.

    `kinds`: those that it speaks of, also where nobody may. Raises TypeError for a relation that there is not to
    a kind, and for what is allowed and denied, or told twice.
    """

    def __init__(self, sentence: str, *clauses: Allowed | Told) -> None:
        self.sentence = sentence
        self.clauses = clauses
        self.kinds = tuple(dict.fromkeys(kind for clause in clauses for kind in clause.kinds))
        self._verdicts: dict[tuple[Kind, Relation, Position], Code | None] = {}
        for clause in clauses:
            for case in _cases(clause):
                if case in self._verdicts:
                    raise TypeError(f"{sentence} {case} has two verdicts")
                self._verdicts[case] = clause.code if isinstance(clause, Told) else None

    def also(self, sentence: str, *clauses: Allowed | Told) -> "Rule":
        """The same for these kinds, and for more: of a mutation that names several things."""
        return Rule(f"{self.sentence} {sentence}", *self.clauses, *clauses)

    def of(self, *kinds: Kind) -> "Rule":
        """The same of these kinds alone, where a field leads to no others."""
        cut = (
            clause._replace(kinds=tuple(kind for kind in clause.kinds if kind in kinds)) for clause in self.clauses
        )
        return Rule(self.sentence, *(clause for clause in cut if clause.kinds))

    def allows(self, kind: Kind, relation: Relation, position: Position) -> bool:
        return self._verdicts.get((kind, relation, position), Code.NOT_FOUND) is None

    def told(self, kind: Kind, relation: Relation, position: Position) -> Code | None:
        """Why not, where that is told; None where it is allowed, and where the thing does not exist for him."""
        return self._verdicts.get((kind, relation, position))


def _cases(clause: Allowed | Told) -> Iterator[tuple[Kind, Relation, Position]]:
    for kind in clause.kinds:
        for relation in clause.relations:
            if relation not in kind.relations:
                raise TypeError(f"{relation.name} is no relation to {kind.name}")
            for position in clause.positions:
                yield kind, relation, position
