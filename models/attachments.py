"""Which files belong to a message, and who may fetch one?

A file is in the storage under its key. Here is what is known of it, and to which message it belongs: to none
until that is saved or sent with it.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, exists, insert, literal, or_, select, update

from models.actor import Actor, Viewer, actor
from models.database import Transaction
from models.errors import Code, Refused, refuse
from models.reports import is_opened
from models.tables.base import Key
from models.tables.conversations import attachments, deliveries
from models.tables.files import loose_files
from models.text import name

MOST_IDS = 100
MOST_ATTACHMENTS = 20
"""Of one message."""

KEPT = timedelta(days=1)
"""How long a file may wait for its message."""

_TURNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class File:
    """A file in the storage. `content_type` is what it is, not what it was said to be; `digest`: SHA-256."""

    storage_key: str
    name: str
    content_type: str
    byte_size: int
    digest: str


def visible_attachments(viewer: Viewer) -> Select[Any]:
    """Those of messages of which the viewer has a live delivery, or which he reads as a safeguarding officer, and
    his own uploads that wait for a message."""
    return select(attachments).where(
        attachments.c.organization_id == viewer.organization_id,
        or_(
            exists(
                select(literal(1)).where(
                    deliveries.c.user_id == viewer.id,
                    deliveries.c.message_id == attachments.c.message_id,
                    deliveries.c.deleted_at.is_(None),
                )
            ),
            and_(attachments.c.message_id.is_(None), attachments.c.uploader_id == viewer.id),
            is_opened(viewer, attachments.c.message_id),
        ),
    )


def attachments_of(message_id: ColumnElement[int]) -> Select[Any]:
    """Those of a message that the viewer sees, in the order its author gave them."""
    return (
        select(attachments)
        .where(attachments.c.message_id == message_id)
        .order_by(attachments.c.place)
        .limit(MOST_ATTACHMENTS)
    )


def attach(tx: Transaction, actor: Actor, message_id: int, attachment_ids: Sequence[int]) -> None:
    """The message has these files from now on, in this order, and no others (M8).

    The message is the actor's own: one that is being sent, or a draft. Raises NOT_FOUND for what is not his own
    upload or belongs to another message, TOO_LARGE for more than the policy admits.
    """
    check_attachments(tx, actor, attachment_ids, message_id=message_id)
    chosen = list(dict.fromkeys(attachment_ids))
    tx.execute(
        update(attachments)
        .where(attachments.c.message_id == message_id, attachments.c.id.not_in(chosen))
        .values(message_id=None, place=None)
    )
    if chosen:
        tx.execute(
            update(attachments)
            .where(attachments.c.id == bindparam("attachment", type_=Key))
            .values(message_id=message_id, place=bindparam("nth")),
            [{"attachment": id_, "nth": place} for place, id_ in enumerate(chosen)],
        )


def check_attachments(
    tx: Transaction, actor: Actor, attachment_ids: Sequence[int], *, message_id: int | None = None
) -> None:
    """Whether `attach` would take these for this message, or for a new one. Raises as that does."""
    wanted = set(attachment_ids)
    if len(attachment_ids) > MOST_IDS:
        raise Refused(Code.INVALID_INPUT, field="attachmentIds")
    if not wanted:
        return
    own = (
        attachments.c.organization_id == actor.organization_id,
        attachments.c.uploader_id == actor.id,
        or_(attachments.c.message_id.is_(None), attachments.c.message_id == message_id),
    )
    sizes = tx.execute(select(attachments.c.byte_size).where(attachments.c.id.in_(wanted), *own)).scalars().all()
    if len(sizes) != len(wanted):
        raise Refused(Code.NOT_FOUND)
    refuse(decide_upload(actor))
    if len(sizes) > MOST_ATTACHMENTS or sum(sizes) > actor.policy.most_attachment_bytes:
        raise Refused(Code.TOO_LARGE, field="attachmentIds")


def detach_all(tx: Transaction, message_id: int) -> None:
    """The message has no files any more: its draft is discarded, or its last copy is gone. The night removes
    them."""
    tx.execute(
        update(attachments).where(attachments.c.message_id == message_id).values(message_id=None, place=None)
    )


# ------------------------------------------------------------------------------------------ uploads


def file_name(text: str) -> str:
    """The name of a file, without the folders it lay in and without what turns the direction of reading, which
    makes one ending look like another; 1 to 200 characters, or INVALID_INPUT."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", text))[-1]
    cleaned = name("name", _TURNS.sub("", last))
    if not cleaned.strip(". "):
        raise Refused(Code.INVALID_INPUT, field="name")
    return cleaned


def decide_upload(actor: Actor) -> Code | None:
    """Whether the organization's messages carry files, and there are messages at all."""
    if not actor.policy.messaging_enabled:
        return Code.MESSAGING_DISABLED
    return None if actor.policy.attachments else Code.KIND_NOT_OFFERED


def expect_file(tx: Transaction, viewer: Viewer, storage_key: str) -> None:
    """A file is about to come under this key. Should it never be kept, a later night removes it."""
    tx.execute(
        insert(loose_files).values(
            storage_key=storage_key, organization_id=viewer.organization_id, removable_at=tx.now + KEPT
        )
    )


def keep_file(tx: Transaction, viewer: Viewer, file: File) -> int:
    """The file is in the storage: it is the viewer's upload now, and waits for a message. Its number.

    Raises Unauthenticated when the viewer has gone, NOT_FOUND when it came too late to be expected any more.
    """
    uploader = actor(tx, viewer)
    refuse(decide_upload(uploader))
    if not forget_files(tx, [file.storage_key]):
        raise Refused(Code.NOT_FOUND)
    return int(
        tx.execute(
            insert(attachments)
            .values(
                organization_id=uploader.organization_id,
                uploader_id=uploader.id,
                created_at=tx.now,
                **asdict(file),
            )
            .returning(attachments.c.id)
        ).scalar_one()
    )


def is_loose(tx: Transaction, storage_key: str) -> bool:
    """Whether no attachment owns the file."""
    found = exists(select(literal(1)).where(loose_files.c.storage_key == storage_key))
    return bool(tx.execute(select(found)).scalar_one())


# ------------------------------------------------------------------------------------- what is left


def drop_orphans(tx: Transaction, organization_id: int) -> int:
    """Uploads that have waited for a message for longer than a day are gone, their files removable now; how
    many."""
    return drop_files(
        tx,
        attachments.c.organization_id == organization_id,
        attachments.c.message_id.is_(None),
        attachments.c.created_at < tx.now - KEPT,
    )


def drop_files(tx: Transaction, *which: ColumnElement[bool]) -> int:
    """These attachments are gone, their files removable now; how many."""
    files = select(
        attachments.c.storage_key, attachments.c.organization_id, literal(tx.now, loose_files.c.removable_at.type)
    )
    columns = ("storage_key", "organization_id", "removable_at")
    tx.execute(insert(loose_files).from_select(columns, files.where(*which)))
    return tx.execute(delete(attachments).where(*which)).rowcount


def removable_files(tx: Transaction, *, at_most: int) -> list[str]:
    """The keys of files that no attachment owns and nobody waits for, oldest first."""
    due = select(loose_files.c.storage_key).where(loose_files.c.removable_at <= tx.now)
    return list(tx.execute(due.order_by(loose_files.c.removable_at).limit(at_most)).scalars())


def forget_files(tx: Transaction, storage_keys: Sequence[str]) -> int:
    """These are no loose files any more: an attachment owns them, or they are gone. How many were."""
    return tx.execute(delete(loose_files).where(loose_files.c.storage_key.in_(storage_keys))).rowcount
