"""Is a broken set refused whole? Each kind of fault with its file, line and column, and nothing written."""

import zipfile
from pathlib import Path

import pytest

from jobs.roster import BrokenRoster, Fault, import_roster
from jobs.roster.faults import MOST_LISTED
from tests.small_roster import ENROLLMENTS, Files, Imports, changed, manifest, small_roster, zipped
from tests.small_school import dump

Found = tuple[str, int | None, str | None]
"""File, line, column."""


@pytest.fixture
def school(tmp_path: Path) -> Imports:
    """Has the whole set already: whatever a broken one says would be seen."""
    school = Imports(tmp_path)
    school.take(small_roster())
    return school


def faults_of(school: Imports, files: Files | Path) -> list[Fault]:
    """The faults of a set; that nothing was written is checked besides."""
    before = dump(school.database)
    with pytest.raises(BrokenRoster) as broken:
        import_roster(school.database, files if isinstance(files, Path) else school.written(files))
    assert dump(school.database) == before
    return broken.value.faults


def places(faults: list[Fault]) -> list[Found]:
    return [(fault.file, fault.line, fault.column) for fault in faults]


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "column", "reason"),
    [
        # ids
        ("users.csv", "kid1,,true", " ,,true", 6, "sourcedId", "is empty"),
        ("users.csv", "kid1,,true", "k\x00d,,true", 6, "sourcedId", "control character U+0000"),
        ("users.csv", "kid1,,true", "k" * 256 + ",,true", 6, "sourcedId", "longer than 255"),
        ("users.csv", "head,,true", "sec,,true", 5, "sourcedId", "already the sourcedId of line 2"),
        (
            "classes.csv",
            "9z,,",
            "9z,,9Z,,homeroom,south,,\n9z,,",
            7,
            "sourcedId",
            "already the sourcedId of line 6",
        ),
        ("orgs.csv", "physics,,,", "district,,,", 6, "sourcedId", "already the sourcedId of line 2"),
        ("enrollments.csv", "e2,,", "e1,,", 3, "sourcedId", "already the sourcedId of line 2"),
        ("courses.csv", "algebra,,", ",,", 2, "sourcedId", "is empty"),
        # vocabularies
        ("users.csv", "kid1,,true", "kid1,inactive,true", 6, "status", '"inactive" is not known'),
        ("users.csv", "kid1,,true", "kid1,,yes", 6, "enabledUser", '"yes" is not known'),
        ("users.csv", "north,aide", "north,janitor", 5, "role", '"janitor" is not known'),
        ("users.csv", "north,aide", "north,", 5, "role", "is empty"),
        ("users.csv", "north,aide", "north,Aide", 5, "role", '"Aide" is not known'),
        ("classes.csv", "3B,algebra,homeroom", "3B,algebra,lesson", 3, "classType", '"lesson" is not known'),
        ("enrollments.csv", "sec,proctor", "sec,visitor", 9, "role", '"visitor" is not known'),
        ("enrollments.csv", "ann,teacher,true,\ne2", "ann,teacher,1,\ne2", 2, "primary", '"1" is not known'),
        ("orgs.csv", "science,,,", "science,gone,,", 5, "status", '"gone" is not known'),
        # texts
        ("users.csv", "Mia,Young", "M\x07a,Young", 9, "givenName", "control character U+0007"),
        ("users.csv", "Mia,Young", f"{'M' * 201},Young", 9, "givenName", "longer than 200"),
        ("users.csv", "Mia,Young", f"{'M' * 150},{'Y' * 50}", 9, "givenName", "the name is longer than 200"),
        ("users.csv", "Mia,Young", " , ", 9, "givenName", "the name is empty"),
        ("users.csv", "parent,mum", "parent,", 9, "username", "is empty"),
        ("users.csv", "parent,mum", "parent,dad", 10, "username", '"dad" is already the login of line 9 in North'),
        ("orgs.csv", "North School", " ", 3, "name", "is empty"),
        ("classes.csv", "Chess Club", "C" * 201, 5, "title", "longer than 200"),
        ("classes.csv", "Chess Club", "Chess \x1bClub", 5, "title", "control character U+001B"),
        # references
        ("enrollments.csv", "north,sec", "north,who", 9, "userSourcedId", 'no user has the sourcedId "who"'),
        (
            "enrollments.csv",
            "chess,north,sec",
            "go,north,sec",
            9,
            "classSourcedId",
            'no class has the sourcedId "go"',
        ),
        ("enrollments.csv", "chess,north,sec", "north,north,sec", 9, "classSourcedId", "no class has"),
        # the file itself
        ("users.csv", "mum,Mia,Young,", "mum,Mia,Young", 9, None, "10 fields instead of 11"),
        ("users.csv", "mum,Mia,Young,", "mum,Mia,Young,,", 9, None, "12 fields instead of 11"),
        ("users.csv", "mum,Mia", 'mum,"Mi"a', 9, None, "broken quoting: text follows a closing quote"),
        ("users.csv", "mum,Mia", 'mum,"Mia', 9, None, "broken quoting: the quote that opens here is never closed"),
        ("users.csv", "mum,Mia", f"mum,{'M' * 140_000}", 9, None, "a field is longer than 131072"),
        ("manifest.csv", "file.users,bulk", "file.users,most", None, "value", 'file.users is "most"'),
        ("manifest.csv", "file.users,bulk", "file.orgs,bulk", 8, "propertyName", "file.orgs is there twice"),
        ("manifest.csv", "file.users,bulk", "file.users", 8, None, "1 fields instead of 2"),
        ("manifest.csv", "version,1.1", "version,2.0", None, "value", 'oneroster.version "2.0" is not known'),
    ],
)
def test_a_fault_and_where_it_is(
    school: Imports, file: str, old: str, new: str, line: int | None, column: str | None, reason: str
) -> None:
    faults = faults_of(school, changed(small_roster(), file, (old, new)))
    assert places(faults) == [(file, line, column)]
    assert reason in faults[0].reason


