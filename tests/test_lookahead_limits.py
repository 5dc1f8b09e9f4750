"""How much may be asked for? Up to the cost rule everything is answered; beyond it LIMIT_EXCEEDED and no more."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from graphql import (
    build_schema,
    get_introspection_query,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)

import resolvers.lookahead
from schema import schema as served
from schema.limits import (
    ALIASES,
    CHARACTERS,
    DEPTH,
    DIRECTIVES,
    FIELDS,
    FIELDS_OF_OBJECT,
    ITEMS_OF_LIST,
    OPERATIONS,
    ROOT_FIELDS,
    TOKENS,
    VALUES,
    VARIABLES,
    Measure,
)
from tests.api import Api
from tests.engines import on_postgresql
from tests.lookahead.asking import aliased, arguments, code_of, is_admitted
from tests.lookahead.prelude import build_lively_school
from tests.school import ADMINISTRATOR, CLASS_9A, CURATOR_9A, LEARNER_9A, MATH_9A, TEACHER_OF_TWO

SDL = build_schema(served.as_str())


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """Both schools in the middle of a lively week."""
    async with Api.serving(build_lively_school(tmp_path / "school.db")) as api:
        yield api


# ---------------------------------------------------------------------------------------- the widest


async def test_the_widest_object(api: Api) -> None:
    person = api.as_(LEARNER_9A)
    answer = await person.ask(f"{{ viewer {{ user {{ {aliased('name', FIELDS_OF_OBJECT)} }} }} }}")
    assert len(answer["viewer"]["user"]) == FIELDS_OF_OBJECT
    await person.fails("LIMIT_EXCEEDED", f"{{ viewer {{ user {{ {aliased('name', FIELDS_OF_OBJECT + 1)} }} }} }}")


@pytest.mark.parametrize(
    ("document", "fragments"),
    [
        ("{ viewer { user { ...One ...Two } } }", "fragment One on User { %s } fragment Two on User { %s }"),
        ("{ viewer { user { ... on User { %s } ... on Node { ... on User { %s } } } } }", ""),
        ("{ viewer { user { %s } } viewer { user { %s } } }", ""),
        ('{ node(id: "User_1") { ... on User { ... on User { %s } } ... on User { %s } } }', ""),
    ],
)
async def test_the_widest_object_is_put_together_of_several_parts(api: Api, document: str, fragments: str) -> None:
    """What counts is what the object has in the end: databases give it a limit of its own."""
    person = api.as_(ADMINISTRATOR)
    half = FIELDS_OF_OBJECT // 2
    halves = aliased("name", half), aliased("login", half, "b")
    more = aliased("login", half + 1, "b")
    text = document + fragments
    answer = await person.ask(text % halves)
    (found,) = answer.values()
    assert len(found.get("user", found)) == FIELDS_OF_OBJECT
    await person.fails("LIMIT_EXCEEDED", text % (halves[0], more))


@pytest.mark.parametrize(
    ("field", "each", "counts"),
    [
        ("name", 50, 1),
        ("viewerActions", 50, 1),
        ("url", 50, 1),
        ("participantCount", 50, 1),
        ("isMandatory", 50, 1),
        ("__typename", 50, 1),
        ("publishedCall { viewerActions }", 30, 2),
        ("calls { totalCount }", 30, 2),
    ],
)
async def test_the_most_fields(api: Api, field: str, each: int, counts: int) -> None:
    """One statement is made for as many fields as the rule admits, whatever they are; not for one more."""
    places, rest = divmod(FIELDS - 1, 2 + each * counts)
    lists = " ".join(f"c{number}: chats(first: 2) {{ nodes {{ ...Wide }} }}" for number in range(places))
    wide = f"fragment Wide on Chat {{ {aliased(field, each)} }}"
    text = f"{{ viewer {{ {lists} {aliased('isLinked', rest, 'b')} }} }} {wide}"
    person = api.as_(CURATOR_9A)
    api.statements.clear()
    answer = await person.ask(text)
    assert len(api.statements) == 1
    assert len(answer["viewer"]["c0"]["nodes"][0]) == each
    assert "fields" in await person.fails("LIMIT_EXCEEDED", text.replace("isLinked", "isLinked isLinked", 1))


@pytest.mark.parametrize("below", ["isLinked", "user { name }", "user { name login isActive id }"])
async def test_the_most_values(api: Api, below: str) -> None:
    """The largest pages within pages that the rule admits are answered; larger ones are not."""

    def document(size: int) -> str:
        inner = f"participants(first: {size}) {{ nodes {{ joinedAt isAdministrator {below} }} }}"
        return f"{{ viewer {{ organization {{ chats(first: 100) {{ nodes {{ id {inner} }} }} }} }} }}"

    admitted = [size for size in range(1, 101) if is_admitted(document(size))]
    largest = admitted[-1]
    assert admitted == list(range(1, largest + 1))
    person = api.as_(ADMINISTRATOR)
    answer = await person.ask(document(largest))
    assert len(answer["viewer"]["organization"]["chats"]["nodes"]) > 20
    if largest < 100:
        assert "values" in await person.fails("LIMIT_EXCEEDED", document(largest + 1))


def test_values_are_counted_up_to_the_rule() -> None:
    """1 for each object and each value, as often as the pages around it have items."""

    def document(fields: int, rest: int) -> str:
        inner = f"participants(first: 100) {{ nodes {{ {aliased('isLinked', fields)} }} }}"
        return f"{{ viewer {{ chats(first: 100) {{ nodes {{ {inner} }} }} {aliased('isLinked', rest, 'b')} }} }}"

    fields, rest = divmod(VALUES - 3 - 2 * 100, 100 * 100)
    assert fields == 4
    assert is_admitted(document(fields, min(rest, 50)))
    assert not is_admitted(document(fields + 1, 0))
    assert is_admitted(f"{{ nodes(ids: [{', '.join(['1'] * 100)}]) {{ id {aliased('__typename', 50)} }} }}")


# --------------------------------------------------------------------------------------- the deepest


async def test_the_deepest_of_the_schema(api: Api) -> None:
    """Levels alone, where no engine is asked: types of types of the schema itself."""
    person = api.as_(LEARNER_9A)

    def document(levels: int) -> str:
        deeper = levels - 2
        return f'{{ __type(name: "Chat") {{ {"ofType { " * deeper} name {"} " * deeper} }} }}'

    assert await person.ask(document(DEPTH)) == {"__type": {"ofType": None}}
    assert "levels" in await person.fails("LIMIT_EXCEEDED", document(DEPTH + 1))


CHAINS = {
    "parents": ("Group", "parent { ", "name", " }"),
    "curators": ("User", "memberships { group { curators { ", "name", " } } }"),
    "members": ("User", "memberships { group { members(first: 1) { nodes { ", "login", " } } } }"),
    "published calls": ("Chat", "publishedCall { chat { ", "viewerActions", " } }"),
    "calls": ("Call", "chat { calls(first: 1) { nodes { ", "joinUrl", " } } }"),
}


@pytest.mark.parametrize("chain", CHAINS)
async def test_the_deepest_of_each_chain(api: Api, chain: str) -> None:
    """Each level is answered up to the one where the engine or the rule has enough; from there on none is."""
    type_name, begins, leaf, ends = CHAINS[chain]
    person = api.as_(ADMINISTRATOR)
    codes = []
    for depth in range(DEPTH + 1):
        inside = f"{begins * depth}{leaf}{ends * depth}"
        document = f'{{ node(id: "{type_name}_1") {{ ... on {type_name} {{ {inside} }} }} }}'
        codes.append(code_of(await person.send(document)))
    admitted = codes.count(None)
    assert admitted >= 2
    assert codes == [None] * admitted + ["LIMIT_EXCEEDED"] * (len(codes) - admitted)


def random_chain(random: Random, depth: int) -> str:
    """A path through the relations of the schema, so many fields deep."""
    path, closing = "", ""
    type_: Any = SDL.type_map["Query"]
    for _ in range(depth - 1):
        if is_abstract_type(type_):
            type_ = random.choice(SDL.get_possible_types(type_))
            path, closing = f"{path} ... on {type_.name} {{", closing + " }"
        deeper = [name for name, each in type_.fields.items() if not is_leaf_type(get_named_type(each.type))]
        if not deeper:
            break
        name = random.choice(deeper)
        definition = type_.fields[name]
        id_ = random.choice(("Chat_1", "User_1", "Group_2", "Call_1", "Organization_1"))
        given = arguments(definition, size=random.choice((1, 2, 20)), id_=id_)
        path, closing = f"{path} {name}{given} {{", closing + " }"
        type_ = get_named_type(definition.type)
    return f"{{{path} __typename{closing} }}"


async def test_chains_of_every_depth_are_answered_or_refused(api: Api) -> None:
    person = api.as_(ADMINISTRATOR)
    counted: dict[str | None, int] = {None: 0, "LIMIT_EXCEEDED": 0}
    for depth in range(1, DEPTH + 3):
        for number in range(10):
            document = random_chain(Random(f"{depth}:{number}"), depth)
            code = code_of(await person.send(document))
            assert code in counted, document
            counted[code] += 1
    assert counted[None] > 50
    assert counted["LIMIT_EXCEEDED"] > (30 if on_postgresql() else 50)


async def test_everything_of_everything_is_answered_or_refused(api: Api) -> None:
    """All fields of a type, with all fields of what they lead to."""
    person = api.as_(ADMINISTRATOR)

    def everything(type_: Any, depth: int) -> str:
        parts = ["__typename"]
        for name, each in ({} if is_abstract_type(type_) else type_.fields).items():
            below, field = get_named_type(each.type), f"{name}{arguments(each, size=2)}"
            if is_leaf_type(below):
                parts.append(field)
            elif depth > 1:
                parts.append(f"{field} {{ {everything(below, depth - 1)} }}")
        return " ".join(parts)

    node: Any = SDL.type_map["Node"]
    codes = []
    for name in ("Viewer", *(each.name for each in SDL.get_possible_types(node))):
        for depth in range(1, 6):
            root = "viewer" if name == "Viewer" else f'node(id: "{name}_1")'
            inside = everything(SDL.type_map[name], depth)
            codes.append(code_of(await person.send(f"{{ {root} {{ ... on {name} {{ {inside} }} }} }}")))
    assert set(codes) == {None, "LIMIT_EXCEEDED"}
    assert codes.count(None) > 10


async def test_too_much_of_a_mutation_does_nothing(api: Api) -> None:
    """It is refused before it acts, or undone: `fails` looks that nothing is left behind."""
    person = api.as_(TEACHER_OF_TWO)
    deep = "publishedCall { chat { " * 6 + "id" + " } }" * 6
    wide = " ".join(f"... on Chat {{ {aliased('name', 40, prefix)} }}" for prefix in "ab")
    group = api.group(MATH_9A)
    made = await person.do("createChat", "chat { id }", kind="SUBGROUP", name="Кружок", groupId=group)
    given = f'chatId: "{made["chat"]["id"]}", name: "Новый"'
    for code, inside in (
        *(() if on_postgresql() else (("LIMIT_EXCEEDED", deep),)),  # it has no limit of its own
        ("LIMIT_EXCEEDED", wide),
        ("LIMIT_EXCEEDED", "calls(first: 101) { nodes { id } }"),
        ("BAD_REQUEST", 'calls(after: "nonsense") { nodes { id } }'),
    ):
        payload = f"... on RenameChatPayload {{ chat {{ {inside} }} }}"
        await person.fails(code, f"mutation {{ renameChat(input: {{{given}}}) {{ {payload} }} }}")


async def test_too_much_of_a_subscription_is_refused(api: Api) -> None:
    deep = "publishedCall { chat { " * 6 + "id" + " } }" * 6
    wide = f"... on Chat {{ {aliased('name', 40)} }} ... on Chat {{ {aliased('name', 40, 'b')} }}"
    for inside in (*(() if on_postgresql() else (deep,)), wide, "calls(first: 101) { nodes { id } }"):
        document = f'subscription {{ chatChanged(after: "0") {{ chat {{ {inside} }} }} }}'
        async with api.as_(LEARNER_9A).listening(document) as changes:
            assert await changes.error() == "LIMIT_EXCEEDED"


# ------------------------------------------------------------------------ what multiplies work cheaply


async def test_fragments_that_double_are_measured_once_each(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """2^30 spreads of a fragment are counted without being walked."""
    doublings = 30
    looks = []
    below = Measure._below

    def counted(measure: Measure, *given: Any) -> Any:
        looks.append(given)
        return below(measure, *given)

    monkeypatch.setattr(Measure, "_below", counted)
    fragments = [f"fragment F{i} on Viewer {{ ...F{i + 1} ...F{i + 1} }}" for i in range(doublings)]
    last = f"fragment F{doublings} on Viewer {{ isLinked }}"
    document = " ".join(["{ viewer { ...F0 } }", *fragments, last])
    assert str(2**doublings + 1) in await api.as_(LEARNER_9A).fails("LIMIT_EXCEEDED", document)
    assert len(looks) == doublings + 3


async def test_objects_that_double_are_refused_before_anything_is_made_of_them(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolvers.lookahead, "_compile", None)
    twice = "a%d: publishedCall { chat { ...C%d } } b%d: publishedCall { chat { ...C%d } }"
    fragments = [f"fragment C{i} on Chat {{ {twice % (i, i + 1, i, i + 1)} }}" for i in range(8)]
    document = " ".join(['{ node(id: "Chat_1") { ...C0 } }', *fragments, "fragment C8 on Chat { id }"])
    assert "fields" in await api.as_(LEARNER_9A).fails("LIMIT_EXCEEDED", document)


def test_fragments_in_a_circle_are_measured() -> None:
    """Measuring ends; that they must not be is for the validation to say."""
    assert is_admitted("{ viewer { ...A } } fragment A on Viewer { ...B } fragment B on Viewer { ...A isLinked }")
    assert is_admitted("{ ...R } fragment R on Query { ...R viewer { isLinked } }")


def _variables(count: int) -> str:
    declared = " ".join(f"$v{number}: Int" for number in range(count))
    used = [f"c{number}: chats(first: $v{number}) {{ totalCount }}" for number in range(count)]
    return (
        f"query({declared}) {{ viewer {{ {' '.join(used[:40])} organization {{ id {' '.join(used[40:])} }} }} }}"
    )


MOST: dict[str, tuple[int, Callable[[int], str]]] = {
    "root fields": (ROOT_FIELDS, lambda count: f"{{ {aliased('viewer { isLinked }', count)} }}"),
    "root fields in a fragment": (
        ROOT_FIELDS,
        lambda count: f"{{ ...R }} fragment R on Query {{ {aliased('viewer { isLinked }', count)} }}",
    ),
    "root fields of a mutation": (
        ROOT_FIELDS,
        lambda count: (
            f"mutation {{ ... {{ ...R ...R }} }} "
            f"fragment R on Mutation {{ {aliased('markChatsSeen { __typename }', count)} }}"
        ),
    ),
    "aliases": (
        ALIASES,
        lambda count: f"{{ viewer {{ {aliased('isLinked', 50)} user {{ {aliased('name', count - 50)} }} }} }}",
    ),
    "directives": (
        DIRECTIVES,
        lambda count: (
            f"{{ viewer {{ {'isLinked @skip(if: false) ' * 30} "
            f"user {{ {'name @include(if: true) ' * (count - 30)} }} }} }}"
        ),
    ),
    "variables": (VARIABLES, _variables),
}


@pytest.mark.parametrize("what", MOST)
async def test_the_most_of_what_multiplies(api: Api, what: str) -> None:
    person = api.as_(LEARNER_9A)
    most, document = MOST[what]
    assert code_of(await person.send(document(most))) is None
    refusal = await person.fails("LIMIT_EXCEEDED", document(most + 1))
    assert f"{most + 1} {what.partition(' in ')[0].partition(' of ')[0]}, {most} are allowed" in refusal


def test_the_most_operations() -> None:
    """Only the named one runs; each of them is measured."""

    def document(count: int) -> str:
        return " ".join(f"query q{number} {{ viewer {{ isLinked }} }}" for number in range(count))

    assert is_admitted(document(OPERATIONS))
    assert not is_admitted(document(OPERATIONS + 1))
    wide = f"query wide {{ viewer {{ user {{ {aliased('name', FIELDS_OF_OBJECT + 1)} }} }} }}"
    assert not is_admitted(f"{document(1)} {wide}")


async def test_the_longest_document(api: Api) -> None:
    person = api.as_(LEARNER_9A)
    text = "{ viewer { isLinked } } #"
    assert code_of(await person.send(text + "x" * (CHARACTERS - len(text)))) is None
    await person.fails("LIMIT_EXCEEDED", text + "x" * (CHARACTERS - len(text) + 1))
    await person.fails("LIMIT_EXCEEDED", f"{{ viewer {{ {'isLinked ' * TOKENS} }} }}")
    for depth in (200, 1_000):
        await person.fails("LIMIT_EXCEEDED", f"{{ viewer {'{ ... ' * depth}{{ isLinked }}{' }' * depth} }}")


@pytest.mark.parametrize("given", ["[%s]", "$k"])
async def test_the_longest_list(api: Api, given: str) -> None:
    person = api.as_(LEARNER_9A)
    head = "query($k: [ChatKind!])" if given == "$k" else ""
    document = f"{head} {{ viewer {{ chats(filter: {{kinds: {given}}}) {{ totalCount }} }} }}"
    for count, code in ((ITEMS_OF_LIST, None), (ITEMS_OF_LIST + 1, "LIMIT_EXCEEDED")):
        kinds = ["GROUP"] * count
        if given == "$k":
            assert code_of(await person.send(document, k=kinds)) == code
        else:
            assert code_of(await person.send(document % ", ".join(kinds))) == code


async def test_an_endless_list_in_an_input_is_the_mutation_s_to_refuse(api: Api) -> None:
    """More than 100 ids in one call are INVALID_INPUT, however many."""
    chat = {"chatId": api.chat("GROUP", CLASS_9A)}
    await api.as_(CURATOR_9A).refused("INVALID_INPUT", "addChatParticipants", **chat, userIds=["User_1"] * 5_000)


async def test_the_longest_search(api: Api) -> None:
    """Engines refuse patterns beyond some length, so nobody's name is asked for with more than a name has."""
    person = api.as_(LEARNER_9A)
    for where in (
        "chats(filter: {search: $s}) { totalCount }",
        "conversations(filter: {search: $s}) { totalCount }",
        "organization { groups(search: $s) { totalCount } }",
    ):
        document = f"query($s: String) {{ viewer {{ {where} }} }}"
        for text in ("ж" * 200, "%" * 200, "\\" * 200, "ﷺ" * 200, "\u0301" * 200):
            assert code_of(await person.send(document, s=text)) is None
        for length in (201, 60_000):
            await person.fails("LIMIT_EXCEEDED", document, s="ж" * length)


# ----------------------------------------------------------------------------------------- the schema


@pytest.mark.parametrize("deprecation", [False, True])
async def test_graphiql_may_ask_for_the_whole_schema(api: Api, deprecation: bool) -> None:
    document = get_introspection_query(
        descriptions=True,
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
        experimental_directive_deprecation=deprecation,
        one_of=True,
    )
    answer = await api.as_(LEARNER_9A).ask(document)
    names = {each["name"] for each in answer["__schema"]["types"]}
    assert {"Viewer", "Chat", "PublishCallResult", "DateTime"} <= names
