"""What happens to chats: created, renamed, joined, left, deleted, seen."""

from collections.abc import Sequence

from sqlalchemy import insert, select, update

from models import chat_conversations, participations
from models.actor import Actor
from models.badges import new_calls
from models.chat_scopes import has_administrator, visible_chats
from models.database import Transaction
from models.decide import ChatAction, InChat, decide, decide_creation
from models.errors import Code, Refused, refuse
from models.events import Command, record, tell_messenger
from models.idempotency import Once
from models.named import bounded, known_people
from models.people_scopes import active_people, learners_of, teaches, visible_groups
from models.tables.calls import calls
from models.tables.chats import ChatKind, chats
from models.tables.events import EventKind
from models.tables.organization import organizations
from models.tables.people import GroupKind, groups, users
from models.text import fold, name


def create_chat(
    tx: Transaction,
    actor: Actor,
    *,
    kind: ChatKind,
    title: str,
    group_id: int | None,
    participant_ids: Sequence[int] | None,
    idempotency_key: str | None,
) -> int:
    """A new chat with the actor as its administrator; its number (E36, E40, A2, A3).

    `participant_ids` None: in a SUBGROUP chat the learners of the subgroup, else nobody besides the actor.
    """
    title = name("name", title)
    if kind is ChatKind.CUSTOM and group_id is not None:
        raise Refused(Code.INVALID_INPUT, field="groupId")
    bounded("participantIds", participant_ids)
    content = [kind, title, group_id, None if participant_ids is None else sorted(set(participant_ids))]
    once = Once(tx, actor, "createChat", idempotency_key, content)
    if once.before is not None:
        return once.before
    people = _active(tx, actor, participant_ids or ())
    teaches_it = _teaches(tx, actor, group_id)
    refuse(decide_creation(actor, kind, teaches_it=teaches_it))
    if kind is ChatKind.SUBGROUP:
        if group_id is None:
            raise Refused(Code.INVALID_INPUT, field="groupId")
        if participant_ids is None:
            people = set(tx.execute(learners_of(group_id)).scalars())
    roles = {**dict.fromkeys(people, False), actor.id: True}
    if len(roles) > participations.MOST_PARTICIPANTS:
        raise Refused(Code.TOO_LARGE, field="participantIds")
    return once.made(found_chat(tx, actor.organization_id, kind, title, group_id, roles))


def found_chat(
    tx: Transaction,
    organization_id: int,
    kind: ChatKind,
    title: str,
    group_id: int | None,
    roles: dict[int, bool],
) -> int:
    """Stores a chat with these people (person -> whether administrator) and tells the messenger (E33)."""
    chat_id = participations.open_room(tx, organization_id)
    tx.execute(
        insert(chats).values(
            id=chat_id,
            organization_id=organization_id,
            kind=kind,
            group_id=group_id,
            name=title,
            search_key=fold(title),
            url=tx.messenger.chat_url(),
            created_at=tx.now,
        )
    )
    chat_conversations.open_for(tx, organization_id, chat_id)
    event = record(tx, organization_id, EventKind.CHAT_CHANGED, chat_id=chat_id)
    participations.join(tx, organization_id, chat_id, roles, event=event)
    members = [{"user": user, "isAdministrator": role} for user, role in sorted(roles.items())]
    tell_messenger(
        tx,
        organization_id,
        Command.CREATE_CHAT,
        {"kind": kind, "name": title, "members": members},
        chat_id=chat_id,
    )
    return chat_id


def rename_chat(tx: Transaction, actor: Actor, chat_id: int, title: str) -> None:
    """E37. The same name again changes nothing."""
    title = name("name", title)
    refuse(decide(actor, ChatAction.RENAME, standing(tx, actor, chat_id)))
    if tx.execute(select(chats.c.name).where(chats.c.id == chat_id)).scalar_one() == title:
        return
    give_name(tx, actor.organization_id, chat_id, title)


