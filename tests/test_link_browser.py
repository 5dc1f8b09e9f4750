"""Does linking a profile work in a real browser? From GraphiQL to a real provider's pages, and back."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from playwright.async_api import Page, Request, Route, async_playwright

from app.auth import Tokens
from app.pages import FILES
from models.database import Database
from tests import school as cast
from tests.openid import CLIENT, CLIENT_SECRET, Provider, client, providing
from tests.running import address_in, first_words, last_words, started
from tests.visiting import CHROMIUM, FLAGS, Visitor

pytestmark = [
    pytest.mark.browser,
    pytest.mark.sqlite,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not here: /usr/bin/chromium"),
    pytest.mark.skipif(
        not all(path.exists() for path in FILES.values()),
        reason="GraphiQL's files are not here: make setup, with npm",
    ),
]

CHAT = "{ viewer { chats(filter: { kinds: [PARENTS] }) { nodes { id } } } }"
CREATE = """
mutation($input: CreateCallInput!) { createCall(input: $input) { ... on CreateCallPayload { call { id } } } }
"""
PUBLISH = """
mutation($input: PublishCallInput!) {
  publishCall(input: $input) { ... on PublishCallPayload { call { joinUrl } } }
}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def settings(provider: Provider, port: int) -> dict[str, str]:
    """As somebody sets them who runs the program."""
    return {
        "PREAU_PORT": str(port),
        "PREAU_LINK_ISSUER": provider.issuer,
        "PREAU_LINK_CLIENT_ID": CLIENT,
        "PREAU_LINK_CLIENT_SECRET": CLIENT_SECRET,
    }


@asynccontextmanager
async def browser(*places: str) -> AsyncIterator[Page]:
    """One that reaches these places alone."""
    reached = {urlsplit(place).netloc for place in places}

    async def only_there(route: Route, request: Request) -> None:
        await (route.continue_() if urlsplit(request.url).netloc in reached else route.abort())

    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = await chromium.new_context(base_url=places[0], viewport={"width": 1280, "height": 800})
        await context.route("**/*", only_there)
        page = await context.new_page()
        page.set_default_timeout(15_000)
        yield page
        await chromium.close()


async def publish_a_call(address: str, folder: Path) -> str:
    """In the chat of the parents of 9А, by their curator; where it is held."""
    database = Database(f"sqlite:///{folder}/preau.db", messenger=cast.Heard(cast.SECRET))
    now = datetime.now(UTC)
    token = Tokens(cast.SECRET).issue(cast.viewer(database, cast.CURATOR_9A), now=now)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as curator:

        async def ask(query: str, **given: Any) -> Any:
            body = {"query": query, "variables": {"input": given} if given else {}}
            async with curator.post(f"{address}/graphql", json=body) as answer:
                return (await answer.json())["data"]

        (chat,) = (await ask(CHAT))["viewer"]["chats"]["nodes"]
        made = await ask(CREATE, chatId=chat["id"], title="Встреча", startsAt=now.isoformat())
        published = await ask(PUBLISH, callId=made["createCall"]["call"]["id"])
        url: str = published["publishCall"]["call"]["joinUrl"]
        return url


async def test_E42_E43_from_graphiql_to_the_provider_and_back(tmp_path: Path) -> None:
    port = free_port()
    back = f"http://127.0.0.1:{port}/"
    async with providing(client(redirect_uris=[back])) as provider:
        given = settings(provider, port)
        async with started(tmp_path, "demo", **given) as demo:
            assert (await last_words(demo))[0] == 0
        async with started(tmp_path, **given) as server:
            address = address_in(await first_words(server))
            held_at = await publish_a_call(address, tmp_path)
            async with browser(address, provider.issuer) as page:
                await _link_in(page, provider, held_at)
            server.terminate()
            ended, said = await last_words(server)
    assert ended == 0
    assert "Traceback" not in said
    assert CLIENT_SECRET not in said


async def _link_in(page: Page, provider: Provider, held_at: str) -> None:
    guardian = Visitor(page)
    await guardian.choose(cast.GUARDIAN_UNLINKED)
    assert await _addresses(guardian) == [None]
    await guardian.tab("BeginProfileLink")
    begun = (await guardian.run())["data"]["beginProfileLink"]["authorizationUrl"]
    assert begun.startswith(provider.issuer)

    await page.goto(begun)
    await page.locator("input[name=login]").fill("mother")
    await page.locator("input[name=password]").fill("any")
    await page.locator("button[type=submit]").click()
    await page.locator("button", has_text="Continue").click()

    await page.locator(".graphiql-execute-button").wait_for()
    assert urlsplit(page.url).path == "/graphiql"
    linked = (await guardian.run())["data"]["completeProfileLink"]["viewer"]
    assert linked["isLinked"] is True
    assert await _addresses(guardian) == [held_at]


async def _addresses(person: Visitor) -> list[str | None]:
    """Where the published calls of the person's chats are held."""
    await person.tab("ChatsPage")
    chats = (await person.run())["data"]["viewer"]["chats"]["nodes"]
    return [chat["publishedCall"]["joinUrl"] for chat in chats if chat["publishedCall"]]
