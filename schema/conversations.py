"""Conversations, and who takes part in them."""

import strawberry
from strawberry.types.unset import UNSET

from models.decide_conversations import ConversationAction
from models.errors import Code
from models.tables.conversations import ConversationKind
from schema.chats import Chat
from schema.connection import Connection, Node
from schema.messages import Message
from schema.people import User
from schema.projected import BOTH_WAYS, FORWARDS, looked_ahead
from schema.scalars import Moment


@strawberry.type(description="A person in a conversation.")
class Participant:
    user: User = strawberry.field(description="The person.")
    is_administrator: bool = strawberry.field(description="Whether the person administers the conversation.")
    joined_at: Moment = strawberry.field(description="Since when the person takes part.")
    left_at: Moment | None = strawberry.field(description="Until when; null: still.")


@strawberry.type(
    description="Messages between people: with one other, in a group, in a chat, or the thread of a mail."
)
class Conversation(Node):
    kind: ConversationKind = strawberry.field(description="What it is.")
    title: str = strawberry.field(
        description="The title of a group, the name of a chat, the subject of a mail, the other person's name in "
        "a direct one."
    )
    chat: Chat | None = strawberry.field(
        description="The chat whose messages these are, where the viewer sees that; null in other conversations."
    )
    participants: Connection[Participant] = looked_ahead("Who takes part. By name.", **FORWARDS)
    messages: Connection[Message] = looked_ahead(
        "What the viewer sees there, oldest first. Without arguments the newest 20: page backwards with `last` "
        "and `before`.",
        **BOTH_WAYS,
    )
    last_message: Message | None = strawberry.field(description="The newest message that the viewer sees there.")
    unread_count: int = strawberry.field(description="How many messages the viewer has not read there.")
    is_muted: bool = strawberry.field(description="Whether it leaves the viewer's badge alone.")
    viewer_actions: list[ConversationAction] = strawberry.field(
        description="What the viewer may do now; exactly this will not be refused."
    )
    viewer_cannot_reply_reason: Code | None = strawberry.field(
        description="Why the viewer may not write there; null where he may."
    )


@strawberry.input(description="Which conversations to list. What is given combines with AND.")
class ConversationFilter:
    kinds: list[ConversationKind] | None = strawberry.field(
        default=UNSET, description="Only conversations of these kinds; all when empty."
    )
    unread_only: bool | None = strawberry.field(
        default=UNSET, description="Only those with something that the viewer has not read."
    )
    search: str | None = strawberry.field(
        default=UNSET, description="Only those whose title contains this, whatever the case and the accents."
    )
