"""Where would somebody see a thing? For each field with a rule of its own, and each kind that the rule speaks of.

A sight asks as that person, and says whether the thing is there: by its id, or because there is something at all.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from models.authorization.rule import Kind
from tests.authorization.asking import mutation, node
from tests.authorization.cast import Case
from tests.authorization.stage import Stage


class Sight(NamedTuple):
    """A document, its variables for a case, and how the thing is found in the answer."""

    document: str
    variables: Callable[[Stage, Case], dict[str, Any]]
    is_there: Callable[[Any, Stage, Case], bool]

    async def shows(self, stage: Stage, case: Case) -> bool:
        answer = await stage.as_(case).ask(self.document, **self.variables(stage, case))
        return self.is_there(answer, stage, case)


def at(type_name: str, selection: str, of: str | None = None) -> Sight:
    """The field of an object: of the thing itself, or of what the case knows by this name. A name alone: there is
    something; with a selection: the thing is there, or what the case knows as `sought`."""
    field = selection.partition("(")[0].partition("{")[0].strip()

    def variables(stage: Stage, case: Case) -> dict[str, Any]:
        return {"id": stage.more(of, case) if of else stage.thing(case)}

    def is_there(answer: Any, stage: Stage, case: Case) -> bool:
        found = (answer["node"] or {}).get(field)
        if isinstance(found, dict):
            found = found.get("nodes", found)
        return bool(found) if of is None else has(found, stage.thing(case))

    return Sight(node(type_name, selection), variables, is_there)


def listing(type_name: str, selection: str, sought: str, of: str | None = None) -> Sight:
    """A list of an object in which somebody would be whom the case knows by this name."""
    whole = at(type_name, selection, of)

    def is_there(answer: Any, stage: Stage, case: Case) -> bool:
        return has(answer["node"], stage.more(sought, case))

    return whole._replace(is_there=is_there)


def personal(selection: str, **variables: str) -> Sight:
    """What the viewer sees without an id: the thing is in it. `variables`: names of what the case knows."""
    head = "".join(f"${name}: String!" for name in variables)
    document = f"query({head}) {{ viewer {{ {selection} }} }}" if head else f"{{ viewer {{ {selection} }} }}"
    return Sight(
        document,
        lambda stage, case: {name: stage.more(known, case) for name, known in variables.items()},
        lambda answer, stage, case: has(answer, stage.thing(case)),
    )


def something(field: str, selection: str = "") -> Sight:
    """A field of the viewer's that is not empty."""
    return Sight(
        f"{{ viewer {{ {field} {selection} }} }}",
        lambda *_: {},
        lambda answer, *_: bool(answer["viewer"][field]),
    )


def done(name: str, field: str, **given: Any) -> Sight:
    """What a mutation of the thing answers."""
    (thing_field,) = (each for each, value in given.items() if value is THING)
    return Sight(
        mutation(name),
        lambda stage, case: {"input": {**given, thing_field: stage.thing(case)}},
        lambda answer, *_: bool(answer[name].get(field)),
    )


def _last_of_list() -> Sight:
    """The last message is that of the list."""
    list_sight = at("Conversation", "messages(last: 100) { nodes { id } } lastMessage { id }", "conversation")

    def is_there(answer: Any, stage: Stage, case: Case) -> bool:
        there = answer["node"]
        if there is None:
            return False
        nodes = there["messages"]["nodes"]
        assert there["lastMessage"] == (nodes[-1] if nodes else None)
        return has(nodes, stage.thing(case))

    return list_sight._replace(is_there=is_there)


def has(answer: Any, id_: str) -> bool:
    """Whether the id is anywhere in the answer."""
    if isinstance(answer, dict):
        return any(has(each, id_) for each in answer.values())
    if isinstance(answer, list):
        return any(has(each, id_) for each in answer)
    return bool(answer == id_)


THING = object()

CHATS = (Kind.CHAT, Kind.LEADERLESS_CHAT, Kind.MANDATORY_CHAT)
CALLS = (Kind.CREATED_CALL, Kind.PUBLISHED_CALL, Kind.FINISHED_CALL)
CONVERSATIONS = (Kind.GROUP_CONVERSATION, Kind.CHAT_CONVERSATION, Kind.DIRECT, Kind.THREAD)
GROUPS = (Kind.GROUP, Kind.LARGER_GROUP)
SENT = (Kind.MESSAGE, Kind.MAIL)
ALL = "(first: 100) { nodes { id } }"

