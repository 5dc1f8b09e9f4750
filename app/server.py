"""How does it all come up, and go down? One process that serves one database until it is told to stop."""

import asyncio
import fcntl
import gc
import logging
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path

import uvloop
from aiohttp import hdrs, web
from aiohttp.http import HttpProcessingError
from strawberry import Schema
from yarl import URL

from app.auth import Tokens
from app.downloads import Downloads
from app.http import HEADERS, LARGEST_BODY, Endpoint
from app.messenger import BuiltinMessenger
from app.operations import Api
from app.pages import routes
from app.settings import Settings
from app.sockets import Sockets
from app.storage import Storage
from app.uploads import Uploads
from app.websocket import Terms
from jobs.nightly import keep_nights
from models.database import Database
from models.migrate import migrate
from resolvers.listeners import Listeners
from schema import schema as api_schema

TO_FINISH = 0.2
"""Seconds that requests under way have at the end; what they wrote is on disk in any case."""

IDLE = 75
"""Seconds that a connection may stay open without a request."""


def run(settings: Settings) -> None:
    """Serves on a fast event loop. Exits with one line when the port or the database is taken."""
    uvloop.run(serve(settings))


async def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT. Raises SystemExit with a reason when it cannot."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("jobs").setLevel(logging.INFO)
    stopped = _signalled()
    async with AsyncExitStack() as stack:
        database = Database(settings.database_url, messenger=BuiltinMessenger(settings.signing_secret))
        stack.enter_context(alone_with(database.path))
        migrate(database.engine)
        await database.start()
        stack.push_async_callback(database.stop)
        listeners = Listeners(database)
        await listeners.start()
        stack.push_async_callback(listeners.stop)
        nights = asyncio.create_task(keep_nights(database, storage=Storage(settings.storage_url)))
        stack.push_async_callback(_cancel, nights)
        running = runner(build_app(settings, database, listeners, schema=api_schema))
        stack.push_async_callback(running.cleanup)
        await running.setup()
        await _listen(running, settings)
        _calm_the_collector()
        await stopped.wait()


def build_app(
    settings: Settings,
    database: Database,
    listeners: Listeners,
    *,
    schema: Schema,
    terms: Terms | None = None,
) -> web.Application:
    """The application, over a database and listeners that are started and stopped elsewhere."""
    tokens = Tokens(settings.signing_secret)
    api = Api(schema, settings, database=database, listeners=listeners, tokens=tokens)
    endpoint, sockets = Endpoint(api), Sockets(api, terms or Terms())
    storage = Storage(settings.storage_url)
    uploads, downloads = Uploads(api, storage), Downloads(api, storage)

    async def graphql(request: web.Request) -> web.StreamResponse:
        if request.method == hdrs.METH_GET and request.headers.get(hdrs.UPGRADE, "").lower() == "websocket":
            return await sockets.accept(request)
        return await endpoint.respond(request)

    async def health(_: web.Request) -> web.Response:
        try:
            await database.read("SELECT 1 FROM organizations LIMIT 1", ())
        except (sqlite3.Error, ValueError):
            return web.json_response({"status": "no database"}, status=503, headers=HEADERS)
        return web.json_response({"status": "ok"}, headers=HEADERS)

    async def watched(_: web.Application) -> AsyncIterator[None]:
        watch = asyncio.create_task(sockets.watch())
        yield
        await _cancel(watch)

    async def farewell(_: web.Application) -> None:
        await sockets.close()

    _quieten_libraries()
    app = web.Application(client_max_size=LARGEST_BODY)
    app.router.add_route("*", "/graphql", graphql)
    app.router.add_get("/healthz", health)
    for method in (hdrs.METH_POST, hdrs.METH_OPTIONS):
        app.router.add_route(method, "/attachments", uploads.respond)
    for method in (hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS):
        app.router.add_route(method, "/attachments/{id}/{name}", downloads.respond)
    app.add_routes(routes(settings, database, tokens))
    app.cleanup_ctx.append(watched)
    app.on_shutdown.append(farewell)
    app.on_response_prepare.append(_sign)
    return app


def runner(app: web.Application) -> web.AppRunner:
    """No access log, and no body that is unpacked before it is looked at."""
    return web.AppRunner(
        app, access_log=None, auto_decompress=False, keepalive_timeout=IDLE, shutdown_timeout=TO_FINISH
    )


@contextmanager
def alone_with(database: Path) -> Iterator[None]:
    """Holds the database for this server: a second one is refused, commands are not."""
    lock = database.with_name(f"{database.name}.lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"{database}: another server runs on this database.") from None
        yield


def _quieten_libraries() -> None:
    """Faults are in the log once, with the reference that the client reads. Mistakes of clients are not."""
    logging.getLogger("strawberry.execution").disabled = True
    logging.getLogger("aiohttp.server").addFilter(_is_no_mistake_of_a_client)


def _is_no_mistake_of_a_client(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


async def _sign(_: web.Request, response: web.StreamResponse) -> None:
    """On everything that leaves the server: which software it runs on is nobody's business."""
    response.headers[hdrs.SERVER] = "Preau"
    response.headers.setdefault("X-Content-Type-Options", "nosniff")


async def _listen(running: web.AppRunner, settings: Settings) -> None:
    try:
        await web.TCPSite(running, settings.host, settings.port).start()
    except OSError as error:
        raise SystemExit(f"{settings.host}:{settings.port}: {error.strerror}") from None
    host, port, *_ = running.addresses[0]
    here = URL.build(scheme="http", host=host, port=port)
    graphiql = f", GraphiQL at {here}/" if settings.in_development else ""
    sys.stdout.write(f"Préau listens at {here}/graphql{graphiql}\n")
    sys.stdout.flush()


def _signalled() -> asyncio.Event:
    """Set when the process is told to stop."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    return stopped


def _calm_the_collector() -> None:
    """What is there at the start stays: looking through it again and again would only cost pauses."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
