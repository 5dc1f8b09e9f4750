"""Does the schema promise what the contract asks for, and is there an answer to all that it promises?

The whole schema, and what shipped operations are answered, are snapshots: a change of either is seen.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    is_introspection_type,
    is_specified_scalar_type,
    parse,
    validate,
)
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from models.authorization.chats import SEES_CALL, SEES_CHAT
from models.tables.chats import chats
from resolvers.projection import PROJECTIONS, Column, Derived, Many, Projection
from resolvers.viewer import NODES
from schema import schema
from schema.projected import check_projections
from tests.api import Api
from tests.school import CLASS_9A, CURATOR_9A, GUARDIAN_9A, LEARNER_9A, LEARNER_UNLINKED

ROOT = Path(__file__).parents[1]
CONTRACT = ROOT.parent / "shared" / "checks" / "contract.py"
OPERATIONS = sorted((ROOT / "tests" / "operations").glob("*.graphql"))
IN_GRAPHIQL = sorted((ROOT / "app" / "graphiql" / "operations").glob("*.graphql"))

SDL = build_schema(schema.as_str())


class InSchemaLanguage(SingleFileSnapshotExtension):
    """A snapshot that can be read as what it is."""

    file_extension = "graphql"
    _write_mode = WriteMode.TEXT


# ----------------------------------------------------------------------------------------- the whole


def test_the_schema_is_as_it_was(snapshot: SnapshotAssertion) -> None:
    """Clients depend on every line: whoever changes one says so in the change log."""
    assert schema.as_str() + "\n" == snapshot(extension_class=InSchemaLanguage)


@pytest.mark.skipif(not CONTRACT.exists(), reason="the contract is not here: ../shared is absent")
def test_the_schema_keeps_the_contract() -> None:
    compared = subprocess.run(
        [sys.executable, str(CONTRACT), "-", "--chats"],
        input=schema.as_str(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert compared.returncode == 0, compared.stdout + compared.stderr


def descriptions() -> Iterator[tuple[str, str | None]]:
    """The place and the description of everything that can have one."""
    for name, type_ in SDL.type_map.items():
        if is_introspection_type(type_) or is_specified_scalar_type(type_):
            continue
        yield name, type_.description
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for field_name, field in type_.fields.items():
                yield f"{name}.{field_name}", field.description
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for field_name, field in type_.fields.items():
                for argument_name, argument in field.args.items():
                    yield f"{name}.{field_name}({argument_name}:)", argument.description
        if isinstance(type_, GraphQLEnumType):
            for value_name, value in type_.values.items():
                yield f"{name}.{value_name}", value.description


def test_everything_has_a_description() -> None:
    """A sentence about the school, not about the code."""
    found = dict(descriptions())
    assert len(found) > 200
    assert [place for place, text in found.items() if not (text or "").strip()] == []
    assert [place for place, text in found.items() if not (text or "").rstrip().endswith(".")] == []


# --------------------------------------------------------------------- every field has its projection

Plant = Callable[[pytest.MonkeyPatch], None]


def entry(type_name: str, field: str, changed: Any) -> Plant:
    """Puts another entry in the place of this one, or a new one."""
    return lambda patch: patch.setitem(PROJECTIONS[type_name].entries, field, changed)


def without(type_name: str, field: str | None = None) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        if field is None:
            patch.delitem(PROJECTIONS, type_name)
        else:
            patch.delitem(PROJECTIONS[type_name].entries, field)

    return plant


def known(type_name: str, field: str) -> Any:
    return PROJECTIONS[type_name].entries[field]


@pytest.mark.parametrize(
    ("fault", "plant"),
    [
        ("Badges has no projection", without("Badges")),
        ("Chat.name has no entry", without("Chat", "name")),
        ("Viewer.groups has no entry", without("Viewer", "groups")),
        ("PublishCallPayload.call has no entry", without("PublishCallPayload", "call")),
        ("CallChanged.cursor has no entry", without("CallChanged", "cursor")),
        ("Query.node has no entry", without("Query", "node")),
        ("CallAlreadyPublishedError.code has no entry", without("CallAlreadyPublishedError", "code")),
        ("Chat.nickname is no field", entry("Chat", "nickname", Column("name"))),
        ("Chat.group: leads to User", entry("Chat", "group", replace(known("Chat", "group"), of_type="User"))),
        ("Chat.group: leads to None", entry("Chat", "group", Column("name", optional=True))),
        ("Chat.name: leads to Group", entry("Chat", "name", known("Membership", "group"))),
        (
            "Viewer.chats: leads to CallConnection",
            entry("Viewer", "chats", replace(known("Viewer", "chats"), item="Call")),
        ),
        ("Viewer.groups: a list or not", entry("Viewer", "groups", known("Membership", "group"))),
        (
            "Chat.publishedCall: a list or not",
            entry(
                "Chat",
                "publishedCall",
                Many("Call", known("Chat", "publishedCall").source, optional=True, seen_by=SEES_CALL),
            ),
        ),
        ("Chat.viewerActions: a list or not", entry("Chat", "viewerActions", Derived(list))),
        ("Query.nodes: a list or not", entry("Query", "nodes", replace(known("Query", "nodes"), for_each=False))),
        ("Chat.group: null or not", entry("Chat", "group", replace(known("Chat", "group"), optional=False))),
        ("Call.chat: null or not", entry("Call", "chat", replace(known("Call", "chat"), optional=True))),
        ("Chat.url: null or not", entry("Chat", "url", replace(known("Chat", "url"), optional=False))),
        (
            "Viewer.chats: takes not all arguments",
            entry("Viewer", "chats", replace(known("Viewer", "chats"), arguments=frozenset())),
        ),
        (
            "Viewer.groups: takes not all arguments",
            entry("Viewer", "groups", replace(known("Viewer", "groups"), arguments=frozenset())),
        ),
        (
            "Chat.calls: takes more arguments",
            entry("Chat", "calls", replace(known("Chat", "calls"), arguments=frozenset({"search"}))),
        ),
    ],
)
def test_a_field_without_its_right_entry_is_told_at_start(
    fault: str, plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_projections(schema._schema)
    plant(monkeypatch)
    with pytest.raises(TypeError) as told:
        check_projections(schema._schema)
    assert fault in str(told.value).splitlines()


def test_a_column_says_itself_whether_it_may_be_null() -> None:
    """An entry that says otherwise is no projection at all."""
    with pytest.raises(TypeError, match=r"chats\.group_id: nullable=True, yet optional=False"):
        Projection("Wrong", chats, seen_by=SEES_CHAT, group_id=Column())
    with pytest.raises(TypeError, match=r"chats\.name: nullable=False, yet optional=True"):
        Projection("Wrong", chats, seen_by=SEES_CHAT, title=Column("name", optional=True))
    assert "Wrong" not in PROJECTIONS


def test_every_type_of_node_can_be_looked_up() -> None:
    node: Any = SDL.type_map["Node"]
    assert NODES.keys() == {each.name for each in SDL.get_possible_types(node)}


def test_every_list_has_the_parts_that_pages_have() -> None:
    """What `resolvers.paging` answers, and nothing that it does not."""
    lists: list[Any] = [type_ for name, type_ in SDL.type_map.items() if name.endswith("Connection")]
    assert len(lists) >= 5
    for type_ in lists:
        parts = {name: str(each.type) for name, each in type_.fields.items()}
        edge: Any = get_named_type(type_.fields["edges"].type)
        item = str(get_named_type(type_.fields["nodes"].type))
        assert parts.pop("totalCount", "Int!") == "Int!"
        assert parts == {"edges": f"[{edge.name}!]!", "nodes": f"[{item}!]!", "pageInfo": "PageInfo!"}
        assert {name: str(each.type) for name, each in edge.fields.items()} == {
            "cursor": "String!",
            "node": f"{item}!",
        }
    info: Any = SDL.type_map["PageInfo"]
    assert set(info.fields) == {"hasNextPage", "hasPreviousPage", "startCursor", "endCursor"}


# -------------------------------------------------------------------------------- shipped operations


@pytest.mark.parametrize("path", OPERATIONS + IN_GRAPHIQL, ids=lambda path: f"{path.parts[-3]}/{path.name}")
def test_a_shipped_operation_is_valid(path: Path) -> None:
    assert validate(SDL, parse(path.read_text(encoding="utf-8"))) == []


def operation(name: str) -> str:
    return (ROOT / "tests" / "operations" / f"{name}.graphql").read_text(encoding="utf-8")


def steady(value: Any) -> Any:
    """The answer without what is random, or counts everything that ever happened: the messenger's addresses
    end in a secret, and event cursors are numbers of the whole school."""
    if isinstance(value, dict):
        return {key: "..." if _is_event(key, each) else steady(each) for key, each in value.items()}
    if isinstance(value, list):
        return [steady(each) for each in value]
    if isinstance(value, str) and value.startswith("https://school.example/messenger/"):
        return f"{value.rpartition('/')[0]}/..."
    return value


def _is_event(key: str, value: Any) -> bool:
    return key in ("cursor", "eventCursor") and value.isdecimal()


async def test_what_shipped_operations_are_answered(api: Api, snapshot: SnapshotAssertion) -> None:
    """One call from its creation to the badges, as the pages of a client ask for it."""
    curator, learner, chat = api.as_(CURATOR_9A), api.as_(LEARNER_9A), api.chat("GROUP", CLASS_9A)
    asked = 0

    async def shown(login: str, name: str, **variables: Any) -> Any:
        nonlocal asked
        asked += 1
        answer = await api.as_(login).send(operation(name), **variables)
        assert steady(answer) == snapshot(name=f"{asked}. {name} as {login}")
        return answer["data"]

    since = (await curator.ask("{ viewer { eventCursor } }"))["viewer"]["eventCursor"]
    async with learner.listening(operation("badges")) as badges:
        assert await badges.next() == {"newCalls": 0}
        new = {"chatId": chat, "title": " Литература ", "startsAt": "2026-09-11T09:00:00+05:00"}
        made = await shown(CURATOR_9A, "create_call", input=new)
        await shown(LEARNER_9A, "create_call", input=new)
        await shown(CURATOR_9A, "create_call", input={**new, "title": "\t"})
        call = {"callId": made["createCall"]["call"]["id"]}
        await shown(CURATOR_9A, "publish_call", input=call)
        assert await badges.next() == {"newCalls": 1}
    other = await shown(CURATOR_9A, "create_call", input={**new, "title": "Классный час"})
    await shown(CURATOR_9A, "publish_call", input={"callId": other["createCall"]["call"]["id"]})
    for login in (CURATOR_9A, LEARNER_9A, LEARNER_UNLINKED, GUARDIAN_9A):
        await shown(login, "chats_page", first=5)
    await shown(CURATOR_9A, "chats_page", filter={"hasPublishedCall": True, "kinds": "GROUP", "search": "9а"})
    for login in (CURATOR_9A, LEARNER_9A, GUARDIAN_9A):
        await shown(login, "chat", id=chat, people=4)
    async with learner.listening(operation("call_changes"), after=since) as changes:
        assert steady([await changes.next() for _ in range(3)]) == snapshot(name="the changes, replayed")
