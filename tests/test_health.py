"""GET /healthz and /readyz: does the process live, and may it be asked now?"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import app.health
from app.health import Health
from models.migrate import known_revisions
from tests.web import Served, served

READY = {"database": "ok", "broker": "ok", "migrations": "current"}


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Served]:
    async with served(tmp_path) as running:
        yield running


async def answer_of(web: Served, path: str) -> tuple[int, Any]:
    async with web.client.get(web.address + path) as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.status, await answer.json()


def come_to(web: Served, revision: str) -> None:
    with web.database.transaction() as tx:
        tx.connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")


async def test_a_server_that_works_is_alive_and_ready(web: Served) -> None:
    assert await answer_of(web, "/healthz") == (200, {"status": "ok"})
    assert await answer_of(web, "/readyz") == (200, READY)


async def test_without_its_database_it_is_alive_and_not_ready(web: Served) -> None:
    await web.database.stop()
    assert await answer_of(web, "/healthz") == (200, {"status": "ok"})
    assert await answer_of(web, "/readyz") == (503, {"database": "away", "broker": "ok", "migrations": "unknown"})


@pytest.mark.parametrize(
    ("revision", "word"), [(known_revisions()[1], "behind"), (known_revisions()[-1], "behind"), ("9999", "ahead")]
)
async def test_another_programs_database_is_not_for_this_one(web: Served, revision: str, word: str) -> None:
    come_to(web, revision)
    assert await answer_of(web, "/readyz") == (503, {**READY, "migrations": word})


async def test_without_the_broker_it_is_not_ready(web: Served, caplog: pytest.LogCaptureFixture) -> None:
    is_connected = True
    health = Health(web.database, lambda: is_connected)
    request: Any = None
    assert (await health.ready(request)).status == 200
    is_connected = False
    assert (await health.ready(request)).status == 200, "asked again within a second, it gives the same answer"
    assert not caplog.records
    health = Health(web.database, lambda: is_connected)
    answer = await health.ready(request)
    assert (answer.status, answer.text) == (503, '{"database": "ok", "broker": "away", "migrations": "current"}')


async def test_a_change_is_seen_within_a_second_and_logged_once(
    web: Served, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.health, "FRESH", 0.0)
    assert (await answer_of(web, "/readyz"))[0] == 200
    come_to(web, "9999")
    for _ in range(3):
        assert (await answer_of(web, "/readyz"))[0] == 503
    come_to(web, known_revisions()[0])
    assert (await answer_of(web, "/readyz"))[0] == 200
    assert [record.message for record in caplog.records] == ["Readiness changed"] * 2
    assert [record.__dict__["migrations"] for record in caplog.records] == ["ahead", "current"]


async def test_many_who_ask_are_one_question_to_the_database(web: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    read = web.database.read

    async def counted(sql: str, parameters: Any) -> Any:
        asked.append(sql)
        return await read(sql, parameters)

    monkeypatch.setattr(web.database, "read", counted)
    answers = await asyncio.gather(*(answer_of(web, "/readyz") for _ in range(50)))
    assert answers == [(200, READY)] * 50
    assert len(asked) <= 2


async def test_a_database_that_never_answers_is_away(web: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_: str, __: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(web.database, "read", never)
    monkeypatch.setattr(app.health, "PATIENCE", 0.05)
    assert (await answer_of(web, "/readyz"))[0] == 503
    assert await answer_of(web, "/healthz") == (200, {"status": "ok"})
