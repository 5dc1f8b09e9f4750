"""Does a school get in as its SDS v2.1 set says? Rows without sourcedId, guardians in a file of their own."""

from pathlib import Path

import pytest

from jobs.roster import BrokenRoster, Count
from tests.small_roster import Files, Imports, changed
from tests.small_school import dump

ORGS = """sourcedId,name,type,parentSourcedId
ministry,Ministry,ministryOfEducation,
north,North School,school,ministry
south,South College,college,ministry
labs,Laboratories,department,south
club,Chess Club,program,
"""
USERS = """sourcedId,username,givenName,familyName,password,activeDirectoryMatchId,email,phone,sms
ann,ann@example.org,Ann,Archer,,,,,
bob,bob@example.org,Bob,Baker,,,,,
kid,kid@example.org,Kim,Young,,,,,
big,big@example.org,Ben,Young,,,,,
mum,mum@example.org,Mia,Young,,,,,
doc,doc@example.org,Dan,Doctor,,,,,
"""
ROLES = """userSourcedId,orgSourcedId,role,sessionSourcedId,grade,isPrimary,roleStartDate,roleEndDate
ann,ministry,teacher,y1,,TRUE,2026-09-01,2027-06-01
ann,north,teacher,y1,,FALSE,2026-09-01,2027-06-01
ann,south,principal,y1,,FALSE,2026-09-01,2027-06-01
bob,labs,professor,t1,,TRUE,2026-09-01,2027-06-01
bob,labs,professor,t2,,TRUE,2027-01-01,2027-06-01
kid,north,student,y1,3,TRUE,2026-09-01,2027-06-01
big,south,student,y1,ps1,TRUE,2026-09-01,2027-06-01
big,north,alumni,y1,,FALSE,2026-09-01,2027-06-01
doc,north,nurse,y1,,TRUE,2026-09-01,2027-06-01
"""
RELATIONSHIPS = """userSourcedId,relationshipUserSourcedId,relationshipRole
kid,mum,parent
mum,big,child
kid,ann,relative
kid,doc,doctor
"""
COURSES = """sourcedId,orgSourcedId,title,code,schoolYearSourcedId,subject,grade
algebra,north,Algebra,A1,y1,,
optics,south,Optics,O1,y1,,
"""
CLASSES = """sourcedId,orgSourcedId,title,sessionSourcedIds,courseSourcedId
a3,north,Algebra 3,y1,algebra
o1,labs,Optics 1,"t1,t2",optics
"""
ENROLLMENTS = """classSourcedId,userSourcedId,role
a3,kid,student
a3,ann,teacher
o1,big,student
o1,bob,professor
"""


def keyless(*, without: str = "") -> Files:
    files: Files = {
        "orgs.csv": ORGS,
        "users.csv": USERS,
        "roles.csv": ROLES,
        "relationships.csv": RELATIONSHIPS,
        "courses.csv": COURSES,
        "classes.csv": CLASSES,
        "enrollments.csv": ENROLLMENTS,
        "userFlags.csv": "userSourcedId,flag\nkid,iep\n",
    }
    return {file: text for file, text in files.items() if file != without}


def delta(**files: str) -> Files:
    """A manifest says which files are deltas; the others are absent."""
    tables = ("orgs", "users", "roles", "relationships", "courses", "classes", "enrollments")
    said = [f"file.{table},{'delta' if table in files else 'absent'}" for table in tables]
    manifest = "\n".join(["propertyName,value", "oneroster.version,1.2", *said, ""])
    return {"manifest.csv": manifest, **{f"{table}.csv": text for table, text in files.items()}}


@pytest.fixture
def school(tmp_path: Path) -> Imports:
    return Imports(tmp_path)


def standing(school: Imports) -> object:
    return [
        (school.people(one), school.groups(one), school.guardians(one), *map(school.at, school.groups(one)))
        for one in ("north", "south")
    ]


