"""How do tests sign in with a provider of others' making? A real one runs on loopback, where npm can fetch it."""

import asyncio
import fcntl
import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import aiohttp
import pytest

HERE = Path(__file__).parent / "oidc"
INSTALLED = HERE / "node_modules" / ".package-lock.json"
INSTALL = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
TO_INSTALL = 120
"""Seconds."""

CLIENT = "preau & co"
CLIENT_SECRET = "100% secret: a+b/c~ & more"
"""Both with all that forms and headers write in another way."""

RETURN_URL = "https://school.example/back?tab=chats"
STEPS = 12
"""More than any way through the provider's pages has."""


@dataclass(frozen=True)
class Provider:
    """A running provider. `issuer`: its name, and its address."""

    issuer: str
    process: asyncio.subprocess.Process

    async def stop(self) -> None:
        self.process.kill()
        await self.process.wait()


def install() -> None:
    """Once per clone; skips the test where that is not possible."""
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("the sign-in provider of the tests needs Node's npm")
    with (HERE / "package.json").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # other workers of the run want it as well
        lock = HERE / "package-lock.json"
        if INSTALLED.exists() and INSTALLED.stat().st_mtime >= lock.stat().st_mtime:
            return
        try:
            done = subprocess.run(INSTALL, cwd=HERE, check=False, capture_output=True, timeout=TO_INSTALL)
        except subprocess.TimeoutExpired:
            pytest.skip("npm could not fetch the sign-in provider of the tests in time")
        if done.returncode:
            pytest.skip("npm could not fetch the sign-in provider of the tests")
        INSTALLED.touch()


def client(**more: Any) -> dict[str, Any]:
    """How this program is known to the provider."""
    return {"client_id": CLIENT, "client_secret": CLIENT_SECRET, "redirect_uris": [RETURN_URL], **more}


@asynccontextmanager
async def providing(*clients: dict[str, Any]) -> AsyncIterator[Provider]:
    """A provider that knows these clients, or the one of `client`."""
    install()
    process = await asyncio.create_subprocess_exec(
        "node",
        "provider.mjs",
        json.dumps({"clients": clients or [client()]}),
        cwd=HERE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    provider = None
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            issuer = (await process.stdout.readline()).decode().strip()
        assert issuer, f"the provider ended with {await process.wait()}"
        provider = Provider(issuer, process)
        yield provider
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def signed_in(address: str, login: str) -> dict[str, str]:
    """What the browser brings back after this account has signed in and agreed."""
    sent: dict[str, str] | None = None
    cookies = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=cookies) as browser:
        for _ in range(STEPS):
            method = "GET" if sent is None else "POST"
            async with browser.request(method, address, data=sent, allow_redirects=False) as answer:
                page, leads_to = await answer.text(), answer.headers.get("Location")
            if leads_to is not None:
                address, sent = urljoin(address, leads_to), None
                if urlsplit(address).hostname != "127.0.0.1":
                    assert address.startswith(RETURN_URL), address
                    return {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}
                continue
            form, asked = re.search(r'action="([^"]+)"', page), re.search(r'name="prompt" value="(\w+)"', page)
            assert form is not None and asked is not None, page
            address = urljoin(address, form[1])
            sent = {"prompt": asked[1], "login": login, "password": "any"}
    raise AssertionError("the provider's pages have no end")
