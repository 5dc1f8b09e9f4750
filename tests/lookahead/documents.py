"""Which documents are tried? Random ones, made from the schema: whatever a client may write, and hardly would."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from tests.lookahead.arguments import ABSENT, Pools, Variable, written

Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType

DEEPEST = 8
MOST_FIELDS = 60
"""Beyond this only plain values are added."""

UNTOLD = frozenset({"reason"})
"""Sentences are for people: what they say is not held against anything here."""


@dataclass
class Document:
    """A document and two sets of values for its variables."""

    text: str
    variables: tuple[dict[str, Any], dict[str, Any]]


def random_query(schema: GraphQLSchema, random: Random, pools: Pools) -> Document:
    writer = _Writer(schema, random, pools)
    return writer.document("query", writer.selection(_object(schema, "Query"), 0))


def random_mutation(schema: GraphQLSchema, random: Random, pools: Pools) -> Document:
    """One that must succeed, or must be refused with an object to read, and changes nothing."""
    name, given = random.choice(pools.idle)
    writer = _Writer(schema, random, pools)
    field_ = _object(schema, "Mutation").fields[name]
    arguments = f"(input: {given})" if given else ""
    selected = writer.selection(_composite(field_), 1)
    return writer.document("mutation", f"{{ {name}{arguments} {selected} }}")


def random_subscription(schema: GraphQLSchema, random: Random, pools: Pools, stream: str, after: int) -> Document:
    writer = _Writer(schema, random, pools)
    field_ = _object(schema, "Subscription").fields[stream]
    selected = writer.selection(_composite(field_), 1)
    return writer.document("subscription", f'{{ {stream}(after: "{after}") {selected} }}')


@dataclass
class _Writer:
    """One document while it is written."""

    schema: GraphQLSchema
    random: Random
    pools: Pools
    variables: dict[str, Variable] = field(default_factory=dict)
    fragments: dict[str, tuple[str, str]] = field(default_factory=dict)
    names: int = 0
    fields: int = 0

    def document(self, kind: str, selected: str) -> Document:
        declared = ", ".join(f"${name}: {each.declared}" for name, each in self.variables.items())
        head = f"{kind} {self.random.choice(('Q', '_1'))}({declared})" if declared else kind
        parts = [f"{head} {selected}", *(text for _, text in self.fragments.values())]
        if self.chance(0.3):
            parts.reverse()  # fragments may stand first
        return Document("\n".join(parts), (self.values(), self.values()))

    def values(self) -> dict[str, Any]:
        chosen = {name: each.value(self.random) for name, each in self.variables.items()}
        return {name: value for name, value in chosen.items() if value is not ABSENT}

    # -------------------------------------------------------------------------------- selections

    def selection(self, type_: Composite, depth: int) -> str:
        """Some fields of the type and fragments on it, in braces."""
        repeatable: list[tuple[str, Composite]] = []
        parts = [self.item(type_, depth, repeatable) for _ in range(self.random.randint(1, 5))]
        if repeatable and self.chance(0.2):
            head, below = self.random.choice(repeatable)
            parts.append(f"{head} {self.selection(below, depth + 1)}")  # merged with the one before
        return f"{{ {' '.join(parts)} }}"

    def item(self, type_: Composite, depth: int, repeatable: list[tuple[str, Composite]]) -> str:
        dice = self.random.random()
        if depth and depth < DEEPEST and dice < 0.12:
            return self.inline(type_, depth)
        if depth and depth < DEEPEST and dice < 0.24:
            return self.spread(type_, depth)
        fields = _fields(type_)
        if isinstance(type_, GraphQLUnionType | GraphQLInterfaceType) and self.chance(0.75) and depth < DEEPEST:
            return self.inline(type_, depth)
        if not fields or dice > 0.93:
            return self.typename()
        return self.field(type_, depth, repeatable)

    def typename(self) -> str:
        return f"{self.alias()}__typename{self.directives()}"

    def field(self, type_: Composite, depth: int, repeatable: list[tuple[str, Composite]]) -> str:
        fields = _fields(type_)
        crowded = depth >= DEEPEST or self.fields > MOST_FIELDS
        wanted = {name: each for name, each in fields.items() if not crowded or is_leaf_type(_named(each))}
        if not wanted:
            return self.typename()
        name = self.random.choice(list(wanted))
        definition = wanted[name]
        self.fields += 1
        arguments = self.arguments(definition, name)
        alias = self.alias(always=bool(arguments) or isinstance(type_, GraphQLInterfaceType))
        head = f"{alias}{name}{arguments}"
        if is_leaf_type(_named(definition)):
            return f"{head}{self.directives()}"
        below = _composite(definition)
        repeatable.append((head, below))
        return f"{head}{self.directives()} {self.selection(below, depth + 1)}"

    def inline(self, type_: Composite, depth: int) -> str:
        condition = self.random.choice([None, *self.overlapping(type_)])
        inside = self.schema.type_map[condition] if condition else type_
        head = f"... on {condition}" if condition else "..."
        return f"{head}{self.directives()} {self.selection(inside, depth + bool(condition is None))}"  # type: ignore[arg-type]

    def spread(self, type_: Composite, depth: int) -> str:
        overlapping = self.overlapping(type_)
        known = [name for name, (on, _) in self.fragments.items() if on in overlapping]
        if known and self.chance(0.6):
            name = self.random.choice(known)
        else:
            on = self.random.choice(overlapping)
            selected = self.selection(self.schema.type_map[on], depth + 1)  # type: ignore[arg-type]
            self.names += 1
            name = f"F{self.names}"
            self.fragments[name] = (on, f"fragment {name} on {on} {selected}")
        once = f"...{name}{self.directives()}"
        return f"{once} ...{name}" if self.chance(0.3) else once

    def overlapping(self, type_: Composite) -> list[str]:
        """The types that a fragment here may be on."""
        mine = {type_.name} if isinstance(type_, GraphQLObjectType) else _possible(self.schema, type_)
        abstract = [
            name
            for name, each in self.schema.type_map.items()
            if isinstance(each, GraphQLInterfaceType) and mine & _possible(self.schema, each)
        ]
        return sorted({*mine, *abstract})

    # --------------------------------------------------------------------------- aliases, directives

    def alias(self, *, always: bool = False) -> str:
        if not always and self.chance(0.8):
            return ""
        self.names += 1
        return f"a{self.names}: "

    def directives(self) -> str:
        if self.chance(0.85):
            return ""
        names = self.random.choice((["include"], ["skip"], ["include", "skip"], ["skip", "include"]))
        return "".join(f" @{name}(if: {self.condition(name)})" for name in names)

    def condition(self, directive: str) -> str:
        if self.chance(0.5):
            usual = directive == "include"
            return json.dumps(usual if self.chance(0.7) else not usual)
        declared, values = self.random.choice(
            (("Boolean!", (True, False)), ("Boolean! = true", (True, False, ABSENT)), ("Boolean = false", (True, False, ABSENT)))
        )
        return self.variable(declared, lambda random: random.choice(values))

    def arguments(self, definition: GraphQLField, name: str) -> str:
        """Some of the field's arguments, each in one of the ways in which it can be written."""
        wanted = {
            argument: each
            for argument, each in definition.args.items()
            if is_required_argument(each) or self.chance(0.4)
        }
        if "first" in wanted and "last" in wanted:
            del wanted[self.random.choice(("first", "last"))]
        edge = get_named_type(definition.type).name.replace("Connection", "Edge")
        parts = [
            f"{argument}: {written(self, argument, wanted[argument].type, edge)}" for argument in self.shuffled(wanted)
        ]
        return f"({', '.join(parts)})" if parts else ""

    def variable(self, declared: str, value: Callable[[Random], Any]) -> str:
        """A variable of this type, sometimes one that there is already."""
        known = [name for name, each in self.variables.items() if each.declared == declared]
        if known and declared.startswith("Boolean") and self.chance(0.5):
            return f"${self.random.choice(known)}"
        name = f"v{len(self.variables) + 1}"
        self.variables[name] = Variable(declared, value)
        return f"${name}"

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def shuffled(self, names: Iterable[str]) -> list[str]:
        return self.random.sample([*names], k=len([*names]))


def _fields(type_: Composite) -> dict[str, GraphQLField]:
    if isinstance(type_, GraphQLUnionType):
        return {}
    return {name: each for name, each in type_.fields.items() if name not in UNTOLD}


def _named(field_: GraphQLField) -> GraphQLNamedType:
    return get_named_type(field_.type)


def _composite(field_: GraphQLField) -> Composite:
    found = _named(field_)
    assert isinstance(found, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType)
    return found


def _object(schema: GraphQLSchema, name: str) -> GraphQLObjectType:
    found = schema.type_map[name]
    assert isinstance(found, GraphQLObjectType)
    return found


def _possible(schema: GraphQLSchema, type_: Any) -> set[str]:
    return {each.name for each in schema.get_possible_types(type_)}
