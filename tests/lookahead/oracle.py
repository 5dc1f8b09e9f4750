"""What must the answer be? The plain executor over dicts: every field answered again, one at a time.

An object is a dict with its type and its row; `FIELDS` says for each type how each field comes from them. No
statement, no plan and no projection is involved, so an answer that is the same here is no coincidence.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from graphql import DocumentNode, GraphQLResolveInfo, GraphQLSchema, execute_sync

from tests.lookahead import protection, safety, talk, written
from tests.lookahead.pages import Thing
from tests.lookahead.rules import MANDATORY, Sight
from tests.lookahead.things import (
    audit_page,
    badges,
    call_if_seen,
    call_page,
    chat_if_seen,
    chat_page,
    curators,
    group_of,
    group_page,
    looked_up,
    maybe,
    member_page,
    memberships,
    own_groups,
    parent_of,
    participant_page,
    thing,
    user_numbered,
    viewer_of,
    whole_address,
)

Answer = Callable[..., Any]

KNOBS = (
    *("messagingEnabled", "lockdown", "linkRequirement", "chatKinds", "conversationKinds", "selfMessages"),
    *("audiencesAsRecipients", "attachments", "bodyFormat", "messageDeletion", "conversationDeletion"),
    *("retentionDays", "safeguardingPosition"),
)

PARTS = {
    "PageInfo": ("hasNextPage", "hasPreviousPage", "startCursor", "endCursor"),
    "Badges": ("unreadConversations", "unreadMessages", "unreadMail", "newCalls", "openReports"),
}
"""Objects that are made as a whole, as connections and their edges are."""


def answer(
    schema: GraphQLSchema,
    document: DocumentNode,
    sight: Sight,
    variables: dict[str, Any],
    event: Thing | None = None,
) -> Any:
    """The data that the document's one operation must give; of a subscription, for this event.

    Raises what a field raised.
    """
    result: Any = execute_sync(
        schema, document, event, context_value=sight, variable_values=variables, field_resolver=_resolve
    )
    if result.errors:
        raise result.errors[0].original_error or result.errors[0]
    return result.data


def answers(type_name: str, field: str) -> bool:
    """Whether the oracle knows this field of an object. What it does not know is not asked for."""
    if type_name in PARTS:
        return field in PARTS[type_name]
    if type_name.endswith(("Connection", "Edge")):
        item = type_name.removesuffix("Connection").removesuffix("Edge")
        return ("FeedItem" if item == "Feed" else item) in FIELDS
    return field in FIELDS.get(type_name, {})


def happened(sight: Sight, stream: str, since: int) -> list[Thing]:
    """What a subscription must tell of, in order."""
    told: dict[str, tuple[str, Callable[[Any], bool]]] = {
        "callPublished": ("CallPublished", sight.hears_of_publication),
        "callChanged": ("CallChanged", sight.hears_of_call),
        "chatChanged": ("ChatChanged", sight.hears_of_chat),
        "messageReceived": ("MessageReceived", partial(talk.hears_of_message, sight)),
        "messageChanged": ("MessageChanged", partial(talk.hears_of_copy, sight)),
        "conversationChanged": ("ConversationChanged", partial(talk.hears_of_conversation, sight)),
        "organizationChanged": ("OrganizationChanged", lambda event: event.kind == "ORGANIZATION_CHANGED"),
        "reportChanged": ("ReportChanged", partial(safety.hears_of_report, sight)),
    }
    type_name, hears = told[stream]
    found = [
        event
        for event in sight.rows.events
        if event.organization_id == sight.organization.id and event.number > since and hears(event)
    ]
    return [{stream: thing(type_name, event)} for event in sorted(found, key=lambda event: event.number)]


def _resolve(source: Any, info: GraphQLResolveInfo[Any], **given: Any) -> Any:
    kind, field = info.parent_type.name, info.field_name
    if kind == "Subscription":
        return source[field]
    if kind in PARTS or kind.endswith(("Connection", "Edge")):
        return source[field]
    known = {name: value for name, value in given.items() if value is not None}
    return FIELDS[kind][field](info.context, (source or {}).get("row"), **known)


def _id(kind: str) -> Answer:
    return lambda _, row: f"{kind}_{row.id}"


def _column(name: str) -> Answer:
    return lambda _, row: getattr(row, name)


def _yes(name: str) -> Answer:
    return lambda _, row: bool(getattr(row, name))


def _knob(name: str) -> Answer:
    return lambda sight, _: sight.policy[name]


def _number(id: str) -> int:
    return int(id.partition("_")[2])


def _to_chat(payload: str) -> Answer:
    return lambda sight, _, input: thing(payload, sight.rows.chats[_number(input["chatId"])])


def _to_call(payload: str) -> Answer:
    def resolve(sight: Sight, _: Any, input: Thing) -> Thing:
        call = sight.rows.calls[_number(input["callId"])]
        published = sight.published_in(call.chat_id)
        if payload == "PublishCallPayload" and published not in (None, call):
            return thing("CallAlreadyPublishedError", published)
        return thing(payload, call)

    return resolve


FIELDS: dict[str, dict[str, Answer]] = {
    **written.TYPES,
    "Query": {
        "viewer": lambda sight, _: viewer_of(sight),
        "node": lambda sight, _, id: looked_up(sight, id),
        "nodes": lambda sight, _, ids: [looked_up(sight, id) for id in ids],
    },
    "Viewer": {
        "user": lambda _, me: thing("User", me),
        "organization": lambda sight, _: thing("Organization", sight.organization),
        "isLinked": lambda sight, _: sight.is_linked,
        "messengerUrl": lambda sight, _: f"{sight.address}/messenger" if sight.may_join else None,
        "badges": lambda sight, _: badges(sight),
        "eventCursor": lambda sight, _: str(sight.organization.last_event),
        "chats": lambda sight, _, **given: chat_page(
            sight, filter(sight.is_own, sight.rows.chats.values()), **given
        ),
        "canCreateChat": lambda sight, _: sight.can_create_chat(),
        "groups": lambda sight, _, kind=None: own_groups(sight, kind),
        "isSafeguardingOfficer": lambda sight, _: sight.is_officer,
        "blockedPeople": lambda sight, _: protection.blocked_people(sight),
        **written.VIEWER,
    },
    "Organization": {
        "id": _id("Organization"),
        "name": _column("name"),
        "timeZone": _column("time_zone"),
        "locale": _column("locale"),
        "policy": lambda _, row: thing("Policy", row),
        "chats": lambda sight, _, **given: chat_page(
            sight, filter(sight.sees_chat, sight.rows.chats.values()), **given
        ),
        "groups": lambda sight, _, **given: group_page(sight, **given),
        "auditEntries": lambda sight, _, **given: audit_page(sight, **given),
        "reports": lambda sight, _, **given: protection.report_page(sight, **given),
    },
    "AuditEntry": {
        "at": _column("at"),
        "actor": lambda sight, row: maybe("User", sight.rows.users.get(row.actor_id)),
        "action": _column("action"),
        "subject": _column("subject"),
    },
    "Policy": {
        "preset": _column("preset"),
        **{name: _knob(name) for name in KNOBS},
    },
    "User": {
        "id": _id("User"),
        "name": _column("name"),
        "login": _column("login"),
        "isActive": lambda _, user: user.deactivated_at is None,
        "memberships": memberships,
        "viewerCanBlock": safety.can_block,
        "viewerHasBlocked": lambda sight, user: sight.has_blocked(sight.me, user),
        **written.USER,
    },
    "Membership": {
        "group": lambda sight, row: thing("Group", sight.rows.groups[row.group_id]),
        "position": _column("position"),
    },
    "Group": {
        "id": _id("Group"),
        "name": _column("name"),
        "kind": _column("kind"),
        "discipline": _column("discipline"),
        "parent": parent_of,
        "curators": curators,
        "members": member_page,
        "viewerCanCreateChat": lambda sight, group: sight.can_create_chat_for(group),
    },
    "Chat": {
        "id": _id("Chat"),
        "name": _column("name"),
        "kind": _column("kind"),
        "isMandatory": lambda _, chat: chat.kind in MANDATORY,
        "group": group_of,
        "participantCount": lambda sight, chat: len(sight.rows.people_in[chat.id]),
        "linkedParticipantCount": lambda sight, chat: sum(
            row.user_id in sight.rows.linked for row in sight.rows.people_in[chat.id]
        ),
        "participants": participant_page,
        "publishedCall": lambda sight, chat: call_if_seen(sight, sight.published_in(chat.id)),
        "calls": call_page,
        "url": lambda sight, chat: (
            whole_address(sight, chat.url) if sight.may_join and sight.part_in(chat.id) else None
        ),
        "conversation": lambda sight, chat: maybe("Conversation", talk.conversation_of(sight, chat)),
        "viewerIsAdministrator": lambda sight, chat: sight.administers(chat.id),
        "viewerActions": lambda sight, chat: sight.chat_actions(chat),
    },
    "ChatParticipant": {
        "user": lambda sight, row: user_numbered(sight, row.user_id),
        "isAdministrator": _yes("is_administrator"),
        "isLinked": lambda sight, row: row.user_id in sight.rows.linked,
        "joinedAt": _column("joined_at"),
    },
    "Call": {
        "id": _id("Call"),
        "chat": lambda sight, call: thing("Chat", sight.rows.chats[call.chat_id]),
        "title": _column("title"),
        "startsAt": _column("starts_at"),
        "status": _column("status"),
        "lastActor": lambda sight, call: maybe("User", sight.rows.users.get(call.last_actor_id)),
        "lastActedAt": _column("last_acted_at"),
        "joinUrl": lambda sight, call: (
            whole_address(sight, call.url) if "JOIN" in sight.call_actions(call) else None
        ),
        "viewerActions": lambda sight, call: sight.call_actions(call),
    },
    "Mutation": {
        "renameChat": _to_chat("RenameChatPayload"),
        "addChatParticipants": _to_chat("AddChatParticipantsPayload"),
        "removeChatParticipants": _to_chat("RemoveChatParticipantsPayload"),
        "setChatAdministrator": _to_chat("SetChatAdministratorPayload"),
        "markChatsSeen": lambda sight, _, **__: thing("MarkChatsSeenPayload", sight.me),
        "updateCall": _to_call("UpdateCallPayload"),
        "publishCall": _to_call("PublishCallPayload"),
        "finishCall": _to_call("FinishCallPayload"),
        "unlinkProfile": lambda sight, _: thing("UnlinkProfilePayload", sight.me),
        **written.MUTATION,
        **protection.MUTATION,
    },
    **{
        payload: {"chat": lambda _, chat: thing("Chat", chat)}
        for payload in (
            "RenameChatPayload",
            "AddChatParticipantsPayload",
            "RemoveChatParticipantsPayload",
            "SetChatAdministratorPayload",
        )
    },
    **{
        payload: {"call": lambda _, call: thing("Call", call)}
        for payload in ("UpdateCallPayload", "PublishCallPayload", "FinishCallPayload")
    },
    "CallAlreadyPublishedError": {
        "code": lambda *_: "CALL_ALREADY_PUBLISHED",
        "publishedCall": call_if_seen,
    },
    "MarkChatsSeenPayload": {"badges": lambda sight, _: badges(sight)},
    "UnlinkProfilePayload": {"viewer": lambda sight, _: viewer_of(sight)},
    "CallPublished": {
        "cursor": lambda _, event: str(event.number),
        "call": lambda sight, event: call_if_seen(sight, sight.rows.calls[event.call_id]),
    },
    "CallChanged": {
        "cursor": lambda _, event: str(event.number),
        "callId": lambda _, event: f"Call_{event.call_id}",
        "chatId": lambda _, event: f"Chat_{event.chat_id}",
        "chat": lambda sight, event: chat_if_seen(sight, event.chat_id),
        "call": lambda sight, event: call_if_seen(sight, sight.rows.calls[event.call_id]),
    },
    **protection.TYPES,
    "ChatChanged": {
        "cursor": lambda _, event: str(event.number),
        "chatId": lambda _, event: f"Chat_{event.chat_id}",
        "chat": lambda sight, event: chat_if_seen(sight, event.chat_id),
    },
}
"""How each field of each type is answered: from the viewer's sight, the row, and what arguments are given."""
