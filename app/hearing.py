"""What is said to who does not speak HTTP? That, and nothing of which software hears it, or of how it reads."""

from aiohttp import hdrs, web
from aiohttp.web_protocol import RequestHandler

from app.http import HEADERS

NAME = "Preau"
UNREADABLE = "This is no HTTP request that can be read.\n"


class Runner(web.AppRunner):
    """Runs an application for clients of every kind."""

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        server.__class__ = _Server
        return server


class _Server(web.Server):
    def __call__(self) -> RequestHandler:
        return _Hearing(self, loop=self._loop, **self._kwargs)


class _Hearing(RequestHandler):
    """One connection. Mistakes of clients are not logged."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if status >= 500:
            answer = super().handle_error(request, status, exc, message)
        elif request.writer.output_size > 0:
            raise ConnectionError("an answer has begun")
        else:
            answer = web.Response(status=status, text=UNREADABLE)
            answer.force_close()
        answer.headers.update({**HEADERS, hdrs.SERVER: NAME})
        return answer
