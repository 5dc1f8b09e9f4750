"""What happens to group conversations: renamed, joined, left, and who administers them (E11, E12, A16, A22)."""

from collections.abc import Sequence

from sqlalchemy import select, update

from models import participations
from models.actor import Actor
from models.conversation_standing import allowed, changed, find, in_reach, standing
from models.database import Transaction
from models.decide_conversations import ConversationAction, decide_in_conversation
from models.errors import Code, Refused, refuse
from models.named import bounded
from models.people_scopes import visible_people
from models.tables.chats import participations as parts
from models.tables.conversations import conversations
from models.tables.people import users
from models.text import fold, name


def rename(tx: Transaction, actor: Actor, conversation_id: int, title: str) -> None:
    """E11, A16. The same title again changes nothing."""
    title = name("title", title)
    row = allowed(tx, actor, conversation_id, ConversationAction.RENAME)
    if row.title != title:
        tx.execute(
            update(conversations)
            .where(conversations.c.id == conversation_id)
            .values(title=title, search_key=fold(title))
        )
        changed(tx, actor, conversation_id)


def add_participants(tx: Transaction, actor: Actor, conversation_id: int, user_ids: Sequence[int]) -> None:
    """A22. Who takes part already stays as he is; who comes sees nothing from before."""
    bounded("userIds", user_ids)
    allowed(tx, actor, conversation_id, ConversationAction.ADD_PARTICIPANTS)
    current = participations.members(tx, conversation_id)
    joining = in_reach(tx, actor, set(user_ids) - current.keys())
    if len(current) + len(joining) > participations.MOST_PARTICIPANTS:
        raise Refused(Code.TOO_LARGE, field="userIds")
    if joining:
        event = changed(tx, actor, conversation_id)
        roles = dict.fromkeys(joining, False)
        participations.join(tx, actor.organization_id, conversation_id, roles, event=event)
        participations.keep_listed(tx, conversation_id, joining)


def remove_participants(tx: Transaction, actor: Actor, conversation_id: int, user_ids: Sequence[int]) -> None:
    """E12: who is removed keeps the history up to now. Removing who is gone is no mistake."""
    bounded("userIds", user_ids)
    there = find(tx, actor, conversation_id)
    wanted = _known(tx, actor, conversation_id, user_ids)
    refuse(decide_in_conversation(actor, ConversationAction.REMOVE_PARTICIPANTS, standing(there)))
    current = participations.members(tx, conversation_id)
    leaving = wanted & current.keys()
    _keeps_administrator(current, leaving)
    _leave(tx, actor, conversation_id, leaving)


def set_administrator(
    tx: Transaction, actor: Actor, conversation_id: int, user_id: int, *, is_administrator: bool
) -> None:
    """A16, A20."""
    current = participations.members(tx, conversation_id)
    there = find(tx, actor, conversation_id)
    if user_id not in current:
        raise Refused(Code.NOT_FOUND)
    refuse(decide_in_conversation(actor, ConversationAction.EDIT_ADMINISTRATORS, standing(there)))
    if current[user_id] == is_administrator:
        return
    if not is_administrator:
        _keeps_administrator(current, {user_id}, may_empty=False)
    changed(tx, actor, conversation_id)
    participations.appoint(tx, conversation_id, {user_id: is_administrator})


def leave(tx: Transaction, actor: Actor, conversation_id: int) -> None:
    """The last administrator is succeeded by who has been there longest. Leaving twice is no mistake."""
    there = standing(find(tx, actor, conversation_id))
    refusal = decide_in_conversation(actor, ConversationAction.LEAVE, there)
    if refusal is Code.NOT_PARTICIPANT:
        return
    refuse(refusal)
    succeed(tx, conversation_id, actor.id)
    _leave(tx, actor, conversation_id, {actor.id})


def succeed(tx: Transaction, conversation_id: int, leaving: int) -> None:
    """Before this person leaves: where nobody else is administrator, who has been there longest becomes it."""
    current = participations.members(tx, conversation_id)
    others = current.keys() - {leaving}
    if others and not any(current[user_id] for user_id in others):
        longest = (
            select(parts.c.user_id)
            .where(parts.c.room_id == conversation_id, parts.c.left_at.is_(None), parts.c.user_id != leaving)
            .order_by(parts.c.joined_event, parts.c.id)
            .limit(1)
        )
        participations.appoint(tx, conversation_id, {tx.execute(longest).scalar_one(): True})


def _known(tx: Transaction, actor: Actor, conversation_id: int, user_ids: Sequence[int]) -> set[int]:
    """These people, whom the actor sees or who have taken part there; NOT_FOUND when one is neither: nothing
    tells whether he exists (PA2)."""
    wanted = set(user_ids)
    there = select(parts.c.user_id).where(parts.c.room_id == conversation_id, parts.c.user_id.in_(wanted))
    known = set(tx.execute(there).scalars())
    if unmet := wanted - known:
        seen = visible_people(actor).where(users.c.id.in_(unmet)).with_only_columns(users.c.id)
        known |= set(tx.execute(seen).scalars())
    if known != wanted:
        raise Refused(Code.NOT_FOUND)
    return wanted


def _leave(tx: Transaction, actor: Actor, conversation_id: int, leaving: set[int]) -> None:
    if not leaving:
        return
    event = changed(tx, actor, conversation_id)
    participations.leave(tx, conversation_id, leaving, event=event)
    if not actor.policy.history_after_leaving:
        participations.drop_history(tx, conversation_id, leaving)


def _keeps_administrator(current: dict[int, bool], leaving: set[int], *, may_empty: bool = True) -> None:
    """LAST_ADMINISTRATOR, unless nobody would be left."""
    staying = current.keys() - leaving
    administrators = {user_id for user_id, role in current.items() if role}
    if administrators & leaving and not administrators - leaving and (staying or not may_empty):
        raise Refused(Code.LAST_ADMINISTRATOR)
