"""How much can the client ask? A server that answers everything at once with the same bytes.

python -m benchmarks.ceiling SIZE
"""

import asyncio
import sys
from typing import cast

import uvloop


class _Same(asyncio.Protocol):
    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:  # noqa: ARG002
        """A request of ours comes in one piece."""
        self._transport.write(self._answer)


async def _serve(size: int) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    answer = head.encode() + b"x" * size
    server = await asyncio.get_running_loop().create_server(lambda: _Same(answer), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
