"""What have people written in the chats of the main school? By those who came, went, came back, or are quiet."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from models.actor import Actor
from models.chats import add_participants, create_chat, delete_chat, remove_participants, rename_chat
from models.conversations import delete, mute, send
from models.database import Transaction
from models.messages import delete_messages, mark_read
from models.tables.chats import ChatKind, chats
from models.tables.people import groups

Person = Callable[[Transaction, str], Actor]


def write_in_chats(tx: Transaction, person: Person) -> Transaction:
    """A minute apart; the transaction as of the last minute."""
    return _Chatting(tx, person).everything()


class _Chatting:
    def __init__(self, tx: Transaction, person: Person) -> None:
        self._tx = tx
        self._person = person

    def everything(self) -> Transaction:
        self._in_a_class()
        self._in_a_circle()
        self._gone()
        return self._tx

    def _in_a_class(self) -> None:
        """The unlinked read as well; one deletes a message, one the whole conversation, one is quiet."""
        there = self._mandatory("9А", ChatKind.GROUP)
        first = self._say("curator.9a", there, 'Добро пожаловать в "9А" 🎉')
        for number in range(3):
            said = self._say("learner.9a.1", there, f"Вопрос {number}", parent=first)
            first = self._say("curator.9a", there, f"Ответ {number}", parent=said)
        mark_read(self._tx, self._as("learner.9a.3"), there, None)
        delete_messages(self._tx, self._as("learner.9a.1"), [first])
        delete(self._tx, self._as("learner.9a.7"), there)
        mute(self._tx, self._as("learner.9a.2"), there, muted=True)
        parents = self._mandatory("9А", ChatKind.PARENTS)
        self._say("curator.9a", parents, "Собрание в среду")
        mute(self._tx, self._as("guardian.9a.5"), parents, muted=True)

    def _in_a_circle(self) -> None:
        """Who was removed, who came back, who came late, and one whom nobody told a word."""
        people = ("learner.9a.1", "learner.9a.7", "guardian.9a.1", "library")
        there = self._custom("Ёлочный клуб", people)
        self._say("admin", there, "Начали")
        self._remove(there, "learner.9a.1", "library", "guardian.9a.1")
        self._say("admin", there, "Без троих")
        add_participants(self._tx, self._as("admin"), there, self._numbers("learner.9a.1", "psychologist"))
        self._say("learner.9a.1", there, "Я вернулся")
        rename_chat(self._tx, self._as("admin"), there, "Клуб 100% к_лассный \\")
        mute(self._tx, self._as("psychologist"), there, muted=True)
        silent = self._custom("Ни слова", people)
        self._remove(silent, "library")

    def _gone(self) -> None:
        """A chat that was deleted, with people in it and one who had left before."""
        there = self._custom("Забыть", ("learner.9a.1", "library"))
        self._say("admin", there, "Раз")
        self._remove(there, "library")
        delete_chat(self._tx, self._as("admin"), there)

    # --------------------------------------------------------------------------------------- the words

    def _as(self, login: str) -> Actor:
        """A minute has passed."""
        self._tx = replace(self._tx, now=self._tx.now + timedelta(minutes=1))
        return self._person(self._tx, login)

    def _numbers(self, *logins: str) -> list[int]:
        return [int(self._person(self._tx, login).id) for login in logins]

    def _mandatory(self, group: str, kind: ChatKind) -> int:
        of_group = select(chats.c.id).join(groups, groups.c.id == chats.c.group_id)
        found = of_group.where(groups.c.name == group, chats.c.kind == kind)
        return int(self._tx.execute(found).scalar_one())

    def _custom(self, title: str, people: Sequence[str]) -> int:
        who, ids = self._as("admin"), self._numbers(*people)
        return create_chat(
            self._tx,
            who,
            kind=ChatKind.CUSTOM,
            title=title,
            group_id=None,
            participant_ids=ids,
            idempotency_key=None,
        )

    def _remove(self, chat: int, *logins: str) -> None:
        remove_participants(self._tx, self._as("admin"), chat, self._numbers(*logins))

    def _say(self, by: str, there: int, body: str, *, parent: int | None = None) -> int:
        who = self._as(by)
        return send(
            self._tx,
            who,
            conversation_id=there,
            body=body,
            parent_id=parent,
            idempotency_key=None,
            attachment_ids=[],
        )
