"""How does somebody stand in a conversation, and which people may he bring into one?"""

from functools import cache
from typing import Any

from sqlalchemy import bindparam, select

from models.actor import ASKING, Actor
from models.conversation_scopes import visible_conversations
from models.database import Transaction
from models.decide_conversations import ConversationAction, InConversation, decide_in_conversation
from models.errors import Code, Refused, refuse
from models.events import record
from models.prepared import Prepared
from models.reach import may_start
from models.tables.base import Key
from models.tables.conversations import ConversationKind, conversations
from models.tables.events import EventKind
from models.tables.people import users


def standing(row: Any) -> InConversation:
    """From a row of a scope of conversations."""
    return InConversation(
        ConversationKind(row.kind),
        takes_part=bool(row.viewer_takes_part),
        is_administrator=bool(row.viewer_is_administrator),
        starts=bool(row.starts),
        other_starts=bool(row.other_starts),
        other_has_written=bool(row.other_has_written),
        other_is_active=bool(row.other_is_active),
    )


def find(tx: Transaction, actor: Actor, conversation_id: int) -> Any:
    """A conversation that the actor sees, with his standing; or NOT_FOUND."""
    wanted = {"viewer": actor.id, "organization": actor.organization_id, "conversation": conversation_id}
    row = _one_visible().run(tx, **wanted).one_or_none()
    if row is None:
        raise Refused(Code.NOT_FOUND)
    return row


@cache
def _one_visible() -> Prepared:
    wanted = bindparam("conversation", type_=Key)
    return Prepared(visible_conversations(ASKING).where(conversations.c.id == wanted))


def allowed(tx: Transaction, actor: Actor, conversation_id: int, action: ConversationAction) -> Any:
    """The same, when the actor may do this there; or the refusal."""
    row = find(tx, actor, conversation_id)
    refuse(decide_in_conversation(actor, action, standing(row)))
    return row


def in_reach(tx: Transaction, actor: Actor, wanted: set[int]) -> set[int]:
    """These people, all of whom the actor may start writing to; else OUT_OF_REACH, whatever the reason."""
    found = select(users.c.id).where(
        users.c.organization_id == actor.organization_id,
        users.c.id.in_(wanted),
        users.c.deactivated_at.is_(None),
        may_start(actor, actor.id, users.c.id),
    )
    if wanted and set(tx.execute(found).scalars()) != wanted:
        raise Refused(Code.OUT_OF_REACH)
    return wanted


def changed(tx: Transaction, actor: Actor, conversation_id: int, *, for_oneself: bool = False) -> int:
    """Tells all who take part, or the actor alone, that the conversation has changed; the event's number."""
    return record(
        tx,
        actor.organization_id,
        EventKind.CONVERSATION_CHANGED,
        conversation_id=conversation_id,
        user_id=actor.id if for_oneself else None,
    )
