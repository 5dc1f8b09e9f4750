"""How is everything personal read? The viewer, the badges, and the way from an id to what it names."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Integer, Select, String, cast, select

from models import links
from models.actor import Actor, Viewer, is_officer, person, stands
from models.authorization.chats import TAKES_PART_IN_CHAT
from models.authorization.conversations import SEES_CONVERSATION
from models.authorization.people import (
    AS_ITS_TYPE,
    BELONGS_TO_GROUP,
    HAS_DONE_IT,
    IS_LINKED,
    IS_ONESELF,
    SEES_ORGANIZATION,
)
from models.authorization.safeguarding import HAS_BLOCKED
from models.badges import new_calls, unread_conversations, unread_mail, unread_messages
from models.blocks import MOST_BLOCKED, blocked_people
from models.chat_scopes import own_chats, visible_calls, visible_chats
from models.conversation_scopes import visible_conversations
from models.database import Transaction
from models.decide import decide_creation
from models.errors import Code, LimitExceeded, Unauthenticated, refuse
from models.messages import visible_messages
from models.named import MOST_IDS
from models.organization import own_organization
from models.people_scopes import visible_groups, visible_people
from models.reports import open_reports
from models.sign_in import new_attempt
from models.tables.calls import calls
from models.tables.chats import ChatKind, chats
from models.tables.conversations import conversations, messages
from models.tables.organization import organizations
from models.tables.people import groups, users
from resolvers.asked import Asked
from resolvers.attachments import one_attachment
from resolvers.chats import chosen_chats
from resolvers.context import Context, Given
from resolvers.conversations import conversations_of_viewer
from resolvers.dialects import rows_of
from resolvers.feed import FEED
from resolvers.ids import parts
from resolvers.lookahead import Finished, plan_of_field
from resolvers.mail import MAILBOX
from resolvers.paging import Page
from resolvers.people import groups_of_viewer
from resolvers.projection import Column, Derived, Many, One, OneOf, Part, Projection
from resolvers.recipients import RECIPIENTS
from resolvers.safeguarding import report_with
from resolvers.statement import VIEWER, Arguments, Expression, Row, given
from resolvers.urls import address


def _event_cursor(_: Row) -> Expression:
    """As of the statement's own moment: what is read beside it and what follows it leave no gap."""
    last = select(organizations.c.last_event).where(organizations.c.id == VIEWER.organization_id)
    return cast(last.scalar_subquery(), String)


def _of(row: Row) -> Viewer:
    """The person whose row this is: badges of many people can be read at once."""
    return Viewer(row.id, VIEWER.organization_id)


def _may_create_chat(actor: Actor) -> bool:
    return any(decide_creation(actor, kind) is None for kind in ChatKind)


def _messenger(actor: Actor, url: str) -> str | None:
    return url if actor.may_join else None


def _blocked_people(_: Row, __: Arguments) -> Select[Any]:
    return blocked_people(VIEWER).order_by(users.c.search_key, users.c.id).limit(MOST_BLOCKED)


Projection(
    "Viewer",
    users,
    seen_by=IS_ONESELF,
    user=Part("User", seen_by=IS_ONESELF),
    organization=One("Organization", lambda _, __: own_organization(VIEWER), seen_by=SEES_ORGANIZATION),
    is_linked=Column(lambda _: stands(VIEWER, "is_linked")),
    messenger_url=Derived(
        _messenger, (lambda _: address(given("messenger", String())),), optional=True, seen_by=IS_LINKED
    ),
    badges=Part("Badges", seen_by=IS_ONESELF),
    event_cursor=Column(_event_cursor),
    chats=Page(
        "Chat",
        lambda _, arguments: chosen_chats(own_chats(VIEWER), arguments),
        keys=("search_key", "id"),
        arguments=frozenset({"filter"}),
        seen_by=TAKES_PART_IN_CHAT,
    ),
    conversations=Page(
        "Conversation",
        conversations_of_viewer,
        keys=("latest_event",),
        descending=True,
        arguments=frozenset({"filter"}),
        seen_by=SEES_CONVERSATION,
    ),
    mailbox=MAILBOX,
    feed=FEED,
    can_create_chat=Derived(_may_create_chat),
    groups=Many("Group", groups_of_viewer, arguments=frozenset({"kind"}), seen_by=BELONGS_TO_GROUP),
    recipients=RECIPIENTS,
    is_safeguarding_officer=Column(lambda _: is_officer(VIEWER)),
    blocked_people=Many("User", _blocked_people, seen_by=HAS_BLOCKED),
)

