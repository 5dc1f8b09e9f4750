"""What may one person see and do of what people write? The rules once more, as loops over rows.

Written from the rules alone, as `rules` is. A person's copy of a message is a row of his own: what is not there,
or is deleted, does not exist for him.
"""

from collections.abc import Callable, Iterable
from typing import Any

from tests.lookahead import safety
from tests.lookahead.rows import Row
from tests.lookahead.rules import Sight

SETTINGS = ("RENAME", "ADD_PARTICIPANTS", "REMOVE_PARTICIPANTS", "EDIT_ADMINISTRATORS")

# --------------------------------------------------------------------------------------- conversations


def part(sight: Sight, room_id: int) -> Row | None:
    """How the viewer takes part there, or did last."""
    mine = [row for row in sight.rows.intervals_in[room_id] if row.user_id == sight.me.id]
    return max(mine, key=lambda row: row.id) if mine else None


def place(sight: Sight, room_id: int) -> int | None:
    """Where it stands in the viewer's list."""
    found = [
        row.latest_event
        for row in sight.rows.intervals_in[room_id]
        if row.user_id == sight.me.id and row.latest_event is not None
    ]
    return found[0] if found else None


def takes_part_now(sight: Sight, talk: Row) -> bool:
    mine = part(sight, talk.id)
    return talk.ended_at is None and mine is not None and mine.left_at is None


def sees_conversation(sight: Sight, talk: Row) -> bool:
    is_of_a_room = talk.kind in ("GROUP", "CHAT")
    return place(sight, talk.id) is not None or (is_of_a_room and takes_part_now(sight, talk))


def conversation_of(sight: Sight, chat: Row) -> Row | None:
    """Where the messages of the chat live, if the viewer sees it."""
    talk = sight.rows.conversations.get(chat.id)
    is_open = talk is not None and talk.ended_at is None
    return talk if talk is not None and is_open and sees_conversation(sight, talk) else None


def other_in(sight: Sight, talk: Row) -> Row:
    """The other one of a direct conversation; in that with oneself it is oneself."""
    return sight.rows.users[talk.high_id if talk.low_id == sight.me.id else talk.low_id]


def title(sight: Sight, talk: Row) -> str:
    if talk.kind == "GROUP":
        return str(talk.title)
    if talk.kind == "DIRECT":
        return str(other_in(sight, talk).name)
    if talk.kind == "CHAT":
        return str(sight.rows.chats[talk.id].name)
    seen = [sight.rows.messages[copy.message_id] for copy in _copies(sight, talk.id)]
    first = min(seen, key=lambda it: (it.event is None, it.event), default=None)
    return "" if first is None else first.subject or ""


def searched_by(sight: Sight, talk: Row) -> str:
    """A person is found by the login as well."""
    called = title(sight, talk)
    return f"{called} {other_in(sight, talk).login}" if talk.kind == "DIRECT" else called


def people(sight: Sight, talk: Row) -> list[Row]:
    """Who takes part; for who has left, who did then. Of a mail: its authors, and those in to and cc."""
    if talk.kind == "MAIL":
        return _people_of_mail(sight, talk)
    mine = part(sight, talk.id)
    assert mine is not None
    found = []
    for row in sight.rows.intervals_in[talk.id]:
        if mine.left_event is None:
            if row.left_event is None:
                found.append(row)
        elif row.joined_event <= mine.left_event and (row.left_event is None or row.left_event >= mine.left_event):
            left_then = row.left_event == mine.left_event
            found.append(Row(**{**vars(row), "left_at": row.left_at if left_then else None}))
    return found


def _people_of_mail(sight: Sight, talk: Row) -> list[Row]:
    since: dict[int, str] = {}
    for copy in _copies(sight, talk.id):
        mail = sight.rows.messages[copy.message_id]
        for each in sight.rows.copies_of[mail.id]:
            if each.is_author or each.received_as in ("TO", "CC"):
                moment = mail.sent_at or mail.created_at
                since[each.user_id] = min(moment, since.get(each.user_id, moment))
    return [
        Row(user_id=user_id, is_administrator=0, joined_at=moment, left_at=None)
        for user_id, moment in since.items()
    ]


