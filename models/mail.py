"""What happens when a mail is sent? To whom it goes is worked out once, and everybody gets a copy of his own."""

from typing import Any

from sqlalchemy import Select, case, delete, exists, func, insert, literal, null, select, union_all

from models.actor import Actor
from models.addressees import NOT_ADDRESSED, RANKS, people_addressed
from models.addresses import check_reach, store_addresses
from models.attachments import attach, check_attachments
from models.database import Transaction
from models.decide_messages import decide_switches
from models.drafts import find_draft, find_parent
from models.errors import Code, Refused, refuse
from models.idempotency import Once
from models.letters import Letter, finished
from models.messages import Sending, store_sent
from models.tables.conversations import ConversationKind, deliveries, recipients
from models.tables.people import users
from models.threads import end_thread, list_thread, open_thread


def send_mail(
    tx: Transaction, actor: Actor, letter: Letter, *, draft_id: int | None, idempotency_key: str | None
) -> int:
    """A mail to people and audiences, or a draft that becomes one; its number (M2, M9, MA1).

    An answer joins the thread of what it answers. Raises OUT_OF_REACH for anybody whom the actor may not write
    to, NO_RECIPIENT when nobody is there, COUNTERPART_GONE when those who would be answered have left.
    """
    mail = finished(letter, actor.policy)
    once = Once(tx, actor, "sendMail", idempotency_key, [letter.content(), draft_id])
    if once.before is not None:
        return once.before
    draft = None if draft_id is None else find_draft(tx, actor, draft_id)
    parent = find_parent(tx, actor, mail.parent_id)
    check_attachments(tx, actor, mail.attachment_ids, message_id=draft_id)
    refuse(decide_switches(actor, ConversationKind.MAIL))
    check_reach(tx, actor, mail.addresses, parent=parent)
    thread_id = _thread(tx, actor, parent, draft)
    sending = Sending(
        actor.organization_id,
        thread_id,
        ConversationKind.MAIL,
        actor.id,
        mail.body,
        format=actor.policy.body_format,
        parent_id=mail.parent_id,
        subject=mail.subject,
    )
    message_id, event = store_sent(tx, sending, draft_id=draft_id)
    store_addresses(tx, actor.organization_id, message_id, mail.addresses)
    attach(tx, actor, message_id, mail.attachment_ids)
    people = people_addressed(message_id, actor.id, parent=parent)
    _limit(tx, actor, message_id, people)
    _deliver(tx, sending, message_id, event, people)
    list_thread(tx, actor.organization_id, thread_id, message_id, event)
    if draft is not None and draft.conversation_id != thread_id:
        end_thread(tx, draft.conversation_id)
    return once.made(message_id)


def _thread(tx: Transaction, actor: Actor, parent: Any, draft: Any) -> int:
    for known in (parent, draft):
        if known is not None:
            return int(known.conversation_id)
    return open_thread(tx, actor)


def _limit(tx: Transaction, actor: Actor, message_id: int, people: Select[Any]) -> None:
    """Somebody must be there, and not more than the policy admits."""
    count = tx.execute(select(func.count()).select_from(people.subquery())).scalar_one()
    if count > actor.policy.most_recipients:
        raise Refused(Code.TOO_LARGE, field="to")
    if count:
        return
    gone = exists(
        select(literal(1))
        .select_from(recipients.join(users, users.c.id == recipients.c.user_id))
        .where(recipients.c.message_id == message_id, users.c.deactivated_at.is_not(None))
    )
    if tx.execute(select(gone)).scalar_one():
        raise Refused(Code.COUNTERPART_GONE)
    raise Refused(Code.NO_RECIPIENT, field="to")


def _deliver(tx: Transaction, sending: Sending, message_id: int, event: int, people: Select[Any]) -> None:
    """A copy for each of these people and for the author, in one statement however many.

    The author's own is born read, unless he has addressed himself: then it is in his inbox as well (MA4).
    """
    tx.execute(delete(deliveries).where(deliveries.c.message_id == message_id))  # the draft's
    author = select(literal(sending.author_id).label("user_id"), literal(NOT_ADDRESSED).label("rank"))
    copies = union_all(people, author).subquery("copies")
    rank, own = func.min(copies.c.rank), copies.c.user_id == sending.author_id
    row = {
        "organization_id": literal(sending.organization_id),
        "user_id": copies.c.user_id,
        "message_id": literal(message_id),
        "conversation_id": literal(sending.conversation_id),
        "kind": literal(ConversationKind.MAIL.value),
        "event": literal(event),
        "is_author": own,
        "received_as": case(*((rank == number, role.value) for role, number in RANKS.items()), else_=null()),
        "read_at": case((rank == NOT_ADDRESSED, literal(tx.now, deliveries.c.read_at.type)), else_=null()),
    }
    tx.execute(insert(deliveries).from_select(list(row), select(*row.values()).group_by(copies.c.user_id)))
