"""Is an answer what the schema promises? A walk over it with the schema's types."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLIncludeDirective,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLSkipDirective,
    execute_sync,
    get_directive_values,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
ID = re.compile(r"([A-Z][A-Za-z]*)_[1-9][0-9]*(?:_[A-Z]+)?", re.ASCII)

Found = Callable[[str, str, Any], None]
"""Hears of each plain value: the type of its object, its field, and the value."""


def assert_conforms(
    schema: GraphQLSchema,
    document: DocumentNode,
    variables: Mapping[str, Any],
    data: dict[str, Any],
    found: Found | None = None,
) -> None:
    """The answer has exactly the keys that were selected, in their order, each with a value of its type.

    The plain executor takes the answer itself as its source: it fails at a null that must not be, at what is
    no list, at an unknown name of an enumeration. It knows nothing of where the answer came from.
    """

    def resolve(source: Any, info: GraphQLResolveInfo[Any], **_: Any) -> Any:
        assert info.path.key in source, f"{info.path.as_list()} is missing in {source}"
        value = source[info.path.key]
        if is_leaf_type(get_named_type(info.return_type)):
            for each in value if isinstance(value, list) else [value]:
                if each is not None:
                    _check(info, each)
                    if found is not None:
                        found(info.parent_type.name, info.field_name, each)
        return value

    def type_of(value: Any, info: GraphQLResolveInfo[Any], _: Any) -> str:
        return _type_of(schema, value, info)

    walked: Any = execute_sync(
        schema,
        document,
        data,
        variable_values=dict(variables),
        field_resolver=resolve,
        type_resolver=type_of,
    )
    assert walked.errors is None, f"{walked.errors[0]} in {data}"
    assert _spelled(walked.data) == _spelled(data)


def _check(info: GraphQLResolveInfo[Any], value: Any) -> None:
    named = get_named_type(info.return_type)
    where = f"{info.parent_type.name}.{info.field_name}: {value!r} is no {named.name}"
    if isinstance(named, GraphQLEnumType):
        assert value in named.values, where
    elif named.name == "DateTime":
        assert isinstance(value, str) and MOMENT.fullmatch(value), where
    elif named.name == "ID":
        fits = ID.fullmatch(value)
        assert fits and (info.field_name != "id" or fits[1] == info.parent_type.name), where
    else:
        assert type(value) is {"String": str, "Int": int, "Boolean": bool}[named.name], where


def _type_of(schema: GraphQLSchema, value: Any, info: GraphQLResolveInfo[Any]) -> str:
    """The type whose selected fields are those of the value: nothing else in an answer tells it."""
    abstract: Any = get_named_type(info.return_type)
    for each in schema.get_possible_types(abstract):
        selected = dict(_selected(schema, info, each, info.field_nodes))
        if selected.keys() == value.keys() and all(
            _says(each, name, value[key]) for key, name in selected.items()
        ):
            return each.name
    raise AssertionError(f"{info.path.as_list()}: no type of {abstract} has these fields: {value}")


def _says(type_: GraphQLObjectType, field: str, value: Any) -> bool:
    """Whether the value of this field does not speak against the type."""
    if field == "id":
        return str(value).startswith(f"{type_.name}_")
    return field != "__typename" or value == type_.name


def _selected(
    schema: GraphQLSchema, info: GraphQLResolveInfo[Any], type_: GraphQLObjectType, nodes: Iterable[Any]
) -> Iterator[tuple[str, str]]:
    """The keys that are selected of an object of this type below these nodes, and the names of their fields."""
    for node in (item for each in nodes for item in each.selection_set.selections):
        if not _is_included(info, node):
            continue
        if isinstance(node, FieldNode):
            yield (node.alias or node.name).value, node.name.value
            continue
        fragment = info.fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
        on: Any = schema.type_map[fragment.type_condition.name.value] if fragment.type_condition else type_
        if on is type_ or (is_abstract_type(on) and schema.is_sub_type(on, type_)):
            yield from _selected(schema, info, type_, [fragment])


def _is_included(info: GraphQLResolveInfo[Any], node: Any) -> bool:
    variables: Any = info.variable_values
    skip = get_directive_values(GraphQLSkipDirective, node, variables)
    include = get_directive_values(GraphQLIncludeDirective, node, variables)
    return not (skip and skip["if"]) and not (include and not include["if"])


def _spelled(value: Any) -> str:
    return json.dumps(value)
