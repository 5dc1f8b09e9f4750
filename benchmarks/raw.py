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

from benchmarks import q1

Handler = Callable[[web.Request], Awaitable[web.Response]]
Answer = Callable[[sqlite3.Connection, int, bytes], bytes]
"""(connection, the person who asks, the request's body) -> the answer's body."""

ANSWERS: dict[str, Answer] = {"q1": q1.answer}
HOP = "hop"


def main() -> None:
    uvloop.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))


async def _serve(database: Path, person: int) -> None:
    app = web.Application()
    for name, answer in ANSWERS.items():
        app.router.add_post(f"/{name}", _on_the_loop(answer, database, person))
        app.router.add_post(f"/{name}/{HOP}", _in_a_thread(answer, database, person))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    gc.collect()
    gc.freeze()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


def _on_the_loop(answer: Answer, database: Path, person: int) -> Handler:
    connection = _connect(database)

    async def handle(request: web.Request) -> web.Response:
        body = answer(connection, person, await request.read())
        return web.Response(body=body, content_type="application/json")

    return handle


def _in_a_thread(answer: Answer, database: Path, person: int) -> Handler:
    connection, thread = _connect(database), ThreadPoolExecutor(max_workers=1)
    loop = asyncio.get_running_loop()

    async def handle(request: web.Request) -> web.Response:
        body = await loop.run_in_executor(thread, answer, connection, person, await request.read())
        return web.Response(body=body, content_type="application/json")

    return handle


def _connect(database: Path) -> sqlite3.Connection:
    """As the program's own readers do."""
    connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA cache_size = -32768")
    return connection


if __name__ == "__main__":
    main()
