"""POST /graphql: what is an operation, what is none, and what the client gets to read."""

import asyncio
import gzip
import json
import logging
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.http import LARGEST_BODY, LARGEST_SIGNED_OUT
from app.messenger.builtin import BuiltinMessenger
from app.operations import is_introspection
from app.server import alone_with
from models.actor import Viewer
from models.database import Database
from tests.web import Served, served

JSON = {"Content-Type": "application/json"}
GRAPHQL = "application/graphql-response+json"


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Served]:
    async with served(tmp_path, allowed_origins="https://spa.example, https://other.example") as running:
        yield running


async def post(web: Served, body: bytes | str, **headers: str) -> tuple[int, Any]:
    async with web.client.post(web.url, data=body, headers={**JSON, **headers}) as answer:
        return answer.status, await answer.json(content_type=None)


def code(answer: Any) -> str:
    """The code of the only error."""
    (error,) = answer["errors"]
    found = error["extensions"]["code"]
    assert isinstance(found, str)
    return found


# ------------------------------------------------------------------------------------ what is answered


async def test_an_operation_is_answered_as_json_that_nobody_keeps(web: Served) -> None:
    body = {"query": "query($t: String!) { echo(text: $t) }", "variables": {"t": "Ça va ?"}}
    async with web.client.post(web.url, json=body) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "aiohttp" not in answer.headers["Server"]
        assert await answer.json() == {"data": {"echo": "Ça va ?"}}


async def test_the_named_operation_runs(web: Served) -> None:
    document = "query a { number } mutation b { double(of: 4) }"
    assert await web.ask(document, operationName="b") == (200, {"data": {"double": 8}})
    status, answer = await web.ask(document, operationName="c")
    assert (status, code(answer)) == (200, "BAD_REQUEST")
    assert answer["errors"][0]["message"] == "The document has no operation named 'c'."
    status, answer = await web.ask(document)
    assert (status, code(answer), "data" in answer) == (200, "BAD_REQUEST", False)


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, application/json;q=0.9", GRAPHQL),
        (f"application/json, {GRAPHQL}", GRAPHQL),
        (f"application/json, {GRAPHQL};q=0.5", "application/json"),
        (f"{GRAPHQL};q=0, */*", "application/json"),
        (f"{GRAPHQL};q=x", "application/json"),
        ("Application/GraphQL-Response+JSON; charset=utf-8", GRAPHQL),
        ("text/html", "application/json"),
    ],
)
async def test_the_media_type_is_what_was_asked_for(web: Served, accept: str | None, media_type: str) -> None:
    skip = ["Accept"] if accept is None else []
    headers = {} if accept is None else {"Accept": accept}
    for query, status in (("{ number }", 200), ("{", 400 if media_type == GRAPHQL else 200), ("{ nowhere }", 200)):
        async with web.client.post(
            web.url, json={"query": query}, headers=headers, skip_auto_headers=skip
        ) as answer:
            assert answer.status == status, query
            assert answer.headers["Content-Type"] == f"{media_type}; charset=utf-8"
            assert ("data" in await answer.json(content_type=None)) == (query != "{")


# ---------------------------------------------------------------------------------------- who is asking


async def test_who_asks_is_the_person_of_the_token(web: Served) -> None:
    assert await web.ask("{ me }") == (200, {"data": {"me": "1"}})
    other = {"authorization": web.token(Viewer(2, 1)).replace("Bearer", "bearer")}
    assert await web.ask("{ me }", headers=other) == (200, {"data": {"me": "2"}})


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x.y.z", "Basic eDp5", "Bearer " + "x" * 5000])
async def test_without_a_valid_token_nobody_is_signed_in(web: Served, header: str) -> None:
    status, answer = await web.ask("{ me }", headers={"Authorization": header})
    assert (status, answer["data"], code(answer)) == (200, None, "UNAUTHENTICATED")


async def test_a_token_that_has_expired_signs_nobody_in(web: Served) -> None:
    headers = {"Authorization": web.token()}
    web.clock[0] += timedelta(hours=12)
    _, answer = await web.ask("{ me }", headers=headers)
    assert code(answer) == "UNAUTHENTICATED"


# ------------------------------------------------------------------------------------ what is no operation

