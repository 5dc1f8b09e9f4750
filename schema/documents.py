"""Which documents are known? Parsed, measured and validated once, kept by their text."""

import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    parse,
    specified_rules,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document

from models.errors import BadRequest, LimitExceeded
from schema.limits import CHARACTERS, TOKENS, Measure

KNOWN = 500
LONGEST_KNOWN = 8 * 1024
"""Longer texts are read each time: what is kept has to be bounded."""

MEASURES = 64

_NUL = re.compile(r"\\u(0000|\{0+\})")


class Documents(SchemaExtension):
    """Takes parsing and validation over. What is too much never reaches the validation."""

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        text = context.query or ""
        if len(text) > CHARACTERS:
            raise LimitExceeded(f"The document has more than {CHARACTERS} characters.")
        if _NUL.search(text):
            raise BadRequest("The character NUL has no place in a text.")
        read = _known if len(text) <= LONGEST_KNOWN else _read
        known = read(text, context.schema._schema) if text else None
        if known is not None:
            if known.operations > 1 and context._provided_operation_name is None:
                raise BadRequest("The document has several operations: say in `operationName` which is meant.")
            known.admit(context.variables or {})
            context.graphql_document = known.document
            context.pre_execution_errors = known.faults
        yield


class _Document:
    """A document that was parsed, and what the validation says of it."""

    def __init__(self, text: str, schema: GraphQLSchema) -> None:
        self.document = _parsed(text)
        self.operations = sum(isinstance(each, OperationDefinitionNode) for each in self.document.definitions)
        self._schema = schema
        self._sizes: set[str] = set()
        self._measured: set[str] = set()

    def admit(self, variables: dict[str, Any]) -> None:
        """Measures it, and again for other page sizes where they are variables. Raises LimitExceeded."""
        if self._given(variables) not in self._measured:
            self._sizes = Measure(self._schema, self.document, variables).sizes
            if len(self._measured) >= MEASURES:
                self._measured.clear()
            self._measured.add(self._given(variables))

    def _given(self, variables: dict[str, Any]) -> str:
        """The values that the measure depends on; one that is left out is another than null: it has a default."""
        return repr([variables.get(name, ...) for name in sorted(self._sizes)])

    @cached_property
    def faults(self) -> list[GraphQLError]:
        return validate_document(self._schema, self.document, tuple(specified_rules))


def _read(text: str, schema: GraphQLSchema) -> _Document:
    return _Document(text, schema)


_known = lru_cache(maxsize=KNOWN)(_read)


def _parsed(text: str) -> DocumentNode:
    try:
        return parse(text, max_tokens=TOKENS)
    except GraphQLSyntaxError as error:
        if f"more than {TOKENS} tokens" in error.message:
            raise LimitExceeded(f"The document has more than {TOKENS} tokens.") from None
        if "nested too deeply" in error.message:
            raise LimitExceeded("The document nests too deeply.") from None
        raise
