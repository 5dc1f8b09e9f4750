"""Is a person's profile linked to the external messenger? Beginning, completing and ending the link (E24, E42).

Who signed in is asked between two transactions: `begin_link` keeps the attempt, `open_attempt` finds it when the
browser is back, and `complete_link` uses it up and links, or leaves everything as it was.
"""

from datetime import timedelta

from sqlalchemy import Text, bindparam, insert, or_, select, update

from models.actor import Actor, Viewer
from models.database import Database, Transaction
from models.errors import Code, Refused
from models.events import Command, record, tell_messenger
from models.prepared import Prepared
from models.sign_in import Attempt
from models.tables.base import Key, Moment
from models.tables.chats import chats, participations
from models.tables.events import EventKind
from models.tables.links import link_attempts, profile_links

ATTEMPT_LASTS = timedelta(minutes=10)


def begin_link(tx: Transaction, actor: Actor, attempt: Attempt) -> None:
    """The person goes to sign in."""
    tx.execute(
        insert(link_attempts).values(
            state=attempt.state,
            verifier=attempt.verifier,
            nonce=attempt.nonce,
            provider=tx.messenger.sign_in.provider,
            organization_id=actor.organization_id,
            user_id=actor.id,
            begun_at=tx.now,
        )
    )


async def open_attempt(database: Database, viewer: Viewer, state: str) -> Attempt | None:
    """The link that this person began, with the provider that is used now, and may still complete."""
    if "\0" in state:
        return None
    found = await _OPEN.read(
        database,
        state=state,
        viewer=viewer.id,
        provider=database.messenger.sign_in.provider,
        earliest=Moment().process_bind_param(database.clock() - ATTEMPT_LASTS, database.engine.dialect),
    )
    return Attempt(*found[0]) if found else None


def complete_link(tx: Transaction, actor: Actor, *, state: str, account: str | None) -> None:
    """Links the account that signed in; it replaces the link there was. The messenger hears at once (E35).

    A state links once, within ten minutes, and only the person who began; else INVALID_INPUT, as for a code that
    has led to no account. A refusal does not use it up.
    """
    if "\0" in state:
        raise Refused(Code.INVALID_INPUT, field="state")
    attempt = tx.execute(
        update(link_attempts)
        .where(
            link_attempts.c.state == state,
            link_attempts.c.user_id == actor.id,
            link_attempts.c.provider == tx.messenger.sign_in.provider,
            link_attempts.c.used_at.is_(None),
            link_attempts.c.begun_at > tx.now - ATTEMPT_LASTS,
        )
        .values(used_at=tx.now)
    )
    if attempt.rowcount != 1:
        raise Refused(Code.INVALID_INPUT, field="state")
    if account is None:
        raise Refused(Code.INVALID_INPUT, field="code")
    link(tx, actor.organization_id, actor.id, account)


def link(tx: Transaction, organization_id: int, user_id: int, account: str) -> None:
    """From now on the person is this account in the messenger. The same account again changes nothing."""
    provider = tx.messenger.sign_in.provider
    links = profile_links.c
    of_provider = (links.organization_id == organization_id, links.provider == provider)
    owner = tx.execute(
        select(links.user_id).where(*of_provider, links.account == account, links.unlinked_at.is_(None))
    ).scalar_one_or_none()
    if owner == user_id:
        return
    if owner is not None:
        raise Refused(Code.PROFILE_TAKEN)
    _end_links(tx, user_id)
    superseded = or_(links.user_id == user_id, links.account == account)
    tx.execute(
        update(profile_links)
        .where(*of_provider, superseded, links.set_aside_at.is_not(None))
        .values(set_aside_at=None)
    )
    tx.execute(
        insert(profile_links).values(
            organization_id=organization_id,
            user_id=user_id,
            provider=provider,
            account=account,
            linked_at=tx.now,
        )
    )
    _changed(tx, organization_id, user_id, linked=True)
    tell_messenger(tx, organization_id, Command.LINK_PROFILE, {"account": account}, user_id=user_id)


def unlink(tx: Transaction, actor: Actor) -> None:
    """E24. Unlinking twice is no mistake."""
    if _end_links(tx, actor.id):
        tx.execute(
            update(profile_links)
            .where(profile_links.c.user_id == actor.id, profile_links.c.set_aside_at.is_not(None))
            .values(set_aside_at=None)
        )
        _changed(tx, actor.organization_id, actor.id, linked=False)
        tell_messenger(tx, actor.organization_id, Command.UNLINK_PROFILE, {}, user_id=actor.id)


def _end_links(tx: Transaction, user_id: int) -> bool:
    ended = tx.execute(
        update(profile_links)
        .where(profile_links.c.user_id == user_id, profile_links.c.unlinked_at.is_(None))
        .values(unlinked_at=tx.now)
    )
    return ended.rowcount > 0


def _changed(tx: Transaction, organization_id: int, user_id: int, *, linked: bool) -> None:
    """The person's tiles change, and so does the count of linked participants on the tiles of others (E19)."""
    tx.execute(
        update(participations)
        .where(participations.c.user_id == user_id, participations.c.left_at.is_(None))
        .values(is_linked=linked)
    )
    record(tx, organization_id, EventKind.PERSON_CHANGED, user_id=user_id)
    own = (
        select(chats.c.id)
        .join(participations, participations.c.room_id == chats.c.id)
        .where(participations.c.user_id == user_id, participations.c.left_at.is_(None))
        .order_by(chats.c.id)
    )
    for chat_id in tx.execute(own).scalars().all():
        record(tx, organization_id, EventKind.CHAT_CHANGED, chat_id=chat_id)


_OPEN = Prepared(
    select(link_attempts.c.state, link_attempts.c.verifier, link_attempts.c.nonce).where(
        link_attempts.c.state == bindparam("state", type_=Text),
        link_attempts.c.user_id == bindparam("viewer", type_=Key),
        link_attempts.c.provider == bindparam("provider", type_=Text),
        link_attempts.c.used_at.is_(None),
        link_attempts.c.begun_at > bindparam("earliest", type_=Moment),
    )
)
