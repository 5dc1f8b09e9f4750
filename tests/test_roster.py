"""Does a school get in as its OneRoster 1.1 set says? Each row of the mapping."""

from pathlib import Path

import pytest
from sqlalchemy import select

from jobs.roster import Count
from models.organization import every_organization
from models.presets import PRESETS
from models.tables.organization import organizations, reach_rules
from models.tables.people import users
from tests.small_roster import (
    ENROLLMENTS,
    Imports,
    changed,
    small_roster,
)
from tests.small_school import MONDAY, Watch


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def school(tmp_path: Path, watch: Watch) -> Imports:
    return Imports(tmp_path, watch)


def test_schools_become_organizations_and_what_lies_above_does_not(school: Imports) -> None:
    summary = school.take(small_roster(), time_zone="Asia/Yekaterinburg", preset="EPOS_COLLEGE", locale="fr")
    with school.database.transaction() as tx:
        found = every_organization(tx)
    assert [(one.name, one.time_zone.key, one.locale, one.preset) for one in found] == [
        ("North School", "Asia/Yekaterinburg", "fr", "EPOS_COLLEGE"),
        ("South School", "Asia/Yekaterinburg", "fr", "EPOS_COLLEGE"),
    ]
    assert found[0].policy == PRESETS["EPOS_COLLEGE"]
    assert summary.organizations == Count(added=2)


def test_a_new_organization_follows_the_first_preset_in_english(school: Imports, watch: Watch) -> None:
    school.take(small_roster())
    with school.database.transaction() as tx:
        one = every_organization(tx)[0]
        imported = tx.execute(select(organizations.c.imported_at)).scalars().first()
        rules = tx.execute(select(reach_rules).where(reach_rules.c.organization_id == one.id)).all()
    assert (one.preset, one.locale, imported) == ("EPOS_SCHOOL", "en", MONDAY)
    assert len(rules) == len(PRESETS["EPOS_SCHOOL"].reach)


def test_departments_cycles_and_classes_become_a_tree_of_groups(school: Imports) -> None:
    summary = school.take(small_roster())
    assert school.groups() == {
        "north": ("ORGANIZATION", "North School", None, None),
        "science": ("DEPARTMENT", "Science", None, "north"),
        "physics": ("DEPARTMENT", "Physics", None, "science"),
        "lower": ("CYCLE", "Lower Cycle", None, "north"),
        "3a": ("CLASS", "3A", None, "lower"),
        "3b": ("CLASS", "3B", None, "north"),
        "math": ("SUBGROUP", "Algebra 3A", "Algebra", "science"),
        "chess": ("COURSE", "Chess Club", None, "north"),
    }
    assert school.groups("south").keys() == {"south", "9z"}
    assert summary.groups == Count(added=10)


@pytest.mark.parametrize(
    ("role", "position"),
    [
        ("student", "LEARNER"),
        ("guardian", "GUARDIAN"),
        ("parent", "GUARDIAN"),
        ("relative", "GUARDIAN"),
        ("teacher", "TEACHER"),
        ("administrator", "ADMINISTRATOR"),
        ("siteAdministrator", "ADMINISTRATOR"),
        ("systemAdministrator", "ADMINISTRATOR"),
        ("principal", "ADMINISTRATOR"),
        ("aide", "STAFF"),
        ("proctor", "STAFF"),
        ("counselor", "STAFF"),
    ],
)
def test_a_role_is_a_position_at_the_organization(school: Imports, role: str, position: str) -> None:
    files = changed(small_roster(), "users.csv", ("sec,,true,north,aide", f"sec,,true,north,{role}"))
    school.take(files)
    assert {at for person, at in school.at("north") if person == "sec"} == {position}


def test_an_owner_is_it_besides(school: Imports) -> None:
    school.take(small_roster())
    assert {at for person, at in school.at("north") if person == "head"} == {"ADMINISTRATOR", "OWNER"}


def test_a_user_of_two_schools_is_two_people(school: Imports) -> None:
    school.take(small_roster())
    assert school.people()["bob"] == school.people("south")["bob"] == ("bob", "Bob Q. Baker")
    with school.database.engine.connect() as connection:
        assert len(connection.execute(select(users).where(users.c.source_id == "bob")).all()) == 2


def test_E27_the_primary_teacher_of_a_class_is_its_curator(school: Imports) -> None:
    school.take(small_roster())
    assert school.at("3a") == {
        ("ann", "TEACHER"),
        ("ann", "CURATOR"),
        ("bob", "TEACHER"),
        ("kid1", "LEARNER"),
        ("mum", "GUARDIAN"),
        ("dad", "GUARDIAN"),
    }


def test_E27_the_only_teacher_of_a_class_is_its_curator_where_none_is_primary(school: Imports) -> None:
    school.take(small_roster())
    assert {("bob", "TEACHER"), ("bob", "CURATOR")} <= school.at("3b")


