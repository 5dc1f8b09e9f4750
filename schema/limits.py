"""How much may one document ask for? Counted before anything is validated or compiled, each fragment once.

* characters and tokens: what parsing costs;
* depth: fields below fields;
* root fields, aliases, directives, variables, operations: what multiplies work at little cost to its author;
* fields: what the statement has to be made for, each fragment counted wherever it is spread;
* values: what the answer could hold, page sizes times nesting, with the sizes that variables give.

How deep a statement may nest besides is for the engine to say: `resolvers.dialects.parses`.
"""

from collections.abc import Mapping, Sized
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from models.errors import LimitExceeded

CHARACTERS = 64 * 1024
TOKENS = 3_000
DEPTH = 20
FIELDS = 300
VALUES = 50_000
ROOT_FIELDS = 10
ALIASES = 100
DIRECTIVES = 60
VARIABLES = 60
OPERATIONS = 20
FIELDS_OF_OBJECT = 60
ITEMS_OF_LIST = 100

LONGEST_NUMBER = 10
PAGE = 20
LARGEST_PAGE = 100
SHORT_LIST = 10
SHORT_LIST_OF_SCHEMA = 4
"""What a list without pages is reckoned at; the schema itself is known, small and asked for as a whole."""

LONG_TEXTS, LONG_TEXT = frozenset({"body"}), 15
"""The fields whose texts may be long, and at how many values such a text is reckoned."""


class Cost(NamedTuple):
    """What lies below a place: how many values, how deep, and how many fields a statement is made for."""

    values: int
    depth: int
    fields: int


class Measure:
    """Measures one document with its variables. Raises LimitExceeded, which says which limit.

    `sizes` are the variables that the measure depends on.
    """

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self.sizes: set[str] = set()
        self._schema = schema
        self._variables = variables
        self._fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
        within("operations", len(operations), OPERATIONS)
        for operation in operations:
            self._operation(operation)

    def _operation(self, operation: OperationDefinitionNode) -> None:
        """Each by itself: the same variable may have another default in another operation."""
        self._known: dict[tuple[str, int | None], Cost] = {}
        self._aliases, self._directives = 0, len(operation.directives or ())
        declared = operation.variable_definitions or ()
        self._defaults = {each.variable.name.value: each.default_value for each in declared}
        within("variables", len(declared), VARIABLES)
        within("root fields", self._roots(operation.selection_set, set()), ROOT_FIELDS)
        below = self._below(operation.selection_set, self._schema.get_root_type(operation.operation), None)
        within("aliases", self._aliases, ALIASES)
        within("directives", self._directives, DIRECTIVES)
        within("levels", below.depth, DEPTH)
        within("fields", below.fields, FIELDS)
        within("values in the answer", below.values, VALUES)

    def _roots(self, selected: SelectionSetNode, seen: set[str]) -> int:
        """How many root fields there are, in fragments as well; each fragment counts once, as it runs."""
        count = 0
        for node in selected.selections:
            if isinstance(node, FieldNode):
                count += 1
            elif isinstance(node, InlineFragmentNode):
                count += self._roots(node.selection_set, seen)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                seen.add(node.name.value)
                if fragment := self._fragments.get(node.name.value):
                    count += self._roots(fragment.selection_set, seen)
        return count

    def _below(self, selected: SelectionSetNode, parent: GraphQLNamedType | None, page: int | None) -> Cost:
        within("fields of one object", len(selected.selections), FIELDS_OF_OBJECT)
        costs = [self._selected(node, parent, page) for node in selected.selections]
        return Cost(
            sum(cost.values for cost in costs),
            max(cost.depth for cost in costs),
            sum(cost.fields for cost in costs),
        )

    def _selected(self, node: SelectionNode, parent: GraphQLNamedType | None, page: int | None) -> Cost:
        self._directives += len(node.directives or ())
        if isinstance(node, FieldNode):
            return self._field(node, parent, page)
        if isinstance(node, FragmentSpreadNode):
            return self._fragment(node.name.value, page)
        assert isinstance(node, InlineFragmentNode)
        inside = self._schema.get_type(node.type_condition.name.value) if node.type_condition else parent
        return self._below(node.selection_set, inside, page)

    def _fragment(self, name: str, page: int | None) -> Cost:
        """Measured once for each size of the page around it; cycles are for the validation to tell."""
        if (name, page) not in self._known:
            self._known[name, page] = Cost(0, 0, 0)
            if fragment := self._fragments.get(name):
                inside = self._schema.get_type(fragment.type_condition.name.value)
                self._known[name, page] = self._below(fragment.selection_set, inside, page)
        return self._known[name, page]

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None, page: int | None) -> Cost:
        self._aliases += node.alias is not None
        if node.selection_set is None:
            return Cost(LONG_TEXT if node.name.value in LONG_TEXTS else 1, 1, 1)
        definition = None
        if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            definition = self._schema.get_field(parent, node.name.value)
        if definition is None:  # the validation will say so
            below = self._below(node.selection_set, None, None)
            return Cost(1 + below.values, 1 + below.depth, 1 + below.fields)
        is_list = is_list_type(get_nullable_type(definition.type))
        size = self._page(node) if "first" in definition.args else None
        below = self._below(node.selection_set, get_named_type(definition.type), None if is_list else size)
        times = (size or page or self._length(node) or _reckoned(parent)) if is_list else 1
        fields = 0 if node.name.value.startswith("__") else 1 + below.fields  # no statement answers these
        return Cost(1 + times * below.values, 1 + below.depth, fields)

    def _page(self, node: FieldNode) -> int:
        """The size of the page that is asked for; what is no size is refused later, by its name."""
        given = [self._value(each.value) for each in node.arguments or () if each.name.value in ("first", "last")]
        sizes = [size for size in given if isinstance(size, int | float) and size > 0]  # 100.0 is 100 in JSON
        return int(min(max(sizes), LARGEST_PAGE)) if sizes else PAGE

    def _length(self, node: FieldNode) -> int | None:
        """How many ids are looked up."""
        for argument in node.arguments or ():
            if argument.name.value == "ids":
                value = self._value(argument.value)
                return min(len(value), LARGEST_PAGE) if isinstance(value, Sized) else LARGEST_PAGE
        return None

    def _value(self, node: ValueNode) -> Any:
        if isinstance(node, VariableNode):
            name = node.name.value
            self.sizes.add(name)
            default = self._defaults.get(name)
            return self._value(default) if default and name not in self._variables else self._variables.get(name)
        if isinstance(node, IntValueNode):
            return int(node.value) if len(node.value) < LONGEST_NUMBER else None
        return node.values if isinstance(node, ListValueNode) else None


def _reckoned(parent: GraphQLNamedType | None) -> int:
    return SHORT_LIST_OF_SCHEMA if parent is not None and parent.name.startswith("__") else SHORT_LIST


def within(what: str, count: int, most: int) -> None:
    """Raises LimitExceeded when there are more than that."""
    if count > most:
        raise LimitExceeded(f"The document asks for too much: {count} {what}, {most} are allowed.")
