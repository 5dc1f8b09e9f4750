"""A school's identity provider for the tests: it publishes keys at an address of this machine, and signs."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from aiohttp import web
from joserfc import jws
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from app.keys import KINDS, Signatures

ISSUER = "https://id.school.example/realm"
AUDIENCE = "preau"

FIRST, SECOND = RSAKey.generate_key(2048), RSAKey.generate_key(2048)
CURVE, EDWARDS = ECKey.generate_key("P-256"), OKPKey.generate_key("Ed25519")
STRANGER = RSAKey.generate_key(2048)
"""Keys take long to make: all tests have the same."""


class IdentityProvider:
    """What it publishes (`keys`, by `kid`), how often it was asked, and what is wrong with it."""

    def __init__(self) -> None:
        self.keys: dict[str, Key] = {"first": FIRST}
        self.asked = 0
        self.answer: web.Response | None = None
        self.waits: asyncio.Event | None = None
        self.address = ""

    @property
    def settings(self) -> dict[str, Any]:
        return {"jwks_url": f"{self.address}/keys", "issuer": ISSUER, "audience": AUDIENCE}

    async def publish(self, _: web.Request) -> web.Response:
        self.asked += 1
        if self.waits is not None:
            await self.waits.wait()
        if self.answer is not None:
            said, self.answer = self.answer, None
            return said
        shown = [{**key.as_dict(private=False), "kid": name, "use": "sig"} for name, key in self.keys.items()]
        return web.json_response({"keys": shown})

    def claims(self, now: datetime, **others: Any) -> dict[str, Any]:
        """What it says of person 1 of the school; None leaves a claim out."""
        seconds = int(now.timestamp())
        said = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "b5c1",
            "preferred_username": "1",
            "organization": "1",
            "iat": seconds,
            "exp": seconds + 300,
            **others,
        }
        return {name: value for name, value in said.items() if value is not None}


def signed(
    claims: dict[str, Any], key: Any = FIRST, *, algorithm: str = "RS256", kid: str | None = "first", **header: Any
) -> str:
    """`Bearer TOKEN`."""
    header = {"alg": algorithm, **({} if kid is None else {"kid": kid}), **header}
    registry = Signatures() if algorithm in KINDS else None
    said = json.dumps(claims)
    return "Bearer " + jws.serialize_compact(header, said, key, algorithms=[algorithm], registry=registry)


@asynccontextmanager
async def publishing() -> AsyncIterator[IdentityProvider]:
    provider = IdentityProvider()
    app = web.Application()
    app.router.add_get("/keys", provider.publish)
    running = web.AppRunner(app, access_log=None)
    await running.setup()
    await web.TCPSite(running, "127.0.0.1", 0).start()
    provider.address = f"http://127.0.0.1:{running.addresses[0][1]}"
    try:
        yield provider
    finally:
        if provider.waits is not None:
            provider.waits.set()
        await running.cleanup()
