"""What does somebody do to a thing? For each mutation, and each kind of thing that it names, one way to do it.

The person does nothing else in it that could be refused to him.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from models.authorization.rule import Kind
from tests.authorization.cast import Case
from tests.authorization.stage import Stage
from tests.steps import begin_link

Given = dict[str, Any]

TOMORROW = "2026-09-11T09:00:00+02:00"


class Deed(NamedTuple):
    """`given`: the mutation's input for a case and the id of the thing; `knobs`: what the policy has to offer."""

    given: Callable[[Stage, Case, str], Given | Awaitable[Given]]
    knobs: Mapping[str, Any] = {}


def one(field: str, **more: Any) -> Deed:
    """The thing is named in one field; `more` are values, or names of what the case knows."""

    def given(stage: Stage, case: Case, thing: str) -> Given:
        return {field: thing, **{name: _known(stage, case, value) for name, value in more.items()}}

    return Deed(given)


def many(field: str, **more: Any) -> Deed:
    """The same in a list."""

    def given(stage: Stage, case: Case, thing: str) -> Given:
        return {field: [thing], **{name: _known(stage, case, value) for name, value in more.items()}}

    return Deed(given)


def mail(field: str, *, is_list: bool = False) -> Deed:
    """A mail to oneself, in which the thing is named."""

    def given(stage: Stage, case: Case, thing: str) -> Given:
        letter = {"to": [stage.as_(case).id], "subject": "Subject", "body": "Body"}
        if field == "draftId":
            return {"mail": letter, "draftId": thing}
        return {"mail": {**letter, field: [thing] if is_list else thing}}

    return Deed(given)


class Of(str):
    """The name of an id that the case knows."""


def _known(stage: Stage, case: Case, value: Any) -> Any:
    if isinstance(value, list):
        return [_known(stage, case, each) for each in value]
    return stage.more(value, case) if isinstance(value, Of) else value


def _nothing(stage: Stage, case: Case, thing: str) -> Given:
    return {}


async def _signed_in(stage: Stage, case: Case, thing: str) -> Given:
    """Somebody who is back from signing in."""
    person = stage.as_(case)
    code = stage.api.database.messenger.sign_in.code(f"new account of {thing}")  # type: ignore[attr-defined]
    return {"code": code, "state": await begin_link(person)}


CHATS = (Kind.CHAT, Kind.LEADERLESS_CHAT, Kind.MANDATORY_CHAT)
CALLS = (Kind.CREATED_CALL, Kind.PUBLISHED_CALL, Kind.FINISHED_CALL)
CONVERSATIONS = (Kind.GROUP_CONVERSATION, Kind.CHAT_CONVERSATION, Kind.DIRECT, Kind.THREAD)
MESSAGES = (Kind.MESSAGE, Kind.MAIL, Kind.DRAFT)
PEOPLE = (Kind.PERSON,)

BYSTANDER, NEWCOMER, CHAT, CONVERSATION = map(Of, ("bystander", "newcomer", "chat", "conversation"))