@pytest.mark.parametrize(
    ("file", "column"),
    [
        *(("orgs.csv", column) for column in ("sourcedId", "name", "type")),
        *(("users.csv", column) for column in ("sourcedId", "enabledUser", "orgSourcedIds", "role", "username")),
        *(("users.csv", column) for column in ("givenName", "familyName")),
        *(("classes.csv", column) for column in ("sourcedId", "title", "courseSourcedId", "classType")),
        ("classes.csv", "schoolSourcedId"),
        *(("enrollments.csv", column) for column in ("sourcedId", "classSourcedId", "userSourcedId", "role")),
        *(("courses.csv", column) for column in ("sourcedId", "title")),
    ],
)
def test_a_required_column_that_is_missing_or_spelt_otherwise(school: Imports, file: str, column: str) -> None:
    header, rows = str(small_roster()[file]).split("\n", 1)
    names = [f"x{name}" if name == column else name for name in header.split(",")]
    faults = faults_of(school, {**small_roster(), file: ",".join(names) + "\n" + rows})
    assert places(faults) == [(file, 1, column)]
    assert faults[0].reason == "this column is required and missing"


def test_a_column_that_is_there_twice(school: Imports) -> None:
    files = changed(small_roster(), "courses.csv", ("sourcedId,status", "sourcedId,title"))
    assert places(faults_of(school, files)) == [("courses.csv", 1, "title")]


@pytest.mark.parametrize(
    "file", ["manifest.csv", "orgs.csv", "users.csv", "classes.csv", "courses.csv", "enrollments.csv"]
)
def test_a_file_that_is_missing(school: Imports, file: str) -> None:
    files = small_roster()
    del files[file]
    assert places(faults_of(school, files)) == [(file, None, None)]


@pytest.mark.parametrize("file", ["orgs", "users", "classes", "enrollments"])
def test_a_complete_set_cannot_be_without_a_file_that_it_needs(school: Imports, file: str) -> None:
    files = {**small_roster(), "manifest.csv": manifest(**{file: "absent"})}
    assert places(faults_of(school, files)) == [(f"{file}.csv", None, None)]
    del files[f"{file}.csv"]
    assert places(faults_of(school, files)) == [(f"{file}.csv", None, None)]


def test_1_2_needs_its_roles_and_people_for_them(school: Imports) -> None:
    files = {**small_roster(), "manifest.csv": manifest("1.2")}
    assert places(faults_of(school, files)) == [("roles.csv", None, None)]
    files["roles.csv"] = (
        "sourcedId,userSourcedId,roleType,role,orgSourcedId\n"
        "r1,who,primary,student,north\nr2,kid1,main,student,north\nr3,kid1,primary,pupil,north\n"
        "r4,kid1,primary,student,\n"
    )
    assert places(faults_of(school, files)) == [
        ("roles.csv", 2, "userSourcedId"),
        ("roles.csv", 3, "roleType"),
        ("roles.csv", 4, "role"),
        ("roles.csv", 5, "orgSourcedId"),
    ]


def test_all_faults_of_a_set_are_listed_by_file_and_line(school: Imports) -> None:
    files = changed(small_roster(), "users.csv", ("north,aide", "north,cook"), ("kid1,,true", "kid1,gone,maybe"))
    files = changed(files, "classes.csv", ("3b,,3B", "3b,,"))
    faults = faults_of(school, files)
    assert places(faults) == [
        ("classes.csv", 3, "title"),
        ("users.csv", 5, "role"),
        ("users.csv", 6, "status"),
        ("users.csv", 6, "enabledUser"),
    ]
    assert str(faults[0]) == "classes.csv, line 3, column title: is empty"


def test_a_faulty_row_is_not_missed_by_those_who_refer_to_it(school: Imports) -> None:
    files = changed(small_roster(), "users.csv", ("kid1,,true,north,student", "kid1,,true,north,pupil"))
    assert places(faults_of(school, files)) == [("users.csv", 6, "role")]
    files = changed(small_roster(), "users.csv", ("kid1,Kim,Young", "kid1,Kim"))
    assert places(faults_of(school, files)) == [("users.csv", 6, None)]


