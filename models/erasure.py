"""What is left of a person who is erased? A number under which others' conversations stay whole, and no more.

* Who he was (name, login, sourcedId, words, links, memberships, guardianships) goes. The row stays, with a neutral
  name in the school's language, so that each message keeps an author.
* What he wrote is replaced by a sentence that says so; his drafts and files go. What others wrote stays; but a
  text of which he alone had a copy left goes with that copy (MA2), and his name in a title is replaced.
* His copies are gone for him; others' copies, counts and events stay as they were.
* Of the sourcedId a digest stays, so that the next roster does not bring him back.
"""

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, delete, exists, literal, select, update

from models import audit, participations
from models.attachments import drop_files
from models.chats import change_members
from models.database import Transaction
from models.drafts import discard
from models.events import Command, record, store, take_numbers, tell_messenger
from models.group_conversations import succeed
from models.mentions import replace_mentions
from models.organization import organization
from models.reports import forget_words_of, is_kept, undecided_about
from models.tables.chats import chats
from models.tables.chats import participations as parts
from models.tables.conversations import ConversationKind, Format, conversations, deliveries, messages, recipients
from models.tables.conversations import attachments as files
from models.tables.events import EventKind, idempotency_keys, outbox
from models.tables.links import link_attempts, profile_links
from models.tables.people import (
    GroupKind,
    Position,
    groups,
    guardianships,
    memberships,
    search_words,
    users,
)
from models.tables.safeguarding import blocks
from models.text import fold

ERASED = "\x1ferased "
"""How the sourcedId of an erased person begins: no roster can give such a one."""

NAMES = {"en": "Former member", "fr": "Ancien membre", "ru": "Бывший участник"}
TEXTS = {
    "en": "The message was erased together with what the school knew of its author.",
    "fr": "Ce message a été effacé avec les données de son auteur.",
    "ru": "Сообщение удалено вместе с данными автора.",
}
"""By language: what an erased person is called, and what stands where he wrote something."""

OTHERS = deliveries.alias("others")
FAMILY = guardianships.alias("family")
LEARNING = memberships.alias("learning")


class UnderReport(Exception):
    """Reports wait for a decision to which this person matters; `args`: how many."""


def mark(organization_id: int, source_id: str) -> str:
    """What stands for the sourcedId of an erased person. From it the sourcedId is not read back."""
    return ERASED + hashlib.sha256(f"{organization_id}:{source_id}".encode()).hexdigest()


def is_erased(person: Any) -> bool:
    """`person` is a row of `users`."""
    return str(person.source_id).startswith(ERASED)


def erase(tx: Transaction, organization_id: int, user_id: int) -> bool:
    """Erases the person; False for one who is erased already, and then nothing is written. The files are removable
    afterwards, as those of other messages that are gone. Raises LookupError for nobody, and UnderReport while a
    report that he made, or that names a message of his, is not settled."""
    tx.hold(organization_id)
    which = (users.c.organization_id == organization_id, users.c.id == user_id)
    person = tx.execute(select(users).where(*which)).one_or_none()
    if person is None:
        raise LookupError(user_id)
    if is_erased(person):
        return False
    if undecided := undecided_about(tx, user_id):
        raise UnderReport(undecided)
    locale = organization(tx, organization_id).locale
    _rename(tx, person, NAMES[locale])
    _silence(tx, person, TEXTS[locale])
    _take_copies(tx, user_id)
    _leave(tx, person)
    _unlink(tx, person)
    _take_place_from_family(tx, person)
    forget_words_of(tx, user_id)
    for table, column in _ITS_OWN:
        tx.execute(delete(table).where(column == user_id))
    replace_mentions(tx, organization_id, _called(person), NAMES[locale])
    record(tx, organization_id, EventKind.PERSON_CHANGED, user_id=user_id)
    audit.keep(tx, organization_id, "erasePerson", [f"User_{user_id}"])
    return True


