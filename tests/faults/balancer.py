"""Who answers, of several servers? The next one that takes the connection: in turn, past those that are down."""

import asyncio
import sys
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Balancer:
    """Between clients and servers on loopback, by their ports."""

    def __init__(self, *ports: int) -> None:
        self._ports = list(ports)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await self._connected()
        writers = [writer] if there is None else [writer, there[1]]
        try:
            if there is not None:
                await _first_done(_carry(reader, there[1]), _carry(there[0], writer))
        finally:
            for each in writers:
                each.transport.abort()

    async def _connected(self) -> Ends | None:
        for _ in range(len(self._ports)):
            self._ports.append(self._ports.pop(0))
            with suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", self._ports[-1])
        return None


async def _carry(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(65536):
            to.write(data)
            await to.drain()


async def _first_done(*work: Coroutine[Any, Any, None]) -> None:
    tasks = [asyncio.create_task(each) for each in work]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def main(port: int, *ports: int) -> None:
    server = await asyncio.start_server(Balancer(*ports).serve, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
