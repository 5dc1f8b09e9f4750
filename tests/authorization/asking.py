"""How is everything asked of a type? Every field of it that needs no arguments, one level deep."""

from functools import cache
from typing import Any

from graphql import GraphQLField, GraphQLObjectType, get_named_type, is_leaf_type, is_required_argument

from schema import schema

TYPES: Any = schema._schema.type_map


@cache
def everything(type_name: str) -> str:
    """A selection of all fields of the type."""
    fields: dict[str, GraphQLField] = TYPES[type_name].fields
    return " ".join(["__typename", *(asked(name, field) for name, field in fields.items() if _is_free(field))])


def asked(name: str, field: GraphQLField) -> str:
    """A selection of one field."""
    named = get_named_type(field.type)
    if is_leaf_type(named):
        return name
    if isinstance(named, GraphQLObjectType) and "nodes" in named.fields:
        return f"{name} {{ nodes {{ __typename }} }}"
    return f"{name} {{ __typename }}"


@cache
def mutation(name: str) -> str:
    """A document that does it, and shows all of the answer."""
    capital = f"{name[0].upper()}{name[1:]}"
    takes = f"{capital}Input" in TYPES
    head, call = (f"($input: {capital}Input!)", "(input: $input)") if takes else ("", "")
    answer: Any = get_named_type(schema._schema.mutation_type.fields[name].type)  # type: ignore[union-attr]
    shown = everything(f"{capital}Payload")
    if hasattr(answer, "types"):
        refusals = "... on UserError { code reason }"
        if "InvalidInputError" in {each.name for each in answer.types}:
            refusals += " ... on InvalidInputError { field }"
        shown = f"__typename ... on {capital}Payload {{ {shown} }} {refusals}"
    return f"mutation{head} {{ {name}{call} {{ {shown} }} }}"


@cache
def node(type_name: str, selection: str) -> str:
    return f"query($id: ID!) {{ node(id: $id) {{ __typename ... on {type_name} {{ {selection} }} }} }}"


def _is_free(field: GraphQLField) -> bool:
    return not any(is_required_argument(argument) for argument in field.args.values())
