"""What have people written to each other before they are asked? Conversations and mail of every kind and state.

Through the rules, as the people themselves, a minute apart.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select

from models.actor import Actor
from models.addresses import Address
from models.conversations import create_group, delete, mute, open_conversation, send
from models.database import Transaction
from models.drafts import save_draft
from models.group_conversations import (
    add_participants,
    leave,
    remove_participants,
    rename,
    set_administrator,
)
from models.letters import Letter
from models.mail import send_mail
from models.mailboxes import purge, restore, trash
from models.messages import delete_messages, mark_messages, mark_read
from models.organization import organization_called, set_policy
from models.tables.conversations import Role, attachments, messages
from models.tables.people import Position
from tests.lookahead.chatting import write_in_chats
from tests.lookahead.hurting import hurt_at_gorizont, hurt_at_tilleuls

AT_GORIZONT = {
    "selfMessages": True,
    "guardianReachesChild": True,
    "messageDeletion": "FOR_ME",
    "conversationDeletion": True,
    "newsFeed": True,
}
AT_TILLEULS = {
    "selfMessages": True,
    "reply": "WHILE_EITHER_MAY_START",
    "messageDeletion": "TRASH",
    "audiencesAsRecipients": True,
    "attachments": True,
    "bodyFormat": "RICH",
    "newsFeed": True,
    "conversationKinds": ["DIRECT", "GROUP", "MAIL"],
}
"""Knobs that no preset of the demo schools has: so that there is more to see."""

LEARNERS = ("learner.9a.1", "learner.9a.3", "learner.9a.7")
GUARDIANS = ("guardian.9a.1", "guardian.9a.3", "guardian.9a.5")
SOUND = "<p>Voilà&nbsp;: <img src='attachment:Attachment_{0}'> <audio src='attachment:Attachment_{1}'></audio></p>"


class Writing:
    """What the people of one school write."""

    def __init__(
        self,
        tx: Transaction,
        school: str,
        person: Callable[[Transaction, str], Actor],
        group: Callable[[str], int],
    ) -> None:
        self._tx = tx
        self._school = school
        self._person = person
        self._group = group

    def set_knobs(self, knobs: dict[str, Any]) -> None:
        school = organization_called(self._tx, self._school)
        set_policy(self._tx, school.id, school.preset, school.policy.with_knobs(knobs))

    # ------------------------------------------------------------------------------ at the main school

    def at_gorizont(self) -> None:
        self.set_knobs(AT_GORIZONT)
        self._two_by_two()
        self._taken_back()
        self._several()
        self._offices()
        self._tx = write_in_chats(self._tx, self._person)
        self._tx = hurt_at_gorizont(self._tx, self._person)

    def _two_by_two(self) -> None:
        """More than a page of messages; answers, an empty one, one with oneself, one with who will be gone."""
        talk = self._open("curator.9a", "learner.9a.1")
        first = self._say("curator.9a", talk, "Здравствуйте, Саша!")
        for number in range(12):
            said = self._say("learner.9a.1", talk, f"Вопрос {number}", parent=first)
            first = self._say("curator.9a", talk, f'Ответ {number}: "ё" <b> 🎉', parent=said)
        mark_read(self._tx, self._as("curator.9a"), talk, None)
        mark_messages(self._tx, self._as("curator.9a"), [said], read=False)
        self._say("curator.9a", self._open("curator.9a", "guardian.9a.1"), "Родителям двоих")
        self._open("admin", "director")
        self._say("director", self._open("director", "director"), "Не забыть")
        self._say("secretary", self._open("secretary", "admin"), "До свидания")
        self._say("admin", self._open("admin", "learner.10a.3"), "Тёзке")
        self._say("guardian.9a.1", self._open("guardian.9a.1", "learner.9a.1"), "Купи хлеба")
        self._say("admin", self._open("admin", "guardian.9b.4"), "Добрый день")
        muted = self._open("admin", "guardian.9a.1")
        self._say("admin", muted, "Тише")
        mute(self._tx, self._as("guardian.9a.1"), muted, muted=True)

    def _taken_back(self) -> None:
        """Deleted for oneself: a message, the newest one, a conversation, and one that came back."""
        talk = self._open("teacher.math", "learner.9a.1")
        said = [self._say("teacher.math", talk, f"Задача {number}") for number in range(5)]
        self._say("learner.9a.1", talk, "Решено", parent=said[1])
        delete_messages(self._tx, self._as("learner.9a.1"), [said[1], said[4]])
        newest = self._say("teacher.math", talk, "Ошибка")
        delete_messages(self._tx, self._as("learner.9a.1"), [newest])
        for other, comes_back in (("library", False), ("psychologist", True)):
            talk = self._open("admin", other)
            parent = self._say("admin", talk, "Отчёт?")
            delete(self._tx, self._as(other), talk)
            if comes_back:
                self._say("admin", talk, "Ещё раз: отчёт?", parent=parent)
        talk = self._open("director", "library")
        delete_messages(self._tx, self._as("library"), [self._say("director", talk, "Лишнее")])

    def _several(self) -> None:
        """Who is removed, comes back, leaves, or is quiet; renamed, and without a word."""
        curator = "curator.9a"
        talk = self._gather(curator, "Поход", (*LEARNERS, *GUARDIANS))
        self._say(curator, talk, "Идём в субботу")
        self._say("learner.9a.1", talk, "Ура")
        remove_participants(self._tx, self._as(curator), talk, self._numbers("learner.9a.7"))
        self._say(curator, talk, "Без седьмого")
        add_participants(self._tx, self._as(curator), talk, self._numbers("learner.9a.7"))
        self._say("learner.9a.7", talk, "Я снова здесь")
        leave(self._tx, self._as("learner.9a.1"), talk)
        mute(self._tx, self._as("guardian.9a.5"), talk, muted=True)
        mute(self._tx, self._as("guardian.9a.3"), talk, muted=True)
        self._say(curator, talk, "Не слышно")
        remove_participants(self._tx, self._as(curator), talk, self._numbers("guardian.9a.5", "learner.9a.3"))
        boss = self._as(curator)
        set_administrator(self._tx, boss, talk, self._number("guardian.9a.1"), is_administrator=True)
        rename(self._tx, self._as("guardian.9a.1"), talk, "Поход в горы")
        self._say("guardian.9a.1", talk, "Новое имя")
        deleted = self._gather(curator, "Забытое", LEARNERS)
        self._say(curator, deleted, "Раз")
        remove_participants(self._tx, self._as(curator), deleted, self._numbers("learner.9a.3"))
        delete(self._tx, self._as("learner.9a.1"), deleted)
        delete(self._tx, self._as("learner.9a.3"), deleted)
        leave(self._tx, self._as(curator), deleted)
        self._gather(curator, "Пусто", LEARNERS)
        silent = self._gather(curator, "Ни слова", LEARNERS)
        remove_participants(self._tx, self._as(curator), silent, self._numbers("learner.9a.1"))

    def _offices(self) -> None:
        people = ("director", "library", "psychologist", "teacher.sport", "teacher.physics", "secretary")
        for number, title in enumerate(("клуб", "Клуб", "100% готово_к \\", "Éléonore 🎉", "Ёлка", "Йога")):
            talk = self._gather("admin", title, people[number % 3 :])
            said = None
            for who in people[number % 3 :][:number]:
                said = self._say(who, talk, f"{title}: {who}", parent=said)
            for who in ("psychologist", "teacher.sport") if number > 3 else ():
                mute(self._tx, self._as(who), talk, muted=True)
            if number in (3, 5):
                for who in ("psychologist", "teacher.sport"):
                    leave(self._tx, self._as(who), talk)
                self._say("admin", talk, "Кто остался?", parent=said)

    # --------------------------------------------------------------------------------- next door: mail

    def at_tilleuls(self) -> None:
        self.set_knobs(AT_TILLEULS)
        talk = self._gather("principale", "Équipe", ("pp.3a", "library", "parent.3a.1", "eleve.3a.1"))
        self._say("pp.3a", talk, "Bonjour à tous")
        self._say("parent.3a.1", self._open("parent.3a.1", "pp.3a"), "Ma fille est malade")
        self._threads()
        self._folders()
        self._drafts()
        self._tx = hurt_at_tilleuls(self._tx, self._person)
        self.set_knobs({"conversationKinds": ["DIRECT", "MAIL"]})

    def _threads(self) -> None:
        """To people and audiences, openly and blindly; answered to one, and to all; with files."""
        parents = self._audience(Role.TO, "3e A", Position.GUARDIAN)
        cc, bcc = self._to("pp.3a", "library", role=Role.CC), self._to("eleve.3a.1", "parent.4b.1", role=Role.BCC)
        files = [self._upload("principale", name) for name in ("Été 1.png", "son.mp3", "programme.pdf")]
        body = SOUND.format(*files)
        begun = self._mail("principale", "Réunion", [parents, *cc, *bcc], body=body, files=files)
        self._mail("parent.3a.1", "Re: Réunion", self._to("principale"), parent=begun)
        everybody = [*self._to("principale"), parents, *self._to("library", role=Role.CC)]
        answered = self._mail("pp.3a", "Re: Réunion", everybody, parent=begun)
        self._mail("principale", "Re: Re: Réunion", self._to("pp.3a"), parent=answered)
        blind = self._audience(Role.BCC, "3e A", Position.LEARNER)
        self._mail(
            "pp.3a",
            "Contrôle",
            [*self._to("principale"), blind, self._audience(Role.CC, "3e A", Position.TEACHER)],
        )
        self._mail("eleve.3a.1", "", self._to("eleve.3a.1", "pp.3a"))
        self._mail("pp.3a", "À moi", self._to("pp.3a", role=Role.BCC))
        note = begun
        for number in range(23):
            cc = self._to("library", role=Role.CC) * (number % 2)
            bcc = self._to("eleve.3a.1", "parent.4b.1", role=Role.BCC) * (number % 3 == 0)
            whom = [*self._to("pp.3a", "parent.3a.1"), *cc, *bcc]
            files = [self._upload("principale", f"note {number}.pdf")] if number % 5 == 0 else []
            parent = note if number % 4 else None
            note = self._mail("principale", f"Note {number}", whom, files=files, parent=parent)
        thread = self._thread_of(note)
        for who in ("pp.3a", "parent.3a.1"):
            mute(self._tx, self._as(who), thread, muted=True)

    def _folders(self) -> None:
        """Read, trashed, restored, purged; a thread whose last mail is in the trash."""
        kept = [
            self._mail("library", f"Livre {number}", self._to("eleve.3a.1", "parent.3a.1")) for number in range(5)
        ]
        for who in ("eleve.3a.1", "parent.3a.1"):
            me = self._as(who)
            mark_messages(self._tx, me, kept[:2], read=True)
            trash(self._tx, me, kept[1:4])
            restore(self._tx, me, kept[2:3])
            purge(self._tx, me, kept[3:4])
        sent = self._mail("pp.3a", "Oups", self._to("principale"))
        self._mail("pp.3a", "Mieux", self._to("principale"), parent=sent)
        trash(self._tx, self._as("pp.3a"), [sent])
        trash(self._tx, self._as("principale"), [sent])

    def _drafts(self) -> None:
        for who in ("principale", "pp.3a"):
            blind = [*self._to("library"), *self._to("pp.4b", role=Role.BCC)]
            for number in range(3):
                letter = Letter(blind[:number], f"Brouillon {number}", "<p>Plus tard</p>" * number)
                save_draft(self._tx, self._as(who), letter, draft_id=None)
        self._upload("pp.3a", "attend.pdf")

    # --------------------------------------------------------------------------------------- the words

    def _thread_of(self, message_id: int) -> int:
        found = select(messages.c.conversation_id).where(messages.c.id == message_id)
        return int(self._tx.execute(found).scalar_one())

    def _as(self, login: str) -> Actor:
        """A minute has passed."""
        self._tx = replace(self._tx, now=self._tx.now + timedelta(minutes=1))
        return self._person(self._tx, login)

    def _number(self, login: str) -> int:
        return int(self._person(self._tx, login).id)

    def _numbers(self, *logins: str) -> list[int]:
        return [self._number(login) for login in logins]

    def _open(self, by: str, other: str) -> int:
        who = self._as(by)
        return open_conversation(self._tx, who, self._number(other))

    def _gather(self, by: str, title: str, people: Sequence[str]) -> int:
        who, ids = self._as(by), self._numbers(*people)
        return create_group(self._tx, who, title=title, participant_ids=ids, idempotency_key=None)

    def _say(self, by: str, talk: int, body: str, *, parent: int | None = None) -> int:
        who = self._as(by)
        return send(
            self._tx,
            who,
            conversation_id=talk,
            body=body,
            parent_id=parent,
            idempotency_key=None,
            attachment_ids=[],
        )

    def _to(self, *logins: str, role: Role = Role.TO) -> list[Address]:
        return [Address(role, user_id=number) for number in self._numbers(*logins)]

    def _audience(self, role: Role, group: str, position: Position) -> Address:
        return Address(role, group_id=self._group(group), position=position)

    def _mail(
        self,
        by: str,
        subject: str,
        addresses: Sequence[Address],
        *,
        body: str = "<p>Bonjour</p>",
        files: Sequence[int] = (),
        parent: int | None = None,
    ) -> int:
        who = self._as(by)
        letter = Letter(addresses, subject, body, files, parent)
        return send_mail(self._tx, who, letter, draft_id=None, idempotency_key=None)

    def _upload(self, by: str, name: str) -> int:
        """As the server keeps what is known of a file that it has stored."""
        who = self._as(by)
        row = {
            "organization_id": who.organization_id,
            "uploader_id": who.id,
            "name": name,
            "content_type": "image/png" if name.endswith("png") else "application/octet-stream",
            "byte_size": len(name),
            "digest": "0" * 64,
            "storage_key": f"{who.id}/{name}",
            "created_at": self._tx.now,
        }
        made = insert(attachments).values(row).returning(attachments.c.id)
        return int(self._tx.execute(made).scalar_one())
