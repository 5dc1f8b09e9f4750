"""Which documents are known? Parsed, measured and validated once, kept by their text."""

import re
from collections.abc import Mapping
from functools import lru_cache
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
from strawberry.schema.exceptions import CannotGetOperationTypeError
from strawberry.schema.schema import validate_document
from strawberry.types.graphql import OperationType

from models.errors import BadRequest, LimitExceeded
from schema.counted import fields_of
from schema.limits import CHARACTERS, TOKENS, Measure

KNOWN = 500
LONGEST_KNOWN = 8 * 1024
"""Longer texts are read each time: what is kept has to be bounded."""

MEASURES = 64

_NUL = re.compile(r"\\u(0000|\{0+\})")


def known(text: str, schema: GraphQLSchema) -> "Document":
    """The document. What is too much is refused before it is parsed. Raises LimitExceeded, BadRequest."""
    if len(text) > CHARACTERS:
        raise LimitExceeded(f"The document has more than {CHARACTERS} characters.")
    return _known(text, schema) if len(text) <= LONGEST_KNOWN else Document(text, schema)


class Document:
    """A document, and what the validation says of it. It is parsed when something of it is first asked for, on
    whatever thread; that raises LimitExceeded and GraphQLSyntaxError."""

    def __init__(self, text: str, schema: GraphQLSchema) -> None:
        if _NUL.search(text):
            raise BadRequest("The character NUL has no place in a text.")
        self._text = text
        self._schema = schema
        self._node: DocumentNode | None = None
        self._operations: dict[str | None, OperationType] | None = None
        self._faults: list[GraphQLError] | None = None
        self._sizes: set[str] = set()
        self._measured: set[str] = set()
        self._counted: dict[str | None, Mapping[str, int]] = {}

    @property
    def node(self) -> DocumentNode:
        if self._node is None:
            self._node = _parsed(self._text)
        return self._node

    @property
    def operations(self) -> dict[str | None, OperationType]:
        """Their types, by their names."""
        if self._operations is None:
            self._operations = {
                each.name.value if each.name else None: OperationType(each.operation.value)
                for each in self.node.definitions
                if isinstance(each, OperationDefinitionNode)
            }
        return self._operations

    @property
    def faults(self) -> list[GraphQLError]:
        if self._faults is None:
            self._faults = validate_document(self._schema, self.node, tuple(specified_rules))
        return self._faults

    def type_of(self, operation: str | None) -> OperationType:
        """Raises CannotGetOperationTypeError where the document has no such operation."""
        found = self.operations.get(operation) if operation else next(iter(self.operations.values()), None)
        if found is None:
            raise CannotGetOperationTypeError(operation)
        return found

    def admit(self, operation: str | None, variables: dict[str, Any]) -> None:
        """Measures it, and again for other page sizes where they are variables. Raises LimitExceeded, and
        BadRequest where it is not clear which operation is meant."""
        if len(self.operations) > 1 and operation is None:
            raise BadRequest("The document has several operations: say in `operationName` which is meant.")
        if self._given(variables) not in self._measured:
            self._sizes = Measure(self._schema, self.node, variables).sizes
            if len(self._measured) >= MEASURES:
                self._measured.clear()
            self._measured.add(self._given(variables))

    def look_into(self, operation: str | None, variables: dict[str, Any]) -> None:
        """All that takes its time with a long one. Raises what `admit` raises."""
        self.admit(operation, variables)
        _ = self.faults

    def is_looked_into(self, variables: dict[str, Any]) -> bool:
        """Whether nothing of that is left to do."""
        return self._faults is not None and self._given(variables) in self._measured

    def fields(self, operation: str | None) -> Mapping[str, int]:
        """How often the operation asks for each field, by name. For a document without faults."""
        if operation not in self._counted:
            self._counted[operation] = fields_of(self.node, operation)
        return self._counted[operation]

    def _given(self, variables: dict[str, Any]) -> str:
        """The values that the measure depends on; one that is left out is another than null: it has a default."""
        return repr([variables.get(name, ...) for name in sorted(self._sizes)])


_known = lru_cache(maxsize=KNOWN)(Document)


def _parsed(text: str) -> DocumentNode:
    try:
        return parse(text, max_tokens=TOKENS)
    except GraphQLSyntaxError as error:
        if f"more than {TOKENS} tokens" in error.message:
            raise LimitExceeded(f"The document has more than {TOKENS} tokens.") from None
        if "nested too deeply" in error.message:
            raise LimitExceeded("The document nests too deeply.") from None
        raise
