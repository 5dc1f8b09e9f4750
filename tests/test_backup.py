"""Is a backup of a running server a school that can be served again, with everything that was acknowledged?"""

import asyncio
import signal
import sqlite3
import stat
from contextlib import closing, suppress
from pathlib import Path

import pytest
from aiohttp import ClientError
from sqlalchemy import select

from models.tables.conversations import messages
from tests.running import at_school, faults_of, first_words, last_words, started
from tests.school import CURATOR_9A, LEARNER_9A, build_school
from tests.terminal import assert_mistake, run_at

pytestmark = pytest.mark.sqlite

SEND = (
    "mutation($to: ID!, $body: String!) { sendMessage(input: {conversationId: $to, body: $body}) "
    "{ ... on SendMessagePayload { sent { id } } } }"
)


async def test_a_backup_beside_a_running_server_is_whole_and_served_again(tmp_path: Path) -> None:
    (tmp_path / "restored").mkdir()
    copy = tmp_path / "restored" / "preau.db"
    async with at_school(tmp_path, CURATOR_9A, LEARNER_9A) as server:
        there = await server.conversation(CURATOR_9A, LEARNER_9A)
        answered: list[str] = []
        enough = asyncio.Event()

        async def send_on(number: int) -> None:
            for count in range(100_000):
                body = f"{number}:{count}" + "x" * 5_000
                assert (
                    "id"
                    in (await server.ask(CURATOR_9A, SEND, to=there, body=body))["data"]["sendMessage"]["sent"]
                )
                answered.append(body)
                if len(answered) == 200:
                    enough.set()

        senders = [asyncio.create_task(send_on(number)) for number in range(8)]
        await enough.wait()
        before = set(answered)
        async with started(tmp_path, "backup", str(copy)) as backup:
            code, errors = await last_words(backup)
            assert (code, errors) == (0, "")
        server.process.send_signal(signal.SIGTERM)
        await last_words(server.process)
        for sender in senders:
            with suppress(ClientError):
                await sender

    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert [each.name for each in copy.parent.iterdir()] == ["preau.db"]
    with closing(sqlite3.connect(copy)) as connection:
        assert faults_of(connection) == []
        ((numbers, last),) = connection.execute(
            "SELECT (SELECT count(*) FROM events WHERE organization_id = id), last_event"
            " FROM organizations ORDER BY id LIMIT 1"
        )
        assert numbers == last, "as of one moment: each event that was numbered is there"
        kept = {body for (body,) in connection.execute("SELECT body FROM messages")}
    assert before <= kept <= set(answered)

    async with started(tmp_path / "restored") as server_again:
        await first_words(server_again)


def test_a_backup_takes_nobodys_place_and_says_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_at(tmp_path / "preau.db", monkeypatch)
    assert_mistake(run("backup", str(tmp_path / "copy.db")), "there is no database")
    database = build_school(tmp_path / "preau.db")
    assert_mistake(run("backup", str(tmp_path / "nowhere" / "copy.db")), "nowhere")
    (tmp_path / "copy.db").write_text("mine")
    assert_mistake(run("backup", str(tmp_path / "copy.db")), "is there already")
    assert (tmp_path / "copy.db").read_text() == "mine"
    monkeypatch.setenv("PREAU_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert_mistake(run("backup", str(tmp_path / "other.db")), "pg_dump")
    assert sorted(each.name for each in tmp_path.iterdir() if "other" in each.name) == []
    with database.transaction() as tx:
        assert tx.execute(select(messages.c.id)).all() == []


def test_a_backup_does_not_migrate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made with the new program, just before the upgrade: both are left as old as they were."""
    path = tmp_path / "preau.db"
    with closing(sqlite3.connect(path)) as old:
        old.execute("CREATE TABLE alembic_version (version_num TEXT)")
        old.execute("INSERT INTO alembic_version VALUES ('0001')")
        old.commit()
    result = run_at(path, monkeypatch)("backup", str(tmp_path / "copy.db"))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{tmp_path / 'copy.db'}: {(tmp_path / 'copy.db').stat().st_size} bytes.\n"
    for each in (path, tmp_path / "copy.db"):
        with closing(sqlite3.connect(each)) as connection:
            assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
