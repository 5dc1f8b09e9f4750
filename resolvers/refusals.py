"""What does a client need to handle a refusal? The call that stands in the way of another."""

from models.errors import Code
from resolvers.asked import Asked
from resolvers.context import Context
from resolvers.lookahead import Finished, plan_of_object


async def published_already(ctx: Context, asked: Asked, *, reason: str, call: int | None) -> Finished:
    """`CallAlreadyPublishedError` with the published call, as the viewer sees it (E50)."""
    plan = plan_of_object("CallAlreadyPublishedError", asked.field.selection)
    given = {"code": Code.CALL_ALREADY_PUBLISHED.value, "reason": reason, "call": call}
    return Finished(await plan.read(ctx.database, asked.values, ctx.asking(given)))
