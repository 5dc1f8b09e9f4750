"""How are chats read, and how are mutations of chats answered?"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, exists, func, literal, or_, select

from models import chats as rules
from models.actor import Actor, Rights, administers_organization, person
from models.authorization.chats import ENTERS_CHAT, SEES_CALL, SEES_CHAT, SEES_PUBLISHED_CALL
from models.authorization.conversations import SEES_CONVERSATION_TOO
from models.authorization.people import HAS_DONE_IT, IS_ONESELF, SEES_GROUP
from models.chat_scopes import any_chats, has_administrator, visible_calls
from models.conversation_scopes import conversation_of_chat
from models.database import Transaction
from models.decide import ChatAction, InChat, decide
from models.people_scopes import visible_groups
from models.tables.calls import CallStatus, calls
from models.tables.chats import MANDATORY, ChatKind, chats, participations
from models.tables.people import groups, users
from resolvers.asked import Asked
from resolvers.context import Context, Given
from resolvers.cursors import event_number
from resolvers.ids import id_of, number, numbers, spelled
from resolvers.lookahead import Finished
from resolvers.paging import Page, searched
from resolvers.projection import Column, Derived, One, Projection
from resolvers.statement import VIEWER, Arguments, Expression, Row, given
from resolvers.urls import address

STANDING = (
    "kind",
    "viewer_takes_part",
    "viewer_is_administrator",
    "ended_at",
    lambda row: has_administrator(row.id, VIEWER),
)


def chosen_chats(scope: Select[Any], arguments: Arguments) -> Select[Any]:
    """The chats of a scope that a `ChatFilter` lets through; its parts combine with AND (E14, E15, E16)."""
    chosen = arguments.within("filter")
    if "kinds" in chosen and (kinds := chosen.each("kinds")):
        scope = scope.where(chats.c.kind.in_(kinds))
    if chosen.flag("hasPublishedCall") is not None:
        published = exists(select(literal(1)).select_from(calls).where(*_published(chats.c.id)))
        scope = scope.where(published if chosen.flag("hasPublishedCall") else ~published)
    return searched(scope, chats.c.search_key, chosen)


def _published(chat_id: Expression) -> tuple[Expression, ...]:
    return (
        calls.c.chat_id == chat_id,
        calls.c.status == CallStatus.PUBLISHED,
        calls.c.deleted_at.is_(None),
    )


def _count(row: Row, *conditions: Any) -> Expression:
    return (
        select(func.count())
        .select_from(participations)
        .where(participations.c.room_id == row.id, participations.c.left_at.is_(None), *conditions)
        .scalar_subquery()
    )


def _participants(row: Row, arguments: Arguments) -> Select[Any]:
    """Who takes part sees who takes part; so do administrators of the organization (E23)."""
    found = (
        select(participations, users.c.search_key)
        .select_from(participations.join(users, users.c.id == participations.c.user_id))
        .where(participations.c.room_id == row.id, participations.c.left_at.is_(None), _sees(row))
    )
    return searched(found, users.c.search_key, arguments)


def _calls(row: Row, _: Arguments) -> Select[Any]:
    return visible_calls(VIEWER).where(calls.c.chat_id == row.id)


def _published_call(row: Row, _: Arguments) -> Select[Any]:
    return visible_calls(VIEWER).where(*_published(row.id))


def _sees(row: Row) -> Expression:
    return or_(row.viewer_takes_part, administers_organization(VIEWER))


def _actions(actor: Actor, *standing: Any) -> tuple[ChatAction, ...]:
    return _allowed(actor.rights, standing)


@lru_cache(maxsize=4_096)
def _allowed(rights: Rights, standing: tuple[Any, ...]) -> tuple[ChatAction, ...]:
    """Remembered: few people differ in their rights, and few chats in how one stands to them."""
    chat = _in_chat(*standing)
    return tuple(action for action in ChatAction if decide(rights, action, chat) is None)


def _url(actor: Actor, url: str | None, *standing: Any) -> str | None:
    return url if decide(actor, ChatAction.OPEN, _in_chat(*standing)) is None else None


def _in_chat(
    kind: str,
    takes_part: bool,
    is_administrator: bool,
    ended_at: str | None = None,
    has_administrator: bool = True,
) -> InChat:
    return InChat(
        ChatKind(kind),
        takes_part=takes_part,
        is_administrator=is_administrator,
        is_gone=ended_at is not None,
        has_administrator=has_administrator,
    )


Projection(
    "Chat",
    chats,
    seen_by=SEES_CHAT,
    id=id_of("Chat"),
    name=Column(),
    kind=Column(),
    is_mandatory=Column(lambda row: row.kind.in_(MANDATORY)),
    group=One(
        "Group",
        lambda row, _: visible_groups(VIEWER).where(groups.c.id == row.group_id),
        optional=True,
        seen_by=SEES_GROUP,
    ),
    participant_count=Column(_count),
    linked_participant_count=Column(lambda row: _count(row, participations.c.is_linked)),
    participants=Page(
        "ChatParticipant",
        _participants,
        keys=("search_key", "user_id"),
        arguments=frozenset({"search"}),
        seen_by=SEES_CHAT,
    ),
    published_call=One("Call", _published_call, optional=True, seen_by=SEES_PUBLISHED_CALL),
    calls=Page("Call", _calls, keys=("starts_at", "id"), descending=True, seen_by=SEES_CALL),
    url=Derived(_url, (lambda row: address(row.url), *STANDING[:3]), optional=True, seen_by=ENTERS_CHAT),
    conversation=One(
        "Conversation",
        lambda row, _: conversation_of_chat(VIEWER, row.id),
        optional=True,
        seen_by=SEES_CONVERSATION_TOO,
    ),
    viewer_is_administrator=Column(),
    viewer_actions=Derived(_actions, STANDING, gives_list=True),
)

Projection(
    "ChatParticipant",
    participations,
    seen_by=SEES_CHAT,
    user=One("User", lambda row, _: select(users).where(users.c.id == row.user_id), seen_by=SEES_CHAT),
    is_administrator=Column(),
    is_linked=Column(),
    joined_at=Column(),
)


# ----------------------------------------------------------------------------------------- mutations


def _changed_chat() -> One:
    """The chat as the mutation leaves it, also for who has just left it."""
    return One("Chat", lambda _, __: any_chats(VIEWER).where(chats.c.id == given("chat")), seen_by=HAS_DONE_IT)


for _payload in (
    "CreateChatPayload",
    "RenameChatPayload",
    "AddChatParticipantsPayload",
    "RemoveChatParticipantsPayload",
    "SetChatAdministratorPayload",
):
    Projection(_payload, seen_by=HAS_DONE_IT, chat=_changed_chat())

Projection(
    "DeleteChatPayload",
    seen_by=HAS_DONE_IT,
    deleted_chat_id=Column(lambda _: spelled("Chat", given("chat"))),
    badges=One("Badges", lambda _, __: person(VIEWER), seen_by=IS_ONESELF),
)
Projection(
    "MarkChatsSeenPayload",
    seen_by=HAS_DONE_IT,
    badges=One("Badges", lambda _, __: person(VIEWER), seen_by=IS_ONESELF),
)


async def create_chat(
    ctx: Context,
    asked: Asked,
    *,
    kind: ChatKind,
    name: str,
    group_id: str | None,
    participant_ids: Sequence[str] | None,
    idempotency_key: str | None,
) -> Finished:
    return await ctx.change(
        asked,
        lambda tx, actor: {
            "chat": rules.create_chat(
                tx,
                actor,
                kind=kind,
                title=name,
                group_id=None if group_id is None else number("Group", group_id),
                participant_ids=None if participant_ids is None else numbers("User", participant_ids),
                idempotency_key=idempotency_key,
            )
        },
    )


async def rename_chat(ctx: Context, asked: Asked, *, chat_id: str, name: str) -> Finished:
    return await ctx.change_one(
        asked, "Chat", chat_id, lambda tx, actor, chat: rules.rename_chat(tx, actor, chat, name)
    )


async def add_participants(ctx: Context, asked: Asked, *, chat_id: str, user_ids: Sequence[str]) -> Finished:
    people = numbers("User", user_ids)
    return await ctx.change_one(
        asked, "Chat", chat_id, lambda tx, actor, chat: rules.add_participants(tx, actor, chat, people)
    )


async def remove_participants(ctx: Context, asked: Asked, *, chat_id: str, user_ids: Sequence[str]) -> Finished:
    people = numbers("User", user_ids)
    return await ctx.change_one(
        asked, "Chat", chat_id, lambda tx, actor, chat: rules.remove_participants(tx, actor, chat, people)
    )


async def set_administrator(
    ctx: Context, asked: Asked, *, chat_id: str, user_id: str, is_administrator: bool
) -> Finished:
    person_id = number("User", user_id)
    return await ctx.change_one(
        asked,
        "Chat",
        chat_id,
        lambda tx, actor, chat: rules.set_administrator(
            tx, actor, chat, person_id, is_administrator=is_administrator
        ),
    )


async def delete_chat(ctx: Context, asked: Asked, *, chat_id: str) -> Finished:
    return await ctx.change_one(asked, "Chat", chat_id, rules.delete_chat)


async def mark_chats_seen(ctx: Context, asked: Asked, *, up_to: str | None) -> Finished:
    event = None if up_to is None else event_number(up_to)

    def act(tx: Transaction, actor: Actor) -> Given:
        rules.mark_chats_seen(tx, actor, event)
        return {}

    return await ctx.change(asked, act)
