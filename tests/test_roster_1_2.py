"""Does a school get in as its OneRoster 1.2 set says? Roles are rows of their own there."""

from pathlib import Path

import pytest

from tests.small_roster import (
    ENROLLMENTS,
    Files,
    Imports,
    changed,
    manifest,
    small_roster,
)
from tests.small_school import Watch


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def school(tmp_path: Path, watch: Watch) -> Imports:
    return Imports(tmp_path, watch)


USERS_1_2 = """sourcedId,enabledUser,username,givenName,familyName,agentSourcedIds,userMasterIdentifier
ann,true,ann,Ann,Archer,,
bob,true,bob,Bob,Baker,,
kid1,true,kid1,Kim,Young,"bob,mum",
mum,true,mum,Mia,Young,,
out,true,out,Olaf,Out,,
"""
ROLES = """sourcedId,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId,\
metadata.position
r1,ann,primary,teacher,,,north,,
r2,ann,secondary,principal,,,south,,owner
r3,bob,primary,teacher,,,north,,
r4,bob,secondary,parent,,,north,,
r5,kid1,primary,student,,,north,,
r6,mum,primary,guardian,,,north,,
r7,bob,secondary,counselor,,,science,,
r8,out,primary,districtAdministrator,,,north,,
"""


def roster_1_2() -> Files:
    return {
        **small_roster(),
        "manifest.csv": manifest("1.2"),
        "users.csv": USERS_1_2,
        "roles.csv": ROLES,
        "enrollments.csv": "\n".join(ENROLLMENTS.splitlines()[:4]) + "\n",
    }


def test_1_2_has_roles_of_their_own_several_per_person(school: Imports) -> None:
    summary = school.take(roster_1_2())
    assert school.at("north") == {
        ("ann", "TEACHER"),
        ("bob", "TEACHER"),
        ("bob", "GUARDIAN"),
        ("bob", "STAFF"),
        ("kid1", "LEARNER"),
        ("mum", "GUARDIAN"),
    }
    assert school.at("south", "south") == {("ann", "ADMINISTRATOR"), ("ann", "OWNER")}
    assert ("bob", "STAFF") in school.at("science") and ("bob", "TEACHER") not in school.at("science")
    assert school.guardians() == {("bob", "kid1"), ("mum", "kid1")}
    assert {("bob", "GUARDIAN"), ("bob", "TEACHER"), ("mum", "GUARDIAN")} <= school.at("3a")
    assert summary.notes == [
        "roles.csv: roles districtAdministrator, which is no position in a school: 1 (first in line 9)"
    ]
    assert not school.take(roster_1_2()).changed


def test_1_2_a_role_that_ends(school: Imports) -> None:
    school.take(roster_1_2())
    school.take(changed(roster_1_2(), "roles.csv", ("r4,bob,secondary,parent,,,north,,\n", "")))
    assert ("bob", "GUARDIAN") in school.at("north")  # of kid1, who lists him
    school.take(
        changed(
            changed(roster_1_2(), "roles.csv", ("r4,bob,secondary,parent,,,north,,\n", "")),
            "users.csv",
            ('"bob,mum"', "mum"),
        )
    )
    assert ("bob", "GUARDIAN") not in school.at("north")


@pytest.mark.parametrize("lister", ["kid1", "big", "both"])
def test_1_2_a_learner_may_be_the_guardian_of_another(school: Imports, lister: str) -> None:
    listed = {"kid1": ("big", "", ""), "big": ("", "kid1", ""), "both": ("", "other", "big")}[lister]
    files = roster_1_2()
    people = "sourcedId,enabledUser,username,givenName,familyName,agentSourcedIds\n"
    for person, agents in zip(("kid1", "big", "other"), listed, strict=True):
        people += f"{person},true,{person},Given,Family,{agents}\n"
    roles = "sourcedId,userSourcedId,roleType,role,orgSourcedId\nr1,kid1,primary,student,north\n"
    for person in ("big", "other"):  # grown up, and back at school
        roles += f"{person}1,{person},primary,student,north\n{person}2,{person},secondary,parent,north\n"
    enrollments = str(files["enrollments.csv"]).splitlines()[0] + "\n"
    summary = school.take({**files, "users.csv": people, "roles.csv": roles, "enrollments.csv": enrollments})
    if lister == "both":
        assert school.guardians() == set()
        assert summary.notes == [
            "users.csv: agents who are no guardian of a learner, left out: 2 (first in line 3)"
        ]
    else:
        assert school.guardians() == {("big", "kid1")}
        assert summary.notes == []


def test_1_2_a_role_in_an_enrolment_in_a_department_chooses_among_the_own_positions(school: Imports) -> None:
    files = roster_1_2()
    text = files["enrollments.csv"]
    assert isinstance(text, str)
    school.take({**files, "enrollments.csv": text + "e20,,lower,north,bob,teacher,,\n"})
    assert {at for person, at in school.at("lower") if person == "bob"} == {"TEACHER", "GUARDIAN"}
    assert ("bob", "STAFF") not in school.at("lower")


def test_1_2_one_person_is_several_things_at_several_schools(school: Imports) -> None:
    """Each role stands for itself, primary or not; a role above the schools or in no organization is none."""
    more = (
        "r20,ann,secondary,teacher,,,physics,,\nr21,ann,secondary,guardian,,,south,,\n"
        "r22,ann,secondary,aide,,,north,,\nr23,ann,secondary,systemAdministrator,,,district,,\n"
        "r24,ann,secondary,student,,,nowhere,,\nr25,out,secondary,siteAdministrator,,,south,,\n"
        "r26,mum,secondary,student,,,south,,\n"
    )
    files = {**roster_1_2(), "roles.csv": ROLES + more}
    summary = school.take(files)
    at_north, at_south = school.at("north"), school.at("south", "south")
    assert {at for person, at in at_north if person == "ann"} == {"TEACHER", "STAFF"}
    assert {at for person, at in at_south if person == "ann"} == {"ADMINISTRATOR", "OWNER", "GUARDIAN"}
    assert {at for person, at in school.at("physics") if person == "ann"} == {"TEACHER"}
    assert ("out", "ADMINISTRATOR") in at_south and "out" not in {person for person, _ in at_north}
    assert ("mum", "GUARDIAN") in at_north and ("mum", "LEARNER") in at_south
    assert school.people("south").keys() == {"ann", "out", "mum"}
    assert not school.take(files).changed
    assert summary.people.added == 4 + 3


def test_1_2_each_of_several_roles_ends_alone(school: Imports) -> None:
    files = roster_1_2()
    for row, stay in (
        ("r7,bob,secondary,counselor,,,science,,\n", {"TEACHER", "GUARDIAN"}),
        ("r3,bob,primary,teacher,,,north,,\n", {"GUARDIAN"}),
    ):
        school.take(files)
        assert {at for person, at in school.at("north") if person == "bob"} > stay
        files = changed(files, "roles.csv", (row, ""))
        school.take(files)
        assert {at for person, at in school.at("north") if person == "bob"} == stay
    assert "bob" in school.people()
