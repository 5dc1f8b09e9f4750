"""What does a document ask for? The only walk over its syntax: from `info` to a selection and its values.

A field of a known document is walked once for each shape of the variables; after that only the values are
picked. Documents are kept by their text (`schema.documents`), so their nodes are recognized by identity.
"""

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from functools import partial
from typing import Any, NamedTuple

import strawberry
from graphql import (
    BooleanValueNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    SelectionNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_object_type,
    value_from_ast,
)

from models.errors import LimitExceeded
from models.mailboxes import MailFolder
from resolvers.asked import NOTHING, Argument, Asked, Field, Fields, Selection, Slot
from schema.limits import FIELDS_OF_OBJECT, ITEMS_OF_LIST, within

CHOICES = (MailFolder,)
"""Enumerations whose value decides which statement is made."""

WALKS = 200
"""Walks of one operation that are kept: of its root fields, for each shape of the variables."""

Pick = Callable[[Mapping[str, Any]], Any]
Shape = Argument
LEAF = Slot(-1)
"""The shape of a value that goes into a slot."""
TOO_LONG = Slot(-2)
"""The shape of a list that no argument of what is read takes; a mutation may refuse it in its own words."""


def asked(info: strawberry.Info[Any, Any]) -> Asked:
    """What was asked of the root field that is being resolved."""
    raw = info._raw_info
    variables = raw.variable_values.coerced
    shapes = tuple((name, shape_of(value)) for name, value in variables.items())
    field, picks = _walked(raw, shapes)
    return Asked(field, tuple([pick(variables) for pick in picks]))


def shape_of(value: Any) -> Shape:
    """What of a variable's value decides the statement: all but its leaves."""
    if value is None or isinstance(value, (bool, *CHOICES)):
        return value
    if isinstance(value, list):
        return tuple(shape_of(item) for item in value) if len(value) <= ITEMS_OF_LIST else TOO_LONG
    if isinstance(value, dict):
        return Fields(tuple((name, shape_of(item)) for name, item in value.items()))
    return LEAF


class _Walked(NamedTuple):
    field: Field
    picks: tuple[Pick, ...]


_kept: dict[int, dict[Any, _Walked]] = {}
"""The walks of each operation that is alive. They go with it: what is kept here keeps no document."""


def _walked(raw: GraphQLResolveInfo[Any], shapes: tuple[tuple[str, Shape], ...]) -> _Walked:
    walks = _kept.get(id(raw.operation))
    if walks is None:
        walks = _kept[id(raw.operation)] = {}
        weakref.finalize(raw.operation, _kept.pop, id(raw.operation), None)
    place = (*map(id, raw.field_nodes), shapes)
    found = walks.get(place)
    if found is None:
        walk = _Walk(raw, dict(shapes))
        found = _Walked(walk.field(raw.parent_type, raw.field_nodes), tuple(walk.picks))
        if len(walks) >= WALKS:
            walks.clear()
        walks[place] = found
    return found