def give_name(tx: Transaction, organization_id: int, chat_id: int, title: str) -> None:
    record(tx, organization_id, EventKind.CHAT_CHANGED, chat_id=chat_id)
    _name(tx, organization_id, chat_id, title)


def add_participants(tx: Transaction, actor: Actor, chat_id: int, user_ids: Sequence[int]) -> None:
    """E37. Who takes part already stays as he is."""
    bounded("userIds", user_ids)
    chat = standing(tx, actor, chat_id)
    people = _active(tx, actor, user_ids)
    refuse(decide(actor, ChatAction.EDIT_PARTICIPANTS, chat))
    current = participations.members(tx, chat_id)
    joining = people - current.keys()
    if len(current) + len(joining) > participations.MOST_PARTICIPANTS:
        raise Refused(Code.TOO_LARGE, field="userIds")
    change_members(tx, actor.organization_id, chat_id, joining=dict.fromkeys(joining, False))


def remove_participants(tx: Transaction, actor: Actor, chat_id: int, user_ids: Sequence[int]) -> None:
    """E37, A20. Removing who is gone is no mistake."""
    bounded("userIds", user_ids)
    chat = standing(tx, actor, chat_id)
    wanted = known_people(tx, actor, user_ids)
    refuse(decide(actor, ChatAction.EDIT_PARTICIPANTS, chat))
    current = participations.members(tx, chat_id)
    leaving = wanted & current.keys()
    _keeps_administrator(tx, current, without=leaving)
    change_members(tx, actor.organization_id, chat_id, leaving=leaving)


def set_administrator(
    tx: Transaction, actor: Actor, chat_id: int, user_id: int, *, is_administrator: bool
) -> None:
    """E37, A20. An administrator of the organization may appoint one where nobody active is."""
    chat = standing(tx, actor, chat_id)
    current = participations.members(tx, chat_id)
    if user_id not in current:
        raise Refused(Code.NOT_FOUND)
    refuse(decide(actor, ChatAction.EDIT_ADMINISTRATORS, chat))
    if current[user_id] == is_administrator:
        return
    if not is_administrator:
        _keeps_administrator(tx, current, without={user_id})
    change_members(tx, actor.organization_id, chat_id, roles={user_id: is_administrator})


def change_members(
    tx: Transaction,
    organization_id: int,
    chat_id: int,
    *,
    joining: dict[int, bool] | None = None,
    leaving: set[int] | None = None,
    roles: dict[int, bool] | None = None,
    title: str | None = None,
) -> None:
    """One event for the whole change; none when there is nothing to change. The messenger hears at night.

    `title`: a new name that comes with it, as in the nightly rebuild; the messenger hears of that at once.
    """
    if not (joining or leaving or roles or title):
        return
    event = record(tx, organization_id, EventKind.CHAT_CHANGED, chat_id=chat_id)
    if title:
        _name(tx, organization_id, chat_id, title)
    if leaving:
        participations.leave(tx, chat_id, leaving, event=event)
        chat_conversations.people_left(tx, organization_id, chat_id, leaving)
    participations.appoint(tx, chat_id, roles or {})
    if joining:
        participations.join(tx, organization_id, chat_id, joining, event=event)
        chat_conversations.people_joined(tx, chat_id, joining)
    if joining or leaving or roles:
        tell_messenger(tx, organization_id, Command.SET_MEMBERS, {}, chat_id=chat_id, at_night=True)


def delete_chat(tx: Transaction, actor: Actor, chat_id: int) -> None:
    """E39. Its calls go with it (A19)."""
    refuse(decide(actor, ChatAction.DELETE, standing(tx, actor, chat_id)))
    end_chat(tx, actor.organization_id, chat_id, by=actor.id)


