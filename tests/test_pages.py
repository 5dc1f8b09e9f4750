"""Do the server's own pages let in whom they should, and nothing else? GraphiQL, the messenger's, linking."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient
from graphql import parse, validate
from sqlalchemy import select, update

from app import pages
from app.auth import Tokens
from app.demo import demo_people
from app.frame import HERE
from app.messenger import BuiltinMessenger
from app.settings import Environment, Settings
from models.actor import actor
from models.database import Database
from models.links import begin_link, complete_link
from models.tables.links import profile_links
from models.tables.people import users
from schema import schema
from tests import school as cast

Client = TestClient[web.Request, web.Application]
Serve = Callable[..., Awaitable[Client]]

TOKENS = Tokens(cast.SECRET)
ROOM = "a" * 22


@pytest.fixture
def clock() -> cast.SchoolClock:
    return cast.SchoolClock()


@pytest.fixture
async def database(tmp_path: Path, clock: cast.SchoolClock) -> AsyncIterator[Database]:
    made = cast.build_school(tmp_path / "school.db", clock=clock)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def serve(aiohttp_client: Any, database: Database) -> Serve:
    """A browser at the pages: `await serve(environment=...)`."""

    async def browser(**settings: Any) -> Client:
        app = web.Application()
        app.add_routes(pages.routes(Settings(secret=cast.SECRET, **settings), database, TOKENS))
        client: Client = await aiohttp_client(app)
        return client

    return browser


@pytest.fixture
def graphiql_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Files in the place of npm's: what is asked here is not GraphiQL itself."""
    for name, path in pages.FILES.items():
        if not path.exists():
            instead = tmp_path / name
            instead.write_text("/* */")
            monkeypatch.setitem(pages.FILES, name, instead)


pytestmark = pytest.mark.usefixtures("graphiql_here")

PRODUCTION = {"environment": Environment.PRODUCTION}


def number(database: Database, login: str) -> int:
    return int(cast.viewer(database, login).id)


async def opened(answer: ClientResponse) -> dict[str, Any]:
    """What the page gives to its script."""
    found = re.search(r'<script type="application/json" id="opened">(.*?)</script>', await answer.text(), re.S)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def begin(database: Database, login: str) -> str:
    """Where the browser goes to link this person's profile."""
    with database.transaction() as tx:
        return begin_link(tx, actor(tx, cast.viewer(database, login)))


def complete(database: Database, login: str, back: str) -> None:
    """Links with what the browser brought back."""
    query = parse_qs(urlsplit(back).query)
    with database.transaction() as tx:
        who = actor(tx, cast.viewer(database, login))
        complete_link(tx, who, code=query["code"][0], state=query["state"][0])


def account(database: Database, login: str) -> str | None:
    linked = select(profile_links.c.account).where(
        profile_links.c.user_id == number(database, login), profile_links.c.unlinked_at.is_(None)
    )
    with database.engine.connect() as connection:
        return connection.execute(linked).scalar_one_or_none()


# --------------------------------------------------------------------------------- whom one may be


async def test_everybody_of_the_demo_schools_is_listed_once_with_position_and_link(
    serve: Serve, database: Database
) -> None:
    text = await (await (await serve()).get("/")).text()
    people = demo_people(database)
    assert len(people) > 50
    assert re.findall(r"<h2>(.*?)</h2>", text) == [cast.SCHOOL, cast.NEXT_DOOR]
    cards = re.findall(r'href="/graphiql\?as=(\d+)"><strong>.*?class="login">(.*?)<.*?class="link.*?>(.*?)<', text)
    assert cards == [
        (str(each.viewer.id), each.login, "linked" if each.is_linked else "not linked") for each in people
    ]
    assert {state for _, _, state in cards} == {"linked", "not linked"}
    headings = re.findall(r"<h3>(.*?)</h3>", text)
    at_school = ["Administrators", "Curators", "Teachers", "Staff", "Guardians", "Learners"]
    assert headings == at_school + at_school


