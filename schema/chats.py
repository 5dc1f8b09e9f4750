"""Chats, who takes part in them, and what can be done to them."""

from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry.types.unset import UNSET

from models.authorization.chats import (
    ADDS_TO_CHAT,
    APPOINTS_IN_CHAT,
    CHANGES_CHAT,
    CREATES_CHAT,
    REMOVES_FROM_CHAT,
)
from models.authorization.people import IS_ONESELF
from models.decide import ChatAction
from models.tables.chats import ChatKind
from resolvers import chats
from resolvers.lookahead import Finished
from schema.connection import Connection, Node
from schema.errors import DeniedError, InvalidInputError, NotFoundError, mutation
from schema.given import Info, given
from schema.people import SEARCH, Group, User
from schema.projected import FORWARDS, looked_ahead
from schema.scalars import Moment
from schema.selection import asked

if TYPE_CHECKING:
    from schema.calls import Call
    from schema.conversations import Conversation
    from schema.viewer import Badges

LazyCall = Annotated["Call", strawberry.lazy("schema.calls")]
LazyConversation = Annotated["Conversation", strawberry.lazy("schema.conversations")]
LazyBadges = Annotated["Badges", strawberry.lazy("schema.viewer")]


@strawberry.type(description="A person in a chat.")
class ChatParticipant:
    user: User = strawberry.field(description="The person.")
    is_administrator: bool = strawberry.field(description="Whether the person administers the chat.")
    is_linked: bool = strawberry.field(description="Whether the person's profile is linked to the messenger.")
    joined_at: Moment = strawberry.field(description="Since when the person takes part.")


@strawberry.type(
    description="A chat of the school. Its messages live in its conversation, or in the messenger outside."
)
class Chat(Node):
    name: str = strawberry.field(description="Its name.")
    kind: ChatKind = strawberry.field(description="What it is for.")
    is_mandatory: bool = strawberry.field(
        description="Whether the school keeps it itself: nobody renames, edits or deletes it."
    )
    group: Group | None = strawberry.field(description="The group it is for, where the viewer sees that group.")
    participant_count: int = strawberry.field(description="How many people take part.")
    linked_participant_count: int = strawberry.field(
        description="How many of them have linked their profile to the messenger."
    )
    participants: Connection[ChatParticipant] = looked_ahead("Who takes part. By name.", search=SEARCH, **FORWARDS)
    published_call: LazyCall | None = strawberry.field(description="The call that can be joined now.")
    calls: Connection[LazyCall] = looked_ahead(
        "Created and published calls; finished ones for those who administer the calls. Latest start first.",
        **FORWARDS,
    )
    url: str | None = strawberry.field(
        description="Its address in the messenger; null while the viewer's profile is not linked."
    )
    conversation: LazyConversation | None = strawberry.field(
        description="Where its messages live, for those who take part, with the built-in messenger; null with one "
        "outside."
    )
    viewer_is_administrator: bool = strawberry.field(description="Whether the viewer administers the chat.")
    viewer_actions: list[ChatAction] = strawberry.field(
        description="What the viewer may do now; exactly this will not be refused."
    )


# -------------------------------------------------------------------------------------------- inputs

CHAT_ID = "The chat."


@strawberry.input(description="A new chat: SUBGROUP for a subgroup that one teaches, CUSTOM for administrators.")
class CreateChatInput:
    kind: ChatKind = strawberry.field(description="SUBGROUP or CUSTOM: the others are the school's own.")
    name: str = strawberry.field(description="1 to 200 characters.")
    group_id: strawberry.ID | None = strawberry.field(
        default=UNSET, description="The subgroup of a SUBGROUP chat; nothing else has one."
    )
    participant_ids: list[strawberry.ID] | None = strawberry.field(
        default=UNSET,
        description="Who takes part besides the creator. Left out in a SUBGROUP chat: its learners.",
    )
    idempotency_key: str | None = strawberry.field(
        default=UNSET,
        description="A text of one's own, new for each chat. Repeating the call with it makes no second chat.",
    )


@strawberry.input(description="A new name for a chat.")
class RenameChatInput:
    chat_id: strawberry.ID = strawberry.field(description=CHAT_ID)
    name: str = strawberry.field(description="1 to 200 characters.")


@strawberry.input(description="People to take into a chat.")
class AddChatParticipantsInput:
    chat_id: strawberry.ID = strawberry.field(description=CHAT_ID)
    user_ids: list[strawberry.ID] = strawberry.field(description="Active people, at most 100; all or none.")


@strawberry.input(description="People to remove from a chat.")
class RemoveChatParticipantsInput:
    chat_id: strawberry.ID = strawberry.field(description=CHAT_ID)
    user_ids: list[strawberry.ID] = strawberry.field(description="At most 100; all or none.")


@strawberry.input(description="Whether a participant administers the chat.")
class SetChatAdministratorInput:
    chat_id: strawberry.ID = strawberry.field(description=CHAT_ID)
    user_id: strawberry.ID = strawberry.field(description="The participant.")
    is_administrator: bool = strawberry.field(description="True to appoint, false to dismiss.")


@strawberry.input(description="A chat to delete for everybody.")
class DeleteChatInput:
    chat_id: strawberry.ID = strawberry.field(description=CHAT_ID)


@strawberry.input(description="Up to where the viewer has seen the chats.")
class MarkChatsSeenInput:
    up_to: str | None = strawberry.field(
        default=UNSET, description="What was published after this event cursor stays unseen."
    )


