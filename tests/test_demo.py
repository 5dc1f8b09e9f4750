"""Are the demo schools what they promise, made once, and the same every time?"""

import zipfile
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import Select, select

from app.demo import demo_people
from jobs.demo import SCHOOLS, import_schools, prepare
from jobs.demo.gorizont import CLASSES, GORIZONT
from jobs.demo.roster_set import PACKED_AT, School, StudyGroup, packed
from jobs.demo.story import UNLINKED
from jobs.demo.tilleuls import TILLEULS
from models.database import Database
from models.migrate import migrate
from models.tables.calls import calls
from models.tables.chats import ChatKind, chats, participations
from models.tables.organization import organizations
from models.tables.people import GroupKind, Position, groups, memberships, users
from tests import school as cast
from tests.engines import new_url


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return cast.build_school(tmp_path / "school.db")


@pytest.fixture
def empty(tmp_path: Path) -> Database:
    made = cast.school_database(new_url(tmp_path, "empty"))
    migrate(made.engine)
    return made


def rows(database: Database, statement: Select[tuple[object, ...]]) -> list[tuple[object, ...]]:
    with database.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(statement)]


def positions(database: Database, login: str) -> set[tuple[object, ...]]:
    """(group, position) of somebody at the main school."""
    held = (
        select(groups.c.name, memberships.c.position)
        .join(memberships, memberships.c.group_id == groups.c.id)
        .where(memberships.c.user_id == cast.viewer(database, login).id, memberships.c.until.is_(None))
    )
    return set(rows(database, held))


def chat_members(database: Database, kind: ChatKind, title: str) -> dict[object, object]:
    """login -> whether administrator."""
    found = (
        select(users.c.login, participations.c.is_administrator)
        .join(participations, participations.c.user_id == users.c.id)
        .join(chats, chats.c.id == participations.c.room_id)
        .where(chats.c.kind == kind, chats.c.name == title, participations.c.left_at.is_(None))
    )
    return dict(rows(database, found))  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------- the set


@pytest.mark.parametrize("school", SCHOOLS, ids=lambda school: school.source_id)
def test_a_set_is_the_same_bytes_every_time(school: School) -> None:
    assert packed(school) == packed(school)
    with zipfile.ZipFile(BytesIO(packed(school))) as archive:
        assert set(archive.namelist()) == {
            "manifest.csv",
            "academicSessions.csv",
            "orgs.csv",
            "courses.csv",
            "classes.csv",
            "users.csv",
            "enrollments.csv",
        }
        assert {member.date_time for member in archive.infolist()} == {PACKED_AT}
        assert archive.testzip() is None


@pytest.mark.parametrize("school", SCHOOLS, ids=lambda school: school.source_id)
def test_whoever_a_set_names_is_in_it(school: School) -> None:
    logins = {person.login for person in school.people}
    assert len(logins) == len(school.people)
    assert logins >= {guardian for person in school.people for guardian in person.guardians}
    for group in school.study_groups:
        assert logins >= {*group.teachers, *group.learners}
        assert set(group.primary) <= set(group.teachers)


def test_the_unlinked_are_at_the_schools() -> None:
    assert {person.login for school in SCHOOLS for person in school.people} >= UNLINKED


# --------------------------------------------------------------------------------------- the schools


def test_both_schools_are_imported_with_all_their_people(database: Database) -> None:
    known = organizations.c
    found = rows(database, select(known.name, known.time_zone, known.locale, known.preset).order_by(known.id))
    assert found == [
        ("Школа Горизонт", "Asia/Yekaterinburg", "ru", "EPOS_COLLEGE"),
        ("Collège des Tilleuls", "Europe/Paris", "fr", "EPOS_SCHOOL"),
    ]
    for school in SCHOOLS:
        here = select(users.c.login).join(organizations, organizations.c.id == users.c.organization_id)
        logins = [login for (login,) in rows(database, here.where(organizations.c.name == school.name))]
        assert sorted(map(str, logins)) == sorted(person.login for person in school.people)


