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
    PUBLICATIONS,
    call_as_published,
    call_changes,
    chat_changes,
    conversation_changes,
    message_arrivals,
    message_as_sent,
    message_changes,
    publications,
)
from models.chat_scopes import visible_calls, visible_chats
from models.conversation_scopes import visible_conversations
from models.messages import visible_messages
from models.tables.calls import calls
from models.tables.chats import chats
from models.tables.conversations import conversations, messages
from models.tables.events import EventKind
from resolvers.ids import spelled
from resolvers.projection import Column, One, Projection
from resolvers.statement import VIEWER


class Stream(NamedTuple):
    """What a subscription yields, from which kinds of events, and which of them a viewer hears after a number,
    everywhere or in one conversation."""

    target: str
    kinds: tuple[EventKind, ...]
    heard: Callable[[Viewer, Any, Any], Select[Any]]


STREAMS = {
    "messageReceived": Stream("MessageReceived", MESSAGE_ARRIVALS, message_arrivals),
    "messageChanged": Stream("MessageChanged", MESSAGE_CHANGES, lambda who, since, _: message_changes(who, since)),
    "conversationChanged": Stream(
        "ConversationChanged", CONVERSATION_CHANGES, lambda who, since, _: conversation_changes(who, since)
    ),
    "callPublished": Stream("CallPublished", PUBLICATIONS, lambda who, since, _: publications(who, since)),
    "callChanged": Stream("CallChanged", CALL_CHANGES, lambda who, since, _: call_changes(who, since)),
    "chatChanged": Stream("ChatChanged", CHAT_CHANGES, lambda who, since, _: chat_changes(who, since)),
}

ALL_KINDS = frozenset(EventKind)

_cursor = Column(lambda row: cast(row.number, String))


@lru_cache(maxsize=32)
def kinds_of(name: str, *, in_one: bool) -> frozenset[EventKind]:
    """The kinds of events after which the subscription of this name may have something to tell, or an end."""
    return frozenset((*STREAMS[name].kinds, *ENDINGS, *(DEPARTURES if in_one else ())))


def _call(*, optional: bool) -> One:
    return One(
        "Call",
        lambda row, _: visible_calls(VIEWER).where(calls.c.id == row.call_id),
        optional=optional,
        shared=None if optional else lambda row, _: call_as_published(row.call_id),
    )


def _chat() -> One:
    return One("Chat", lambda row, _: visible_chats(VIEWER).where(chats.c.id == row.chat_id), optional=True)


Projection("CallPublished", cursor=_cursor, call=_call(optional=False))
Projection(
    "CallChanged",
    cursor=_cursor,
    call_id=Column(lambda row: spelled("Call", row.call_id)),
    chat_id=Column(lambda row: spelled("Chat", row.chat_id)),
    chat=_chat(),
    call=_call(optional=True),
)
Projection(
    "ChatChanged",
    cursor=_cursor,
    chat_id=Column(lambda row: spelled("Chat", row.chat_id)),
    chat=_chat(),
)
Projection(
    "MessageReceived",
    cursor=_cursor,
    message=One(
        "Message",
        lambda row, _: visible_messages(VIEWER).where(messages.c.id == row.message_id),
        shared=lambda row, _: message_as_sent(row.message_id),
    ),
)
Projection(
    "MessageChanged",
    cursor=_cursor,
    message_id=Column(lambda row: spelled("Message", row.message_id)),
    message=One(
        "Message",
        lambda row, _: visible_messages(VIEWER).where(messages.c.id == row.message_id),
        optional=True,
    ),
)
Projection(
    "ConversationChanged",
    cursor=_cursor,
    conversation_id=Column(lambda row: spelled("Conversation", row.conversation_id)),
    conversation=One(
        "Conversation",
        lambda row, _: visible_conversations(VIEWER).where(conversations.c.id == row.conversation_id),
        optional=True,
    ),
)
Projection("Subscription", badges_changed=One("Badges", lambda _, __: person(VIEWER)))