_DEEDS: Mapping[str, tuple[tuple[tuple[Kind, ...], Deed], ...]] = {
    "createChat": (
        ((Kind.GROUP,), one("groupId", kind="SUBGROUP", name="New", participantIds=[])),
        ((Kind.ONESELF,), Deed(lambda *_: {"kind": "CUSTOM", "name": "New", "participantIds": []})),
        (PEOPLE, many("participantIds", kind="SUBGROUP", name="New", groupId=Of("club"))),
    ),
    "renameChat": ((CHATS, one("chatId", name="Another")),),
    "addChatParticipants": (
        (CHATS, one("chatId", userIds=[NEWCOMER])),
        (PEOPLE, many("userIds", chatId=CHAT)),
    ),
    "removeChatParticipants": (
        (CHATS, one("chatId", userIds=[BYSTANDER])),
        (PEOPLE, many("userIds", chatId=CHAT)),
    ),
    "setChatAdministrator": (
        (CHATS, one("chatId", userId=BYSTANDER, isAdministrator=True)),
        (PEOPLE, one("userId", chatId=CHAT, isAdministrator=True)),
    ),
    "deleteChat": ((CHATS, one("chatId")),),
    "markChatsSeen": (((Kind.ONESELF,), Deed(_nothing)),),
    "createCall": ((CHATS, one("chatId", title="New", startsAt=TOMORROW)),),
    "updateCall": ((CALLS, one("callId", title="Another")),),
    "publishCall": ((CALLS, one("callId")),),
    "finishCall": ((CALLS, one("callId")),),
    "deleteCall": ((CALLS, one("callId")),),
    "beginProfileLink": (((Kind.ONESELF,), Deed(_nothing)),),
    "completeProfileLink": (((Kind.ONESELF,), Deed(_signed_in)),),
    "unlinkProfile": (((Kind.ONESELF,), Deed(_nothing)),),
    "openConversation": ((PEOPLE, one("userId")),),
    "createGroupConversation": ((PEOPLE, many("participantIds", title="New")),),
    "renameConversation": ((CONVERSATIONS, one("conversationId", title="Another")),),
    "addParticipants": (
        (CONVERSATIONS, one("conversationId", userIds=[BYSTANDER])),
        (PEOPLE, many("userIds", conversationId=CONVERSATION)),
    ),
    "removeParticipants": (
        (CONVERSATIONS, one("conversationId", userIds=[BYSTANDER])),
        (PEOPLE, many("userIds", conversationId=CONVERSATION)),
    ),
    "setParticipantAdministrator": (
        (CONVERSATIONS, one("conversationId", userId=BYSTANDER, isAdministrator=True)),
        (PEOPLE, one("userId", conversationId=CONVERSATION, isAdministrator=True)),
    ),
    "leaveConversation": ((CONVERSATIONS, one("conversationId")),),
    "muteConversation": ((CONVERSATIONS, one("conversationId", muted=True)),),
    "deleteConversation": ((CONVERSATIONS, one("conversationId")),),
    "markConversationRead": ((CONVERSATIONS, one("conversationId")),),
    "sendMessage": (
        (CONVERSATIONS, one("conversationId", body="Hello")),
        ((Kind.MESSAGE,), one("inReplyToId", conversationId=CONVERSATION, body="Hello")),
        ((Kind.UPLOAD,), many("attachmentIds", conversationId=CONVERSATION, body="Hello")),
    ),
    "markMessagesRead": ((MESSAGES, many("messageIds")),),
    "markMessagesUnread": ((MESSAGES, many("messageIds")),),
    "deleteMessages": ((MESSAGES, many("messageIds")._replace(knobs={"messageDeletion": "FOR_ME"})),),
    "sendMail": (
        ((Kind.PERSON, Kind.AUDIENCE), mail("to", is_list=True)),
        ((Kind.MESSAGE, Kind.MAIL), mail("inReplyToId")),
        ((Kind.DRAFT,), mail("draftId")),
        ((Kind.UPLOAD,), mail("attachmentIds", is_list=True)),
    ),
    "saveDraft": (
        ((Kind.PERSON, Kind.AUDIENCE), mail("to", is_list=True)),
        ((Kind.MESSAGE, Kind.MAIL), mail("inReplyToId")),
        ((Kind.DRAFT,), mail("draftId")),
        ((Kind.UPLOAD,), mail("attachmentIds", is_list=True)),
    ),
    "discardDraft": (((Kind.DRAFT, Kind.MAIL), one("draftId")),),
    "trashMessages": ((MESSAGES, many("messageIds")),),
    "restoreMessages": ((MESSAGES, many("messageIds")),),
    "purgeMessages": ((MESSAGES, many("messageIds")),),
    "reportMessage": ((MESSAGES, one("messageId", reason="It hurts")),),
    "readReport": (((Kind.REPORT,), one("reportId", reason="It was asked for")),),
    "decideReport": (((Kind.REPORT,), one("reportId", decision="KEEP")),),
    "setLockdown": (((Kind.ONESELF,), Deed(lambda *_: {"lockdown": True})),),
    "blockPerson": (((Kind.PERSON, Kind.PERSON_OF_PERSONNEL), one("userId")),),
    "unblockPerson": ((PEOPLE, one("userId")),),
}

DEEDS: dict[tuple[str, Kind], Deed] = {
    (mutation, kind): deed for mutation, ways in _DEEDS.items() for kinds, deed in ways for kind in kinds
}
