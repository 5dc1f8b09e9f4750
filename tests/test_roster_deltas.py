"""Does a set that says only what changed end where the complete set would? Per file: complete, delta or absent."""

from pathlib import Path

import pytest

from jobs.roster import BrokenRoster, Count
from tests.small_roster import (
    CLASSES,
    ENROLLMENTS,
    ORGS,
    USERS,
    Files,
    Imports,
    changed,
    manifest,
    small_roster,
)
from tests.small_school import dump


@pytest.fixture
def school(tmp_path: Path) -> Imports:
    school = Imports(tmp_path)
    school.take(small_roster())
    return school


@pytest.fixture
def twin(tmp_path: Path) -> Imports:
    """Another database that hears the same in complete sets."""
    twin = Imports(tmp_path / "twin")
    twin.take(small_roster())
    return twin


def delta(**files: str) -> Files:
    """These files as deltas; the others are absent."""
    said = manifest(mode="absent", **dict.fromkeys(files, "delta"))
    return {"manifest.csv": said, **{f"{table}.csv": text for table, text in files.items()}}


def rows(text: str, *lines: str) -> str:
    """The header of a file with other rows."""
    return "\n".join([text.splitlines()[0], *lines, ""])


def standing(school: Imports) -> object:
    """All that a school is, without numbers and moments."""
    return [
        (school.people(one), school.groups(one), school.guardians(one), *map(school.at, school.groups(one)))
        for one in ("north", "south")
    ]


def test_a_delta_ends_only_what_it_says(school: Imports) -> None:
    people, groups = school.people(), school.groups()
    summary = school.take(
        delta(users=rows(USERS, "kid2,tobedeleted,true,north,student,kid2,Kai,Young,,mum,")), time_zone=None
    )
    assert school.people() == {person: known for person, known in people.items() if person != "kid2"}
    assert school.groups() == groups
    assert school.guardians() == {("mum", "kid1"), ("dad", "kid1")}
    assert summary.people == Count(ended=1) and summary.groups == Count()
    assert not any(person == "mum" for person, _ in school.at("3b"))


def test_a_delta_adds_and_changes(school: Imports) -> None:
    summary = school.take(
        delta(
            users=rows(
                USERS,
                "new,active,true,north,student,new,Nia,New,,dad,",
                "sec,active,true,north,teacher,clerk,Sam,Clerk,,,",
            ),
            enrollments=rows(ENROLLMENTS, "e50,active,3b,north,new,student,,"),
        )
    )
    assert school.people()["new"] == ("new", "Nia New") and school.people()["sec"][0] == "clerk"
    assert {("new", "LEARNER"), ("dad", "GUARDIAN")} <= school.at("3b")
    assert ("sec", "TEACHER") in school.at("north") and ("sec", "STAFF") not in school.at("north")
    assert summary.people == Count(added=1, changed=1)


def test_the_same_delta_again_changes_nothing(school: Imports) -> None:
    files = delta(enrollments=rows(ENROLLMENTS, "e3,tobedeleted,3a,north,kid1,student,,"))
    assert school.take(files).changed
    before = dump(school.database)
    assert not school.take(files).changed
    assert dump(school.database) == before


def test_an_empty_file_in_a_delta_says_nothing(school: Imports) -> None:
    before = dump(school.database)
    files = delta(orgs="", users="", courses="", classes="", enrollments="")
    assert not school.take(files).changed
    assert dump(school.database) == before


