"""Who may be whom at GraphiQL, and what does it open with?"""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientResponse
from graphql import parse, validate
from sqlalchemy import update

from app import pages
from app.demo import demo_people
from app.frame import HERE
from models.database import Database
from models.tables.people import users
from schema import schema
from tests import school as cast
from tests.browsing import TOKENS, Serve, begin, number, open_school, serving


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


async def opened(answer: ClientResponse) -> dict[str, Any]:
    """What the page gives to its script."""
    found = re.search(r'<script type="application/json" id="opened">(.*?)</script>', await answer.text(), re.S)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


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


# ------------------------------------------------------------------------------------- coming back


async def test_E42_the_messenger_leads_back_to_a_tab_that_completes_the_link(
    serve: Serve, database: Database, clock: cast.SchoolClock
) -> None:
    login = cast.LEARNER_UNLINKED
    client = await serve()
    answer = await client.get(begin(database, login), allow_redirects=False)
    assert answer.status == 302
    back = answer.headers["Location"]
    assert urlsplit(back).path == "/"

    page = await client.get(back)
    assert page.status == 200
    data = await opened(page)
    assert data["operations"][0]["name"] == "CompleteProfileLink"
    identity = TOKENS.identify(f"Bearer {data['token']}", now=clock.now)
    assert identity is not None
    assert identity.viewer == cast.viewer(database, login)
    assert data["link"] == {key: values[0] for key, values in parse_qs(urlsplit(back).query).items()}


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


async def test_a_code_in_the_address_stays_text(serve: Serve) -> None:
    given = "</script><script>alert(1)</script>"
    answer = await (await serve()).get("/graphiql", params={"code": given, "state": given})
    assert (await opened(answer))["link"] == {"code": given, "state": given}
    assert "alert(1)</script>" not in await answer.text()


def test_the_ready_made_operations_are_valid() -> None:
    asked = {path.name: path.read_text(encoding="utf-8") for path in (HERE / "operations").iterdir()}
    script = (HERE / "start.js").read_text(encoding="utf-8")
    of_the_page = re.findall(r"""const [A-Z]+ =\s+(?:`|")((?:query|subscription) [^`"]+)(?:`|");""", script)
    assert (len(asked), len(of_the_page)) == (7, 2)
    for text in [*asked.values(), *of_the_page]:
        assert validate(schema._schema, parse(text)) == [], text
