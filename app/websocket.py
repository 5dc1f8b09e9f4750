"""What is said on one socket? graphql-transport-ws, and nothing else.

Why a socket closes: 4400 a message that is none, 4401 nobody signed in, 4403 a token that is forged or has
expired, or a person who is not active any more, 4406 another subprotocol, 4408 no `connection_init` in time,
4409 an id that is in use, 4429 a second `connection_init` or too many sockets of one person, 1001 the server
stops, 1013 the database is away for too long; 1002, 1007 and 1009 by the rules of WebSocket itself. A peer that
does not read, or is silent when it is asked, is cut without a word.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from aiohttp import WSMessage, WSMsgType, web

from app.answers import encode, refusal
from app.auth import Identity
from app.operations import Api, Malformed, read_json, read_operation
from app.telling import Telling
from app.wire import Wire
from models.errors import LimitExceeded, RequestFault, Unavailable
from resolvers.context import Context

LONGEST_ID = 200
_HEARD = (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.PING, WSMsgType.PONG)

Message = dict[str, Any]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Terms:
    """How long a socket may take, in seconds, and how much may go on at once."""

    to_sign_in: float = 5
    to_read: float = 10
    to_answer: float = 0.3
    to_close: float = 0.5
    heartbeat: float = 20
    between_looks: float = 0.5
    operations: int = 200
    sockets_per_person: int = 100
    sockets_signed_out: int = 1_000


class _Broken(Exception):
    """The peer broke a rule of the protocol: the socket closes with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Socket(Wire):
    """One socket: who is signed in, and the operations that run on it."""

    __slots__ = (
        "_admit",
        "_api",
        "_asked",
        "_closing",
        "_context",
        "_greeted",
        "_heard",
        "_opened",
        "_running",
        "_tasks",
        "_terms",
        "identity",
    )

    def __init__(
        self,
        api: Api,
        terms: Terms,
        *,
        response: web.WebSocketResponse,
        transport: asyncio.Transport,
        admit: Callable[[Identity], bool],
    ) -> None:
        super().__init__(response, transport)
        self.identity: Identity | None = None
        self._api = api
        self._terms = terms
        self._admit = admit
        self._opened = self._heard = monotonic()
        self._asked = False
        self._greeted = False
        self._context: Context | None = None
        self._running: dict[str, Telling] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing: asyncio.Task[None] | None = None

    async def listen(self) -> None:
        """Hears the peer until the end; afterwards nothing runs here any more."""
        try:
            while (message := await self._response.receive()).type in _HEARD:
                self._heard, self._asked = monotonic(), False
                await self._hear(message)
        except _Broken as broken:
            self.end(broken.code, str(broken))
        except Malformed as error:
            self.end(4400, str(error))
        except ConnectionError:
            pass  # the peer has gone
        except Unavailable:
            self.end(1013, "Try again later")
        except Exception:
            log.exception("A socket failed")
            self.end(1011, "Internal error")
        finally:
            await self.ended()
            await self._stop()
            asyncio.get_running_loop().call_later(self._terms.to_close, self.transport.abort)

    def look(self, moment: float, now: float) -> None:
        """Ends the socket when it is overdue: it does not read, says nothing when it is asked, did not sign in, or
        its token has expired.

        `moment` is monotonic, `now` is the time of day, both in seconds.
        """
        silent = moment - self._heard
        is_stuck = self.waits_since is not None and moment - self.waits_since > self._terms.to_read
        if is_stuck or (self._asked and silent > 1.5 * self._terms.heartbeat):
            self.transport.abort()
        elif not self._greeted and moment - self._opened > self._terms.to_sign_in:
            self.end(4408, "Connection initialisation timeout")
        elif self.identity is not None and self.identity.expires <= now:
            self.end(4403, "The token has expired")
        elif silent > self._terms.heartbeat and not self._asked:
            self._asked = self.ping()

    @property
    def subscriptions(self) -> int:
        """How many are listening here."""
        return sum(each.is_subscription for each in self._running.values())

    def end(self, code: int, reason: str, *, to_answer: float = 0) -> None:
        """Closes the socket, once, without waiting for it. What was asked has so many seconds to be answered."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(code, reason, to_answer))

    async def ended(self) -> None:
        """Waits for `end`, where it was called."""
        if self._closing is not None:
            await asyncio.wait([self._closing])

    async def _close(self, code: int, reason: str, to_answer: float) -> None:
        if to_answer:
            await self._settle(to_answer)
        await self._stop()
        await self.hang_up(code, reason, within=1.5 * self._terms.to_close)

    async def _settle(self, seconds: float) -> None:
        """Waits for the answers to queries and mutations; subscriptions have none."""
        for telling in tuple(self._running.values()):
            if telling.is_subscription:
                telling.stop()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    async def _stop(self) -> None:
        """Ends all operations; what they hold is released before this returns."""
        for telling in tuple(self._running.values()):
            telling.stop()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._terms.to_close)

    # ------------------------------------------------------------------------------ what the peer says

    async def _hear(self, message: WSMessage) -> None:
        match message.type:
            case WSMsgType.TEXT:
                await self._obey(message.data)
            case WSMsgType.PING:
                await self.pong(message.data)
            case WSMsgType.BINARY:
                raise Malformed("Messages are text.")

    async def _obey(self, text: str) -> None:
        message = read_json(text)
        if not isinstance(message, dict):
            raise Malformed("A message is an object.")
        match message.get("type"):
            case "subscribe":
                await self._subscribe(message, text)
            case "complete":
                if telling := self._running.pop(_id(message), None):
                    telling.stop()
            case "ping":
                echo = {"payload": message["payload"]} if "payload" in message else {}
                await self.say(encode({"type": "pong", **echo}).decode())
            case "connection_init":
                await self._sign_in(message.get("payload"))
            case "pong":
                pass
            case _:
                raise Malformed("A message has a `type` of the protocol.")

    async def _sign_in(self, payload: Any) -> None:
        if self._greeted:
            raise _Broken(4429, "Too many initialisation requests")
        self._greeted = True
        if not isinstance(payload, dict | None):
            raise Malformed("`payload` must be an object.")
        token = next((value for key, value in (payload or {}).items() if key.lower() == "authorization"), None)
        if not token:
            raise _Broken(4401, "Sign in: send a bearer token in connection_init")
        identity = await self._api.identify(token) if isinstance(token, str) else None
        if identity is None or not await self._api.is_active(identity.viewer):
            raise _Broken(4403, "The token is not valid, or not any more")
        if not self._admit(identity):
            raise _Broken(4429, "Too many sockets of one person")
        self.identity = identity
        self._context = self._api.context(identity)
        await self.say('{"type":"connection_ack"}')

    async def _subscribe(self, message: Message, text: str) -> None:
        if self._context is None:
            raise _Broken(4401, "Unauthorized")
        if self._closing is not None:
            return
        id_ = _id(message)
        if id_ in self._running:
            raise _Broken(4409, "A subscriber with this id exists already")
        try:
            operation = read_operation(message.get("payload"), text)
            if max(len(self._running), len(self._tasks)) >= self._terms.operations:
                raise LimitExceeded(f"At most {self._terms.operations} operations may run on one socket.")
        except Malformed:
            raise
        except RequestFault as fault:
            refused = {"id": id_, "type": "error", "payload": refusal(fault)["errors"]}
            await self.say(encode(refused).decode())
            return
        telling = self._running[id_] = Telling(self, id_)
        telling.start(self._api, operation, self._context)
        await asyncio.sleep(0)  # it begins now; a burst of operations is not begun without looking up in between

    # ---------------------------------------------------------------------------- what the peer is told

    def forget(self, telling: Telling) -> None:
        if self._running.get(telling.id) is telling:
            del self._running[telling.id]

    def keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _id(message: Message) -> str:
    id_ = message.get("id")
    if not isinstance(id_, str) or not 0 < len(id_) <= LONGEST_ID:
        raise Malformed(f"`id` must be a text of 1 to {LONGEST_ID} characters.")
    return id_