def test_E29_two_teachers_of_whom_none_is_primary_leave_a_class_without_curator(school: Imports) -> None:
    school.take(changed(small_roster(), "enrollments.csv", ("ann,teacher,true,\ne2", "ann,teacher,,\ne2")))
    assert {person for person, at in school.at("3a") if at == "CURATOR"} == set()
    assert {person for person, at in school.at("3a") if at == "TEACHER"} == {"ann", "bob"}


def test_several_primary_teachers_are_all_curators(school: Imports) -> None:
    school.take(changed(small_roster(), "enrollments.csv", ("bob,teacher,false", "bob,teacher,true")))
    assert {person for person, at in school.at("3a") if at == "CURATOR"} == {"ann", "bob"}


def test_a_curator_who_left_leaves_the_class_to_its_only_teacher(school: Imports) -> None:
    school.take(changed(small_roster(), "users.csv", ("ann,,true", "ann,,false")))
    assert {("bob", "TEACHER"), ("bob", "CURATOR")} <= school.at("3a")


def test_nobody_is_curator_of_a_subgroup_or_course(school: Imports) -> None:
    school.take(small_roster())
    assert {("ann", "TEACHER"), ("kid1", "LEARNER")} <= school.at("math")
    assert {at for group in ("math", "chess") for _, at in school.at(group)}.isdisjoint({"CURATOR"})


@pytest.mark.parametrize("role", ["administrator", "aide", "proctor", "counselor", "principal"])
def test_other_roles_in_a_class_are_staff(school: Imports, role: str) -> None:
    school.take({**small_roster(), "enrollments.csv": f"{ENROLLMENTS}e11,,3a,north,sec,{role},,\n"})
    assert ("sec", "STAFF") in school.at("3a")


def test_a_guardian_who_is_enrolled_still_only_follows_the_child(school: Imports) -> None:
    summary = school.take({**small_roster(), "enrollments.csv": f"{ENROLLMENTS}e11,,3b,north,dad,parent,,\n"})
    assert not {at for person, at in school.at("3b") if person == "dad"}
    assert any("enrolments of guardians" in note and "line 12" in note for note in summary.notes)


def test_an_expert_of_a_course(school: Imports) -> None:
    school.take(small_roster())
    assert school.at("chess") == {("sec", "EXPERT"), ("kid2", "LEARNER"), ("mum", "GUARDIAN")}


def test_who_is_in_a_class_is_in_its_cycle_at_the_same_position(school: Imports) -> None:
    school.take(small_roster())
    assert school.at("lower") == school.at("3a")
    assert {("kid1", "LEARNER"), ("dad", "GUARDIAN")} <= school.at("science")


def test_a_department_among_the_orgs_of_a_person(school: Imports) -> None:
    school.take(small_roster())
    assert ("ann", "TEACHER") in school.at("science")
    assert school.at("physics") == set()


def test_who_is_only_in_a_department_is_at_its_school(school: Imports) -> None:
    school.take(changed(small_roster(), "users.csv", ("sec,,true,north,", "sec,,true,physics,")))
    assert ("sec", "STAFF") in school.at("north") & school.at("physics")


def test_an_enrolment_in_a_cycle_is_at_the_own_position_or_as_its_administrator(school: Imports) -> None:
    extra = "e11,,lower,north,sec,teacher,,\ne12,,lower,north,bob,teacher,,administrator\n"
    school.take({**small_roster(), "enrollments.csv": ENROLLMENTS + extra})
    assert {("sec", "STAFF"), ("bob", "ADMINISTRATOR")} <= school.at("lower")
    assert ("bob", "ADMINISTRATOR") not in school.at("north")


def test_E28_guardians_are_in_every_group_of_their_child(school: Imports) -> None:
    summary = school.take(small_roster())
    assert school.guardians() == {("mum", "kid1"), ("dad", "kid1"), ("mum", "kid2")}
    groups_of_dad = {group for group in school.groups() if ("dad", "GUARDIAN") in school.at(group)}
    assert groups_of_dad == {"north", "3a", "lower", "math", "science"}
    assert {person for person, at in school.at("3b") if at == "GUARDIAN"} == {"mum"}
    assert summary.guardianships == Count(added=3)


def test_E28_guardians_are_not_where_their_child_does_not_learn(school: Imports) -> None:
    school.take({**small_roster(), "enrollments.csv": f"{ENROLLMENTS}e11,,3b,north,kid1,proctor,,\n"})
    assert ("kid1", "STAFF") in school.at("3b")
    assert ("dad", "GUARDIAN") not in school.at("3b")


