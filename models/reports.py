"""Who sees what of a report, and what does it keep?

A report is for the school's safeguarding officers. Whose message it is about never learns of it, officer or not.
Beside the message it names those around it, as the reporter saw them then: these are what an officer may read, and
nothing else. Their texts stay for as long as somebody may have to look.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, or_, select, update

from models.actor import Viewer, is_officer, safeguarding_position
from models.database import Transaction
from models.events import store, take_numbers
from models.messages import visible_messages
from models.tables.conversations import messages
from models.tables.events import EventKind
from models.tables.organization import organizations
from models.tables.people import GroupKind, groups, memberships, users
from models.tables.safeguarding import (
    ReportStatus,
    report_decisions,
    report_messages,
    report_readings,
    reports,
)

AROUND = 10
"""Messages of the same conversation before the reported one, and as many after it."""

UNDECIDED = (ReportStatus.OPEN, ReportStatus.PASSED_ON)
"""While a report stands like this, what it names is needed, however old."""


def visible_reports(viewer: Viewer) -> Select[Any]:
    """All of the organization for its safeguarding officers, but those of an officer's own messages; for others
    there are none."""
    return (
        select(reports, messages.c.author_id)
        .join(messages, messages.c.id == reports.c.message_id)
        .where(
            reports.c.organization_id == viewer.organization_id,
            is_officer(viewer),
            messages.c.author_id != viewer.id,
        )
    )


def open_reports(viewer: Viewer) -> ColumnElement[Any]:
    """How many of them wait for a decision."""
    return (
        select(func.count())
        .select_from(reports.join(messages, messages.c.id == reports.c.message_id))
        .where(
            reports.c.organization_id == viewer.organization_id,
            reports.c.status == ReportStatus.OPEN,
            messages.c.author_id != viewer.id,
            is_officer(viewer),
        )
        .correlate(None)
        .scalar_subquery()
    )


def reported_messages(report_id: Any) -> Select[Any]:
    """The message that was reported and those around it, in order by `event`; whose `is_reported` it is."""
    return (
        select(messages, (messages.c.id == reports.c.message_id).label("is_reported"))
        .select_from(
            report_messages.join(reports, reports.c.id == report_messages.c.report_id).join(
                messages, messages.c.id == report_messages.c.message_id
            )
        )
        .where(report_messages.c.report_id == report_id)
    )


def has_reported(viewer: Viewer, message_id: Any) -> ColumnElement[bool]:
    mine = reports.alias("mine_reported")
    return exists(select(literal(1)).where(mine.c.message_id == message_id, mine.c.reporter_id == viewer.id))


def is_opened(viewer: Viewer, message_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether the viewer, an officer, has said why he reads what a report names, this message among it."""
    named, read = report_messages.alias("named"), report_readings.alias("read")
    return and_(
        is_officer(viewer),
        exists(
            select(literal(1))
            .select_from(named.join(read, read.c.report_id == named.c.report_id))
            .where(named.c.message_id == message_id, read.c.reader_id == viewer.id)
        ),
    )


def context(tx: Transaction, viewer: Viewer, message: Any) -> list[int]:
    """The numbers of the message and of those around it that the viewer sees now."""
    there = visible_messages(viewer).where(messages.c.conversation_id == message.conversation_id)
    place = there.selected_columns.event
    numbers = there.with_only_columns(messages.c.id)
    before = numbers.where(place < message.event).order_by(place.desc()).limit(AROUND)
    after = numbers.where(place > message.event).order_by(place).limit(AROUND)
    return [*tx.execute(before).scalars(), message.id, *tx.execute(after).scalars()]


def tell_officers(tx: Transaction, organization_id: int, report_id: int) -> None:
    """Each officer by himself, but not the author of the message."""
    author = select(messages.c.author_id).join(reports, reports.c.message_id == messages.c.id)
    officers = (
        select(memberships.c.user_id)
        .select_from(
            memberships.join(groups, groups.c.id == memberships.c.group_id)
            .join(organizations, organizations.c.id == groups.c.organization_id)
            .join(users, users.c.id == memberships.c.user_id)
        )
        .where(
            groups.c.organization_id == organization_id,
            groups.c.kind == GroupKind.ORGANIZATION,
            memberships.c.position == safeguarding_position(),
            memberships.c.until.is_(None),
            users.c.deactivated_at.is_(None),
            memberships.c.user_id != author.where(reports.c.id == report_id).scalar_subquery(),
        )
        .distinct()
        .order_by(memberships.c.user_id)
    )
    told = tx.execute(officers).scalars().all()
    first = take_numbers(tx, organization_id, max(len(told), 1))
    subjects = [{"report_id": report_id, "user_id": user_id} for user_id in told] or [{"report_id": report_id}]
    store(tx, organization_id, EventKind.REPORT_CHANGED, first, subjects)


def is_kept(message_id: ColumnElement[int], since: datetime | None = None) -> ColumnElement[bool]:
    """Whether a report needs the text of this message: one that is not settled, or was later than `since`; without
    a moment, any."""
    needed: list[ColumnElement[bool]] = []
    if since is not None:
        lately = exists(
            select(literal(1)).where(
                report_decisions.c.report_id == reports.c.id, report_decisions.c.decided_at >= since
            )
        )
        needed = [or_(reports.c.status.in_(UNDECIDED), lately)]
    return exists(
        select(literal(1))
        .select_from(report_messages.join(reports, reports.c.id == report_messages.c.report_id))
        .where(report_messages.c.message_id == message_id, *needed)
    )


def undecided_about(tx: Transaction, user_id: int) -> int:
    """How many reports that nobody has settled are his, or name a message of his."""
    named = (
        select(literal(1))
        .select_from(report_messages.join(messages, messages.c.id == report_messages.c.message_id))
        .where(report_messages.c.report_id == reports.c.id, messages.c.author_id == user_id)
    )
    found = select(func.count()).where(
        reports.c.status.in_(UNDECIDED), or_(reports.c.reporter_id == user_id, exists(named))
    )
    return int(tx.execute(found).scalar_one())


def forget_words_of(tx: Transaction, user_id: int) -> None:
    """What he gave as reasons and noted goes; that there was a report, and what was decided, stays."""
    tx.execute(update(reports).where(reports.c.reporter_id == user_id).values(reason=""))
    tx.execute(update(report_readings).where(report_readings.c.reader_id == user_id).values(reason=""))
    tx.execute(update(report_decisions).where(report_decisions.c.officer_id == user_id).values(note=None))


def forget_settled_before(tx: Transaction, organization_id: int, moment: datetime) -> None:
    """The words of reports that were settled before this moment go with the messages that they named."""
    later = select(literal(1)).where(
        report_decisions.c.report_id == reports.c.id, report_decisions.c.decided_at >= moment
    )
    settled = select(reports.c.id).where(
        reports.c.organization_id == organization_id, reports.c.status.not_in(UNDECIDED), ~exists(later)
    )
    read, ruled = report_readings.c, report_decisions.c
    tx.execute(update(reports).where(reports.c.id.in_(settled), reports.c.reason != "").values(reason=""))
    old = (read.report_id.in_(settled), read.read_at < moment, read.reason != "")
    tx.execute(update(report_readings).where(*old).values(reason=""))
    noted = (ruled.report_id.in_(settled), ruled.note.is_not(None))
    tx.execute(update(report_decisions).where(*noted).values(note=None))
