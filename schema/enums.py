"""How are the school's enumerations described? The names are the rules' own; the words are for clients."""

from enum import StrEnum
from typing import Any, TypeVar

import strawberry

from models.decide import CallAction, ChatAction
from models.decide_conversations import ConversationAction, MessageAction
from models.errors import Code
from models.mailboxes import MailFolder
from models.policy import LinkRequirement, MessageDeletion
from models.tables.calls import CallStatus
from models.tables.chats import ChatKind
from models.tables.conversations import ConversationKind, Format
from models.tables.people import GroupKind, Position
from models.tables.safeguarding import ReportDecision, ReportStatus

Kind = TypeVar("Kind", bound=type[StrEnum])


def _described(kind: Kind, description: str, **values: str) -> Kind:
    """The enumeration as a GraphQL enum. Raises KeyError for a value without a description."""
    described: Any = strawberry.enum(kind, description=description, name=_NAMES.get(kind))
    for value in described.__strawberry_definition__.values:
        value.description = values[value.name]
    return kind


_NAMES: dict[Any, str] = {Code: "UserErrorCode", Format: "BodyFormat"}

_described(
    Position,
    "At which position somebody belongs to a group.",
    LEARNER="A pupil or student.",
    TEACHER="Who teaches the group.",
    CURATOR="Who is responsible for a class: its form teacher.",
    GUARDIAN="A parent or legal representative of a learner in the group.",
    STAFF="Personnel that does not teach.",
    ADMINISTRATOR="Who runs the organization, or the part of it that the group stands for.",
    OWNER="Who owns the organization's account.",
    EXPERT="Who answers questions about a course.",
)

_described(
    GroupKind,
    "What a group is. Groups form a tree below the organization.",
    ORGANIZATION="The whole organization.",
    CYCLE="Several years of study that belong together.",
    DEPARTMENT="A part of the organization.",
    CLASS="A class or study group with its curator.",
    SUBGROUP="Those who study one discipline together.",
    COURSE="Those who take a course.",
)

_described(
    ChatKind,
    "What a chat is for. The first three are mandatory: the school keeps them itself.",
    TEACHERS="All personnel of the organization.",
    GROUP="A class: its curators and learners.",
    PARENTS="The parents of a class: its curators and the guardians of its learners.",
    SUBGROUP="A subgroup of a discipline, created by one of its teachers.",
    CUSTOM="A chat with people of one's choice, created by an administrator of the organization.",
)

_described(
    ChatAction,
    "What may be done to a chat.",
    RENAME="Give it another name.",
    EDIT_PARTICIPANTS="Add and remove participants.",
    EDIT_ADMINISTRATORS="Make participants administrators of the chat, or no longer.",
    DELETE="Delete it for everybody.",
    CREATE_CALL="Create an online call in it.",
    OPEN="Open it in the messenger.",
)

_described(
    CallStatus,
    "Where a call stands. It only moves forwards.",
    CREATED="Being prepared: it can be changed.",
    PUBLISHED="Announced: participants of the chat can join it.",
    FINISHED="Over: nobody can join it.",
)

_described(
    CallAction,
    "What may be done to a call.",
    UPDATE="Change its title or its start.",
    PUBLISH="Announce it to the participants of the chat.",
    FINISH="End it.",
    DELETE="Delete it.",
    JOIN="Join it.",
)

_described(
    LinkRequirement,
    "What somebody may not do whose profile is not linked to the messenger.",
    NONE="Everything is open.",
    JOIN="Addresses in the messenger are closed.",
    ACT="Addresses are closed, and so is acting on chats and calls.",
)

_described(
    ConversationKind,
    "What a conversation is.",
    DIRECT="Between two people, or with oneself.",
    GROUP="Between people whom its administrators choose.",
    MAIL="The thread of a mail.",
    CHAT="The messages of a chat.",
)

_described(
    Format,
    "How a body is written.",
    TEXT="Plain text.",
    RICH="Cleaned HTML.",
)

_described(
    ConversationAction,
    "What may be done in a conversation.",
    REPLY="Write there.",
    RENAME="Give it another title.",
    ADD_PARTICIPANTS="Take people into it.",
    REMOVE_PARTICIPANTS="Remove people from it.",
    EDIT_ADMINISTRATORS="Make participants its administrators, or no longer.",
    LEAVE="Leave it.",
    DELETE="Delete it for oneself.",
    MUTE="Let it leave one's badge alone.",
)

_described(
    MessageAction,
    "What may be done with one's own copy of a message.",
    REPLY="Answer it.",
    DELETE="Delete it for oneself.",
    TRASH="Move it to the trash.",
    RESTORE="Take it back from the trash.",
    PURGE="Delete it from the trash for good.",
    MARK_UNREAD="Make it unread again.",
)

_described(
    MailFolder,
    "Where a person's mail lies.",
    INBOX="What has come.",
    SENT="What one has sent.",
    DRAFTS="What one has begun to write.",
    TRASH="What one has thrown away, and can take back.",
)

_described(
    MessageDeletion,
    "How a message can be deleted. Others keep theirs in any case.",
    NONE="Not at all.",
    FOR_ME="For oneself, at once.",
    TRASH="By way of the trash.",
)

_described(
    ReportStatus,
    "How a report stands.",
    OPEN="Nobody has decided yet.",
    KEPT="The message stays.",
    HIDDEN="The message is gone for everybody.",
    PASSED_ON="Somebody outside looks at it.",
)

_described(
    ReportDecision,
    "What becomes of a reported message.",
    KEEP="It stays.",
    HIDE="It is gone for everybody, its author too; that is not taken back.",
    PASS_ON="Somebody outside is to look at it, whom the note names; the message stays as it is.",
)

_described(
    Code,
    "Why something was refused. Clients may rely on the code; the reason is for people.",
    NOT_FOUND="There is no such thing, as far as the viewer can see.",
    INVALID_INPUT="A field has a wrong shape.",
    TOO_LARGE="More than the organization allows.",
    NOT_ALLOWED="The viewer has no right to do this.",
    IDEMPOTENCY_CONFLICT="The idempotency key was used before, with another content.",
    MANDATORY_CHAT="The school keeps this chat itself: nobody changes or deletes it.",
    NOT_ADMINISTRATOR="The viewer takes part, but is no administrator here.",
    LAST_ADMINISTRATOR="There would be no administrator left.",
    NO_SUBGROUP="The viewer teaches no subgroup, or not this one.",
    PROFILE_NOT_LINKED="The viewer's profile is not linked to the messenger.",
    PROFILE_TAKEN="That messenger account belongs to somebody else.",
    CALL_ALREADY_PUBLISHED="Another call of the chat is published: it has to be finished first.",
    WRONG_CALL_STATUS="The call's status does not allow this.",
    OUT_OF_REACH="There is nobody of that kind whom the viewer may write to.",
    CANNOT_START="The other person may start writing; the viewer may not.",
    COUNTERPART_GONE="The other person is no longer here to answer.",
    NOT_PARTICIPANT="The viewer has left, or was removed.",
    MESSAGING_DISABLED="The organization has switched messages off.",
    LOCKDOWN="Only administrators may send at the moment.",
    IMMUTABLE="What was sent stays as it is.",
    NOT_IN_TRASH="It is not in the trash.",
    NO_RECIPIENT="A mail needs somebody to go to.",
    KIND_NOT_OFFERED="The organization does not offer this kind.",
    ALREADY_HIDDEN="The message was hidden from everybody; that is not taken back.",
)
