"""How does an operation run? A query or a mutation in a straight line; a subscription as Strawberry streams it."""

from collections.abc import Iterable
from typing import Any

import strawberry
from graphql import execute
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from schema.documents import known
from schema.projected import Executor

ALL_TYPES = tuple(OperationType)


class Schema(strawberry.Schema):
    """Errors are logged where they are shown (`app.answers`), each once."""

    async def execute(  # type: ignore[override]
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any = None,
        root_value: Any = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] = ALL_TYPES,
    ) -> ExecutionResult:
        """The answer. No extension wants to stand in between, so the document goes straight to graphql-core: a
        tenth of the time of a page.

        Raises what `schema.documents.known` and `admit` raise, and Strawberry's errors for a document without
        an operation that may run here.
        """
        if not query:
            raise MissingQueryError
        document = known(query, self._schema)
        document.admit(operation_name, variable_values or {})
        operation_type = document.type_of(operation_name)
        if operation_type not in allowed_operation_types:
            raise InvalidOperationTypeError(operation_type)
        if document.faults:
            return ExecutionResult(data=None, errors=document.faults)
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

    def process_errors(self, errors: Any, execution_context: Any = None) -> None:
        """Nothing: a client's mistake is no event for the log."""
