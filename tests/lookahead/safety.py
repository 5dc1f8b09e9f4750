"""What may one person see and do of what keeps people safe? The rules once more, as loops over rows."""

from tests.lookahead.rows import Row
from tests.lookahead.rules import Sight

ABOUT_REPORTS = ("reportMessage", "readReport", "readReportRefused", "decideReport")
ABOUT_BLOCKS = ("blockPerson", "unblockPerson")


def sees_report(sight: Sight, report: Row) -> bool:
    """Officers of the organization do, but not those of their own messages."""
    here = report.organization_id == sight.organization.id
    return here and sight.is_officer and not _is_own(sight, report)


def reports(sight: Sight) -> list[Row]:
    """Oldest first."""
    return [row for _, row in sorted(sight.rows.reports.items()) if sees_report(sight, row)]


def hears_of_report(sight: Sight, event: Row) -> bool:
    return bool(event.kind == "REPORT_CHANGED" and event.user_id == sight.me.id and sight.is_officer)


def is_kept_from(sight: Sight, entry: Row) -> bool:
    """Whether an entry of the audit would tell somebody that his message was reported, or that he was blocked."""
    if entry.action in ABOUT_BLOCKS:
        return bool(entry.subject == f"User_{sight.me.id}")
    if entry.action not in ABOUT_REPORTS:
        return False
    return any(entry.subject == f"Report_{row.id}" and _is_own(sight, row) for row in sight.rows.reports.values())


def can_block(sight: Sight, user: Row) -> bool:
    """Nobody himself; and none of the personnel but by their own."""
    at = {
        held.position
        for held in sight.rows.held_by[user.id]
        if sight.rows.groups[held.group_id].kind == "ORGANIZATION"
    }
    return user is not sight.me and (sight.is_personnel or not at & {"TEACHER", "STAFF", "ADMINISTRATOR"})


def has_opened(sight: Sight, message_id: int) -> bool:
    """Whether the viewer has given a reason to read it."""
    return sight.is_officer and any(
        reading.reader_id == sight.me.id
        for named in sight.rows.reported_with[message_id]
        for reading in sight.rows.readings_of[named.report_id]
    )


def _is_own(sight: Sight, report: Row) -> bool:
    return bool(sight.rows.messages[report.message_id].author_id == sight.me.id)