async def test_nobody_of_another_school_is_offered(serve: Serve, database: Database) -> None:
    with database.transaction() as tx:
        tx.connection.exec_driver_sql(
            "UPDATE organizations SET source_id = 'ours' WHERE source_id = 'demo-tilleuls'"
        )
    client = await serve()
    assert cast.NEXT_DOOR not in await (await client.get("/")).text()
    other = cast.viewer(database, cast.NEXT_DOOR_CURATOR, cast.NEXT_DOOR)
    assert (await client.get(f"/graphiql?as={other.id}")).status == 404


async def test_without_a_demo_school_the_list_says_how_to_get_one(serve: Serve, database: Database) -> None:
    with database.transaction() as tx:
        tx.connection.exec_driver_sql("UPDATE organizations SET source_id = 'ours' || id")
    text = await (await (await serve()).get("/")).text()
    assert "python -m app demo" in text
    assert "/graphiql?as=" not in text


async def test_names_are_text_and_no_markup(serve: Serve, database: Database) -> None:
    curator = number(database, cast.CURATOR_9A)
    with database.transaction() as tx:
        tx.execute(update(users).where(users.c.id == curator).values(name='<script src="x">&', login='"><b>'))
    client = await serve()
    for address in ("/", f"/graphiql?as={curator}"):
        text = await (await client.get(address)).text()
        assert "&lt;script src=&quot;x&quot;&gt;&amp;" in text
        assert "<script src=&" not in text
        assert '<script src="x">' not in text
        assert "<b>" not in text


# ------------------------------------------------------------------------------------- signed in as


async def test_graphiql_opens_signed_in_as_the_person_chosen(
    serve: Serve, database: Database, clock: cast.SchoolClock
) -> None:
    client = await serve()
    for login in (cast.CURATOR_9A, cast.LEARNER_9A):
        answer = await client.get(f"/graphiql?as={number(database, login)}")
        token = (await opened(answer))["token"]
        identity = TOKENS.identify(f"Bearer {token}", now=clock.now)
        assert identity is not None
        assert identity.viewer == cast.viewer(database, login)


async def test_the_tabs_tell_the_story(serve: Serve, database: Database) -> None:
    client = await serve()
    story = ["ChatsPage", "CreateCall", "PublishCall", "Badges", "MarkChatsSeen"]

    async def tabs(login: str) -> list[str]:
        answer = await client.get(f"/graphiql?as={number(database, login)}")
        return [tab["name"] for tab in (await opened(answer))["operations"]]

    assert await tabs(cast.CURATOR_9A) == story
    assert await tabs(cast.LEARNER_UNLINKED) == ["ChatsPage", "BeginProfileLink", *story[1:]]


@pytest.mark.parametrize("number", ["0", "999999", "x", "", "1 OR 1=1", "%00"])
async def test_no_demo_person_no_token(serve: Serve, number: str) -> None:
    answer = await (await serve()).get(f"/graphiql?as={number}")
    assert answer.status == 404
    assert "opened" not in await answer.text()


async def test_somebody_else_brings_a_token(serve: Serve) -> None:
    answer = await (await serve()).get("/graphiql")
    assert answer.status == 200
    assert (await opened(answer))["token"] is None
    assert "put a token" in await answer.text()


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil", "a b"]
)
@pytest.mark.parametrize("path", ["/", "/graphiql?as=1"])
async def test_another_name_for_this_machine_gets_no_token(serve: Serve, host: str, path: str) -> None:
    answer = await (await serve()).get(path, headers={"Host": host})
    assert answer.status == 421
    assert "graphiql?as=" not in await answer.text()
    assert "opened" not in await answer.text()


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000", "school.test:8443"])
async def test_own_names_are_served(serve: Serve, host: str) -> None:
    client = await serve(public_url="https://school.test:8443")
    assert (await client.get("/", headers={"Host": host})).status == 200


