"""Files that messages carry."""

import strawberry

from schema.connection import Node


@strawberry.type(description="A file that a message carries. It comes in by `POST /attachments`.")
class Attachment(Node):
    name: str = strawberry.field(description="Its name, as its author gave it.")
    content_type: str = strawberry.field(
        description="What it is, told by its first bytes; application/octet-stream for what is not to be shown."
    )
    byte_size: int = strawberry.field(description="How many bytes it has.")
    url: str = strawberry.field(
        description="Where the viewer fetches it in the next ten minutes, without a token, as long as the viewer "
        "sees the message."
    )
