"""What the API looks like: Query, Mutation and Subscription put together."""

from typing import Any

from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from schema import enums as enums
from schema.attachments import Attachment
from schema.authorization import check_rules
from schema.calls import Call, CallMutation
from schema.chats import Chat, ChatMutation
from schema.conversations import Conversation
from schema.conversing import ConversationMutation
from schema.execution import Schema
from schema.live import Subscription
from schema.mail import MailMutation
from schema.messages import Message, MessageMutation
from schema.people import Group, Organization, User
from schema.projected import check_projections
from schema.safeguarding import Report, SafeguardingMutation
from schema.scalars import DATE_TIME, Moment
from schema.viewer import ProfileMutation, Query
from schema.writing import WritingMutation

Mutation: Any = merge_types(
    "Mutation",
    (
        ChatMutation,
        CallMutation,
        ProfileMutation,
        ConversationMutation,
        WritingMutation,
        MessageMutation,
        MailMutation,
        SafeguardingMutation,
    ),
)
Mutation.__strawberry_definition__.description = "What can be done."


schema = Schema(
    Query,
    Mutation,
    Subscription,
    types=[Organization, User, Group, Chat, Call, Conversation, Message, Attachment, Report],
    config=StrawberryConfig(scalar_map={Moment: DATE_TIME}, disable_field_suggestions=True),
)
check_projections(schema._schema)
check_rules(schema._schema)