Projection(
    "Badges",
    users,
    seen_by=IS_ONESELF,
    unread_conversations=Column(lambda row: unread_conversations(_of(row))),
    unread_messages=Column(lambda row: unread_messages(_of(row))),
    unread_mail=Column(lambda row: unread_mail(_of(row))),
    new_calls=Column(lambda row: new_calls(_of(row))),
    open_reports=Column(lambda row: open_reports(_of(row))),
)


# ----------------------------------------------------------------------------------- from id to row

NODES: Mapping[str, Callable[[Row], Select[Any]]] = {
    "Organization": lambda row: own_organization(VIEWER).where(organizations.c.id == row.id),
    "User": lambda row: visible_people(VIEWER).where(users.c.id == row.id),
    "Group": lambda row: visible_groups(VIEWER).where(groups.c.id == row.id),
    "Chat": lambda row: visible_chats(VIEWER).where(chats.c.id == row.id),
    "Call": lambda row: visible_calls(VIEWER).where(calls.c.id == row.id),
    "Conversation": lambda row: visible_conversations(VIEWER).where(conversations.c.id == row.id),
    "Message": lambda row: visible_messages(VIEWER).where(messages.c.id == row.id),
    "Attachment": one_attachment,
    "Report": lambda row: report_with(row.id),
}
"""In which scope each type of id is looked up."""


def _one_node(_: Row, arguments: Arguments) -> Select[Any]:
    kind = arguments.bind("id", lambda id_: parts(id_)[0])
    key = arguments.bind("id", lambda id_: parts(id_)[1], type_=Integer())
    return select(kind.label("type"), key.label("id"))


def _all_nodes(_: Row, arguments: Arguments) -> Select[Any]:
    return rows_of(arguments.bind_all("ids", _pairs))


def _pairs(ids: Sequence[str]) -> str:
    if len(ids) > MOST_IDS:
        raise LimitExceeded(f"Ask for at most {MOST_IDS} nodes at once.")
    return json.dumps([parts(id_) for id_ in ids])


Projection(
    "Query",
    seen_by=IS_ONESELF,
    viewer=One("Viewer", lambda _, __: person(VIEWER), seen_by=IS_ONESELF),
    node=OneOf(_one_node, NODES, arguments=frozenset({"id"}), optional=True, seen_by=AS_ITS_TYPE),
    nodes=OneOf(_all_nodes, NODES, arguments=frozenset({"ids"}), for_each=True, seen_by=AS_ITS_TYPE),
)


async def look_up(ctx: Context, asked: Asked) -> Finished | None:
    """The answer to a field of `Query`. Raises Unauthenticated for who is signed out or has gone."""
    answer = await plan_of_field("Query", asked.field).read(ctx.database, asked.values, ctx.asking())
    return None if answer is None else Finished(answer)


# ------------------------------------------------------------------------------------- profile link

Projection(
    "BeginProfileLinkPayload",
    seen_by=HAS_DONE_IT,
    authorization_url=Column(lambda _: address(given("url", String()))),
)
for _payload in ("CompleteProfileLinkPayload", "UnlinkProfilePayload"):
    Projection(
        _payload, seen_by=HAS_DONE_IT, viewer=One("Viewer", lambda _, __: person(VIEWER), seen_by=IS_ONESELF)
    )


async def begin_profile_link(ctx: Context, asked: Asked) -> Finished:
    """Raises Unavailable, and Refused where nobody can sign in."""
    if ctx.identity is None:
        raise Unauthenticated
    attempt = new_attempt()
    url = await ctx.database.messenger.sign_in.authorization_url(attempt)

    def act(tx: Transaction, actor: Actor) -> Given:
        refuse(None if url else Code.NOT_ALLOWED)
        links.begin_link(tx, actor, attempt)
        return {"url": url}

    return await ctx.change(asked, act)


async def complete_profile_link(ctx: Context, asked: Asked, *, code: str, state: str) -> Finished:
    """Asks who signed in between two transactions. Raises Unavailable."""
    account, attempt = None, await links.open_attempt(ctx.database, ctx.viewer, state)
    if attempt is not None:
        account = await ctx.database.messenger.sign_in.account(attempt, code, now=ctx.database.clock())

    def act(tx: Transaction, actor: Actor) -> Given:
        links.complete_link(tx, actor, state=state, account=account)
        return {}

    return await ctx.change(asked, act)


async def unlink_profile(ctx: Context, asked: Asked) -> Finished:
    def act(tx: Transaction, actor: Actor) -> Given:
        links.unlink(tx, actor)
        return {}

    return await ctx.change(asked, act)