def test_who_is_where(school: Imports) -> None:
    summary = school.take(keyless())
    assert school.at("north") == {
        ("ann", "TEACHER"),
        ("ann", "GUARDIAN"),
        ("kid", "LEARNER"),
        ("mum", "GUARDIAN"),
        ("doc", "STAFF"),
    }
    assert school.at("south", "south") == {
        ("ann", "ADMINISTRATOR"),
        ("bob", "TEACHER"),
        ("big", "LEARNER"),
        ("mum", "GUARDIAN"),
    }
    assert school.at("labs", "south") >= {("bob", "TEACHER")}
    assert school.at("a3") == {("kid", "LEARNER"), ("ann", "TEACHER"), ("ann", "GUARDIAN"), ("mum", "GUARDIAN")}
    assert school.guardians() == {("mum", "kid"), ("ann", "kid")}
    assert school.guardians("south") == {("mum", "big")}
    assert summary.organizations == Count(added=2)
    assert summary.people == Count(added=4 + 4)  # ann and mum are at both schools


def test_what_a_class_is(school: Imports) -> None:
    school.take(keyless())
    assert school.groups()["a3"] == ("SUBGROUP", "Algebra 3", "Algebra", "north")
    assert school.groups("south")["o1"] == ("SUBGROUP", "Optics 1", "Optics", "labs")
    assert {("bob", "TEACHER"), ("big", "LEARNER")} <= school.at("o1", "south")


def test_a_class_type_counts_where_it_is_said(school: Imports) -> None:
    classes = "sourcedId,orgSourcedId,title,classType\na3,north,3A,homeroom\no1,labs,Optics 1,\n"
    school.take({**keyless(), "classes.csv": classes})
    assert school.groups()["a3"][0] == "CLASS" and school.groups("south")["o1"][0] == "SUBGROUP"
    assert ("ann", "CURATOR") in school.at("a3")


def test_what_is_told_of_the_set(school: Imports) -> None:
    assert school.take(keyless()).notes == [
        "roles.csv: its rows have no sourcedId, so the set is read as SDS v2.1",
        "roles.csv: rows that stand there twice: 1 (first in line 6)",
        "orgs.csv: organizations of a type that the standard does not have, left out: 1 (first in line 6)",
        "roles.csv: roles alumni and other, which are no position in a school: 1 (first in line 9)",
        "relationships.csv: relationships other than of parents, guardians and relatives, left out: 1"
        " (first in line 5)",
    ]


def test_the_same_set_again_writes_nothing(school: Imports) -> None:
    school.take(keyless())
    before = dump(school.database)
    assert not school.take(keyless()).changed
    assert dump(school.database) == before


def test_what_the_set_does_not_list_any_more_has_ended(school: Imports) -> None:
    school.take(keyless())
    files = changed(keyless(), "relationships.csv", ("kid,mum,parent\n", ""))
    school.take(changed(files, "enrollments.csv", ("a3,kid,student\n", "")))
    assert school.guardians() == {("ann", "kid")} and "mum" not in school.people()
    assert school.at("a3") == {("ann", "TEACHER")}
    assert school.guardians("south") == {("mum", "big")}


def test_a_file_that_is_left_out_changes_nothing(school: Imports) -> None:
    school.take(keyless())
    before = dump(school.database)
    for table in ("relationships", "classes", "enrollments", "courses"):
        summary = school.take(keyless(without=f"{table}.csv"))
        assert not summary.changed
        assert f"{table}.csv: not in the set; what is known of it stays" in summary.notes
    assert dump(school.database) == before


