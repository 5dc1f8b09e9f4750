"""What happens to drafts? Saved, replaced, discarded: nobody but the author ever sees one (M9, MA5, MA6).

A draft is a message that has no event, with one delivery, the author's. It stays in a thread of its own, of which
nobody else has a row, also when it is an answer: it joins the thread of what it answers when it is sent. Saving
tells nobody, so a draft that is discarded leaves nothing behind.
"""

from typing import Any

from sqlalchemy import delete, insert, update

from models.actor import Actor
from models.addresses import addresses_of, check_reach, store_addresses
from models.attachments import attach, check_attachments, detach_all
from models.database import Transaction
from models.decide_messages import decide_switches
from models.errors import Code, Refused, refuse
from models.letters import Letter, unfinished
from models.messages import visible_messages
from models.tables.conversations import ConversationKind, deliveries, messages, recipients
from models.text import fold
from models.threads import end_thread, keep_for_oneself, open_thread


def save_draft(tx: Transaction, actor: Actor, letter: Letter, *, draft_id: int | None) -> int:
    """A new draft, or all of an old one anew; its number.

    Whoever may not be written to cannot be put in; who was in before stays, and is asked for when it is sent. A
    lockdown ends sending, not writing.
    """
    kept = unfinished(letter, actor.policy)
    draft = None if draft_id is None else find_draft(tx, actor, draft_id)
    parent = find_parent(tx, actor, kept.parent_id)
    check_attachments(tx, actor, kept.attachment_ids, message_id=draft_id)
    refuse(decide_switches(actor, ConversationKind.MAIL, is_sending=False))
    known = [] if draft is None else addresses_of(tx, draft.id)
    check_reach(tx, actor, kept.addresses, parent=parent, known=known)
    values = {
        "parent_id": kept.parent_id,
        "subject": kept.subject,
        "subject_key": fold(kept.subject),
        "body": kept.body,
        "format": actor.policy.body_format,
    }
    if draft is None:
        number = _store(tx, actor, values)
    else:
        number = int(draft.id)
        tx.execute(update(messages).where(messages.c.id == number).values(values))
    store_addresses(tx, actor.organization_id, number, kept.addresses)
    attach(tx, actor, number, kept.attachment_ids)
    return number


def discard_draft(tx: Transaction, actor: Actor, draft_id: int) -> None:
    """MA5: for good. Its files wait for the night that removes them."""
    discard(tx, find_draft(tx, actor, draft_id))


def discard(tx: Transaction, draft: Any) -> None:
    """Nothing is left of it; `draft` is its row."""
    detach_all(tx, draft.id)
    tx.execute(delete(recipients).where(recipients.c.message_id == draft.id))
    tx.execute(delete(deliveries).where(deliveries.c.message_id == draft.id))
    tx.execute(delete(messages).where(messages.c.id == draft.id))
    end_thread(tx, draft.conversation_id)


def find_draft(tx: Transaction, actor: Actor, draft_id: int) -> Any:
    """A draft of the actor's own, or NOT_FOUND: also for one that has been sent."""
    found = visible_messages(actor).where(
        messages.c.id == draft_id, messages.c.event.is_(None), messages.c.author_id == actor.id
    )
    row = tx.execute(found).one_or_none()
    if row is None:
        raise Refused(Code.NOT_FOUND)
    return row


def find_parent(tx: Transaction, actor: Actor, parent_id: int | None) -> Any:
    """The mail that is answered, None for none; NOT_FOUND for one that the actor does not see."""
    if parent_id is None:
        return None
    found = visible_messages(actor).where(
        messages.c.id == parent_id, messages.c.event.is_not(None), deliveries.c.kind == ConversationKind.MAIL
    )
    row = tx.execute(found).one_or_none()
    if row is None:
        raise Refused(Code.NOT_FOUND)
    return row


def _store(tx: Transaction, actor: Actor, values: dict[str, Any]) -> int:
    thread_id = open_thread(tx, actor)
    keep_for_oneself(tx, actor, thread_id)
    own = {"organization_id": actor.organization_id, "conversation_id": thread_id}
    insertion = insert(messages).values(author_id=actor.id, created_at=tx.now, **own, **values)
    number = int(tx.execute(insertion.returning(messages.c.id)).scalar_one())
    tx.execute(
        insert(deliveries).values(
            user_id=actor.id,
            message_id=number,
            kind=ConversationKind.MAIL,
            is_author=True,
            read_at=tx.now,
            **own,
        )
    )
    return number
