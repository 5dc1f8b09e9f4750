"""What is pushed?"""

from collections.abc import AsyncIterable
from typing import Annotated

import strawberry
from strawberry.types.unset import UNSET

from resolvers import live
from resolvers.lookahead import Finished
from schema.calls import Call
from schema.chats import Chat
from schema.conversations import Conversation
from schema.given import Info, given
from schema.messages import Message
from schema.people import Organization
from schema.safeguarding import Report
from schema.selection import asked
from schema.viewer import Badges

PLACE = "The event's place in history: resume with the last one that was processed."
After = Annotated[
    str | None,
    strawberry.argument(
        description="Everything after this cursor that the viewer may read, in order: first what is stored, then "
        "what is new. Left out: from now on."
    ),
]


@strawberry.type(description="A call was published.")
class CallPublished:
    cursor: str = strawberry.field(description=PLACE)
    call: Call = strawberry.field(description="The call.")


@strawberry.type(description="A call was created, changed, published, finished or deleted.")
class CallChanged:
    cursor: str = strawberry.field(description=PLACE)
    call_id: strawberry.ID = strawberry.field(description="The id of the call.")
    chat_id: strawberry.ID = strawberry.field(description="The id of its chat.")
    chat: Chat | None = strawberry.field(
        description="Its chat as it is now; null when that is gone for the viewer."
    )
    call: Call | None = strawberry.field(description="The call as it is now; null when it is gone for the viewer.")


@strawberry.type(description="A chat was made, renamed or deleted, or its people or their roles changed.")
class ChatChanged:
    cursor: str = strawberry.field(description=PLACE)
    chat_id: strawberry.ID = strawberry.field(description="The id of the chat.")
    chat: Chat | None = strawberry.field(description="The chat as it is now; null when it is gone for the viewer.")


@strawberry.type(description="A message has reached the viewer.")
class MessageReceived:
    cursor: str = strawberry.field(description=PLACE)
    message: Message = strawberry.field(description="The message.")


@strawberry.type(
    description="A message of the viewer's was read, deleted, trashed or restored, here or elsewhere."
)
class MessageChanged:
    cursor: str = strawberry.field(description=PLACE)
    message_id: strawberry.ID = strawberry.field(description="The id of the message.")
    message: Message | None = strawberry.field(description="The message now; null when it is gone for the viewer.")


@strawberry.type(description="A conversation was made, renamed or muted, or its people or their roles changed.")
class ConversationChanged:
    cursor: str = strawberry.field(description=PLACE)
    conversation_id: strawberry.ID = strawberry.field(description="The id of the conversation.")
    conversation: Conversation | None = strawberry.field(
        description="The conversation now; null when it is gone for the viewer."
    )


@strawberry.type(description="The school has changed: its rules, its name, its zone or its language.")
class OrganizationChanged:
    cursor: str = strawberry.field(description=PLACE)
    organization: Organization = strawberry.field(description="The school now.")


@strawberry.type(description="A message was reported, or somebody read a report or decided about it.")
class ReportChanged:
    cursor: str = strawberry.field(description=PLACE)
    report_id: strawberry.ID = strawberry.field(description="The id of the report.")
    report: Report | None = strawberry.field(description="The report now; null when the viewer does not see it.")


@strawberry.type(
    description="What is pushed. Whoever resumes from a cursor misses nothing and gets nothing twice."
)
class Subscription:
    @strawberry.subscription(
        graphql_type=CallPublished,
        description="Calls are published in the viewer's chats. A replay leaves out those that are over.",
    )
    def call_published(self, info: Info, after: After = UNSET) -> AsyncIterable[Finished]:
        return live.follow(info.context, asked(info), given(after))

    @strawberry.subscription(
        graphql_type=CallChanged,
        description="Calls of the viewer's chats change; for administrators of the organization, of all chats.",
    )
    def call_changed(self, info: Info, after: After = UNSET) -> AsyncIterable[Finished]:
        return live.follow(info.context, asked(info), given(after))

    @strawberry.subscription(
        graphql_type=ChatChanged,
        description="The viewer's chats change; for administrators of the organization, all chats.",
    )
    def chat_changed(self, info: Info, after: After = UNSET) -> AsyncIterable[Finished]:
        return live.follow(info.context, asked(info), given(after))

    @strawberry.subscription(
        graphql_type=MessageReceived,
        description="Messages reach the viewer, his own of other devices included. In one conversation it ends "
        "when the viewer no longer takes part there.",
    )
    def message_received(
        self,
        info: Info,
        conversation_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only messages of this conversation.")
        ] = UNSET,
        after: After = UNSET,
    ) -> AsyncIterable[Finished]:
        return live.follow(info.context, asked(info), given(after), conversation_id=given(conversation_id))

    @strawberry.subscription(
        graphql_type=MessageChanged, description="Messages of the viewer's change for the viewer."
    )
    def message_changed(self, info: Info, after: After = UNSET) -> AsyncIterable[Finished]:
        return live.follow(info.context, asked(info), given(after))

    @strawberry.subscription(
        graphql_type=ConversationChanged, description="The viewer's conversations change, muting included."
    )
    def conversation_changed(self, info: Info, after: After = UNSET) -> AsyncIterable[Finished]:
        return live.follow(info.context, asked(info), given(after))

    @strawberry.subscription(
        graphql_type=OrganizationChanged,
        description="The viewer's school changes. What people may do may be different then: ask anew for what is "
        "shown of it.",
    )
    def organization_changed(self, info: Info, after: After = UNSET) -> AsyncIterable[Finished]:
        return live.follow(info.context, asked(info), given(after))

    @strawberry.subscription(
        graphql_type=ReportChanged,
        description="Reports come in, are read and decided; for safeguarding officers.",
    )
    def report_changed(self, info: Info, after: After = UNSET) -> AsyncIterable[Finished]:
        return live.follow(info.context, asked(info), given(after))

    @strawberry.subscription(
        graphql_type=Badges,
        description="The counts now, then again whenever one differs, whatever changed it.",
    )
    def badges_changed(self, info: Info) -> AsyncIterable[Finished]:
        return live.badges(info.context, asked(info))
