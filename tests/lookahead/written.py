"""How does what people write look to somebody? Each field of conversations, messages and mail, answered again."""

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from tests.lookahead import talk
from tests.lookahead.pages import Page, Thing, listed
from tests.lookahead.rows import Row
from tests.lookahead.rules import Sight, folded
from tests.lookahead.things import (
    badges,
    by_person,
    chat_if_seen,
    maybe,
    thing,
    user_numbered,
)
from tests.school import NOW, SECRET

Answer = Callable[..., Any]

PLURALS = {"GUARDIAN": "Parents", "LEARNER": "Élèves", "TEACHER": "Enseignants"}
"""What audiences are called at the one school that has them."""

FILE = re.compile(r' src="attachment:Attachment_([0-9]+)"')


def conversation_page(sight: Sight, filter: Thing | None = None, **page: Any) -> Thing:
    """Latest activity first; what is given combines with AND."""
    given = filter or {}
    kinds, search = given.get("kinds"), given.get("search") or ""
    found = [
        (place, each)
        for each in sight.rows.conversations.values()
        if (place := talk.place(sight, each.id)) is not None
        and (not kinds or each.kind in kinds)
        and not (given.get("unreadOnly") and talk.unread_in(sight, each.id) == 0)
        and folded(search) in folded(talk.searched_by(sight, each))
    ]
    things = [thing("Conversation", each) for _, each in sorted(found, key=lambda it: it[0], reverse=True)]

    def place_of(it: Thing) -> list[Any]:
        return [talk.place(sight, it["row"].id)]

    return listed(Page("Conversation", things, place_of, descending=True, **page))


def participant_page(sight: Sight, row: Row, **page: Any) -> Thing:
    def place(it: Thing) -> list[Any]:
        key, _ = by_person(user_numbered(sight, it["row"].user_id))
        return [key, it["row"].user_id]

    things = sorted((thing("Participant", each) for each in talk.people(sight, row)), key=place)
    return listed(Page("Participant", things, place, **page))


def message_page(sight: Sight, row: Row, **page: Any) -> Thing:
    return _messages(talk.messages_in(sight, row.id), "event", **page)


def mail_page(sight: Sight, folder: str, unreadOnly: bool = False, search: str = "", **page: Any) -> Thing:
    def matches(mail: Row) -> bool:
        author = sight.rows.users[mail.author_id]
        texts = (mail.subject or "", f"{author.name} {author.login}")
        is_unread = talk.is_unread(sight.rows.copy[sight.me.id, mail.id])
        return (is_unread or not unreadOnly) and any(folded(search) in folded(text) for text in texts)

    found = [mail for mail in talk.mail_in(sight, folder) if matches(mail)]
    return _messages(found, "id" if folder == "DRAFTS" else "event", **page)


def _messages(found: Iterable[Row], key: str, **page: Any) -> Thing:
    things = [thing("Message", each) for each in found]
    return listed(Page("Message", things, lambda it: [getattr(it["row"], key)], newest=True, **page))


def feed_page(sight: Sight, **page: Any) -> Thing:
    """Messages that have come, and published calls, newest first (M3)."""
    mine = {row.room_id for row in sight.rows.rooms_of[sight.me.id]}
    published = [call for room in mine if (call := sight.published_in(room)) is not None]
    found = [
        *((message.event, "Message", message) for message in talk.received(sight)),
        *((call.published_event, "Call", call) for call in published),
    ]
    newest_first = sorted(found if sight.policy["newsFeed"] else [], key=lambda it: it[0], reverse=True)
    things = [thing("FeedItem", Row(number=n, subject=thing(kind, row))) for n, kind, row in newest_first]
    return listed(Page("Feed", things, lambda it: [it["row"].number], descending=True, **page))


def _when(sight: Sight, item: Row) -> str:
    (event,) = [
        each
        for each in sight.rows.events
        if each.organization_id == sight.organization.id and each.number == item.number
    ]
    return str(event.at)


def conversation_if_seen(sight: Sight, number: int) -> Thing | None:
    found = sight.rows.conversations[number]
    return maybe("Conversation", found, seen=talk.sees_conversation(sight, found))


def message_if_seen(sight: Sight, number: int | None) -> Thing | None:
    found = sight.rows.messages.get(number)
    return maybe("Message", found, seen=found is not None and talk.copy_of(sight, found.id) is not None)


