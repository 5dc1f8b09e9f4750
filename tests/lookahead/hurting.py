"""What hurt somebody before the schools are asked? Reports in every state, and people who are apart."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from models.actor import Actor
from models.blocking import block_person, unblock_person
from models.database import Transaction
from models.safeguarding import decide_report, read_report, report_message, set_lockdown
from models.tables.conversations import messages
from models.tables.safeguarding import ReportDecision

Find = Callable[[Transaction, str], Actor]


def hurt_at_gorizont(tx: Transaction, person: Find) -> Transaction:
    """Kept, hidden, and waiting; one is of an officer's own message."""
    story = _Story(tx, person)
    kept = story.report("learner.9a.1", 'Ответ 2: "ё" <b> 🎉')
    story.read("director", kept, "Жалоба ученика")
    story.decide("director", kept, ReportDecision.KEEP)
    hidden = story.report("guardian.9a.3", "Ура")
    story.report("guardian.9a.5", "Ура")
    story.read("admin", hidden, "Звонок родителей")
    story.read("director", hidden, "Второе мнение")
    story.decide("admin", hidden, ReportDecision.HIDE)
    story.report("guardian.9a.1", "Тише")
    story.report("admin", "До свидания")
    story.block("learner.9a.1", "guardian.9a.1")
    story.block("learner.9a.3", "learner.9a.1")
    story.block("admin", "learner.10a.3")
    story.block("admin", "library")
    unblock_person(story.tx, story.as_("admin"), story.as_("library").id)
    for lockdown in (True, False):
        set_lockdown(story.tx, story.as_("director"), lockdown=lockdown)
    return story.tx


def hurt_at_tilleuls(tx: Transaction, person: Find) -> Transaction:
    story = _Story(tx, person)
    story.report("pp.3a", "Note 3", by_subject=True)
    story.report("parent.3a.1", "Livre 0", by_subject=True)
    passed = story.report("eleve.3a.1", "Livre 4", by_subject=True)
    story.read("principale", passed, "Signalement")
    story.decide("principale", passed, ReportDecision.PASS_ON, "Au rectorat")
    story.block("eleve.3a.1", "eleve.3a.2")
    story.block("parent.4b.1", "parent.3a.1")
    return story.tx


class _Story:
    """A minute passes between one thing and the next."""

    def __init__(self, tx: Transaction, person: Find) -> None:
        self.tx = tx
        self._person = person

    def as_(self, login: str) -> Actor:
        self.tx = replace(self.tx, now=self.tx.now + timedelta(minutes=1))
        return self._person(self.tx, login)

    def report(self, by: str, text: str, *, by_subject: bool = False) -> int:
        """The first message with this text, or subject, that there is."""
        who = self.as_(by)
        column = messages.c.subject if by_subject else messages.c.body
        found = select(messages.c.id).where(column == text, messages.c.organization_id == who.organization_id)
        number = self.tx.execute(found.order_by(messages.c.id).limit(1)).scalar_one()
        return report_message(self.tx, who, number, reason=f"Так нельзя: {text}")

    def read(self, by: str, report: int, reason: str) -> None:
        read_report(self.tx, self.as_(by), report, reason=reason)

    def decide(self, by: str, report: int, decision: ReportDecision, note: str | None = None) -> None:
        decide_report(self.tx, self.as_(by), report, decision, note)

    def block(self, by: str, other: str) -> None:
        whom = self._person(self.tx, other).id
        block_person(self.tx, self.as_(by), whom)
