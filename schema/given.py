"""What does a method of the schema work with?"""

from typing import TypeVar

import strawberry
from strawberry.types.unset import UNSET

from resolvers.context import Context

Info = strawberry.Info[Context, None]
Value = TypeVar("Value")


def given(value: Value | None) -> Value | None:
    """The value; None when it was left out."""
    return None if value is UNSET else value
