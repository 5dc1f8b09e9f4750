"""What does the school know of a person? All rows that name him, and what he wrote or may read, as plain data.

The tables' own words (`models.personal`) say which rows and columns these are; so what is added to them later is
given out as well. Of others there is what he sees anyhow: their names, and what they wrote to him; never a blind
recipient, a draft or a mark of theirs, nor that they reported or blocked him.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Table, and_, exists, literal, or_, select

from models.database import Transaction
from models.personal import people_of, tables_of_people, word
from models.tables.base import rfc3339
from models.tables.chats import chats, participations
from models.tables.conversations import Role, attachments, conversations, deliveries, messages, recipients
from models.tables.holds import SECRET
from models.tables.people import groups, users
from models.tables.safeguarding import blocks

Known = dict[str, list[dict[str, Any]]]
"""Rows as JSON, by what they are about."""

MINE = deliveries.alias("mine")


class Names(NamedTuple):
    """What people and groups are called, by number."""

    people: dict[int, str]
    groups: dict[int, str]


def everything(tx: Transaction, organization_id: int, user_id: int) -> Known:
    """The person's rows table by table, then `conversations` and `messages`, each as he sees it."""
    known: Known = {}
    for table in tables_of_people():
        rows = [dict(row._mapping) for row in tx.execute(_rows(table, user_id))]
        if rows:
            known[table.name] = rows
    known["conversations"] = list(_conversations(tx, user_id))
    known["messages"] = list(_messages(tx, user_id))
    names = _names(tx, organization_id, known)
    called = select(groups.c.id, groups.c.name).where(groups.c.organization_id == organization_id)
    names.groups.update((row.id, row.name) for row in tx.execute(called))
    return {about: [_told(row, names) for row in rows] for about, rows in known.items()}


def files_of(tx: Transaction, user_id: int) -> list[Any]:
    """The attachments that he sent or uploaded, or may fetch, by number."""
    theirs = or_(
        attachments.c.uploader_id == user_id,
        exists(select(literal(1)).where(*_has(attachments.c.message_id, user_id))),
    )
    return list(tx.execute(select(attachments).where(theirs).order_by(attachments.c.id)).all())


def _rows(table: Table, user_id: int) -> Any:
    """Those that name him. In a draft that is another's nobody sees whom it is for; and nobody learns who has
    blocked him."""
    named = [or_(*(column == user_id for column in people_of(table)))]
    if table is blocks:
        named = [table.c.user_id == user_id]
    if table is recipients:
        named += [_is_open_to(table.c.message_id, table.c.role, user_id)]
    if table is messages or table is conversations:
        named += [literal(False)]  # these are told below, as he sees them
    told = [column for column in table.columns if word(column) != SECRET["holds"]]
    return select(*told).where(and_(*named)).order_by(*table.primary_key)


def _has(message_id: ColumnElement[Any], user_id: int) -> tuple[ColumnElement[bool], ...]:
    """He has a copy of the message."""
    return (MINE.c.message_id == message_id, MINE.c.user_id == user_id, MINE.c.deleted_at.is_(None))


def _is_open_to(message_id: ColumnElement[Any], role: ColumnElement[Any], user_id: int) -> ColumnElement[bool]:
    """Whether he may know to whom else a message goes: his own to all, others' but to blind recipients."""
    is_author = exists(select(literal(1)).where(messages.c.id == message_id, messages.c.author_id == user_id))
    seen = exists(select(literal(1)).where(*_has(message_id, user_id)))
    return or_(is_author, and_(seen, or_(role != Role.BCC, recipients.c.user_id == user_id)))


def _conversations(tx: Transaction, user_id: int) -> Iterator[dict[str, Any]]:
    """In which he takes part or did: those of two, groups, threads of mail, and chats."""
    there = participations.c
    found = (
        select(
            there.room_id.label("id"),
            conversations.c.kind,
            conversations.c.title,
            conversations.c.low_id,
            conversations.c.high_id,
            chats.c.kind.label("chat_kind"),
            chats.c.name.label("chat_name"),
            chats.c.group_id,
        )
        .select_from(participations)
        .outerjoin(conversations, conversations.c.id == there.room_id)
        .outerjoin(chats, chats.c.id == there.room_id)
        .where(there.user_id == user_id)
        .distinct()
        .order_by(there.room_id)
    )
    for row in tx.execute(found).all():
        yield {name: value for name, value in row._mapping.items() if value is not None}


def _messages(tx: Transaction, user_id: int) -> Iterator[dict[str, Any]]:
    """What he wrote, drafts too and what he has deleted for himself; and what he has got and not deleted."""
    has = exists(select(literal(1)).where(*_has(messages.c.id, user_id)))
    columns = [column for column in messages.c if not column.name.endswith("_key")]
    found = select(*columns).where(or_(messages.c.author_id == user_id, has)).order_by(messages.c.id)
    for row in tx.execute(found).all():
        to = select(recipients.c.role, recipients.c.user_id, recipients.c.position, recipients.c.group_id)
        seen = to.where(
            recipients.c.message_id == row.id,
            _is_open_to(recipients.c.message_id, recipients.c.role, user_id),
        )
        addressed = tx.execute(seen.order_by(recipients.c.place)).all()
        told = {name: value for name, value in row._mapping.items() if value is not None}
        if addressed:
            told["addressed"] = [dict(each._mapping) for each in addressed]
        yield told


def _names(tx: Transaction, organization_id: int, known: Known) -> Names:
    """Of everybody whom these rows name."""
    people = {value for rows in known.values() for row in rows for value in _numbers(row)}
    names = Names({}, {})
    numbers = sorted(people)
    for start in range(0, len(numbers), 500):
        batch = users.c.id.in_(numbers[start : start + 500])
        found = select(users.c.id, users.c.name).where(users.c.organization_id == organization_id, batch)
        names.people.update((row.id, row.name) for row in tx.execute(found))
    return names


PEOPLE = frozenset(column.name for table in tables_of_people() for column in people_of(table)) - {"id"}
"""The names of columns that hold the number of a person."""


def _numbers(row: dict[str, Any]) -> Iterator[int]:
    for name, value in row.items():
        if name in PEOPLE and value is not None:
            yield value
        if isinstance(value, list):
            for each in value:
                yield from _numbers(each)


def _told(row: dict[str, Any], names: Names) -> dict[str, Any]:
    """The row as JSON takes it; people and groups with their names."""
    told: dict[str, Any] = {}
    for name, value in row.items():
        if name in PEOPLE and value is not None:
            told[name.removesuffix("_id")] = {"id": f"User_{value}", "name": names.people.get(value)}
        elif name == "group_id" and value is not None:
            told["group"] = {"id": f"Group_{value}", "name": names.groups.get(value)}
        elif isinstance(value, list):
            told[name] = [_told(each, names) for each in value]
        else:
            told[name] = rfc3339(value) if hasattr(value, "tzinfo") else value
    return told
