"""May this person do that in a conversation, or with a message? Asked by the mutations and beforehand.

Order of refusals: switches (messaging, lockdown, kind), the counterpart, the right (semantics.md).
"""

from dataclasses import dataclass
from enum import StrEnum

from models.actor import Actor
from models.decide_messages import decide_reply, decide_switches
from models.errors import Code
from models.policy import MessageDeletion
from models.tables.conversations import ConversationKind


class ConversationAction(StrEnum):
    REPLY = "REPLY"
    RENAME = "RENAME"
    ADD_PARTICIPANTS = "ADD_PARTICIPANTS"
    REMOVE_PARTICIPANTS = "REMOVE_PARTICIPANTS"
    EDIT_ADMINISTRATORS = "EDIT_ADMINISTRATORS"
    LEAVE = "LEAVE"
    DELETE = "DELETE"
    MUTE = "MUTE"


class MessageAction(StrEnum):
    REPLY = "REPLY"
    DELETE = "DELETE"
    TRASH = "TRASH"
    RESTORE = "RESTORE"
    PURGE = "PURGE"
    MARK_UNREAD = "MARK_UNREAD"


GROUP_SETTINGS = (
    ConversationAction.RENAME,
    ConversationAction.ADD_PARTICIPANTS,
    ConversationAction.REMOVE_PARTICIPANTS,
    ConversationAction.EDIT_ADMINISTRATORS,
)


@dataclass(frozen=True)
class InConversation:
    """How the actor stands in a conversation.

    The last four are of the other person of a DIRECT one: whether the actor may start with him, whether he may
    start with the actor, whether he has written there, and whether he is still active.
    """

    kind: ConversationKind
    takes_part: bool
    is_administrator: bool = False
    starts: bool = False
    other_starts: bool = False
    other_has_written: bool = False
    other_is_active: bool = True


@dataclass(frozen=True)
class Copy:
    """A person's own copy of a message."""

    kind: ConversationKind
    is_draft: bool
    is_received: bool
    is_read: bool
    is_trashed: bool


def decide_in_conversation(actor: Actor, action: ConversationAction, there: InConversation) -> Code | None:
    """None when allowed; else why not."""
    if action is ConversationAction.MUTE:
        return None if there.takes_part else Code.NOT_PARTICIPANT
    if action is ConversationAction.DELETE:  # P5, I6, I8
        is_offered = actor.policy.conversation_deletion and there.kind is not ConversationKind.MAIL
        return None if is_offered else Code.IMMUTABLE
    if action is ConversationAction.LEAVE:
        return _takes_part_in_group(there)
    if (refusal := decide_switches(actor, there.kind)) is not None:
        return refusal
    if there.kind is ConversationKind.CHAT and not actor.may_act:  # E41
        return Code.PROFILE_NOT_LINKED
    if action is ConversationAction.REPLY:
        return _reply(actor, there)
    if (refusal := _takes_part_in_group(there)) is not None:
        return refusal
    return None if there.is_administrator else Code.NOT_ADMINISTRATOR  # E11, A16


def decide_with_copy(actor: Actor, action: MessageAction, copy: Copy) -> Code | None:
    """What may be done with one's own copy of a message; replying is the conversation's to decide."""
    deletion = actor.policy.message_deletion
    has_trash = deletion is MessageDeletion.TRASH and copy.kind is ConversationKind.MAIL
    match action:
        case MessageAction.MARK_UNREAD:
            return None if copy.is_received and copy.is_read else Code.NOT_ALLOWED
        case MessageAction.DELETE:  # P4, I6
            is_offered = deletion is MessageDeletion.FOR_ME and copy.kind is not ConversationKind.MAIL
            return None if is_offered else Code.IMMUTABLE
        case MessageAction.TRASH:  # M13
            if copy.is_draft or not has_trash:
                return Code.IMMUTABLE
            return Code.NOT_ALLOWED if copy.is_trashed else None
        case MessageAction.RESTORE | MessageAction.PURGE:  # M14, MA9
            return None if has_trash and copy.is_trashed else Code.NOT_IN_TRASH
        case _:
            raise TypeError(f"{action!r} is not of a copy")


def _reply(actor: Actor, there: InConversation) -> Code | None:
    if there.kind is ConversationKind.MAIL:
        return None  # MA7: who sees a mail may answer it
    if there.kind is not ConversationKind.DIRECT:
        return None if there.takes_part else Code.NOT_PARTICIPANT
    return decide_reply(
        actor,
        starts=there.starts,
        other_starts=there.other_starts,
        other_has_written=there.other_has_written,
        other_is_active=there.other_is_active,
    )


def _takes_part_in_group(there: InConversation) -> Code | None:
    if there.kind is not ConversationKind.GROUP:
        return Code.NOT_ALLOWED
    return None if there.takes_part else Code.NOT_PARTICIPANT
