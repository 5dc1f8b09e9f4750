"""How are reports read, and how are the mutations answered that keep people safe?"""

from typing import Any

from sqlalchemy import Select, select

from models import audit, blocking
from models import safeguarding as rules
from models.actor import Actor
from models.authorization.people import HAS_DONE_IT
from models.authorization.safeguarding import SEES_OPENED, SEES_REPORT
from models.database import Transaction
from models.errors import Refused
from models.messages import any_messages
from models.organization import own_organization
from models.reports import AROUND, reported_messages, visible_reports
from models.tables.conversations import messages
from models.tables.people import users
from models.tables.safeguarding import ReportDecision, report_decisions, report_readings, reports
from resolvers.asked import Asked
from resolvers.attachments import attachments_in
from resolvers.bodies import BODY
from resolvers.context import Context, Given
from resolvers.ids import id_of, number
from resolvers.lookahead import Finished
from resolvers.paging import Page
from resolvers.projection import Column, Many, One, Projection
from resolvers.statement import VIEWER, Arguments, Row, given

MOST_IN_A_LIST = 100
"""Readings and rulings of one report that are shown, the latest."""


def _reports(_: Row, arguments: Arguments) -> Select[Any]:
    found = visible_reports(VIEWER)
    return found.where(reports.c.status == arguments.bind("status")) if "status" in arguments else found


def report_with(number_of_it: Any) -> Select[Any]:
    """The report with this number, for who sees it."""
    return visible_reports(VIEWER).where(reports.c.id == number_of_it)


def _readings(row: Row, _: Arguments) -> Select[Any]:
    found = select(report_readings).where(report_readings.c.report_id == row.id)
    return found.order_by(report_readings.c.id.desc()).limit(MOST_IN_A_LIST)


def _rulings(row: Row, _: Arguments) -> Select[Any]:
    found = select(report_decisions).where(report_decisions.c.report_id == row.id)
    return found.order_by(report_decisions.c.id.desc()).limit(MOST_IN_A_LIST)


REPORTS = Page("Report", _reports, keys=("id",), arguments=frozenset({"status"}), seen_by=SEES_REPORT)
"""The entry of an organization's reports."""

Projection(
    "Report",
    reports,
    seen_by=SEES_REPORT,
    id=id_of("Report"),
    reported_at=Column(),
    reporter=One("User", lambda row, _: select(users).where(users.c.id == row.reporter_id), seen_by=SEES_REPORT),
    author=One("User", lambda row, _: select(users).where(users.c.id == row.author_id), seen_by=SEES_REPORT),
    reason=Column(),
    status=Column(),
    readings=Many("ReportReading", _readings, seen_by=SEES_REPORT),
    rulings=Many("ReportRuling", _rulings, seen_by=SEES_REPORT),
)
Projection(
    "ReportReading",
    report_readings,
    seen_by=SEES_REPORT,
    reader=One("User", lambda row, _: select(users).where(users.c.id == row.reader_id), seen_by=SEES_REPORT),
    reason=Column(),
    read_at=Column(),
)
Projection(
    "ReportRuling",
    report_decisions,
    seen_by=SEES_REPORT,
    officer=One("User", lambda row, _: select(users).where(users.c.id == row.officer_id), seen_by=SEES_REPORT),
    decision=Column(),
    note=Column(optional=True),
    decided_at=Column(),
)
Projection(
    "ReportedMessage",
    messages,
    seen_by=SEES_OPENED,
    id=id_of("Message"),
    author=One("User", lambda row, _: select(users).where(users.c.id == row.author_id), seen_by=SEES_OPENED),
    subject=Column(optional=True),
    body=BODY,
    format=Column(),
    sent_at=Column(lambda row: row.sent_at),
    is_reported=Column(),
    attachments=Many("Attachment", attachments_in, seen_by=SEES_OPENED),
)


# ----------------------------------------------------------------------------------------- mutations


def _named_messages(_: Row, __: Arguments) -> Select[Any]:
    found = reported_messages(given("report"))
    return found.order_by(messages.c.event).limit(2 * AROUND + 1)


Projection(
    "ReportMessagePayload",
    seen_by=HAS_DONE_IT,
    reported=One(
        "Message",
        lambda _, __: any_messages(VIEWER).where(messages.c.id == given("message")),
        seen_by=HAS_DONE_IT,
    ),
)
Projection(
    "ReadReportPayload",
    seen_by=HAS_DONE_IT,
    report=One("Report", lambda _, __: report_with(given("report")), seen_by=SEES_REPORT),
    messages=Many("ReportedMessage", _named_messages, seen_by=SEES_OPENED),
)
Projection(
    "DecideReportPayload",
    seen_by=HAS_DONE_IT,
    report=One("Report", lambda _, __: report_with(given("report")), seen_by=SEES_REPORT),
)


def _named_person() -> One:
    return One("User", lambda _, __: select(users).where(users.c.id == given("user")), seen_by=HAS_DONE_IT)


Projection(
    "SetLockdownPayload",
    seen_by=HAS_DONE_IT,
    organization=One("Organization", lambda _, __: own_organization(VIEWER), seen_by=HAS_DONE_IT),
)
Projection("BlockPersonPayload", seen_by=HAS_DONE_IT, blocked=_named_person())
Projection("UnblockPersonPayload", seen_by=HAS_DONE_IT, unblocked=_named_person())


async def report_message(ctx: Context, asked: Asked, *, message_id: str, reason: str) -> Finished:
    message = number("Message", message_id)

    def act(tx: Transaction, actor: Actor) -> Given:
        return {"report": rules.report_message(tx, actor, message, reason=reason), "message": message}

    return await ctx.change(asked, act)


async def read_report(ctx: Context, asked: Asked, *, report_id: str, reason: str) -> Finished:
    """An officer who is refused leaves a trace as well: it is the one refusal that does."""
    try:
        return await ctx.change_one(
            asked,
            "Report",
            report_id,
            lambda tx, actor, report: rules.read_report(tx, actor, report, reason=reason),
        )
    except Refused:
        await _keep_refusal(ctx, number("Report", report_id))
        raise


async def _keep_refusal(ctx: Context, report: int) -> None:
    viewer = ctx.viewer

    def job(tx: Transaction) -> None:
        if rules.reads_reports(tx, viewer):
            subject = f"Report_{report}" if report else f"User_{viewer.id}"
            audit.keep(tx, viewer.organization_id, audit.REFUSED_READING, [subject], by=viewer.id)

    await ctx.database.write(job, viewer.organization_id)


async def decide_report(
    ctx: Context, asked: Asked, *, report_id: str, decision: ReportDecision, note: str | None
) -> Finished:
    return await ctx.change_one(
        asked,
        "Report",
        report_id,
        lambda tx, actor, report: rules.decide_report(tx, actor, report, decision, note),
    )


async def set_lockdown(ctx: Context, asked: Asked, *, lockdown: bool) -> Finished:
    def act(tx: Transaction, actor: Actor) -> Given:
        rules.set_lockdown(tx, actor, lockdown=lockdown)
        return {"organization": actor.organization_id}

    return await ctx.change(asked, act)


async def block_person(ctx: Context, asked: Asked, *, user_id: str) -> Finished:
    return await ctx.change_one(asked, "User", user_id, blocking.block_person)


async def unblock_person(ctx: Context, asked: Asked, *, user_id: str) -> Finished:
    return await ctx.change_one(asked, "User", user_id, blocking.unblock_person)
