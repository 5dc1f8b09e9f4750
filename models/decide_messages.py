"""May this person write to that one? *Start* and *reply* are two actions; the policy's knobs decide both.

Order of refusals: switches (messaging, lockdown, kind), the counterpart, the right (semantics.md).
"""

from models.actor import Actor
from models.errors import Code
from models.policy import ReplyRule
from models.tables.conversations import ConversationKind


def decide_switches(actor: Actor, kind: ConversationKind | None = None, *, is_sending: bool = True) -> Code | None:
    """Whether the organization lets the actor write at all: in conversations of this kind, or of any.

    While messaging is off nothing is erased (I10, IA4). In a lockdown only its administrators send; others may go
    on with their drafts. A chat's conversation is offered with the chat.
    """
    policy = actor.policy
    if not policy.messaging_enabled:
        return Code.MESSAGING_DISABLED
    if is_sending and policy.lockdown and not actor.is_administrator:
        return Code.LOCKDOWN
    offered = (
        policy.conversation_kinds if kind is None else kind in (ConversationKind.CHAT, *policy.conversation_kinds)
    )
    return None if offered else Code.KIND_NOT_OFFERED


def decide_start(
    actor: Actor,
    *,
    starts: bool,
    other_starts: bool,
    is_active: bool,
    kind: ConversationKind | None = None,
) -> Code | None:
    """Whether the actor may start writing to somebody, oneself included.

    `starts`, `other_starts`: `reach.may_start` of the two, either way; `is_active`: of the other. Somebody whom
    the actor does not see is nobody to him, active or not: all three causes of P12 are OUT_OF_REACH then. Learners
    who may only answer are told so (I2), and so are experts, who are granted no more by the text (IA7).
    """
    if (refusal := decide_switches(actor, kind)) is not None:
        return refusal
    if not is_active:  # PA7, I12
        return Code.COUNTERPART_GONE
    if starts:
        return None
    return Code.CANNOT_START if other_starts else Code.OUT_OF_REACH


def decide_reply(
    actor: Actor,
    *,
    starts: bool,
    other_starts: bool,
    other_has_written: bool,
    other_is_active: bool,
    is_participant: bool = True,
) -> Code | None:
    """Whether the actor may write in a direct conversation that there is; asked again on every send (PA3).

    Where a reply hangs on either being able to start, a conversation whose people have lost that is kept and no
    longer active, as if the other had gone (I12, IA2).
    """
    if (refusal := decide_switches(actor, ConversationKind.DIRECT)) is not None:
        return refusal
    either = actor.policy.reply is ReplyRule.WHILE_EITHER_MAY_START
    if not other_is_active or (either and not starts and not other_starts):  # PA7, I12
        return Code.COUNTERPART_GONE
    if not is_participant:
        return Code.NOT_PARTICIPANT
    may = may_answer(actor, starts=starts, other_starts=other_starts, other_has_written=other_has_written)
    return None if may else Code.OUT_OF_REACH


def may_answer(actor: Actor, *, starts: bool, other_starts: bool, other_has_written: bool) -> bool:
    """What the knob `reply` says. Whoever may start may write in any case.

    Within reach: nobody else (PA3). Always: who was written to answers, whatever the reach is now (MA7). While
    either may start: who was written to answers as long as the writer might still write (IA6).
    """
    match actor.policy.reply:
        case ReplyRule.WITHIN_REACH:
            return starts
        case ReplyRule.ALWAYS:
            return starts or other_has_written
        case ReplyRule.WHILE_EITHER_MAY_START:
            return starts or (other_starts and other_has_written)