def is_muted(sight: Sight, room_id: int) -> bool:
    mine = part(sight, room_id)
    return mine is not None and mine.left_at is None and mine.muted_at is not None


# -------------------------------------------------------------------------------------------- messages


def copy_of(sight: Sight, message_id: int) -> Row | None:
    found = sight.rows.copy.get((sight.me.id, message_id))
    return found if found is not None and found.deleted_at is None else None


def messages_in(sight: Sight, room_id: int) -> list[Row]:
    """What has been sent there and is not in the viewer's trash, oldest first."""
    seen = [copy for copy in _copies(sight, room_id) if copy.trashed_at is None]
    return in_order(sight.rows.messages[copy.message_id] for copy in seen if copy.event is not None)


def in_order(found: Iterable[Row]) -> list[Row]:
    return sorted(found, key=lambda it: it.event)


def is_unread(copy: Row) -> bool:
    return copy.received_as is not None and copy.read_at is None


def unread_in(sight: Sight, room_id: int) -> int:
    return sum(is_unread(copy) and copy.trashed_at is None for copy in _copies(sight, room_id))


def unread_talk(sight: Sight) -> list[int]:
    """The conversation of each unread message that counts for the badge."""
    return [
        copy.conversation_id
        for copy in _all_copies(sight)
        if is_unread(copy) and copy.kind != "MAIL" and not is_muted(sight, copy.conversation_id)
    ]


def unread_mail(sight: Sight) -> int:
    """MA4."""
    return sum(is_unread(sight.rows.copy[sight.me.id, mail.id]) for mail in mail_in(sight, "INBOX"))


def mail_in(sight: Sight, folder: str) -> list[Row]:
    """M10, M13, MA3: what lies in the trash lies nowhere else."""
    lies_there: dict[str, Callable[[Row], Any]] = {
        "INBOX": lambda copy: not copy.trashed_at and copy.received_as,
        "SENT": lambda copy: not copy.trashed_at and copy.is_author and copy.event,
        "DRAFTS": lambda copy: not copy.trashed_at and copy.is_author and not copy.event,
        "TRASH": lambda copy: copy.trashed_at,
    }
    found = [copy for copy in _all_copies(sight) if copy.kind == "MAIL" and lies_there[folder](copy)]
    mails = [sight.rows.messages[copy.message_id] for copy in found]
    return sorted(mails, key=lambda it: it.id) if folder == "DRAFTS" else in_order(mails)


def received(sight: Sight) -> list[Row]:
    """What has come, and is not in the trash."""
    copies = [copy for copy in _all_copies(sight) if copy.received_as and not copy.trashed_at]
    return [sight.rows.messages[copy.message_id] for copy in copies]


def blind_addresses(sight: Sight, message: Row) -> list[Row]:
    """Invariant 9: the author sees all, each of them himself."""
    mine = copy_of(sight, message.id)
    blind = [row for row in sight.rows.addresses_of[message.id] if row.role == "BCC"]
    if mine is None or not mine.is_author:
        is_one = mine is not None and mine.received_as == "BCC"
        return [Row(user_id=sight.me.id, group_id=None, position=None)] if is_one else []
    return blind


def sees_attachment(sight: Sight, file: Row) -> bool:
    if file.message_id is None:
        return bool(file.uploader_id == sight.me.id)
    return copy_of(sight, file.message_id) is not None or safety.has_opened(sight, file.message_id)


def _copies(sight: Sight, room_id: int) -> list[Row]:
    return [copy for copy in _all_copies(sight) if copy.conversation_id == room_id]


def _all_copies(sight: Sight) -> list[Row]:
    return [copy for copy in sight.rows.copies_for[sight.me.id] if copy.deleted_at is None]


# ------------------------------------------------------------------------------------------- decisions


def may_start(sight: Sight, one: Row, other: Row) -> bool:
    if one is other:
        return bool(sight.policy["selfMessages"])
    return sight.reaches(one, other) and not sight.are_apart(one, other)


def switched_off(sight: Sight, kind: str | None = None) -> str | None:
    if not sight.policy["messagingEnabled"]:
        return "MESSAGING_DISABLED"
    if sight.policy["lockdown"] and not sight.is_administrator:
        return "LOCKDOWN"
    offered = ["CHAT", *sight.policy["conversationKinds"]] if kind else sight.policy["conversationKinds"]
    return None if (bool(offered) if kind is None else kind in offered) else "KIND_NOT_OFFERED"