_SIGHTS: Mapping[str, tuple[tuple[tuple[Kind, ...], Sight], ...]] = {
    "Chat.group": ((GROUPS, at("Chat", "group { id }", "chat")),),
    "Chat.publishedCall": (((Kind.PUBLISHED_CALL,), at("Chat", "publishedCall { id }", "chat")),),
    "Chat.calls": ((CALLS, at("Chat", f"calls{ALL}", "chat")),),
    "Chat.url": ((CHATS, at("Chat", "url")),),
    "Chat.conversation": (((Kind.CHAT_CONVERSATION,), at("Chat", "conversation { id }", "chat")),),
    "Call.joinUrl": ((CALLS, at("Call", "joinUrl")),),
    "Conversation.chat": ((CHATS, at("Conversation", "chat { id }", "conversation")),),
    "Conversation.messages": ((SENT, at("Conversation", f"messages{ALL}", "conversation")),),
    "Conversation.lastMessage": ((SENT, _last_of_list()),),
    "Message.inReplyTo": ((SENT, at("Message", "inReplyTo { id }", "answer")),),
    "Message.bcc": (((*SENT, Kind.DRAFT), at("Message", "bcc { __typename }")),),
    "Mailbox.messages": (
        (
            (Kind.MAIL, Kind.DRAFT),
            personal(
                " ".join(
                    f"{folder}: mailbox(folder: {folder}) {{ messages{ALL} }}"
                    for folder in ("INBOX", "SENT", "DRAFTS", "TRASH")
                )
            ),
        ),
    ),
    "Organization.chats": ((CHATS, personal(f"organization {{ chats{ALL} }}")),),
    "Organization.groups": ((GROUPS, personal(f"organization {{ groups{ALL} }}")),),
    "Organization.auditEntries": (
        ((Kind.ORGANIZATION,), personal("organization { auditEntries(first: 100) { nodes { subject } } }")),
    ),
    "Organization.reports": (((Kind.REPORT,), personal(f"organization {{ reports{ALL} }}")),),
    "User.memberships": (((Kind.PERSON,), listing("User", "memberships { group { id } }", "group")),),
    "Group.parent": ((GROUPS, at("Group", "parent { id }", "below")),),
    "Group.members": (
        (GROUPS, listing("Group", f"members{ALL}", "pupil")),
        ((Kind.GUARDIANS,), listing("Group", f"members{ALL}", "parent")),
    ),
    "Viewer.organization": (((Kind.ORGANIZATION,), personal("organization { id }")),),
    "Viewer.messengerUrl": (((Kind.ONESELF,), something("messengerUrl")),),
    "Viewer.chats": ((CHATS, personal(f"chats{ALL}")),),
    "Viewer.conversations": ((CONVERSATIONS, personal(f"conversations{ALL}")),),
    "Viewer.feed": (
        (
            (*SENT, Kind.PUBLISHED_CALL),
            personal("feed(first: 100) { nodes { subject { ... on Message { id } ... on Call { id } } } }"),
        ),
    ),
    "Viewer.groups": ((GROUPS, personal("groups { id }")),),
    "Viewer.recipients": (
        (
            (Kind.PERSON, Kind.AUDIENCE),
            personal(
                "recipients(search: $search, first: 100) { ... on User { id } ... on Audience { id } }",
                search="words",
            ),
        ),
    ),
    "Viewer.blockedPeople": (((Kind.ONESELF,), something("blockedPeople", "{ id }")),),
    "ReadReportPayload.report": (((Kind.REPORT,), done("readReport", "report", reportId=THING, reason="?")),),
    "ReadReportPayload.messages": (((Kind.REPORT,), done("readReport", "messages", reportId=THING, reason="?")),),
    "DecideReportPayload.report": (
        ((Kind.REPORT,), done("decideReport", "report", reportId=THING, decision="KEEP")),
    ),
}

SIGHTS: dict[tuple[str, Kind], Sight] = {
    (field, kind): sight for field, ways in _SIGHTS.items() for kinds, sight in ways for kind in kinds
}
