"""How is the news feed read?"""

from models.chat_scopes import visible_calls
from models.feed import news
from models.messages import visible_messages
from models.tables.calls import calls
from models.tables.conversations import messages
from resolvers.paging import Page
from resolvers.projection import Column, OneOf, Projection
from resolvers.statement import VIEWER

FEED = Page("FeedItem", lambda _, __: news(VIEWER), keys=("number",), descending=True, called="Feed")
"""The entry of a viewer's feed."""

Projection(
    "FeedItem",
    at=Column(),
    subject=OneOf(
        None,
        {
            "Message": lambda row: visible_messages(VIEWER).where(messages.c.id == row.id),
            "Call": lambda row: visible_calls(VIEWER).where(calls.c.id == row.id),
        },
    ),
)
