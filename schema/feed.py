"""What is new."""

from typing import Annotated

import strawberry

from schema.calls import Call
from schema.connection import PageInfo
from schema.messages import Message
from schema.scalars import Moment

FeedSubject = Annotated[
    Message | Call, strawberry.union("FeedSubject", description="A message that has come, or a published call.")
]


@strawberry.type(description="Something new for the viewer.")
class FeedItem:
    at: Moment = strawberry.field(description="When it was sent, or published.")
    subject: FeedSubject = strawberry.field(description="What it is.")


@strawberry.type(description="Something new, and its place in the feed.")
class FeedEdge:
    cursor: str = strawberry.field(description="The item's place: pass it as `after`.")
    node: FeedItem = strawberry.field(description="The item itself.")


@strawberry.type(description="A page of the feed. Cursors keep their place while others write.")
class FeedConnection:
    edges: list[FeedEdge] = strawberry.field(description="The items of the page with their cursors.")
    nodes: list[FeedItem] = strawberry.field(description="The items of the page.")
    page_info: PageInfo = strawberry.field(description="What lies before and after the page.")
