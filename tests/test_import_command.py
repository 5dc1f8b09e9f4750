"""How does a school get in at a terminal? The commands `import` and `demo`."""

import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import select

from app.auth import Tokens
from jobs.demo.gorizont import GORIZONT
from jobs.demo.roster_set import write_zip
from jobs.demo.tilleuls import TILLEULS
from models.database import wall_clock
from models.tables.organization import organizations
from tests import school as cast
from tests.terminal import Run, assert_mistake, environment, run_at, started


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the commands of this test find the database; nothing is there yet."""
    return tmp_path / "var" / "preau.db"


@pytest.fixture
def run(path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return run_at(path, monkeypatch)


@pytest.fixture
def roster(tmp_path: Path) -> Path:
    path = tmp_path / "roster.zip"
    write_zip(TILLEULS, path)
    return path


def test_import_says_what_it_did_and_does_nothing_twice(run: Run, roster: Path, path: Path) -> None:
    first = run("import", str(roster), "--time-zone", "Europe/Paris", "--locale", "fr")
    assert first.exit_code == 0, first.stderr
    assert "24" in first.stdout
    before = cast.dump(cast.url_of(path))
    again = run("import", str(roster))
    assert again.exit_code == 0
    assert cast.dump(cast.url_of(path)) == before
    assert again.stdout == "nothing changed\n"
    assert settings_of_only_school(path) == ("EPOS_SCHOOL", "fr", "Europe/Paris")


def test_an_import_changes_what_is_given_and_keeps_what_is_not(run: Run, roster: Path, path: Path) -> None:
    assert run("import", str(roster), "--time-zone", "Europe/Paris").exit_code == 0
    assert settings_of_only_school(path) == ("EPOS_SCHOOL", "en", "Europe/Paris")
    assert run("import", str(roster), "--preset", "EPOS_COLLEGE", "--locale", "fr").exit_code == 0
    assert settings_of_only_school(path) == ("EPOS_COLLEGE", "fr", "Europe/Paris")


def settings_of_only_school(path: Path) -> tuple[str, ...]:
    """Its preset, locale and time zone."""
    with cast.school_database(cast.url_of(path)).engine.connect() as connection:
        known = organizations.c
        return tuple(connection.execute(select(known.preset, known.locale, known.time_zone)).one())


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ((), "time"),
        (("--time-zone", "Europe/Nowhere"), "Europe/Nowhere"),
        (("--time-zone", "Europe"), "Europe"),
        (("--time-zone", "../../etc/passwd"), "passwd"),
        (("--time-zone", "Europe/Paris", "--preset", "NOPE"), "NOPE"),
        (("--time-zone", "Europe/Paris", "--locale", "de"), "de"),
    ],
)
def test_an_import_that_cannot_be(run: Run, roster: Path, path: Path, options: tuple[str, ...], word: str) -> None:
    assert run("migrate").exit_code == 0
    before = cast.dump(cast.url_of(path))
    assert_mistake(run("import", str(roster), *options), word)
    assert cast.dump(cast.url_of(path)) == before


def test_what_is_no_set_is_not_imported(run: Run, tmp_path: Path) -> None:
    text = tmp_path / "roster.txt"
    text.write_text("sourcedId\n")
    assert_mistake(run("import", str(tmp_path / "missing.zip"), "--time-zone", "Europe/Paris"), "missing.zip")
    result = run("import", str(text), "--time-zone", "Europe/Paris")
    assert result.exit_code == 1
    assert "roster.txt" in result.stderr


def test_a_set_with_faults_is_listed_and_changes_nothing(run: Run, tmp_path: Path, path: Path) -> None:
    whole = tmp_path / "whole.zip"
    write_zip(GORIZONT, whole)
    folder = tmp_path / "broken"
    subprocess.run([sys.executable, "-m", "zipfile", "-e", str(whole), str(folder)], check=True)
    people = folder / "users.csv"
    people.write_text(people.read_text().replace(",student,", ",wizard,", 2))
    enrolments = folder / "enrollments.csv"
    enrolments.write_text(enrolments.read_text().replace("user:learner.9a.1", "user:nobody", 1))
    assert run("migrate").exit_code == 0
    before = cast.dump(cast.url_of(path))
    result = run("import", str(folder), "--time-zone", "Asia/Yekaterinburg")
    assert result.exit_code == 1
    assert result.stderr.count("wizard") == 2
    assert "users.csv" in result.stderr
    assert "role" in result.stderr
    assert "enrollments.csv" in result.stderr
    assert "Traceback" not in result.stderr
    assert cast.dump(cast.url_of(path)) == before


def test_import_shows_its_progress_on_a_terminal_only(path: Path, roster: Path) -> None:
    words = [sys.executable, "-m", "app", "import", str(roster), "--time-zone", "Europe/Paris"]
    terminal, end = pty.openpty()
    with subprocess.Popen(words, env=environment(path), stdout=subprocess.PIPE, stderr=end) as process:
        os.close(end)
        shown = b""
        with suppress(OSError):  # the terminal's end
            while part := os.read(terminal, 4096):
                shown += part
        os.close(terminal)
        printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"users.csv" in shown
    assert b"users.csv" not in printed
    assert b"people: 24 added" in printed
    assert started(path, "import", str(roster)).stderr == ""


# ---------------------------------------------------------------------------------------------- demo


def test_demo_prints_a_token_per_person_and_changes_nothing_twice(run: Run, path: Path) -> None:
    first = run("demo")
    assert first.exit_code == 0, first.stderr
    before = cast.dump(cast.url_of(path))
    second = run("demo")
    assert second.exit_code == 0
    assert cast.dump(cast.url_of(path)) == before
    database = cast.school_database(cast.url_of(path))
    for result in (first, second):
        lines = [line.split("  ") for line in result.stdout.splitlines()]
        people = {(words[0], words[-1]) for words in lines}
        assert len(lines) == len(people) == len(GORIZONT.people) + len(TILLEULS.people)
        assert "library" in {login for login, _ in people}
        token = dict(people)[cast.CURATOR_9A]
        identity = Tokens(cast.SECRET).identify(f"Bearer {token}", now=wall_clock())
        assert identity is not None
        assert identity.viewer == cast.viewer(database, cast.CURATOR_9A)
    line = next(line for line in first.stdout.splitlines() if line.startswith("curator.9a "))
    login, position, name, _ = [word.strip() for word in line.split("  ") if word.strip()]
    assert (login, position, name) == ("curator.9a", "CURATOR", "Соколова Елена Викторовна")
