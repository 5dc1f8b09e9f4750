"""How do people of the demo school report messages in the tests, and officers look at them?"""

from typing import Any

from tests.api import Api, Person
from tests.school import ADMINISTRATOR

QUEUE = """query($status: ReportStatus) { viewer { isSafeguardingOfficer badges { openReports }
    organization { reports(status: $status) { totalCount nodes {
        id reportedAt reason status reporter { login } author { login }
        readings { reader { login } reason readAt }
        rulings { officer { login } decision note decidedAt } } } } } }"""
NAMED = "messages { id body isReported author { login } sentAt attachments { id name url } }"


async def gather(by: Person, *others: Person, title: str = "Поход") -> str:
    """The id of a group conversation."""
    people = [each.id for each in others]
    made = await by.do("createGroupConversation", "conversation { id }", title=title, participantIds=people)
    return str(made["conversation"]["id"])


async def open_with(one: Person, other: Person) -> str:
    opened = await one.do("openConversation", "conversation { id }", userId=other.id)
    return str(opened["conversation"]["id"])


async def say(by: Person, there: str, body: str, **given: Any) -> str:
    """The id of a message."""
    sent = await by.do("sendMessage", "sent { id }", conversationId=there, body=body, **given)
    return str(sent["sent"]["id"])


async def report(by: Person, message: str, reason: str = "Это травля") -> str:
    """The id of the report, as the newest in the queue of the administrator shows it."""
    await by.do("reportMessage", messageId=message, reason=reason)
    return str((await queue(by.api))[-1]["id"])


async def queue(api: Api, login: str = ADMINISTRATOR, status: str | None = None) -> list[dict[str, Any]]:
    """What an officer sees there, oldest first; the badge must agree."""
    shown = (await api.as_(login).ask(QUEUE, status=status))["viewer"]
    reports: list[dict[str, Any]] = shown["organization"]["reports"]["nodes"]
    assert shown["organization"]["reports"]["totalCount"] == len(reports)
    if status is None:
        assert shown["badges"]["openReports"] == sum(each["status"] == "OPEN" for each in reports)
    return reports


async def read(officer: Person, report_id: str, reason: str = "Звонили родители") -> list[dict[str, Any]]:
    """The messages that the report names."""
    opened = await officer.do("readReport", f"report {{ id }} {NAMED}", reportId=report_id, reason=reason)
    assert opened["report"]["id"] == report_id
    messages: list[dict[str, Any]] = opened["messages"]
    return messages
