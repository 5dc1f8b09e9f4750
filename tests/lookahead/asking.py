"""What do tests of the look-ahead ask with? A document's answer by its code, and many fields at once."""

from typing import Any

from graphql import parse

from models.errors import LimitExceeded
from schema import schema
from schema.limits import Measure


def aliased(field: str, count: int, prefix: str = "a") -> str:
    """The same field so many times, each under a key of its own."""
    return " ".join(f"{prefix}{number}: {field}" for number in range(count))


def code_of(answer: dict[str, Any]) -> str | None:
    """The code of the only error; None of an answer without."""
    if "errors" not in answer:
        return None
    (error,) = answer["errors"]
    code: str = error["extensions"]["code"]
    return code


def is_admitted(document: str, **variables: Any) -> bool:
    """Whether the cost rule lets it through."""
    try:
        Measure(schema._schema, parse(document), variables)
    except LimitExceeded:
        return False
    return True
