"""Which sizes and cursors are taken, and what does the look-ahead keep from one request to the next?"""

import gc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import resolvers.lookahead
import schema.documents
import schema.selection
from resolvers.lookahead import plan_of_field
from schema import schema as served
from tests.api import Api
from tests.lookahead.asking import code_of, is_admitted
from tests.lookahead.caches import caches, forget_all
from tests.lookahead.prelude import build_lively_school
from tests.school import ADMINISTRATOR, LEARNER_9A


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """Both schools in the middle of a lively week."""
    async with Api.serving(build_lively_school(tmp_path / "school.db")) as api:
        yield api


# ------------------------------------------------------------------------------- sizes and cursors


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("first: 100", None),
        ("last: 100", None),
        ("first: null, last: null", None),
        ("first: null, last: 3", None),
        ("first: 101", "LIMIT_EXCEEDED"),
        ("last: 2147483647", "LIMIT_EXCEEDED"),
        ("first: 0", "BAD_REQUEST"),
        ("last: -1", "BAD_REQUEST"),
        ("first: 1, last: 1", "BAD_REQUEST"),
        ("first: 99999999999999999999", "BAD_REQUEST"),
        ('first: "1"', "BAD_REQUEST"),
        ("first: 1.5", "BAD_REQUEST"),
        ("first: true", "BAD_REQUEST"),
    ],
)
async def test_sizes(api: Api, given: str, code: str | None) -> None:
    answer = await api.as_(LEARNER_9A).send(f"{{ viewer {{ chats({given}) {{ nodes {{ id }} }} }} }}")
    assert code_of(answer) == code


ADMITTED: list[object] = [1, 100, 100.0, None]
TOO_LARGE: list[object] = [101, 2**31 - 1]
NO_SIZES: list[object] = [0, -5, 2**31, 1.5, "1", True, [1, 2], {}]


@pytest.mark.parametrize(
    ("size", "code"),
    [
        *((size, None) for size in ADMITTED),
        *((size, "LIMIT_EXCEEDED") for size in TOO_LARGE),
        *((size, "BAD_REQUEST") for size in NO_SIZES),
    ],
)
async def test_sizes_in_variables(api: Api, size: object, code: str | None) -> None:
    document = "query($n: Int) { viewer { chats(last: $n) { pageInfo { hasPreviousPage } } } }"
    assert code_of(await api.as_(LEARNER_9A).send(document, n=size)) == code


NO_CURSORS = [
    *(
        "",
        "nonsense",
        "null",
        "17",
        '"а"',
        "{}",
        "[]",
        '["а"]',
        '["а", 1, 2]',
        '["а", "1"]',
        '["а", true]',
        "[1, 1]",
    ),
    *('["а", 1.0]', '["а", null]', '["а", NaN]', '["а", 9223372036854775808]', '["а", -9223372036854775809]'),
    *('["\\ud800", 1]', '["\\u0000", 1]', '[["а"], 1]', "[" * 5_000, f'["а", {"9" * 5_000}]'),
]


@pytest.mark.parametrize("cursor", NO_CURSORS, ids=range(len(NO_CURSORS)))
async def test_what_is_no_cursor(api: Api, cursor: str) -> None:
    person = api.as_(LEARNER_9A)
    for argument in ("after", "before"):
        document = f"query($c: String) {{ viewer {{ chats({argument}: $c) {{ totalCount nodes {{ id }} }} }} }}"
        await person.fails("BAD_REQUEST", document, c=cursor)
    members = "query($c: String) { viewer { groups { members(after: $c) { edges { cursor } } } } }"
    await person.fails("BAD_REQUEST", members, c=cursor)


async def test_a_cursor_that_nobody_gave_is_a_place_all_the_same(api: Api) -> None:
    person = api.as_(LEARNER_9A)
    document = "query($c: String) { viewer { chats(after: $c) { totalCount nodes { id } } } }"
    for cursor in ('["", -9223372036854775807]', '["\'; DROP TABLE chats --", 1]', '["а", 0]'):
        assert len((await person.ask(document, c=cursor))["viewer"]["chats"]["nodes"]) > 3


NESTED = """viewer { chats(first: $n) { nodes { participants(first: $n) { nodes {
  isLinked user { name login memberships { position } } } } } } }"""


async def test_sizes_in_variables_are_measured_anew_for_each_value(api: Api) -> None:
    person = api.as_(LEARNER_9A)
    document = f"query($n: Int) {{ {NESTED} }}"
    assert await person.send(document, n=10) == await person.send(document, n=10)
    for size, code in ((1, None), (100, "LIMIT_EXCEEDED"), (2, None), (100, "LIMIT_EXCEEDED"), (None, None)):
        assert code_of(await person.send(document, n=size)) == code
    assert code_of(await person.send(document)) is None
    assert code_of(await person.send(document, n=100.0)) == "LIMIT_EXCEEDED"


async def test_defaults_of_variables_are_measured(api: Api) -> None:
    person = api.as_(LEARNER_9A)
    document = f"query($n: Int = 100) {{ {NESTED} }}"
    for given, code in (({"n": None}, None), ({}, "LIMIT_EXCEEDED"), ({"n": 3}, None), ({}, "LIMIT_EXCEEDED")):
        assert code_of(await person.send(document, **given)) == code
    two = f"query a($n: Int = 100) {{ ...N }} query b($n: Int = 1) {{ ...N }} fragment N on Query {{ {NESTED} }}"
    assert not is_admitted(two)
    assert is_admitted(two.replace("100", "10"))


