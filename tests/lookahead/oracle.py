"""What must the answer be? The plain executor over dicts: every field answered again, one at a time.

An object is a dict with its type and its row; `FIELDS` says for each type how each field comes from them. No
statement, no plan and no projection is involved, so an answer that is the same here is no coincidence.
"""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from graphql import DocumentNode, GraphQLResolveInfo, GraphQLSchema, execute_sync

from tests.lookahead.pages import Page, listed
from tests.lookahead.rows import Row, Rows
from tests.lookahead.rules import MANDATORY, Sight, folded

Thing = dict[str, Any]
Answer = Callable[..., Any]

NODES = {"Organization": "organizations", "User": "users", "Group": "groups", "Chat": "chats", "Call": "calls"}
"""In which table a type of id is looked up."""


def answer(schema: GraphQLSchema, document: DocumentNode, sight: Sight, variables: dict[str, Any]) -> Any:
    """The data that the document's one operation must give. Fails where the plain executor meets an error."""
    return _executed(schema, document, sight, variables, {"__typename": "Query"})


def told(
    schema: GraphQLSchema, document: DocumentNode, sight: Sight, variables: dict[str, Any], event: Thing
) -> Any:
    """The data that a subscription must give for this event."""
    return _executed(schema, document, sight, variables, event)


def happened(sight: Sight, stream: str, since: int) -> list[Thing]:
    """What a subscription must tell of, in order."""
    type_name, hears = {
        "callPublished": ("CallPublished", sight.hears_of_publication),
        "callChanged": ("CallChanged", sight.hears_of_call),
        "chatChanged": ("ChatChanged", sight.hears_of_chat),
    }[stream]
    found = [
        event
        for event in sight.rows.events
        if event.organization_id == sight.organization.id and event.number > since and hears(event)
    ]
    return [{stream: _thing(type_name, event)} for event in sorted(found, key=lambda event: event.number)]


def _executed(
    schema: GraphQLSchema, document: DocumentNode, sight: Sight, variables: dict[str, Any], root: Thing
) -> Any:
    result: Any = execute_sync(
        schema, document, root, context_value=sight, variable_values=variables, field_resolver=_resolve
    )
    if result.errors:
        raise result.errors[0].original_error or result.errors[0]
    return result.data


def _resolve(source: Any, info: GraphQLResolveInfo, **given: Any) -> Any:
    kind, field = info.parent_type.name, info.field_name
    if kind == "Subscription":
        return source[field]
    if kind in ("PageInfo", "Badges") or kind.endswith(("Connection", "Edge")):
        return source[field]
    known = {name: value for name, value in given.items() if value is not None}
    return FIELDS[kind][field](info.context, (source or {}).get("row"), **known)


def _thing(kind: str, row: Any) -> Thing:
    return {"__typename": kind, "row": row}


def _maybe(kind: str, row: Row | None, *, seen: bool = True) -> Thing | None:
    return _thing(kind, row) if row is not None and seen else None


# ------------------------------------------------------------------------------------------ lists


def _people(people: Iterable[Row], search: str = "") -> list[Row]:
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


def _chat_page(sight: Sight, chats: Iterable[Row], filter: Thing | None = None, **page: Any) -> Thing:
    found = _chats(sight, chats, filter or {})
    return listed(Page("Chat", [_thing("Chat", chat) for chat in found], _named, **page))


def _group_page(sight: Sight, kind: str | None = None, search: str = "", **page: Any) -> Thing:
    found = _groups(filter(sight.sees_group, sight.rows.groups.values()), kind, search)
    return listed(Page("Group", [_thing("Group", group) for group in found], _named, **page))


def _member_page(sight: Sight, group: Row, position: str | None = None, search: str = "", **page: Any) -> Thing:
    found = _people(sight.members(group, position), search)
    return listed(Page("User", [_thing("User", user) for user in found], _by_person, **page))


def _participant_page(sight: Sight, chat: Row, search: str = "", **page: Any) -> Thing:
    rows = sight.rows.people_in[chat.id] if sight.sees_participants(chat) else []
    by_person = {row.user_id: row for row in rows}
    found = [by_person[user.id] for user in _people([sight.rows.users[one] for one in by_person], search)]
    things = [_thing("ChatParticipant", row) for row in found]
    return listed(Page("ChatParticipant", things, lambda it: _by_person(_user(sight, it["row"].user_id)), **page))


def _call_page(sight: Sight, chat: Row, **page: Any) -> Thing:
    found = sorted(
        filter(sight.sees_call, sight.rows.calls_in[chat.id]), key=lambda call: (call.starts_at, call.id)
    )
    things = [_thing("Call", call) for call in reversed(found)]
    return listed(Page("Call", things, lambda it: [it["row"].starts_at, it["row"].id], descending=True, **page))


def _named(it: Thing) -> list[Any]:
    return [folded(it["row"].name), it["row"].id]


def _by_person(it: Thing) -> list[Any]:
    return [_person_key(it["row"]), it["row"].id]


# ---------------------------------------------------------------------------------------- objects