def end_chat(tx: Transaction, organization_id: int, chat_id: int, *, by: int | None) -> None:
    """The chat and its calls are gone for everybody; `by` None: archived by the night (A9)."""
    live = select(calls.c.id).where(calls.c.chat_id == chat_id, calls.c.deleted_at.is_(None))
    for call_id in tx.execute(live.order_by(calls.c.id)).scalars().all():
        record(tx, organization_id, EventKind.CALL_CHANGED, chat_id=chat_id, call_id=call_id)
    tx.execute(
        update(calls)
        .where(calls.c.chat_id == chat_id, calls.c.deleted_at.is_(None))
        .values(deleted_at=tx.now, last_actor_id=by, last_acted_at=tx.now)
    )
    tx.execute(update(chats).where(chats.c.id == chat_id).values(ended_at=tx.now))
    chat_conversations.end_with_chat(tx, organization_id, chat_id)
    event = record(tx, organization_id, EventKind.CHAT_CHANGED, chat_id=chat_id)
    participations.leave(tx, chat_id, event=event)
    tell_messenger(tx, organization_id, Command.DELETE_CHAT, {}, chat_id=chat_id)


def mark_chats_seen(tx: Transaction, actor: Actor, up_to: int | None) -> None:
    """The call badge goes out (E58); what was published after event `up_to` stays unseen."""
    before = tx.execute(select(new_calls(actor))).scalar_one()
    last = select(organizations.c.last_event).where(organizations.c.id == actor.organization_id)
    known = tx.execute(last).scalar_one()
    seen = known if up_to is None else min(up_to, known)
    tx.execute(
        update(users).where(users.c.id == actor.id, users.c.chats_seen_event < seen).values(chats_seen_event=seen)
    )
    if tx.execute(select(new_calls(actor))).scalar_one() != before:
        record(tx, actor.organization_id, EventKind.CHATS_SEEN, user_id=actor.id)


def standing(tx: Transaction, actor: Actor, chat_id: int) -> InChat:
    """How the actor stands in a chat that he sees, or NOT_FOUND."""
    scope = visible_chats(actor).where(chats.c.id == chat_id)
    row = tx.execute(
        scope.add_columns(has_administrator(chats.c.id, actor).label("has_administrator"))
    ).one_or_none()
    if row is None:
        raise Refused(Code.NOT_FOUND)
    return InChat(
        ChatKind(row.kind),
        takes_part=row.viewer_takes_part,
        is_administrator=row.viewer_is_administrator,
        has_administrator=bool(row.has_administrator),
    )


def _name(tx: Transaction, organization_id: int, chat_id: int, title: str) -> None:
    tx.execute(update(chats).where(chats.c.id == chat_id).values(name=title, search_key=fold(title)))
    tell_messenger(tx, organization_id, Command.RENAME_CHAT, {"name": title}, chat_id=chat_id)


def _teaches(tx: Transaction, actor: Actor, group_id: int | None) -> bool:
    """Whether the group is a subgroup that the actor teaches; NOT_FOUND for one he does not see."""
    if group_id is None:
        return True
    scope = visible_groups(actor).where(groups.c.id == group_id)
    row = tx.execute(scope.add_columns(teaches(actor, groups.c.id).label("teaches_it"))).one_or_none()
    if row is None:
        raise Refused(Code.NOT_FOUND)
    return row.kind == GroupKind.SUBGROUP and bool(row.teaches_it)


def _active(tx: Transaction, actor: Actor, user_ids: Sequence[int]) -> set[int]:
    """These people of the organization; NOT_FOUND when one of them is unknown or has gone."""
    wanted = set(user_ids)
    found = set(tx.execute(active_people(actor).where(users.c.id.in_(wanted))).scalars()) if wanted else set()
    if found != wanted:
        raise Refused(Code.NOT_FOUND)
    return found


def _keeps_administrator(tx: Transaction, current: dict[int, bool], *, without: set[int]) -> None:
    """Somebody active has to remain (A20): who has left the school administers nothing, even before the night."""
    administrators = {user_id for user_id, role in current.items() if role}
    if administrators & without and not _any_active(tx, administrators - without):
        raise Refused(Code.LAST_ADMINISTRATOR)


def _any_active(tx: Transaction, people: set[int]) -> bool:
    active = select(users.c.id).where(users.c.id.in_(people), users.c.deactivated_at.is_(None))
    return tx.execute(active.limit(1)).first() is not None
