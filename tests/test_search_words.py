"""By which words are people found, and do these follow the roster?"""

from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import func, select, text

from models.database import Database
from models.migrate import configuration, migrate
from models.search_words import words_of_person, words_wanted
from models.tables.people import search_words, users
from tests.api import Api
from tests.engines import new_url
from tests.finding import IN_3A, PEOPLE, SCHOOL, STUDY, finds, pins
from tests.school import school_database
from tests.steps import import_school


def words(database: Database) -> set[tuple[int, str, bool]]:
    with database.transaction() as tx:
        found = tx.execute(select(search_words)).all()
    assert len(found) == len({(row.user_id, row.word) for row in found})
    return {(row.user_id, row.word, bool(row.of_name)) for row in found}


def wanted_words(database: Database) -> set[tuple[int, str, bool]]:
    with database.transaction() as tx:
        people = tx.execute(select(users).where(users.c.deactivated_at.is_(None))).all()
    return {
        (person.id, word, of_name)
        for person in people
        for word, of_name in words_of_person(person.name, person.login).items()
    }


async def test_words_follow_the_roster(api: Api) -> None:
    """Renamed, gone, back again under another login; the same set once more changes nothing."""
    chief = pins(api, "CAMPUS")("chief")
    assert words(api.database) == wanted_words(api.database)

    renamed = replace(PEOPLE[6], family="Lenoir")
    import_school(api.database, replace(SCHOOL, people=(*PEOPLE[:6], renamed, *PEOPLE[7:])))
    assert await finds(chief, "lenoir") == ["p.arnaud", "p.par", "l.zoe"]
    assert await finds(chief, "arnaud") == ["p.arnaud", "p.par"]
    assert words(api.database) == wanted_words(api.database)

    without = [replace(group, learners=IN_3A[1:]) if "l.zoe" in group.learners else group for group in STUDY]
    import_school(api.database, replace(SCHOOL, people=(*PEOPLE[:6], *PEOPLE[7:]), study_groups=tuple(without)))
    assert await finds(chief, "lenoir") == []
    assert words(api.database) == wanted_words(api.database)

    import_school(api.database, SCHOOL)
    assert await finds(chief, "zoe") == ["p.arnaud", "p.par", "l.zoe"]
    before = api.dump()["search_words"]
    import_school(api.database, SCHOOL)
    assert api.dump()["search_words"] == before
    assert words(api.database) == wanted_words(api.database)


@pytest.mark.sqlite
def test_people_of_before_are_found_after_the_migration(tmp_path: Path) -> None:
    database = school_database(new_url(tmp_path, "old"))
    with database.engine.connect() as connection:
        command.upgrade(configuration(connection), "0004")
        connection.exec_driver_sql(
            "INSERT INTO organizations (id, source_id, name, time_zone, locale, preset, policy, imported_at) "
            "VALUES (1, 'a', 'A', 'UTC', 'en', 'ENT', '{}', '2026-09-01T08:30:00.000Z')"
        )
        for number, name, gone in ((1, "Zoé O'Brien", None), (2, "Gone", "2026-09-01T08:30:00.000Z")):
            connection.exec_driver_sql(
                "INSERT INTO users (id, organization_id, source_id, login, name, search_key, created_at, "
                "deactivated_at) VALUES (?, 1, ?, ?, ?, '', '2026-09-01T08:30:00.000Z', ?)",
                (number, f"s{number}", f"Login.{number}", name, gone),
            )
    with database.engine.connect() as connection:
        command.upgrade(configuration(connection), "0005")
    assert words(database) == {(1, "zoe", True), (1, "o'brien", True), (1, "brien", True), (1, "login.1", False)}
    migrate(database.engine)
    with database.transaction() as tx:
        assert tx.execute(text("SELECT count(*) FROM search_words")).scalar_one() == 4
        assert tx.execute(select(func.count()).select_from(search_words)).scalar_one() == 4


@pytest.mark.parametrize(
    ("search", "wanted"),
    [
        ("an anna b", ["anna", "b"]),
        ("Anna ANNA", ["anna"]),
        ("b a", ["a", "b"]),
        ("  ", []),
        ("é", ["e"]),
        ("O’Brien", ["o'brien"]),
        ("Parents, 3e ;", ["parents", "3e"]),
    ],
)
def test_the_most_telling_word_comes_first(search: str, wanted: list[str]) -> None:
    assert words_wanted(search) == wanted
