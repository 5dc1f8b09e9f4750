"""How does a refusal look to a client? A member of the mutation's union: expected refusals are answers."""

from typing import Any

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.types.field import StrawberryField

from models.authorization.rule import Rule
from models.errors import Code, Refused
from resolvers.lookahead import Finished
from resolvers.refusals import published_already
from schema.reasons import reason
from schema.selection import asked


@strawberry.interface(description="Why a mutation was refused. Nothing was changed.")
class UserError:
    code: Code = strawberry.field(description="The stable name of the refusal.")
    reason: str = strawberry.field(description="A sentence for the person who asked, in that person's language.")


@strawberry.type(description="What was named does not exist, or the viewer cannot see it.")
class NotFoundError(UserError):
    pass


@strawberry.type(description="The viewer may not do this, or not now.")
class DeniedError(UserError):
    pass


@strawberry.type(description="The input has a wrong shape.")
class InvalidInputError(UserError):
    field: str | None = strawberry.field(description="The input field that is wrong, where it is one.")


_TYPES: dict[Code, type[UserError]] = {
    Code.NOT_FOUND: NotFoundError,
    **dict.fromkeys(
        (Code.INVALID_INPUT, Code.TOO_LARGE, Code.IDEMPOTENCY_CONFLICT, Code.NO_RECIPIENT), InvalidInputError
    ),
}


class Refusals(FieldExtension):
    """Turns a refusal into the member of the union that stands for it. `allowed_to`: to whom it is not refused."""

    def __init__(self, allowed_to: Rule) -> None:
        self.allowed_to = allowed_to

    def apply(self, field: StrawberryField) -> None:
        for argument in field.arguments:
            argument.description = argument.description or "What to do, and to what."

    async def resolve_async(self, next_: Any, source: Any, info: Any, **arguments: Any) -> Any:
        try:
            return await next_(source, info, **arguments)
        except Refused as refusal:
            return await _answer(info, refusal)


def mutation(result: Any, description: str, *, allowed_to: Rule) -> Any:
    """A mutation that answers with a member of this union, by this rule."""
    return strawberry.mutation(graphql_type=result, description=description, extensions=[Refusals(allowed_to)])


async def _answer(info: Any, refusal: Refused) -> UserError | Finished:
    text = reason(refusal.code, refusal.locale)
    if refusal.code is Code.CALL_ALREADY_PUBLISHED:
        return await published_already(info.context, asked(info), reason=text, call=refusal.subject)
    kind = _TYPES.get(refusal.code, DeniedError)
    if kind is InvalidInputError:
        return InvalidInputError(code=refusal.code, reason=text, field=refusal.field)
    return kind(code=refusal.code, reason=text)
