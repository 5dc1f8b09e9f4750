"""Online calls of chats, and what can be done to them."""

from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry.types.unset import UNSET

from models.authorization.chats import CREATES_CALL, DELETES_CALL, FINISHES_CALL, PUBLISHES_CALL, UPDATES_CALL
from models.decide import CallAction
from models.tables.calls import CallStatus
from resolvers import calls
from resolvers.lookahead import Finished
from schema.chats import CHAT_ID, Chat
from schema.connection import Node
from schema.errors import DeniedError, InvalidInputError, NotFoundError, UserError, mutation
from schema.given import Info, given
from schema.people import User
from schema.scalars import Moment
from schema.selection import asked

if TYPE_CHECKING:
    from schema.viewer import Badges

CALL_ID = "The call."
TITLE = "1 to 200 characters."
STARTS_AT = "When it starts, with a zone."


@strawberry.type(
    description="An online call of a chat. It moves CREATED, PUBLISHED, FINISHED; one is published at a time."
)
class Call(Node):
    chat: Chat = strawberry.field(description="The chat it belongs to.")
    title: str = strawberry.field(description="What it is about.")
    starts_at: Moment = strawberry.field(description="When it starts.")
    status: CallStatus = strawberry.field(description="Where it stands.")
    last_actor: User | None = strawberry.field(
        description="Who last acted on it; null: the school's night, which finishes calls of past days."
    )
    last_acted_at: Moment = strawberry.field(description="When that was.")
    join_url: str | None = strawberry.field(
        description="Where to join; null unless it is published and the viewer takes part with a linked profile."
    )
    viewer_actions: list[CallAction] = strawberry.field(
        description="What the viewer may do now; exactly this will not be refused."
    )


@strawberry.type(description="Another call of the chat is published; nothing has changed.")
class CallAlreadyPublishedError(UserError):
    published_call: Call | None = strawberry.field(description="The call to finish first.")


# -------------------------------------------------------------------------------------------- inputs


@strawberry.input(description="A new call. It is CREATED: only publishing announces it.")
class CreateCallInput:
    chat_id: strawberry.ID = strawberry.field(description=CHAT_ID)
    title: str = strawberry.field(description=TITLE)
    starts_at: Moment = strawberry.field(description=STARTS_AT)
    idempotency_key: str | None = strawberry.field(
        default=UNSET,
        description="A text of one's own, new for each call. Repeating the mutation with it makes no second call.",
    )


@strawberry.input(description="What to change of a call that is CREATED; one of the two at least.")
class UpdateCallInput:
    call_id: strawberry.ID = strawberry.field(description=CALL_ID)
    title: str | None = strawberry.field(default=UNSET, description=TITLE)
    starts_at: Moment | None = strawberry.field(default=UNSET, description=STARTS_AT)


@strawberry.input(description="A call to publish.")
class PublishCallInput:
    call_id: strawberry.ID = strawberry.field(description=CALL_ID)


@strawberry.input(description="A call to finish.")
class FinishCallInput:
    call_id: strawberry.ID = strawberry.field(description=CALL_ID)


@strawberry.input(description="A call to delete.")
class DeleteCallInput:
    call_id: strawberry.ID = strawberry.field(description=CALL_ID)


# ------------------------------------------------------------------------------------------- answers


@strawberry.type(description="The call that was created.")
class CreateCallPayload:
    call: Call = strawberry.field(description="The new call.")


@strawberry.type(description="The call that was changed.")
class UpdateCallPayload:
    call: Call = strawberry.field(description="The call as it is now.")


@strawberry.type(description="The call that was published.")
class PublishCallPayload:
    call: Call = strawberry.field(description="The published call.")


@strawberry.type(description="The call that was finished.")
class FinishCallPayload:
    call: Call = strawberry.field(description="The finished call.")


@strawberry.type(description="The call that was deleted.")
class DeleteCallPayload:
    deleted_call_id: strawberry.ID = strawberry.field(description="The id that it had.")
    chat: Chat = strawberry.field(description="The chat that it belonged to.")
    badges: Annotated["Badges", strawberry.lazy("schema.viewer")] = strawberry.field(
        description="The viewer's badges after that."
    )


CreateCallResult = Annotated[
    CreateCallPayload | InvalidInputError | NotFoundError | DeniedError,
    strawberry.union("CreateCallResult", description="The new call, or why there is none."),
]
UpdateCallResult = Annotated[
    UpdateCallPayload | InvalidInputError | NotFoundError | DeniedError,
    strawberry.union("UpdateCallResult", description="The changed call, or why it stays as it is."),
]
PublishCallResult = Annotated[
    PublishCallPayload | CallAlreadyPublishedError | NotFoundError | DeniedError,
    strawberry.union("PublishCallResult", description="The published call, or why its status stays."),
]
FinishCallResult = Annotated[
    FinishCallPayload | NotFoundError | DeniedError,
    strawberry.union("FinishCallResult", description="The finished call, or why its status stays."),
]
DeleteCallResult = Annotated[
    DeleteCallPayload | NotFoundError | DeniedError,
    strawberry.union("DeleteCallResult", description="The id of the deleted call, or why it stays."),
]


@strawberry.type
class CallMutation:
    @mutation(
        CreateCallResult,
        "Creates a call. For administrators of the chat, and of the organization.",
        allowed_to=CREATES_CALL,
    )
    async def create_call(self, info: Info, input: CreateCallInput) -> Finished:
        return await calls.create_call(
            info.context,
            asked(info),
            chat_id=input.chat_id,
            title=input.title,
            starts_at=input.starts_at,
            idempotency_key=given(input.idempotency_key),
        )

    @mutation(
        UpdateCallResult, "Changes the title or the start of a call that is CREATED.", allowed_to=UPDATES_CALL
    )
    async def update_call(self, info: Info, input: UpdateCallInput) -> Finished:
        return await calls.update_call(
            info.context,
            asked(info),
            call_id=input.call_id,
            title=given(input.title),
            starts_at=given(input.starts_at),
        )

    @mutation(
        PublishCallResult,
        "Announces a call to the participants of its chat; their badges rise.",
        allowed_to=PUBLISHES_CALL,
    )
    async def publish_call(self, info: Info, input: PublishCallInput) -> Finished:
        return await calls.publish_call(info.context, asked(info), call_id=input.call_id)

    @mutation(
        FinishCallResult,
        "Ends a published call: nobody can join it, and participants no longer see it.",
        allowed_to=FINISHES_CALL,
    )
    async def finish_call(self, info: Info, input: FinishCallInput) -> Finished:
        return await calls.finish_call(info.context, asked(info), call_id=input.call_id)

    @mutation(DeleteCallResult, "Deletes a call, whatever its status.", allowed_to=DELETES_CALL)
    async def delete_call(self, info: Info, input: DeleteCallInput) -> Finished:
        return await calls.delete_call(info.context, asked(info), call_id=input.call_id)
