"""What is there for who is signed out, and for who has left the school? Nothing, whatever is asked."""

from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLField,
    get_named_type,
    is_input_object_type,
    is_required_argument,
    is_required_input_field,
)

from models.authorization.rule import Kind, Relation
from models.tables.people import Position, users
from schema import schema
from tests.api import Person
from tests.authorization.asking import TYPES, asked
from tests.authorization.stage import Stage, staged

ROOTS = [
    (operation, name)
    for operation, type_ in (
        ("query", schema._schema.query_type),
        ("mutation", schema._schema.mutation_type),
        ("subscription", schema._schema.subscription_type),
    )
    if type_ is not None
    for name in type_.fields
]

VALUES = {
    "ID": '"Chat_1"',
    "String": '"Word"',
    "DateTime": '"2026-09-11T09:00:00Z"',
    "Boolean": "true",
    "Int": "1",
}


def literal(type_: Any) -> str:
    """Some value of an input type, in GraphQL's words; a list of one."""
    named = get_named_type(type_)
    if is_input_object_type(named):
        fields = {name: field for name, field in named.fields.items() if is_required_input_field(field)}
        value = "{" + ", ".join(f"{name}: {literal(field.type)}" for name, field in fields.items()) + "}"
    else:
        value = VALUES.get(named.name) or next(iter(named.values))
    return f"[{value}]" if "[" in str(type_) else value


def document(operation: str, name: str) -> str:
    field: GraphQLField = TYPES[operation.capitalize()].fields[name]
    given = [
        f"{key}: {literal(argument.type)}"
        for key, argument in field.args.items()
        if is_required_argument(argument)
    ]
    call = f"({', '.join(given)})" if given else ""
    return f"{operation} {{ {asked(name, field).replace(name, name + call, 1)} }}"


async def gone(stage: Stage) -> Person:
    """Somebody whose token is still good, who has just left, and whose memberships and rooms are as they were."""
    case = (Kind.CHAT, Relation.ADMINISTERS, Position.ADMINISTRATOR)
    person = stage.as_(case)
    assert person.viewer is not None
    with stage.api.database.transaction() as tx:
        tx.execute(users.update().where(users.c.id == person.viewer.id).values(deactivated_at=tx.now))
    return person


@pytest.mark.parametrize("is_gone", [False, True], ids=("signed out", "gone"))
async def test_nobody_gets_anything(is_gone: bool, tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        person = await gone(stage) if is_gone else stage.api.signed_out()
        with stage.untouched():
            for operation, name in ROOTS:
                if operation == "subscription":
                    async with person.listening(document(operation, name)) as listening:
                        assert await listening.error() == "UNAUTHENTICATED", name
                    continue
                answer = await person.send(document(operation, name))
                codes = [error["extensions"]["code"] for error in answer["errors"]]
                assert codes == ["UNAUTHENTICATED"], (name, answer)
                assert not any((answer.get("data") or {}).values())
