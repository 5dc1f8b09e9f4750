"""How does a list look to somebody, and what stands behind an id? In the order and the words of the schema."""

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from tests.lookahead import safety, talk
from tests.lookahead.pages import Page, Thing, listed
from tests.lookahead.rows import Row
from tests.lookahead.rules import Sight, folded

NODES = {
    "Organization": "organizations",
    "User": "users",
    "Group": "groups",
    "Chat": "chats",
    "Call": "calls",
    "Conversation": "conversations",
    "Message": "messages",
    "Attachment": "attachments",
    "Report": "reports",
}
"""In which table a type of id is looked up."""


def thing(kind: str, row: Any) -> Thing:
    return {"__typename": kind, "row": row}


def maybe(kind: str, row: Row | None, *, seen: bool = True) -> Thing | None:
    return thing(kind, row) if row is not None and seen else None


# ------------------------------------------------------------------------------------------ lists


def by_name(people: Iterable[Row], search: str = "") -> list[Row]:
    """By name; the folded name and the login are searched and sorted together."""
    found = [user for user in people if folded(search) in _person_key(user)]
    return sorted(found, key=lambda user: (_person_key(user), user.id))


def _person_key(user: Row) -> str:
    return folded(f"{user.name} {user.login}")


def _groups(groups: Iterable[Row], kind: str | None = None, search: str = "") -> list[Row]:
    found = [each for each in groups if kind in (None, each.kind) and folded(search) in folded(each.name)]
    return sorted(found, key=lambda each: (folded(each.name), each.id))


def _chats(sight: Sight, chats: Iterable[Row], given: Thing) -> list[Row]:
    """E14, E15, E16: what is given combines with AND."""
    kinds, search = given.get("kinds"), given.get("search") or ""
    published = given.get("hasPublishedCall")
    found = [
        chat
        for chat in chats
        if (not kinds or chat.kind in kinds)
        and (published is None or (sight.published_in(chat.id) is not None) is published)
        and folded(search) in folded(chat.name)
    ]
    return sorted(found, key=lambda chat: (folded(chat.name), chat.id))


def chat_page(sight: Sight, chats: Iterable[Row], filter: Thing | None = None, **page: Any) -> Thing:
    found = _chats(sight, chats, filter or {})
    return listed(Page("Chat", [thing("Chat", chat) for chat in found], _named, **page))


def group_page(sight: Sight, kind: str | None = None, search: str = "", **page: Any) -> Thing:
    found = _groups(filter(sight.sees_group, sight.rows.groups.values()), kind, search)
    return listed(Page("Group", [thing("Group", group) for group in found], _named, **page))


def audit_page(sight: Sight, **page: Any) -> Thing:
    rows = sight.rows.audit_of[sight.organization.id] if sight.is_administrator else []
    rows = [row for row in rows if not safety.is_kept_from(sight, row)]
    newest = sorted(rows, key=lambda row: -row.id)
    things = [thing("AuditEntry", row) for row in newest]
    return listed(Page("AuditEntry", things, lambda it: [it["row"].id], descending=True, **page))


def own_groups(sight: Sight, kind: str | None) -> list[Thing]:
    found = [each for each in sight.rows.groups.values() if each.ended_at is None and sight.belongs_to(each.id)]
    return [thing("Group", group) for group in _groups(found, kind)]


def member_page(sight: Sight, group: Row, position: str | None = None, search: str = "", **page: Any) -> Thing:
    found = by_name(sight.members(group, position), search)
    return listed(Page("User", [thing("User", user) for user in found], by_person, **page))


def participant_page(sight: Sight, chat: Row, search: str = "", **page: Any) -> Thing:
    rows = sight.rows.people_in[chat.id] if sight.sees_participants(chat) else []
    parts = {row.user_id: row for row in rows}
    found = [parts[user.id] for user in by_name([sight.rows.users[one] for one in parts], search)]
    things = [thing("ChatParticipant", row) for row in found]

    def place(it: Thing) -> list[Any]:
        return by_person(user_numbered(sight, it["row"].user_id))

    return listed(Page("ChatParticipant", things, place, **page))


def call_page(sight: Sight, chat: Row, **page: Any) -> Thing:
    found = sorted(
        filter(sight.sees_call, sight.rows.calls_in[chat.id]), key=lambda call: (call.starts_at, call.id)
    )
    things = [thing("Call", call) for call in reversed(found)]
    return listed(Page("Call", things, lambda it: [it["row"].starts_at, it["row"].id], descending=True, **page))


def _named(it: Thing) -> list[Any]:
    return [folded(it["row"].name), it["row"].id]


def by_person(it: Thing) -> list[Any]:
    return [_person_key(it["row"]), it["row"].id]


# ---------------------------------------------------------------------------------------- objects


def looked_up(sight: Sight, id: str) -> Thing | None:
    found = re.fullmatch(rf"({'|'.join(NODES)})_([1-9][0-9]*)", id)
    if found is None:
        return None
    row = getattr(sight.rows, NODES[found[1]]).get(int(found[2]))
    sees: dict[str, Callable[[Row], bool]] = {
        "Organization": lambda it: it is sight.organization,
        "User": sight.sees_person,
        "Group": sight.sees_group,
        "Chat": sight.sees_chat,
        "Call": sight.sees_call,
        "Conversation": partial(talk.sees_conversation, sight),
        "Message": lambda it: talk.copy_of(sight, it.id) is not None,
        "Attachment": partial(talk.sees_attachment, sight),
        "Report": partial(safety.sees_report, sight),
    }
    return maybe(found[1], row, seen=row is not None and sees[found[1]](row))


def user_numbered(sight: Sight, user_id: int | None) -> Thing:
    return thing("User", sight.rows.users[user_id])


def viewer_of(sight: Sight) -> Thing:
    return thing("Viewer", sight.me)


def badges(sight: Sight) -> Thing:
    unread = talk.unread_talk(sight)
    return {
        "__typename": "Badges",
        "unreadConversations": len({*unread}),
        "unreadMessages": len(unread),
        "unreadMail": talk.unread_mail(sight),
        "newCalls": sight.new_calls(),
        "openReports": sum(row.status == "OPEN" for row in safety.reports(sight)),
    }


def memberships(sight: Sight, user: Row) -> list[Thing]:
    def place(row: Row) -> Any:
        return folded(sight.rows.groups[row.group_id].name), row.group_id, row.position

    return [thing("Membership", row) for row in sorted(sight.memberships(user), key=place)]


def whole_address(sight: Sight, url: str | None) -> str | None:
    return f"{sight.address}{url}" if url is not None and url.startswith("/") else url


def parent_of(sight: Sight, group: Row) -> Thing | None:
    above = sight.rows.groups.get(group.parent_id)
    return maybe("Group", above, seen=above is not None and sight.sees_group(above))


def group_of(sight: Sight, chat: Row) -> Thing | None:
    group = sight.rows.groups.get(chat.group_id)
    return maybe("Group", group, seen=group is not None and sight.sees_group(group))


def chat_if_seen(sight: Sight, chat_id: int) -> Thing | None:
    chat = sight.rows.chats[chat_id]
    return maybe("Chat", chat, seen=sight.sees_chat(chat))


def call_if_seen(sight: Sight, call: Row | None) -> Thing | None:
    return maybe("Call", call, seen=call is not None and sight.sees_call(call))


def curators(sight: Sight, group: Row) -> list[Thing]:
    at_it = {row.user_id for row in sight.rows.held_in[group.id] if row.position == "CURATOR"}
    return [thing("User", user) for user in by_name([sight.rows.users[one] for one in at_it])]
