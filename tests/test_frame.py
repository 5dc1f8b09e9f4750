"""Does a page of the server let anything in that is not ours, or out that is not listed?"""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app import pages
from app.frame import HERE
from models.database import Database
from tests import school as cast
from tests.browsing import PRODUCTION, ROOM, Serve, open_school, serving


@pytest.fixture
def clock() -> cast.SchoolClock:
    return cast.SchoolClock()


@pytest.fixture
async def database(tmp_path: Path, clock: cast.SchoolClock) -> AsyncIterator[Database]:
    async with open_school(tmp_path / "school.db", clock) as opened:
        yield opened


@pytest.fixture
def serve(aiohttp_client: Any, database: Database) -> Serve:
    return serving(aiohttp_client, database)


@pytest.fixture
def graphiql_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Files in the place of npm's: what is asked here is not GraphiQL itself."""
    for name, path in pages.FILES.items():
        if not path.exists():
            instead = tmp_path / name
            instead.write_text("/* */")
            monkeypatch.setitem(pages.FILES, name, instead)


pytestmark = pytest.mark.usefixtures("graphiql_here")

KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


async def test_only_the_listed_files_are_served(serve: Serve) -> None:
    client = await serve()
    for name in pages.FILES:
        answer = await client.get(f"/graphiql/{name}")
        assert (answer.status, answer.content_type) == (200, KINDS[Path(name).suffix])
    for name in ("page.css", "icon.svg"):
        answer = await client.get(f"/pages/{name}")
        assert (answer.status, answer.content_type) == (200, KINDS[Path(name).suffix])
    for path in (
        "/graphiql/package.json",
        "/graphiql/people.html",
        "/graphiql/node_modules/react/umd/react.production.min.js",
        "/graphiql/..%2fsettings.py",
        "/graphiql/%2e%2e%2f%2e%2e%2fpyproject.toml",
        "/pages/people.html",
        "/pages/..%2f..%2fsettings.py",
    ):
        assert (await client.get(path)).status == 404, path


PAGES = ["/", "/graphiql", "/graphiql?as=0", "/messenger", f"/messenger/chats/{ROOM}", f"/messenger/calls/{ROOM}"]
PAGES += ["/messenger/authorize?state=x", "/?code=x&state=x", "/graphiql/start.js", "/pages/page.css"]


@pytest.mark.parametrize("path", PAGES)
async def test_every_answer_lets_nothing_else_in(serve: Serve, path: str) -> None:
    answer = await (await serve()).get(path, allow_redirects=False)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] in ("no-store", "no-cache")
    if answer.content_type != "text/html":
        return
    assert answer.headers["Cache-Control"] == "no-store"
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert (
        policy["default-src"]
        == policy["base-uri"]
        == policy["form-action"]
        == policy["frame-ancestors"]
        == "'none'"
    )
    allowed = {source for name, sources in policy.items() for source in sources.split() if name != "default-src"}
    here = f"{answer.url.host}:{answer.url.port}"
    assert allowed <= {"'none'", "'self'", "data:", f"ws://{here}", f"wss://{here}", pages.SCROLL_LOCK}
    assert policy.get("script-src", "'self'") == "'self'"
    text = await answer.text()
    assert not re.search(r"<style|\sstyle=|\son\w+=", text)
    assert not re.search(r"<script(?! src=\"/| type=\"application/json\")", text)
    assert not re.search(r"""(?:src|href)=["'](?!/[a-z]|/["'])""", text)


async def test_in_production_there_is_neither_graphiql_nor_anybody_to_be(serve: Serve) -> None:
    client = await serve(**PRODUCTION)
    for path in ("/", "/graphiql", "/graphiql?as=1", "/graphiql/start.js", "/graphiql/graphiql.js"):
        assert (await client.get(path)).status == 404, path
    for path in ("/messenger", f"/messenger/chats/{ROOM}", f"/messenger/calls/{ROOM}", "/pages/page.css"):
        assert (await client.get(path)).status == 200, path


def test_packages_are_pinned_and_no_host_is_named() -> None:
    wanted = json.loads((HERE / "package.json").read_text())
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted["dependencies"].values())
    text = (HERE / "package-lock.json").read_text()
    assert "://" not in text
    locked = json.loads(text)["packages"]
    assert locked.pop("")["dependencies"] == wanted["dependencies"]
    assert all(package["integrity"].startswith("sha512-") for package in locked.values())
