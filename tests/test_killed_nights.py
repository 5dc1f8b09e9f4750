"""Does a night that is killed, or that two begin at once, end where one clean run ends? In real processes."""

import json
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from jobs.nightly import run_nights
from models.actor import Viewer
from models.attachments import File, expect_file, keep_file
from models.chats import change_members, found_chat
from models.database import Database
from models.migrate import migrate
from models.tables.chats import ChatKind
from models.tables.events import events
from models.tables.links import link_attempts
from models.tables.people import Position
from tests import engines
from tests.killed_nights import NIGHT, NOW, database_in, hash_of, night, open_database, rows_of
from tests.small_school import SmallSchool

ROUNDS = 50
LEARNER, CURATOR, GUARDIAN = Position.LEARNER, Position.CURATOR, Position.GUARDIAN

on_files = pytest.mark.skipif(engines.on_postgresql(), reason="compares files that are copied")
on_servers = pytest.mark.skipif(not engines.on_postgresql(), reason="a server's turn")


def make(folder: Path) -> None:
    """Three schools, each with something of everything for the next night to do."""
    folder.mkdir(parents=True)
    fill_all(database_in(folder), folder / "files")


def fill_all(database: Database, files: Path) -> None:
    migrate(database.engine)
    database.clock = lambda: NOW - timedelta(days=3)
    for name in ("North", "South", "West"):
        fill(SmallSchool(database, name), files)


def fill(school: SmallSchool, files: Path) -> None:
    for group in ("G", "H", "K"):
        school.group(group)
        school.join(group, CURATOR, f"curator.{group}")
        school.join(group, LEARNER, *(f"{group}.{number}" for number in range(4)))
        school.join(group, GUARDIAN, *(f"parent.{group}.{number}" for number in range(3)))
    school.night((NOW - timedelta(days=3)).date())
    with school.database.transaction(school.id) as tx:
        people = [school.people[login] for login in ("G.0", "H.0", "curator.G")]
        custom = found_chat(tx, school.id, ChatKind.CUSTOM, "Party", None, dict.fromkeys(people, True))
        change_members(tx, school.id, custom, joining={school.people["K.0"]: False})  # told at night
        begun = {"user_id": school.people["G.1"], "begun_at": tx.now, "state": school.name}
        tx.execute(insert(link_attempts).values(organization_id=school.id, **begun))
        for number in range(2):
            viewer, key = Viewer(school.people["G.1"], school.id), f"{school.id}/{number}"
            expect_file(tx, viewer, key)
            keep_file(tx, viewer, File(key, "a.png", "image/png", 1, "0" * 64))
            (files / key).parent.mkdir(parents=True, exist_ok=True)
            (files / key).write_bytes(b"x")
    for kind, group in ((ChatKind.GROUP, "G"), (ChatKind.GROUP, "K"), (ChatKind.TEACHERS, school.name)):
        school.call(school.chat_id(kind, group), NOW - timedelta(days=2))
    school.leave("G", LEARNER, "G.2")
    school.join("H", LEARNER, "G.2", "newcomer")
    school.end_person("H.0")
    school.end_group("K")
    school.leave("H", CURATOR, "curator.H")
    school.change_group("G", name="G+")
    school.group("New")
    school.join("New", CURATOR, "curator.H")


def files_of(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in (folder / "files").rglob("*") if path.is_file())


def run(*words: str) -> Any:
    command = [sys.executable, "-m", "tests.killed_nights", *words]
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@on_files
def test_A4_a_night_killed_anywhere_and_run_again_ends_where_one_clean_run_ends(tmp_path: Path) -> None:
    make(tmp_path / "made")
    before = rows_of(tmp_path / "made")
    assert len(files_of(tmp_path / "made")) == 6
    told = run("kill", str(tmp_path))

    clean = rows_of(tmp_path / "clean")
    assert clean != before
    assert files_of(tmp_path / "clean") == []
    assert told["commits"] == 7  # whose turn it is, three schools, and the files
    assert len(told["runs"]) > 2 * told["commits"]
    for place, (_, left, files, third, wrote_nothing) in told["runs"].items():
        assert (place, left, files) == (place, hash_of(clean), [])
        assert (third, wrote_nothing) == ([0, 0], True)
    assert {ran for (ran, _), *_ in told["runs"].values()} == {0, 1, 2, 3}


@on_files
def test_A4_two_nights_at_once_are_one(tmp_path: Path) -> None:
    """Fifty times: what one of the two has done for a school, the other leaves alone."""
    make(tmp_path / "made")
    shutil.copytree(tmp_path / "made", tmp_path / "clean")
    assert night(tmp_path / "clean") == [3, 6]
    clean = hash_of(rows_of(tmp_path / "clean"))
    told = run("race", str(tmp_path), str(ROUNDS))
    assert [sum(each["nights"]) for each in told] == [3] * ROUNDS
    assert {each["rows"] for each in told} == {clean}


@on_servers
def test_A4_two_nights_at_once_are_one_on_a_server(tmp_path: Path) -> None:
    """Fifty dates, each with something to do."""
    database = open_database(engines.new_url(tmp_path))
    fill_all(database, tmp_path / "files")
    run_nights(database, local_date=NIGHT - timedelta(days=1))
    before = changes_told(database)
    told = run("dates", database.url, str(ROUNDS))
    assert [moved for moved, *_ in told] == [3] * ROUNDS
    assert [sum(nights) for _, *nights in told] == [3] * ROUNDS
    assert changes_told(database) - before == 3 * 2 * ROUNDS  # the chats of the two classes, once each


def changes_told(database: Database) -> int:
    with database.engine.connect() as connection:
        return len(connection.execute(select(events).where(events.c.kind == "CHAT_CHANGED")).all())