# ------------------------------------------------------------------------------------------- answers


@strawberry.type(description="The chat that was created.")
class CreateChatPayload:
    chat: Chat = strawberry.field(description="The new chat.")


@strawberry.type(description="The chat that was renamed.")
class RenameChatPayload:
    chat: Chat = strawberry.field(description="The chat with its new name.")


@strawberry.type(description="The chat that people were taken into.")
class AddChatParticipantsPayload:
    chat: Chat = strawberry.field(description="The chat with the people.")


@strawberry.type(description="The chat that people were removed from.")
class RemoveChatParticipantsPayload:
    chat: Chat = strawberry.field(description="The chat without the people.")


@strawberry.type(description="The chat whose administrators changed.")
class SetChatAdministratorPayload:
    chat: Chat = strawberry.field(description="The chat with its administrators.")


@strawberry.type(description="The chat that was deleted.")
class DeleteChatPayload:
    deleted_chat_id: strawberry.ID = strawberry.field(description="The id that it had.")
    badges: LazyBadges = strawberry.field(description="The viewer's badges after that.")


@strawberry.type(description="The viewer's badges after the chats were seen.")
class MarkChatsSeenPayload:
    badges: LazyBadges = strawberry.field(description="The badges.")


CreateChatResult = Annotated[
    CreateChatPayload | InvalidInputError | NotFoundError | DeniedError,
    strawberry.union("CreateChatResult", description="The new chat, or why there is none."),
]
RenameChatResult = Annotated[
    RenameChatPayload | InvalidInputError | NotFoundError | DeniedError,
    strawberry.union("RenameChatResult", description="The renamed chat, or why it keeps its name."),
]
AddChatParticipantsResult = Annotated[
    AddChatParticipantsPayload | InvalidInputError | NotFoundError | DeniedError,
    strawberry.union("AddChatParticipantsResult", description="The chat, or why nobody was added."),
]
RemoveChatParticipantsResult = Annotated[
    RemoveChatParticipantsPayload | InvalidInputError | NotFoundError | DeniedError,
    strawberry.union("RemoveChatParticipantsResult", description="The chat, or why nobody was removed."),
]
SetChatAdministratorResult = Annotated[
    SetChatAdministratorPayload | InvalidInputError | NotFoundError | DeniedError,
    strawberry.union("SetChatAdministratorResult", description="The chat, or why its roles stay as they are."),
]
DeleteChatResult = Annotated[
    DeleteChatPayload | NotFoundError | DeniedError,
    strawberry.union("DeleteChatResult", description="The id of the deleted chat, or why it stays."),
]


@strawberry.type
class ChatMutation:
    @mutation(CreateChatResult, "Creates a chat; the viewer is its administrator.", allowed_to=CREATES_CHAT)
    async def create_chat(self, info: Info, input: CreateChatInput) -> Finished:
        return await chats.create_chat(
            info.context,
            asked(info),
            kind=input.kind,
            name=input.name,
            group_id=given(input.group_id),
            participant_ids=given(input.participant_ids),
            idempotency_key=given(input.idempotency_key),
        )

    @mutation(
        RenameChatResult, "Renames a chat that its people made. For its administrators.", allowed_to=CHANGES_CHAT
    )
    async def rename_chat(self, info: Info, input: RenameChatInput) -> Finished:
        return await chats.rename_chat(info.context, asked(info), chat_id=input.chat_id, name=input.name)

    @mutation(
        AddChatParticipantsResult, "Takes people into a chat. For its administrators.", allowed_to=ADDS_TO_CHAT
    )
    async def add_chat_participants(self, info: Info, input: AddChatParticipantsInput) -> Finished:
        return await chats.add_participants(
            info.context, asked(info), chat_id=input.chat_id, user_ids=input.user_ids
        )

    @mutation(
        RemoveChatParticipantsResult,
        "Removes people from a chat. For its administrators.",
        allowed_to=REMOVES_FROM_CHAT,
    )
    async def remove_chat_participants(self, info: Info, input: RemoveChatParticipantsInput) -> Finished:
        return await chats.remove_participants(
            info.context, asked(info), chat_id=input.chat_id, user_ids=input.user_ids
        )

    @mutation(
        SetChatAdministratorResult,
        "Appoints or dismisses an administrator of a chat.",
        allowed_to=APPOINTS_IN_CHAT,
    )
    async def set_chat_administrator(self, info: Info, input: SetChatAdministratorInput) -> Finished:
        return await chats.set_administrator(
            info.context,
            asked(info),
            chat_id=input.chat_id,
            user_id=input.user_id,
            is_administrator=input.is_administrator,
        )

    @mutation(
        DeleteChatResult,
        "Deletes a chat that its people made, and its calls. For its administrators.",
        allowed_to=CHANGES_CHAT,
    )
    async def delete_chat(self, info: Info, input: DeleteChatInput) -> Finished:
        return await chats.delete_chat(info.context, asked(info), chat_id=input.chat_id)

    @mutation(
        MarkChatsSeenPayload, "The viewer has opened the chats: the call badge goes out.", allowed_to=IS_ONESELF
    )
    async def mark_chats_seen(self, info: Info, input: MarkChatsSeenInput | None = UNSET) -> Finished:
        up_to = given(input.up_to) if input else None
        return await chats.mark_chats_seen(info.context, asked(info), up_to=up_to)
