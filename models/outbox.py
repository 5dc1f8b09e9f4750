"""Which command is sent next, and what became of it? The outbox's rows, in order per chat and per person.

Nobody sends here: a command is taken with a lease, told outside of any transaction, and then marked. Whoever takes
one and dies loses it when the lease runs out; so it is sent at least once, and never by two at the same time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError
from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    update,
)

from models.database import Database, Transaction
from models.events import Command, record
from models.prepared import Prepared
from models.tables.base import Moment
from models.tables.calls import calls
from models.tables.chats import chats
from models.tables.events import EventKind, outbox
from models.tables.organization import organizations
from models.told import FACTS, text_of

other = outbox.alias("other")

MOST_LETTERS_OF_FAULT = 200


@dataclass(frozen=True)
class Due:
    """A command that is to be sent now: its number, and its text. `attempts`: how often it was tried before;
    `failing_since`: when it failed for the first time."""

    id: int
    organization_id: int
    command: Command
    chat_id: int | None
    call_id: int | None
    attempts: int
    failing_since: datetime | None
    text: bytes


def _is_open(row: Any) -> ColumnElement[bool]:
    """Neither sent nor given up, and not waiting for the night."""
    return and_(row.c.sent_at.is_(None), row.c.dead_at.is_(None), row.c.waits_for_night == false())


async def whose_turn(database: Database, *, at_most: int) -> list[int]:
    """The numbers of commands that may be taken now, as a reader sees it: it keeps nobody from writing."""
    now = Moment().process_bind_param(database.clock(), database.engine.dialect)
    return [row[0] for row in await _TURNS.read(database, now=now, at_most=at_most)]


def take(tx: Transaction, lease: str, numbers: Sequence[int], *, lasts: timedelta) -> list[Due]:
    """Those of these commands whose turn it still is; nobody else takes them for so long. Of each chat and each
    person at most one: what follows waits until that is sent or given up."""
    found = tx.execute(_turns(tx.now).where(outbox.c.id.in_(numbers))).scalars().all()
    free = or_(outbox.c.leased_until.is_(None), outbox.c.leased_until < tx.now)
    taking = (
        update(outbox)
        .where(outbox.c.id.in_(found), outbox.c.sent_at.is_(None), free)
        .values(lease=lease, leased_until=tx.now + lasts)
        .returning(outbox.c.id)
    )
    taken = tx.execute(taking).scalars().all() if found else []
    rows = tx.execute(FACTS.where(outbox.c.id.in_(taken)).order_by(outbox.c.id)).all() if taken else []
    return [due for row in rows if (due := _due(tx, row)) is not None]


def mark_sent(tx: Transaction, due: Due, url: str | None) -> None:
    """It has been acted upon, and perhaps answered with an address."""
    tx.execute(
        update(outbox)
        .where(outbox.c.id == due.id, outbox.c.sent_at.is_(None))
        .values(sent_at=tx.now, attempts=due.attempts + 1, lease=None, leased_until=None)
    )
    if url is not None:
        _keep_address(tx, due, url)


def mark_failed(tx: Transaction, due: Due, lease: str, fault: str, *, again_at: datetime | None) -> None:
    """It is tried again at that moment; None: it is given up, and the next of its chat goes on."""
    tx.execute(
        update(outbox)
        .where(outbox.c.id == due.id, outbox.c.sent_at.is_(None), outbox.c.lease == lease)
        .values(
            attempts=due.attempts + 1,
            failing_since=due.failing_since or tx.now,
            fault=fault[:MOST_LETTERS_OF_FAULT],
            next_attempt_at=again_at,
            dead_at=tx.now if again_at is None else None,
            lease=None,
            leased_until=None,
        )
    )


def give_back(tx: Transaction, lease: str) -> None:
    """What was taken with this lease and not marked may be taken by others at once."""
    mine = (outbox.c.lease == lease, outbox.c.sent_at.is_(None), outbox.c.dead_at.is_(None))
    tx.execute(update(outbox).where(*mine).values(lease=None, leased_until=None))


def count_open(tx: Transaction) -> tuple[int, int]:
    """How many are to be sent, now or after a pause; and how many wait for the night."""
    unsent = (outbox.c.sent_at.is_(None), outbox.c.dead_at.is_(None))
    found = select(outbox.c.waits_for_night, func.count()).where(*unsent).group_by(outbox.c.waits_for_night)
    rows: list[Any] = [*tx.execute(found)]
    counts = {bool(row[0]): int(row[1]) for row in rows}
    return counts.get(False, 0), counts.get(True, 0)


def dead_letters(tx: Transaction) -> Sequence[Any]:
    """Those that were given up, the latest first: rows with the school's name."""
    given_up = select(outbox, organizations.c.name.label("organization")).join(
        organizations, organizations.c.id == outbox.c.organization_id
    )
    return tx.execute(given_up.where(outbox.c.dead_at.is_not(None)).order_by(outbox.c.dead_at.desc())).all()