CHANGES = {
    # A second teacher, none of both primary: no curator any more.
    "enrollments": (
        ("e4,,3b,north,bob,teacher,,\n", "e4,,3b,north,bob,teacher,,\ne51,,3b,north,ann,teacher,,\n"),
        "e51,active,3b,north,ann,teacher,,",
    ),
    # A class moves to another cycle: who is in it leaves the former one, guardians too.
    "classes": (
        ("3a,,3A,algebra,homeroom,north,,lower\n", "3a,,3A,algebra,homeroom,north,,science\n"),
        "3a,active,3A,algebra,homeroom,north,,science",
    ),
    # A pupil changes schools: the row names the new school alone.
    "users": (
        ("kid2,,true,north,student,kid2,Kai,Young,,mum,\n", "kid2,,true,south,student,kid2,Kai,Young,,mum,\n"),
        "kid2,active,true,south,student,kid2,Kai,Young,,mum,",
    ),
    # A department ends: those below it lose their school, its classes come to the organization.
    "orgs": (
        ("science,,,Science,department,,north,\n", ""),
        "science,tobedeleted,,,,,,",
    ),
    "courses": (("Algebra", "Higher Algebra"), "algebra,active,,,Higher Algebra,,,district"),
}


@pytest.mark.parametrize("table", CHANGES)
def test_a_delta_ends_where_the_complete_set_does(school: Imports, twin: Imports, table: str) -> None:
    (old, new), row = CHANGES[table]
    file = f"{table}.csv"
    before = standing(school)
    school.take(delta(**{table: rows(str(small_roster()[file]), row)}))
    twin.take(changed(small_roster(), file, (old, new)))
    assert standing(school) == standing(twin) != before


def test_after_a_delta_the_complete_set_changes_nothing_more(school: Imports) -> None:
    school.take(delta(enrollments=rows(ENROLLMENTS, "e51,active,3b,north,ann,teacher,,")))
    assert ("bob", "CURATOR") not in school.at("3b")
    complete = {**small_roster(), "enrollments.csv": f"{ENROLLMENTS}e51,active,3b,north,ann,teacher,,\n"}
    before = dump(school.database)
    assert not school.take(complete).changed
    assert dump(school.database) == before


def test_deltas_add_up(school: Imports, twin: Imports) -> None:
    school.take(delta(enrollments=rows(ENROLLMENTS, "e51,,3b,north,ann,teacher,,")))
    school.take(delta(enrollments=rows(ENROLLMENTS, "e4,tobedeleted,3b,north,bob,teacher,,")))
    twin.take(changed(small_roster(), "enrollments.csv", ("e4,,3b,north,bob,", "e51,,3b,north,ann,")))
    assert standing(school) == standing(twin)
    assert {("ann", "TEACHER"), ("ann", "CURATOR")} <= school.at("3b")


def test_complete_people_with_other_files_absent(school: Imports) -> None:
    said = manifest(mode="absent", users="bulk", enrollments="delta")
    remaining = "\n".join(line for line in USERS.splitlines() if not line.startswith("kid1")) + "\n"
    school.take({"manifest.csv": said, "users.csv": remaining, "enrollments.csv": rows(ENROLLMENTS)})
    assert "kid1" not in school.people() and "3a" in school.groups()
    assert ("kid2", "LEARNER") in school.at("3b")


def test_a_file_that_the_manifest_calls_absent_is_not_read(school: Imports) -> None:
    before = dump(school.database)
    files = {**delta(orgs=rows(ORGS)), "users.csv": "nonsense"}
    summary = school.take(files)
    assert dump(school.database) == before
    assert summary.notes == ["users.csv: not read, because the manifest says that it is absent"]


def test_a_delta_that_refers_to_nobody_known(school: Imports) -> None:
    files = delta(
        enrollments=rows(ENROLLMENTS, "e50,active,3b,north,kid1,student,,", "e51,active,8x,north,kid1,student,,")
    )
    before = dump(school.database)
    with pytest.raises(BrokenRoster) as broken:
        school.take(files)
    assert [str(fault) for fault in broken.value.faults] == [
        'enrollments.csv, line 3, column classSourcedId: no class has the sourcedId "8x"'
    ]
    assert dump(school.database) == before


def test_a_delta_whose_newcomer_takes_a_login_that_is_taken(school: Imports) -> None:
    with pytest.raises(BrokenRoster) as broken:
        school.take(delta(users=rows(USERS, "new,active,true,north,student,mum,New,Kid,,,")))
    assert [str(fault) for fault in broken.value.faults] == [
        'users.csv, line 2, column username: "mum" is already the login of mum in North School'
    ]


