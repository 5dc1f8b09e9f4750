"""What does the next set change? Who ends, comes back, swaps; and what is asked for beside the set."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from jobs.roster import Count
from jobs.roster.differences import bytewise
from models.organization import every_organization
from models.presets import PRESETS
from models.tables.organization import organizations
from models.tables.people import memberships, users
from tests.small_roster import (
    USERS,
    Files,
    Imports,
    changed,
    small_roster,
)
from tests.small_school import Watch, dump


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def school(tmp_path: Path, watch: Watch) -> Imports:
    return Imports(tmp_path, watch)


def test_the_same_set_again_writes_nothing(school: Imports, watch: Watch) -> None:
    school.take(small_roster())
    before = dump(school.database)
    watch.now += timedelta(days=1)
    summary = school.take(small_roster(), time_zone=None)
    assert dump(school.database) == before
    assert not summary.changed and summary.lines() == ["nothing changed"]


def test_a_row_that_is_missing_has_ended_and_history_stays(school: Imports, watch: Watch) -> None:
    school.take(small_roster())
    watch.now += timedelta(days=1)
    files = changed(small_roster(), "users.csv", ('kid1,,true,north,student,kid1,Kim,Young,Lee,"mum,dad",\n', ""))
    files = changed(
        files, "enrollments.csv", ("e3,,3a,north,kid1,student,,\n", ""), ("e7,,math,north,kid1,student,,\n", "")
    )
    files = changed(files, "classes.csv", ("chess,,Chess Club,algebra,scheduled,north,course,\n", ""))
    files = changed(files, "enrollments.csv", ("e8,,chess,north,sec,proctor,,expert\n", ""))
    files = changed(files, "enrollments.csv", ("e9,,chess,north,kid2,student,,\n", ""))
    summary = school.take(files)
    assert "kid1" not in school.people() and "chess" not in school.groups()
    assert school.at("chess") == set()
    assert school.guardians() == {("mum", "kid2")}
    assert {group for group in school.groups() if ("dad", "GUARDIAN") in school.at(group)} == {"north"}
    assert summary.people == Count(ended=1) and summary.groups == Count(ended=1)
    assert summary.guardianships == Count(ended=2)
    with school.database.engine.connect() as connection:
        gone = connection.execute(select(users).where(users.c.source_id == "kid1")).one()
        ended = connection.execute(select(memberships).where(memberships.c.user_id == gone.id)).all()
    assert gone.deactivated_at == watch.now and gone.name == "Kim Lee Young"
    assert len(ended) == 5 and {row.until for row in ended} == {watch.now}


@pytest.mark.parametrize("change", [("kid1,,true", "kid1,tobedeleted,true"), ("kid1,,true", "kid1,,FALSE")])
def test_to_be_deleted_and_disabled_people_end(school: Imports, change: tuple[str, str]) -> None:
    school.take(small_roster())
    summary = school.take(changed(small_roster(), "users.csv", change))
    assert "kid1" not in school.people()
    assert summary.people == Count(ended=1)


def test_who_comes_back_is_the_same_person_in_the_same_group(school: Imports) -> None:
    school.take(small_roster())
    before = dump(school.database)
    gone = changed(small_roster(), "users.csv", ("kid1,,true", "kid1,tobedeleted,true"))
    gone = changed(gone, "classes.csv", ("math,,", "math,tobedeleted,"))
    school.take(gone)
    assert "kid1" not in school.people() and "math" not in school.groups()
    summary = school.take(small_roster())
    after = dump(school.database)
    assert after["users"] == before["users"] and after["groups"] == before["groups"]
    assert summary.people == Count(changed=1) and summary.groups == Count(changed=1)
    assert ("kid1", "LEARNER") in school.at("math")


def test_people_learn_that_their_place_changed_and_newcomers_do_not(school: Imports) -> None:
    school.take(small_roster())
    assert school.told() == [] and school.told("south") == []
    moved = changed(small_roster(), "enrollments.csv", ("e3,,3a,north,kid1", "e3,,3b,north,kid1"))
    moved = changed(moved, "users.csv", ("sec,,true", "sec,,false"))
    moved["users.csv"] = f"{moved['users.csv']!s}new,,true,north,teacher,new,New,Teacher,,,\n"
    summary = school.take(moved)
    assert school.told() == ["dad", "kid1", "mum", "sec"] and school.told("south") == []
    assert summary.people == Count(added=1, ended=1)
    school.take(moved)
    assert len(school.told()) == 4
    school.take(changed(moved, "users.csv", ("sec,,false", "sec,,true")))
    assert school.told()[4:] == ["sec"]


def test_a_new_name_or_login_changes_the_person_alone(school: Imports) -> None:
    school.take(small_roster())
    summary = school.take(changed(small_roster(), "users.csv", ("dad,Dan,Young", "daniel,Daniel,Old")))
    assert school.people()["dad"] == ("daniel", "Daniel Old")
    assert summary.people == Count(changed=1) and summary.memberships == Count()
    assert school.told() == []


def test_two_people_may_swap_their_logins(school: Imports) -> None:
    school.take(small_roster())
    swapped = changed(
        small_roster(), "users.csv", ("parent,mum,", "parent,dad,"), ("guardian,dad,", "guardian,mum,")
    )
    summary = school.take(swapped)
    assert school.people()["mum"][0] == "dad" and school.people()["dad"][0] == "mum"
    assert summary.people == Count(changed=2)


def test_a_newcomer_may_take_the_login_of_who_left_and_who_comes_back_another(school: Imports) -> None:
    school.take(small_roster())
    taken = changed(small_roster(), "users.csv", ("sec,,true,north,aide,sec,", "sec2,,true,north,aide,sec,"))
    taken = changed(taken, "enrollments.csv", ("e8,,chess,north,sec,", "e8,,chess,north,sec2,"))
    school.take(taken)
    assert school.people()["sec2"][0] == "sec" and "sec" not in school.people()
    school.take(changed(small_roster(), "users.csv", ("north,aide,sec,", "north,aide,clerk,")))
    assert school.people()["sec"][0] == "clerk" and "sec2" not in school.people()


def test_a_class_changes_its_kind_name_course_and_place(school: Imports) -> None:
    school.take(small_roster())
    files = changed(
        small_roster(),
        "classes.csv",
        ("3b,,3B,algebra,homeroom,north,,", "3b,,3B+,algebra,scheduled,north,,physics"),
    )
    files = changed(files, "courses.csv", ("Algebra", "Higher Algebra"))
    summary = school.take(files)
    assert school.groups()["3b"] == ("SUBGROUP", "3B+", "Higher Algebra", "physics")
    assert ("bob", "CURATOR") not in school.at("3b")
    assert ("kid2", "LEARNER") in school.at("physics")
    assert summary.groups == Count(changed=2)


def test_what_is_given_later_changes_the_organization_and_what_is_omitted_keeps_it(school: Imports) -> None:
    school.take(small_roster(), preset="EPOS_COLLEGE", locale="fr")
    summary = school.take(small_roster(), time_zone=None, locale="ru")
    assert summary.organizations == Count(changed=2)
    with school.database.transaction() as tx:
        one = every_organization(tx)[0]
    assert (one.time_zone.key, one.locale, one.preset) == ("Europe/Paris", "ru", "EPOS_COLLEGE")
    assert school.people()["kid1"][1] == "Young Kim Lee"


def test_the_preset_in_force_keeps_the_knobs_that_were_turned(school: Imports) -> None:
    school.take(small_roster(), preset="EPOS_COLLEGE")
    with school.database.transaction() as tx:
        turned = PRESETS["EPOS_COLLEGE"].with_knobs({"lockdown": True})
        tx.execute(update(organizations).values(policy=turned.document()))
    assert not school.take(small_roster(), preset="EPOS_COLLEGE").changed
    with school.database.transaction() as tx:
        assert every_organization(tx)[0].policy.lockdown
    assert school.take(small_roster(), preset="EPOS_SCHOOL").organizations == Count(changed=2)
    with school.database.transaction() as tx:
        assert every_organization(tx)[0].policy == PRESETS["EPOS_SCHOOL"]


def test_missing_rows_end_only_in_the_schools_of_the_set(school: Imports) -> None:
    school.take(small_roster())
    before = school.people("south"), school.groups("south")
    only_north = changed(small_roster(), "orgs.csv", ("south,,,South School,school,,district,\n", ""))
    summary = school.take(only_north)
    assert (school.people("south"), school.groups("south")) == before
    assert summary.people == Count() and summary.organizations == Count()


def test_equal_ids_of_two_districts_are_different_people_and_groups(school: Imports) -> None:
    school.take(small_roster())
    other = changed(
        small_roster(),
        "orgs.csv",
        ("north,,,North", "north2,,,Other"),
        ("Science,department,,north,", "Science,department,,north2,"),
        ("Lower Cycle,department,,north,", "Lower Cycle,department,,north2,"),
        ("south,,,South School,school,,district,\n", ""),
    )
    texts = {
        name: str(other[name]).replace("north", "north2")
        for name in ("users.csv", "classes.csv", "enrollments.csv")
    }
    before = school.people(), school.groups(), school.at("3a")
    school.take({**other, **texts})
    assert (school.people(), school.groups(), school.at("3a")) == before
    assert school.people("north2") == school.people()


def test_a_school_that_is_to_be_deleted_ends_with_everybody_and_comes_back(school: Imports) -> None:
    school.take(small_roster())
    before = dump(school.database)
    closed = changed(small_roster(), "orgs.csv", ("south,,", "south,tobedeleted,"))
    summary = school.take(closed)
    assert school.people("south") == {} and school.groups("south") == {}
    assert summary.organizations == Count(ended=1) and summary.people == Count(ended=2)
    assert not school.take(closed).changed
    school.take(small_roster())
    after = dump(school.database)
    assert after["users"] == before["users"] and after["groups"] == before["groups"]


def test_people_are_compared_in_the_order_of_their_letters_codes_on_every_engine(school: Imports) -> None:
    """Whatever order a database has for its texts: else a newcomer would be missed, or come twice."""
    with school.database.transaction() as tx:
        spelt = str(bytewise(tx, users.c.source_id).compile(dialect=tx.connection.dialect))
        assert ("COLLATE" in spelt) == (tx.connection.dialect.name == "postgresql")
    kids = ["a", "B", "_", "é", "Z", "z", "ß", "Я", "ё", "𝒂", "~", "-"]
    rows = "".join(f"kid {kid},,true,north,student,login {kid},Kid,{kid},,,\n" for kid in kids)
    first: Files = {**small_roster(), "users.csv": USERS + rows}
    assert school.take(first).people.added == 9 + 1 + len(kids)
    before = dump(school.database)
    assert not school.take(first).changed
    assert dump(school.database) == before
    fewer = school.take(changed(first, "users.csv", ("kid Z,,true", "kid Z,tobedeleted,true")))
    assert (fewer.people.added, fewer.people.changed, fewer.people.ended) == (0, 0, 1)
