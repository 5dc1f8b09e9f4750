"""Does the whole story work in a real browser? A server of its own, two people, and every other host blocked."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Request, Route, TimeoutError, async_playwright

from app.pages import FILES
from tests import school as cast

ROOT = Path(__file__).parent.parent
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

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not here: /usr/bin/chromium"),
    pytest.mark.skipif(
        not all(path.exists() for path in FILES.values()),
        reason="GraphiQL's files are not here: make setup, with npm",
    ),
]

# ---------------------------------------------------------------------------------------- the server


@dataclass(frozen=True)
class Server:
    """The program as `make run` starts it, with a database of its own."""

    address: str
    environment: dict[str, str]

    def command(self, *words: str) -> str:
        """What `python -m app ...` prints."""
        return subprocess.run(
            [sys.executable, "-m", "app", *words],
            cwd=ROOT,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        ).stdout


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all stories: each happens in a corner of the school of its own."""
    tmp_path = tmp_path_factory.mktemp("browser")
    port = _free_port()
    settings = {"PREAU_DATABASE_URL": f"sqlite:///{tmp_path}/preau.db", "PREAU_PORT": str(port)}
    around = {name: value for name, value in os.environ.items() if not name.startswith("PREAU_")}
    made = Server(f"http://127.0.0.1:{port}", {**around, **settings})
    made.command("demo")
    with (
        (tmp_path / "server.log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-m", "app", "serve"],
            cwd=ROOT,
            env=made.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            _wait_until_it_serves(made.address, process, tmp_path / "server.log")
            yield made
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0
    said = (tmp_path / "server.log").read_text(encoding="utf-8")
    assert "Traceback" not in said, said


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_it_serves(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(300):
        assert process.poll() is None, log.read_text(encoding="utf-8")
        with contextlib.suppress(urllib.error.URLError), urllib.request.urlopen(f"{address}/healthz", timeout=5):
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.1)
    raise AssertionError(log.read_text(encoding="utf-8"))


# --------------------------------------------------------------------------------------- the browser


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
        assert shows in shown
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


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def visitors(chromium: Browser, server: Server, watched: Watched) -> list[Visitor]:
    """Two browsers at the server. What they do wrong is gathered in `watched`."""
    return [await _visitor(chromium, server, watched) for _ in range(2)]


async def _visitor(chromium: Browser, server: Server, watched: Watched) -> Visitor:
    context: BrowserContext = await chromium.new_context(
        base_url=server.address, viewport={"width": 1280, "height": 800}
    )
    here = urlsplit(server.address).netloc

    async def only_here(route: Route, request: Request) -> None:
        if urlsplit(request.url).netloc == here:
            await route.continue_()
        else:
            watched.outside.append(request.url)
            await route.abort()

    def looks_outside(address: str) -> None:
        if urlsplit(address).netloc != here:
            watched.outside.append(address)

    await context.route("**/*", only_here)
    page = await context.new_page()
    page.set_default_timeout(15_000)
    page.on("websocket", lambda opened: looks_outside(opened.url))
    page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    page.on("console", lambda said: watched.complaints.append(said.text) if said.type == "error" else None)
    return Visitor(page)


# ------------------------------------------------------------------------------------------- stories


async def test_E58_a_published_call_changes_the_badge_in_another_persons_browser(
    visitors: list[Visitor], watched: Watched
) -> None:
    learner, curator = visitors
    await learner.choose(cast.LEARNER_9A)
    await learner.page.evaluate("window.loadedOnce = true")
    await learner.badge(0)
    await learner.tab("Badges")
    assert await learner.run() == {"data": {"badgesChanged": {"newCalls": 0}}}

    await curator.choose(cast.CURATOR_9A)
    viewer = (await curator.run())["data"]["viewer"]
    assert viewer["user"]["name"] == "Соколова Елена Викторовна"
    chats = {(chat["kind"], chat["name"]): chat for chat in viewer["chats"]["nodes"]}
    of_the_class = chats["GROUP", cast.CLASS_9A]
    assert of_the_class["participantCount"] == 8
    assert of_the_class["linkedParticipantCount"] == 7
    assert of_the_class["publishedCall"] is None
    assert "CREATE_CALL" in of_the_class["viewerActions"]

    await curator.tab("CreateCall")
    call = (await curator.run())["data"]["createCall"]["call"]
    assert (call["status"], call["chat"]["name"]) == ("CREATED", cast.CLASS_9A)
    await curator.tab("PublishCall")
    assert await curator.variables() == {"input": {"callId": call["id"]}}
    published = (await curator.run())["data"]["publishCall"]["call"]
    assert (published["id"], published["status"]) == (call["id"], "PUBLISHED")

    assert await learner.answer('"newCalls": 1') == {"data": {"badgesChanged": {"newCalls": 1}}}
    await learner.badge(1)
    await curator.badge(1)
    assert await learner.page.evaluate("window.loadedOnce") is True

    await learner.tab("MarkChatsSeen")
    assert await learner.run() == {"data": {"markChatsSeen": {"badges": {"newCalls": 0}}}}
    await learner.badge(0)
    assert watched == Watched()


async def test_E50_the_prepared_call_is_one_that_may_be_published_and_a_second_is_refused(
    visitors: list[Visitor], watched: Watched
) -> None:
    curator, _ = visitors
    await curator.choose(cast.CURATOR_9B)
    await curator.tab("PublishCall")
    first = (await curator.run())["data"]["publishCall"]["call"]
    assert (first["title"], first["status"]) == ("Экскурсия в музей", "PUBLISHED")
    await curator.tab("CreateCall")
    assert "call" in (await curator.run())["data"]["createCall"]
    await curator.tab("PublishCall")
    refused = (await curator.run())["data"]["publishCall"]
    assert refused["code"] == "CALL_ALREADY_PUBLISHED"
    assert refused["publishedCall"]["id"] == first["id"]
    assert watched == Watched()


async def test_E42_an_unlinked_person_links_the_profile_in_the_browser(
    visitors: list[Visitor], watched: Watched
) -> None:
    guardian, _ = visitors
    await guardian.choose(cast.GUARDIAN_UNLINKED)
    await guardian.tab("BeginProfileLink")
    address = (await guardian.run())["data"]["beginProfileLink"]["authorizationUrl"]
    await guardian.page.goto(address)
    await guardian.page.locator(".graphiql-execute-button").wait_for()
    assert urlsplit(guardian.page.url).path == "/graphiql"
    linked = (await guardian.run())["data"]["completeProfileLink"]["viewer"]
    assert linked["isLinked"] is True
    assert linked["messengerUrl"].endswith("/messenger")
    await guardian.page.goto(linked["messengerUrl"])
    assert await guardian.page.locator("h1").inner_text() == "Messenger"
    assert watched == Watched()


async def test_a_token_of_ones_own_serves_queries_and_subscriptions(
    visitors: list[Visitor], server: Server, watched: Watched
) -> None:
    token = await asyncio.to_thread(server.command, "token", cast.CURATOR_11A)
    visitor, _ = visitors
    await visitor.page.goto("/graphiql")
    await visitor.page.locator(".graphiql-execute-button").wait_for()
    await visitor.set_headers({"Authorization": f"Bearer {token.strip()}"})
    assert (await visitor.run())["data"]["viewer"]["user"]["name"] == "Зайцев Пётр Семёнович"
    await visitor.tab("Badges")
    await visitor.set_headers({"Authorization": f"Bearer {token.strip()}"})
    assert (await visitor.run())["data"]["badgesChanged"] == {"newCalls": 0}
    assert watched == Watched()


async def test_documentation_explorer_and_settings_open_without_a_complaint(
    visitors: list[Visitor], watched: Watched
) -> None:
    visitor, _ = visitors
    await visitor.choose(cast.CURATOR_9A)
    await visitor.page.get_by_label("Show Documentation Explorer").click()
    await visitor.page.locator(".graphiql-doc-explorer-content").get_by_text("subscription", exact=True).wait_for()
    await visitor.page.get_by_label("Show GraphiQL Explorer").click()
    await (
        visitor.page.locator(".graphiql-explorer-root")
        .get_by_text("participantCount", exact=True)
        .first.wait_for()
    )
    await visitor.page.get_by_label("Open settings dialog").click()
    await visitor.page.get_by_role("dialog").get_by_text("Theme").wait_for()
    assert watched == Watched()
