"""Which documents are tried? Random ones, made from the schema: whatever a client may write, and hardly would."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
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
from tests.lookahead.oracle import answers

Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType

DEEPEST = 11
CONNECTION = 3
"""What a connection adds to the depth: two within each other are about what every engine admits."""

MOST_PARTS = 30
"""Beyond this only plain values are added."""

OFTEN = frozenset(
    {
        *("viewer", "chats", "participants", "calls", "groups", "members", "edges", "nodes"),
        *("conversations", "messages", "mailbox"),
    }
)
"""Where most can go wrong."""

OFTEN_GIVEN = frozenset({"first", "last", "search", "filter"})

UNTOLD = frozenset({"reason"})
"""Sentences are for people: what they say is not held against anything here."""


THEMES = {
    "everything": frozenset[str](),
    "chats": frozenset(
        {
            *("conversations", "mailbox", "feed", "unreadConversations", "unreadMessages", "unreadMail"),
            *(
                "viewerCanMessage",
                "viewerCannotMessageReason",
                *("viewerCanBlock", "viewerHasBlocked", "blockedPeople", "isSafeguardingOfficer"),
                *("reports", "openReports", "Report"),
                "Conversation",
                "Message",
                "Attachment",
                "Audience",
            ),
        }
    ),
    "talk": frozenset(
        {
            *("chats", "groups", "calls", "publishedCall", "organization", "canCreateChat", "memberships"),
            *("isLinked", "messengerUrl", "newCalls", "Chat", "Call", "Group", "Organization"),
        }
    ),
}
"""Fields and types that a document leaves alone, so that it has more of the others."""


@dataclass
class Document:
    """A document and two sets of values for its variables."""

    text: str
    variables: tuple[dict[str, Any], dict[str, Any]]


def random_query(schema: GraphQLSchema, random: Random, pools: Pools, theme: str | None = None) -> Document:
    left_alone = THEMES[theme or random.choice(list(THEMES))]
    writer = _Writer(schema, random, pools, left_alone)
    return writer.document("query", writer.selection(_object(schema, "Query"), 0))


def random_mutation(schema: GraphQLSchema, random: Random, pools: Pools) -> Document:
    """One that must succeed, or must be refused with an object to read, and changes nothing."""
    name = random.choice([*dict.fromkeys(name for name, _ in pools.idle)])
    given = random.choice([given for idle, given in pools.idle if idle == name])
    writer = _Writer(schema, random, pools, THEMES[random.choice(list(THEMES))])
    field_ = _object(schema, "Mutation").fields[name]
    arguments = f"(input: {given})" if given else ""
    selected = writer.selection(_composite(field_), 1)
    return writer.document("mutation", f"{{ {name}{arguments} {selected} }}")


def random_subscription(schema: GraphQLSchema, random: Random, pools: Pools, stream: str, after: int) -> Document:
    writer = _Writer(schema, random, pools, THEMES[random.choice(list(THEMES))])
    field_ = _object(schema, "Subscription").fields[stream]
    selected = writer.selection(_composite(field_), 1)
    return writer.document("subscription", f'{{ {stream}(after: "{after}") {selected} }}')


@dataclass
class _Writer:
    """One document while it is written."""

    schema: GraphQLSchema
    random: Random
    pools: Pools
    left_alone: frozenset[str] = frozenset()
    variables: dict[str, Variable] = field(default_factory=dict)
    fragments: dict[str, tuple[str, str]] = field(default_factory=dict)
    names: int = 0
    parts: int = 0

    def __post_init__(self) -> None:
        """Names whose meaning depends on the type: two of them under one key are no valid document."""
        objects = [each for each in self.schema.type_map.values() if isinstance(each, GraphQLObjectType)]
        kinds: dict[str, set[str]] = {}
        for name, each in (pair for type_ in objects for pair in type_.fields.items()):
            kinds.setdefault(name, set()).add(str(each.type))
        self.ambiguous = {name for name, found in kinds.items() if len(found) > 1}

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
        count = self.random.randint(1, 2 if self.is_crowded(depth) else 4)
        parts = [self.item(type_, depth, repeatable) for _ in range(count)]
        if repeatable and self.chance(0.2):
            head, below = self.random.choice(repeatable)
            parts.append(f"{head} {self.selection(below, depth + 1)}")  # merged with the one before
        return f"{{ {' '.join(parts)} }}"

    def item(self, type_: Composite, depth: int, repeatable: list[tuple[str, Composite]]) -> str:
        self.parts += 1
        dice = self.random.random()
        is_abstract = not isinstance(type_, GraphQLObjectType)
        if depth and not self.is_crowded(depth):
            if dice < (0.5 if is_abstract else 0.1):
                return self.inline(type_, depth)
            if dice < (0.8 if is_abstract else 0.2):
                return self.spread(type_, depth)
        if dice > 0.93 or not self.fields(type_):
            return self.typename()
        return self.field(type_, depth, repeatable)

    def is_crowded(self, depth: int) -> bool:
        return depth >= DEEPEST or self.parts > MOST_PARTS

    def typename(self) -> str:
        return f"{self.alias()}__typename{self.directives()}"

    def field(self, type_: Composite, depth: int, repeatable: list[tuple[str, Composite]]) -> str:
        known = self.fields(type_)
        deeper = [name for name, each in known.items() if not is_leaf_type(_named(each))]
        leaves = [name for name in known if name not in deeper]
        if leaves and (not deeper or self.is_crowded(depth) or self.chance(self.plainness(type_))):
            chosen = self.random.choices(leaves, k=self.random.randint(1, 3))
            return " ".join(f"{self.alias_of(name)}{name}{self.directives()}" for name in chosen)
        if not deeper or self.is_crowded(depth):
            return self.typename()
        name = self.random.choice([*deeper, *(one for one in deeper for _ in range(2) if one in OFTEN)])
        definition = known[name]
        arguments = self.arguments(definition)
        head = f"{self.alias_of(name, always=bool(arguments))}{name}{arguments}"
        below = _composite(definition)
        repeatable.append((head, below))
        cost = CONNECTION if "first" in definition.args else 1
        return f"{head}{self.directives()} {self.selection(below, depth + cost)}"

    def fields(self, type_: Composite) -> dict[str, GraphQLField]:
        return {name: each for name, each in _fields(type_).items() if name not in self.left_alone}

    def plainness(self, type_: Composite) -> float:
        """How likely a plain value is where there are objects as well: it is not what connections are for."""
        return 0.3 if type_.name.endswith(("Connection", "Edge")) else 0.5

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
        mine = {type_.name} if isinstance(type_, GraphQLObjectType) else _answered(self.schema, type_)
        abstract = [
            name
            for name, each in self.schema.type_map.items()
            if isinstance(each, GraphQLInterfaceType) and mine & _possible(self.schema, each)
        ]
        return sorted({*(mine - self.left_alone or mine), *abstract})

    # --------------------------------------------------------------------------- aliases, directives

    def alias_of(self, name: str, *, always: bool = False) -> str:
        return self.alias(1 if always else 0.9 if name in self.ambiguous else 0.2)

    def alias(self, probability: float = 0.2) -> str:
        if not self.chance(probability):
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
            (
                ("Boolean!", (True, False)),
                ("Boolean! = true", (True, False, ABSENT)),
                ("Boolean = false", (True, False, ABSENT)),
            )
        )
        return self.variable(declared, lambda random: random.choice(values))

    def arguments(self, definition: GraphQLField) -> str:
        """Some of the field's arguments, each in one of the ways in which it can be written."""
        wanted = {
            argument: each
            for argument, each in definition.args.items()
            if is_required_argument(each) or self.chance(0.55 if argument in OFTEN_GIVEN else 0.35)
        }
        if "first" in wanted and "last" in wanted:
            del wanted[self.random.choice(("first", "last"))]
        edge = get_named_type(definition.type).name.replace("Connection", "Edge")
        parts = [
            f"{argument}: {written(self, argument, wanted[argument].type, edge)}"
            for argument in self.shuffled(wanted)
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
    """What may be asked of the type: all that is answered twice."""
    if isinstance(type_, GraphQLUnionType):
        return {}
    is_answered = partial(answers, type_.name) if isinstance(type_, GraphQLObjectType) else bool
    return {name: each for name, each in type_.fields.items() if name not in UNTOLD and is_answered(name)}


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


def _answered(schema: GraphQLSchema, type_: Any) -> set[str]:
    """The types that an object of this one may have, and that the oracle knows, or nobody needs to."""
    return {each.name for each in schema.get_possible_types(type_) if _fields(each) or each.name.endswith("Error")}


def _possible(schema: GraphQLSchema, type_: Any) -> set[str]:
    return {each.name for each in schema.get_possible_types(type_)}