MALFORMED = {
    "nothing": b"",
    "null": b"null",
    "a text": b'"x"',
    "a number": b"1",
    "a batch": b'[{"query":"{number}"}]',
    "no query": b"{}",
    "query null": b'{"query":null}',
    "query empty": b'{"query":""}',
    "query a list": b'{"query":["{number}"]}',
    "variables a list": b'{"query":"{number}","variables":[1]}',
    "variables a text": b'{"query":"{number}","variables":"{}"}',
    "operationName a number": b'{"query":"{number}","operationName":5}',
    "extensions a text": b'{"query":"{number}","extensions":"x"}',
    "not UTF-8": b'{"query":"{ \xff }"}',
    "UTF-16": '{"query":"{number}"}'.encode("utf-16"),
    "a lone surrogate": rb'{"query":"{ echo(text:\"\ud800\") }"}',
    "NUL": rb'{"query":"query($t:String!){echo(text:$t)}","variables":{"t":"a\u0000b"}}',
    "NUL behind a backslash": rb'{"query":"query($t:String!){echo(text:$t)}","variables":{"t":"\\\u0000"}}',
    "NaN": b'{"query":"{number}","variables":{"x":NaN}}',
    "1e999": b'{"query":"{number}","variables":{"x":1e999}}',
    "an endless number": b'{"query":"{number}","variables":{"x":' + b"9" * 5000 + b"}}",
    "endless depth": b"[" * 100_000 + b"]" * 100_000,
}


@pytest.mark.parametrize("name", MALFORMED)
@pytest.mark.parametrize("accept", ["application/json", GRAPHQL])
async def test_what_is_no_operation_is_400(
    web: Served, caplog: pytest.LogCaptureFixture, name: str, accept: str
) -> None:
    status, answer = await post(web, MALFORMED[name], Accept=accept, Authorization=web.token())
    assert (status, code(answer), "data" in answer) == (400, "BAD_REQUEST", False)
    assert not caplog.records


async def test_an_escaped_backslash_before_u0000_is_text(web: Served) -> None:
    body = rb'{"query":"query($t:String!){echo(text:$t)}","variables":{"t":"\\u0000"}}'
    assert await post(web, body) == (200, {"data": {"echo": r"\u0000"}})


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/jsonp",
    ],
)
async def test_another_content_type_is_415(web: Served, content_type: str) -> None:
    status, answer = await post(web, b'{"query":"{number}"}', **{"Content-Type": content_type})
    assert (status, code(answer)) == (415, "BAD_REQUEST")


async def test_utf8_may_be_named(web: Served) -> None:
    for content_type in ("application/json;charset=UTF-8", 'Application/JSON; charset="utf-8"'):
        status, _ = await post(web, b'{"query":"{number}"}', **{"Content-Type": content_type})
        assert status == 200


async def test_a_packed_body_is_415_and_never_unpacked(web: Served) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    status, answer = await post(web, bomb, **{"Content-Encoding": "gzip"})
    assert (status, code(answer)) == (415, "BAD_REQUEST")


async def test_a_large_body_is_413_announced_or_not(web: Served) -> None:
    for most, token in ((LARGEST_BODY, {"Authorization": web.token()}), (LARGEST_SIGNED_OUT, {})):
        body = b'{"query":"{number}","x":"' + b"x" * most + b'"}'
        for sent in (body, pieces(body)):
            async with web.client.post(web.url, data=sent, headers={**JSON, **token}) as answer:
                assert (answer.status, code(await answer.json())) == (413, "LIMIT_EXCEEDED")
        short = body[: most - 2] + b'"}'
        for sent in (short, pieces(short)):
            async with web.client.post(web.url, data=sent, headers={**JSON, **token}) as answer:
                assert (answer.status, await answer.json()) == (200, {"data": {"number": 1}})


async def pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 10_000):
        yield body[start : start + 10_000]


