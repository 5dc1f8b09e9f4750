"""Do the mandatory chats follow the roster, at night and only then?"""

import json
import random
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from models.chats import found_chat
from models.database import Database
from models.organization import set_policy
from models.presets import PRESETS
from models.tables.calls import calls
from models.tables.chats import MANDATORY, ChatKind, chats, participations
from models.tables.events import outbox
from models.tables.links import profile_links
from models.tables.people import GroupKind, Position
from tests.small_school import MONDAY, Chats, SmallSchool, Watch, database_at, dump

LEARNER, TEACHER, CURATOR = Position.LEARNER, Position.TEACHER, Position.CURATOR
GUARDIAN, STAFF, ADMINISTRATOR = Position.GUARDIAN, Position.STAFF, Position.ADMINISTRATOR
FIRST, SECOND, THIRD = (date(2026, 9, day) for day in (8, 9, 10))

TEACHERS, GROUP_G, PARENTS_G = ("TEACHERS", "School"), ("GROUP", "G"), ("PARENTS", "G")


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def database(tmp_path: Path, watch: Watch) -> Database:
    return database_at(tmp_path, watch)


@pytest.fixture
def school(database: Database) -> SmallSchool:
    """Three of the staff, an administrator, group G with its curator, and H without one."""
    school = SmallSchool(database)
    school.person("cook", STAFF)
    school.person("librarian", STAFF)
    school.person("singer", TEACHER)
    school.person("head", ADMINISTRATOR)
    school.group("G")
    school.join("G", CURATOR, "curator")
    school.join("G", TEACHER, "curator", "singer")
    school.join("G", LEARNER, "anna", "boris")
    school.join("G", GUARDIAN, "mother", "father", "aunt")
    school.group("H")
    school.join("H", TEACHER, "singer")
    school.join("H", LEARNER, "clara")
    school.join("H", GUARDIAN, "uncle")
    return school


def custom_chat(school: SmallSchool, name: str, roles: dict[str, bool], group: str | None = None) -> int:
    with school.database.transaction() as tx:
        people = {school.people[login]: role for login, role in roles.items()}
        kind = ChatKind.SUBGROUP if group else ChatKind.CUSTOM
        return found_chat(tx, school.id, kind, name, school.groups[group] if group else None, people)


# ------------------------------------------------------------------------------------------- who is in


def test_E25_E26_E27_E28_E29_the_first_night_makes_the_chats(school: SmallSchool) -> None:
    night = school.night(FIRST)
    assert school.chats() == {
        TEACHERS: {"cook": False, "librarian": False, "singer": False, "curator": False, "head": True},
        GROUP_G: {"curator": True, "anna": False, "boris": False},
        PARENTS_G: {"curator": True, "mother": False, "father": False, "aunt": False},
    }
    assert night is not None
    assert (night.chats_created, night.chats_changed, night.chats_ended) == (3, 0, 0)
    assert (night.joined, night.left) == (12, 0)


def test_E29_a_group_gets_its_chats_in_the_night_after_its_first_curator(school: SmallSchool) -> None:
    school.night(FIRST)
    before = school.chats()
    school.join("H", CURATOR, "singer")
    assert school.chats() == before
    school.night(SECOND)
    assert school.chats() == before | {
        ("GROUP", "H"): {"singer": True, "clara": False},
        ("PARENTS", "H"): {"singer": True, "uncle": False},
    }


def test_E29_a_curator_who_has_gone_is_none(school: SmallSchool) -> None:
    school.end_person("curator")
    school.night(FIRST)
    assert school.chats().keys() == {TEACHERS}


def test_E34_a_move_waits_for_the_night(school: SmallSchool) -> None:
    school.join("H", CURATOR, "singer")
    school.night(FIRST)
    before = dump(school.database, without=("memberships",))
    school.leave("G", LEARNER, "anna")
    school.join("H", LEARNER, "anna")
    assert dump(school.database, without=("memberships",)) == before

    night = school.night(SECOND)
    assert school.chats()[GROUP_G] == {"curator": True, "boris": False}
    assert school.chats()["GROUP", "H"] == {"singer": True, "clara": False, "anna": False}
    assert night is not None
    assert (night.chats_created, night.chats_changed, night.joined, night.left) == (0, 2, 1, 1)