def test_a_guardian_may_list_the_child_and_both_may_list_each_other(school: Imports) -> None:
    files = changed(
        small_roster(),
        "users.csv",
        ('"mum,dad"', "mum"),
        ("mum,Mia,Young,,,", "mum,Mia,Young,,kid1,"),
        ("dad,Dan,Young,,,", "dad,Dan,Young,,kid1,"),
    )
    summary = school.take(files)
    assert school.guardians() == {("mum", "kid1"), ("dad", "kid1"), ("mum", "kid2")}
    assert summary.notes == []


def test_a_teacher_may_be_the_guardian_of_a_learner(school: Imports) -> None:
    school.take(changed(small_roster(), "users.csv", ('"mum,dad"', "bob")))
    assert school.guardians() == {("bob", "kid1"), ("mum", "kid2")}
    assert {("bob", "TEACHER"), ("bob", "GUARDIAN")} <= school.at("3a")


def test_agents_who_make_no_guardian_are_noted(school: Imports) -> None:
    files = changed(
        small_roster(),
        "users.csv",
        ('"mum,dad"', '"stranger,kid2"'),  # nobody; another learner
        ("kid3,Zoe,South,,,", "kid3,Zoe,South,,mum,"),  # who belongs to the other school
        ("ann,Ann,Archer,,,", "ann,Ann,Archer,,kid1,"),  # a teacher lists a learner
    )
    summary = school.take(files)
    assert school.guardians() == {("mum", "kid2")} and school.guardians("south") == set()
    assert summary.notes == [
        "users.csv: agents who are not in the set: 1 (first in line 6)",
        "users.csv: agents who do not belong to the learner's school, no guardians there: 1 (first in line 8)",
        "users.csv: agents who are no guardian of a learner, left out: 2 (first in line 3)",
    ]


def test_what_belongs_to_no_school_is_only_noted(school: Imports) -> None:
    files = changed(
        small_roster(),
        "users.csv",
        ("sec,,true,north,", "sec,,true,district,"),
        ("head,,true,north,administrator", "head,,true,north,districtAdministrator"),
    )
    files = changed(files, "classes.csv", ("9z,,9Z,algebra,homeroom,south", "9z,,9Z,nothing,homeroom,elsewhere"))
    files = changed(files, "classes.csv", ("3a,,3A,algebra,homeroom,north,,lower", "3a,,3A,,homeroom,north,,9z"))
    files = changed(
        files, "orgs.csv", ("physics,,,Physics,department,,science", "physics,,,P,department,,district")
    )
    files = changed(files, "courses.csv", ("algebra,,", "geometry,,"))
    summary = school.take(files)
    assert school.people().keys() == {"ann", "bob", "kid1", "kid2", "mum", "dad"}
    assert "physics" not in school.groups() and school.groups("south").keys() == {"south"}
    assert school.groups()["3a"] == ("CLASS", "3A", None, "north")
    assert school.groups()["math"] == ("SUBGROUP", "Algebra 3A", None, "science")
    assert summary.notes == [
        "orgs.csv: departments below no school of the set, left out: 1 (first in line 6)",
        "users.csv: people who belong to no school of the set, left out: 1 (first in line 5)",
        "users.csv: people who are districtAdministrator, which is no position in a school: 1 (first in line 2)",
        "classes.csv: classes that belong to no school of the set, left out: 1 (first in line 6)",
        "classes.csv: subgroups without a discipline, because their course is not in the set: 1 (first in line 4)",
        "classes.csv: classes whose parent is no department or cycle of their school: 1 (first in line 2)",
        "enrollments.csv: enrolments of people who do not belong to the school, left out: 1 (first in line 9)",
    ]


def test_departments_that_go_in_circles_belong_to_no_school(school: Imports) -> None:
    files = changed(small_roster(), "orgs.csv", ("Science,department,,north", "Science,department,,physics"))
    summary = school.take(files)
    assert school.groups().keys().isdisjoint({"science", "physics"})
    assert "orgs.csv: departments below no school of the set, left out: 2 (first in line 5)" in summary.notes


@pytest.mark.parametrize(
    ("locale", "name"), [("en", "Kim Lee Young"), ("fr", "Kim Lee Young"), ("ru", "Young Kim Lee")]
)
def test_names_are_said_as_in_the_language_of_the_school(school: Imports, locale: str, name: str) -> None:
    school.take(small_roster(), locale=locale)
    assert school.people()["kid1"] == ("kid1", name)


def test_people_are_found_by_folded_name_and_login(school: Imports) -> None:
    school.take(changed(small_roster(), "users.csv", ("kid1,Kim,Young", "Kid.One,Zoé,Ёлкина")))
    with school.database.engine.connect() as connection:
        found = connection.execute(select(users.c.search_key).where(users.c.source_id == "kid1")).scalar_one()
    assert found == "zoe lee елкина kid.one"
