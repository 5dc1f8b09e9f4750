"""May this person do that now? One answer, asked by the mutations and by what clients are told beforehand.

Order of refusals: switches (link, mandatory), then the right, then the state (semantics.md).
"""

from dataclasses import dataclass
from enum import StrEnum

from models.actor import Actor, Rights
from models.errors import Code
from models.tables.calls import CallStatus
from models.tables.chats import MANDATORY, ChatKind


class ChatAction(StrEnum):
    RENAME = "RENAME"
    EDIT_PARTICIPANTS = "EDIT_PARTICIPANTS"
    EDIT_ADMINISTRATORS = "EDIT_ADMINISTRATORS"
    DELETE = "DELETE"
    CREATE_CALL = "CREATE_CALL"
    OPEN = "OPEN"


class CallAction(StrEnum):
    UPDATE = "UPDATE"
    PUBLISH = "PUBLISH"
    FINISH = "FINISH"
    DELETE = "DELETE"
    JOIN = "JOIN"


@dataclass(frozen=True)
class InChat:
    """How the actor stands in a chat. `is_gone`: deleted or archived; `has_administrator`: whether an active
    person administers it."""

    kind: ChatKind
    takes_part: bool
    is_administrator: bool
    is_gone: bool = False
    has_administrator: bool = True


@dataclass(frozen=True)
class InCall:
    """How the actor stands to a call. `is_gone`: deleted; `another_is_published`: in the same chat (E49)."""

    status: CallStatus
    takes_part: bool
    is_administrator: bool
    is_gone: bool = False
    another_is_published: bool = False


def decide(actor: Actor | Rights, action: ChatAction | CallAction, target: InChat | InCall) -> Code | None:
    """None when allowed; else why not. What is gone can still be an answer (to a retry), and nothing more."""
    if target.is_gone:
        return Code.NOT_FOUND
    if isinstance(action, ChatAction) and isinstance(target, InChat):
        return _in_chat(actor, action, target)
    if isinstance(action, CallAction) and isinstance(target, InCall):
        return _in_call(actor, action, target)
    raise TypeError(f"{action!r} is nothing to do with {target!r}")


def decide_creation(actor: Actor, kind: ChatKind, *, teaches_it: bool = True) -> Code | None:
    """Whether the actor may create a chat of this kind (E36, A2); `teaches_it`: the subgroup in question."""
    if kind in MANDATORY or kind not in actor.policy.chat_kinds:
        return Code.KIND_NOT_OFFERED
    if not actor.may_act:
        return Code.PROFILE_NOT_LINKED
    if kind is ChatKind.CUSTOM:
        return None if actor.is_administrator else Code.NOT_ALLOWED
    return None if actor.teaches_subgroup and teaches_it else Code.NO_SUBGROUP


def _in_chat(actor: Actor | Rights, action: ChatAction, chat: InChat) -> Code | None:
    if action is ChatAction.OPEN:
        return _enter(actor, chat.takes_part)
    if not actor.may_act:
        return Code.PROFILE_NOT_LINKED
    if action is ChatAction.CREATE_CALL:  # E32, E44: in mandatory chats as well
        return None if chat.is_administrator or actor.is_administrator else _lacks(chat.takes_part)
    if chat.kind in MANDATORY:  # E30, E31
        return Code.MANDATORY_CHAT
    if chat.is_administrator:  # E37, E38, E39
        return None
    if action is ChatAction.EDIT_ADMINISTRATORS and actor.is_administrator and not chat.has_administrator:
        return None
    return _lacks(chat.takes_part)


def _in_call(actor: Actor | Rights, action: CallAction, call: InCall) -> Code | None:
    if action is CallAction.JOIN:  # E43, E53, E54
        return _enter(actor, call.takes_part) or _state(call.status is CallStatus.PUBLISHED)
    if not actor.may_act:
        return Code.PROFILE_NOT_LINKED
    if not (call.is_administrator or actor.is_administrator):  # E44, A7
        return _lacks(call.takes_part)
    if action is CallAction.DELETE:  # E46, E47, E48
        return None
    if action is CallAction.FINISH:
        return _state(call.status is CallStatus.PUBLISHED)
    if action is CallAction.PUBLISH and call.another_is_published and call.status is CallStatus.CREATED:
        return Code.CALL_ALREADY_PUBLISHED
    return _state(call.status is CallStatus.CREATED)


def _enter(actor: Actor | Rights, takes_part: bool) -> Code | None:
    if not actor.may_join:
        return Code.PROFILE_NOT_LINKED
    return None if takes_part else Code.NOT_ALLOWED


def _lacks(takes_part: bool) -> Code:
    return Code.NOT_ADMINISTRATOR if takes_part else Code.NOT_ALLOWED


def _state(right: bool) -> Code | None:
    return None if right else Code.WRONG_CALL_STATUS