def _last_message(sight: Sight, row: Row) -> Thing | None:
    found = talk.messages_in(sight, row.id)
    return thing("Message", found[-1]) if found else None


def _addressed(sight: Sight, rows: Iterable[Row]) -> list[Thing]:
    return [
        thing("Audience", row) if row.group_id is not None else user_numbered(sight, row.user_id) for row in rows
    ]


def _openly(role: str) -> Answer:
    return lambda sight, row: _addressed(
        sight, [each for each in sight.rows.addresses_of[row.id] if each.role == role]
    )


def _files(sight: Sight, message: Row) -> list[Row]:
    found = [row for row in sight.rows.attachments.values() if row.message_id == message.id]
    return sorted(found, key=lambda row: row.place)


def _body(sight: Sight, message: Row) -> str:
    """M1: its own files by addresses that work for a short time."""
    if message.format != "RICH":
        return str(message.body)
    files = {file.id: file for file in _files(sight, message)}

    def source(found: re.Match[str]) -> str:
        file = files.get(int(found[1]))
        return "" if file is None else f' src="{_address(sight, file)}"'

    return FILE.sub(source, message.body)


def _address(sight: Sight, file: Row) -> str:
    """Signed for the viewer and ten minutes."""
    until = int((NOW + timedelta(minutes=10)).timestamp())
    signed = f"{sight.organization.id}-{sight.me.id}-{until}"
    key = hmac.digest(SECRET.encode(), b"addresses of attachments", "sha256")
    mark = urlsafe_b64encode(hmac.digest(key, f"{signed}-{file.id}".encode(), "sha256")).decode().rstrip("=")
    path = f"attachments/Attachment_{file.id}/{quote(file.name, safe='')}"
    return f"{sight.address}/{path}?signature={signed}-{mark}"


def _audience_size(sight: Sight, audience: Row) -> int:
    held = [row for row in sight.rows.held_in[audience.group_id] if row.position == audience.position]
    return len({row.user_id for row in held if sight.rows.users[row.user_id].deactivated_at is None})


def _group_name(sight: Sight, audience: Row) -> str:
    return str(sight.rows.groups[audience.group_id].name)


def _column(name: str) -> Answer:
    return lambda _, row: getattr(row, name)


def _number(id: str) -> int:
    return int(id.partition("_")[2])


def _to_conversation(payload: str) -> Answer:
    return lambda sight, _, input: thing(payload, sight.rows.conversations[_number(input["conversationId"])])


def _to_person(sight: Sight, _: Any, input: Thing) -> Thing:
    pair = sorted((sight.me.id, _number(input["userId"])))
    rows = sight.rows.conversations.values()
    (found,) = [each for each in rows if each.kind == "DIRECT" and [each.low_id, each.high_id] == pair]
    return thing("OpenConversationPayload", found)


def _to_messages(payload: str) -> Answer:
    return lambda sight, _, input: thing(
        payload, talk.in_order(sight.rows.messages[number] for number in {*map(_number, input["messageIds"])})
    )


ON_CONVERSATIONS = (
    *("RenameConversation", "AddParticipants", "RemoveParticipants", "SetParticipantAdministrator"),
    *("LeaveConversation", "MuteConversation", "MarkConversationRead"),
)
ON_MESSAGES = ("MarkMessagesRead", "MarkMessagesUnread", "TrashMessages")

VIEWER: dict[str, Answer] = {
    "conversations": lambda sight, _, **given: conversation_page(sight, **given),
    "mailbox": lambda _, __, folder: thing("Mailbox", folder),
    "feed": lambda sight, _, **given: feed_page(sight, **given),
}
USER: dict[str, Answer] = {
    "viewerCanMessage": lambda sight, row: talk.why_not_start(sight, row) is None,
    "viewerCannotMessageReason": talk.why_not_start,
}
MUTATION: dict[str, Answer] = {
    "openConversation": _to_person,
    **{f"{name[0].lower()}{name[1:]}": _to_conversation(f"{name}Payload") for name in ON_CONVERSATIONS},
    **{f"{name[0].lower()}{name[1:]}": _to_messages(f"{name}Payload") for name in ON_MESSAGES},
}
_BADGES: dict[str, Answer] = {"badges": lambda sight, _: badges(sight)}

