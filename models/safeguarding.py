"""What is done about what hurts? Somebody reports a message, officers read it for a reason, and decide. When it
gets too much, the school is locked down.

No switch of the policy stands in the way of a report, and neither does a rule of who may write to whom: whoever
sees a message may report it.
"""

from typing import Any

from sqlalchemy import exists, insert, literal, select, update

from models.actor import Actor, Viewer, is_officer
from models.database import Transaction
from models.errors import Code, Refused
from models.events import store, take_numbers
from models.messages import find_messages
from models.organization import organization, set_policy
from models.reports import context, tell_officers, visible_reports
from models.retention import list_without
from models.tables.conversations import deliveries, messages
from models.tables.events import EventKind
from models.tables.safeguarding import (
    ReportDecision,
    ReportStatus,
    report_decisions,
    report_messages,
    report_readings,
    reports,
)
from models.text import body

MOST_WORDS = 2_000
"""Characters of a reason or a note."""

AFTER = {
    ReportDecision.KEEP: ReportStatus.KEPT,
    ReportDecision.HIDE: ReportStatus.HIDDEN,
    ReportDecision.PASS_ON: ReportStatus.PASSED_ON,
}


def report_message(tx: Transaction, actor: Actor, message_id: int, *, reason: str) -> int:
    """The number of the report; of the one there is, when the actor has reported this message before.

    Raises NOT_FOUND for what he does not see, NOT_ALLOWED for his own.
    """
    reason = words("reason", reason)
    (message,) = find_messages(tx, actor, [message_id])
    if message.is_author:
        raise Refused(Code.NOT_ALLOWED)
    known = select(reports.c.id).where(reports.c.message_id == message_id, reports.c.reporter_id == actor.id)
    before = tx.execute(known).scalar_one_or_none()
    if before is not None:
        return int(before)
    row = {
        "organization_id": actor.organization_id,
        "message_id": message_id,
        "reporter_id": actor.id,
        "reason": reason,
        "status": ReportStatus.OPEN,
        "reported_at": tx.now,
    }
    report_id = int(tx.execute(insert(reports).returning(reports.c.id), row).scalar_one())
    named = [
        {"organization_id": actor.organization_id, "report_id": report_id, "message_id": number}
        for number in context(tx, actor, message)
    ]
    tx.execute(insert(report_messages), named)
    tell_officers(tx, actor.organization_id, report_id)
    return report_id


def read_report(tx: Transaction, actor: Actor, report_id: int, *, reason: str) -> None:
    """An officer reads what the report names, for this reason; that is kept each time. Raises NOT_FOUND for who is
    none, and for reports of one's own messages."""
    why = words("reason", reason)
    _find(tx, actor, report_id)
    row = {
        "organization_id": actor.organization_id,
        "report_id": report_id,
        "reader_id": actor.id,
        "reason": why,
        "read_at": tx.now,
    }
    tx.execute(insert(report_readings), row)
    tell_officers(tx, actor.organization_id, report_id)


def reads_reports(tx: Transaction, viewer: Viewer) -> bool:
    """Whether the person is an officer."""
    return bool(tx.execute(select(is_officer(viewer))).scalar_one())


def decide_report(
    tx: Transaction, actor: Actor, report_id: int, decision: ReportDecision, note: str | None
) -> None:
    """What becomes of the message. The same decision settles all other reports of it that are open.

    The same again is a success. What was hidden stays so: KEEP raises ALREADY_HIDDEN then. PASS_ON takes a note
    that says to whom, or raises INVALID_INPUT.
    """
    noted = None if note is None else words("note", note)
    if decision is ReportDecision.PASS_ON and noted is None:
        raise Refused(Code.INVALID_INPUT, field="note")
    report = _find(tx, actor, report_id)
    status = AFTER[decision]
    if report.status == status and noted in (None, _last_note(tx, report_id)):
        return
    if decision is ReportDecision.KEEP and _was_hidden(tx, report.message_id):
        raise Refused(Code.ALREADY_HIDDEN)
    others = select(reports.c.id).where(
        reports.c.message_id == report.message_id,
        reports.c.status == ReportStatus.OPEN,
        reports.c.id != report_id,
    )
    for number in (report_id, *tx.execute(others.order_by(reports.c.id)).scalars().all()):
        row = {
            "organization_id": actor.organization_id,
            "report_id": number,
            "officer_id": actor.id,
            "decision": decision,
            "note": noted,
            "decided_at": tx.now,
        }
        tx.execute(insert(report_decisions), row)
        tx.execute(update(reports).where(reports.c.id == number).values(status=status))
        tell_officers(tx, actor.organization_id, number)
    if decision is ReportDecision.HIDE:
        _hide(tx, actor.organization_id, report.message_id)


def set_lockdown(tx: Transaction, actor: Actor, *, lockdown: bool) -> None:
    """From now on only administrators send, or everybody again as the policy has it; everybody is told. As it is
    already: a success. Raises NOT_ALLOWED for who is neither administrator nor officer."""
    if not actor.is_administrator and not reads_reports(tx, actor):
        raise Refused(Code.NOT_ALLOWED)
    if actor.policy.lockdown != lockdown:
        school = organization(tx, actor.organization_id)
        set_policy(tx, school.id, school.preset, school.policy.with_knobs({"lockdown": lockdown}))


def words(field: str, value: str) -> str:
    """A reason or a note: 1 to 2,000 characters, neither white space alone nor with control characters; or
    INVALID_INPUT."""
    text = body(field, value).strip()
    if len(text) > MOST_WORDS:
        raise Refused(Code.INVALID_INPUT, field=field)
    return text


def _find(tx: Transaction, actor: Actor, report_id: int) -> Any:
    found = tx.execute(visible_reports(actor).where(reports.c.id == report_id)).one_or_none()
    if found is None:
        raise Refused(Code.NOT_FOUND)
    return found


def _last_note(tx: Transaction, report_id: int) -> str | None:
    notes = select(report_decisions.c.note).where(report_decisions.c.report_id == report_id)
    return tx.execute(notes.order_by(report_decisions.c.id.desc()).limit(1)).scalar_one_or_none()


def _was_hidden(tx: Transaction, message_id: int) -> bool:
    hidden = (
        select(literal(1))
        .select_from(report_decisions.join(reports, reports.c.id == report_decisions.c.report_id))
        .where(reports.c.message_id == message_id, report_decisions.c.decision == ReportDecision.HIDE)
    )
    return bool(tx.execute(select(exists(hidden))).scalar_one())


def _hide(tx: Transaction, organization_id: int, message_id: int) -> None:
    """The message is gone for everybody, its author too; each of them is told. Its text stays with the report."""
    live = (deliveries.c.message_id == message_id, deliveries.c.deleted_at.is_(None))
    people = tx.execute(select(deliveries.c.user_id).where(*live).order_by(deliveries.c.user_id)).scalars().all()
    if not people:
        return
    room = select(messages.c.conversation_id).where(messages.c.id == message_id)
    conversation_id = tx.execute(room).scalar_one()
    list_without(tx, [message_id])
    tx.execute(update(deliveries).where(*live).values(deleted_at=tx.now))
    first = take_numbers(tx, organization_id, len(people))
    subjects = [
        {"conversation_id": conversation_id, "message_id": message_id, "user_id": user_id} for user_id in people
    ]
    store(tx, organization_id, EventKind.MESSAGE_CHANGED, first, subjects)
