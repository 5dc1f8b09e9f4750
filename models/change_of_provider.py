"""Do people sign in with another provider than before? An account there is none here: its links are set aside, and
open again when the provider is back.
"""

from collections.abc import Sequence

from sqlalchemy import exists, literal, select, update

from models.database import Transaction
from models.events import Command, store, take_numbers, tell_messenger
from models.tables.chats import chats, participations
from models.tables.events import EventKind, outbox
from models.tables.links import profile_links

_LINKED = exists(
    select(literal(1)).where(
        profile_links.c.user_id == participations.c.user_id, profile_links.c.unlinked_at.is_(None)
    )
)


def change_provider(tx: Transaction, organization_id: int) -> tuple[int, int]:
    """How many links are set aside, and how many open again. The messenger hears of both (E35)."""
    links, provider = profile_links.c, tx.messenger.sign_in.provider
    aside = (
        update(profile_links)
        .where(links.organization_id == organization_id, links.provider != provider, links.unlinked_at.is_(None))
        .values(unlinked_at=tx.now, set_aside_at=tx.now)
        .returning(links.user_id)
    )
    back = (
        update(profile_links)
        .where(
            links.organization_id == organization_id,
            links.provider == provider,
            links.set_aside_at.is_not(None),
        )
        .values(unlinked_at=None, set_aside_at=None)
        .returning(links.user_id, links.account)
    )
    gone = sorted(tx.execute(aside).scalars().all())
    come = sorted((row.user_id, row.account) for row in tx.execute(back).all())
    if gone or come:
        _tell(tx, organization_id, gone, come)
        _record(tx, organization_id, sorted({*gone, *(user_id for user_id, _ in come)}))
    return len(gone), len(come)


def _tell(tx: Transaction, organization_id: int, gone: Sequence[int], come: Sequence[tuple[int, str]]) -> None:
    """Who has come back is told whether or not it is known; who has gone, where it is known."""
    if not tx.messenger.is_outside:
        return
    known = select(outbox.c.user_id).where(
        outbox.c.organization_id == organization_id, outbox.c.command == Command.LINK_PROFILE
    )
    told = {*tx.execute(known).scalars().all()} - {user_id for user_id, _ in come}
    for user_id in (each for each in gone if each in told):
        tell_messenger(tx, organization_id, Command.UNLINK_PROFILE, {}, user_id=user_id)
    for user_id, account in come:
        tell_messenger(tx, organization_id, Command.LINK_PROFILE, {"account": account}, user_id=user_id)


def _record(tx: Transaction, organization_id: int, people: Sequence[int]) -> None:
    """These people's tiles change, and so do the counts of linked participants on the tiles of others (E19)."""
    counted = (
        update(participations)
        .where(
            participations.c.organization_id == organization_id,
            participations.c.left_at.is_(None),
            participations.c.is_linked != _LINKED,
        )
        .values(is_linked=_LINKED)
        .returning(participations.c.room_id)
    )
    rooms = {*tx.execute(counted).scalars().all()}
    own = select(chats.c.id).where(chats.c.organization_id == organization_id, chats.c.ended_at.is_(None))
    changed = sorted(rooms & {*tx.execute(own).scalars().all()})
    for kind, column, subjects in (
        (EventKind.PERSON_CHANGED, "user_id", people),
        (EventKind.CHAT_CHANGED, "chat_id", changed),
    ):
        if subjects:
            first = take_numbers(tx, organization_id, len(subjects))
            store(tx, organization_id, kind, first, [{column: subject} for subject in subjects])
