"""Are headers understood that are not written as the standard has them? Each with a note, none by a guess."""

from pathlib import Path

import pytest

from jobs.roster import BrokenRoster
from tests.small_roster import Files, Imports, changed, small_roster
from tests.small_school import dump


@pytest.fixture
def school(tmp_path: Path) -> Imports:
    school = Imports(tmp_path)
    school.take(small_roster())
    return school


def with_header(file: str, *changes: tuple[str, str]) -> Files:
    """The set, with other names in the header of this file."""
    header, rows = str(small_roster()[file]).split("\n", 1)
    names = header.split(",")
    for old, new in changes:
        names[names.index(old)] = new
    return {**small_roster(), file: ",".join(names) + "\n" + rows}


SPELLINGS = [
    ("users.csv", "sourcedId", "SourcedID"),
    ("users.csv", "sourcedId", "sourceId"),
    ("users.csv", "sourcedId", " sourcedId "),
    ("users.csv", "orgSourcedIds", "orgSourcedId"),
    ("users.csv", "orgSourcedIds", "orgSourceIds"),
    ("users.csv", "agentSourcedIds", "agentSourceIds"),
    ("users.csv", "agentSourcedIds", "AGENTSOURCEDIDS"),
    ("users.csv", "enabledUser", "EnabledUser"),
    ("users.csv", "enabledUser", "enableUser"),
    ("users.csv", "username", "userName"),
    ("users.csv", "username", "user_name"),
    ("users.csv", "givenName", "Given Name"),
    ("users.csv", "familyName", "familyname"),
    ("users.csv", "role", "Role"),
    ("users.csv", "metadata.position", "Metadata.Position"),
    ("orgs.csv", "parentSourcedId", "parentOrgSourcedId"),
    ("orgs.csv", "name", "Name"),
    ("orgs.csv", "type", "TYPE"),
    ("classes.csv", "classType", "class_type"),
    ("classes.csv", "schoolSourcedId", "schoolSourcedid"),
    ("classes.csv", "courseSourcedId", "courseSourceId"),
    ("enrollments.csv", "classSourcedId", "classSoucedId"),
    ("enrollments.csv", "userSourcedId", "userSourceID"),
    ("enrollments.csv", "primary", "Primary"),
    ("courses.csv", "title", "Title"),
]


@pytest.mark.parametrize(("file", "name", "spelt"), SPELLINGS)
def test_a_column_in_another_case_or_misspelt_is_read_with_a_note(
    school: Imports, file: str, name: str, spelt: str
) -> None:
    before = dump(school.database)
    summary = school.take(with_header(file, (name, spelt)))
    assert summary.notes == [f'{file}: column "{spelt}" is read as "{name}"']
    assert summary.lines() == ["nothing changed", f"note: {summary.notes[0]}"]
    assert dump(school.database) == before


def test_the_status_is_read_whatever_its_case(school: Imports) -> None:
    files = with_header("users.csv", ("status", "STATUS"))
    school.take(changed(files, "users.csv", ("kid1,,true", "kid1,tobedeleted,true")))
    assert "kid1" not in school.people()


def test_columns_that_are_not_read_are_known_in_any_case(school: Imports) -> None:
    files = with_header("orgs.csv", ("dateLastModified", "DateLastModified"), ("identifier", "Identifier"))
    assert school.take(files).notes == []


def test_what_is_there_as_it_should_be_is_not_looked_for_elsewhere(school: Imports) -> None:
    files = small_roster()
    text = str(files["orgs.csv"]).replace("\n", ",Other\n").replace(",Other\n", ",Name\n", 1)
    summary = school.take({**files, "orgs.csv": text})
    assert summary.notes == ['orgs.csv: unknown column "Name", not read']
    assert not summary.changed


def test_two_columns_that_could_both_be_meant_are_a_fault(school: Imports) -> None:
    before = dump(school.database)
    header, *rows = str(small_roster()["courses.csv"]).splitlines()
    files = {**small_roster(), "courses.csv": "\n".join([header.replace("title,", "Title,TITLE,"), *rows, ""])}
    with pytest.raises(BrokenRoster) as broken:
        school.take(files)
    assert "courses.csv, line 1, column title: this column is there twice" in broken.value.lines()
    assert dump(school.database) == before


@pytest.mark.parametrize("name", ["sourcId2", "id", "firstName", "login", "loginName", "user"])
def test_other_names_are_not_guessed(school: Imports, name: str) -> None:
    before = dump(school.database)
    with pytest.raises(BrokenRoster) as broken:
        school.take(with_header("users.csv", ("username", name)))
    assert "users.csv, line 1, column username: this column is required and missing" in broken.value.lines()
    assert dump(school.database) == before


def test_a_set_with_every_habit_at_once(tmp_path: Path) -> None:
    """Old line ends, a byte order mark, dates as they are spoken, slips in headers, files that say nothing."""
    one = Imports(tmp_path / "one")
    said = "".join(
        f"file.{table},bulk\r" for table in ("orgs", "users", "roles", "courses", "classes", "enrollments")
    )
    files: Files = {
        "manifest.csv": f"propertyName,value\roneroster.version,1.2\r{said}",
        "orgs.csv": "\ufeffSourcedID,status,dateLastModified,Name,type\r"
        "north,active,31/8/2026,North School,school\r",
        "users.csv": "sourceId,status,dateLastModified,EnabledUser,userName,givenName,familyName,agentSourceIds\r"
        "ann,,1/9/2026,TRUE,ann,Ann,Archer,\rkid,active,1/9/2026,True,kid,Kim,Young,mum\r"
        "mum,active,1/9/2026,true,mum,Mia,Young,\r",
        "roles.csv": "sourcedId,userSourcedId,RoleType,role,beginDate,endDate,orgSourceId,userProfileSourcedId\r"
        "r1,ann,primary,teacher,1/9/2026,30/6/2027,north,p1\rr2,kid,primary,student,1/9/2026,,north,\r"
        "r3,mum,primary,guardian,,,north,\r",
        "courses.csv": "",
        "classes.csv": "sourcedId,title,courseSourcedId,ClassType,schoolSourcedId\r3a,3A,,homeroom,north\r",
        "enrollments.csv": "sourcedId,classSourcedId,schoolSourcedId,userSourceId,role,primary,beginDate\r"
        "e1,3a,north,ann,teacher,TRUE,1/9/2026\re2,3a,north,kid,student,,1/9/2026\r",
        "userProfiles.csv": "sourcedId,status,dateLastModified,userSourcedId\rp1,,1/9/2026,ann\r",
        "academicSessions.csv": "",
        "demographics.csv": "",
    }
    summary = one.take(files)
    assert one.at("north") == {("ann", "TEACHER"), ("kid", "LEARNER"), ("mum", "GUARDIAN")}
    assert one.at("3a") == {("ann", "TEACHER"), ("ann", "CURATOR"), ("kid", "LEARNER"), ("mum", "GUARDIAN")}
    assert one.guardians() == {("mum", "kid")}
    assert [note.split(" is read as ")[0] for note in summary.notes] == [
        f'{file}.csv: column "{spelt}"'
        for file, spelt in (
            *(("orgs", name) for name in ("SourcedID", "Name")),
            *(("users", name) for name in ("sourceId", "EnabledUser", "userName", "agentSourceIds")),
            *(("roles", name) for name in ("RoleType", "orgSourceId")),
            *(("classes", "ClassType"), ("enrollments", "userSourceId")),
        )
    ]
    assert not one.take(files).changed