def test_parents_exist_with_the_curator_alone(database: Database) -> None:
    school = SmallSchool(database)
    school.group("G")
    school.join("G", CURATOR, "curator")
    school.night(FIRST)
    assert school.chats() == {
        TEACHERS: {"curator": False},
        GROUP_G: {"curator": True},
        PARENTS_G: {"curator": True},
    }


def test_E26_teachers_exist_without_an_administrator_and_without_anybody(database: Database) -> None:
    school = SmallSchool(database)
    school.night(FIRST)
    assert school.chats() == {TEACHERS: {}}


def test_E27_every_curator_administers(school: SmallSchool) -> None:
    school.join("G", CURATOR, "singer")
    school.night(FIRST)
    assert school.chats()[GROUP_G] == {"curator": True, "singer": True, "anna": False, "boris": False}
    assert school.chats()[PARENTS_G].items() >= {"curator": True, "singer": True}.items()


def test_A10_an_administrator_is_one_of_the_teachers_once_with_the_stronger_role(school: SmallSchool) -> None:
    school.join("School", ADMINISTRATOR, "singer")
    school.night(FIRST)
    assert school.chats()[TEACHERS].items() >= {"singer": True, "head": True}.items()


def test_A10_who_loses_administration_stays_without_the_role(school: SmallSchool) -> None:
    school.join("School", ADMINISTRATOR, "singer")
    school.night(FIRST)
    before = rows(school, participations)
    school.leave("School", ADMINISTRATOR, "singer")
    night = school.night(SECOND)
    assert school.chats()[TEACHERS]["singer"] is False
    assert [row.id for row in rows(school, participations)] == [row.id for row in before]
    assert night is not None
    assert (night.chats_changed, night.joined, night.left) == (1, 0, 0)


def test_A10_a_curator_with_a_child_in_the_group_is_among_the_parents_once(school: SmallSchool) -> None:
    school.join("G", GUARDIAN, "curator")
    school.night(FIRST)
    assert school.chats()[PARENTS_G] == {"curator": True, "mother": False, "father": False, "aunt": False}


def test_other_kinds_of_groups_have_no_mandatory_chats(school: SmallSchool) -> None:
    for kind in (GroupKind.SUBGROUP, GroupKind.COURSE, GroupKind.CYCLE, GroupKind.DEPARTMENT):
        school.group(kind.value, kind)
        school.join(kind.value, CURATOR, "singer")
        school.join(kind.value, LEARNER, "anna")
    school.night(FIRST)
    assert school.chats().keys() == {TEACHERS, GROUP_G, PARENTS_G}


# ------------------------------------------------------------------------------------------ who leaves


def test_A9_a_curator_removed_leaves_and_the_chats_stay_without_an_administrator(school: SmallSchool) -> None:
    school.night(FIRST)
    chat_id = school.chat_id(ChatKind.GROUP, "G")
    school.leave("G", CURATOR, "curator")
    school.join("G", LEARNER, "dina")
    school.night(SECOND)
    assert school.chats()[GROUP_G] == {"anna": False, "boris": False, "dina": False}
    assert school.chats()[PARENTS_G] == {"mother": False, "father": False, "aunt": False}

    school.join("G", CURATOR, "singer")
    school.night(THIRD)
    assert school.chats()[GROUP_G] == {"singer": True, "anna": False, "boris": False, "dina": False}
    assert school.chat_id(ChatKind.GROUP, "G") == chat_id


def test_A9_an_ended_group_takes_its_chats_and_their_calls_with_it(school: SmallSchool) -> None:
    school.night(FIRST)
    chat_id = school.chat_id(ChatKind.GROUP, "G")
    call_id = school.call(chat_id, MONDAY + timedelta(days=9))
    heard, told = len(school.events()), len(school.told())
    school.end_group("G")
    night = school.night(SECOND)

    assert school.chats().keys() == {TEACHERS}
    [call] = rows(school, calls)
    assert call.deleted_at == MONDAY
    assert call.last_actor_id is None
    parents = school.chat_id(ChatKind.PARENTS, "G")
    assert school.events()[heard:] == [
        ("CALL_CHANGED", chat_id, call_id),
        ("CHAT_CHANGED", chat_id, None),
        ("CHAT_CHANGED", parents, None),
    ]
    assert school.told()[told:] == [("DELETE_CHAT", chat_id, None), ("DELETE_CHAT", parents, None)]
    assert night is not None
    assert (night.chats_changed, night.chats_ended, night.left) == (0, 2, 7)


