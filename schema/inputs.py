"""What do lists of chats take?"""

import strawberry
from strawberry.types.unset import UNSET

from models.tables.chats import ChatKind


@strawberry.input(description="Which chats to list. What is given combines with AND.")
class ChatFilter:
    kinds: list[ChatKind] | None = strawberry.field(
        default=UNSET, description="Only chats of these kinds; all when empty."
    )
    has_published_call: bool | None = strawberry.field(
        default=UNSET, description="Only chats with a published call, or only those without."
    )
    search: str | None = strawberry.field(
        default=UNSET, description="Only chats whose name contains this, whatever the case and the accents."
    )
