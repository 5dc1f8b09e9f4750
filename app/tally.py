"""What is remembered of an operation that was answered? It is counted and timed, and a slow one is told."""

import logging
from time import monotonic
from typing import Any

from graphql import FieldNode, GraphQLError, OperationDefinitionNode
from strawberry import Schema

from app.answers import Answer
from app.metrics import Metrics
from app.operations import Operation
from models.errors import RequestFault
from schema.documents import Document, known

SLOW = 1.0
"""Seconds from which an operation has a line of its own in the log. There is none for each request: at load that
would be too much to keep, and to read."""

BETWEEN_LINES = 1.0
"""Seconds from one such line to the next, which says how many others there were: when all are slow, one tells."""

MOST_FIELDS = 10

log = logging.getLogger(__name__)


class Tally:
    """Of one application."""

    def __init__(self, schema: Schema, metrics: Metrics) -> None:
        self._schema = schema._schema
        self._metrics = metrics
        self._told_at = -BETWEEN_LINES
        self._others = 0

    def answered(self, operation: Operation | None, answer: Answer, seconds: float) -> None:
        """A query or a mutation, or that a subscription began; None where what came was no operation."""
        errors = answer.get("errors", ())
        codes = [error["extensions"]["code"] for error in errors]
        document = self._document(operation) if operation is not None and "data" in answer else None
        kind = document.type_of(operation.name).value if document and operation else "none"
        self._metrics.answered(kind, _outcome(codes, has_begun="data" in answer), seconds)
        if seconds > SLOW:
            fields = _root_fields(document, operation.name) if document and operation else []
            self._tell(kind, {"fields": fields, "seconds": round(seconds, 3), "codes": codes})

    def _tell(self, kind: str, about: dict[str, Any]) -> None:
        if monotonic() - self._told_at < BETWEEN_LINES:
            self._others += 1
            return
        log.warning("Slow: %s", kind, extra={**about, "others": self._others})
        self._told_at, self._others = monotonic(), 0

    def _document(self, operation: Operation) -> Document | None:
        """It was read a moment ago, and is known unless it is very long."""
        try:
            return known(operation.query, self._schema)
        except (RequestFault, GraphQLError):
            return None


def _outcome(codes: list[str], *, has_begun: bool) -> str:
    if not codes:
        return "answered"
    if "INTERNAL" in codes:
        return "failed"
    return "with_errors" if has_begun else "refused"


def _root_fields(document: Document, name: str | None) -> list[str]:
    """What was asked for first, in the schema's words: names that the client chose may say anything."""
    for each in document.node.definitions:
        if isinstance(each, OperationDefinitionNode) and (not name or (each.name and each.name.value == name)):
            chosen = each.selection_set.selections
            return [field.name.value for field in chosen if isinstance(field, FieldNode)][:MOST_FIELDS]
    return []
