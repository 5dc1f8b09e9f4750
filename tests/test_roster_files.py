"""Which files make a set? Line ends, zips and folders, empty files; what is unknown, and what was promised."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from jobs.roster import BrokenRoster, Count, import_roster
from models.organization import every_organization
from tests.small_roster import (
    USERS,
    Files,
    Imports,
    changed,
    folder,
    small_roster,
    zipped,
)
from tests.small_school import Watch, dump


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def school(tmp_path: Path, watch: Watch) -> Imports:
    return Imports(tmp_path, watch)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "BOM"])
def test_line_ends_and_byte_order_marks(school: Imports, end: str, mark: bytes) -> None:
    school.take(small_roster())
    before = dump(school.database)
    dressed: Files = {name: mark + str(text).replace("\n", end).encode() for name, text in small_roster().items()}
    assert not school.take(dressed).changed
    assert dump(school.database) == before


def test_line_ends_that_fall_between_two_blocks(school: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    school.take(small_roster())
    for size in (1, 2, 7):
        monkeypatch.setattr("jobs.roster.rows.BLOCK", size)
        dressed: Files = {name: str(text).replace("\n", "\r\n") for name, text in small_roster().items()}
        assert not school.take(dressed).changed
        with pytest.raises(BrokenRoster) as broken:
            school.take(changed(dressed, "users.csv", ("bob,,true", "bob,,maybe")))
        assert [fault.line for fault in broken.value.faults] == [4]


def test_quoted_line_breaks_become_a_space_and_count_as_lines(school: Imports) -> None:
    files = changed(small_roster(), "users.csv", ("ann,Ann,Archer", 'ann,"Ann\r\nMary",Archer'))
    school.take(files)
    assert school.people()["ann"] == ("ann", "Ann Mary Archer")
    with pytest.raises(BrokenRoster) as broken:
        school.take(changed(files, "users.csv", ("bob,,true", "bob,,maybe")))
    assert [(fault.line, fault.column) for fault in broken.value.faults] == [(5, "enabledUser")]


def test_unknown_columns_and_files_are_noted_and_those_of_the_standard_are_not(school: Imports) -> None:
    files = small_roster()
    users_csv = str(files["users.csv"]).splitlines()
    files["users.csv"] = "\n".join(
        f"{line},{extra}"
        for line, extra in zip(users_csv, ["shoeSize,email,metadata.colour", *["1,,"] * 9], strict=True)
    )
    files |= {"demographics.csv": "nonsense", "results.csv": "", "thumbs.db": b"\x00"}
    summary = school.take(files)
    assert sorted(summary.notes) == [
        "thumbs.db: not a file of the standard, not read",
        'users.csv: unknown column "shoeSize", not read',
    ]


@pytest.mark.parametrize("content", ["", "\n\n", "sourcedId,title\n", "\ufeff"])
def test_an_empty_optional_file(school: Imports, content: str) -> None:
    school.take({**small_roster(), "courses.csv": content})
    assert school.groups()["math"][2] is None


def test_blank_lines_are_no_rows(school: Imports) -> None:
    school.take(small_roster())
    assert not school.take({**small_roster(), "users.csv": USERS.replace("\n", "\n\n") + "\n\n"}).changed


def test_zips_and_folders(school: Imports, tmp_path: Path) -> None:
    school.take(small_roster())
    sets = [
        zipped(tmp_path / "plain.zip", small_roster()),
        zipped(tmp_path / "inside.zip", small_roster(), inside="export 2026/"),
        zipped(tmp_path / "mac.zip", {**small_roster(), "__MACOSX/._users.csv": b"\x00", ".DS_Store": b"\x00"}),
        folder(tmp_path / "outer" / "inner", small_roster()).parent,
    ]
    for path in sets:
        assert not import_roster(school.database, path).changed


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"preset": "NO_SUCH"}, "NO_SUCH: no such preset; known are EPOS_SCHOOL"),
        ({"time_zone": "Mars/Base"}, "Mars/Base: no such time zone"),
        ({"time_zone": "../../etc/passwd"}, "no such time zone"),
        ({"time_zone": ""}, "no such time zone"),
        ({"locale": "de"}, "de: no such locale; known are en, fr, ru"),
        ({"time_zone": None}, "North School: a new organization needs a time zone"),
    ],
)
def test_what_is_unknown_or_missing_on_the_command_line(
    school: Imports, wishes: dict[str, str | None], said: str
) -> None:
    before = dump(school.database)
    with pytest.raises(ValueError, match=r"^[^\n]+$") as refused:
        school.take(small_roster(), **wishes)
    assert said in str(refused.value)
    assert dump(school.database) == before


def test_a_path_where_nothing_is(school: Imports, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere\.zip: there is no such file or folder"):
        import_roster(school.database, tmp_path / "nowhere.zip", time_zone="Europe/Paris")


def test_progress_tells_bytes_of_files_and_schools(school: Imports) -> None:
    heard: list[tuple[str, int, int]] = []
    path = school.written(small_roster())
    import_roster(
        school.database, path, time_zone="UTC", progress=lambda what, done, of: heard.append((what, done, of))
    )
    size = (path / "users.csv").stat().st_size
    assert ("users.csv", size, size) in heard
    assert heard[-1] == ("schools", 2, 2)
    assert all(done <= of for _, done, of in heard)


def test_killed_after_the_first_school_and_run_again_it_ends_as_one_clean_run(
    school: Imports, tmp_path: Path
) -> None:
    path = zipped(tmp_path / "set.zip", small_roster())
    program = textwrap.dedent(f"""
        import os, signal
        from pathlib import Path
        from app.messenger import BuiltinMessenger
        from jobs.roster import import_roster
        from models.database import Database

        def kill(what, done, of):
            if (what, done) == ("schools", 1):
                os.kill(os.getpid(), signal.SIGKILL)

        database = Database({school.database.url!r}, messenger=BuiltinMessenger("x" * 40))
        import_roster(database, Path({str(path)!r}), time_zone="UTC", progress=kill)
    """)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "TMPDIR": str(tmp_path)}
    killed = subprocess.run([sys.executable, "-c", program], env=environment, check=False, capture_output=True)
    assert killed.returncode == -9, killed.stderr.decode()
    assert len(school.people()) == 8
    with school.database.transaction() as tx:
        assert len(every_organization(tx)) == 1
    summary = import_roster(school.database, path, time_zone="UTC")
    assert summary.organizations == Count(added=1)
    assert len(school.people("south")) == 2
    assert not import_roster(school.database, path).changed


def test_the_staged_rows_are_private_and_gone_afterwards(
    school: Imports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    modes: set[int] = set()
    import_roster(
        school.database,
        school.written(small_roster()),
        time_zone="UTC",
        progress=lambda *_: modes.update(entry.stat().st_mode & 0o777 for entry in place.iterdir()),
    )
    assert modes == {0o700}
    assert list(place.iterdir()) == []