def test_A9_a_group_that_comes_back_gets_new_chats(school: SmallSchool) -> None:
    school.night(FIRST)
    archived = school.chat_id(ChatKind.GROUP, "G")
    school.end_group("G")
    school.night(SECOND)
    school.change_group("G", ended_at=None)
    school.night(THIRD)
    assert school.chats()[GROUP_G] == {"curator": True, "anna": False, "boris": False}
    assert school.chat_id(ChatKind.GROUP, "G") > archived


def test_a_class_that_becomes_a_subgroup_loses_its_mandatory_chats(school: SmallSchool) -> None:
    school.night(FIRST)
    school.change_group("G", kind=GroupKind.SUBGROUP)
    school.night(SECOND)
    assert school.chats().keys() == {TEACHERS}


def test_A3_a_chat_that_people_made_stays_when_its_subgroup_ends(school: SmallSchool) -> None:
    school.group("Choir", GroupKind.SUBGROUP)
    school.join("Choir", LEARNER, "anna")
    custom_chat(school, "Concert", {"singer": True, "anna": False}, group="Choir")
    school.leave("Choir", LEARNER, "anna")
    school.end_group("Choir")
    school.night(FIRST)
    assert school.chats()["SUBGROUP", "Choir"] == {"singer": True, "anna": False}


def test_E34_people_who_have_ended_leave_every_chat(school: SmallSchool) -> None:
    school.night(FIRST)
    school.group("Choir", GroupKind.SUBGROUP)
    concert = custom_chat(school, "Concert", {"singer": True, "anna": False, "boris": False}, group="Choir")
    party = custom_chat(school, "Party", {"singer": True, "anna": True})
    heard = len(school.events())
    for login in ("singer", "anna"):  # their memberships stand, as in a roster that has not said so yet
        school.end_person(login)
    night = school.night(SECOND)

    found = school.chats()
    assert found["SUBGROUP", "Choir"] == {"boris": False}
    assert found["CUSTOM", "Party"] == {}
    assert found[GROUP_G] == {"curator": True, "boris": False}
    assert found[TEACHERS].keys() == {"cook", "librarian", "curator", "head"}
    assert night is not None
    assert (night.chats_changed, night.left) == (4, 6)
    changed = [school.chat_id(ChatKind.TEACHERS, "School"), school.chat_id(ChatKind.GROUP, "G"), concert, party]
    assert school.events()[heard:] == [("CHAT_CHANGED", chat_id, None) for chat_id in changed]


def test_who_leaves_and_comes_back_has_two_intervals(school: SmallSchool, watch: Watch) -> None:
    for day, change in ((FIRST, None), (SECOND, school.leave), (THIRD, school.join)):
        if change is not None:
            change("G", LEARNER, "anna")
        school.night(day)
        watch.now += timedelta(days=1)
    group = school.chat_id(ChatKind.GROUP, "G")
    intervals = [
        (row.joined_at, row.left_at)
        for row in rows(school, participations)
        if (row.room_id, row.user_id) == (group, school.people["anna"])
    ]
    assert intervals == [(MONDAY, MONDAY + timedelta(days=1)), (MONDAY + timedelta(days=2), None)]


# ----------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("locale", "names"),
    [
        ("en", ["Teachers", "9А", "Parents, 9А"]),
        ("fr", ["Enseignants", "9А", "Parents, 9А"]),
        ("ru", ["Преподаватели", "9А", "Родители, 9А"]),
    ],
)
def test_names_are_in_the_language_of_the_organization(database: Database, locale: str, names: list[str]) -> None:
    school = SmallSchool(database, locale=locale)
    school.group("9А")
    school.join("9А", CURATOR, "curator")
    school.night(FIRST)
    keys = [TEACHERS, ("GROUP", "9А"), ("PARENTS", "9А")]
    assert school.names() == dict(zip(keys, names, strict=True))


