"""Whom does somebody find who types the beginning of a name? (P7-P9, P11, P12, M2, M5)"""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, update

from models import recipients
from models.actor import Viewer
from models.audiences import POSITIONS, audience_id, parse_audience
from models.database import Database
from models.organization import organization_called
from models.people_scopes import visible_people
from models.presets import PRESETS
from models.reach import audiences_in_reach, people_in_reach
from models.tables.people import Position, groups, guardianships, users
from models.text import fold
from tests.api import Api
from tests.finding import FIND, HILL, PINS, SCHOOL, finds, hill, pins
from tests.lookahead.caches import forget_all
from tests.reach_school import GONE
from tests.school import SchoolClock
from tests.steps import import_school, turn


async def test_scenario_14_P7_P11_PA4_PA5_the_reach_of_a_learner(api: Api) -> None:
    """Classmates, own teachers, administrators of the own cycle and oneself; nobody of another class, no teacher
    whom she does not have, no administrator of another cycle."""
    zoe = pins(api, "CAMPUS")("l.zoe")
    assert await finds(zoe, "a") == ["chief", "t.maths", "l.anna", "l.zoe"]
    assert await finds(zoe, "А") == ["l.artem"], "a Cyrillic letter is another one"
    assert await finds(zoe, "елк") == ["t.russian"]


async def test_scenario_15_P8_P9_the_reach_of_teachers_and_administrators(api: Api) -> None:
    people = pins(api, "CAMPUS")
    assert await finds(people("t.maths"), "a") == ["chief", "t.maths", "l.anna", "l.zoe"]
    assert await finds(people("t.maths"), "софья") == ["t.russian"], "she teaches in the cycle"
    assert await finds(people("t.russian"), "al") == ["t.maths", "l.ali"], "a learner of hers in another cycle"
    assert await finds(people("t.4b"), "a") == ["t.4b", "l.ali", "other.chief"]
    everybody_there = ["p.arnaud", "p.par", "l.zoe"]
    assert await finds(people("chief"), "arnaud") == everybody_there, "in the cycle, guardians as well"
    assert await finds(people("other.chief"), "arnaud") == [], "nobody of another cycle"


async def test_scenario_26_M2_M5_MA8_autocomplete_and_reach(api: Api) -> None:
    """Her own father and the audiences that she may address; not the parents of her class."""
    people = pins(api, "ENT")
    assert await finds(people("l.zoe"), "par") == ["p.par", "Enseignants, Parcours Avenir"]
    assert await finds(people("l.zoe"), "parents") == []
    assert await finds(people("office"), "par") == [
        "p.par",
        "p.obrien",
        "Parents, 3e P",
        "Parents, 4e Q",
        "Parents, Cycle 3",
        "Parents, Cycle 4",
        "Parents, Lycée des Pins",
        "Parents, Parcours Avenir",
        "Élèves, Parcours Avenir",
        "Enseignants, Parcours Avenir",
        "Parents, Russe 3e-4e",
    ]
    assert await finds(people("office"), "par 3e") == ["Parents, 3e P", "Parents, Russe 3e-4e"]


async def test_M5_audiences_only_where_the_policy_has_them(api: Api) -> None:
    people = pins(api, "EPOS_SCHOOL")
    assert await finds(people("office"), "par") == ["p.par", "p.obrien"]


# -------------------------------------------------------------------------------- what is typed matches


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ZOÉ", ["l.zoe", "p.arnaud", "p.par"]),
        ("arn zo", ["l.zoe", "p.arnaud", "p.par"]),
        ("zoé arn", ["l.zoe", "p.arnaud", "p.par"]),
        ("  hel  ARN ", ["p.arnaud"]),
        ("p.arn", ["p.arnaud"]),
        ("P.ARNAUD", ["p.arnaud"]),
        ("arnaud p.a", ["p.arnaud"]),
        ("arnaud z", ["l.zoe", "p.arnaud", "p.par"]),
        ("ёлк", ["t.russian"]),
        ("Елк", ["t.russian"]),
        ("ЁЛКИНА соф", ["t.russian"]),
        ("йох", ["p.orlov", "l.artem", "t.4b"]),
        ("иох", []),
        ("орлов-йох", ["t.4b", "l.artem", "p.orlov"]),
        ("o'b", ["l.anna", "p.obrien"]),
        ("O’Br", ["l.anna", "p.obrien"]),
        ("brien", ["l.anna", "p.obrien"]),
        ("rnaud", []),
        ("arnaudx", []),
        ("zoe petit", []),
        ("", []),
        (" \u00a0\t", []),
        ("%", []),
        ("_", []),
        ("a%", []),
        ("*", []),
        ("\\", []),
        ('"', []),
        ("\U0010ffff", []),
        ("a " * 100, None),
    ],
)
async def test_P11_PA1_beginnings_of_words_and_of_the_login(
    api: Api, search: str, found: list[str] | None
) -> None:
    """Folded, in any order, all of them; a blank search is empty."""
    office = pins(api, "EPOS_SCHOOL")("office")
    if found is None:
        assert await finds(office, search) == await finds(office, "a") != []
    else:
        assert sorted(await finds(office, search)) == sorted(found)


