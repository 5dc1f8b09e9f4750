"""What somebody does in a conversation: write, read, mute, delete it for oneself."""

from typing import Annotated

import strawberry
from strawberry.types.unset import UNSET

from models.authorization.conversations import (
    DELETES_CONVERSATION,
    MUTES_CONVERSATION,
    SEES_CONVERSATION,
    WRITES,
)
from resolvers import conversations
from resolvers.lookahead import Finished
from schema.conversations import Conversation
from schema.conversing import CONVERSATION_ID, KEY
from schema.errors import DeniedError, InvalidInputError, NotFoundError, mutation
from schema.given import Info, given
from schema.messages import BADGES, LazyBadges, Message
from schema.selection import asked

# -------------------------------------------------------------------------------------------- inputs


@strawberry.input(description="Whether a conversation leaves the viewer's badge alone.")
class MuteConversationInput:
    conversation_id: strawberry.ID = strawberry.field(description=CONVERSATION_ID)
    muted: bool = strawberry.field(description="True to mute, false to hear of it again.")


@strawberry.input(description="A conversation to delete for the viewer.")
class DeleteConversationInput:
    conversation_id: strawberry.ID = strawberry.field(description=CONVERSATION_ID)


@strawberry.input(description="Up to where the viewer has read a conversation.")
class MarkConversationReadInput:
    conversation_id: strawberry.ID = strawberry.field(description=CONVERSATION_ID)
    up_to: str | None = strawberry.field(
        default=UNSET, description="What came after this event cursor stays unread."
    )


@strawberry.input(description="A message into a direct or group conversation.")
class SendMessageInput:
    conversation_id: strawberry.ID = strawberry.field(description=CONVERSATION_ID)
    body: str = strawberry.field(description="1 to 20,000 characters, stored as they are.")
    attachment_ids: list[strawberry.ID] | None = strawberry.field(
        default=UNSET, description="Files that the viewer has uploaded for it, at most 20."
    )
    in_reply_to_id: strawberry.ID | None = strawberry.field(
        default=UNSET, description="The message of the same conversation that it answers."
    )
    idempotency_key: str | None = strawberry.field(default=UNSET, description=KEY.format(what="message"))


# ------------------------------------------------------------------------------------------- answers


@strawberry.type(description="The conversation that was muted, or is heard again.")
class MuteConversationPayload:
    conversation: Conversation = strawberry.field(description="The conversation.")
    badges: LazyBadges = strawberry.field(description=BADGES)


@strawberry.type(description="The conversation that was deleted for the viewer.")
class DeleteConversationPayload:
    deleted_conversation_id: strawberry.ID = strawberry.field(description="The id that it has.")
    badges: LazyBadges = strawberry.field(description=BADGES)


@strawberry.type(description="The conversation that was read.")
class MarkConversationReadPayload:
    conversation: Conversation = strawberry.field(description="The conversation.")
    badges: LazyBadges = strawberry.field(description=BADGES)


@strawberry.type(description="The message that was sent. It is on disk.")
class SendMessagePayload:
    sent: Message = strawberry.field(description="The message.")


MuteConversationResult = Annotated[
    MuteConversationPayload | NotFoundError | DeniedError,
    strawberry.union("MuteConversationResult", description="The conversation, or why nothing changed."),
]
DeleteConversationResult = Annotated[
    DeleteConversationPayload | NotFoundError | DeniedError,
    strawberry.union("DeleteConversationResult", description="The deleted id, or why it stays."),
]
MarkConversationReadResult = Annotated[
    MarkConversationReadPayload | NotFoundError | DeniedError,
    strawberry.union("MarkConversationReadResult", description="The conversation, or why nothing changed."),
]
SendMessageResult = Annotated[
    SendMessagePayload | InvalidInputError | NotFoundError | DeniedError,
    strawberry.union("SendMessageResult", description="The message, or why it was not sent."),
]


@strawberry.type
class WritingMutation:
    @mutation(
        MuteConversationResult, "Whether a conversation raises the viewer's badge.", allowed_to=MUTES_CONVERSATION
    )
    async def mute_conversation(self, info: Info, input: MuteConversationInput) -> Finished:
        return await conversations.mute(
            info.context, asked(info), conversation_id=input.conversation_id, muted=input.muted
        )

    @mutation(
        DeleteConversationResult, "Deletes a conversation for the viewer alone.", allowed_to=DELETES_CONVERSATION
    )
    async def delete_conversation(self, info: Info, input: DeleteConversationInput) -> Finished:
        return await conversations.delete(info.context, asked(info), conversation_id=input.conversation_id)

    @mutation(MarkConversationReadResult, "The viewer has read a conversation.", allowed_to=SEES_CONVERSATION)
    async def mark_conversation_read(self, info: Info, input: MarkConversationReadInput) -> Finished:
        return await conversations.mark_read(
            info.context, asked(info), conversation_id=input.conversation_id, up_to=given(input.up_to)
        )

    @mutation(SendMessageResult, "Sends a message. When this answers with it, it is on disk.", allowed_to=WRITES)
    async def send_message(self, info: Info, input: SendMessageInput) -> Finished:
        return await conversations.send(
            info.context,
            asked(info),
            conversation_id=input.conversation_id,
            body=input.body,
            attachment_ids=given(input.attachment_ids) or [],
            parent_id=given(input.in_reply_to_id),
            idempotency_key=given(input.idempotency_key),
        )
