"""How do Strawberry's types reach the look-ahead? Arguments as data, root fields, the executor, and the check
at start that every field has its entry."""

from collections.abc import Mapping
from typing import Any

import strawberry
from graphql import Executor as PlainExecutor
from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from strawberry.annotation import StrawberryAnnotation
from strawberry.extensions import FieldExtension
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField
from strawberry.types.unset import UNSET

from resolvers.lookahead import Finished
from resolvers.paging import PAGING, Page
from resolvers.projection import PROJECTIONS, Entry
from resolvers.viewer import look_up
from schema.selection import asked

Argument = tuple[Any, str]
"""The type of an optional argument, and its description."""

FORWARDS: Mapping[str, Argument] = {
    "first": (int, "How many items from the start, or after `after`: 1 to 100; 20 when left out."),
    "after": (str, "The cursor after which the page begins."),
}
BOTH_WAYS: Mapping[str, Argument] = {
    **FORWARDS,
    "last": (int, "How many items from the end, or before `before`: 1 to 100."),
    "before": (str, "The cursor before which the page ends."),
}


def looked_ahead(description: str, **arguments: Argument) -> Any:
    """A field that its parent's projection answers, with these arguments besides."""
    return strawberry.field(description=description, extensions=[_Takes(arguments)])


class LookAhead(FieldExtension):
    """Answers a root field by one statement for all that was selected below it."""

    async def resolve_async(self, next_: Any, source: Any, info: Any, **arguments: Any) -> Finished | None:  # noqa: ARG002
        return await look_up(info.context, asked(info))


class _Takes(FieldExtension):
    def __init__(self, arguments: Mapping[str, Argument]) -> None:
        self._arguments = arguments

    def apply(self, field: StrawberryField) -> None:
        field.arguments = [
            StrawberryArgument(
                python_name=name,
                graphql_name=None,
                type_annotation=StrawberryAnnotation(kind | None),
                description=description,
                default=UNSET,
            )
            for name, (kind, description) in self._arguments.items()
        ]


class Executor(PlainExecutor[None]):
    """Lets finished values through.

    It offers resolvers no helpers, for which ours do not ask: they would tie it to itself, so that each request
    left work for the collector.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.async_helpers = None  # type: ignore[assignment]

    def complete_value(
        self, return_type: Any, field_details_list: Any, info: Any, path: Any, result: Any, *rest: Any
    ) -> Any:
        if type(result) is Finished:
            return result.value
        return super().complete_value(return_type, field_details_list, info, path, result, *rest)


def check_projections(schema: GraphQLSchema) -> None:
    """Holds every field of every type against its projection. Raises TypeError that names each fault."""
    faults = [
        fault
        for name, type_ in schema.type_map.items()
        if is_object_type(type_) and not name.startswith("__") and not _answers_itself(type_, schema)
        for fault in _faults(type_)
    ]
    if faults:
        raise TypeError("The schema and the projections differ:\n" + "\n".join(faults))


def _answers_itself(type_: GraphQLObjectType, schema: GraphQLSchema) -> bool:
    """Mutations and subscriptions have methods; so have plain refusals, and lists are `Page`'s."""
    is_refusal = any(each.name == "UserError" for each in type_.interfaces) and type_.name not in PROJECTIONS
    is_list = type_.name.endswith(("Connection", "Edge")) or type_.name == "PageInfo"
    return is_refusal or is_list or type_ in (schema.mutation_type, schema.subscription_type)


def _faults(type_: GraphQLObjectType) -> list[str]:
    if type_.name not in PROJECTIONS:
        return [f"{type_.name} has no projection"]
    entries = PROJECTIONS[type_.name].entries
    faults = [f"{type_.name}.{name} is no field" for name in entries.keys() - type_.fields.keys()]
    for name, field in type_.fields.items():
        if name not in entries:
            faults.append(f"{type_.name}.{name} has no entry")
        else:
            faults += [f"{type_.name}.{name}: {fault}" for fault in _differences(field, entries[name])]
    return faults


def _differences(field: GraphQLField, entry: Entry) -> list[str]:
    named, nullable = get_named_type(field.type), get_nullable_type(field.type)
    taken = entry.arguments | (PAGING if isinstance(entry, Page) else frozenset())
    target = named.name if is_object_type(named) else None
    return [
        text
        for differs, text in (
            (entry.optional is is_non_null_type(field.type), "null or not"),
            (entry.is_list is not is_list_type(nullable), "a list or not"),
            (entry.target != target, f"leads to {entry.target}"),
            (not taken >= field.args.keys(), "takes not all arguments"),
            (not field.args.keys() >= entry.arguments, "takes more arguments"),
        )
        if differs
    ]