def _look_up(sight: Sight, id: str) -> Thing | None:
    found = re.fullmatch(r"(Organization|User|Group|Chat|Call)_([1-9][0-9]*)", id)
    if found is None:
        return None
    row = getattr(sight.rows, NODES[found[1]]).get(int(found[2]))
    sees = {
        "Organization": lambda it: it is sight.organization,
        "User": sight.sees_person,
        "Group": sight.sees_group,
        "Chat": sight.sees_chat,
        "Call": sight.sees_call,
    }[found[1]]
    return _maybe(found[1], row, seen=row is not None and sees(row))


def _user(sight: Sight, user_id: int | None) -> Thing:
    return _thing("User", sight.rows.users[user_id])


def _viewer(sight: Sight) -> Thing:
    return _thing("Viewer", sight.me)


def _badges(sight: Sight) -> Thing:
    return {"__typename": "Badges", "newCalls": sight.new_calls()}


def _memberships(sight: Sight, user: Row) -> list[Thing]:
    def place(row: Row) -> Any:
        return folded(sight.rows.groups[row.group_id].name), row.group_id, row.position

    return [_thing("Membership", row) for row in sorted(sight.memberships(user), key=place)]


def _address(sight: Sight, url: str | None) -> str | None:
    return f"{sight.address}{url}" if url is not None and url.startswith("/") else url


def _parent(sight: Sight, group: Row) -> Thing | None:
    above = sight.rows.groups.get(group.parent_id)
    return _maybe("Group", above, seen=above is not None and sight.sees_group(above))


def _group_of(sight: Sight, chat: Row) -> Thing | None:
    group = sight.rows.groups.get(chat.group_id)
    return _maybe("Group", group, seen=group is not None and sight.sees_group(group))


def _chat_if_seen(sight: Sight, chat_id: int) -> Thing | None:
    chat = sight.rows.chats[chat_id]
    return _maybe("Chat", chat, seen=sight.sees_chat(chat))


def _call_if_seen(sight: Sight, call: Row | None) -> Thing | None:
    return _maybe("Call", call, seen=call is not None and sight.sees_call(call))


def _curators(sight: Sight, group: Row) -> list[Thing]:
    at_it = {row.user_id for row in sight.rows.held_in[group.id] if row.position == "CURATOR"}
    return [_thing("User", user) for user in _people([sight.rows.users[one] for one in at_it])]


def _id(kind: str) -> Answer:
    return lambda _, row: f"{kind}_{row.id}"


def _column(name: str) -> Answer:
    return lambda _, row: getattr(row, name)


def _yes(name: str) -> Answer:
    return lambda _, row: bool(getattr(row, name))


def _knob(name: str) -> Answer:
    return lambda sight, _: sight.policy[name]


def _changed_chat(sight: Sight, chat: Row) -> Thing:
    return _thing("Chat", chat)


def _changed_call(sight: Sight, call: Row) -> Thing:
    return _thing("Call", call)


def _number(id: str) -> int:
    return int(id.partition("_")[2])


def _to_chat(payload: str) -> Answer:
    return lambda sight, _, input: _thing(payload, sight.rows.chats[_number(input["chatId"])])


def _to_call(payload: str) -> Answer:
    def resolve(sight: Sight, _: Any, input: Thing) -> Thing:
        call = sight.rows.calls[_number(input["callId"])]
        published = sight.published_in(call.chat_id)
        if payload == "PublishCallPayload" and published not in (None, call):
            return _thing("CallAlreadyPublishedError", published)
        return _thing(payload, call)

    return resolve


