"""How does it all come up, and go down? One process that serves one database until it is told to stop."""

import asyncio
import gc
import resource
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress
from functools import partial

import uvloop
from aiohttp import hdrs, web
from yarl import URL

from app.auth import Tokens
from app.brokers import broker_at
from app.downloads import Downloads
from app.health import Health
from app.hearing import Runner
from app.http import LARGEST_BODY, Endpoint
from app.logs import quieten_libraries, set_up, tell_of_lost_tasks
from app.messenger import messenger_of
from app.messenger.telling import telling
from app.metrics import DELIVERIES, Metrics
from app.operations import Api
from app.pages import routes
from app.requests import Requests
from app.scrape import Scrape
from app.settings import Settings
from app.sockets import Sockets
from app.stopping import TO_FINISH, TO_SEND, leave, signalled
from app.storage import Storage
from app.tally import Tally
from app.uploads import Uploads
from app.websocket import Terms
from jobs.change_of_messenger import go_over
from jobs.nightly import keep_nights
from models.database import Database
from models.migrate import migrate
from resolvers.listeners import Listeners
from schema import schema as api_schema
from schema.execution import Schema

IDLE = 75
"""Seconds that a connection may stay open without a request."""


def run(settings: Settings) -> None:
    """Serves on a fast event loop, and ends the process. Exits with one line when the port or the database is
    taken."""
    uvloop.run(serve(settings))
    leave()


async def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT. Raises SystemExit with a reason when it cannot."""
    set_up(in_development=settings.in_development)
    _open_as_many_as_admitted()
    asyncio.get_running_loop().set_exception_handler(tell_of_lost_tasks)
    stopped = signalled()
    async with AsyncExitStack() as stack:
        database = Database(settings.database_url, messenger=messenger_of(settings))
        stack.enter_context(alone_with(database))
        migrate(database.engine)
        go_over(database)
        await database.start()
        stack.push_async_callback(database.stop)
        listeners, broker = Listeners(database), broker_at(settings.broker)
        await listeners.start()
        stack.push_async_callback(listeners.stop)
        await stack.enter_async_context(broker.listening(listeners.look_at))
        database.on_commit = broker.tell
        await stack.enter_async_context(telling(settings, database))
        nights = asyncio.create_task(keep_nights(database, storage=Storage(settings.storage_url)))
        stack.push_async_callback(_cancel, nights)
        connected = partial(getattr, broker, "is_connected")
        running = runner(build_app(settings, database, listeners, schema=api_schema, is_connected=connected))
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
    is_connected: Callable[[], bool] = lambda: True,
) -> web.Application:
    """The application, over a database and listeners that are started and stopped elsewhere. `is_connected`:
    whether wake-ups of other processes come in."""
    metrics, requests = Metrics(), Requests()
    tokens = Tokens(settings.signing_secret)
    api = Api(schema, settings, database=database, listeners=listeners, tokens=tokens)
    tally = Tally(schema, metrics)
    api.on_open = tally.answered
    endpoint, sockets = Endpoint(api, tally), Sockets(api, terms or Terms())
    metrics.listeners.set_function(lambda: sockets.subscriptions)
    listeners.on_woken, listeners.on_pushed = metrics.wake_up_seconds.observe, DELIVERIES.inc
    storage = Storage(settings.storage_url)
    uploads, downloads = Uploads(api, storage), Downloads(api, storage)
    health, scrape = Health(database, is_connected), Scrape(settings, metrics, database)

    async def graphql(request: web.Request) -> web.StreamResponse:
        if request.method == hdrs.METH_GET and request.headers.get(hdrs.UPGRADE, "").lower() == "websocket":
            with metrics.sockets.track_inprogress():
                return await sockets.accept(request)
        return await endpoint.respond(request)

    async def watched(_: web.Application) -> AsyncIterator[None]:
        watch = asyncio.create_task(sockets.watch())
        yield
        await _cancel(watch)

    async def farewell(_: web.Application) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(TO_FINISH):
                await sockets.close()
                await requests.settled()

    quieten_libraries()
    app = web.Application(client_max_size=LARGEST_BODY, middlewares=[requests.accompany])
    app.router.add_route("*", "/graphql", graphql)
    app.router.add_get("/healthz", health.alive)
    app.router.add_get("/readyz", health.ready)
    app.router.add_get("/metrics", scrape.respond)
    for method in (hdrs.METH_POST, hdrs.METH_OPTIONS):
        app.router.add_route(method, "/attachments", uploads.respond)
    for method in (hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS):
        app.router.add_route(method, "/attachments/{id}/{name}", downloads.respond)
    app.add_routes(routes(settings, database, tokens))
    app.cleanup_ctx.append(watched)
    app.on_shutdown.append(farewell)
    app.on_response_prepare.append(requests.sign)
    return app


def runner(app: web.Application) -> web.AppRunner:
    """No access log, and no body that is unpacked before it is looked at."""
    return Runner(app, access_log=None, auto_decompress=False, keepalive_timeout=IDLE, shutdown_timeout=TO_SEND)


@contextmanager
def alone_with(database: Database) -> Iterator[None]:
    """Holds the database for this server: on a file a second one is refused, commands are not."""
    with ExitStack() as stack:
        try:
            stack.enter_context(database.backend.alone())
        except BlockingIOError:
            raise SystemExit(f"{database.backend.place}: another server runs on this database.") from None
        yield


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


def _open_as_many_as_admitted() -> None:
    """Files and connections: many systems admit a thousand unless they are asked."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _calm_the_collector() -> None:
    """What is there at the start stays: looking through it again and again would only cost pauses."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
