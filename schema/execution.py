"""How does an operation run? In a straight line; a subscription as far as the source of its events."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import strawberry
from graphql import GraphQLError, create_source_event_stream, execute
from graphql.execution.collect_fields import collect_fields
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from models.errors import BadRequest
from resolvers.subscription import Subscription
from schema.documents import Document, known
from schema.projected import Executor

ALL_TYPES = tuple(OperationType)

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
        root_value: Any = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] = ALL_TYPES,
        *,
        charge: Charge | None = None,
    ) -> ExecutionResult:
        """The answer. No extension wants to stand in between, so the document goes straight to graphql-core: a
        tenth of the time of a page.

        Raises what `schema.documents.known`, `admit` and `charge` raise, and Strawberry's errors for a document
        without an operation that may run here.
        """
        document, operation_type = self._known(query, variable_values, operation_name)
        if operation_type not in allowed_operation_types:
            raise InvalidOperationTypeError(operation_type)
        if document.faults:
            return ExecutionResult(data=None, errors=document.faults)
        if charge is not None:
            charge(document.fields(operation_name))
        result: Any = execute(
            self._schema,
            document.node,
            root_value=root_value,
            context_value=context_value,
            variable_values=variable_values,
            operation_name=operation_name,
            executor_class=Executor,
        )
        answer = result if hasattr(result, "data") else await result
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
        document, operation_type = self._known(query, variable_values, operation_name)
        if operation_type is not OperationType.SUBSCRIPTION or document.faults:
            return await self.execute(query, variable_values, context_value, None, operation_name, charge=charge)
        executor = Executor.build(
            self._schema,
            document.node,
            context_value=context_value,
            raw_variable_values=variable_values,
            operation_name=operation_name,
        )
        if isinstance(executor, list):
            return ExecutionResult(data=None, errors=executor)
        key = _key(executor)
        found: Any = create_source_event_stream(executor)
        source = await found if executor.is_awaitable(found) else found
        if hasattr(source, "errors"):
            return ExecutionResult(data=None, errors=[_without_path(error) for error in source.errors])
        return Events(key, source)

    def _known(
        self, query: str | None, variable_values: dict[str, Any] | None, operation_name: str | None
    ) -> tuple[Document, OperationType]:
        """The document, admitted, and the type of the operation that is meant."""
        if not query:
            raise MissingQueryError
        document = known(query, self._schema)
        document.admit(operation_name, variable_values or {})
        return document, document.type_of(operation_name)


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