def test_a_new_language_renames_at_night(school: SmallSchool) -> None:
    school.night(FIRST)
    school.change(locale="ru")
    told = len(school.told())
    night = school.night(SECOND)
    assert school.names() == {TEACHERS: "Преподаватели", GROUP_G: "G", PARENTS_G: "Родители, G"}
    assert [command for command, _, _ in school.told()[told:]] == ["RENAME_CHAT", "RENAME_CHAT"]
    assert night is not None
    assert night.chats_changed == 2
    [parents] = [row for row in rows(school, chats) if row.kind == "PARENTS"]
    assert parents.search_key == "родители, g"


def test_a_new_name_of_the_group_and_a_new_learner_are_one_event(school: SmallSchool) -> None:
    school.night(FIRST)
    group, parents = school.chat_id(ChatKind.GROUP, "G"), school.chat_id(ChatKind.PARENTS, "G")
    school.change_group("G", name="G {2}")
    school.join("G", LEARNER, "dina")
    heard, told = len(school.events()), len(school.told())
    school.night(SECOND)
    assert school.names()["PARENTS", "G {2}"] == "Parents, G {2}"
    # Dina is new in the organization, but no teacher.
    assert school.events()[heard:] == [("CHAT_CHANGED", group, None), ("CHAT_CHANGED", parents, None)]
    assert school.told()[told:] == [
        ("RENAME_CHAT", group, None),
        ("SET_MEMBERS", group, None),
        ("RENAME_CHAT", parents, None),
    ]


# ------------------------------------------------------------------------------------- what is written


def test_E34_a_night_that_changes_nothing_writes_only_that_it_ran(school: SmallSchool, watch: Watch) -> None:
    school.night(FIRST)
    before = dump(school.database, without=("job_runs",))
    watch.now += timedelta(days=1)
    night = school.night(SECOND)
    assert dump(school.database, without=("job_runs",)) == before
    assert night is not None
    assert (night.chats_created, night.chats_changed, night.chats_ended, night.joined, night.left) == (0,) * 5


def test_E33_the_messenger_is_told_of_new_chats_at_once_and_of_members_at_night(school: SmallSchool) -> None:
    school.night(FIRST)
    created = rows(school, outbox)
    assert [row.command for row in created] == ["CREATE_CHAT"] * 3
    assert not any(row.waits_for_night for row in created)
    group = json.loads(created[1].payload)
    roles = {school.people[login]: role for login, role in school.chats()[GROUP_G].items()}
    assert (group["kind"], group["name"]) == ("GROUP", "G")
    assert {member["user"]: member["isAdministrator"] for member in group["members"]} == roles

    school.join("G", LEARNER, "dina")
    school.night(SECOND)
    [changed] = rows(school, outbox)[3:]
    assert (changed.command, changed.waits_for_night) == ("SET_MEMBERS", False)  # this is the night


def test_E19_who_is_linked_counts_as_linked_from_the_first_night(school: SmallSchool) -> None:
    with school.database.transaction() as tx:
        values = {"provider": "builtin", "account": "a", "linked_at": tx.now, "user_id": school.people["anna"]}
        tx.execute(insert(profile_links).values(organization_id=school.id, **values))
    school.night(FIRST)
    linked = [row.user_id for row in rows(school, participations) if row.is_linked]
    assert linked == [school.people["anna"]]


def test_a_policy_without_a_kind_has_none_of_its_chats(school: SmallSchool) -> None:
    def offer(*kinds: ChatKind) -> None:
        policy = PRESETS["EPOS_SCHOOL"].model_copy(update={"chat_kinds": kinds})
        with school.database.transaction() as tx:
            set_policy(tx, school.id, "EPOS_SCHOOL", policy)

    offer(ChatKind.GROUP, ChatKind.TEACHERS)
    school.night(FIRST)
    assert school.chats().keys() == {TEACHERS, GROUP_G}
    offer(ChatKind.PARENTS, ChatKind.TEACHERS)
    school.night(SECOND)
    assert school.chats().keys() == {TEACHERS, PARENTS_G}
    offer(*ChatKind)
    school.night(THIRD)
    assert school.chats().keys() == {TEACHERS, GROUP_G, PARENTS_G}


