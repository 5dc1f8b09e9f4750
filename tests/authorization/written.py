"""What was written on the stage? Messages, mail, drafts, files and reports, with somebody in every relation.

What the keeper has written is what others have got; who is an author has written something of his own.
"""

from itertools import count

from sqlalchemy import insert, select

from models.actor import Viewer
from models.addresses import Address
from models.attachments import File, expect_file, keep_file
from models.authorization.rule import Kind, Relation
from models.conversations import create_group, open_conversation, send
from models.drafts import save_draft
from models.group_conversations import add_participants, remove_participants
from models.letters import Letter
from models.mail import send_mail
from models.mailboxes import purge, trash
from models.messages import find_messages, remove_copies
from models.safeguarding import report_message
from models.tables.conversations import Role, messages
from models.tables.people import GroupKind, Position
from models.tables.safeguarding import report_readings
from tests.authorization.cast import Cast, Schools, numbers_of

RELATIONS = (
    Relation.AUTHOR,
    Relation.RECEIVED,
    Relation.LEFT,
    Relation.LATE,
    Relation.BLIND,
    Relation.TRASHED,
    Relation.DELETED,
    Relation.ADDRESSED,
    Relation.REPORTER,
    Relation.OPENED,
    Relation.STRANGER,
    Relation.OTHER_SCHOOL,
)

People = dict[Position, Viewer]