def test_a_delta_about_no_known_school_does_not_guess_whose_it_is(school: Imports, tmp_path: Path) -> None:
    leaving = delta(users=rows(USERS, "kid1,tobedeleted,,,,,,,,,"))
    elsewhere = small_roster()
    elsewhere["orgs.csv"] = "sourcedId,name,type\nwest,West School,school\n"
    elsewhere["classes.csv"] = rows(CLASSES)
    elsewhere["enrollments.csv"] = rows(ENROLLMENTS)
    elsewhere["users.csv"] = rows(USERS, "kid1,,true,west,student,kid1,Other,Kid,,,")
    school.take(elsewhere)
    with pytest.raises(BrokenRoster) as broken:
        school.take(leaving)
    assert "names no school that is known" in str(broken.value)
    assert "kid1" in school.people() and "kid1" in school.people("west")


def test_a_delta_about_the_only_set_that_is_known_need_not_name_a_school(school: Imports) -> None:
    school.take(delta(users=rows(USERS, "kid1,tobedeleted,,,,,,,,,")))
    assert "kid1" not in school.people()


def test_a_delta_of_one_district_leaves_the_equal_ids_of_another_alone(school: Imports) -> None:
    elsewhere = small_roster()
    elsewhere["orgs.csv"] = "sourcedId,name,type\nwest,West School,school\n"
    elsewhere["classes.csv"] = rows(CLASSES)
    elsewhere["enrollments.csv"] = rows(ENROLLMENTS)
    elsewhere["users.csv"] = rows(USERS, "kid1,,true,west,student,kid1,Other,Kid,,,")
    school.take(elsewhere)
    school.take(delta(users=rows(USERS, "kid1,tobedeleted,true,north,student,kid1,Kim,Young,,,")))
    assert "kid1" not in school.people() and school.people("west") == {"kid1": ("kid1", "Other Kid")}


def test_a_complete_list_of_schools_says_whose_the_other_files_are(school: Imports) -> None:
    elsewhere = small_roster()
    elsewhere["orgs.csv"] = "sourcedId,name,type\neast,East School,school\n"
    elsewhere["classes.csv"] = rows(CLASSES)
    elsewhere["enrollments.csv"] = rows(ENROLLMENTS)
    elsewhere["users.csv"] = rows(USERS, "kid1,,true,east,student,kid1,Other,Kid,,,")
    school.take(elsewhere)
    before = school.people(), school.at("3a")
    said = manifest(mode="absent", orgs="bulk", users="delta")
    guest = rows(USERS, 'guest,active,true,"north,east",teacher,guest,Guy,Guest,,,')
    school.take({"manifest.csv": said, "orgs.csv": ORGS, "users.csv": guest})
    assert school.people() == {**before[0], "guest": ("guest", "Guy Guest")}
    assert school.at("3a") == before[1]
    assert school.people("east") == {"kid1": ("kid1", "Other Kid")}


def test_1_2_roles_come_and_go_by_themselves(tmp_path: Path) -> None:
    school = Imports(tmp_path)
    header = "sourcedId,status,userSourcedId,roleType,role,orgSourcedId\n"
    whole = {**small_roster(), "manifest.csv": manifest("1.2")}
    whole["users.csv"] = "sourcedId,enabledUser,username,givenName,familyName\nann,true,ann,Ann,Archer\n"
    whole["classes.csv"], whole["enrollments.csv"] = rows(CLASSES), rows(ENROLLMENTS)
    whole["roles.csv"] = header + "r1,,ann,primary,teacher,north\nr2,,ann,secondary,parent,north\n"
    school.take(whole)
    assert school.at("north") == {("ann", "TEACHER"), ("ann", "GUARDIAN")}
    said = manifest("1.2", mode="absent", roles="delta")
    change = "r2,tobedeleted,ann,secondary,parent,north\nr3,active,ann,secondary,principal,north\n"
    school.take({"manifest.csv": said, "roles.csv": header + change})
    assert school.at("north") == {("ann", "TEACHER"), ("ann", "ADMINISTRATOR")}
