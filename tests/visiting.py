"""Somebody at GraphiQL in a real browser: what the stories in `test_browser` are told with."""

import contextlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, Page, Request, Route, TimeoutError

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
EDITOR = "((where) => document.querySelector(`${where} .CodeMirror`).CodeMirror)"
"""The text editor of GraphiQL in this place, in JavaScript."""

SOON = 5_000
"""Milliseconds within which a badge changes, on the busiest machine; the promise is far below."""


@dataclass
class Watched:
    """What a browser did that it should not: asked another host, or complained."""

    outside: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Visitor:
    """One person's browser, with nothing kept from anybody else's."""

    page: Page

    async def choose(self, login: str) -> None:
        """From the list at `/` to GraphiQL, as this person."""
        await self.page.goto("/")
        await self.page.locator("a.person", has=self.page.get_by_text(login, exact=True)).click()
        await self.page.locator(".graphiql-execute-button").wait_for()

    async def tab(self, operation: str) -> None:
        await self.page.locator(".graphiql-tab-button", has_text=operation).click()
        # GraphiQL reads the operation's name a tenth of a second after the text has changed.
        await self.page.wait_for_function(
            f"(name) => {EDITOR}('.graphiql-query-editor').operationName === name", arg=operation
        )

    async def run(self) -> Any:
        """The answer that GraphiQL shows to the operation of this tab."""
        await self.page.locator(".graphiql-execute-button").click()
        return await self.answer()

    async def answer(self, shows: str = '"data"') -> Any:
        """What GraphiQL shows, as soon as this text stands in it."""
        with contextlib.suppress(TimeoutError):
            await self.page.wait_for_function(
                f"(shows) => {EDITOR}('.result-window').getValue().includes(shows)",
                arg=shows,
                timeout=SOON,
            )
        shown = await self._editor(".result-window")
        assert shows in shown, shown
        return json.loads(shown)

    async def variables(self) -> Any:
        return json.loads(await self._editor("[aria-label='Variables'] .graphiql-editor:not(.hidden)"))

    async def set_headers(self, headers: dict[str, str]) -> None:
        await self.page.locator("[data-name='headers']").click()
        await self.page.evaluate(
            f"([where, text]) => {EDITOR}(where).setValue(text)",
            ["[aria-label='Headers'] .graphiql-editor:not(.hidden)", json.dumps(headers)],
        )

    async def badge(self, count: int) -> None:
        """Waits until the bar says so, on the page as it was loaded."""
        await self.page.locator("#count", has_text=str(count)).wait_for(timeout=SOON)

    async def _editor(self, where: str) -> str:
        text: str = await self.page.evaluate(f"(where) => {EDITOR}(where).getValue()", where)
        return text


async def visitor(chromium: Browser, address: str, watched: Watched) -> Visitor:
    """A browser at this address and nowhere else. What it does wrong is gathered in `watched`."""
    context = await chromium.new_context(base_url=address, viewport={"width": 1280, "height": 800})
    here = urlsplit(address).netloc

    async def only_here(route: Route, request: Request) -> None:
        if urlsplit(request.url).netloc == here:
            await route.continue_()
        else:
            watched.outside.append(request.url)
            await route.abort()

    def looks_outside(asked: str) -> None:
        if urlsplit(asked).netloc != here:
            watched.outside.append(asked)

    await context.route("**/*", only_here)
    page = await context.new_page()
    page.set_default_timeout(15_000)
    page.on("websocket", lambda opened: looks_outside(opened.url))
    page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    page.on("console", lambda said: watched.complaints.append(said.text) if said.type == "error" else None)
    return Visitor(page)