def readmit(tx: Transaction, organization_id: int, source_id: str) -> bool:
    """A roster may bring somebody with this sourcedId again, as somebody new. Whether he had been erased."""
    known = (users.c.organization_id == organization_id, users.c.source_id == mark(organization_id, source_id))
    user_id = tx.execute(select(users.c.id).where(*known)).scalar_one_or_none()
    if user_id is None:
        return False
    tx.execute(update(users).where(users.c.id == user_id).values(source_id=f"{ERASED}{user_id}"))
    audit.keep(tx, organization_id, "readmitPerson", [f"User_{user_id}"])
    return True


_ITS_OWN: tuple[tuple[Table, ColumnElement[Any]], ...] = (
    (search_words, search_words.c.user_id),
    (idempotency_keys, idempotency_keys.c.user_id),
    (link_attempts, link_attempts.c.user_id),
    (profile_links, profile_links.c.user_id),
    (memberships, memberships.c.user_id),
    (guardianships, guardianships.c.guardian_id),
    (guardianships, guardianships.c.child_id),
    (blocks, blocks.c.user_id),
    (blocks, blocks.c.blocked_id),
)
"""Rows that say nothing but of him."""


def _called(person: Any) -> tuple[str, ...]:
    """What nobody but he is called. A login of letters alone may be another's name, or any word."""
    return (person.name,) if person.login.isalpha() else (person.name, person.login)


def _rename(tx: Transaction, person: Any, name: str) -> None:
    login = f"erased.{person.id}"
    values = {
        "source_id": mark(person.organization_id, person.source_id),
        "login": login,
        "name": name,
        "search_key": fold(f"{name} {login}"),
        "deactivated_at": person.deactivated_at or tx.now,
    }
    tx.execute(update(users).where(users.c.id == person.id).values(values))


def _silence(tx: Transaction, person: Any, text: str) -> None:
    """What he wrote and sent up. A subject of his goes without a substitute: it may be empty (MA6)."""
    own = messages.c.author_id == person.id
    drop_files(tx, files.c.uploader_id == person.id)
    for draft in tx.execute(select(messages).where(own, messages.c.event.is_(None))).all():
        discard(tx, draft)
    had_subject = messages.c.subject.is_not(None)
    tx.execute(update(messages).where(own, had_subject).values(subject="", subject_key=""))
    for format_, body in ((Format.TEXT, text), (Format.RICH, f"<p>{text}</p>")):
        written = (own, messages.c.format == format_, messages.c.body != "")
        tx.execute(update(messages).where(*written).values(body=body))


def _take_copies(tx: Transaction, user_id: int) -> None:
    """He sees nothing any more. What nobody sees then, and he did not write, loses its text."""
    mine = (deliveries.c.user_id == user_id, deliveries.c.deleted_at.is_(None))
    left = exists(
        select(literal(1)).where(
            OTHERS.c.message_id == deliveries.c.message_id,
            OTHERS.c.user_id != user_id,
            OTHERS.c.deleted_at.is_(None),
        )
    )
    alone = list(tx.execute(select(deliveries.c.message_id).where(*mine, ~left)).scalars())
    nothing = {"read_at": None, "trashed_at": None}
    tx.execute(update(deliveries).where(*mine).values(deleted_at=tx.now))
    tx.execute(update(deliveries).where(deliveries.c.user_id == user_id).values(nothing))
    for start in range(0, len(alone), AT_ONCE):
        forget_texts(tx, alone[start : start + AT_ONCE])


AT_ONCE = 500


def forget_texts(tx: Transaction, message_ids: list[int], *, settled_before: datetime | None = None) -> None:
    """Of these messages, which nobody sees, nothing is left but that they were; and what a report needs, unless it
    was settled before this moment."""
    needed = select(messages.c.id).where(messages.c.id.in_(message_ids), is_kept(messages.c.id, settled_before))
    kept = set(tx.execute(needed).scalars())
    message_ids = [number for number in message_ids if number not in kept]
    drop_files(tx, files.c.message_id.in_(message_ids))
    tx.execute(delete(recipients).where(recipients.c.message_id.in_(message_ids)))
    emptied = {"body": "", "subject": None, "subject_key": None}
    tx.execute(update(messages).where(messages.c.id.in_(message_ids)).values(emptied))


