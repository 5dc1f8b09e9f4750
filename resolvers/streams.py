"""What do subscriptions yield, from which events, and who hears these?"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Select, String, cast

from models.actor import Viewer, person
from models.audience import (
    CALL_CHANGES,
    CHAT_CHANGES,
    CONVERSATION_CHANGES,
    DEPARTURES,
    ENDINGS,
    MESSAGE_ARRIVALS,
    MESSAGE_CHANGES,
    ORGANIZATION_CHANGES,
    PUBLICATIONS,
    REPORT_CHANGES,
    call_as_published,
    call_changes,
    chat_changes,
    conversation_changes,
    message_arrivals,
    message_as_sent,
    message_changes,
    organization_changes,
    publications,
    report_changes,
)
from models.authorization.chats import HEARS_CALL, HEARS_PUBLICATION, SEES_CALL, SEES_CHAT
from models.authorization.conversations import SEES_CONVERSATION, SEES_MESSAGE
from models.authorization.events import HEARS_CONVERSATION, HEARS_MESSAGE, HEARS_OF_COPY, check_events
from models.authorization.people import IS_ONESELF, SEES_ORGANIZATION
from models.authorization.rule import Rule
from models.authorization.safeguarding import HEARS_OF_REPORT, SEES_REPORT
from models.chat_scopes import visible_calls, visible_chats
from models.conversation_scopes import visible_conversations
from models.messages import visible_messages
from models.organization import own_organization
from models.tables.calls import calls
from models.tables.chats import chats
from models.tables.conversations import conversations, messages
from models.tables.events import EventKind
from resolvers.ids import spelled
from resolvers.projection import Column, One, Projection
from resolvers.safeguarding import report_with
from resolvers.statement import VIEWER


class Stream(NamedTuple):
    """What a subscription yields, from which kinds of events, which of them a viewer hears after a number,
    everywhere or in one conversation, and by which rule."""

    target: str
    kinds: tuple[EventKind, ...]
    heard: Callable[[Viewer, Any, Any], Select[Any]]
    heard_by: Rule


STREAMS = {
    "messageReceived": Stream("MessageReceived", MESSAGE_ARRIVALS, message_arrivals, HEARS_MESSAGE),
    "messageChanged": Stream(
        "MessageChanged", MESSAGE_CHANGES, lambda who, since, _: message_changes(who, since), HEARS_OF_COPY
    ),
    "conversationChanged": Stream(
        "ConversationChanged",
        CONVERSATION_CHANGES,
        lambda who, since, _: conversation_changes(who, since),
        HEARS_CONVERSATION,
    ),
    "callPublished": Stream(
        "CallPublished", PUBLICATIONS, lambda who, since, _: publications(who, since), HEARS_PUBLICATION
    ),
    "callChanged": Stream("CallChanged", CALL_CHANGES, lambda who, since, _: call_changes(who, since), HEARS_CALL),
    "organizationChanged": Stream(
        "OrganizationChanged",
        ORGANIZATION_CHANGES,
        lambda who, since, _: organization_changes(who, since),
        SEES_ORGANIZATION,
    ),
    "reportChanged": Stream(
        "ReportChanged", REPORT_CHANGES, lambda who, since, _: report_changes(who, since), HEARS_OF_REPORT
    ),
    "chatChanged": Stream("ChatChanged", CHAT_CHANGES, lambda who, since, _: chat_changes(who, since), SEES_CHAT),
}

ALL_KINDS = frozenset(EventKind)

_cursor = Column(lambda row: cast(row.number, String))


@lru_cache(maxsize=32)
def kinds_of(name: str, *, in_one: bool) -> frozenset[EventKind]:
    """The kinds of events after which the subscription of this name may have something to tell, or an end."""
    return frozenset((*STREAMS[name].kinds, *ENDINGS, *(DEPARTURES if in_one else ())))


def _call(*, optional: bool, seen_by: Rule) -> One:
    return One(
        "Call",
        lambda row, _: visible_calls(VIEWER).where(calls.c.id == row.call_id),
        optional=optional,
        seen_by=seen_by,
        shared=None if optional else lambda row, _: call_as_published(row.call_id),
    )


def _chat() -> One:
    return One(
        "Chat",
        lambda row, _: visible_chats(VIEWER).where(chats.c.id == row.chat_id),
        optional=True,
        seen_by=SEES_CHAT,
    )


check_events()

Projection(
    "OrganizationChanged",
    seen_by=SEES_ORGANIZATION,
    cursor=_cursor,
    organization=One("Organization", lambda _, __: own_organization(VIEWER), seen_by=SEES_ORGANIZATION),
)
Projection(
    "CallPublished",
    seen_by=HEARS_PUBLICATION,
    cursor=_cursor,
    call=_call(optional=False, seen_by=HEARS_PUBLICATION),
)
Projection(
    "CallChanged",
    seen_by=HEARS_CALL,
    cursor=_cursor,
    call_id=Column(lambda row: spelled("Call", row.call_id)),
    chat_id=Column(lambda row: spelled("Chat", row.chat_id)),
    chat=_chat(),
    call=_call(optional=True, seen_by=SEES_CALL),
)
Projection(
    "ChatChanged",
    seen_by=SEES_CHAT,
    cursor=_cursor,
    chat_id=Column(lambda row: spelled("Chat", row.chat_id)),
    chat=_chat(),
)
Projection(
    "MessageReceived",
    seen_by=HEARS_MESSAGE,
    cursor=_cursor,
    message=One(
        "Message",
        lambda row, _: visible_messages(VIEWER).where(messages.c.id == row.message_id),
        shared=lambda row, _: message_as_sent(row.message_id),
        seen_by=SEES_MESSAGE,
    ),
)
Projection(
    "MessageChanged",
    seen_by=HEARS_OF_COPY,
    cursor=_cursor,
    message_id=Column(lambda row: spelled("Message", row.message_id)),
    message=One(
        "Message",
        lambda row, _: visible_messages(VIEWER).where(messages.c.id == row.message_id),
        optional=True,
        seen_by=SEES_MESSAGE,
    ),
)
Projection(
    "ConversationChanged",
    seen_by=HEARS_CONVERSATION,
    cursor=_cursor,
    conversation_id=Column(lambda row: spelled("Conversation", row.conversation_id)),
    conversation=One(
        "Conversation",
        lambda row, _: visible_conversations(VIEWER).where(conversations.c.id == row.conversation_id),
        optional=True,
        seen_by=SEES_CONVERSATION,
    ),
)
Projection(
    "ReportChanged",
    seen_by=HEARS_OF_REPORT,
    cursor=_cursor,
    report_id=Column(lambda row: spelled("Report", row.report_id)),
    report=One("Report", lambda row, _: report_with(row.report_id), optional=True, seen_by=SEES_REPORT),
)
Projection(
    "Subscription",
    seen_by=IS_ONESELF,
    badges_changed=One("Badges", lambda _, __: person(VIEWER), seen_by=IS_ONESELF),
)