def test_rows_after_broken_quoting_are_still_looked_at(school: Imports) -> None:
    files = changed(small_roster(), "users.csv", ("sec,Sam", 'sec,"S"am'), ("mum,,true", "mum,,perhaps"))
    assert places(faults_of(school, files)) == [("users.csv", 5, None), ("users.csv", 9, "enabledUser")]


def test_broken_encoding(school: Imports) -> None:
    latin = str(small_roster()["users.csv"]).replace("Zoe", "Zoé").replace("Dan,", "Dañ,").encode("latin-1")
    faults = faults_of(school, {**small_roster(), "users.csv": latin})
    assert places(faults) == [("users.csv", 8, None), ("users.csv", 10, None)]
    assert faults[0].reason == "broken encoding: byte 0xE9 is no UTF-8"
    wide = str(small_roster()["users.csv"]).encode("utf-16")
    assert ("users.csv", 1, None) in places(faults_of(school, {**small_roster(), "users.csv": wide}))


def test_a_row_without_end_does_not_fill_the_memory(school: Imports) -> None:
    endless = str(small_roster()["users.csv"]) + "x" * (2 << 20)
    faults = faults_of(school, {**small_roster(), "users.csv": endless})
    assert places(faults) == [("users.csv", 11, None)]
    assert faults[0].reason == "the row is longer than 1048576 bytes; is a quote not closed?"


def test_more_faults_than_anybody_reads_are_counted(school: Imports) -> None:
    extra = "".join(f"x{number},,3a,north,nobody,student,,\n" for number in range(MOST_LISTED + 5))
    files = {**small_roster(), "enrollments.csv": ENROLLMENTS + extra}
    with pytest.raises(BrokenRoster) as broken:
        school.take(files)
    assert len(broken.value.faults) == MOST_LISTED and broken.value.more == 5
    assert broken.value.lines()[-1] == "and 5 more faults"
    assert str(broken.value).startswith("enrollments.csv, line 12, column userSourcedId: no user has")


def test_of_a_row_that_goes_only_the_sourced_id_must_be_right(school: Imports) -> None:
    school.take(changed(small_roster(), "enrollments.csv", ("e4,,3b,north,bob,teacher", "e4,tobedeleted,,,,")))
    assert ("bob", "TEACHER") not in school.at("3b")


# ---------------------------------------------------------------------------------------------- zips


@pytest.mark.parametrize(
    "name", ["../users.csv", "/etc/users.csv", "a/../../users.csv", "..\\users.csv", "C:/users.csv"]
)
def test_a_zip_whose_names_lead_elsewhere(school: Imports, tmp_path: Path, name: str) -> None:
    path = zipped(tmp_path / "set.zip", {**small_roster(), name: "x"})
    faults = faults_of(school, path)
    assert [fault.reason for fault in faults] == ["is a path that leads out of the zip"]


def test_a_zip_that_would_unpack_to_something_absurd(school: Imports, tmp_path: Path) -> None:
    path = zipped(tmp_path / "set.zip", {**small_roster(), "results.csv": b"\n" * (20 << 20)})
    faults = faults_of(school, path)
    assert places(faults) == [("results.csv", None, None)]
    assert "would unpack from" in faults[0].reason


def test_a_file_that_is_in_the_zip_twice(school: Imports, tmp_path: Path) -> None:
    path = zipped(tmp_path / "set.zip", small_roster())
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("users.csv", "sourcedId\n")
    assert [str(fault) for fault in faults_of(school, path)] == ["users.csv: is in the zip twice"]


def test_too_many_files_in_a_zip(school: Imports, tmp_path: Path) -> None:
    path = zipped(tmp_path / "set.zip", {f"{number}.csv": "" for number in range(1001)})
    assert "holds 1001 files" in faults_of(school, path)[0].reason


def test_a_damaged_zip(school: Imports, tmp_path: Path) -> None:
    path = zipped(tmp_path / "set.zip", small_roster())
    whole = path.read_bytes()
    for broken in (whole[: len(whole) // 2], b"", b"sourcedId,status\n"):
        path.write_bytes(broken)
        assert [str(fault) for fault in faults_of(school, path)] == [
            "set.zip: is neither a folder nor a readable zip"
        ]
    spoiled = bytearray(whole)
    place = whole.index(b"users.csv") + len("users.csv") + 20
    spoiled[place : place + 20] = b"\xff" * 20
    path.write_bytes(spoiled)
    faults = faults_of(school, path)
    assert places(faults) == [("users.csv", None, None)]
    assert "cannot be read" in faults[0].reason


def test_an_encrypted_zip(school: Imports, tmp_path: Path) -> None:
    path = zipped(tmp_path / "set.zip", small_roster())
    spoiled = bytearray(path.read_bytes())
    place = spoiled.rindex(b"PK\x01\x02", 0, spoiled.rindex(b"users.csv"))
    spoiled[place + 8] |= 1  # the flag in the directory of the zip
    path.write_bytes(spoiled)
    assert [str(fault) for fault in faults_of(school, path)] == ["users.csv: is encrypted"]
