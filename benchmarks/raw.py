"""What could be had at most? Handlers written by hand for one question each, on aiohttp, sqlite3 and orjson alone.

    python -m benchmarks.raw DATABASE PERSON

No authentication, no validation, no GraphQL. Each question is served twice: on the thread of the event loop,
and with one hop to a thread and back, as a server that must not stop for its database has to do it.
"""

import asyncio
import gc
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import uvloop
from aiohttp import web

from benchmarks import m1, q1, q2, q3

Handler = Callable[[web.Request], Awaitable[web.Response]]
Answer = Callable[[sqlite3.Connection, int, bytes], bytes]
"""(connection, the person who asks, the request's body) -> the answer's body."""

ANSWERS: dict[str, Answer] = {each.NAME: each.answer for each in (q1, q2, q3, m1)}
WRITES = frozenset({m1.NAME})
HOP, GROUPS = "hop", "groups"


def main() -> None:
    uvloop.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))


async def _serve(database: Path, person: int) -> None:
    app = web.Application()
    for name, answer in ANSWERS.items():
        connect = connect_to_write if name in WRITES else _connect
        app.router.add_post(f"/{name}", _on_the_loop(answer, connect(database), person))
        app.router.add_post(f"/{name}/{HOP}", _in_a_thread(answer, connect(database), person))
    app.router.add_post(f"/{m1.NAME}/{GROUPS}", _in_groups(m1.write, connect_to_write(database), person))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    gc.collect()
    gc.freeze()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


def _on_the_loop(answer: Answer, connection: sqlite3.Connection, person: int) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        body = answer(connection, person, await request.read())
        return web.Response(body=body, content_type="application/json")

    return handle


def _in_a_thread(answer: Answer, connection: sqlite3.Connection, person: int) -> Handler:
    thread = ThreadPoolExecutor(max_workers=1)
    loop = asyncio.get_running_loop()

    async def handle(request: web.Request) -> web.Response:
        body = await loop.run_in_executor(thread, answer, connection, person, await request.read())
        return web.Response(body=body, content_type="application/json")

    return handle


def _in_groups(write: Answer, connection: sqlite3.Connection, person: int) -> Handler:
    """In a thread, in one transaction for all that wait when it begins."""
    thread = ThreadPoolExecutor(max_workers=1)
    loop = asyncio.get_running_loop()
    waiting: list[tuple[bytes, asyncio.Future[bytes]]] = []
    busy = asyncio.Lock()

    def write_all(bodies: list[bytes]) -> list[bytes]:
        connection.execute("BEGIN IMMEDIATE")
        answers = [write(connection, person, body) for body in bodies]
        connection.execute("COMMIT")
        return answers

    async def handle(request: web.Request) -> web.Response:
        own: asyncio.Future[bytes] = loop.create_future()
        waiting.append((await request.read(), own))
        async with busy:
            if not own.done():
                group, waiting[:] = [*waiting], []
                answers = await loop.run_in_executor(thread, write_all, [body for body, _ in group])
                for (_, asked), answer in zip(group, answers, strict=True):
                    asked.set_result(answer)
        return web.Response(body=own.result(), content_type="application/json")

    return handle


def _connect(database: Path) -> sqlite3.Connection:
    """As the program's own readers do."""
    connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA cache_size = -32768")
    return connection


def connect_to_write(database: Path) -> sqlite3.Connection:
    """As the program's own writer does."""
    connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    for pragma in ("synchronous = FULL", "foreign_keys = ON", "cache_size = -65536"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


if __name__ == "__main__":
    main()
