"""What do all types share? Ids, and lists that grow."""

from typing import Generic, TypeVar

import strawberry

Item = TypeVar("Item")


@strawberry.interface(description="Whatever lives long and can be asked for again by its id.")
class Node:
    id: strawberry.ID = strawberry.field(description="The same for as long as the object exists. Opaque.")


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether there is more after this page.")
    has_previous_page: bool = strawberry.field(description="Whether there is more before this page.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first item; null on an empty page.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last item; null on an empty page.")


@strawberry.type(description="An item of a list, and its place in it.")
class Edge(Generic[Item]):
    cursor: str = strawberry.field(description="The item's place: pass it as `after` or `before`.")
    node: Item = strawberry.field(description="The item itself.")


@strawberry.type(description="A page of a list that grows. Cursors keep their place while others write.")
class Connection(Generic[Item]):
    edges: list[Edge[Item]] = strawberry.field(description="The items of the page with their cursors.")
    nodes: list[Item] = strawberry.field(description="The items of the page.")
    page_info: PageInfo = strawberry.field(description="What lies before and after the page.")
    total_count: int = strawberry.field(description="How many items the whole list has.")
