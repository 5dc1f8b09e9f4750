"""Messages, and what can be done with one's own copy of them."""

from typing import TYPE_CHECKING, Annotated, Optional

import strawberry

from models.authorization.conversations import DELETES_MESSAGE, SEES_MESSAGE
from models.decide_conversations import MessageAction
from models.tables.conversations import Format
from resolvers import messages
from resolvers.lookahead import Finished
from schema.attachments import Attachment
from schema.connection import Node
from schema.errors import DeniedError, InvalidInputError, NotFoundError, mutation
from schema.given import Info
from schema.people import User
from schema.recipients import Recipient
from schema.scalars import Moment
from schema.selection import asked

if TYPE_CHECKING:
    from schema.conversations import Conversation
    from schema.viewer import Badges

LazyBadges = Annotated["Badges", strawberry.lazy("schema.viewer")]
BADGES = "The viewer's badges after that."
MESSAGE_IDS = "At most 100; all or none."


@strawberry.type(description="A message that has reached the viewer, or that the viewer has written.")
class Message(Node):
    conversation: Annotated["Conversation", strawberry.lazy("schema.conversations")] = strawberry.field(
        description="The conversation it belongs to."
    )
    author: User = strawberry.field(description="Who wrote it.")
    subject: str | None = strawberry.field(description="The subject of a mail; null for other messages.")
    body: str = strawberry.field(description="What it says.")
    format: Format = strawberry.field(description="How the body is written.")
    sent_at: Moment | None = strawberry.field(description="When it was sent; null: a draft.")
    is_read: bool = strawberry.field(description="Whether the viewer has read it; one's own is read.")
    in_reply_to: Optional["Message"] = strawberry.field(
        description="The message that it answers, where the viewer sees that."
    )
    to: list[Recipient] = strawberry.field(description="To whom a mail is addressed: people, and audiences.")
    cc: list[Recipient] = strawberry.field(description="Who gets a copy of it.")
    bcc: list[Recipient] = strawberry.field(
        description="Who gets it without the others' knowledge. The author sees all; each of these sees himself."
    )
    attachments: list[Attachment] = strawberry.field(description="Its files, in the order the author gave them.")
    viewer_actions: list[MessageAction] = strawberry.field(
        description="What the viewer may do now; exactly this will not be refused."
    )
    viewer_can_report: bool = strawberry.field(
        description="Whether the viewer may report it to the school's safeguarding officers: not one's own."
    )
    viewer_has_reported: bool = strawberry.field(description="Whether the viewer has reported it.")


@strawberry.input(description="Messages that were read.")
class MarkMessagesReadInput:
    message_ids: list[strawberry.ID] = strawberry.field(description=MESSAGE_IDS)


@strawberry.input(description="Messages to read once more.")
class MarkMessagesUnreadInput:
    message_ids: list[strawberry.ID] = strawberry.field(description=MESSAGE_IDS)


@strawberry.input(description="Messages to delete for the viewer.")
class DeleteMessagesInput:
    message_ids: list[strawberry.ID] = strawberry.field(description=MESSAGE_IDS)


@strawberry.type(description="The messages that were read.")
class MarkMessagesReadPayload:
    messages: list[Message] = strawberry.field(description="The messages, read.")
    badges: LazyBadges = strawberry.field(description=BADGES)


@strawberry.type(description="The messages that are unread again.")
class MarkMessagesUnreadPayload:
    messages: list[Message] = strawberry.field(description="The messages, unread.")
    badges: LazyBadges = strawberry.field(description=BADGES)


@strawberry.type(description="The messages that were deleted for the viewer.")
class DeleteMessagesPayload:
    deleted_message_ids: list[strawberry.ID] = strawberry.field(description="The ids that they had.")
    badges: LazyBadges = strawberry.field(description=BADGES)


MarkMessagesReadResult = Annotated[
    MarkMessagesReadPayload | InvalidInputError | NotFoundError | DeniedError,
    strawberry.union("MarkMessagesReadResult", description="The messages, or why they stay unread."),
]
MarkMessagesUnreadResult = Annotated[
    MarkMessagesUnreadPayload | InvalidInputError | NotFoundError | DeniedError,
    strawberry.union("MarkMessagesUnreadResult", description="The messages, or why they stay read."),
]
DeleteMessagesResult = Annotated[
    DeleteMessagesPayload | InvalidInputError | NotFoundError | DeniedError,
    strawberry.union("DeleteMessagesResult", description="The deleted ids, or why the messages stay."),
]


@strawberry.type
class MessageMutation:
    @mutation(MarkMessagesReadResult, "The viewer has read these messages.", allowed_to=SEES_MESSAGE)
    async def mark_messages_read(self, info: Info, input: MarkMessagesReadInput) -> Finished:
        return await messages.mark_messages_read(info.context, asked(info), message_ids=input.message_ids)

    @mutation(
        MarkMessagesUnreadResult, "Makes messages that the viewer received unread again.", allowed_to=SEES_MESSAGE
    )
    async def mark_messages_unread(self, info: Info, input: MarkMessagesUnreadInput) -> Finished:
        return await messages.mark_messages_unread(info.context, asked(info), message_ids=input.message_ids)

    @mutation(DeleteMessagesResult, "Deletes messages for the viewer alone, at once.", allowed_to=DELETES_MESSAGE)
    async def delete_messages(self, info: Info, input: DeleteMessagesInput) -> Finished:
        return await messages.delete_messages(info.context, asked(info), message_ids=input.message_ids)
