"""Is anything lost or done twice when PostgreSQL goes away in the middle? A real one, cut and stopped for real."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update

import models.database.postgres
import models.database.writer
from app.messenger.builtin import BuiltinMessenger
from models.database import Database, Transaction
from models.errors import Unavailable
from models.migrate import migrate
from models.tables.organization import organizations
from tests.cutting import line_to
from tests.engines import PostgresServer, url_at

SCHOOL = 1
COUNT = select(organizations.c.last_event).where(organizations.c.id == SCHOOL)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    server = PostgresServer(durable=True)
    server.start()
    yield server
    server.end()


_NUMBERS = iter(range(1_000))


@asynccontextmanager
async def opened(port: int, name: str) -> AsyncIterator[Database]:
    database = Database(url_at(port, name), messenger=BuiltinMessenger("x" * 40))
    await database.start()
    try:
        yield database
    finally:
        await database.stop()


@pytest.fixture
def name(server: PostgresServer) -> str:
    """A database with one school, whose `last_event` the tests count with."""
    name = f"lost{next(_NUMBERS)}"
    database = Database(server.create(name), messenger=BuiltinMessenger("x" * 40))
    migrate(database.engine)
    with database.transaction() as tx:
        for number in (SCHOOL, 2):
            school = {"source_id": str(number), "name": "S", "time_zone": "UTC", "locale": "en", "preset": "ENT"}
            tx.execute(insert(organizations).values(**school, policy={}, imported_at=tx.now))
    return name


def counted(tx: Transaction) -> int:
    """Reads, then writes what it read and one more: who else writes between loses one."""
    number: int = tx.execute(COUNT).scalar_one() + 1
    tx.execute(update(organizations).where(organizations.c.id == SCHOOL).values(last_event=number))
    return number


async def shown(database: Database) -> int:
    rows = await database.read("SELECT last_event FROM organizations WHERE id = $1", (SCHOOL,))
    return int(rows[0][0])


@pytest.mark.parametrize("word", [b"BEGIN", b"UPDATE organizations", b"COMMIT"])
@pytest.mark.parametrize("heard", [True, False], ids=["heard", "unheard"])
async def test_a_write_whose_connection_is_cut_is_done_once(
    server: PostgresServer, name: str, word: bytes, heard: bool
) -> None:
    """Cut at the COMMIT after the server heard it, the write is on disk and only its answer was lost."""
    async with line_to(server.port) as line, opened(line.port, name) as database:
        assert await database.write(counted, SCHOOL) == 1
        line.cut_at(word, heard=heard)
        assert await database.write(counted, SCHOOL) == 2
        assert line.cuts == 1
        assert await database.write(counted, SCHOOL) == 3
        assert await shown(database) == 3


async def test_a_write_that_a_crash_took_does_not_pass_for_what_came_after_it(
    server: PostgresServer, name: str
) -> None:
    """The server crashes before it has heard the COMMIT, and gives the number of that transaction again, to the
    first who writes when it is back."""
    async with line_to(server.port) as line, opened(line.port, name) as one:
        assert await one.write(counted, SCHOOL) == 1
        line.cut_at(b"COMMIT", heard=False)
        line.goes_down_when_cut = True
        waiting = asyncio.create_task(one.write(counted, SCHOOL))
        await until(lambda: line.cuts > 0)
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
        async with opened(server.port, name) as other:
            assert await other.write(counted, SCHOOL) == 2
            line.is_down = False
            assert await waiting == await shown(other) == 3


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - nobody tells it
            await asyncio.sleep(0.001)


async def test_a_group_whose_commit_is_cut_is_told_what_became_of_it(server: PostgresServer, name: str) -> None:
    async with line_to(server.port) as line, opened(line.port, name) as database:
        for heard in (True, False):
            before = await shown(database)
            line.cut_at(b"COMMIT", heard=heard)
            numbers = await asyncio.gather(*(database.write(counted, SCHOOL) for _ in range(60)))
            assert sorted(numbers) == list(range(before + 1, before + 61))
            assert await shown(database) == before + 60
        assert line.cuts == 2


async def test_a_read_whose_connection_is_cut_is_answered(server: PostgresServer, name: str) -> None:
    async with line_to(server.port) as line, opened(line.port, name) as database:
        assert await shown(database) == 0
        for heard in (True, False):
            line.cut_at(b"SELECT last_event", heard=heard)
            assert await shown(database) == 0
        line.cut_at(b"Bind", heard=False)
        await asyncio.gather(*(shown(database) for _ in range(50)))


async def test_who_writes_sees_what_every_process_wrote_before(server: PostgresServer, name: str) -> None:
    """Two processes' worth of writers; each write reads before it writes."""
    async with opened(server.port, name) as one, opened(server.port, name) as other:
        numbers = await asyncio.gather(*(each.write(counted, SCHOOL) for _ in range(150) for each in (one, other)))
    assert sorted(numbers) == list(range(1, 301))


