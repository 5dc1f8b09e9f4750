"""What could be had at most? One prepared frame, sent to all WebSockets that are open, by aiohttp alone.

    python -m benchmarks.broadcast DATABASE ROOM

No authentication, no rights, no protocol: a POST says what, and it is sent to all. Or a message is stored first,
as M1's raw handler does it, on a thread.
"""

import asyncio
import gc
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import orjson
import uvloop
from aiohttp import web

from benchmarks import m1, s1
from benchmarks.raw import connect_to_write

PROTOCOL = "graphql-transport-ws"


def main() -> None:
    uvloop.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))


async def _serve(database: Path, room: int) -> None:
    thread = ThreadPoolExecutor(max_workers=1)
    connection = connect_to_write(database)
    sockets: set[web.WebSocketResponse] = set()

    async def listen(request: web.Request) -> web.WebSocketResponse:
        response = web.WebSocketResponse(protocols=[PROTOCOL], compress=False)
        await response.prepare(request)
        sockets.add(response)
        try:
            async for _ in response:
                pass
        finally:
            sockets.discard(response)
        return response

    async def tell(request: web.Request) -> web.Response:
        text = await request.text()
        for response in sockets:
            await response.send_str(text)
        return web.Response(text="{}")

    async def store(request: web.Request) -> web.Response:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(thread, partial(m1.answer, connection, s1.AUTHOR, message))
        return await tell(request)

    given = {"input": {"conversationId": f"Conversation_{room}", "body": s1.BODY}}
    message = orjson.dumps({"variables": given})
    app = web.Application()
    app.router.add_get("/listen", listen)
    app.router.add_post("/tell", tell)
    app.router.add_post("/store", store)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    gc.collect()
    gc.freeze()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    main()