def _leave(tx: Transaction, person: Any) -> None:
    """Out of chats and group conversations; those with whom he wrote learn that he is called otherwise."""
    mine = (parts.c.user_id == person.id, parts.c.left_at.is_(None))
    own_chats = select(parts.c.room_id).join(chats, chats.c.id == parts.c.room_id).where(*mine)
    for chat_id in tx.execute(own_chats.order_by(parts.c.room_id)).scalars().all():
        change_members(tx, person.organization_id, chat_id, leaving={person.id})
    for conversation_id in tx.execute(_group_conversations(person.id)).scalars().all():
        succeed(tx, conversation_id, person.id)
        event = record(tx, person.organization_id, EventKind.CONVERSATION_CHANGED, conversation_id=conversation_id)
        participations.leave(tx, conversation_id, {person.id}, event=event)
    tx.execute(
        update(parts).where(parts.c.user_id == person.id).values(latest_event=None, muted_at=None, is_linked=False)
    )
    others = tx.execute(_other_conversations(person.id)).scalars().all()
    if others:
        first = take_numbers(tx, person.organization_id, len(others))
        subjects = [{"conversation_id": number} for number in others]
        store(tx, person.organization_id, EventKind.CONVERSATION_CHANGED, first, subjects)


def _group_conversations(user_id: int) -> Select[Any]:
    return (
        select(parts.c.room_id)
        .join(conversations, conversations.c.id == parts.c.room_id)
        .where(
            parts.c.user_id == user_id,
            parts.c.left_at.is_(None),
            conversations.c.kind == ConversationKind.GROUP,
        )
        .order_by(parts.c.room_id)
    )


def _other_conversations(user_id: int) -> Select[Any]:
    """Those of two, and threads of mail: who is in one stays in it, with nothing to see."""
    return (
        select(parts.c.room_id)
        .join(conversations, conversations.c.id == parts.c.room_id)
        .where(
            parts.c.user_id == user_id,
            conversations.c.kind.in_((ConversationKind.DIRECT, ConversationKind.MAIL)),
        )
        .distinct()
        .order_by(parts.c.room_id)
    )


def _unlink(tx: Transaction, person: Any) -> None:
    """The messenger outside is told that the account is nobody's any more, and not by which name it went."""
    is_linked = (profile_links.c.user_id == person.id, profile_links.c.unlinked_at.is_(None))
    was_told = (outbox.c.user_id == person.id, outbox.c.sent_at.is_not(None))
    told = tx.execute(select(outbox.c.id).where(*was_told).limit(1)).first() is not None
    linked = tx.execute(select(profile_links.c.id).where(*is_linked).limit(1)).first() is not None
    tx.execute(delete(outbox).where(outbox.c.user_id == person.id))
    if linked or told:
        tell_messenger(tx, person.organization_id, Command.UNLINK_PROFILE, {}, user_id=person.id)


def _take_place_from_family(tx: Transaction, person: Any) -> None:
    """Who stood in groups for this child alone stands there no longer, as after the next roster."""
    families = select(guardianships.c.guardian_id).where(
        guardianships.c.child_id == person.id, guardianships.c.until.is_(None)
    )
    another_child = exists(
        select(literal(1))
        .select_from(FAMILY)
        .join(LEARNING, LEARNING.c.user_id == FAMILY.c.child_id)
        .where(
            FAMILY.c.guardian_id == memberships.c.user_id,
            FAMILY.c.child_id != person.id,
            FAMILY.c.until.is_(None),
            LEARNING.c.group_id == memberships.c.group_id,
            LEARNING.c.until.is_(None),
            LEARNING.c.position == Position.LEARNER,
        )
    )
    below = select(groups.c.id).where(
        groups.c.organization_id == person.organization_id, groups.c.kind != GroupKind.ORGANIZATION
    )
    standing = (
        memberships.c.user_id.in_(families),
        memberships.c.position == Position.GUARDIAN,
        memberships.c.until.is_(None),
        memberships.c.group_id.in_(below),
        ~another_child,
    )
    moved = tx.execute(select(memberships.c.user_id).where(*standing).distinct()).scalars().all()
    tx.execute(update(memberships).where(*standing).values(until=tx.now))
    for user_id in sorted(moved):
        record(tx, person.organization_id, EventKind.PERSON_CHANGED, user_id=user_id)