async def test_schools_do_not_wait_for_each_other(server: PostgresServer, name: str) -> None:
    gate = threading.Event()

    def slow(tx: Transaction) -> None:
        assert gate.wait(10)

    async with opened(server.port, name) as database:
        waiting = asyncio.create_task(database.write(slow, 2))
        async with asyncio.timeout(5):
            assert await database.write(counted, SCHOOL) == 1
        gate.set()
        await waiting


async def test_two_that_stand_in_each_others_way_both_get_through(server: PostgresServer, name: str) -> None:
    """Each holds one school and wants the other: the server ends one of them, which is run again."""
    meeting = threading.Barrier(2, timeout=10)
    tried = {1: 0, 2: 0}

    def job(first: int, then: int) -> Any:
        def run(tx: Transaction) -> None:
            tried[first] += 1
            tx.execute(update(organizations).where(organizations.c.id == first).values(name=f"by {first}"))
            if tried[first] == 1:
                meeting.wait()
            tx.execute(update(organizations).where(organizations.c.id == then).values(name=f"by {first}"))

        return run

    async with opened(server.port, name) as database:
        await asyncio.gather(database.write(job(1, 2)), database.write(job(2, 1)))
    assert sorted(tried.values()) == [1, 2]


async def test_a_restart_of_the_database_is_waited_for(server: PostgresServer, name: str) -> None:
    async with opened(server.port, name) as database:
        assert await database.write(counted, SCHOOL) == 1
        await asyncio.to_thread(server.stop)
        asked = [asyncio.create_task(database.write(counted, SCHOOL)) for _ in range(5)]
        read = [asyncio.create_task(shown(database)) for _ in range(5)]
        await asyncio.sleep(0.5)
        await asyncio.to_thread(server.start)
        assert sorted(await asyncio.gather(*asked)) == [2, 3, 4, 5, 6]
        assert all(1 <= number <= 6 for number in await asyncio.gather(*read))
        assert await shown(database) == 6


async def test_a_database_that_stays_away_is_told_and_nothing_was_written(
    server: PostgresServer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (models.database.postgres, models.database.writer):
        monkeypatch.setattr(module, "PATIENCE", 0.5)
    async with line_to(server.port) as line, opened(line.port, name) as database:
        assert await database.write(counted, SCHOOL) == 1
        line.go_down()
        with pytest.raises(Unavailable, match="nothing was written"):
            await database.write(counted, SCHOOL)
        with pytest.raises(Unavailable):
            await shown(database)
        line.is_down = False
        assert await database.write(counted, SCHOOL) == 2


async def test_a_commit_of_which_nothing_can_be_known_is_told_so(
    server: PostgresServer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models.database.writer, "PATIENCE", 0.3)
    async with line_to(server.port) as line, opened(line.port, name) as database:
        assert await database.write(counted, SCHOOL) == 1
        line.cut_at(b"COMMIT", heard=True)
        line.goes_down_when_cut = True
        with pytest.raises(Unavailable, match="idempotencyKey"):
            await database.write(counted, SCHOOL)


async def test_a_database_that_does_not_answer_is_given_up(
    server: PostgresServer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection stands and nothing comes: the reader is told after our patience, and reads again."""
    monkeypatch.setattr(models.database.postgres, "PATIENCE", 0.5)
    async with opened(server.port, name) as database:
        async with asyncio.timeout(5):
            with pytest.raises(Unavailable):
                await database.read("SELECT pg_sleep(30)", ())
        assert await shown(database) == 0


def test_two_that_migrate_at_once_make_one_database(server: PostgresServer) -> None:
    url = server.create(f"lost{next(_NUMBERS)}")
    start = threading.Barrier(4, timeout=10)
    made: list[bool] = []

    def run() -> None:
        database = Database(url, messenger=BuiltinMessenger("x" * 40))
        start.wait()
        made.append(migrate(database.engine))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    with Database(url, messenger=BuiltinMessenger("x" * 40)).engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar_one() == 1
