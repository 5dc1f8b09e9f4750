"""How does an organization's policy look on a command line? `knob=value`, the values as GraphQL writes them."""

import json
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import Any

from graphql import GraphQLSyntaxError, Undefined, value_from_ast_untyped
from graphql.language import parse_value

from app.commands.mistake import Mistake
from models.policy import Policy, ReachRule
from models.tables.people import Position

REACH = "reach"


def knob_lines(policy: Policy, knobs: Iterable[str] | None = None) -> Iterator[str]:
    """One line per knob, or for these alone. The rules of reach take several, in words:
    who @ in which groups -> whom he may start writing to there."""
    values = _values(policy)
    for knob in values if knobs is None else knobs:
        if knob == REACH:
            yield from (f"{REACH}: {line}" for line in _reach_lines(policy.reach))
        else:
            yield f"{knob}={_literal(values[knob])}"


def changed(policy: Policy, assignments: Sequence[str]) -> tuple[Policy, list[str]]:
    """The policy after `KNOB=VALUE` assignments, and the names of the knobs. Raises Mistake."""
    known = _values(policy)
    changes: dict[str, Any] = {}
    for assignment in assignments:
        knob, equals, text = assignment.partition("=")
        if not equals:
            raise Mistake(f"{assignment}: KNOB=VALUE is wanted")
        if knob not in known:
            raise Mistake(f"{knob}: no such knob; there are {', '.join(known)}")
        changes[knob] = _value(knob, text, like=known[knob])
    try:
        return policy.with_knobs(changes), list(changes)
    except ValueError as error:
        raise Mistake(str(error)) from None


def _values(policy: Policy) -> dict[str, Any]:
    """The knobs by the names that the API gives them."""
    return {field.alias or name: getattr(policy, name) for name, field in Policy.model_fields.items()}


def _value(knob: str, text: str, *, like: Any) -> Any:
    """The value that this GraphQL literal writes; `like`: what the knob holds now."""
    try:
        value = value_from_ast_untyped(parse_value(text))
    except (GraphQLSyntaxError, RecursionError):
        value = Undefined
    if value is Undefined or (isinstance(like, bool) and not isinstance(value, bool)):
        kind = "true or false" if isinstance(like, bool) else "a GraphQL value"
        raise Mistake(f"{knob}: {kind} is wanted, not {text!r}")
    if isinstance(like, tuple) and not isinstance(value, list):
        return [value]
    return value


def _literal(value: Any) -> str:
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, tuple):
        return f"[{', '.join(map(_literal, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _reach_lines(rules: Sequence[ReachRule]) -> Iterator[str]:
    """Rules that differ in one part only share a line, so that a preset reads as it is documented."""
    if not rules:
        yield "nobody"
    by_start: dict[tuple[Any, ...], list[Position]] = {}
    for rule in rules:
        where = (rule.group_kind.name, " (descend)" if rule.descend else "")
        by_start.setdefault((where, rule.from_position), []).append(rule.to_position)
    starters: dict[tuple[Any, ...], list[Position]] = {}
    for (where, starter), reached in by_start.items():
        starters.setdefault((where, _names(reached)), []).append(starter)
    kinds: dict[tuple[str, str, str], list[str]] = {}
    for ((kind, descend), reached_names), starting in starters.items():
        kinds.setdefault((_names(starting), descend, reached_names), []).append(kind)
    for (starting_names, descend, reached_names), kind_names in kinds.items():
        yield f"{starting_names} @{', '.join(kind_names)}{descend} -> {reached_names}"


def _names(positions: Iterable[Position]) -> str:
    wanted = set(positions)
    return "any" if wanted == set(Position) else ", ".join(one.name for one in Position if one in wanted)