TYPES: dict[str, dict[str, Answer]] = {
    "Conversation": {
        "id": lambda _, row: f"Conversation_{row.id}",
        "kind": _column("kind"),
        "title": talk.title,
        "chat": lambda sight, row: chat_if_seen(sight, row.id) if row.kind == "CHAT" else None,
        "participants": participant_page,
        "messages": message_page,
        "lastMessage": _last_message,
        "unreadCount": lambda sight, row: talk.unread_in(sight, row.id),
        "isMuted": lambda sight, row: talk.is_muted(sight, row.id),
        "viewerActions": talk.conversation_actions,
        "viewerCannotReplyReason": talk.why_not_reply,
    },
    "Participant": {
        "user": lambda sight, row: user_numbered(sight, row.user_id),
        "isAdministrator": lambda _, row: bool(row.is_administrator),
        "joinedAt": _column("joined_at"),
        "leftAt": _column("left_at"),
    },
    "Message": {
        "id": lambda _, row: f"Message_{row.id}",
        "conversation": lambda sight, row: thing("Conversation", sight.rows.conversations[row.conversation_id]),
        "author": lambda sight, row: user_numbered(sight, row.author_id),
        "subject": _column("subject"),
        "body": _body,
        "format": _column("format"),
        "sentAt": _column("sent_at"),
        "isRead": lambda sight, row: sight.rows.copy[sight.me.id, row.id].read_at is not None,
        "inReplyTo": lambda sight, row: message_if_seen(sight, row.parent_id),
        "to": _openly("TO"),
        "cc": _openly("CC"),
        "bcc": lambda sight, row: _addressed(sight, talk.blind_addresses(sight, row)),
        "attachments": lambda sight, row: [thing("Attachment", file) for file in _files(sight, row)],
        "viewerActions": talk.message_actions,
        "viewerCanReport": lambda sight, row: row.author_id != sight.me.id,
        "viewerHasReported": lambda sight, row: any(
            each.message_id == row.id and each.reporter_id == sight.me.id for each in sight.rows.reports.values()
        ),
    },
    "Attachment": {
        "id": lambda _, row: f"Attachment_{row.id}",
        "name": _column("name"),
        "contentType": _column("content_type"),
        "byteSize": _column("byte_size"),
        "url": _address,
    },
    "Audience": {
        "id": lambda _, row: f"Audience_{row.group_id}_{row.position}",
        "name": lambda sight, row: f"{PLURALS[row.position]}, {_group_name(sight, row)}",
        "group": lambda sight, row: thing("Group", sight.rows.groups[row.group_id]),
        "position": _column("position"),
        "size": _audience_size,
    },
    "Mailbox": {
        "folder": lambda _, folder: folder,
        "unreadCount": lambda sight, folder: sum(
            talk.is_unread(sight.rows.copy[sight.me.id, mail.id]) for mail in talk.mail_in(sight, folder)
        ),
        "messages": mail_page,
    },
    "FeedItem": {"at": _when, "subject": lambda _, item: item.subject},
    "OpenConversationPayload": {"conversation": lambda _, row: thing("Conversation", row)},
    **{
        f"{name}Payload": {
            "conversation": lambda _, row: thing("Conversation", row),
            **(_BADGES if name in ("MuteConversation", "MarkConversationRead") else {}),
        }
        for name in ON_CONVERSATIONS
    },
    **{
        f"{name}Payload": {
            "messages": lambda _, rows: [thing("Message", row) for row in rows],
            **_BADGES,
        }
        for name in ON_MESSAGES
    },
    "MessageReceived": {
        "cursor": lambda _, event: str(event.number),
        "message": lambda sight, event: message_if_seen(sight, event.message_id),
    },
    "MessageChanged": {
        "cursor": lambda _, event: str(event.number),
        "messageId": lambda _, event: f"Message_{event.message_id}",
        "message": lambda sight, event: message_if_seen(sight, event.message_id),
    },
    "ConversationChanged": {
        "cursor": lambda _, event: str(event.number),
        "conversationId": lambda _, event: f"Conversation_{talk.changed_conversation(event)}",
        "conversation": lambda sight, event: conversation_if_seen(sight, talk.changed_conversation(event)),
    },
}
"""How each field of each type is answered, as `oracle` says."""
