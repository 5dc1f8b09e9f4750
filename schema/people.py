"""Organizations, people and groups."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from models.errors import Code
from models.policy import LinkRequirement, MessageDeletion
from models.tables.chats import ChatKind
from models.tables.conversations import ConversationKind, Format
from models.tables.people import GroupKind, Position
from models.tables.safeguarding import ReportStatus
from schema.connection import Connection, Node
from schema.inputs import ChatFilter
from schema.projected import BOTH_WAYS, FORWARDS, looked_ahead

if TYPE_CHECKING:
    from schema.audit import AuditEntry
    from schema.chats import Chat
    from schema.safeguarding import Report

SEARCH = (str, "Only those whose name contains this, whatever the case and the accents.")


@strawberry.type(description="What a client must know of the organization's rules.")
class Policy:
    preset: str = strawberry.field(description="The known system whose rules the organization started from.")
    messaging_enabled: bool = strawberry.field(description="Whether people may send messages at all.")
    conversation_kinds: list[ConversationKind] = strawberry.field(
        description="The kinds of conversation that people may begin."
    )
    self_messages: bool = strawberry.field(description="Whether people may write to themselves.")
    audiences_as_recipients: bool = strawberry.field(
        description="Whether a mail may go to all at one position of a group, the parents of 3A say."
    )
    attachments: bool = strawberry.field(description="Whether messages may carry files.")
    body_format: Format = strawberry.field(description="How bodies are written.")
    message_deletion: MessageDeletion = strawberry.field(description="How a message can be deleted.")
    conversation_deletion: bool = strawberry.field(
        description="Whether a conversation can be deleted for oneself."
    )
    chat_kinds: list[ChatKind] = strawberry.field(description="The kinds of chat that there are.")
    link_requirement: LinkRequirement = strawberry.field(
        description="What somebody may not do whose profile is not linked."
    )
    lockdown: bool = strawberry.field(description="Whether only administrators may send at the moment.")
    retention_days: int | None = strawberry.field(
        description="For how many days a message is kept after it was sent; null: for ever."
    )
    safeguarding_position: Position = strawberry.field(
        description="Who is at this position of the organization is a safeguarding officer and sees reports."
    )


@strawberry.type(description="A group of people: a class, a subgroup of a discipline, the whole organization.")
class Group(Node):
    name: str = strawberry.field(description="What the school calls it.")
    kind: GroupKind = strawberry.field(description="What it is.")
    discipline: str | None = strawberry.field(description="What a subgroup studies.")
    parent: "Group | None" = strawberry.field(description="The group that it belongs to.")
    curators: list["User"] = strawberry.field(description="Who is responsible for it.")
    members: Connection["User"] = looked_ahead(
        "Its people, as far as the viewer may see them: personnel sees all; learners and guardians see learners, "
        "teachers, curators and experts of their own classes, subgroups and courses. By name.",
        position=(Position, "Only those at this position."),
        search=SEARCH,
        **FORWARDS,
    )
    viewer_can_create_chat: bool = strawberry.field(
        description="Whether the viewer may create a chat for this group."
    )


@strawberry.type(description="At which position a person belongs to a group.")
class Membership:
    group: Group = strawberry.field(description="The group.")
    position: Position = strawberry.field(description="The position in it.")


@strawberry.type(description="A person of the organization: learner, guardian, teacher, staff.")
class User(Node):
    name: str = strawberry.field(description="The full name, in the order that the organization uses.")
    login: str = strawberry.field(description="The name to sign in with, unique in the organization.")
    is_active: bool = strawberry.field(description="Whether the person still belongs to the organization.")
    memberships: list[Membership] = strawberry.field(
        description="All for oneself, staff and administrators; for others, those in groups they share."
    )
    viewer_can_message: bool = strawberry.field(description="Whether the viewer may start writing to this person.")
    viewer_cannot_message_reason: Code | None = strawberry.field(
        description="Why the viewer may not start writing to this person; null where that is allowed."
    )
    viewer_can_block: bool = strawberry.field(
        description="Whether the viewer may block this person: not oneself; personnel only for personnel."
    )
    viewer_has_blocked: bool = strawberry.field(description="Whether the viewer has blocked this person.")


@strawberry.type(description="A school or college. Nothing crosses its border.")
class Organization(Node):
    name: str = strawberry.field(description="Its name.")
    time_zone: str = strawberry.field(description="Its time zone, as IANA names it: its nights begin by it.")
    locale: str = strawberry.field(description="Its language: en, fr or ru.")
    policy: Policy = strawberry.field(description="The rules that it has chosen.")
    chats: Connection[Annotated["Chat", strawberry.lazy("schema.chats")]] = looked_ahead(
        "Every chat for administrators of the organization; for others, those they take part in. By name.",
        filter=(ChatFilter, "Only chats that match."),
        **BOTH_WAYS,
    )
    groups: Connection[Group] = looked_ahead(
        "Every group for staff, teachers and administrators; for others, their own. By name.",
        kind=(GroupKind, "Only groups of this kind."),
        search=SEARCH,
        **FORWARDS,
    )
    audit_entries: Connection[Annotated["AuditEntry", strawberry.lazy("schema.audit")]] = looked_ahead(
        "What was done here, for administrators of the organization; empty for others. Newest first.",
        **BOTH_WAYS,
    )
    reports: Connection[Annotated["Report", strawberry.lazy("schema.safeguarding")]] = looked_ahead(
        "Messages that were reported, for safeguarding officers, never their own; empty for others. Oldest first.",
        status=(ReportStatus, "Only those that stand like this."),
        **BOTH_WAYS,
    )
