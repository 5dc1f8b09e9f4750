"""In which folders does a person's mail lie, and what moves it?

A folder is a condition on one's own copies. What is trashed lies in the trash alone; restored, it is again where
it came from, because nothing else of it has changed (MA3).
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, literal, or_, select, update

from models.actor import Actor, Viewer
from models.attachments import detach_all
from models.database import Transaction
from models.decide_conversations import MessageAction
from models.messages import allow_with_copies, find_messages, record_changes, visible_messages
from models.reports import is_kept
from models.tables.conversations import ConversationKind, deliveries, messages, recipients
from models.tables.people import users
from models.threads import list_anew

mine = deliveries.c
author = users.alias("author")
others = deliveries.alias("others")


class MailFolder(StrEnum):
    INBOX = "INBOX"
    SENT = "SENT"
    DRAFTS = "DRAFTS"
    TRASH = "TRASH"


_LIES_IN: Mapping[MailFolder, tuple[ColumnElement[bool], ...]] = {
    MailFolder.INBOX: (mine.received_as.is_not(None), mine.trashed_at.is_(None)),
    MailFolder.SENT: (mine.is_author, mine.event.is_not(None), mine.trashed_at.is_(None)),
    MailFolder.DRAFTS: (mine.is_author, mine.event.is_(None), mine.trashed_at.is_(None)),
    MailFolder.TRASH: (mine.trashed_at.is_not(None),),
}
"""As the partial indexes of the table are written. A mail to oneself is sent and received (MA4)."""


def mail_in(viewer: Viewer, folder: MailFolder) -> Select[Any]:
    """What lies in the viewer's folder (M10, M13); in order by `place`, drafts by `id`."""
    copies = visible_messages(viewer).add_columns(mine.event.label("place"))
    return copies.where(mine.kind == ConversationKind.MAIL, *_LIES_IN[folder])


def is_unread_there() -> ColumnElement[bool]:
    """Of a mail in a folder: received, and not read (M11)."""
    return and_(mine.read_at.is_(None), mine.received_as.is_not(None))


def unread_in(viewer: Viewer, folder: MailFolder) -> ColumnElement[int]:
    """How many of them the viewer has not read; of the inbox it is what the badge shows (M10, MA4)."""
    return (
        select(func.count())
        .where(
            mine.user_id == viewer.id,
            mine.kind == ConversationKind.MAIL,
            mine.deleted_at.is_(None),
            is_unread_there(),
            *_LIES_IN[folder],
        )
        .scalar_subquery()
    )


def mail_contains(pattern: Any) -> ColumnElement[bool]:
    """Of a mail in a folder: whether its subject, or the name of its author, contains this."""
    names = select(author.c.search_key).where(author.c.id == messages.c.author_id).scalar_subquery()
    return or_(messages.c.subject_key.like(pattern, escape="\\"), names.like(pattern, escape="\\"))


def trash(tx: Transaction, actor: Actor, message_ids: Sequence[int]) -> None:
    """M13: into the trash, for the actor alone. What lies there already stays."""
    found = find_messages(tx, actor, message_ids)
    moving = [row for row in found if not row.is_trashed]
    allow_with_copies(actor, MessageAction.TRASH, moving)
    _move(tx, actor, moving, trashed_at=tx.now)


def restore(tx: Transaction, actor: Actor, message_ids: Sequence[int]) -> None:
    """M14, MA3: back to where it came from."""
    found = find_messages(tx, actor, message_ids)
    allow_with_copies(actor, MessageAction.RESTORE, found)
    _move(tx, actor, found, trashed_at=None)


def purge(tx: Transaction, actor: Actor, message_ids: Sequence[int]) -> None:
    """M14, MA9: out of the trash, for good and for the actor alone. With the last copy goes the text (MA2)."""
    found = find_messages(tx, actor, message_ids)
    allow_with_copies(actor, MessageAction.PURGE, found)
    _move(tx, actor, found, deleted_at=tx.now)
    _erase(tx, [row.id for row in found])


def _move(tx: Transaction, actor: Actor, found: Sequence[Any], **values: Any) -> None:
    if found:
        ids = [row.id for row in found]
        tx.execute(update(deliveries).where(mine.user_id == actor.id, mine.message_id.in_(ids)).values(values))
        list_anew(tx, actor, {row.conversation_id for row in found})
        record_changes(tx, actor, found)


def _erase(tx: Transaction, message_ids: Sequence[int]) -> None:
    """Of those of which nobody has a copy any more, and which no report names, nothing is left but that they
    were."""
    kept = exists(select(literal(1)).where(others.c.message_id == messages.c.id, others.c.deleted_at.is_(None)))
    which = (messages.c.id.in_(message_ids), ~kept, ~is_kept(messages.c.id))
    gone = tx.execute(select(messages.c.id).where(*which)).scalars().all()
    if not gone:
        return
    for message_id in gone:
        detach_all(tx, message_id)
    tx.execute(delete(recipients).where(recipients.c.message_id.in_(gone)))
    tx.execute(update(messages).where(messages.c.id.in_(gone)).values(body="", subject=None, subject_key=None))
