"""In which titles does a person's name stand: of chats, conversations, calls, mail, files?

Bodies are what people said to each other; a title is what everybody sees. So the name of a person who is erased is
replaced in titles, whoever wrote it there, and in what the messenger outside was told of them.
"""

import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Table, or_, select, update

from models.chats import change_members
from models.database import Transaction
from models.events import record
from models.tables.calls import calls
from models.tables.chats import chats
from models.tables.conversations import ConversationKind, attachments, conversations, messages
from models.tables.events import EventKind, outbox
from models.text import contains, fold

TITLES: tuple[tuple[Table, Column[Any], Column[Any] | None], ...] = (
    (conversations, conversations.c.title, conversations.c.search_key),
    (messages, messages.c.subject, messages.c.subject_key),
    (calls, calls.c.title, None),
    (attachments, attachments.c.name, None),
    (outbox, outbox.c.payload, None),
)
"""Where titles stand, and how they are searched; chats besides."""


def replace_mentions(tx: Transaction, organization_id: int, names: tuple[str, ...], by: str) -> None:
    """Each of these names, as a whole and whatever its case, gives way to the other in all titles."""
    pattern = re.compile("|".join(map(_spelled, names)), re.IGNORECASE)
    for chat in _titled(tx, organization_id, names, chats, chats.c.name, chats.c.search_key):
        title = pattern.sub(by, chat.called)
        if title != chat.called and chat.ended_at is None:
            change_members(tx, organization_id, chat.id, title=title)
        elif title != chat.called:
            renamed = {"name": title, "search_key": fold(title)}
            tx.execute(update(chats).where(chats.c.id == chat.id).values(renamed))
    for table, column, key in TITLES:
        for row in _titled(tx, organization_id, names, table, column, key):
            title = pattern.sub(by, row.called)
            if title == row.called:
                continue
            values = {column.name: title} if key is None else {column.name: title, key.name: fold(title)}
            tx.execute(update(table).where(table.c.id == row.id).values(values))
            if table is conversations and row.kind == ConversationKind.GROUP:
                record(tx, organization_id, EventKind.CONVERSATION_CHANGED, conversation_id=row.id)


def _titled(
    tx: Transaction,
    organization_id: int,
    names: tuple[str, ...],
    table: Table,
    column: Column[Any],
    key: Column[Any] | None,
) -> Iterator[Any]:
    """The rows in whose title one of the names may stand: `called` beside their columns."""
    searched = [column.contains(form, autoescape=True) for name in names for form in _forms(name)]
    if key is not None:
        searched += [key.like(contains(name), escape="\\") for name in names]
    wanted = select(table, column.label("called")).where(
        table.c.organization_id == organization_id, or_(*searched)
    )
    yield from tx.execute(wanted.order_by(table.c.id)).all()


def _forms(name: str) -> set[str]:
    """How it is usually written; engines look for letters as they are."""
    plain = name.replace("ё", "е").replace("Ё", "Е")
    return {form for each in (name, plain) for form in (each, each.upper(), each.lower(), each.title())}


def _spelled(name: str) -> str:
    """A pattern of the name between other words, with either spelling of ё."""
    letters = ("[её]" if letter in "её" else "[ЕЁ]" if letter in "ЕЁ" else re.escape(letter) for letter in name)
    return rf"(?<!\w){''.join(letters)}(?!\w)"