async def test_a_body_that_crawls_is_408_and_others_are_served(
    web: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.http.LONGEST_BODY", 0.2)
    head = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    port = int(web.address.rpartition(":")[2])
    for rest in (b"Content-Length: 1000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head + rest)
        answer = asyncio.create_task(reader.readuntil(b"}]}"))
        async with asyncio.timeout(5):
            while not answer.done():
                writer.write(b"1\r\n{\r\n" if b"chunked" in rest else b"{")
                assert (await web.ask("{ number }"))[0] == 200
                await asyncio.sleep(0.02)
        said = await answer
        assert said.startswith(b"HTTP/1.1 408 ")
        assert b'"BAD_REQUEST"' in said
        writer.close()


async def test_who_takes_no_answer_is_cut(web: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.sending.LONGEST", 0.2)
    body = json.dumps({"query": "query($t: String!) { echo(text: $t) }", "variables": {"t": "x" * 400_000}})
    asked = (
        "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: {web.token()}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
    with socket.socket() as silent:
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        silent.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(silent, ("127.0.0.1", int(web.address.rpartition(":")[2])))
        with pytest.raises(ConnectionError):
            async with asyncio.timeout(10):
                while True:  # one after another, and no answer is read
                    await loop.sock_sendall(silent, asked)
    assert await web.ask("{ number }") == (200, {"data": {"number": 1}})


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE"])
async def test_another_method_is_405(web: Served, method: str) -> None:
    async with web.client.request(method, web.url, params={"query": "{number}"}) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "POST, OPTIONS")
        if method != "HEAD":
            assert code(await answer.json()) == "BAD_REQUEST"


async def test_a_body_that_breaks_off_does_no_harm(web: Served, caplog: pytest.LogCaptureFixture) -> None:
    head = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    port = int(web.address.rpartition(":")[2])
    for rest in (b"Content-Length: 100\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head + rest)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")
    assert b" 400 " in await reader.readline()
    writer.close()
    await writer.wait_closed()
    assert await web.ask("{ number }") == (200, {"data": {"number": 1}})
    assert not caplog.records


# --------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    "query",
    ["{", "{ nope }", "{ nowher }", "{ number(off: 1) }", '{ number(of: "x") }', "{ number @skipp(if: true) }"],
)
async def test_a_mistake_of_the_client_is_told_without_names_to_guess(
    web: Served, caplog: pytest.LogCaptureFixture, query: str
) -> None:
    status, answer = await web.ask(query)
    assert status == 200
    assert "data" not in answer
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"BAD_REQUEST"}
    assert "did you mean" not in json.dumps(answer).lower()
    assert not caplog.records


async def test_a_variable_that_does_not_fit_is_a_mistake_of_the_client(web: Served) -> None:
    for value in ("x", 2**31, 2**70, None, [1], {"a": 1}):
        status, answer = await web.ask("query($n: Int!) { number(of: $n) }", variables={"n": value})
        assert (status, code(answer), "data" in answer) == (200, "BAD_REQUEST", False)


async def test_a_value_that_its_scalar_refuses_is_a_mistake_of_the_client(web: Served) -> None:
    assert await web.ask('{ year(of: "2026-09-10") }') == (200, {"data": {"year": 2026}})
    for value in ("x", "2026-99-99", ""):
        for query in (f'{{ year(of: "{value}") }}', "query($at: Date!) { year(of: $at) }"):
            status, answer = await web.ask(query, variables={"at": value})
            assert (status, code(answer), "data" in answer) == (200, "BAD_REQUEST", False)


async def test_a_fault_of_the_request_keeps_its_text_and_code(web: Served) -> None:
    _, answer = await web.ask("{ limited number }")
    assert answer["data"] == {"limited": None, "number": 1}
    (error,) = answer["errors"]
    assert (error["message"], error["extensions"]) == ("Too much.", {"code": "LIMIT_EXCEEDED"})
    assert (error["path"], error["locations"]) == (["limited"], [{"line": 1, "column": 3}])


async def test_our_own_fault_is_masked_and_its_reference_is_in_the_log(
    web: Served, caplog: pytest.LogCaptureFixture
) -> None:
    status, answer = await web.ask("{ nowhere number }")
    assert (status, answer["data"], code(answer)) == (200, {"nowhere": None, "number": 1}, "INTERNAL")
    assert "secret" not in json.dumps(answer)
    (record,) = caplog.records
    reference = answer["errors"][0]["message"].removeprefix("Internal error, reference ")
    assert (record.levelno, record.getMessage()) == (logging.ERROR, f"Internal error {reference}")
    assert record.exc_info
    assert record.exc_info[0] is KeyError


async def test_an_answer_that_is_no_json_is_our_own_fault(web: Served) -> None:
    status, answer = await web.ask("{ odd }")
    assert (status, code(answer)) == (200, "INTERNAL")


async def test_not_all_of_many_errors_are_told(web: Served) -> None:
    _, answer = await web.ask("{ number(" + ", ".join(f"nope{number}: 1" for number in range(60)) + ") }")
    assert len(answer["errors"]) == 20
    _, answer = await web.ask("{ " + "x" * 5000 + " }")
    assert len(answer["errors"][0]["message"]) < 500


async def test_a_subscription_does_not_come_over_post(web: Served) -> None:
    _, answer = await web.ask("subscription { silence }")
    assert (code(answer), "data" in answer) == ("BAD_REQUEST", False)
    assert "WebSocket" in answer["errors"][0]["message"]


async def test_introspection_is_off_unless_it_is_switched_on(web: Served, tmp_path: Path) -> None:
    query = "{ __schema { queryType { name } } }"
    _, answer = await web.ask(query)
    assert (code(answer), "data" in answer) == ("BAD_REQUEST", False)
    assert await web.ask("{ __typename }") == (200, {"data": {"__typename": "Query"}})
    (tmp_path / "other").mkdir()
    async with served(tmp_path / "other", introspection=True) as other:
        assert await other.ask(query) == (200, {"data": {"__schema": {"queryType": {"name": "Query"}}}})


@pytest.mark.parametrize(
    ("query", "does"),
    [
        ("{__schema{types{name}}}", True),
        ('{ __type(name: "Query") { name } }', True),
        ("{ a: __type }", True),
        ("# harmless\r{ __schema }", True),
        ('# "\n{ __schema }\n# "', True),
        ('{ echo(text: "\\"") __schema echo(text: "\\"") }', True),
        ('{ echo(text: "") __schema a: echo(text: "") }', True),
        ('{ echo(text: """ " """) __schema a: echo(text: """ " """) }', True),
        ('{ echo(text: """ \\""" """) __schema a: echo(text: "x") }', True),
        ("{ __typename }", False),
        ("{ my__schema }", False),
        ('{ echo(text: "__schema { types }") }', False),
        ('{ echo(text: "\\" __type") }', False),
        ('{ echo(text: """a " __schema \\""" __type""") }', False),
        ("{ number # __schema\n}", False),
    ],
)
def test_introspection_is_what_is_selected_not_what_is_said(query: str, does: bool) -> None:
    assert is_introspection(query) is does


# ------------------------------------------------------------------------------------- other origins


async def test_a_known_spa_may_call_from_its_origin(web: Served) -> None:
    asked = {
        "Origin": "https://spa.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    async with web.client.options(web.url, headers=asked) as answer:
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Origin"] == "https://spa.example"
        assert answer.headers["Access-Control-Allow-Methods"] == "POST"
        assert answer.headers["Access-Control-Allow-Headers"] == "authorization, content-type"
        assert answer.headers["Vary"] == "Origin"
    for body in ({"query": "{ number }"}, {}):
        async with web.client.post(web.url, json=body, headers={"Origin": "https://spa.example"}) as answer:
            assert answer.headers["Access-Control-Allow-Origin"] == "https://spa.example"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://spa.example.evil.example", "*"])
async def test_another_origin_hears_nothing(web: Served, origin: str) -> None:
    for method in ("OPTIONS", "POST"):
        headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        async with web.client.request(method, web.url, json={"query": "{number}"}, headers=headers) as answer:
            assert not [name for name in answer.headers if name.lower().startswith("access-control")]


# ---------------------------------------------------------------------------------------- the server


async def test_a_request_under_way_is_answered_although_the_server_stops(tmp_path: Path) -> None:
    async with served(tmp_path) as web:
        asked = asyncio.create_task(web.ask("{ slow }"))
        await asyncio.sleep(0.05)
        await web.runner.cleanup()
        assert await asked == (200, {"data": {"slow": True}})


def test_one_server_holds_a_database_and_a_second_is_told_so(tmp_path: Path) -> None:
    def opened(name: str) -> Database:
        return Database(f"sqlite:///{tmp_path}/{name}", messenger=BuiltinMessenger("x" * 40))

    database = opened("preau.db")
    with alone_with(database):
        refusal = r"preau\.db: another server runs on this database\.$"
        with pytest.raises(SystemExit, match=refusal), alone_with(opened("preau.db")):
            pytest.fail("a second server was let in")
        with alone_with(opened("other.db")):
            pass
    with alone_with(database):
        pass
