"""Do wake-ups arrive, whichever broker carries them? One contract for each of them."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import psycopg
import pytest

from app.brokers import CHANNEL, MemoryBroker, PostgresBroker, broker_at
from tests.engines import PostgresServer

PATIENCE = 10.0


class Looks:
    """What somebody was told to look at."""

    def __init__(self) -> None:
        self.at: set[int] = set()
        self.at_all = 0
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def __call__(self, organizations: set[int] | None) -> None:
        self._loop.call_soon_threadsafe(self._note, organizations)

    def _note(self, organizations: set[int] | None) -> None:
        if organizations is None:
            self.at_all += 1
        else:
            self.at |= organizations
        self._changed.set()

    async def until(self, condition: Callable[["Looks"], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition(self):
                await self._changed.wait()
                self._changed.clear()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - nobody tells it
            await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    server = PostgresServer()
    server.start()
    yield server
    server.end()


@pytest.fixture(params=["memory", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "memory":
        return "memory:"
    server: PostgresServer = request.getfixturevalue("server")
    return server.url()


@pytest.fixture
async def broker(url: str) -> AsyncIterator[tuple[Any, Looks]]:
    broker, looks = broker_at(url), Looks()
    async with broker.listening(looks):
        if isinstance(broker, PostgresBroker):
            await looks.until(lambda it: it.at_all > 0)
        yield broker, looks


async def test_who_tells_hears_it(broker: tuple[Any, Looks]) -> None:
    telling, looks = broker
    assert telling.is_connected
    telling.tell({3, 5})
    await looks.until(lambda it: it.at == {3, 5})


async def test_it_is_told_from_any_thread(broker: tuple[Any, Looks]) -> None:
    telling, looks = broker
    await asyncio.gather(*(asyncio.to_thread(telling.tell, {number}) for number in range(50)))
    await looks.until(lambda it: it.at == set(range(50)))


async def test_after_the_end_nobody_hears_and_telling_still_does_no_harm(url: str) -> None:
    broker, looks = broker_at(url), Looks()
    async with broker.listening(looks):
        pass
    broker.tell({1})
    await asyncio.sleep(0.05)
    assert looks.at == set()


async def test_servers_hear_each_other_and_each_once(server: PostgresServer) -> None:
    async with AsyncExitStack() as stack:
        brokers, looks = [broker_at(server.url()) for _ in range(3)], [Looks() for _ in range(3)]
        for broker, look in zip(brokers, looks, strict=True):
            await stack.enter_async_context(broker.listening(look))
            await look.until(lambda it: it.at_all > 0)
        many = set(range(1, 2_001))  # more than one notification holds
        brokers[0].tell(many)
        for look in looks:
            await look.until(lambda it: it.at >= many)
        assert [look.at_all for look in looks] == [1, 1, 1]


async def test_ids_are_all_that_is_told(server: PostgresServer) -> None:
    broker, looks = broker_at(server.url()), Looks()
    async with await psycopg.AsyncConnection.connect(server.url(), autocommit=True) as ear:
        await ear.execute(f"LISTEN {CHANNEL}")
        async with broker.listening(looks):
            broker.tell({7})
            async for told in ear.notifies(timeout=PATIENCE, stop_after=1):
                assert told.payload.partition(":")[2] == "7"


async def test_after_the_database_was_away_all_is_looked_at(server: PostgresServer) -> None:
    broker, other, looks, others = broker_at(server.url()), broker_at(server.url()), Looks(), Looks()
    async with broker.listening(looks), other.listening(others):
        for each in (looks, others):
            await each.until(lambda it: it.at_all == 1)
        await asyncio.to_thread(server.stop)
        broker.tell({1})  # heard by nobody else, and nothing fails
        await looks.until(lambda it: it.at == {1})
        await until(lambda: not broker.is_connected)
        await asyncio.to_thread(server.start)
        for each in (looks, others):
            await each.until(lambda it: it.at_all >= 2)
        await until(lambda: broker.is_connected)
        async with asyncio.timeout(PATIENCE):
            while 9 not in others.at:  # telling is connected again a little later than listening
                broker.tell({9})
                await asyncio.sleep(0.05)


def test_brokers_are_chosen_by_their_address() -> None:
    assert isinstance(broker_at("memory:"), MemoryBroker)
    assert isinstance(broker_at("postgresql://127.0.0.1/x"), PostgresBroker)
    for other in ("redis://127.0.0.1", "sqlite:///x.db"):
        with pytest.raises(ValueError, match="known"):
            broker_at(other)


def test_nothing_listens_at_the_port_of_a_server_that_ended(server: PostgresServer) -> None:
    """The tests' own server is really stopped by `stop`, or the test above proves nothing."""
    server.stop()
    with socket.socket() as line:
        assert line.connect_ex(("127.0.0.1", server.port)) != 0
    server.start()
