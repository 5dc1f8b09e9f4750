"""Does the whole story work in a real browser? A server of its own, two people, and every other host blocked."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, async_playwright

from app.pages import FILES
from tests import school as cast
from tests.visiting import CHROMIUM, FLAGS, Visitor, Watched, visitor

ROOT = Path(__file__).parent.parent
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
    return [await visitor(chromium, server.address, watched) for _ in range(2)]


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