async def test_of_two_sizes_the_larger_one_is_measured(api: Api) -> None:
    """One of them has to be null, and only then is known which."""
    document = f"query($n: Int, $m: Int) {{ {NESTED} }}".replace("first: $n", "first: $m, last: $n", 1)
    person = api.as_(LEARNER_9A)
    for given, code in (({"m": 1}, None), ({"n": 100}, "LIMIT_EXCEEDED"), ({"n": 2}, None)):
        assert code_of(await person.send(document, **given)) == code


async def test_more_ids_than_may_be_looked_up_at_once(api: Api) -> None:
    person = api.as_(LEARNER_9A)
    document = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert len((await person.ask(document, ids=["Chat_1"] * 100))["nodes"]) == 100
    for count in (101, 50_000):
        await person.fails("LIMIT_EXCEEDED", document, ids=["Chat_1"] * count)


# ---------------------------------------------------------------------------------------- what is kept


def test_every_cache_is_bounded() -> None:
    kept = dict(caches())
    assert {
        "resolvers.lookahead.plan_of_field",
        "resolvers.lookahead.plan_of_object",
        "schema.documents._known",
    } <= (kept.keys())
    for name, cache in kept.items():
        assert cache.cache_parameters()["maxsize"] is not None, f"{name} grows without end"


async def test_walks_go_with_their_documents(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many documents come: what is kept of one is gone when it is not known any more."""
    person = api.as_(LEARNER_9A)
    forget_all()
    gc.collect()
    before = len(schema.selection._kept)
    await person.ask("{ viewer { isLinked } }")
    assert len(schema.selection._kept) == before + 1
    for number in range(5):
        await person.ask(f"{{ viewer {{ isLinked }} }} #{number} {'x' * schema.documents.LONGEST_KNOWN}")
    gc.collect()
    assert len(schema.selection._kept) == before + 1
    forget_all()
    gc.collect()
    assert len(schema.selection._kept) == before


async def test_walks_of_one_document_are_bounded(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """One for each shape of the variables: lists of other lengths, say."""
    monkeypatch.setattr(schema.selection, "WALKS", 12)
    person = api.as_(LEARNER_9A)
    document = "query($k: [ChatKind!]) { viewer { chats(filter: {kinds: $k}) { totalCount } } }"
    forget_all()
    gc.collect()
    for number in range(30):
        await person.ask(document, k=["GROUP"] * number)
    assert max(map(len, schema.selection._kept.values())) <= 12


async def test_measures_of_one_document_are_bounded(api: Api) -> None:
    document = "query($n: Int) { viewer { chats(first: $n) { totalCount } } }"
    person = api.as_(LEARNER_9A)
    for size in range(-schema.documents.MEASURES, schema.documents.MEASURES):
        await person.ask(document, n=size)
    known = schema.documents._known(document, served._schema)
    assert 0 < len(known._measured) <= schema.documents.MEASURES


async def test_documents_that_differ_in_literals_share_a_plan(api: Api) -> None:
    person = api.as_(LEARNER_9A)
    forget_all()
    for size, search, kind in ((1, "9", "GROUP"), (2, "ё", "PARENTS"), (3, "nobody", "CUSTOM")):
        chats = f'chats(first: {size}, filter: {{search: "{search}", kinds: [{kind}]}}) {{ nodes {{ name }} }}'
        await person.ask(f"{{ viewer {{ {chats} }} }}")
    assert plan_of_field.cache_info().misses == 1
    chats = "chats(first: $n, filter: {search: $s, kinds: $k}) { nodes { name } }"
    variables = f"query($n: Int, $s: String, $k: [ChatKind!]) {{ viewer {{ {chats} }} }}"
    await person.ask(variables, n=4, s="а", k="SUBGROUP")
    assert plan_of_field.cache_info().misses == 1
    await person.ask('{ viewer { chats(first: 1, filter: {search: "9", kinds: []}) { nodes { name } } } }')
    assert plan_of_field.cache_info().misses == 2


async def test_what_is_known_is_not_made_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second request with a document, as anybody and with any values, is bound, run and finished."""
    document = """query($n: Int, $is: Boolean!, $id: ID!) {
      viewer { chats(first: $n) { nodes { name @include(if: $is) viewerActions } } } node(id: $id) { id } }"""
    publish = "mutation($input: MarkChatsSeenInput) { markChatsSeen(input: $input) { badges { newCalls } } }"
    await api.as_(LEARNER_9A).ask(document, n=1, **{"is": True}, id="Chat_1")
    await api.as_(LEARNER_9A).ask(publish, input={"upTo": "0"})
    for made in ("parse", "validate_document"):
        monkeypatch.setattr(schema.documents, made, None)
    monkeypatch.setattr(schema.selection, "_Walk", None)
    monkeypatch.setattr(resolvers.lookahead, "_compile", None)
    for size in (2, 3):
        await api.as_(ADMINISTRATOR).ask(document, n=size, **{"is": True}, id=f"User_{size}")
        await api.as_(ADMINISTRATOR).ask(publish, input={"upTo": str(size)})
