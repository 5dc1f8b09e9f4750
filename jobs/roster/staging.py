"""Where does a set wait until it is checked? In a private temporary database, so that memory stays small."""

import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from jobs.roster import keyless
from jobs.roster.columns import ROLES, SOURCED_ID, STATUS, Column, Layout
from jobs.roster.faults import Findings
from jobs.roster.files import UNREADABLE, Files
from jobs.roster.headers import understood
from jobs.roster.rows import TornFile, read_rows

TABLES = {
    "orgs": ("id", "active", "name", "type", "parent", "kind"),
    "users": (
        *("id", "active", "enabled", "login", "given", "family", "middle", "agents", "position"),
        *("role", "orgs"),
    ),
    "roles": ("id", "active", "person", "type", "role", "org", "position"),
    "relationships": ("id", "active", "person", "other", "role"),
    "courses": ("id", "active", "title", "org"),
    "classes": ("id", "active", "title", "type", "course", "school", "kind", "parent"),
    "enrollments": ("id", "active", "class", "person", "role", "school", "is_primary", "position"),
}
"""The files as they are staged, beside the line of each row; 0: a row remembered from an earlier set."""

DOUBLED = """
SELECT {table}.rowid, line, first
FROM {table} JOIN (SELECT id, min(line) AS first FROM {table} GROUP BY id HAVING count(*) > 1) USING (id)
WHERE line > first
"""

BATCH = 5000
Staging = sqlite3.Connection


@contextmanager
def open_staging() -> Iterator[Staging]:
    """An empty staging database that only this user can read, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="preau-import-") as directory:
        staging = sqlite3.connect(Path(directory) / "staging.db", isolation_level=None)
        try:
            for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -16384"):
                staging.execute(f"PRAGMA {pragma}")
            for table, columns in TABLES.items():
                staging.execute(f"CREATE TABLE {table} (line, {', '.join(_quoted(columns))})")
                staging.execute(f"CREATE INDEX {table}_id ON {table} (id)")
            staging.execute("CREATE TABLE positions (role TEXT PRIMARY KEY, position TEXT)")
            nobody = dict.fromkeys(keyless.NOBODY)
            staging.executemany("INSERT INTO positions VALUES (?, ?)", (ROLES | nobody).items())
            yield staging
        finally:
            staging.close()


def stage(
    staging: Staging,
    layout: Layout,
    files: Files,
    findings: Findings,
    *,
    passed: Callable[[int], None],
    may_be_empty: bool,
) -> None:
    """Reads one file into its table. What is wrong with the file itself is among the findings afterwards.

    Of a row that is to be deleted only that by which it is known must be right. `may_be_empty`: a file without
    even a header says nothing, and is no mistake.
    """

    def tell(line: int, reason: str) -> None:
        findings.fault(layout.file, line, None, reason)
        findings.damaged.add(layout.table)

    names = ("line", *(column.name for column in layout.columns))
    try:
        with files.open(layout.file) as stream:
            rows = read_rows(stream, tell, passed)
            parsed = _parsed(layout, rows, findings, may_be_empty=may_be_empty)
            while batch := list(islice(parsed, BATCH)):
                add(staging, layout.table, names, batch)
    except TornFile:
        pass
    except UNREADABLE as error:
        findings.fault(layout.file, None, None, f"cannot be read: {error}")
        findings.damaged.add(layout.table)
    _drop_doubled(staging, layout, findings)


def _drop_doubled(staging: Staging, layout: Layout, findings: Findings) -> None:
    """A sourcedId must not stand twice. Who says twice the same without one is heard once."""
    doubled = staging.execute(DOUBLED.format(table=layout.table)).fetchall()
    for row, line, first in doubled:
        if not layout.identity:
            findings.fault(layout.file, line, SOURCED_ID.header, f"is already the sourcedId of line {first}")
        staging.execute(f"DELETE FROM {layout.table} WHERE rowid = ?", (row,))
    if doubled and layout.identity:
        line = min(line for _, line, _ in doubled)
        findings.note(f"{layout.file}: rows that stand there twice: {len(doubled)} (first in line {line})")


def add(staging: Staging, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    staging.execute("BEGIN")
    marks = ", ".join("?" * len(columns))
    staging.executemany(f"INSERT INTO {table} ({', '.join(_quoted(columns))}) VALUES ({marks})", rows)
    staging.execute("COMMIT")


def add_unknown(staging: Staging, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Adds remembered rows, but none whose id is there already."""
    marks = ", ".join(f"?{place}" for place in range(1, len(columns) + 1))
    own = f"?{columns.index('id') + 1}"
    staging.execute("BEGIN")
    staging.executemany(
        f"INSERT INTO {table} (line, {', '.join(_quoted(columns))}) SELECT 0, {marks}"
        f" WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE id = {own})",
        rows,
    )
    staging.execute("COMMIT")


def _quoted(columns: Iterable[str]) -> list[str]:
    return [f'"{column}"' for column in columns]


def _parsed(
    layout: Layout, rows: Iterator[tuple[int, list[str]]], findings: Findings, *, may_be_empty: bool
) -> Iterator[tuple[Any, ...]]:
    """(line, the values of the layout's columns in their order), without rows that have no sourcedId."""
    line, header = next(rows, (1, []))
    if not header and may_be_empty:
        return
    header = understood(layout, header, findings)
    if not _is_sound(layout, line, header, findings):
        findings.damaged.add(layout.table)
        return
    places = [header.index(column.header) if column.header in header else None for column in layout.columns]
    fields = list(zip(places, layout.columns, strict=True))
    own, stays = layout.columns.index(layout.own), layout.columns.index(STATUS)
    telling = [layout.columns.index(column) for column in layout.telling]
    for line, row in rows:
        if len(row) != len(header):
            findings.fault(layout.file, line, None, f"{len(row)} fields instead of {len(header)}")
            findings.damaged.add(layout.table)
            continue
        values: list[Any] = []
        faults: list[tuple[Column, str]] = []
        for place, column in fields:
            try:
                values.append(column.parse("" if place is None else row[place]))
            except ValueError as wrong:
                values.append(None)
                faults.append((column, str(wrong)))
        for column, reason in faults:
            if column in layout.telling or values[stays] != 0:
                findings.fault(layout.file, line, column.header, reason)
        if any(column in layout.telling for column, _ in faults):
            findings.damaged.add(layout.table)
            continue
        if layout.identity:
            values[own] = values[own] or json.dumps([values[place] for place in telling], ensure_ascii=False)
        yield line, *values


def _is_sound(layout: Layout, line: int, header: list[str], findings: Findings) -> bool:
    """Whether the header has every column once that the file needs."""
    faults = len(findings.faults) + findings.more
    for column in layout.columns:
        if column.required and column.header not in header:
            findings.fault(layout.file, line, column.header, "this column is required and missing")
    known = {column.header for column in layout.columns}
    for name in dict.fromkeys(header):
        if name in known and header.count(name) > 1:
            findings.fault(layout.file, line, name, "this column is there twice")
        elif name not in known | layout.unread and not name.startswith("metadata."):
            findings.note(f'{layout.file}: unknown column "{name[:40]}", not read')
    return faults == len(findings.faults) + findings.more
