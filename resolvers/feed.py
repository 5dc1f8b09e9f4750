"""How is the news feed read?"""

from sqlalchemy import select

from models.authorization.conversations import HAS_NEWS
from models.chat_scopes import visible_calls
from models.feed import news
from models.messages import visible_messages
from models.tables.calls import calls
from models.tables.conversations import messages
from models.tables.events import events
from resolvers.paging import Page
from resolvers.projection import Column, OneOf, Projection
from resolvers.statement import VIEWER, Expression, Row

FEED = Page(
    "FeedItem", lambda _, __: news(VIEWER), keys=("number",), descending=True, called="Feed", seen_by=HAS_NEWS
)
"""The entry of a viewer's feed."""


def _at(row: Row) -> Expression:
    """When the event happened."""
    same = (events.c.organization_id == VIEWER.organization_id, events.c.number == row.number)
    return select(events.c.at).where(*same).scalar_subquery()


Projection(
    "FeedItem",
    seen_by=HAS_NEWS,
    at=Column(_at),
    subject=OneOf(
        None,
        {
            "Message": lambda row: visible_messages(VIEWER).where(
                messages.c.id == row.id, messages.c.event == row.number
            ),
            "Call": lambda row: visible_calls(VIEWER).where(
                calls.c.id == row.id, calls.c.published_event == row.number
            ),
        },
        seen_by=HAS_NEWS,
    ),
)
