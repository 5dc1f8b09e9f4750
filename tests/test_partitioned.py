"""Does the school notice when its tables are split by organization? docs/postgresql/partition.sql, really run."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.database import Database
from tests.api import Api
from tests.engines import PostgresServer
from tests.listening import cursor
from tests.recount import assert_badges_equal_a_recount
from tests.school import CURATOR_9A, CURATOR_9B, TEACHER, SchoolClock, build_school_at

SCRIPT = Path("docs/postgresql/partition.sql")
SPLIT = ("recipients", "deliveries", "events", "messages")
HEARD = """subscription($after: String) {
    messageReceived(after: $after) { cursor message { body author { login } } } }"""
TALK = """{ viewer { badges { unreadMessages } conversations { nodes { unreadCount
    messages { nodes { body isRead author { login } } } } } } }"""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    server = PostgresServer()
    server.start()
    yield server
    server.end()


def kinds(database: Database) -> dict[str, str]:
    with database.engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT relname, relkind::text FROM pg_class WHERE relkind IN ('r', 'p')"
        )
        return {name: kind for name, kind in rows if name in SPLIT}


def rows_of(database: Database) -> dict[str, int]:
    with database.engine.connect() as connection:
        return {name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one() for name in SPLIT}


def split(server: PostgresServer, url: str) -> None:
    """As docs/scale.md says."""
    words = [server.program("psql"), "--single-transaction", "-v", "ON_ERROR_STOP=1", "-qf", str(SCRIPT), url]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


async def write(api: Api, there: str, body: str) -> str:
    given = {"conversationId": there, "body": body, "idempotencyKey": body}
    return str((await api.as_(CURATOR_9A).do("sendMessage", "sent { id }", **given))["sent"]["id"])


async def test_a_split_database_is_the_same_school(server: PostgresServer, clock: SchoolClock) -> None:
    database = build_school_at(server.create("split"), clock=clock)
    async with Api.serving(database) as api:
        given = {"title": "Together", "participantIds": [api.as_(CURATOR_9B).id]}
        opened = await api.as_(CURATOR_9A).do("createGroupConversation", "conversation { id }", **given)
        there = opened["conversation"]["id"]
        await write(api, there, "before")
        before = await api.as_(CURATOR_9B).ask(TALK)
        started = await cursor(api.as_(CURATOR_9B))
    counted = rows_of(database)
    assert set(kinds(database).values()) == {"r"}
    for _ in range(2):
        split(server, database.url)
    assert kinds(database) == dict.fromkeys(SPLIT, "p")
    assert rows_of(database) == counted

    async with Api.serving(database) as api:
        other = api.as_(CURATOR_9B)
        assert await other.ask(TALK) == before
        async with other.listening(HEARD, after=started) as heard:
            made = await write(api, there, "after")
            assert (await heard.next())["message"] == {"body": "after", "author": {"login": CURATOR_9A}}
            assert await write(api, there, "after") == made
            await heard.nothing()
        await other.do("markMessagesRead", "badges { unreadMessages }", messageIds=[made])
        await api.as_(TEACHER).ask(TALK)
    assert_badges_equal_a_recount(database)