def test_a_night_leaves_other_schools_alone(school: SmallSchool) -> None:
    next_door = SmallSchool(school.database, "Next door")
    next_door.group("G")
    next_door.join("G", CURATOR, "curator")
    custom_chat(next_door, "Party", {"curator": True})
    next_door.end_person("curator")
    school.night(FIRST)
    assert next_door.chats() == {("CUSTOM", "Party"): {"curator": True}}
    next_door.join("G", CURATOR, "singer")
    next_door.night(FIRST)
    before, events = school.chats(), school.events()
    next_door.end_group("G")
    next_door.end_person("singer")
    next_door.night(SECOND)
    assert next_door.chats() == {("TEACHERS", "Next door"): {}, ("CUSTOM", "Party"): {}}
    assert (school.chats(), school.events()) == (before, events)


# -------------------------------------------------------------------------------- against a slow count


def expected(roster: set[tuple[str, Position, str]], gone: set[str], before: Chats) -> Chats:
    """Who belongs where, said again in loops. `before`: chats stay when their curator goes."""
    found: Chats = {TEACHERS: {}}
    for group, position, login in roster:
        if group == "School" and position in (TEACHER, STAFF, ADMINISTRATOR) and login not in gone:
            found[TEACHERS][login] = found[TEACHERS].get(login, False) or position is ADMINISTRATOR
    for group in ("G", "H", "K"):
        for kind, members in (("GROUP", LEARNER), ("PARENTS", GUARDIAN)):
            here = [(p, who) for of, p, who in roster if of == group and who not in gone]
            if any(p is CURATOR for p, _ in here) or (kind, group) in before:
                chat = {who: False for p, who in here if p is members}
                found[kind, group] = chat | {who: True for p, who in here if p is CURATOR}
    return found


@pytest.mark.parametrize("seed", range(4))
def test_a_term_of_random_changes_agrees_with_a_slow_count(database: Database, seed: int) -> None:
    dice = random.Random(seed)
    school = SmallSchool(database)
    people = [f"person{number}" for number in range(12)]
    for login in people:
        school.person(login)
    for group in ("G", "H", "K"):
        school.group(group)
    roster: set[tuple[str, Position, str]] = set()
    gone: set[str] = set()
    for day in range(20):
        for _ in range(dice.randrange(8)):
            group = dice.choice(("School", "G", "H", "K"))
            offered = (
                (TEACHER, STAFF, ADMINISTRATOR) if group == "School" else (CURATOR, LEARNER, GUARDIAN, TEACHER)
            )
            entry = (group, dice.choice(offered), dice.choice(people))
            (school.leave if entry in roster else school.join)(*entry)
            roster ^= {entry}
        if dice.random() < 0.2:
            gone.add(login := dice.choice(people))
            school.end_person(login)
        before, heard = school.chats(), len(school.events())
        night = school.night(FIRST + timedelta(days=day))
        after = school.chats()
        assert after == expected(roster, gone, before)

        came, left, changed = tally(before, after)
        assert night is not None
        assert (night.chats_created, night.chats_changed) == (len(after.keys() - before.keys()), changed)
        assert (night.joined, night.left) == (came, left)
        assert len(school.events()) - heard == night.chats_created + night.chats_changed
    assert {kind for kind, _ in school.chats()} == {kind.value for kind in MANDATORY}


def tally(before: Chats, after: Chats) -> tuple[int, int, int]:
    """How many people came and left, and how many chats that were there already are not as they were."""
    moves = Counter[str]()
    for chat, roles in after.items():
        had = before.get(chat, {})
        moves["came"] += len(roles.keys() - had.keys())
        moves["left"] += len(had.keys() - roles.keys())
        moves["changed"] += chat in before and roles != had
    return moves["came"], moves["left"], moves["changed"]


def rows(school: SmallSchool, table: Any) -> list[Any]:
    with school.database.engine.connect() as connection:
        of_school = select(table).where(table.c.organization_id == school.id).order_by(table.c.id)
        return list(connection.execute(of_school).all())
