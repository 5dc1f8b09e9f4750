"""How are organizations, people and groups read?"""

from typing import Any

from sqlalchemy import Select

from models.actor import Actor
from models.authorization.chats import SEES_CHAT
from models.authorization.people import (
    SEES_GROUP,
    SEES_MEMBERS,
    SEES_MEMBERSHIPS,
    SEES_ORGANIZATION,
    SEES_PERSON,
)
from models.blocks import has_blocked, may_block
from models.chat_scopes import visible_chats
from models.decide import decide_creation
from models.people_scopes import (
    any_group,
    curators_of,
    members_of,
    memberships_of,
    own_groups,
    teaches,
    visible_groups,
)
from models.policy import read_policy
from models.tables.chats import ChatKind
from models.tables.organization import organizations
from models.tables.people import GroupKind, groups, users
from resolvers.audit import AUDIT
from resolvers.chats import chosen_chats
from resolvers.ids import id_of
from resolvers.paging import Page, searched
from resolvers.projection import Column, Derived, Many, One, Part, Projection
from resolvers.recipients import CAN_MESSAGE, CANNOT_MESSAGE_REASON
from resolvers.safeguarding import REPORTS
from resolvers.statement import VIEWER, Arguments, Row

MOST_IN_A_LIST = 500


def groups_of_viewer(_: Row, arguments: Arguments) -> Select[Any]:
    by_name = own_groups(VIEWER).order_by(groups.c.search_key, groups.c.id)
    return _of_kind(by_name, arguments).limit(MOST_IN_A_LIST)


def _groups(_: Row, arguments: Arguments) -> Select[Any]:
    return _of_kind(searched(visible_groups(VIEWER), groups.c.search_key, arguments), arguments)


def _of_kind(source: Select[Any], arguments: Arguments) -> Select[Any]:
    return source.where(groups.c.kind == arguments.bind("kind")) if "kind" in arguments else source


def _members(row: Row, arguments: Arguments) -> Select[Any]:
    position = arguments.bind("position") if "position" in arguments else None
    return searched(members_of(VIEWER, row.id, row.kind, position), users.c.search_key, arguments)


def _memberships(row: Row, _: Arguments) -> Select[Any]:
    found = memberships_of(VIEWER, row.id)
    column = found.selected_columns
    return found.order_by(column.group_search_key, column.group_id, column.position).limit(MOST_IN_A_LIST)


def _curators(row: Row, _: Arguments) -> Select[Any]:
    return curators_of(row.id).order_by(users.c.search_key, users.c.id).limit(MOST_IN_A_LIST)


def _knob(name: str, *, gives_list: bool = False, optional: bool = False) -> Derived:
    return Derived(
        lambda _, text: getattr(read_policy(text), name),
        ("policy_text",),
        gives_list=gives_list,
        optional=optional,
    )


def _may_create_chat(actor: Actor, kind: str, teaches_it: bool) -> bool:
    return kind == GroupKind.SUBGROUP and not decide_creation(actor, ChatKind.SUBGROUP, teaches_it=teaches_it)


Projection(
    "Organization",
    organizations,
    seen_by=SEES_ORGANIZATION,
    id=id_of("Organization"),
    name=Column(),
    time_zone=Column(),
    locale=Column(),
    policy=Part("Policy", seen_by=SEES_ORGANIZATION),
    chats=Page(
        "Chat",
        lambda _, arguments: chosen_chats(visible_chats(VIEWER), arguments),
        keys=("search_key", "id"),
        arguments=frozenset({"filter"}),
        seen_by=SEES_CHAT,
    ),
    groups=Page(
        "Group", _groups, keys=("search_key", "id"), arguments=frozenset({"kind", "search"}), seen_by=SEES_GROUP
    ),
    audit_entries=AUDIT,
    reports=REPORTS,
)

Projection(
    "Policy",
    organizations,
    seen_by=SEES_ORGANIZATION,
    preset=Column(),
    messaging_enabled=_knob("messaging_enabled"),
    conversation_kinds=_knob("conversation_kinds", gives_list=True),
    self_messages=_knob("self_messages"),
    audiences_as_recipients=_knob("audiences_as_recipients"),
    attachments=_knob("attachments"),
    body_format=_knob("body_format"),
    message_deletion=_knob("message_deletion"),
    conversation_deletion=_knob("conversation_deletion"),
    chat_kinds=_knob("chat_kinds", gives_list=True),
    link_requirement=_knob("link_requirement"),
    lockdown=_knob("lockdown"),
    retention_days=_knob("retention_days", optional=True),
    safeguarding_position=_knob("safeguarding_position"),
)

Projection(
    "User",
    users,
    seen_by=SEES_PERSON,
    id=id_of("User"),
    name=Column(),
    login=Column(),
    is_active=Column(lambda row: row.deactivated_at.is_(None)),
    memberships=Many("Membership", _memberships, seen_by=SEES_MEMBERSHIPS),
    viewer_can_message=CAN_MESSAGE,
    viewer_cannot_message_reason=CANNOT_MESSAGE_REASON,
    viewer_can_block=Column(lambda row: may_block(VIEWER, row.id)),
    viewer_has_blocked=Column(lambda row: has_blocked(VIEWER.id, row.id)),
)

Projection(
    "Membership",
    seen_by=SEES_MEMBERSHIPS,
    group=One("Group", lambda row, _: any_group(VIEWER, row.group_id), seen_by=SEES_MEMBERSHIPS),
    position=Column(),
)

Projection(
    "Group",
    groups,
    seen_by=SEES_GROUP,
    id=id_of("Group"),
    name=Column(),
    kind=Column(),
    discipline=Column(optional=True),
    parent=One(
        "Group",
        lambda row, _: visible_groups(VIEWER).where(groups.c.id == row.parent_id),
        optional=True,
        seen_by=SEES_GROUP,
    ),
    curators=Many("User", _curators, seen_by=SEES_GROUP),
    members=Page(
        "User",
        _members,
        keys=("search_key", "id"),
        arguments=frozenset({"position", "search"}),
        seen_by=SEES_MEMBERS,
    ),
    viewer_can_create_chat=Derived(_may_create_chat, ("kind", lambda row: teaches(VIEWER, row.id))),
)
