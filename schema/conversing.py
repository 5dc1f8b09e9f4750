"""How conversations begin, and who takes part in them: open, create, settings, leave."""

from typing import Annotated

import strawberry
from strawberry.types.unset import UNSET

from models.authorization.conversations import (
    ADDS_TO_CONVERSATION,
    APPOINTS_IN_CONVERSATION,
    CHANGES_CONVERSATION,
    CREATES_CONVERSATION,
    LEAVES_CONVERSATION,
    OPENS_CONVERSATION,
    REMOVES_FROM_CONVERSATION,
)
from resolvers import conversations
from resolvers.lookahead import Finished
from schema.conversations import Conversation
from schema.errors import DeniedError, InvalidInputError, NotFoundError, mutation
from schema.given import Info, given
from schema.selection import asked

CONVERSATION_ID = "The conversation."
KEY = "A text of one's own, new for each {what}. Repeating the mutation with it makes no second one."

# -------------------------------------------------------------------------------------------- inputs


@strawberry.input(description="Whom to write to.")
class OpenConversationInput:
    user_id: strawberry.ID = strawberry.field(description="The person; oneself where the school allows it.")


@strawberry.input(description="A new group conversation.")
class CreateGroupConversationInput:
    title: str = strawberry.field(description="1 to 200 characters.")
    participant_ids: list[strawberry.ID] = strawberry.field(
        description="Who takes part besides the creator: people to whom he may write, at most 100 at once."
    )
    idempotency_key: str | None = strawberry.field(default=UNSET, description=KEY.format(what="conversation"))


@strawberry.input(description="A new title for a group conversation.")
class RenameConversationInput:
    conversation_id: strawberry.ID = strawberry.field(description=CONVERSATION_ID)
    title: str = strawberry.field(description="1 to 200 characters.")


@strawberry.input(description="People to take into a group conversation.")
class AddParticipantsInput:
    conversation_id: strawberry.ID = strawberry.field(description=CONVERSATION_ID)
    user_ids: list[strawberry.ID] = strawberry.field(
        description="People to whom the viewer may write, at most 100; all or none."
    )


@strawberry.input(description="People to remove from a group conversation.")
class RemoveParticipantsInput:
    conversation_id: strawberry.ID = strawberry.field(description=CONVERSATION_ID)
    user_ids: list[strawberry.ID] = strawberry.field(description="At most 100; all or none.")


@strawberry.input(description="Whether a participant administers the conversation.")
class SetParticipantAdministratorInput:
    conversation_id: strawberry.ID = strawberry.field(description=CONVERSATION_ID)
    user_id: strawberry.ID = strawberry.field(description="The participant.")
    is_administrator: bool = strawberry.field(description="True to appoint, false to dismiss.")


@strawberry.input(description="A group conversation to leave.")
class LeaveConversationInput:
    conversation_id: strawberry.ID = strawberry.field(description=CONVERSATION_ID)


# ------------------------------------------------------------------------------------------- answers


@strawberry.type(description="The conversation with that person.")
class OpenConversationPayload:
    conversation: Conversation = strawberry.field(description="The one conversation, new or known.")


@strawberry.type(description="The conversation that was created.")
class CreateGroupConversationPayload:
    conversation: Conversation = strawberry.field(description="The new conversation.")


@strawberry.type(description="The conversation that was renamed.")
class RenameConversationPayload:
    conversation: Conversation = strawberry.field(description="The conversation with its new title.")


@strawberry.type(description="The conversation that people were taken into.")
class AddParticipantsPayload:
    conversation: Conversation = strawberry.field(description="The conversation with the people.")


@strawberry.type(description="The conversation that people were removed from.")
class RemoveParticipantsPayload:
    conversation: Conversation = strawberry.field(description="The conversation without the people.")


@strawberry.type(description="The conversation whose administrators changed.")
class SetParticipantAdministratorPayload:
    conversation: Conversation = strawberry.field(description="The conversation with its administrators.")


@strawberry.type(description="The conversation that the viewer has left.")
class LeaveConversationPayload:
    conversation: Conversation = strawberry.field(description="The conversation as the viewer keeps it.")


