"""Nights in processes of their own: killed at a statement, or two at once. Run by `test_killed_nights`.

    python -m tests.killed_nights kill FOLDER      python -m tests.killed_nights race FOLDER ROUNDS
    python -m tests.killed_nights dates URL ROUNDS

Each process is a fork of this one, which has opened nothing: that is what makes fifty of them quick.
"""

import hashlib
import json
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import event, insert, select, update

from app.storage import Storage
from jobs.nightly import run_nights
from jobs.orphans import remove_files
from models.database import Database
from models.tables.people import groups, memberships, users
from tests.school import Heard

NOW = datetime(2026, 9, 9, 20, 0, tzinfo=UTC)
NIGHT = date(2026, 9, 10)
EVERY = 20
"""Besides the commits, every so many statements somebody is killed."""


class SameAddresses(Heard):
    """Two runs can be compared to the letter."""

    def chat_url(self) -> str:
        return "/messenger/chats/x"


def database_in(folder: Path) -> Database:
    return open_database(f"sqlite:///{folder}/preau.db")


def open_database(url: str) -> Database:
    return Database(url, messenger=SameAddresses("x" * 40), clock=lambda: NOW)


def night(folder: Path, heard: Callable[[str], None] | None = None) -> list[int]:
    """What the command does; how many nights ran, and how many files were removed."""
    database = database_in(folder)
    if heard is not None:
        hear = heard

        @event.listens_for(database.engine, "before_cursor_execute")
        def before(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            hear(statement)

    nights = run_nights(database, local_date=NIGHT)
    return [len(nights), remove_files(database, Storage(f"file:{folder}/files"))]


def forked(work: Callable[[], Any]) -> Callable[[], Any]:
    """Starts this in a process of its own; called, what it gave, or None when it was killed."""
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        status = 1
        try:
            os.write(writer, json.dumps(work()).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(writer)

    def wait() -> Any:
        with os.fdopen(reader) as answer:
            text = answer.read()
        _, ended = os.waitpid(process, 0)
        if os.WIFSIGNALED(ended) and os.WTERMSIG(ended) == signal.SIGKILL:
            return None
        if ended != 0:
            raise SystemExit("a night failed")
        return json.loads(text)

    return wait


def killed_before(folder: Path, number: int) -> None:
    """Runs the night up to this statement, counted from 1."""
    count = 0

    def heard(_: str) -> None:
        nonlocal count
        count += 1
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)

    if forked(lambda: night(folder, heard=heard))() is not None:
        raise SystemExit(f"nobody was killed at statement {number}")


def run_twice(folder: Path) -> list[Any]:
    """What the first run did and left in the tables and files, then what the second did, and whether it wrote."""
    first, left = night(folder), hash_of(rows_of(folder))
    files = [path.name for path in (folder / "files").rglob("*") if path.is_file()]
    return [first, left, files, night(folder), hash_of(rows_of(folder)) == left]


def kill(folder: Path) -> dict[str, Any]:
    """Per place where a night was killed, what two more runs did. FOLDER/made is the school before the night."""
    made = folder / "made"

    def clean() -> list[str]:
        statements: list[str] = []
        night(folder / "clean", heard=statements.append)
        return statements

    shutil.copytree(made, folder / "clean")
    statements = forked(clean)()
    commits = [number for number, text in enumerate(statements, start=1) if text == "COMMIT"]
    places = sorted({*commits, *(number + 1 for number in commits), *range(1, len(statements) + 1, EVERY)})
    runs = {}
    for place in [place for place in places if place <= len(statements)]:
        here = folder / f"killed-{place}"
        shutil.copytree(made, here)
        killed_before(here, place)
        runs[place] = forked(partial(run_twice, here))()
    return {"commits": len(commits), "runs": runs}


def race(folder: Path, rounds: int) -> list[dict[str, Any]]:
    """Of each round: how many nights each of two processes ran that began at once, and what it came to."""
    told = []
    for _ in range(rounds):
        here = folder / "race"
        shutil.copytree(folder / "made", here)
        counts = at_once(partial(night, here))
        told.append({"nights": [count[0] for count in counts], "rows": hash_of(rows_of(here))})
        shutil.rmtree(here)
    return told


def dates(url: str, rounds: int) -> list[list[int]]:
    """Of each date: how many nights each of two processes ran that began at once. Before each, in every school a
    learner of one class goes to another, or back."""
    told = []
    for number in range(rounds):
        moved = forked(partial(move_learners, url))()
        told.append([moved, *at_once(partial(nights_of, url, NIGHT + timedelta(days=number)))])
    return told


def at_once(work: Callable[[], Any]) -> list[Any]:
    """What two processes gave that did this at the same moment."""
    start, fire = os.pipe()

    def begin() -> Any:
        os.read(start, 1)
        return work()

    waiting = [forked(begin), forked(begin)]
    os.write(fire, b"gg")
    given = [wait() for wait in waiting]
    os.close(start)
    os.close(fire)
    return given


def nights_of(url: str, on: date) -> int:
    return len(run_nights(open_database(url), local_date=on))


def move_learners(url: str) -> int:
    """How many went."""
    groups_of = {"G+": "H", "H": "G+"}
    with open_database(url).transaction() as tx:
        known = select(groups.c.id, groups.c.name, groups.c.organization_id).where(groups.c.name.in_(groups_of))
        by_name = {(row.organization_id, row.name): row.id for row in tx.execute(known)}
        moving = tx.execute(
            select(memberships.c.id, memberships.c.user_id, groups.c.name, groups.c.organization_id)
            .join(groups, groups.c.id == memberships.c.group_id)
            .join(users, users.c.id == memberships.c.user_id)
            .where(users.c.login == "G.0", groups.c.name.in_(groups_of), memberships.c.until.is_(None))
        ).all()
        for row in moving:
            tx.execute(update(memberships).where(memberships.c.id == row.id).values(until=tx.now))
            home = by_name[row.organization_id, groups_of[row.name]]
            place = {"group_id": home, "user_id": row.user_id, "position": "LEARNER", "since": tx.now}
            tx.execute(insert(memberships).values(organization_id=row.organization_id, **place))
    return len(moving)


def rows_of(folder: Path) -> list[str]:
    """Everything that is stored, in the order of its keys."""
    with closing(sqlite3.connect(folder / "preau.db")) as connection:
        return [line for line in connection.iterdump() if line.startswith("INSERT")]


def hash_of(rows: list[str]) -> str:
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def main(what: str, where: str, rounds: str = "0") -> Any:
    if what == "kill":
        return kill(Path(where))
    return race(Path(where), int(rounds)) if what == "race" else dates(where, int(rounds))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*sys.argv[1:])))
