"""GET /metrics: what is counted, under which labels, and who may read it."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert

from app.metrics import CODES, KINDS, OTHER_CODE, OUTCOMES, count_error
from models.database import Transaction
from models.tables.events import job_runs, outbox
from tests.running import at_school
from tests.school import CURATOR_9A, LEARNER_9A
from tests.web import NOW, Served, served

TOKEN = "for the one who watches"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Served]:
    async with served(tmp_path, metrics_token=TOKEN) as running:
        yield running


async def page(web: Served) -> str:
    async with web.client.get(f"{web.address}/metrics", headers=BEARER) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        assert answer.headers["Cache-Control"] == "no-store"
        return await answer.text()


async def figures(web: Served) -> dict[str, float]:
    """Every sample, by its name and labels."""
    return samples(await page(web))


def samples(text: str) -> dict[str, float]:
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def grown(before: dict[str, float], after: dict[str, float], of: str) -> dict[str, float]:
    """By how much those samples grew whose name begins so, where they did."""
    return {
        name: after[name] - before.get(name, 0)
        for name in after
        if name.startswith(of) and after[name] != before.get(name, 0)
    }


# ------------------------------------------------------------------------------------------ who may read


@pytest.mark.parametrize(
    "header", [None, "", TOKEN, "Bearer", f"Bearer {TOKEN}x", f"bearer {TOKEN}", "Bearer \xff", f"Basic {TOKEN}"]
)
async def test_without_the_token_there_is_nothing(web: Served, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    async with web.client.get(f"{web.address}/metrics", headers=headers) as answer:
        assert answer.status == 404
        assert "preau" not in await answer.text()


async def test_a_person_may_not_read_them(web: Served) -> None:
    async with web.client.get(f"{web.address}/metrics", headers={"Authorization": web.token()}) as answer:
        assert answer.status == 404


@pytest.mark.parametrize(("environment", "status"), [("development", 200), ("production", 404)])
@pytest.mark.parametrize("token", [None, ""])
async def test_where_no_token_is_set_they_are_for_development(
    tmp_path: Path, environment: str, status: int, token: str | None
) -> None:
    async with served(tmp_path, environment=environment, metrics_token=token) as web:
        for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer"}):
            async with web.client.get(f"{web.address}/metrics", headers=headers) as answer:
                assert answer.status == status


# ---------------------------------------------------------------------------------------- what is counted


@pytest.mark.parametrize(
    ("query", "operation", "outcome", "codes"),
    [
        ("{ number }", "query", "answered", {}),
        ("mutation { double(of: 2) }", "mutation", "answered", {}),
        ("query a { number } mutation b { double(of: 2) }", "mutation", "answered", {}),
        ("{ limited number }", "query", "with_errors", {"LIMIT_EXCEEDED": 1}),
        ("{ nowhere number }", "query", "failed", {"INTERNAL": 1}),
        ("{ a: nowhere b: nowhere limited }", "query", "failed", {"INTERNAL": 2, "LIMIT_EXCEEDED": 1}),
        ("{ nope }", "none", "refused", {"BAD_REQUEST": 1}),
        ("{", "none", "refused", {"BAD_REQUEST": 1}),
        ("", "none", "refused", {"BAD_REQUEST": 1}),
        ("subscription { silence }", "none", "refused", {"BAD_REQUEST": 1}),
        ("#" * 10_000 + "\n{ number }", "query", "answered", {}),
    ],
)
async def test_an_operation_is_counted_once(
    web: Served, query: str, operation: str, outcome: str, codes: dict[str, int]
) -> None:
    before = await figures(web)
    await web.ask(query, operationName="b" if "mutation b" in query else None)
    after = await figures(web)
    assert grown(before, after, "preau_requests_total") == {
        f"preau_requests_total{{operation={operation},outcome={outcome}}}": 1
    }
    assert grown(before, after, "preau_errors_total") == {
        f"preau_errors_total{{code={code}}}": count for code, count in codes.items()
    }
    assert grown(before, after, "preau_request_seconds_count") == {
        f"preau_request_seconds_count{{operation={operation}}}": 1
    }


async def test_what_an_operation_took_is_measured(web: Served) -> None:
    before = await figures(web)
    await web.ask("{ slow }")
    after = await figures(web)
    (seconds,) = grown(before, after, "preau_request_seconds_sum").values()
    assert 0.15 <= seconds < 5
    fast, slow = (
        grown(before, after, f"preau_request_seconds_bucket{{le={bound},operation=query}}")
        for bound in ("0.1", "10.0")
    )
    assert (fast, list(slow.values())) == ({}, [1])


async def test_what_is_no_operation_is_refused_and_counted(web: Served) -> None:
    before = await figures(web)
    async with web.client.post(web.url, data=b"[]", headers={"Content-Type": "application/json"}) as answer:
        assert answer.status == 400
    async with web.client.get(web.url) as answer:
        assert answer.status == 405
    after = await figures(web)
    assert grown(before, after, "preau_requests_total") == {
        "preau_requests_total{operation=none,outcome=refused}": 2
    }
    assert grown(before, after, "preau_errors_total") == {"preau_errors_total{code=BAD_REQUEST}": 2}


async def test_no_label_is_a_text_of_a_client(web: Served) -> None:
    """Whatever is asked, the labels are those that the program has from its start."""
    before = await figures(web)
    for number in range(50):
        name = f"Ivanov{number}"
        await web.ask(f"query {name} {{ {name}: number nowhere }}", operationName=name)
        await web.ask(f"{{ {name} }}", headers={"X-Request-Id": name, "Authorization": name})
    after = await figures(web)
    assert before.keys() == after.keys()
    text = await page(web)
    assert "Ivanov" not in text
    for label, known in (("operation", KINDS), ("outcome", OUTCOMES), ("code", (*CODES, OTHER_CODE))):
        assert set(re.findall(rf'[{{,]{label}="([^"]*)"', text)) == set(known)


async def test_a_code_that_nobody_foresaw_is_other(web: Served) -> None:
    before = await figures(web)
    for code in ("INTERNAL", "SOMETHING_NEW", "ELSE"):
        count_error(code)
    assert grown(before, await figures(web), "preau_errors_total") == {
        "preau_errors_total{code=INTERNAL}": 1,
        f"preau_errors_total{{code={OTHER_CODE}}}": 2,
    }


async def test_sockets_are_counted_while_they_are_open(web: Served) -> None:
    assert (await figures(web))["preau_sockets"] == 0
    async with (
        web.client.ws_connect(web.url, protocols=["graphql-transport-ws"]),
        web.client.ws_connect(web.url, protocols=["graphql-transport-ws"]),
    ):
        assert (await figures(web))["preau_sockets"] == 2
    async with asyncio.timeout(5):
        while (await figures(web))["preau_sockets"]:  # noqa: ASYNC110 - the server's, which tells nobody
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("query", "operation", "outcome", "codes"),
    [
        ("{ number }", "query", "answered", {}),
        ("mutation { double(of: 2) }", "mutation", "answered", {}),
        ("{ nowhere }", "query", "failed", {"INTERNAL": 1}),
        ("{ nope }", "none", "refused", {"BAD_REQUEST": 1}),
        ("subscription { nope }", "none", "refused", {"BAD_REQUEST": 1}),
    ],
)
async def test_an_operation_on_a_socket_is_counted_once(
    web: Served, query: str, operation: str, outcome: str, codes: dict[str, int]
) -> None:
    before = await figures(web)
    async with web.client.ws_connect(web.url, protocols=["graphql-transport-ws"]) as ws:
        await ws.send_json({"type": "connection_init", "payload": {"Authorization": web.token()}})
        await ws.send_json({"id": "1", "type": "subscribe", "payload": {"query": query}})
        while (await ws.receive_json())["type"] not in ("complete", "error"):
            pass
    after = await figures(web)
    assert grown(before, after, "preau_requests_total") == {
        f"preau_requests_total{{operation={operation},outcome={outcome}}}": 1
    }
    assert grown(before, after, "preau_errors_total") == {
        f"preau_errors_total{{code={code}}}": count for code, count in codes.items()
    }
    assert grown(before, after, "preau_request_seconds_count") == {
        f"preau_request_seconds_count{{operation={operation}}}": 1
    }


async def test_two_applications_count_apart(web: Served, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    async with served(tmp_path / "other", metrics_token=TOKEN) as other:
        before = await figures(other)
        await web.ask("{ number }")
        assert grown(before, await figures(other), "preau_requests_total") == {}


# -------------------------------------------------------------------------------------- what is looked up


def command(**columns: Any) -> dict[str, Any]:
    return {
        "organization_id": 1,
        "command": "CREATE_CHAT",
        "payload": "{}",
        "waits_for_night": False,
        "created_at": NOW,
        "sent_at": None,
        "dead_at": None,
        **columns,
    }


async def test_the_outbox_is_told_by_its_size_its_age_and_what_is_dead(web: Served) -> None:
    names = ("waiting{waits_for=messenger}", "waiting{waits_for=night}", "oldest_seconds", "dead")

    async def outbox_now() -> tuple[float, ...]:
        known = await figures(web)
        return tuple(known[f"preau_outbox_{name}"] for name in names)

    assert await outbox_now() == (0, 0, 0, 0)
    long_ago = NOW - timedelta(days=3)

    def fill(tx: Transaction) -> None:
        for row in (
            command(created_at=NOW - timedelta(seconds=90)),
            command(),
            command(waits_for_night=True, created_at=long_ago),
            command(sent_at=NOW, created_at=long_ago),
            command(dead_at=NOW, created_at=long_ago),
            command(dead_at=NOW, created_at=long_ago),
        ):
            tx.execute(insert(outbox).values(row))

    await web.database.write(fill)
    assert await outbox_now() == (2, 1, 90, 2)
    web.clock[0] += timedelta(seconds=10)
    assert await outbox_now() == (2, 1, 100, 2)


async def test_nights_are_told_by_the_latest_and_by_the_school_that_is_behind(web: Served) -> None:
    names = ("nights_recent", "night_latest_timestamp_seconds", "night_oldest_timestamp_seconds")

    async def nights() -> tuple[float, ...]:
        known = await figures(web)
        return tuple(known[f"preau_{name}"] for name in names)

    assert await nights() == (0, 0, 0)

    def run(organization: int, ago: int) -> dict[str, Any]:
        at = NOW - timedelta(days=ago)
        night = {"job": "nightly", "local_date": date(2026, 9, 10) - timedelta(days=ago), "changes": "{}"}
        return {"organization_id": organization, "started_at": at, "finished_at": at, **night}

    def fill(tx: Transaction) -> None:
        other = "INSERT INTO organizations (id, source_id, name, time_zone, locale, preset, policy, imported_at, "
        tx.connection.exec_driver_sql(
            f"{other}last_event) SELECT 2, '2', name, time_zone, locale, preset, policy, imported_at, 0"
            " FROM organizations WHERE id = 1"
        )
        tx.execute(insert(job_runs), [run(1, 0), run(1, 1), run(1, 9), run(2, 4), run(2, 5)])

    await web.database.write(fill)
    longest_ago = (NOW - timedelta(days=4)).timestamp()
    assert await nights() == (1, NOW.timestamp(), longest_ago)
    web.clock[0] += timedelta(days=2)
    assert await nights() == (0, NOW.timestamp(), longest_ago)


async def test_they_are_there_while_the_database_is_away(web: Served) -> None:
    assert (await figures(web))["preau_database_up"] == 1
    await web.database.stop()
    await web.ask("{ number }")
    known = await figures(web)
    assert known["preau_database_up"] == 0
    assert known["preau_requests_total{operation=query,outcome=answered}"] == 1


async def test_which_program_runs_is_told(web: Served) -> None:
    known = await figures(web)
    (build,) = (name for name in known if name.startswith("preau_build_info"))
    assert known[build] == 1
    assert re.search(r"version=\d+\.\d+\.\d+", build)
    assert known["process_resident_memory_bytes"] > 1_000_000


async def test_listeners_deliveries_and_wake_ups_are_counted(tmp_path: Path) -> None:
    """Two people of the demo school listen, one of them twice, and each hears what the other sends."""
    query = "subscription($after: String) { messageReceived(after: $after) { message { body } } }"
    send = (
        'mutation($to: ID!) { sendMessage(input: {conversationId: $to, body: "heard"}) '
        "{ ... on SendMessagePayload { sent { id } } } }"
    )
    async with at_school(tmp_path, CURATOR_9A, LEARNER_9A) as server:

        async def now() -> dict[str, float]:
            async with server.client.get(f"{server.address}/metrics") as answer:
                return samples(await answer.text())

        async def becomes(name: str, value: float) -> dict[str, float]:
            async with asyncio.timeout(10):
                while (known := await now())[name] != value:  # noqa: ASYNC110 - the server tells nobody
                    await asyncio.sleep(0.02)
            return known

        there = await server.conversation(CURATOR_9A, LEARNER_9A)
        before = await now()
        sockets = [await server.signed_in(login) for login in (CURATOR_9A, LEARNER_9A, LEARNER_9A)]
        for ws in sockets:
            await ws.send_json({"id": "1", "type": "subscribe", "payload": {"query": query}})
        listening = await becomes("preau_requests_total{operation=subscription,outcome=answered}", 3)
        assert (listening["preau_listeners"], listening["preau_sockets"]) == (3, 3)
        assert listening["preau_deliveries_total"] == 0
        for _ in range(2):
            await server.ask(CURATOR_9A, send, to=there)
            for ws in sockets:
                received = (await ws.receive_json())["payload"]["data"]["messageReceived"]
                assert received["message"] == {"body": "heard"}
        heard = await becomes("preau_deliveries_total", 6)
        woken = heard["preau_wake_up_seconds_count"] - before["preau_wake_up_seconds_count"]
        assert 1 <= woken <= 10
        took = heard["preau_wake_up_seconds_sum"] - before["preau_wake_up_seconds_sum"]
        assert 0 < took / woken < 5
        for ws in sockets:
            await ws.close()
        await becomes("preau_listeners", 0)