@pytest.mark.parametrize(
    ("organization", "login", "name"),
    [
        (cast.SCHOOL, cast.LIBRARIAN, "Ёлкина Софья Тимуровна"),
        (cast.SCHOOL, cast.CURATOR_9B, "Фёдоров Артём Игоревич"),
        (cast.SCHOOL, cast.TEACHER, "O'Brien Shannon"),
        (cast.SCHOOL, cast.TEACHER_WITHOUT_SUBGROUP, "Marchais Jean-Luc"),
        (cast.SCHOOL, cast.NAMESAKE_9A, "Иванов Александр Дмитриевич"),
        (cast.SCHOOL, cast.NAMESAKE_10A, "Иванов Александр Дмитриевич"),
        (cast.NEXT_DOOR, cast.NEXT_DOOR_GUARDIAN, "Sébastien Vasseur"),
        (cast.NEXT_DOOR, cast.LIBRARIAN, "Noémie Cœuret"),
    ],
)
def test_names_keep_their_letters_and_the_order_of_the_language(
    database: Database, organization: str, login: str, name: str
) -> None:
    viewer = cast.viewer(database, login, organization)
    assert rows(database, select(users.c.name).where(users.c.id == viewer.id)) == [(name,)]


def test_curators_are_who_the_set_says(database: Database) -> None:
    curators = (
        select(groups.c.name, users.c.login)
        .join(memberships, memberships.c.group_id == groups.c.id)
        .join(users, users.c.id == memberships.c.user_id)
        .where(memberships.c.position == Position.CURATOR, groups.c.kind == GroupKind.CLASS)
    )
    assert sorted(map(str, rows(database, curators))) == sorted(
        map(
            str,
            [
                ("9А", "curator.9a"),
                ("9Б", "curator.9b"),
                ("10А", "curator.10a"),  # the only teacher, not marked as primary
                ("11А", "curator.11a"),
                ("11А", "curator.11a.2"),
                ("3e A", "pp.3a"),
                ("4e B", "pp.4b"),
            ],
        )
    )


def test_special_people_stand_where_the_cast_says(database: Database) -> None:
    school = GORIZONT.name
    assert positions(database, cast.ADMINISTRATOR) == {(school, "ADMINISTRATOR")}
    assert positions(database, cast.DIRECTOR) == {(school, "ADMINISTRATOR"), (cast.HISTORY_11A, "TEACHER")}
    assert positions(database, cast.SECRETARY) == {(school, "STAFF")}
    assert positions(database, cast.TEACHER_WITHOUT_SUBGROUP) == {(school, "TEACHER")}
    assert positions(database, cast.TEACHER_OF_TWO) == {
        (school, "TEACHER"),
        (cast.MATH_9A, "TEACHER"),
        (cast.MATH_10A, "TEACHER"),
    }
    assert positions(database, cast.CURATOR_9A) == {
        (school, "TEACHER"),
        (cast.CLASS_9A, "CURATOR"),
        (cast.CLASS_9A, "TEACHER"),
        (cast.LITERATURE_9A, "TEACHER"),
    }
    assert (cast.CLASS_9B, "TEACHER") in positions(database, cast.TEACHER)
    assert (cast.CLASS_9B, "CURATOR") not in positions(database, cast.TEACHER)
    assert (cast.CLASS_9B, "GUARDIAN") in positions(database, cast.TEACHER_AND_GUARDIAN)
    of_three = positions(database, cast.GUARDIAN_OF_THREE)
    assert {(cast.CLASS_9B, "GUARDIAN"), (cast.CLASS_11A, "GUARDIAN"), ("7В", "GUARDIAN")} <= of_three
    assert {(cast.CLASS_9A, "GUARDIAN"), ("7В", "GUARDIAN")} <= positions(database, cast.GUARDIAN_OF_TWO)


def _guardians_of(group: StudyGroup) -> set[str]:
    by_login = {person.login: person for person in GORIZONT.people}
    return {guardian for learner in group.learners for guardian in by_login[learner].guardians}


CURATORS = {
    cast.CLASS_9A: {cast.CURATOR_9A},
    cast.CLASS_9B: {cast.CURATOR_9B},
    cast.CLASS_10A: {cast.CURATOR_10A},
    cast.CLASS_11A: {cast.CURATOR_11A, cast.OTHER_CURATOR_11A},
}


def test_E26_E27_E28_E29_the_first_night_makes_the_mandatory_chats(database: Database) -> None:
    for group in CLASSES:
        curators = dict.fromkeys(CURATORS.get(group.title, set()), True)
        if not curators:
            assert group.title == cast.CLASS_WITHOUT_CURATOR
            assert chat_members(database, ChatKind.GROUP, group.title) == {}
            continue
        learners = dict.fromkeys(group.learners, False)
        assert chat_members(database, ChatKind.GROUP, group.title) == learners | curators
        guardians = dict.fromkeys(_guardians_of(group), False)
        assert chat_members(database, ChatKind.PARENTS, f"Родители, {group.title}") == guardians | curators
    personnel = {person.login: person.role for person in GORIZONT.people}
    teachers = chat_members(database, ChatKind.TEACHERS, "Преподаватели")
    assert teachers == {
        login: role == "administrator" for login, role in personnel.items() if role not in ("student", "guardian")
    }
    assert len(rows(database, select(chats.c.id))) == 1 + 2 * 4 + 1 + 2 * 2


