"""What was done, and by whom."""

import strawberry

from schema.people import User
from schema.scalars import Moment


@strawberry.type(description="Something that was done: ids alone, never what was written.")
class AuditEntry:
    at: Moment = strawberry.field(description="When it was done.")
    actor: User | None = strawberry.field(
        description="Who did it; null for the school's own night, and for what was done at a terminal."
    )
    action: str = strawberry.field(description="What was done: a mutation's name, or a command's.")
    subject: str = strawberry.field(description="The id of what it was done to; of several, with spaces between.")