async def test_a_learners_name_offers_the_guardians_within_reach(api: Api) -> None:
    people = pins(api, "EPOS_COLLEGE")
    assert await finds(people("chief"), "anna") == ["l.anna", "p.obrien"]
    assert await finds(people("chief"), "l.anna") == ["l.anna"], "the name does, not the login"
    assert await finds(people("t.4b"), "anna") == ["p.obrien"], "within reach is only her mother"
    assert await finds(people("chief"), "артём") == ["t.4b", "l.artem", "p.orlov"], "a teacher is one as well"
    assert await finds(people("l.anna"), "zoe") == [], "nobody of them is within reach"


async def test_P12_PA2_a_name_that_is_not_seen_offers_nobody(api: Api) -> None:
    """Ali may write to his teacher. That she is somebody's mother he learns where he sees that child, not else."""
    ali = pins(api, "CAMPUS")("l.ali")
    assert await finds(ali, "agnes") == ["t.4b"]
    for search in ("артём", "zoe", "nobody", "l.zoe", "armandine"):
        assert await finds(ali, search) == [], search


async def test_a_guardian_is_named_by_children_whom_the_viewer_sees(api: Api) -> None:
    people = pins(api, "CAMPUS")
    rule = {"fromPosition": "LEARNER", "groupKind": "CLASS", "toPosition": "GUARDIAN"}
    turn(api.database, PINS, reach=[rule])
    assert await finds(people("l.ali"), "brien") == ["p.obrien"]
    assert await finds(people("l.ali"), "anna") == ["p.obrien"], "he shares a subgroup with her"
    with api.database.transaction() as tx:
        number = select(users.c.id).where(users.c.login == "l.artem").scalar_subquery()
        mother = select(users.c.id).where(users.c.login == "p.obrien").scalar_subquery()
        family = {"organization_id": organization_called(tx, PINS).id, "since": tx.now}
        tx.execute(guardianships.insert().values(guardian_id=mother, child_id=number, **family))
    assert await finds(people("l.ali"), "артём") == [], "him he does not see"


# ------------------------------------------------------------------------------------------ how many


async def test_people_and_audiences_share_the_places(api: Api) -> None:
    """As many of each where both are many; what comes first in the alphabet is taken, shown by name."""
    office = pins(api, "ENT")("office")
    assert await finds(office, "par", 4) == ["p.par", "p.obrien", "Parents, 3e P", "Parents, 4e Q"]
    assert await finds(office, "par", 3) == ["p.par", "p.obrien", "Parents, 3e P"]
    assert await finds(office, "par", 1) == ["p.par"]
    assert len(await finds(office, "par", 100)) == 11
    assert await finds(office, "parents", 2) == ["Parents, 3e P", "Parents, 4e Q"]
    assert await finds(office, "a", 2) == ["l.ali", "Administrateurs, Cycle 3"], "Absent comes before Adèle"


@pytest.mark.parametrize(("preset", "login"), [("EPOS_SCHOOL", "office"), ("ENT", "office"), ("CAMPUS", "t.4b")])
async def test_as_many_as_are_asked_for(api: Api, preset: str, login: str) -> None:
    """Who is found by several words, or by several children, takes one place."""
    person = pins(api, preset)(login)
    found = await finds(person, "a")
    assert "l.ali" in found, "Ali Absent"
    for first in range(1, len(found) + 1):
        some = await finds(person, "a", first)
        assert len(some) == len(set(some)) == first and set(some) <= set(found)