async def test_without_npms_files_a_notice_says_what_to_do(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(pages.FILES, "graphiql.js", tmp_path / "missing.js")
    client = await serve(port=8123)
    for path in ("/", "/graphiql"):
        answer = await client.get(path)
        assert answer.status == 200
        text = await answer.text()
        assert "<code>make setup</code>" in text
        assert "<code>http://127.0.0.1:8123/graphql</code>" in text
    assert (await client.get("/graphiql/graphiql.js")).status == 404


# --------------------------------------------------------------------------------- what comes along

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


async def test_a_code_in_the_address_stays_text(serve: Serve) -> None:
    given = "</script><script>alert(1)</script>"
    answer = await (await serve()).get("/graphiql", params={"code": given, "state": given})
    assert (await opened(answer))["link"] == {"code": given, "state": given}
    assert "alert(1)</script>" not in await answer.text()


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


# ---------------------------------------------------------------------------------- the messenger's


@pytest.mark.parametrize(
    ("wanted", "language", "title"),
    [
        ("", "en", "A chat of the school"),
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru", "Чат школы"),
        ("de, en;q=0.2, fr;q=0.7", "fr", "Une discussion de l&#x27;établissement"),
        ("fr;q=0, ru;q=0.1", "ru", "Чат школы"),
        ("de, *;q=0.5", "en", "A chat of the school"),
        (";q=,,;;=,-;q=fr", "en", "A chat of the school"),
    ],
)
async def test_the_messengers_pages_speak_the_browsers_language(
    serve: Serve, wanted: str, language: str, title: str
) -> None:
    answer = await (await serve()).get(f"/messenger/chats/{ROOM}", headers={"Accept-Language": wanted})
    text = await answer.text()
    assert answer.headers["Content-Language"] == language
    assert f'<html lang="{language}">' in text
    assert f"<h1>{title}</h1>" in text


async def test_a_rooms_page_says_nothing_about_the_room(serve: Serve, database: Database) -> None:
    with database.engine.connect() as connection:
        addresses = connection.exec_driver_sql("SELECT url FROM chats ORDER BY id LIMIT 3").scalars().all()
    client = await serve(**PRODUCTION)
    made_up = await (await client.get(f"/messenger/chats/{ROOM}")).text()
    for address in addresses:
        assert address.startswith("/messenger/chats/")
        answer = await client.get(address)
        assert answer.status == 200
        assert await answer.text() == made_up
    assert (await client.get("/messenger/chats/too-short")).status == 404
    assert (await client.get(f"/messenger/rooms/{ROOM}")).status == 404


# ------------------------------------------------------------------------------------------ linking


async def test_E42_signing_in_with_the_messenger_leads_back_and_links(serve: Serve, database: Database) -> None:
    login = cast.LEARNER_UNLINKED
    assert account(database, login) is None
    client = await serve()
    answer = await client.get(begin(database, login), allow_redirects=False)
    assert answer.status == 302
    back = answer.headers["Location"]
    assert urlsplit(back).path == "/"

    page = await client.get(back)
    assert page.status == 200
    data = await opened(page)
    assert data["operations"][0]["name"] == "CompleteProfileLink"
    identity = TOKENS.identify(f"Bearer {data['token']}", now=cast.NOW)
    assert identity is not None
    assert identity.viewer == cast.viewer(database, login)
    assert data["link"] == {key: values[0] for key, values in parse_qs(urlsplit(back).query).items()}

    complete(database, login, back)
    assert account(database, login) == f"person-{number(database, login)}"


async def test_E42_a_person_has_the_same_account_every_time(serve: Serve, database: Database) -> None:
    client = await serve()
    accounts = []
    for _ in range(2):
        answer = await client.get(begin(database, cast.LEARNER_9A), allow_redirects=False)
        complete(database, cast.LEARNER_9A, answer.headers["Location"])
        accounts.append(account(database, cast.LEARNER_9A))
    assert accounts == [f"person-{number(database, cast.LEARNER_9A)}"] * 2


async def test_E42_another_account_can_be_tried_in_development_alone(serve: Serve, database: Database) -> None:
    chosen = begin(database, cast.LEARNER_9A) + "&account=demo:somebody"
    answer = await (await serve()).get(chosen, allow_redirects=False)
    complete(database, cast.LEARNER_9A, answer.headers["Location"])
    assert account(database, cast.LEARNER_9A) == "demo:somebody"

    live = await serve(**PRODUCTION, link_return_url="https://diary.test/chats?tab=calls#top")
    answer = await live.get(begin(database, cast.LEARNER_9A) + "&account=demo:other", allow_redirects=False)
    back = urlsplit(answer.headers["Location"])
    assert (back.scheme, back.netloc, back.path, back.fragment) == ("https", "diary.test", "/chats", "top")
    assert parse_qs(back.query).keys() == {"tab", "code", "state"}
    complete(database, cast.LEARNER_9A, answer.headers["Location"])
    assert account(database, cast.LEARNER_9A) == f"person-{number(database, cast.LEARNER_9A)}"


async def test_E42_without_a_page_to_return_to_production_links_nobody(serve: Serve, database: Database) -> None:
    assert (await (await serve(**PRODUCTION)).get(begin(database, cast.LEARNER_9A))).status == 404


@pytest.mark.parametrize(
    "query", ["", "?state=", "?state=unknown", "?state=%00", "?state=%ED%A0%80", "?state=" + "x" * 4000]
)
async def test_E42_an_unknown_state_is_a_plain_page(serve: Serve, query: str) -> None:
    answer = await (await serve()).get(f"/messenger/authorize{query}", allow_redirects=False)
    assert answer.status == 400
    assert "This page is no longer valid" in await answer.text()


async def test_E42_a_state_works_for_ten_minutes_and_once(
    serve: Serve, database: Database, clock: cast.SchoolClock
) -> None:
    client = await serve()
    late = begin(database, cast.LEARNER_9A)
    clock.forward(minutes=10)
    assert (await client.get(late, allow_redirects=False)).status == 400

    once = begin(database, cast.LEARNER_9A)
    answer = await client.get(once, allow_redirects=False)
    complete(database, cast.LEARNER_9A, answer.headers["Location"])
    assert (await client.get(once, allow_redirects=False)).status == 400


async def test_E42_the_code_is_the_messengers_own(serve: Serve, database: Database) -> None:
    answer = await (await serve()).get(begin(database, cast.LEARNER_9A), allow_redirects=False)
    code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    assert BuiltinMessenger("y" * 40).account(code) is None


async def test_coming_back_for_nobody_known_opens_graphiql_signed_out(serve: Serve, database: Database) -> None:
    with database.transaction() as tx:
        tx.connection.exec_driver_sql(
            "UPDATE organizations SET source_id = 'ours' WHERE source_id = 'demo-gorizont'"
        )
    state = parse_qs(urlsplit(begin(database, cast.LEARNER_9A)).query)["state"][0]
    for known in (state, "unknown", "\x00"):
        answer = await (await serve()).get("/", params={"code": "c", "state": known})
        assert answer.status == 200
        data = await opened(answer)
        assert data["token"] is None
        assert data["link"] == {"code": "c", "state": known}


def test_the_ready_made_operations_are_valid() -> None:
    asked = {path.name: path.read_text(encoding="utf-8") for path in (HERE / "operations").iterdir()}
    script = (HERE / "start.js").read_text(encoding="utf-8")
    of_the_page = re.findall(r"""const [A-Z]+ =\s+(?:`|")((?:query|subscription) [^`"]+)(?:`|");""", script)
    assert (len(asked), len(of_the_page)) == (7, 2)
    for text in [*asked.values(), *of_the_page]:
        assert validate(schema._schema, parse(text)) == [], text