class _Walk:
    """One walk below a root field."""

    def __init__(self, raw: GraphQLResolveInfo[Any], shapes: dict[str, Shape]) -> None:
        self.picks: list[Pick] = []
        self._schema = raw.schema
        self._fragments = raw.fragments
        self._shapes = shapes

    def field(self, parent: GraphQLObjectType, nodes: list[FieldNode]) -> Field:
        """The field that these nodes, which share a response key, ask for together."""
        node = nodes[0]
        name = node.name.value
        key = node.alias.value if node.alias else name
        if name == "__typename":
            return Field(key, name)
        definition = parent.fields[name]
        return Field(key, name, self._arguments(parent, node), self._selection(definition.type, nodes))

    # -------------------------------------------------------------------------------- selections

    def _selection(self, type_: GraphQLOutputType, nodes: list[FieldNode]) -> Selection:
        named = get_named_type(type_)
        selected = [item for node in nodes if node.selection_set for item in node.selection_set.selections]
        if is_object_type(named):
            return Selection(((named.name, self._selected(named, selected)),))
        if is_abstract_type(named):
            possible = self._schema.get_possible_types(named)
            return Selection(tuple((each.name, self._selected(each, selected)) for each in possible))
        return NOTHING

    def _selected(self, parent: GraphQLObjectType, selected: list[SelectionNode]) -> tuple[Field, ...]:
        by_key: dict[str, list[FieldNode]] = {}
        for node in self._collect(parent, selected, set()):
            by_key.setdefault(node.alias.value if node.alias else node.name.value, []).append(node)
        within("fields of one object", len(by_key), FIELDS_OF_OBJECT)
        return tuple(self.field(parent, nodes) for nodes in by_key.values())

    def _collect(
        self, parent: GraphQLObjectType, selected: Iterable[SelectionNode], seen: set[str]
    ) -> Iterator[FieldNode]:
        """The fields that apply to this type, each fragment looked into once."""
        for node in selected:
            if not self._is_included(node):
                continue
            if isinstance(node, FieldNode):
                yield node
                continue
            fragment: Any = node
            if isinstance(node, FragmentSpreadNode):
                if node.name.value in seen:
                    continue
                seen.add(node.name.value)
                fragment = self._fragments[node.name.value]
            if self._applies(fragment, parent):
                yield from self._collect(parent, fragment.selection_set.selections, seen)

    def _applies(self, fragment: Any, parent: GraphQLObjectType) -> bool:
        if fragment.type_condition is None or fragment.type_condition.name.value == parent.name:
            return True
        condition = self._schema.get_type(fragment.type_condition.name.value)
        return is_abstract_type(condition) and self._schema.is_sub_type(condition, parent)

    def _is_included(self, node: SelectionNode) -> bool:
        for directive in node.directives or ():
            wanted = {"include": True, "skip": False}.get(directive.name.value)
            if wanted is None:
                continue
            (value,) = (argument.value for argument in directive.arguments or ())
            known = (
                self._shapes.get(value.name.value)
                if isinstance(value, VariableNode)
                else isinstance(value, BooleanValueNode) and value.value
            )
            if known is not wanted:
                return False
        return True

    # --------------------------------------------------------------------------------- arguments

    def _arguments(self, parent: GraphQLObjectType, node: FieldNode) -> Fields:
        """What a field is given; the input of a mutation is for its method alone."""
        if parent is self._schema.mutation_type:
            return Fields(())
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        definitions = parent.fields[node.name.value].args
        return self._fields(given, {name: definitions[name].type for name in given})

    def _fields(self, given: Mapping[str, ValueNode], types: Mapping[str, GraphQLInputType]) -> Fields:
        """Arguments or the fields of an input object; what a missing variable stands for is not given."""
        return Fields(
            tuple(
                (name, self._argument(node, types[name]))
                for name, node in given.items()
                if not (isinstance(node, VariableNode) and node.name.value not in self._shapes)
            )
        )

    def _argument(self, node: ValueNode, type_: GraphQLInputType) -> Argument:
        if isinstance(node, VariableNode):
            name = node.name.value
            return self._from_variable(self._shapes.get(name), (name,))
        if isinstance(node, NullValueNode):
            return None
        wanted = get_nullable_type(type_)
        if isinstance(wanted, GraphQLList):
            items = node.values if isinstance(node, ListValueNode) else (node,)
            within("items of one list", len(items), ITEMS_OF_LIST)
            return tuple(self._argument(item, wanted.of_type) for item in items)
        if isinstance(wanted, GraphQLInputObjectType) and isinstance(node, ObjectValueNode):
            given = {field.name.value: field.value for field in node.fields}
            return self._fields(given, {name: wanted.fields[name].type for name in given})
        value = value_from_ast(node, type_)
        return value if isinstance(value, (bool, *CHOICES)) else self._slot(partial(_constant, _plain(value)))

    def _from_variable(self, shape: Shape, path: tuple[str | int, ...]) -> Argument:
        if shape == TOO_LONG:
            raise LimitExceeded(f"A list takes at most {ITEMS_OF_LIST} items.")
        if isinstance(shape, Slot):
            return self._slot(partial(_dig, path))
        if isinstance(shape, tuple):
            return tuple(self._from_variable(item, (*path, place)) for place, item in enumerate(shape))
        if isinstance(shape, Fields):
            return Fields(tuple((name, self._from_variable(item, (*path, name))) for name, item in shape.given))
        return shape

    def _slot(self, pick: Pick) -> Slot:
        self.picks.append(pick)
        return Slot(len(self.picks) - 1)


def _constant(value: Any, _: Mapping[str, Any]) -> Any:
    return value


def _dig(path: tuple[str | int, ...], variables: Mapping[str, Any]) -> Any:
    value: Any = variables
    for step in path:
        value = value[step]
    return _plain(value)


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value