# ----------------------------------------------------------------------------------------- the story


def test_the_story_links_all_but_the_unlinked(empty: Database) -> None:
    prepare(empty)
    assert {person.login for person in demo_people(empty) if not person.is_linked} == UNLINKED
    unlinked = {person.position for person in demo_people(empty) if not person.is_linked}
    assert {Position.LEARNER, Position.GUARDIAN, Position.TEACHER} <= unlinked


def test_the_story_leaves_9A_for_a_new_user_to_publish_in(empty: Database) -> None:
    prepare(empty)
    told = select(organizations.c.locale, chats.c.name, calls.c.title, calls.c.status).select_from(
        calls.join(chats, chats.c.id == calls.c.chat_id).join(
            organizations, organizations.c.id == calls.c.organization_id
        )
    )
    found = rows(empty, told)
    assert ("ru", "9А", "Классный час", "CREATED") in found
    assert ("ru", "10А", "Подготовка к экзамену", "PUBLISHED") in found
    assert [row for row in found if "9А" in str(row[1]) and row[3] != "CREATED"] == []
    assert {row[3] for row in found} == {"CREATED", "PUBLISHED", "FINISHED"}
    kinds = {kind for (kind,) in rows(empty, select(chats.c.kind))}
    assert kinds == set(ChatKind)


def test_calls_of_the_story_start_at_school_time(empty: Database) -> None:
    prepare(empty)
    when = select(calls.c.starts_at).where(calls.c.title == "Классный час")
    assert rows(empty, when) == [(cast.NOW.replace(hour=10) + timedelta(days=2),)]  # 15:00 in UTC+5


@pytest.mark.parametrize("later", [timedelta(), timedelta(days=3)])
def test_a_second_demo_changes_nothing(empty: Database, later: timedelta) -> None:
    assert prepare(empty)
    before = cast.dump(empty.url)
    empty.clock = cast.SchoolClock(cast.NOW + later)
    assert not prepare(empty)
    assert cast.dump(empty.url) == before


def test_a_demo_that_was_killed_half_way_goes_on(empty: Database) -> None:
    import_schools(empty)
    assert prepare(empty)
    before = cast.dump(empty.url)
    assert not prepare(empty)
    assert cast.dump(empty.url) == before
    assert len(rows(empty, select(calls.c.id))) > 0


# ---------------------------------------------------------------------------------------- the people


def test_demo_people_stand_school_by_school_at_their_most_telling_position(database: Database) -> None:
    people = demo_people(database)
    assert len(people) == len(GORIZONT.people) + len(TILLEULS.people)
    assert [person.login for person in people[:8]] == [
        "admin",
        "director",
        "curator.9a",
        "curator.9b",
        "curator.10a",
        "curator.11a",
        "curator.11a.2",
        "teacher.english",
    ]
    here = {person.login: person for person in people if person.organization == cast.SCHOOL}
    assert here[cast.DIRECTOR].position is Position.ADMINISTRATOR
    assert here[cast.CURATOR_9A].position is Position.CURATOR
    assert here[cast.TEACHER_AND_GUARDIAN].position is Position.TEACHER
    assert here[cast.GUARDIAN_OF_THREE].position is Position.GUARDIAN
    assert here[cast.LEARNER_9A].viewer == cast.viewer(database, cast.LEARNER_9A)
    assert people[-1].organization == cast.NEXT_DOOR
    assert people[-1].position is Position.LEARNER


def test_without_the_demo_there_are_no_demo_people(empty: Database) -> None:
    assert demo_people(empty) == []


def test_each_test_has_a_school_of_its_own(tmp_path: Path) -> None:
    one, other = cast.build_school(tmp_path / "one.db"), cast.build_school(tmp_path / "other.db")
    before = cast.dump(other.url)
    assert cast.dump(one.url) == before
    with one.transaction() as tx:
        tx.execute(users.update().values(name="X"))
    assert cast.dump(other.url) == before