def test_a_delta_ends_where_the_complete_set_does(tmp_path: Path) -> None:
    by_deltas, by_sets = Imports(tmp_path / "deltas"), Imports(tmp_path / "sets")
    for one in (by_deltas, by_sets):
        one.take(keyless())
    before = standing(by_deltas)
    by_deltas.take(
        delta(
            roles="status,userSourcedId,orgSourcedId,role\n"
            ",mum,north,officeStaff\ntobedeleted,bob,labs,professor\nactive,bob,south,lecturer\n",
            relationships="userSourcedId,relationshipUserSourcedId,relationshipRole,status\n"
            "kid,ann,relative,tobedeleted\nbig,bob,guardian,active\n",
            enrollments="classSourcedId,userSourcedId,role,status\na3,kid,student,tobedeleted\na3,doc,other,\n",
        )
    )
    files = changed(keyless(), "relationships.csv", ("kid,ann,relative\n", "big,bob,guardian\n"))
    files = changed(files, "enrollments.csv", ("a3,kid,student\n", "a3,doc,other\n"))
    roles = [line for line in ROLES.splitlines() if not line.startswith("bob")]
    roles += ["mum,north,officeStaff,,,,,", "bob,south,lecturer,,,,,", ""]
    by_sets.take({**files, "roles.csv": "\n".join(roles)})
    assert standing(by_deltas) == standing(by_sets) != before
    assert ("bob", "GUARDIAN") in by_deltas.at("o1", "south")
    after = dump(by_deltas.database)
    assert not by_deltas.take({**files, "roles.csv": "\n".join(roles)}).changed
    assert dump(by_deltas.database) == after


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "column", "reason"),
    [
        ("roles.csv", "doc,north,nurse", "doc,north,wizard", 10, "role", '"wizard" is not known'),
        ("roles.csv", "doc,north", "who,north", 10, "userSourcedId", 'no user has the sourcedId "who"'),
        ("roles.csv", "doc,north", "doc,", 10, "orgSourcedId", "is empty"),
        ("enrollments.csv", "a3,kid", "a9,kid", 2, "classSourcedId", 'no class has the sourcedId "a9"'),
        ("enrollments.csv", "a3,kid,student", "a3,kid,pupil", 2, "role", '"pupil" is not known'),
        ("relationships.csv", "kid,mum,parent", "kid,mum,friend", 2, "relationshipRole", '"friend" is not known'),
        ("classes.csv", "a3,north", "a3,", 2, "orgSourcedId", "is empty"),
        ("users.csv", "mum@example", "ann@example", 6, "username", "is already the login of line 2 in North"),
    ],
)
def test_a_fault_and_where_it_is(
    school: Imports, file: str, old: str, new: str, line: int, column: str, reason: str
) -> None:
    school.take(keyless())
    before = dump(school.database)
    with pytest.raises(BrokenRoster) as broken:
        school.take(changed(keyless(), file, (old, new)))
    [fault] = [fault for fault in broken.value.faults if fault.file == file][:1]
    assert (fault.line, fault.column) == (line, column)
    assert reason in fault.reason
    assert dump(school.database) == before


@pytest.mark.parametrize("file", ["orgs.csv", "users.csv"])
def test_a_set_cannot_be_without_its_people_and_schools(school: Imports, file: str) -> None:
    with pytest.raises(BrokenRoster, match=f"{file}: is missing; without it the set is not complete"):
        school.take(keyless(without=file))


def test_relationships_of_strangers_are_only_noted(school: Imports) -> None:
    summary = school.take(changed(keyless(), "relationships.csv", ("kid,mum,parent", "kid,who,parent")))
    assert (
        "relationships.csv: relationships of people who are not in the set, left out: 1 (first in line 2)"
        in summary.notes
    )
    assert school.guardians() == {("ann", "kid")}


def test_a_school_that_changes_from_one_dialect_to_the_other(school: Imports) -> None:
    """What only the former could say is gone with it."""
    school.take(keyless())
    standard: Files = {
        "manifest.csv": "propertyName,value\noneroster.version,1.2\n"
        + "".join(f"file.{table},bulk\n" for table in ("orgs", "users", "roles", "classes", "enrollments")),
        "orgs.csv": "sourcedId,name,type\nnorth,North School,school\n",
        "users.csv": "sourcedId,enabledUser,username,givenName,familyName\n"
        "kid,true,kid,Kim,Young\nmum,true,mum,Mia,Young\n",
        "roles.csv": "sourcedId,userSourcedId,roleType,role,orgSourcedId\n"
        "r1,kid,primary,student,north\nr2,mum,primary,parent,north\n",
        "classes.csv": "sourcedId,title,courseSourcedId,classType,schoolSourcedId\n",
        "enrollments.csv": "sourcedId,classSourcedId,userSourcedId,role\n",
    }
    school.take(standard)
    assert school.guardians() == set()
    assert school.at("north") == {("kid", "LEARNER"), ("mum", "GUARDIAN")}
    school.take(
        {
            **delta(),
            "manifest.csv": "propertyName,value\nfile.users,delta\nfile.orgs,absent\n"
            "oneroster.version,1.2\nfile.roles,delta\nfile.classes,absent\nfile.enrollments,absent\n",
            "users.csv": "sourcedId,enabledUser,username,givenName,familyName\nkid,true,kid,Kit,Young\n",
            "roles.csv": "sourcedId,userSourcedId,roleType,role,orgSourcedId\nr1,kid,primary,student,north\n",
        }
    )
    assert school.guardians() == set()
    assert school.people()["kid"] == ("kid", "Kit Young")
