"""Does the messenger know this school's chats? One outside that is new is told of all there is; and back with the
built-in one they have addresses here again.
"""

from typing import Any

from sqlalchemy import ColumnElement, or_, select, update

from models import participations
from models.database import Transaction
from models.events import Command, tell_messenger
from models.tables.base import rfc3339
from models.tables.calls import CallStatus, calls
from models.tables.chats import chats
from models.tables.events import outbox
from models.tables.links import profile_links

AFTER_CREATION = {CallStatus.PUBLISHED: Command.PUBLISH_CALL, CallStatus.FINISHED: Command.FINISH_CALL}


def introduce(tx: Transaction, organization_id: int) -> int:
    """Queues links, chats, members and calls that it has never been told of; how many chats. Addresses that were
    this server's own are the messenger's to give now."""
    if not tx.messenger.is_outside:
        return 0
    _links(tx, organization_id)
    unknown = select(chats).where(
        chats.c.organization_id == organization_id,
        chats.c.ended_at.is_(None),
        chats.c.id.not_in(_told_of(outbox.c.chat_id, organization_id, Command.CREATE_CHAT)),
    )
    found = tx.execute(unknown.order_by(chats.c.id)).all()
    for chat in found:
        _chat(tx, chat)
    return len(found)


def take_back(tx: Transaction, organization_id: int) -> None:
    """Addresses of chats that a messenger outside gave lead nowhere any more, and calls without one get one."""
    if tx.messenger.is_outside:
        return
    lost = (
        select(chats.c.id)
        .where(chats.c.organization_id == organization_id, chats.c.ended_at.is_(None))
        .where(or_(chats.c.url.is_(None), chats.c.url.not_like("/%")))
    )
    for chat_id in tx.execute(lost).scalars().all():
        tx.execute(update(chats).where(chats.c.id == chat_id).values(url=tx.messenger.chat_url()))
    nowhere = select(calls.c.id).where(
        calls.c.organization_id == organization_id, calls.c.deleted_at.is_(None), calls.c.url.is_(None)
    )
    for call_id in tx.execute(nowhere).scalars().all():
        tx.execute(update(calls).where(calls.c.id == call_id).values(url=tx.messenger.call_url()))


def _chat(tx: Transaction, chat: Any) -> None:
    _forget_own_address(tx, chats, chat, tx.messenger.chat_url())
    roles = participations.members(tx, chat.id)
    members = [{"user": user, "isAdministrator": role} for user, role in sorted(roles.items())]
    settings = {"kind": chat.kind, "name": chat.name, "members": members}
    tell_messenger(tx, chat.organization_id, Command.CREATE_CHAT, settings, chat_id=chat.id)
    live = select(calls).where(calls.c.chat_id == chat.id, calls.c.deleted_at.is_(None))
    for call in tx.execute(live.order_by(calls.c.id)).all():
        _forget_own_address(tx, calls, call, tx.messenger.call_url())
        settings = {"title": call.title, "startsAt": rfc3339(call.starts_at)}
        commands = [Command.CREATE_CALL, AFTER_CREATION.get(CallStatus(call.status))]
        for command, payload in zip(commands, (settings, {}), strict=True):
            if command is not None:
                tell_messenger(tx, chat.organization_id, command, payload, chat_id=chat.id, call_id=call.id)


def _links(tx: Transaction, organization_id: int) -> None:
    links = profile_links.c
    unknown = select(links.user_id, links.account).where(
        links.organization_id == organization_id,
        links.provider == tx.messenger.sign_in.provider,
        links.unlinked_at.is_(None),
        links.user_id.not_in(_told_of(outbox.c.user_id, organization_id, Command.LINK_PROFILE)),
    )
    for link in tx.execute(unknown.order_by(links.user_id)).all():
        account = {"account": link.account}
        tell_messenger(tx, organization_id, Command.LINK_PROFILE, account, user_id=link.user_id)


def _told_of(column: ColumnElement[int], organization_id: int, command: Command) -> Any:
    return select(column).where(outbox.c.organization_id == organization_id, outbox.c.command == command)


def _forget_own_address(tx: Transaction, table: Any, row: Any, new: str | None) -> None:
    if row.url is not None and row.url.startswith("/"):
        tx.execute(update(table).where(table.c.id == row.id).values(url=new))
