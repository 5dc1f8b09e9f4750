"""How is a bridge told of what happens? By signed JSON, one post for each command (docs/messenger.md)."""

import asyncio
import hmac
import time
from datetime import timedelta

import aiohttp
from pydantic import ValidationError

from app.messenger.addresses import new_room
from app.messenger.builtin import OwnSignIn
from jobs.outbox import NotActedUpon
from models.bridge import Answer
from models.sign_in import SignIn

KEY, TIMESTAMP, SIGNATURE = "Idempotency-Key", "Preau-Timestamp", "Preau-Signature"
"""The headers of a post."""

PATIENCE = 10.0
"""Seconds that a bridge may take: much less than a lease."""

LARGEST_ANSWER = 64 * 1024
NEVER = 422
"""The status by which a bridge says that it understands, and will never do it."""


class WebhookMessenger:
    """A messenger outside, behind a bridge. It gives addresses to chats, and to calls unless `call_url` does."""

    holds_chats = False
    is_outside = True

    def __init__(
        self,
        secret: str,
        *,
        home: str | None = None,
        call_url: str | None = None,
        sign_in: SignIn | None = None,
    ) -> None:
        self.sign_in: SignIn = sign_in or OwnSignIn(secret)
        self.home = home
        self._call_url = call_url

    def chat_url(self) -> str | None:
        return None

    def call_url(self) -> str | None:
        return None if self._call_url is None else new_room(self._call_url)


def signature(secret: str, timestamp: str, text: bytes) -> str:
    """Of a post: over its moment and its body, so that neither can be exchanged."""
    return "v1=" + hmac.digest(secret.encode(), timestamp.encode() + b"." + text, "sha256").hex()


class Bridge:
    """Whoever listens at an address. Use it as a context: it keeps connections."""

    def __init__(self, address: str, secret: str, *, patience: float = PATIENCE) -> None:
        self._address = address
        self._secret = secret
        self._timeout = aiohttp.ClientTimeout(total=patience)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Bridge":
        self._session = aiohttp.ClientSession(timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def carry(self, number: int, text: bytes) -> str | None:
        """As `jobs.outbox.Courier` says."""
        assert self._session is not None, "use it as a context"
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            KEY: str(number),
            TIMESTAMP: timestamp,
            SIGNATURE: signature(self._secret, timestamp, text),
        }
        try:
            async with self._session.post(
                self._address, data=text, headers=headers, allow_redirects=False
            ) as answer:
                return await _understood(answer)
        except (aiohttp.ClientError, OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise NotActedUpon(type(error).__name__) from None


async def _understood(answer: aiohttp.ClientResponse) -> str | None:
    """The address that is given. What cannot be read gives none: the bridge has acted all the same."""
    if not 200 <= answer.status < 300:
        wait = answer.headers.get("Retry-After", "")
        after = (
            timedelta(seconds=int(wait)) if wait.isascii() and wait.isdigit() and len(wait) < 6 else timedelta()
        )
        raise NotActedUpon(f"status {answer.status}", never=answer.status == NEVER, after=after)
    read = bytearray()
    async for part in answer.content.iter_chunked(LARGEST_ANSWER):
        read += part
        if len(read) > LARGEST_ANSWER:
            answer.close()
            return None
    try:
        return Answer.model_validate_json(bytes(read)).url
    except ValidationError:
        return None