OpenConversationResult = Annotated[
    OpenConversationPayload | NotFoundError | DeniedError,
    strawberry.union("OpenConversationResult", description="The conversation, or why there is none."),
]
CreateGroupConversationResult = Annotated[
    CreateGroupConversationPayload | InvalidInputError | NotFoundError | DeniedError,
    strawberry.union("CreateGroupConversationResult", description="The conversation, or why there is none."),
]
RenameConversationResult = Annotated[
    RenameConversationPayload | InvalidInputError | NotFoundError | DeniedError,
    strawberry.union("RenameConversationResult", description="The conversation, or why it keeps its title."),
]
AddParticipantsResult = Annotated[
    AddParticipantsPayload | InvalidInputError | NotFoundError | DeniedError,
    strawberry.union("AddParticipantsResult", description="The conversation, or why nobody was added."),
]
RemoveParticipantsResult = Annotated[
    RemoveParticipantsPayload | InvalidInputError | NotFoundError | DeniedError,
    strawberry.union("RemoveParticipantsResult", description="The conversation, or why nobody was removed."),
]
SetParticipantAdministratorResult = Annotated[
    SetParticipantAdministratorPayload | NotFoundError | DeniedError,
    strawberry.union("SetParticipantAdministratorResult", description="The conversation, or why not."),
]
LeaveConversationResult = Annotated[
    LeaveConversationPayload | NotFoundError | DeniedError,
    strawberry.union("LeaveConversationResult", description="The conversation, or why the viewer stays."),
]


@strawberry.type
class ConversationMutation:
    @mutation(
        OpenConversationResult,
        "The one direct conversation with this person, made if there is none.",
        allowed_to=OPENS_CONVERSATION,
    )
    async def open_conversation(self, info: Info, input: OpenConversationInput) -> Finished:
        return await conversations.open_conversation(info.context, asked(info), user_id=input.user_id)

    @mutation(
        CreateGroupConversationResult,
        "Creates a group conversation; the viewer is its administrator.",
        allowed_to=CREATES_CONVERSATION,
    )
    async def create_group_conversation(self, info: Info, input: CreateGroupConversationInput) -> Finished:
        return await conversations.create_group(
            info.context,
            asked(info),
            title=input.title,
            participant_ids=input.participant_ids,
            idempotency_key=given(input.idempotency_key),
        )

    @mutation(
        RenameConversationResult,
        "Renames a group conversation. For its administrators.",
        allowed_to=CHANGES_CONVERSATION,
    )
    async def rename_conversation(self, info: Info, input: RenameConversationInput) -> Finished:
        return await conversations.rename(
            info.context, asked(info), conversation_id=input.conversation_id, title=input.title
        )

    @mutation(
        AddParticipantsResult,
        "Takes people into a group conversation. For its administrators.",
        allowed_to=ADDS_TO_CONVERSATION,
    )
    async def add_participants(self, info: Info, input: AddParticipantsInput) -> Finished:
        return await conversations.add_participants(
            info.context, asked(info), conversation_id=input.conversation_id, user_ids=input.user_ids
        )

    @mutation(
        RemoveParticipantsResult,
        "Removes people from a group conversation; they keep its history up to now. For its administrators.",
        allowed_to=REMOVES_FROM_CONVERSATION,
    )
    async def remove_participants(self, info: Info, input: RemoveParticipantsInput) -> Finished:
        return await conversations.remove_participants(
            info.context, asked(info), conversation_id=input.conversation_id, user_ids=input.user_ids
        )

    @mutation(
        SetParticipantAdministratorResult,
        "Appoints or dismisses an administrator of a group conversation.",
        allowed_to=APPOINTS_IN_CONVERSATION,
    )
    async def set_participant_administrator(self, info: Info, input: SetParticipantAdministratorInput) -> Finished:
        return await conversations.set_administrator(
            info.context,
            asked(info),
            conversation_id=input.conversation_id,
            user_id=input.user_id,
            is_administrator=input.is_administrator,
        )

    @mutation(
        LeaveConversationResult,
        "Leaves a group conversation; its history up to now stays readable.",
        allowed_to=LEAVES_CONVERSATION,
    )
    async def leave_conversation(self, info: Info, input: LeaveConversationInput) -> Finished:
        return await conversations.leave(info.context, asked(info), conversation_id=input.conversation_id)
