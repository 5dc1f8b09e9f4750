"""Everything personal: the viewer, the badges, and the profile link."""

from typing import Annotated

import strawberry
from strawberry.types.unset import UNSET

from models.authorization.people import IS_ONESELF
from models.mailboxes import MailFolder
from models.tables.people import GroupKind
from resolvers import viewer
from resolvers.lookahead import Finished
from schema.chats import Chat
from schema.connection import Connection, Node
from schema.conversations import Conversation, ConversationFilter
from schema.errors import DeniedError, InvalidInputError, mutation
from schema.feed import FeedConnection
from schema.given import Info
from schema.inputs import ChatFilter
from schema.mail import Mailbox
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
    open_reports: int = strawberry.field(
        description="Reports that wait for a decision, for safeguarding officers; 0 for others."
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

    is_safeguarding_officer: bool = strawberry.field(
        description="Whether the viewer sees reports of messages, and decides about them."
    )
    blocked_people: list[User] = strawberry.field(description="Whom the viewer has blocked. By name; at most 500.")

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
    @mutation(
        BeginProfileLinkResult,
        "Begins to link the viewer's profile to an account of the messenger.",
        allowed_to=IS_ONESELF,
    )
    async def begin_profile_link(self, info: Info) -> Finished:
        return await viewer.begin_profile_link(info.context, asked(info))

    @mutation(
        CompleteProfileLinkResult,
        "Links the account that has signed in; it replaces the one before.",
        allowed_to=IS_ONESELF,
    )
    async def complete_profile_link(self, info: Info, input: CompleteProfileLinkInput) -> Finished:
        return await viewer.complete_profile_link(info.context, asked(info), code=input.code, state=input.state)

    @mutation(UnlinkProfileResult, "Ends the link of the viewer's profile.", allowed_to=IS_ONESELF)
    async def unlink_profile(self, info: Info) -> Finished:
        return await viewer.unlink_profile(info.context, asked(info))