FIELDS: dict[str, dict[str, Answer]] = {
    "Query": {
        "viewer": lambda sight, _: _viewer(sight),
        "node": lambda sight, _, id: _look_up(sight, id),
        "nodes": lambda sight, _, ids: [_look_up(sight, id) for id in ids],
    },
    "Viewer": {
        "user": lambda sight, me: _thing("User", me),
        "organization": lambda sight, _: _thing("Organization", sight.organization),
        "isLinked": lambda sight, _: sight.is_linked,
        "messengerUrl": lambda sight, _: f"{sight.address}/messenger" if sight.may_join else None,
        "badges": lambda sight, _: _badges(sight),
        "eventCursor": lambda sight, _: str(sight.organization.last_event),
        "chats": lambda sight, _, **given: _chat_page(
            sight,
            (chat for chat in sight.rows.chats.values() if chat.ended_at is None and sight.part_in(chat.id)),
            **given,
        ),
        "canCreateChat": lambda sight, _: sight.can_create_chat(),
        "groups": lambda sight, _, kind=None: [
            _thing("Group", group)
            for group in _groups(sight.rows.groups.values(), kind)
            if group.ended_at is None and sight.belongs_to(group.id)
        ],
    },
    "Organization": {
        "id": _id("Organization"),
        "name": _column("name"),
        "timeZone": _column("time_zone"),
        "locale": _column("locale"),
        "policy": lambda sight, row: _thing("Policy", row),
        "chats": lambda sight, _, **given: _chat_page(
            sight, filter(sight.sees_chat, sight.rows.chats.values()), **given
        ),
        "groups": lambda sight, _, **given: _group_page(sight, **given),
    },
    "Policy": {
        "preset": _column("preset"),
        **{
            name: _knob(name)
            for name in ("messagingEnabled", "chatKinds", "linkRequirement", "lockdown")
        },
    },
    "User": {
        "id": _id("User"),
        "name": _column("name"),
        "login": _column("login"),
        "isActive": lambda _, user: user.deactivated_at is None,
        "memberships": _memberships,
    },
    "Membership": {
        "group": lambda sight, row: _thing("Group", sight.rows.groups[row.group_id]),
        "position": _column("position"),
    },
    "Group": {
        "id": _id("Group"),
        "name": _column("name"),
        "kind": _column("kind"),
        "discipline": _column("discipline"),
        "parent": _parent,
        "curators": _curators,
        "members": _member_page,
        "viewerCanCreateChat": lambda sight, group: sight.can_create_chat_for(group),
    },
    "Chat": {
        "id": _id("Chat"),
        "name": _column("name"),
        "kind": _column("kind"),
        "isMandatory": lambda _, chat: chat.kind in MANDATORY,
        "group": _group_of,
        "participantCount": lambda sight, chat: len(sight.rows.people_in[chat.id]),
        "linkedParticipantCount": lambda sight, chat: sum(
            row.user_id in sight.rows.linked for row in sight.rows.people_in[chat.id]
        ),
        "participants": _participant_page,
        "publishedCall": lambda sight, chat: _call_if_seen(sight, sight.published_in(chat.id)),
        "calls": _call_page,
        "url": lambda sight, chat: (
            _address(sight, chat.url) if sight.may_join and sight.part_in(chat.id) else None
        ),
        "viewerIsAdministrator": lambda sight, chat: sight.administers(chat.id),
        "viewerActions": lambda sight, chat: sight.chat_actions(chat),
    },
    "ChatParticipant": {
        "user": lambda sight, row: _user(sight, row.user_id),
        "isAdministrator": _yes("is_administrator"),
        "isLinked": lambda sight, row: row.user_id in sight.rows.linked,
        "joinedAt": _column("joined_at"),
    },
    "Call": {
        "id": _id("Call"),
        "chat": lambda sight, call: _thing("Chat", sight.rows.chats[call.chat_id]),
        "title": _column("title"),
        "startsAt": _column("starts_at"),
        "status": _column("status"),
        "lastActor": lambda sight, call: _maybe("User", sight.rows.users.get(call.last_actor_id)),
        "lastActedAt": _column("last_acted_at"),
        "joinUrl": lambda sight, call: (
            _address(sight, call.url) if "JOIN" in sight.call_actions(call) else None
        ),
        "viewerActions": lambda sight, call: sight.call_actions(call),
    },
    "Mutation": {
        "renameChat": _to_chat("RenameChatPayload"),
        "addChatParticipants": _to_chat("AddChatParticipantsPayload"),
        "removeChatParticipants": _to_chat("RemoveChatParticipantsPayload"),
        "setChatAdministrator": _to_chat("SetChatAdministratorPayload"),
        "markChatsSeen": lambda sight, _, input: _thing("MarkChatsSeenPayload", sight.me),
        "updateCall": _to_call("UpdateCallPayload"),
        "publishCall": _to_call("PublishCallPayload"),
        "finishCall": _to_call("FinishCallPayload"),
        "unlinkProfile": lambda sight, _: _thing("UnlinkProfilePayload", sight.me),
    },
    **{
        payload: {"chat": _changed_chat}
        for payload in (
            "RenameChatPayload",
            "AddChatParticipantsPayload",
            "RemoveChatParticipantsPayload",
            "SetChatAdministratorPayload",
        )
    },
    **{
        payload: {"call": _changed_call}
        for payload in ("UpdateCallPayload", "PublishCallPayload", "FinishCallPayload")
    },
    "CallAlreadyPublishedError": {
        "code": lambda sight, _: "CALL_ALREADY_PUBLISHED",
        "publishedCall": lambda sight, call: _call_if_seen(sight, call),
    },
    "MarkChatsSeenPayload": {"badges": lambda sight, _: _badges(sight)},
    "UnlinkProfilePayload": {"viewer": lambda sight, _: _viewer(sight)},
    "CallPublished": {
        "cursor": lambda _, event: str(event.number),
        "call": lambda sight, event: _call_if_seen(sight, sight.rows.calls[event.call_id]),
    },
    "CallChanged": {
        "cursor": lambda _, event: str(event.number),
        "callId": lambda _, event: f"Call_{event.call_id}",
        "chatId": lambda _, event: f"Chat_{event.chat_id}",
        "chat": lambda sight, event: _chat_if_seen(sight, event.chat_id),
        "call": lambda sight, event: _call_if_seen(sight, sight.rows.calls[event.call_id]),
    },
    "ChatChanged": {
        "cursor": lambda _, event: str(event.number),
        "chatId": lambda _, event: f"Chat_{event.chat_id}",
        "chat": lambda sight, event: _chat_if_seen(sight, event.chat_id),
    },
}
"""How each field of each type is answered: from the viewer's sight, the row, and the arguments that are no null."""