async def test_twenty_unless_said_otherwise(api: Api) -> None:
    admin = api.as_("admin")
    assert len(await finds(admin, "а")) > 20
    assert len(await finds(admin, "а", None)) == 20
    assert set(await finds(admin, "а", 5)) < set(await finds(admin, "а", None))


async def test_sizes_and_searches_beyond_the_limits(api: Api) -> None:
    admin = api.as_("admin")
    for first, code in ((0, "BAD_REQUEST"), (-1, "BAD_REQUEST"), (101, "LIMIT_EXCEEDED")):
        await admin.fails(code, FIND, search="a", first=first)
    assert await finds(admin, "а" * 200) == []
    await admin.fails("LIMIT_EXCEEDED", FIND, search="а" * 201)
    await admin.fails("BAD_REQUEST", '{ viewer { recipients(search: "\\u0000") { __typename } } }')


# -------------------------------------------------------------------- everybody, against a dumb count


VIEWERS = ("head", "deputy", "nurse", "arts.chief", "t.1a", "t.father", "l.1a", "l.2a", "g.two", "owner")
SEARCHES = ("l", "g", "t", "d", "a", "le", "lea a", "l.1", "s", "1", "par 1", "teach m")


@pytest.fixture(params=["narrow", "wide"])
def width(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Both ways to look people up, whatever the size of the school."""
    if request.param == "wide":
        monkeypatch.setattr(recipients, "NARROW", 0)
    forget_all()
    yield
    forget_all()


@pytest.mark.parametrize("preset", PRESETS)
async def test_P12_PA2_exactly_who_is_within_reach_and_is_called_so(
    tmp_path: Path, clock: SchoolClock, preset: str, width: None
) -> None:
    async with hill(tmp_path, clock, preset) as (api, school):
        counting = DumbCount(api.database)
        found_at_all: set[str] = set()
        for login in VIEWERS:
            viewer = school.viewer(login)
            for search in SEARCHES:
                found = await finds(api.as_(login, HILL), search)
                assert sorted(found) == sorted(counting.expected(viewer, search)), (login, search)
                found_at_all.update(found)
        assert len(found_at_all) >= 10 and not found_at_all & {*GONE}


class DumbCount:
    """Everybody in reach, compared with what is typed in plain Python."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.transaction() as tx:
            self._names = {row.id: row for row in tx.execute(select(users))}
            self._groups = {row.id: row.name for row in tx.execute(select(groups))}
            self._families = [
                (row.guardian_id, row.child_id)
                for row in tx.execute(select(guardianships).where(guardianships.c.until.is_(None)))
            ]

    def expected(self, viewer: Viewer, search: str) -> list[str]:
        with self._database.transaction() as tx:
            reached = tx.execute(people_in_reach(viewer).with_only_columns(users.c.id)).scalars().all()
            seen = set(tx.execute(visible_people(viewer).with_only_columns(users.c.id)).scalars())
            offered = tx.execute(audiences_in_reach(viewer)).all()
        people = [
            self._names[number].login
            for number in reached
            if self._is_called(number, search)
            or any(
                guardian == number and child in seen and _begin(search, fold(self._names[child].name).split())
                for guardian, child in self._families
            )
        ]
        names = [f"{POSITIONS['en'][Position(row.position)]}, {self._groups[row.group_id]}" for row in offered]
        return people + [name for name in names if _begin(search, fold(name.replace(",", "")).split())]

    def _is_called(self, number: int, search: str) -> bool:
        known = self._names[number]
        return _begin(search, [*fold(known.name).split(), fold(known.login)])


def _begin(search: str, words: list[str]) -> bool:
    return all(any(word.startswith(typed) for word in words) for typed in fold(search).split())


# ------------------------------------------------------------------------------------------ audiences


async def test_a_blank_search_finds_no_audience(api: Api) -> None:
    office = pins(api, "ENT")("office")
    with api.database.transaction() as tx:
        tx.execute(update(groups).where(groups.c.name == "Russe 3e-4e").values(search_key="russe 3e-"))
    assert await finds(office, "russe")
    assert await finds(office, " ") == await finds(office, ",") == await finds(office, "-") == []


async def test_M2_an_audience_with_its_people(api: Api) -> None:
    people = pins(api, "ENT")
    asked = """{ viewer { recipients(search: "Parents, 3e P", first: 1) { ... on Audience {
        id name position size group { id name kind } } } } }"""
    group_id = api.group("3e P")
    audience = {
        "id": audience_id(group_id.partition("_")[2], "GUARDIAN"),
        "name": "Parents, 3e P",
        "position": "GUARDIAN",
        "size": 5,
        "group": {"id": group_id, "name": "3e P", "kind": "CLASS"},
    }
    shown = await people("office").ask(asked)
    assert shown["viewer"]["recipients"] == [audience]
    with api.database.transaction() as tx:
        tx.execute(update(users).where(users.c.login == "p.par").values(deactivated_at=tx.now))
    shown = await people("office").ask(asked)
    assert shown["viewer"]["recipients"] == [{**audience, "size": 4}]
    assert await people("office").ask("query($id: ID!) { node(id: $id) { id } }", id=audience["id"]) == {
        "node": None
    }


@pytest.mark.parametrize("locale", ["en", "fr", "ru"])
async def test_audiences_are_called_in_the_schools_language(api: Api, locale: str) -> None:
    import_school(api.database, replace(SCHOOL, preset="ENT", locale=locale))
    for position, label in POSITIONS[locale].items():
        found = await finds(api.as_("office", PINS), f"{label} {PINS}")
        held = position in (Position.LEARNER, Position.TEACHER, Position.GUARDIAN, Position.STAFF)
        assert found == ([f"{label}, {PINS}"] if held or position is Position.ADMINISTRATOR else [])


def test_every_position_has_a_name_in_every_language() -> None:
    assert all(set(labels) == set(Position) for labels in POSITIONS.values())
    assert all(len(set(labels.values())) == len(labels) for labels in POSITIONS.values())


@pytest.mark.parametrize("position", Position)
def test_the_id_of_an_audience_is_read_as_it_is_written(position: Position) -> None:
    assert audience_id(17, position) == f"Audience_17_{position.name}"
    assert parse_audience(audience_id(17, position)) == (17, position)


@pytest.mark.parametrize(
    "id_",
    [
        *("", "Audience_17", "Audience_17_", "Audience_0_LEARNER", "Audience_01_LEARNER", "Audience_-1_LEARNER"),
        *("Audience_17_learner", "Audience_17_NOBODY", "Audience_17_LEARNER ", "Audience_17_LEARNER\n"),
        *(
            "User_17",
            "Group_17_LEARNER",
            "audience_17_LEARNER",
            "Audience_١٧_LEARNER",
            f"Audience_{10**18}_LEARNER",
        ),
    ],
)
def test_what_is_no_id_of_an_audience(id_: str) -> None:
    assert parse_audience(id_) is None


# ------------------------------------------------------------------------------ one statement, by index


async def test_everything_in_one_statement(api: Api) -> None:
    office = pins(api, "ENT")("office")
    api.statements.clear()
    shown = await office.ask(
        """{ viewer {
          one: recipients(search: "par") { ...all }
          other: recipients(search: "a", first: 3) { ...all }
        } }
        fragment all on Recipient { __typename
          ... on User { name viewerCanMessage viewerCannotMessageReason memberships { position group { name } } }
          ... on Audience { name size group { name curators { name viewerCanMessage } } } }"""
    )
    assert len(api.statements) == 1
    assert len(shown["viewer"]["one"]) == 11 and len(shown["viewer"]["other"]) == 3
    mother = shown["viewer"]["one"][1]
    assert mother["viewerCanMessage"] is True and mother["viewerCannotMessageReason"] is None


@pytest.mark.sqlite
@pytest.mark.parametrize("preset", ["ENT", "CAMPUS"])
async def test_no_table_is_read_as_a_whole(api: Api, preset: str) -> None:
    """An organization of fifty thousand is searched by index: what is scanned is made by the statement itself."""
    await finds(pins(api, preset)("l.zoe"), "a")
    sql = api.statements[-1]
    with api.database.engine.connect() as connection:
        plan = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + sql, (None,) * sql.count("?")).all()
    steps = [str(row[3]) for row in plan]
    scanned = {step.split()[1] for step in steps if step.startswith("SCAN")}
    made = re.compile(r"anon_\d+|r\d+|\(subquery-\d+\)|asker|given.*|own_rules|CONSTANT")
    assert [name for name in sorted(scanned) if not made.fullmatch(name)] == []
    assert any("ix_search_words" in step for step in steps)
