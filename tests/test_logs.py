"""What is in the log: the request that a line belongs to, where a fault happened, and nothing of a person."""

import asyncio
import io
import json
import logging
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

import app.tally
from app.logs import LONGEST_EVENT, outline, pipe, quieten_libraries, tell_of_lost_tasks
from models.errors import Unavailable
from tests.running import at_school, first_words, last_words, logged, started
from tests.school import CURATOR_9A
from tests.web import Served, served

SECRET_WORDS = "Iwanowa and what she wrote"


class Lines:
    """What has been logged in production since the test began."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def all(self) -> list[dict[str, Any]]:
        return logged(self.stream.getvalue())


@pytest.fixture
def lines() -> Iterator[Lines]:
    written = Lines()
    handler = pipe(written.stream, in_development=False)
    logging.getLogger().addHandler(handler)
    quieten_libraries()
    yield written
    logging.getLogger().removeHandler(handler)


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Served]:
    async with served(tmp_path) as running:
        yield running


async def id_of_answer(web: Served, given: str | None, query: str = "{ number }") -> str:
    headers = {} if given is None else {"X-Request-Id": given}
    async with web.client.post(web.url, json={"query": query}, headers=headers) as answer:
        (told,) = answer.headers.getall("X-Request-Id")
        return told


# ------------------------------------------------------------------------------------ the request's id


async def test_every_request_has_an_id_of_its_own(web: Served) -> None:
    told = {await id_of_answer(web, None) for _ in range(20)}
    assert len(told) == 20
    assert all(re.fullmatch(r"[0-9a-f]{16}", each) for each in told)
    for path in ("/healthz", "/nowhere", "/attachments/x/y"):
        async with web.client.get(web.address + path) as answer:
            assert answer.headers["X-Request-Id"] not in told


@pytest.mark.parametrize("given", ["a", "4f1c-77", "A.b_c-9", "x" * 64])
async def test_an_id_that_a_proxy_gave_is_kept(web: Served, given: str) -> None:
    assert await id_of_answer(web, given) == given


@pytest.mark.parametrize("given", ["", " ", "x" * 65, "a b", "a\tb", "ё", '"}', "a;b", "%0a", "<b>"])
async def test_an_id_that_is_none_is_not(web: Served, given: str) -> None:
    told = await id_of_answer(web, given)
    assert told != given
    assert re.fullmatch(r"[0-9a-f]{16}", told)


async def test_the_line_of_a_fault_leads_to_its_request_and_its_answer(web: Served, lines: Lines) -> None:
    headers = {"X-Request-Id": "from-the-proxy"}
    async with web.client.post(web.url, json={"query": "{ nowhere }"}, headers=headers) as answer:
        (error,) = (await answer.json())["errors"]
        assert answer.headers["X-Request-Id"] == "from-the-proxy"
    (line,) = lines.all()
    assert line["event"] == error["message"].replace(", reference", "")
    assert (line["level"], line["logger"], line["request"]) == ("error", "app.answers", "from-the-proxy")
    first, *frames = line["fault"].splitlines()
    assert first == "KeyError"
    assert re.fullmatch(r"  tests/web\.py:\d+ nowhere", frames[0])
    assert "secret/path.py" not in json.dumps(line)


async def test_operations_on_a_socket_have_its_id(web: Served, lines: Lines) -> None:
    headers = {"X-Request-Id": "the-socket"}
    async with web.client.ws_connect(web.url, protocols=["graphql-transport-ws"], headers=headers) as ws:
        await ws.send_json({"type": "connection_init", "payload": {"Authorization": web.token()}})
        await ws.receive_json()
        await ws.send_json({"id": "1", "type": "subscribe", "payload": {"query": "{ nowhere }"}})
        assert (await ws.receive_json())["payload"]["errors"][0]["extensions"]["code"] == "INTERNAL"
    (line,) = lines.all()
    assert line["request"] == "the-socket"


async def test_requests_at_the_same_time_keep_their_ids_apart(web: Served, lines: Lines) -> None:
    query = "{ slow nowhere }"
    told = await asyncio.gather(*(id_of_answer(web, f"n-{number}", query) for number in range(20)))
    assert told == [f"n-{number}" for number in range(20)]
    assert sorted(line["request"] for line in lines.all()) == sorted(told)


# ---------------------------------------------------------------------------------- what a line may say


def fault_of(error: Exception) -> str:
    try:
        raise error
    except Exception as raised:
        return outline(raised)


def test_a_fault_quotes_nothing_but_codes_and_names_of_the_code() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE people (name TEXT UNIQUE)")
        connection.execute("INSERT INTO people VALUES (?)", (SECRET_WORDS,))
        with pytest.raises(sqlite3.IntegrityError) as unique:
            connection.execute("INSERT INTO people VALUES (?)", (SECRET_WORDS,))
        with pytest.raises(sqlite3.OperationalError) as wrong:
            connection.execute(f"SELECT '{SECRET_WORDS}' FROM nowhere")
    assert fault_of(unique.value).startswith("sqlite3.IntegrityError: SQLITE_CONSTRAINT_UNIQUE\n")
    assert fault_of(wrong.value).startswith("sqlite3.OperationalError: SQLITE_ERROR\n")
    wrapped = IntegrityError("INSERT ...", {"name": SECRET_WORDS}, unique.value)
    wrapped.__cause__ = unique.value
    told = fault_of(wrapped)
    assert told.startswith("sqlalchemy.exc.IntegrityError\n")
    assert "sqlite3.IntegrityError: SQLITE_CONSTRAINT_UNIQUE" in told
    for error in (ValueError(SECRET_WORDS), KeyError(SECRET_WORDS), AssertionError(SECRET_WORDS), wrapped):
        assert "Iwanowa" not in fault_of(error)
    assert "No space left on device" in fault_of(OSError(28, "No space left on device"))


def test_a_fault_is_told_at_bounded_length() -> None:
    def deep(left: int) -> None:
        if left:
            deep(left - 1)
        raise ValueError

    error: Exception = ValueError()
    for _ in range(50):
        try:
            deep(100)
        except ValueError as raised:
            raised.__cause__ = error
            error = raised
    assert len(outline(error)) < 8_000
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    assert outline(first) == "ValueError\nKeyError"


def test_a_line_is_told_at_bounded_length(lines: Lines) -> None:
    logging.getLogger("app").error("x" * 100_000)
    assert lines.all()[0]["event"] == "x" * LONGEST_EVENT


def test_libraries_go_through_the_same_pipe(lines: Lines) -> None:
    for name in ("aiohttp.server", "alembic.runtime", "asyncio", "sqlalchemy", "models.database.writer"):
        logging.getLogger(name).warning("Something of %s", "theirs")
    assert [(line["logger"], line["level"]) for line in lines.all()] == [
        (name, "warning")
        for name in ("aiohttp.server", "alembic.runtime", "asyncio", "sqlalchemy", "models.database.writer")
    ]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]{12}\+00:00", line["timestamp"]) for line in lines.all())


def test_nobodys_address_is_told(lines: Lines) -> None:
    logging.getLogger("aiohttp.server").error("Error handling request from %s", "192.0.2.7")
    assert lines.all()[0]["event"] == "Error handling request"


async def test_a_task_that_nobody_waited_for_is_told_without_what_it_held(lines: Lines) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(tell_of_lost_tasks)

    async def fail(_: str) -> None:
        raise ValueError(SECRET_WORDS)

    task = asyncio.create_task(fail(SECRET_WORDS), name=SECRET_WORDS)
    await asyncio.sleep(0)
    del task
    for _ in range(3):
        await asyncio.sleep(0)
    (line,) = lines.all()
    assert (line["event"], line["fault"].splitlines()[0]) == ("Task exception was never retrieved", "ValueError")
    assert "Iwanowa" not in json.dumps(line)


def test_in_development_lines_are_for_reading() -> None:
    stream = io.StringIO()
    record = logging.LogRecord("app.x", logging.ERROR, "", 0, "Something %s", ("here",), None)
    record.__dict__["organization"] = 7
    handler = pipe(stream, in_development=True)
    handler.handle(record)
    assert "Something here" in stream.getvalue()
    assert "organization=7" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()  # colours are for a terminal


# --------------------------------------------------------------------------------- what has a line at all


async def test_what_goes_well_or_is_a_mistake_of_a_client_has_no_line(web: Served, lines: Lines) -> None:
    for query in ("{ number }", "{ nope }", "{", "{ limited }", "subscription { silence }", "{ me }"):
        await web.ask(query)
    for method in ("GET", "PUT"):
        async with web.client.request(method, web.url) as answer:
            assert answer.status == 405
    async with web.client.get(f"{web.address}/nowhere") as answer:
        assert answer.status == 404
    assert lines.all() == []


async def test_a_slow_operation_has_one_in_words_of_the_schema(
    web: Served, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.tally, "SLOW", 0.1)
    document = "query Iwanowa($t: String!) { iwanowa: slow echo(text: $t) limited } query Other { number }"
    await web.ask(document, operationName="Other", variables={"t": "x"})
    await web.ask(document, operationName="Iwanowa", variables={"t": SECRET_WORDS})
    (line,) = lines.all()
    assert (line["event"], line["level"]) == ("Slow: query", "warning")
    assert (line["fields"], line["codes"]) == (["slow", "echo", "limited"], ["LIMIT_EXCEEDED"])
    assert 0.15 <= line["seconds"] < 5
    assert line["request"]
    assert "wanowa" not in json.dumps(line)


async def test_when_all_are_slow_one_tells(web: Served, lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.tally, "SLOW", 0.1)
    await asyncio.gather(*(web.ask("{ slow }") for _ in range(20)))
    assert [line["others"] for line in lines.all()] == [0]
    monkeypatch.setattr(app.tally, "BETWEEN_LINES", 0.0)
    await web.ask("{ slow }")
    assert [line["others"] for line in lines.all()] == [0, 19]


async def test_a_fault_outside_an_operation_is_masked_too(web: Served, lines: Lines) -> None:
    await web.database.stop()
    headers = {"Authorization": web.token()}
    async with web.client.get(f"{web.address}/attachments/Attachment_1/x", headers=headers) as answer:
        assert (answer.status, answer.headers["X-Content-Type-Options"]) == (500, "nosniff")
        (error,) = (await answer.json())["errors"]
    assert error["extensions"] == {"code": "INTERNAL"}
    (line,) = lines.all()
    assert line["event"] == error["message"].replace(", reference", "")


async def test_a_database_that_is_away_is_no_fault_of_ours(
    web: Served, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read(_: str, __: Any) -> Any:
        raise Unavailable

    monkeypatch.setattr(web.database, "read", read)
    headers = {"Authorization": web.token()}
    async with web.client.get(f"{web.address}/attachments/Attachment_1/x", headers=headers) as answer:
        assert answer.status == 503
        assert (await answer.json())["code"] == "UNAVAILABLE"
    assert lines.all() == []


# -------------------------------------------------------------------------------------- as a process


async def test_a_server_in_production_logs_json(tmp_path: Path) -> None:
    async with at_school(tmp_path, CURATOR_9A, PREAU_ENVIRONMENT="production") as server:
        await server.ask(CURATOR_9A, "{ viewer { user { name } } }")
        server.process.terminate()
        code, errors = await last_words(server.process)
    assert code == 0
    lines = logged(errors)
    assert {line["logger"] for line in lines} <= {"jobs.nightly"}, "the night that was due, and nothing else"
    assert len(errors) < 2_000


async def test_a_server_in_development_logs_for_reading(tmp_path: Path) -> None:
    async with started(tmp_path, PREAU_METRICS_TOKEN="") as server:
        await first_words(server)
        server.terminate()
        assert await last_words(server) == (0, "")
