"""What do tests of the look-ahead ask with? A document's answer by its code, and many fields at once."""

from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_required_argument,
    parse,
)

from models.errors import LimitExceeded
from schema import schema
from schema.limits import Measure


def aliased(field: str, count: int, prefix: str = "a") -> str:
    """The same field so many times, each under a key of its own."""
    return " ".join(f"{prefix}{number}: {field}" for number in range(count))


def arguments(definition: GraphQLField, *, size: int, id_: str = "Chat_1") -> str:
    """What a field has to be given, and how many items of a page."""
    parts = [f"first: {size}"] if "first" in definition.args else []
    for name, argument in definition.args.items():
        if name != "first" and is_required_argument(argument):
            named = get_named_type(argument.type)
            known = {"ID": f'"{id_}"', "String": '"а"', "Int": "1", "Boolean": "true"}
            value = next(iter(named.values)) if isinstance(named, GraphQLEnumType) else known[named.name]
            parts.append(f"{name}: {f'[{value}]' if is_list_type(get_nullable_type(argument.type)) else value}")
    return f"({', '.join(parts)})" if parts else ""


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
