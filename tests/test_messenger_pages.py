"""Do the built-in messenger's addresses lead somewhere, tell nothing, and link profiles?"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from app.messenger.builtin import OwnSignIn
from models.actor import actor
from models.database import Database
from models.links import complete_link
from models.tables.links import profile_links
from tests import school as cast
from tests.browsing import PRODUCTION, ROOM, Serve, begin, number, open_school, serving

SIGN_IN = OwnSignIn(cast.SECRET)


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


def complete(database: Database, login: str, back: str) -> None:
    """Links with what the browser brought back."""
    query = parse_qs(urlsplit(back).query)
    with database.transaction() as tx:
        who = actor(tx, cast.viewer(database, login))
        complete_link(tx, who, state=query["state"][0], account=SIGN_IN.account_of(query["code"][0]))


def account(database: Database, login: str) -> str | None:
    linked = select(profile_links.c.account).where(
        profile_links.c.user_id == number(database, login), profile_links.c.unlinked_at.is_(None)
    )
    with database.engine.connect() as connection:
        return connection.execute(linked).scalar_one_or_none()


# ------------------------------------------------------------------------------------------- rooms


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


async def test_E42_signing_in_leads_back_and_links(serve: Serve, database: Database) -> None:
    login = cast.LEARNER_UNLINKED
    assert account(database, login) is None
    answer = await (await serve()).get(begin(database, login), allow_redirects=False)
    assert answer.status == 302
    assert urlsplit(answer.headers["Location"]).path == "/"
    complete(database, login, answer.headers["Location"])
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
    assert OwnSignIn("y" * 40).account_of(code) is None
