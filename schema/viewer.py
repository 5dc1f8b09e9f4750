"""Everything personal: the viewer, the badges, the profile link, and what is pushed."""

from collections.abc import AsyncIterable
from typing import Annotated

import strawberry
from strawberry.types.unset import UNSET

from models.mailboxes import MailFolder
from models.tables.people import GroupKind
from resolvers import live, viewer
from resolvers.lookahead import Finished
from schema.calls import Call
from schema.chats import Chat
from schema.connection import Connection, Node
from schema.conversations import Conversation, ConversationFilter
from schema.errors import DeniedError, InvalidInputError, mutation
from schema.feed import FeedConnection
from schema.given import Info, given
from schema.inputs import ChatFilter
from schema.mail import Mailbox
from schema.messages import Message
from schema.people import Group, Organization, User
from schema.projected import BOTH_WAYS, FORWARDS, LookAhead, looked_ahead
from schema.recipients import Recipient
from schema.selection import asked


@strawberry.type(description="Counts for badges; each is what a fresh query would count.")
class Badges:
    unread_conversations: int = strawberry.field(
        description="Conversations with something unread, muted ones left out."
    )
    unread_messages: int = strawberry.field(description="Unread messages in them.")
    unread_mail: int = strawberry.field(description="Unread mail in the inbox.")
    new_calls: int = strawberry.field(
        description="Published calls that the viewer has not seen since last opening the chats."
    )


@strawberry.type(description="The person who is signed in, and all that is personal.")
class Viewer:
    user: User = strawberry.field(description="The viewer as others see a person.")
    organization: Organization = strawberry.field(description="The viewer's school.")
    is_linked: bool = strawberry.field(description="Whether the viewer's profile is linked to the messenger.")
    messenger_url: str | None = strawberry.field(
        description="The address of the messenger; null while the profile is not linked."
    )
    badges: Badges = strawberry.field(description="The counts for badges.")
    event_cursor: str = strawberry.field(
        description="The moment of this answer: pass it as `after` to a subscription and nothing falls between."
    )
    chats: Connection[Chat] = looked_ahead(
        "The chats in which the viewer takes part. By name.",
        filter=(ChatFilter, "Only chats that match."),
        **BOTH_WAYS,
    )
    conversations: Connection[Conversation] = looked_ahead(
        "The viewer's conversations of all kinds. Latest activity first.",
        filter=(ConversationFilter, "Only conversations that match."),
        **BOTH_WAYS,
    )
    feed: FeedConnection = looked_ahead(
        "What is new: messages that have come, and published calls. Newest first; empty where the school has no "
        "feed.",
        **FORWARDS,
    )
    can_create_chat: bool = strawberry.field(description="Whether there is a chat that the viewer may create.")
    groups: list[Group] = looked_ahead(
        "The groups to which the viewer belongs. By name.", kind=(GroupKind, "Only groups of this kind.")
    )

    @strawberry.field(description="One folder of the viewer's mail.")
    def mailbox(self, folder: Annotated[MailFolder, strawberry.argument(description="Which one.")]) -> Mailbox:  # type: ignore[empty-body]
        """Answered by the look-ahead."""

    @strawberry.field(
        description="People, and audiences where the school has them, to whom the viewer may write and whose name "
        "begins with this, from the first letter. The names of learners offer their guardians as well. People by "
        "name, then audiences by group. Whoever is out of reach is left out, as is who does not exist."
    )
    def recipients(  # type: ignore[empty-body]
        self,
        search: Annotated[
            str,
            strawberry.argument(
                description="Beginnings of words of the name, or of the login, whatever the case and the accents; "
                "all of them must match. Blank: nobody."
            ),
        ],
        first: Annotated[
            int | None, strawberry.argument(description="How many: 1 to 100; 20 when left out.")
        ] = UNSET,
    ) -> list[Recipient]:
        """Answered by the look-ahead."""


@strawberry.type(description="What can be read.")
class Query:
    viewer: Viewer = strawberry.field(
        description="The door to everything personal. Signed out: an error UNAUTHENTICATED.",
        extensions=[LookAhead()],
    )

    @strawberry.field(
        graphql_type=Node | None,
        description="What this id stands for; null when the viewer does not see it.",
        extensions=[LookAhead()],
    )
    async def node(self, id: Annotated[strawberry.ID, strawberry.argument(description="The id.")]) -> None:
        """Answered by the look-ahead."""

    @strawberry.field(
        graphql_type=list[Node | None],
        description="What these ids stand for, in their order; null for what the viewer does not see.",
        extensions=[LookAhead()],
    )
    async def nodes(
        self, ids: Annotated[list[strawberry.ID], strawberry.argument(description="At most 100 ids.")]
    ) -> None:
        """Answered by the look-ahead."""


# -------------------------------------------------------------------------------------- profile link


@strawberry.type(description="The link to the messenger has begun.")
class BeginProfileLinkPayload:
    authorization_url: str = strawberry.field(
        description="Where the browser goes to sign in with the messenger. It comes back with a code and a state."
    )


@strawberry.input(description="What the browser came back with.")
class CompleteProfileLinkInput:
    code: str = strawberry.field(description="The code.")
    state: str = strawberry.field(description="The state: it works once, for ten minutes.")


@strawberry.type(description="The viewer's profile is linked.")
class CompleteProfileLinkPayload:
    viewer: Viewer = strawberry.field(description="The viewer, linked.")


@strawberry.type(description="The viewer's profile is not linked any more.")
class UnlinkProfilePayload:
    viewer: Viewer = strawberry.field(description="The viewer, not linked.")


BeginProfileLinkResult = Annotated[
    BeginProfileLinkPayload | DeniedError,
    strawberry.union("BeginProfileLinkResult", description="Where to go, or why not."),
]
CompleteProfileLinkResult = Annotated[
    CompleteProfileLinkPayload | InvalidInputError | DeniedError,
    strawberry.union("CompleteProfileLinkResult", description="The linked viewer, or why not."),
]
UnlinkProfileResult = Annotated[
    UnlinkProfilePayload | DeniedError,
    strawberry.union("UnlinkProfileResult", description="The viewer without a link, or why not."),
]


@strawberry.type
class ProfileMutation:
    @mutation(BeginProfileLinkResult, "Begins to link the viewer's profile to an account of the messenger.")
    async def begin_profile_link(self, info: Info) -> Finished:
        return await viewer.begin_profile_link(info.context, asked(info))

    @mutation(CompleteProfileLinkResult, "Links the account that has signed in; it replaces the one before.")
    async def complete_profile_link(self, info: Info, input: CompleteProfileLinkInput) -> Finished:
        return await viewer.complete_profile_link(info.context, asked(info), code=input.code, state=input.state)

    @mutation(UnlinkProfileResult, "Ends the link of the viewer's profile.")
    async def unlink_profile(self, info: Info) -> Finished:
        return await viewer.unlink_profile(info.context, asked(info))


# ------------------------------------------------------------------------------------- subscriptions

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
        graphql_type=Badges,
        description="The counts now, then again whenever one differs, whatever changed it.",
    )
    def badges_changed(self, info: Info) -> AsyncIterable[Finished]:
        return live.badges(info.context, asked(info))