def revive(tx: Transaction) -> int:
    """Everything that was given up is tried again, before what came later; how many."""
    again = update(outbox).where(outbox.c.dead_at.is_not(None))
    return tx.execute(again.values(dead_at=None, failing_since=None, next_attempt_at=None)).rowcount


# ------------------------------------------------------------------------------------------ whose turn it is


def _turns(now: Any) -> Select[Any]:
    """The numbers of those whose turn it is: nothing before them is open, and nothing beside them under way."""
    of_chat = other.c.chat_id == outbox.c.chat_id
    of_person = and_(other.c.chat_id.is_(None), other.c.user_id == outbox.c.user_id)
    is_before, is_under_way = other.c.id < outbox.c.id, other.c.leased_until >= now

    def none(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
        return ~exists(select(literal(1)).where(_is_open(other), *conditions))

    return (
        select(outbox.c.id)
        .where(
            _is_open(outbox),
            or_(outbox.c.next_attempt_at.is_(None), outbox.c.next_attempt_at <= now),
            or_(outbox.c.leased_until.is_(None), outbox.c.leased_until < now),
            none(of_chat, is_before),
            none(of_chat, is_under_way),
            or_(outbox.c.chat_id.is_not(None), and_(none(of_person, is_before), none(of_person, is_under_way))),
        )
        .order_by(outbox.c.id)
    )


_TURNS = Prepared(_turns(bindparam("now", type_=Moment)).limit(bindparam("at_most", type_=Integer)))


# -------------------------------------------------------------------------------------------- what is taken


def _due(tx: Transaction, row: Any) -> Due | None:
    """None for what need not be told, and for what cannot be: that is given up at once, and holds nothing up."""
    if row.command == Command.SET_MEMBERS and not _is_needed(tx, row):
        return None
    try:
        text = text_of(tx, row)
    except ValidationError as error:
        first, *_ = error.errors()
        fault = f"not to be told: {'.'.join(map(str, first['loc']))}: {first['type']}"
        gone = {"dead_at": tx.now, "fault": fault[:MOST_LETTERS_OF_FAULT], "lease": None, "leased_until": None}
        tx.execute(update(outbox).where(outbox.c.id == row.id).values(gone))
        return None
    return Due(
        id=row.id,
        organization_id=row.organization_id,
        command=Command(row.command),
        chat_id=row.chat_id,
        call_id=row.call_id,
        attempts=row.attempts,
        failing_since=row.failing_since,
        text=text,
    )


def _is_needed(tx: Transaction, row: Any) -> bool:
    """Members are told as they are: of several such commands of a chat only the last is needed, and of a chat that
    has ended none. The others count as sent."""
    of_members = (
        outbox.c.chat_id == row.chat_id,
        outbox.c.command == Command.SET_MEMBERS,
        _is_open(outbox),
    )
    has_ended = tx.execute(select(chats.c.ended_at).where(chats.c.id == row.chat_id)).scalar_one() is not None
    last = tx.execute(select(func.max(outbox.c.id)).where(*of_members)).scalar_one()
    others = [] if has_ended else [outbox.c.id != last]
    tx.execute(update(outbox).where(*of_members, *others).values(sent_at=tx.now, lease=None, leased_until=None))
    return not has_ended and row.id == last


def _keep_address(tx: Transaction, due: Due, url: str) -> None:
    """The first address that is given stays: a retry may be answered with another."""
    if due.command is Command.CREATE_CHAT:
        has_none = (chats.c.id == due.chat_id, chats.c.url.is_(None), chats.c.ended_at.is_(None))
        if tx.execute(update(chats).where(*has_none).values(url=url)).rowcount:
            record(tx, due.organization_id, EventKind.CHAT_CHANGED, chat_id=due.chat_id)
    if due.command is Command.CREATE_CALL:
        has_no_own = (calls.c.id == due.call_id, calls.c.url.is_(None), calls.c.deleted_at.is_(None))
        if tx.execute(update(calls).where(*has_no_own).values(url=url)).rowcount:
            record(tx, due.organization_id, EventKind.CALL_CHANGED, chat_id=due.chat_id, call_id=due.call_id)
