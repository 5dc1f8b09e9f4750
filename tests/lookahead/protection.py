"""How does what keeps people safe look to somebody? Each field of reports, answered again."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.lookahead import safety
from tests.lookahead.pages import Page, Thing, listed
from tests.lookahead.rows import Row
from tests.lookahead.rules import Sight
from tests.lookahead.things import by_name, maybe, thing, user_numbered

Answer = Callable[..., Any]

DECIDED = {"KEPT": "KEEP", "HIDDEN": "HIDE", "PASSED_ON": "PASS_ON"}


def report_page(sight: Sight, status: str | None = None, **page: Any) -> Thing:
    found = [thing("Report", row) for row in safety.reports(sight) if status in (None, row.status)]
    return listed(Page("Report", found, lambda it: [it["row"].id], **page))


def blocked_people(sight: Sight) -> list[Thing]:
    blocked = [sight.rows.users[row.blocked_id] for row in sight.rows.blocked_by[sight.me.id]]
    return [thing("User", user) for user in by_name(blocked)]


def idle(sight: Sight) -> Iterator[tuple[str, str]]:
    """Mutations (name, input) that change nothing, yet answer with a payload."""
    for report in sight.rows.reports.values():
        copy = sight.rows.copy.get((sight.me.id, report.message_id))
        if report.reporter_id == sight.me.id and copy is not None and copy.deleted_at is None:
            yield "reportMessage", f'{{messageId: "Message_{report.message_id}", reason: "Ещё раз"}}'
    for report in safety.reports(sight):
        if report.status in DECIDED and report.status != "PASSED_ON":
            yield "decideReport", f'{{reportId: "Report_{report.id}", decision: {DECIDED[report.status]}}}'
    for row in sight.rows.blocked_by[sight.me.id]:
        if sight.sees_person(sight.rows.users[row.blocked_id]):
            yield "blockPerson", f'{{userId: "User_{row.blocked_id}"}}'
    if sight.is_administrator or sight.is_officer:
        yield "setLockdown", f"{{lockdown: {json.dumps(sight.policy['lockdown'])}}}"
    yield "unblockPerson", f'{{userId: "User_{sight.me.id}"}}'


def _column(name: str) -> Answer:
    return lambda _, row: getattr(row, name)


def _latest(kind: str, rows: list[Row]) -> list[Thing]:
    return [thing(kind, row) for row in sorted(rows, key=lambda row: -row.id)]


def _if_seen(sight: Sight, report_id: int) -> Thing | None:
    report = sight.rows.reports[report_id]
    return maybe("Report", report, seen=safety.sees_report(sight, report))


def _number(id: str) -> int:
    return int(id.partition("_")[2])


MUTATION: dict[str, Answer] = {
    "reportMessage": lambda sight, _, input: thing(
        "ReportMessagePayload", sight.rows.messages[_number(input["messageId"])]
    ),
    "decideReport": lambda sight, _, input: thing(
        "DecideReportPayload", sight.rows.reports[_number(input["reportId"])]
    ),
    "setLockdown": lambda sight, _, **__: thing("SetLockdownPayload", sight.organization),
    "blockPerson": lambda sight, _, input: thing("BlockPersonPayload", sight.rows.users[_number(input["userId"])]),
    "unblockPerson": lambda sight, _, input: thing(
        "UnblockPersonPayload", sight.rows.users[_number(input["userId"])]
    ),
}
TYPES: dict[str, dict[str, Answer]] = {
    "Report": {
        "id": lambda _, row: f"Report_{row.id}",
        "reportedAt": _column("reported_at"),
        "reporter": lambda sight, row: user_numbered(sight, row.reporter_id),
        "author": lambda sight, row: user_numbered(sight, sight.rows.messages[row.message_id].author_id),
        "reason": _column("reason"),
        "status": _column("status"),
        "readings": lambda sight, row: _latest("ReportReading", sight.rows.readings_of[row.id]),
        "rulings": lambda sight, row: _latest("ReportRuling", sight.rows.rulings_of[row.id]),
    },
    "ReportReading": {
        "reader": lambda sight, row: user_numbered(sight, row.reader_id),
        "reason": _column("reason"),
        "readAt": _column("read_at"),
    },
    "ReportRuling": {
        "officer": lambda sight, row: user_numbered(sight, row.officer_id),
        "decision": _column("decision"),
        "note": _column("note"),
        "decidedAt": _column("decided_at"),
    },
    "ReportChanged": {
        "cursor": lambda _, event: str(event.number),
        "reportId": lambda _, event: f"Report_{event.report_id}",
        "report": lambda sight, event: _if_seen(sight, event.report_id),
    },
    "ReportMessagePayload": {"reported": lambda _, row: thing("Message", row)},
    "DecideReportPayload": {"report": lambda _, row: thing("Report", row)},
    "SetLockdownPayload": {"organization": lambda sight, _: thing("Organization", sight.organization)},
    "OrganizationChanged": {
        "cursor": lambda _, event: str(event.number),
        "organization": lambda sight, _: thing("Organization", sight.organization),
    },
    "BlockPersonPayload": {"blocked": lambda _, row: thing("User", row)},
    "UnblockPersonPayload": {"unblocked": lambda _, row: thing("User", row)},
}
"""How each field of each type is answered, as `oracle` says."""
