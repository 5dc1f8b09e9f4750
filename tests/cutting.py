"""A line to a server that a test can cut at a chosen word, before or after the server has heard it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Line:
    """Between clients and a server on loopback. `cuts` counts the connections that were cut at the word."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self.cuts = 0
        self.is_down = False
        self._target = target
        self.goes_down_when_cut = False
        self._word: bytes | None = None
        self._is_heard = False
        self._open: set[asyncio.StreamWriter] = set()

    def cut_at(self, word: bytes, *, heard: bool) -> None:
        """The next connection on which the client says this word is cut, its answer lost: after the server has
        `heard` the word and had the time to act, or before."""
        self._word, self._is_heard = word, heard

    def go_down(self) -> None:
        """Everything is cut, and nobody is let in any more."""
        self.is_down = True
        for writer in tuple(self._open):
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_down:
            writer.transport.abort()
            return
        there_reader, there = await asyncio.open_connection("127.0.0.1", self._target)
        both = {writer, there}
        answers = asyncio.Event()
        answers.set()
        self._open |= both
        try:
            with suppress(OSError):
                await asyncio.gather(
                    self._carry(reader, there, answers, watch=True), self._carry(there_reader, writer, answers)
                )
        finally:
            self._open -= both
            for each in both:
                each.transport.abort()

    async def _carry(
        self,
        source: asyncio.StreamReader,
        to: asyncio.StreamWriter,
        answers: asyncio.Event,
        *,
        watch: bool = False,
    ) -> None:
        while data := await source.read(65536):
            if not watch:
                await answers.wait()  # for ever, once the line is to be cut
            if watch and self._word is not None and self._word in data:
                self._word = None
                self.cuts += 1
                answers.clear()
                if self._is_heard:
                    to.write(data)
                    await to.drain()
                    await asyncio.sleep(0.3)
                if self.goes_down_when_cut:
                    self.go_down()
                raise ConnectionError("cut")
            to.write(data)
            await to.drain()
        raise ConnectionError("the other side has gone")


@asynccontextmanager
async def line_to(port: int) -> AsyncIterator[Line]:
    line = Line(port)
    server = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    line.port = server.sockets[0].getsockname()[1]
    async with server:
        yield line
        line.go_down()