def why_not_start(sight: Sight, other: Row) -> str | None:
    """P12, I2, PA7."""
    off = switched_off(sight)
    if off is not None:
        return off
    if other.deactivated_at is not None:
        return "COUNTERPART_GONE"
    if may_start(sight, sight.me, other):
        return None
    return "CANNOT_START" if may_start(sight, other, sight.me) else "OUT_OF_REACH"


def why_not_reply(sight: Sight, talk: Row) -> str | None:
    """PA3, MA7, I12, IA6."""
    off = switched_off(sight, talk.kind)
    if off is not None or talk.kind == "MAIL":
        return off
    if talk.kind == "CHAT" and not sight.may_act:
        return "PROFILE_NOT_LINKED"
    if talk.kind in ("GROUP", "CHAT"):
        return None if takes_part_now(sight, talk) else "NOT_PARTICIPANT"
    other, rule = other_in(sight, talk), sight.policy["reply"]
    starts, other_starts = may_start(sight, sight.me, other), may_start(sight, other, sight.me)
    either = rule == "WHILE_EITHER_MAY_START"
    if other.deactivated_at is not None or (either and not starts and not other_starts):
        return "COUNTERPART_GONE"
    here = [copy for copy in sight.rows.copies_for[sight.me.id] if copy.conversation_id == talk.id]
    was_written_to = any(copy.received_as for copy in here) and not sight.are_apart(sight.me, other)
    if starts or (was_written_to and (rule == "ALWAYS" or (either and other_starts))):
        return None
    return "OUT_OF_REACH"


def conversation_actions(sight: Sight, talk: Row) -> list[str]:
    """E11, A16, I8, P5: in the order of the enumeration."""
    here, mine = takes_part_now(sight, talk), part(sight, talk.id)
    is_group, is_on = talk.kind == "GROUP", switched_off(sight, talk.kind) is None
    runs = is_group and is_on and here and mine is not None and bool(mine.is_administrator)
    may = {
        "REPLY": why_not_reply(sight, talk) is None,
        **dict.fromkeys(SETTINGS, runs),
        "LEAVE": is_group and here,
        "DELETE": sight.policy["conversationDeletion"] and talk.kind != "MAIL",
        "MUTE": here,
    }
    return [action for action, right in may.items() if right]


def message_actions(sight: Sight, message: Row) -> list[str]:
    """P4, I6, M13, M14: in the order of the enumeration."""
    mine = sight.rows.copy[sight.me.id, message.id]
    talk, deletion = sight.rows.conversations[message.conversation_id], sight.policy["messageDeletion"]
    is_mail, is_draft = talk.kind == "MAIL", message.event is None
    has_trash, is_trashed = deletion == "TRASH" and is_mail, mine.trashed_at is not None
    may = {
        "REPLY": not is_draft and why_not_reply(sight, talk) is None,
        "DELETE": deletion == "FOR_ME" and not is_mail,
        "TRASH": has_trash and not is_draft and not is_trashed,
        "RESTORE": has_trash and is_trashed,
        "PURGE": has_trash and is_trashed,
        "MARK_UNREAD": mine.received_as is not None and mine.read_at is not None,
    }
    return [action for action, right in may.items() if right]


# ---------------------------------------------------------------------------------------- what happened


def hears_of_message(sight: Sight, event: Row) -> bool:
    return event.kind == "MESSAGE_SENT" and copy_of(sight, event.message_id) is not None


def hears_of_copy(sight: Sight, event: Row) -> bool:
    return bool(event.kind == "MESSAGE_CHANGED" and event.user_id == sight.me.id)


def changed_conversation(event: Row) -> int:
    """What changes a chat changes its conversation, and they have one number."""
    return int(event.conversation_id or event.chat_id)


def hears_of_conversation(sight: Sight, event: Row) -> bool:
    is_of_chat = event.kind == "CHAT_CHANGED" and event.chat_id in sight.rows.conversations
    if event.kind != "CONVERSATION_CHANGED" and not is_of_chat:
        return False
    if event.user_id is not None:
        return bool(event.user_id == sight.me.id)
    return sight.took_part(changed_conversation(event), event)
