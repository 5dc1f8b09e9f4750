"""How does an operation run? In a straight line; a subscription as far as the source of its events."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import accumulate
from typing import Any, NamedTuple

import orjson
import strawberry
from graphql import GraphQLError, create_source_event_stream
from graphql.execution.collect_fields import collect_fields
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from models.database.backend import LONGEST_ANSWER, too_long
from models.errors import BadRequest
from resolvers.compiling import aside
from resolvers.subscription import Subscription
from schema.documents import Document, known
from schema.projected import Executor

ALL_TYPES = tuple(OperationType)

SHORT = 1024
"""Letters of a document that is read at once."""

Charge = Callable[[Mapping[str, int]], None]
"""Is told, before an operation runs, how often it asks for each field; may raise a fault of the request."""


class Events(NamedTuple):
    """The events of a subscription, and the key of each one's value in the answer."""

    key: str
    source: Subscription


class Schema(strawberry.Schema):
    """Runs operations itself: Strawberry's own ways to do so are not used, and know nothing of the limits. Errors
    are logged where they are shown (`app.answers`), each once."""

    async def execute(  # type: ignore[override]
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any = None,
        root_value: Any = None,  # noqa: ARG002
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] = ALL_TYPES,
        *,
        charge: Charge | None = None,
    ) -> ExecutionResult:
        """The answer. No extension wants to stand in between, so the document goes straight to an executor: a
        tenth of the time of a page.

        Raises what `schema.documents.known`, `admit` and `charge` raise, LimitExceeded for too long an answer, and
        Strawberry's errors for a document without an operation that may run here.
        """
        document, operation_type = await self._read(query, variable_values, context_value, operation_name)
        if operation_type not in allowed_operation_types:
            raise InvalidOperationTypeError(operation_type)
        if document.faults:
            return ExecutionResult(data=None, errors=document.faults)
        if charge is not None:
            charge(document.fields(operation_name))
        executor = self._executor(document, variable_values, context_value, operation_name)
        if isinstance(executor, list):
            return ExecutionResult(data=None, errors=executor)
        result: Any = executor.execute_operation()
        answer = await result if executor.is_awaitable(result) else result
        if operation_type is OperationType.QUERY and _is_too_long(answer.data):
            raise too_long()  # what a mutation did is done, and said whatever its length
        return ExecutionResult(data=answer.data, errors=answer.errors)

    async def open(
        self,
        query: str,
        variable_values: dict[str, Any] | None,
        context_value: Any,
        operation_name: str | None,
        *,
        charge: Charge | None = None,
    ) -> Events | ExecutionResult:
        """The events of a subscription, or the answer to any other operation, and to a subscription that cannot
        begin. Raises what `execute` raises."""
        document, operation_type = await self._read(query, variable_values, context_value, operation_name)
        if operation_type is not OperationType.SUBSCRIPTION or document.faults:
            return await self.execute(query, variable_values, context_value, None, operation_name, charge=charge)
        executor = self._executor(document, variable_values, context_value, operation_name)
        if isinstance(executor, list):
            return ExecutionResult(data=None, errors=executor)
        key = _key(executor)
        found: Any = create_source_event_stream(executor)
        source = await found if executor.is_awaitable(found) else found
        if hasattr(source, "errors"):
            return ExecutionResult(data=None, errors=[_without_path(error) for error in source.errors])
        return Events(key, source)

    async def _read(
        self, query: str | None, variable_values: dict[str, Any] | None, context_value: Any, name: str | None
    ) -> tuple[Document, OperationType]:
        """The document, admitted, and the type of the operation that is meant. A long one that is new is read
        aside: nobody else waits for it."""
        if not query:
            raise MissingQueryError
        values = variable_values or {}
        document = known(query, self._schema)
        if len(query) > SHORT and not document.is_looked_into(values):
            viewer = getattr(context_value, "identity", None)
            await aside(viewer, partial(document.look_into, name, values))
        document.admit(name, values)
        return document, document.type_of(name)

    def _executor(
        self,
        document: Document,
        variable_values: dict[str, Any] | None,
        context_value: Any,
        operation_name: str | None,
    ) -> Any:
        """What runs the operation, or what is wrong with its variables."""
        return Executor.build(
            self._schema,
            document.node,
            context_value=context_value,
            raw_variable_values=variable_values,
            operation_name=operation_name,
        )


def _is_too_long(answer: Mapping[str, Any] | None) -> bool:
    """Whether several fields, none of which is too long, are that together."""
    if answer is None or len(answer) == 1:
        return False
    lengths = accumulate(len(orjson.dumps(value)) for value in answer.values())
    return any(length > LONGEST_ANSWER for length in lengths)


def _without_path(error: GraphQLError) -> GraphQLError:
    """There is no answer in which the error would have a place."""
    return GraphQLError(error.message, error.nodes, original_error=error.original_error)


def _key(executor: Any) -> str:
    """The response key of a subscription's one root field. Raises BadRequest where a directive leaves it out."""
    fields = collect_fields(
        executor.schema,
        executor.fragments,
        executor.variable_values,
        executor.schema.subscription_type,
        executor.operation,
        executor.hide_suggestions,
    ).grouped_field_set
    for key in fields:
        return str(key)
    raise BadRequest("The subscription selects nothing.")