class Written:
    """The keeper's is the first of each kind; authors reach a reader, by being administrators of his cycle."""

    def __init__(self, schools: Schools, cast: Cast) -> None:
        self._schools, self._cast, self._tx = schools, cast, schools.tx
        self._people = {relation: schools.each_position("written", relation) for relation in RELATIONS}
        self._keeper = schools.actor(schools.keeper)
        self._reader, self._other = (
            schools.person(login, Position.GUARDIAN) for login in ("reader", "other reader")
        )
        schools.group("desk", GroupKind.CYCLE)
        schools.join("desk", Position.GUARDIAN, self._reader, self._other)
        schools.join("desk", Position.ADMINISTRATOR, *self._people[Relation.AUTHOR].values())
        self._files = count(1)

    def fill(self) -> None:
        self._talk()
        self._mail()
        self._drafts()

    # ----------------------------------------------------------------------------------- messages

    def _talk(self) -> None:
        """A group conversation in which everybody has written who is an author."""
        inside = (Relation.AUTHOR, Relation.RECEIVED, Relation.LEFT, Relation.DELETED, Relation.REPORTER)
        people = [self._reader, *(who for relation in inside for who in self._people[relation].values())]
        there = create_group(
            self._tx, self._keeper, title="Talk", participant_ids=numbers_of(people), idempotency_key=None
        )
        first = self._say(self._schools.keeper, there)
        own = {position: self._say(who, there) for position, who in self._people[Relation.AUTHOR].items()}
        add_participants(self._tx, self._keeper, there, numbers_of(self._people[Relation.LATE].values()))
        answers = {message: self._say(self._schools.keeper, there, message) for message in (first, *own.values())}
        for who in self._people[Relation.DELETED].values():
            actor = self._schools.actor(who)
            remove_copies(self._tx, actor, find_messages(self._tx, actor, [first]))
        remove_participants(self._tx, self._keeper, there, numbers_of(self._people[Relation.LEFT].values()))
        for relation in Kind.MESSAGE.relations:
            for position, who in self._people[relation].items():
                message = own[position] if relation is Relation.AUTHOR else first
                self._cast.put(
                    (Kind.MESSAGE, relation, position),
                    who,
                    f"Message_{message}",
                    conversation=f"Conversation_{there}",
                    answer=f"Message_{answers[message]}",
                )
        self._reports(first, own)

    def _say(self, who: Viewer, there: int, parent: int | None = None) -> int:
        return send(
            self._tx,
            self._schools.actor(who),
            conversation_id=there,
            body="Hello",
            parent_id=parent,
            idempotency_key=None,
            attachment_ids=(),
        )

    def _reports(self, first: int, own: dict[Position, int]) -> None:
        known = 0
        for relation in Kind.REPORT.relations:
            for position, who in self._people[relation].items():
                if relation is Relation.REPORTER:
                    known = self._report(who, first)
                if relation is Relation.AUTHOR:
                    self._cast.put(
                        (Kind.REPORT, relation, position),
                        who,
                        f"Report_{self._report(self._reader, own[position])}",
                    )
                    continue
                self._cast.put((Kind.REPORT, relation, position), who, f"Report_{known}")

    def _report(self, who: Viewer, message: int) -> int:
        return report_message(self._tx, self._schools.actor(who), message, reason="It hurts")

    # --------------------------------------------------------------------------------------- mail

    def _mail(self) -> None:
        addressed = {
            Relation.RECEIVED: Role.TO,
            Relation.TRASHED: Role.CC,
            Relation.DELETED: Role.TO,
            Relation.BLIND: Role.BCC,
        }
        addresses = [
            Address(role, user_id=who.id)
            for relation, role in addressed.items()
            for who in self._people[relation].values()
        ]
        addresses.append(Address(Role.TO, user_id=self._reader.id))
        first, first_file = self._send(self._schools.keeper, addresses)
        answer = self._send(self._schools.keeper, addresses, first)[0]
        theirs = [Address(Role.TO, user_id=self._reader.id), Address(Role.BCC, user_id=self._other.id)]
        own, own_answers = {}, {}
        for position, who in self._people[Relation.AUTHOR].items():
            own[position] = self._send(who, theirs)
            own_answers[position] = self._send(who, theirs, own[position][0])[0]
        report = self._report(self._people[Relation.RECEIVED][Position.TEACHER], first)
        for position in Position:
            self._put_away(self._people[Relation.TRASHED][position], [first], for_good=False)
            self._put_away(self._people[Relation.DELETED][position], [first, answer], for_good=True)
            self._opens(self._people[Relation.OPENED][position], report)
        for kind in (Kind.MAIL, Kind.THREAD, Kind.ATTACHMENT):
            for relation in kind.relations:
                for position, who in self._people[relation].items():
                    is_author = relation is Relation.AUTHOR
                    message, file = own[position] if is_author else (first, first_file)
                    thing = {
                        Kind.MAIL: f"Message_{message}",
                        Kind.THREAD: f"Conversation_{self._thread_of(message)}",
                        Kind.ATTACHMENT: f"Attachment_{file}",
                    }[kind]
                    self._cast.put(
                        (kind, relation, position),
                        who,
                        thing,
                        conversation=f"Conversation_{self._thread_of(message)}",
                        answer=f"Message_{own_answers[position] if is_author else answer}",
                        reader=f"User_{self._reader.id}",
                        bystander=f"User_{who.id if is_author else self._schools.keeper.id}",
                    )

    def _send(self, who: Viewer, addresses: list[Address], parent: int | None = None) -> tuple[int, int]:
        """A mail with a file: the numbers of both."""
        file = self._upload(who)
        letter = Letter(tuple(addresses), "Subject", "Body", (file,), parent)
        actor = self._schools.actor(who)
        return send_mail(self._tx, actor, letter, draft_id=None, idempotency_key=None), file

    def _put_away(self, who: Viewer, mail: list[int], *, for_good: bool) -> None:
        actor = self._schools.actor(who)
        trash(self._tx, actor, mail)
        if for_good:
            purge(self._tx, actor, mail)

    def _opens(self, who: Viewer, report: int) -> None:
        """As somebody has who was an officer then, whether he is one now or not."""
        row = {"report_id": report, "reader_id": who.id, "reason": "It was asked for", "read_at": self._tx.now}
        self._tx.execute(insert(report_readings), {"organization_id": self._schools.here, **row})

    def _thread_of(self, message: int) -> int:
        thread = select(messages.c.conversation_id).where(messages.c.id == message)
        return int(self._tx.execute(thread).scalar_one())

    # ------------------------------------------------------------------------------- drafts and files

    def _drafts(self) -> None:
        to_them = tuple(Address(Role.TO, user_id=who.id) for who in self._people[Relation.ADDRESSED].values())
        kept = self._draft(self._schools.keeper, to_them)
        waiting = self._upload(self._schools.keeper)
        for relation in Kind.DRAFT.relations:
            for position, who in self._people[relation].items():
                draft = kept
                if relation is Relation.AUTHOR:
                    draft = self._draft(
                        who,
                        (Address(Role.TO, user_id=self._reader.id), Address(Role.BCC, user_id=self._other.id)),
                    )
                self._cast.put(
                    (Kind.DRAFT, relation, position), who, f"Message_{draft}", reader=f"User_{self._reader.id}"
                )
        for relation in Kind.UPLOAD.relations:
            for position, who in self._people[relation].items():
                file = self._upload(who) if relation is Relation.AUTHOR else waiting
                alone = 0
                if relation is not Relation.OTHER_SCHOOL:
                    alone = open_conversation(self._tx, self._schools.actor(who), who.id)
                self._cast.put(
                    (Kind.UPLOAD, relation, position),
                    who,
                    f"Attachment_{file}",
                    conversation=f"Conversation_{alone}",
                    reader=f"User_{self._reader.id}",
                )

    def _draft(self, who: Viewer, addresses: tuple[Address, ...]) -> int:
        letter = Letter(addresses, "Subject", "Body")
        return save_draft(self._tx, self._schools.actor(who), letter, draft_id=None)

    def _upload(self, who: Viewer) -> int:
        key = f"file {next(self._files)}"
        expect_file(self._tx, who, key)
        return keep_file(self._tx, who, File(key, "plan.txt", "text/plain", 4, "0" * 64))
