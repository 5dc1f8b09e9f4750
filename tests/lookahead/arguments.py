"""How may an argument be written? As a literal or a variable, whole or in parts, given, null or left out."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
    is_non_null_type,
)

ABSENT = object()
"""The value of a variable that is not sent."""

SIZES = (1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 7, 10, 20, 100)


@dataclass
class Pools:
    """What values are taken from. `cursors`: by the type of edge that gave them; `idle`: mutations (name,
    input) that change nothing for the person who asks."""

    cursors: dict[str, list[str]] = field(default_factory=dict)
    ids: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    idle: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Variable:
    """A variable as it is declared, and what it may be."""

    declared: str
    value: Callable[[Random], Any]


class Writer(Protocol):
    """What arguments need of the document around them."""

    random: Random
    pools: Pools

    def variable(self, declared: str, value: Callable[[Random], Any]) -> str: ...

    def chance(self, probability: float) -> bool: ...


def written(writer: Writer, name: str, type_: GraphQLInputType, edge: str) -> str:
    """The value of the argument `name`, as it stands in the document. `edge`: whose cursors fit."""
    nullable = not is_non_null_type(type_)
    if writer.chance(0.35):
        return _variable(writer, name, type_, edge)
    if nullable and writer.chance(0.1):
        return "null"
    wanted = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    if isinstance(wanted, GraphQLInputObjectType):
        parts = [
            f"{key}: {written(writer, key, each.type, edge)}"
            for key, each in wanted.fields.items()
            if writer.chance(0.5)
        ]
        writer.random.shuffle(parts)
        return f"{{{', '.join(parts)}}}"
    if isinstance(wanted, GraphQLList) and writer.chance(0.8):
        items = range(writer.random.randint(0, 3 if name != "ids" else 8))
        return f"[{', '.join(written(writer, name, wanted.of_type, edge) for _ in items)}]"
    return literal(_plain(writer.random, writer.pools, name, wanted, edge), wanted)


def literal(value: Any, type_: GraphQLInputType) -> str:
    """The value in GraphQL's own spelling."""
    if isinstance(value, list):
        return f"[{', '.join(literal(item, type_) for item in value)}]"
    if isinstance(value, dict):
        named: Any = get_named_type(type_)
        return f"{{{', '.join(f'{key}: {literal(item, named.fields[key].type)}' for key, item in value.items())}}}"
    if isinstance(value, str) and isinstance(get_named_type(type_), GraphQLEnumType):
        return value
    return json.dumps(value, ensure_ascii=False)


def _variable(writer: Writer, name: str, type_: GraphQLInputType, edge: str) -> str:
    pools = writer.pools

    def value(random: Random) -> Any:
        return _plain(random, pools, name, type_, edge)

    def or_nothing(random: Random) -> Any:
        return random.choice((ABSENT, None, *[value(random)] * 4))

    if is_non_null_type(type_):
        return writer.variable(str(type_), value)
    if writer.chance(0.2):
        return writer.variable(f"{type_}!", value)
    if writer.chance(0.3):
        usual = literal(value(writer.random), type_)
        return writer.variable(f"{type_} = {usual}", or_nothing)
    return writer.variable(str(type_), or_nothing)


def _plain(random: Random, pools: Pools, name: str, type_: GraphQLInputType, edge: str) -> Any:
    """A value of the type, as JSON has it; sometimes a single one where a list is expected."""
    wanted = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    if isinstance(wanted, GraphQLList):
        if random.random() < 0.2:
            return _plain(random, pools, name, wanted.of_type, edge)
        count = random.randint(0, 3 if name != "ids" else 8)
        return [_plain(random, pools, name, wanted.of_type, edge) for _ in range(count)]
    if isinstance(wanted, GraphQLInputObjectType):
        given = [key for key in wanted.fields if random.random() < 0.5]
        return {
            key: None if random.random() < 0.1 else _plain(random, pools, key, wanted.fields[key].type, edge)
            for key in given
        }
    if isinstance(wanted, GraphQLEnumType):
        return random.choice(list(wanted.values))
    return _leaf(random, pools, name, wanted.name, edge)


def _leaf(random: Random, pools: Pools, name: str, type_name: str, edge: str) -> Any:
    if type_name == "Boolean":
        return random.random() < 0.5
    if type_name == "Int":
        return random.choice(SIZES)
    if type_name == "ID":
        return random.choice(pools.ids)
    return random.choice(pools.cursors[edge] if name in ("after", "before") else pools.texts)
