"""Whom one may write to: people, and audiences."""

from typing import Annotated

import strawberry

from models.tables.people import Position
from schema.people import Group, User


@strawberry.type(description="The people at one position of a group, as one recipient: the parents of a class.")
class Audience:
    id: strawberry.ID = strawberry.field(description="The same for the same position of the same group. Opaque.")
    name: str = strawberry.field(description="The position in the plural and the group, in the school's language.")
    group: Group = strawberry.field(description="The group.")
    position: Position = strawberry.field(description="The position in it.")
    size: int = strawberry.field(description="How many active people are there now.")


Recipient = Annotated[User | Audience, strawberry.union("Recipient", description="A person, or an audience.")]
