"""What does the client get to read? Results and errors as JSON: ours in full, the unexpected ones masked."""

import logging
import secrets
from typing import Any

import orjson
from graphql import GraphQLError
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult

from app.metrics import count_error
from models.errors import RequestFault

Answer = dict[str, Any]
"""`data`, `errors`, or both. One without `data` means that the operation never began."""

MOST_ERRORS = 20
LONGEST_MESSAGE = 400
MOST_LOCATIONS = 4

log = logging.getLogger(__name__)


def answer(result: ExecutionResult) -> Answer:
    """The result as the client may see it; without `data` where the request itself was refused.

    Raises TypeError for data that cannot be written as JSON: after this, everything can.
    """
    data = orjson.Fragment(orjson.dumps(result.data))
    if not result.errors:
        return {"data": data}
    shown: Answer = {"errors": [_shown(error) for error in result.errors[:MOST_ERRORS]]}
    if result.data is not None or any(error.path for error in result.errors):
        shown["data"] = data
    return shown


def refusal(error: Exception) -> Answer:
    """The answer to an operation that could not even begin."""
    return {"errors": [_shown(_as_graphql(error))]}


def is_signed_out(shown: Answer) -> bool:
    """Whether the person is not known (any more)."""
    return any(error["extensions"]["code"] == "UNAUTHENTICATED" for error in shown.get("errors", ()))


def encode(value: Any) -> bytes:
    """JSON in UTF-8."""
    return orjson.dumps(value)


def _shown(error: GraphQLError) -> Answer:
    """One error: `message`, `locations`, `path`, and `extensions` with its code."""
    shown = _text_and_code(error)
    count_error(shown["extensions"]["code"])
    if error.locations:
        places = error.locations[:MOST_LOCATIONS]
        shown["locations"] = [{"line": place.line, "column": place.column} for place in places]
    if error.path:
        shown["path"] = error.path
    return shown


def _text_and_code(error: GraphQLError) -> Answer:
    cause = _cause(error)
    if isinstance(cause, RequestFault):
        return _said(str(cause), {**(error.extensions or {}), **cause.more, "code": cause.code})
    if isinstance(cause, RecursionError):
        return _said("The request nests too deeply.", {"code": "LIMIT_EXCEEDED"})
    if cause is None:  # GraphQL's own: the document, or a value in it
        return _said(_without_suggestions(error.message), {"code": "BAD_REQUEST", **(error.extensions or {})})
    if (text := _misfit(cause)) is not None:
        return _said(text, {"code": "BAD_REQUEST"})
    return _masked(cause)


def _said(text: str, extensions: dict[str, Any]) -> Answer:
    short = text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}..."
    return {"message": short.encode(errors="replace").decode(), "extensions": extensions}


def _masked(cause: Exception) -> Answer:
    """Our own fault: the client reads a number, which leads to the traceback in the log."""
    reference = secrets.token_hex(4)
    log.error("Internal error %s", reference, exc_info=cause)
    return _said(f"Internal error, reference {reference}", {"code": "INTERNAL"})


def _cause(error: GraphQLError) -> Exception | None:
    """What was raised first, below all the errors of GraphQL that were wrapped around it."""
    cause: Exception | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _misfit(cause: Exception) -> str | None:
    """A document that holds no operation that could be run here."""
    match cause:
        case MissingQueryError():
            return "There is no `query` in the request."
        case CannotGetOperationTypeError(operation_name=str(name)):
            return f"The document has no operation named {name!r}."
        case CannotGetOperationTypeError():
            return "The document has no operation."
        case InvalidOperationTypeError():
            return "Subscriptions come over the WebSocket at this address, not over POST."
    return None


def _without_suggestions(message: str) -> str:
    """Names that exist are no business of who guesses."""
    return message.partition(" Did you mean ")[0]


def _as_graphql(error: Exception) -> GraphQLError:
    return error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)
