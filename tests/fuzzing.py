"""Which operations does nobody think of? Random ones over the schema's own types, with values of every kind, as
the text of a request's body."""

import json
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    is_object_type,
    is_required_argument,
    is_required_input_field,
)
from hypothesis import strategies as st

from schema import schema

SCHEMA = schema._schema
DEEPEST = 6
KINDS = ("User", "Group", "Chat", "Call", "Conversation", "Message", "Attachment", "Organization", "Audience")

IDS = st.builds(
    "{}_{}".format, st.sampled_from(KINDS), st.sampled_from([*range(1, 40), 0, -1, 2**31, 2**63, 10**30])
)
STRANGE = (
    *("", " ", "a", "9А", "ё", "%", "_", "'; --", '"', "\\", "\u202etfel", "e\u0301", "🙂" * 50, "x" * 300),
    *("<p>x</p><script>", "attachment:1", "\t\n", "\x7f", "ı", "İ", "null", "0", "-1", "9" * 40, "MTA=", "1.5"),
    *("2026-09-11T10:00:00Z", "9999-12-31T23:59:59+14:00", "0001-01-01T00:00:00-14:00", "2026-02-30T00:00:00Z"),
)
TEXTS = st.one_of(st.sampled_from(STRANGE), IDS, st.text(max_size=30))
NUMBERS = st.sampled_from([0, 1, 2, 20, 100, 101, -1, 2**31 - 1, 2**31, -(2**31) - 1, 2**53, 2**64])
FRACTIONS = st.floats(allow_nan=False, allow_infinity=False)
NESTED: st.SearchStrategy[Any] = st.sampled_from([[], {}, [None], [[]], {"a": {}}])
ODD: st.SearchStrategy[Any] = st.one_of(st.none(), st.booleans(), NUMBERS, FRACTIONS, TEXTS, NESTED)


@st.composite
def bodies(draw: st.DrawFn) -> str:
    """The text of a request's body; mostly valid, at times broken somewhere."""
    writing = _Writing(draw)
    kind = draw(st.sampled_from(["query", "query", "mutation", "mutation", "subscription"]))
    root = getattr(SCHEMA, f"{kind}_type")
    selected = writing.selection(root, 0, most=1 if kind == "subscription" else 3)
    declared = ", ".join(f"${name}: {type_}" for name, type_ in writing.declared.items())
    document = f"{kind} Q{f'({declared})' if declared else ''} {selected} {' '.join(writing.fragments)}"
    members: dict[str, Any] = {"query": document, "variables": writing.variables}
    if _rarely(draw):
        members["operationName"] = draw(st.sampled_from(["Q", "q", "", None, "\u202e"]))
    text = json.dumps(members, ensure_ascii=draw(st.booleans()))
    if _rarely(draw):
        at, length = draw(st.integers(0, len(text))), draw(st.integers(0, 3))
        text = (
            text[:at]
            + draw(st.sampled_from(["", "{", "}", '"', "\\u0000", "...", "$", "@", "["]))
            + text[at + length :]
        )
    return text


class _Writing:
    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.declared: dict[str, str] = {}
        self.variables: dict[str, Any] = {}
        self.fragments: list[str] = []
        self.aliases = 0

    def selection(self, type_: Any, depth: int, most: int = 3) -> str:
        parts = []
        if not is_object_type(type_):
            possible = SCHEMA.get_possible_types(type_)
            for each in self.draw(st.lists(st.sampled_from(list(possible)), min_size=1, max_size=2)):
                parts.append(f"... on {each.name} {self.selection(each, depth)}")
            return f"{{ __typename {' '.join(parts)} }}"
        for _ in range(self.draw(st.integers(1, most))):
            field = self.field(type_, depth)
            self.aliases += 1
            alias = "" if _rarely(self.draw) else f"a{self.aliases}: "
            parts.append(f"{alias}{field}")
        inside = f"{{ {' '.join(parts)} }}"
        if depth and _rarely(self.draw):
            name = f"F{len(self.fragments)}"
            self.fragments.append(f"fragment {name} on {type_.name} {inside}")
            return f"{{ ...{name}{self.directive()} __typename }}"
        return inside

    def field(self, type_: GraphQLObjectType, depth: int) -> str:
        names = [
            name
            for name, field in type_.fields.items()
            if depth < DEEPEST or is_leaf_type(get_named_type(field.type))
        ]
        if not names:
            return "__typename"
        name = self.draw(st.sampled_from(names))
        field = type_.fields[name]
        below = get_named_type(field.type)
        inside = "" if is_leaf_type(below) else f" {self.selection(below, depth + 1)}"
        return f"{name}{self.arguments(field)}{self.directive()}{inside}"

    def arguments(self, field: GraphQLField) -> str:
        given = []
        for name, argument in field.args.items():
            if not is_required_argument(argument) and self.draw(st.integers(0, 2)):
                continue
            variable = f"v{len(self.declared)}"
            self.declared[variable] = str(argument.type)
            if not _rarely(self.draw):
                self.variables[variable] = self.value(argument.type)
            given.append(f"{name}: ${variable}")
        return f"({', '.join(given)})" if given else ""

    def directive(self) -> str:
        if not _rarely(self.draw):
            return ""
        known = [f" @{name}(if: {value})" for name in ("skip", "include") for value in ("true", "false")]
        return self.draw(st.sampled_from([*known, *known, " @x"]))

    def value(self, type_: Any) -> Any:
        """A value of this type, and now and then of another."""
        if self.draw(st.integers(0, 24)) == 17:
            return self.draw(ODD)
        if isinstance(type_, GraphQLNonNull):
            return self.value(type_.of_type)
        if isinstance(type_, GraphQLList):
            return [self.value(type_.of_type) for _ in range(self.draw(st.integers(0, 3)))]
        if isinstance(type_, GraphQLEnumType):
            return self.draw(st.sampled_from(list(type_.values)))
        if isinstance(type_, GraphQLInputObjectType):
            return {
                name: self.value(field.type)
                for name, field in type_.fields.items()
                if is_required_input_field(field) or self.draw(st.booleans())
            }
        of_name = {"Int": NUMBERS, "Boolean": st.booleans(), "ID": IDS}
        return self.draw(of_name.get(type_.name, TEXTS))


def _rarely(draw: st.DrawFn) -> bool:
    return draw(st.integers(0, 9)) == 7
