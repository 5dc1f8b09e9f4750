"""What happens to calls: created, changed, published, finished, deleted. Who last acted stands on each (E51)."""

from datetime import MAXYEAR, MINYEAR, UTC, datetime
from typing import Any

from sqlalchemy import insert, select, update

from models.actor import Actor
from models.chat_scopes import another_is_published, visible_calls
from models.chats import standing
from models.database import Transaction
from models.decide import CallAction, ChatAction, InCall, decide
from models.errors import Code, Refused, refuse
from models.events import Command, record, tell_messenger
from models.idempotency import Once
from models.tables.base import rfc3339
from models.tables.calls import CallStatus, calls
from models.tables.events import EventKind
from models.text import name


def create_call(
    tx: Transaction,
    actor: Actor,
    *,
    chat_id: int,
    title: str,
    starts_at: datetime,
    idempotency_key: str | None,
) -> int:
    """A call with the status CREATED; its number (E32, E44, E45). A start in the past is allowed (A18)."""
    title, starts_at = name("title", title), moment("startsAt", starts_at)
    once = Once(tx, actor, "createCall", idempotency_key, [chat_id, title, rfc3339(starts_at)])
    if once.before is not None:
        return once.before
    refuse(decide(actor, ChatAction.CREATE_CALL, standing(tx, actor, chat_id)))
    call_id: int = tx.execute(
        insert(calls)
        .values(
            organization_id=actor.organization_id,
            chat_id=chat_id,
            title=title,
            starts_at=starts_at,
            status=CallStatus.CREATED,
            last_actor_id=actor.id,
            last_acted_at=tx.now,
            url=tx.messenger.call_url(),
            created_at=tx.now,
        )
        .returning(calls.c.id)
    ).scalar_one()
    _changed(tx, actor.organization_id, chat_id, call_id)
    settings = {"title": title, "startsAt": rfc3339(starts_at)}
    _tell(tx, actor.organization_id, Command.CREATE_CALL, chat_id, call_id, settings)  # E57
    return once.made(call_id)


def update_call(
    tx: Transaction, actor: Actor, call_id: int, *, title: str | None, starts_at: datetime | None
) -> None:
    """E46: only while CREATED. The same values again change nothing."""
    if title is None and starts_at is None:
        raise Refused(Code.INVALID_INPUT, field="title")
    title = None if title is None else name("title", title)
    starts_at = None if starts_at is None else moment("startsAt", starts_at)
    call = _find(tx, actor, call_id)
    refuse(decide(actor, CallAction.UPDATE, _standing(call)))
    title, starts_at = title or call.title, starts_at or call.starts_at
    if (title, starts_at) == (call.title, call.starts_at):
        return
    _act(tx, call, by=actor.id, title=title, starts_at=starts_at)
    settings = {"title": title, "startsAt": rfc3339(starts_at)}
    _tell(tx, call.organization_id, Command.UPDATE_CALL, call.chat_id, call_id, settings)


def publish_call(tx: Transaction, actor: Actor, call_id: int) -> None:
    """E46, E49, E50, E53, E58. Publishing a published call again is no mistake."""
    call = _find(tx, actor, call_id)
    refusal = decide(actor, CallAction.PUBLISH, _standing(call))
    if refusal is Code.CALL_ALREADY_PUBLISHED:
        raise Refused(refusal, subject=_published_in(tx, call.chat_id))
    if refusal is Code.WRONG_CALL_STATUS and call.status == CallStatus.PUBLISHED:
        return
    refuse(refusal)
    event = record(tx, call.organization_id, EventKind.CALL_PUBLISHED, chat_id=call.chat_id, call_id=call_id)
    tx.execute(
        update(calls)
        .where(calls.c.id == call_id)
        .values(
            status=CallStatus.PUBLISHED,
            published_event=event,
            last_actor_id=actor.id,
            last_acted_at=tx.now,
        )
    )
    _tell(tx, call.organization_id, Command.PUBLISH_CALL, call.chat_id, call_id)


def finish_call(tx: Transaction, actor: Actor, call_id: int) -> None:
    """E47, E54. Finishing a finished call again is no mistake."""
    call = _find(tx, actor, call_id)
    refusal = decide(actor, CallAction.FINISH, _standing(call))
    if refusal is Code.WRONG_CALL_STATUS and call.status == CallStatus.FINISHED:
        return
    refuse(refusal)
    finish(tx, call, by=actor.id)


def delete_call(tx: Transaction, actor: Actor, call_id: int) -> int:
    """E46, E47, E48, E55: in any state. Returns the number of its chat."""
    call = _find(tx, actor, call_id)
    refuse(decide(actor, CallAction.DELETE, _standing(call)))
    _act(tx, call, by=actor.id, deleted_at=tx.now)
    _tell(tx, call.organization_id, Command.DELETE_CALL, call.chat_id, call_id)
    return int(call.chat_id)


def finish(tx: Transaction, call: Any, *, by: int | None) -> None:
    """Finishes a published call; `by` None: the system (E56). `call` is a row of the table."""
    _act(tx, call, by=by, status=CallStatus.FINISHED)
    _tell(tx, call.organization_id, Command.FINISH_CALL, call.chat_id, call.id)


def moment(field: str, value: datetime) -> datetime:
    """The moment in UTC to the millisecond. INVALID_INPUT when it has no zone, or no local time everywhere:
    the first and the last year of the calendar end in the middle of a day."""
    if value.tzinfo is None or not MINYEAR < value.year < MAXYEAR:
        raise Refused(Code.INVALID_INPUT, field=field)
    utc = value.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def _find(tx: Transaction, actor: Actor, call_id: int) -> Any:
    """A call that the actor sees, or NOT_FOUND."""
    blocked = another_is_published(calls.c.chat_id, calls.c.status).label("another_is_published")
    call = tx.execute(visible_calls(actor).where(calls.c.id == call_id).add_columns(blocked)).one_or_none()
    if call is None:
        raise Refused(Code.NOT_FOUND)
    return call


def _standing(call: Any) -> InCall:
    return InCall(
        CallStatus(call.status),
        takes_part=call.viewer_takes_part,
        is_administrator=call.viewer_is_administrator,
        another_is_published=bool(call.another_is_published),
    )


def _published_in(tx: Transaction, chat_id: int) -> int | None:
    return tx.execute(
        select(calls.c.id).where(
            calls.c.chat_id == chat_id,
            calls.c.status == CallStatus.PUBLISHED,
            calls.c.deleted_at.is_(None),
        )
    ).scalar_one_or_none()


def _act(tx: Transaction, call: Any, *, by: int | None, **values: Any) -> None:
    tx.execute(update(calls).where(calls.c.id == call.id).values(**values, last_actor_id=by, last_acted_at=tx.now))
    _changed(tx, call.organization_id, call.chat_id, call.id)


def _changed(tx: Transaction, organization_id: int, chat_id: int, call_id: int) -> None:
    record(tx, organization_id, EventKind.CALL_CHANGED, chat_id=chat_id, call_id=call_id)


def _tell(
    tx: Transaction,
    organization_id: int,
    command: Command,
    chat_id: int,
    call_id: int,
    payload: dict[str, Any] | None = None,
) -> None:
    tell_messenger(tx, organization_id, command, payload or {}, chat_id=chat_id, call_id=call_id)
