"""How is a database copied while the server writes in it? SQLite's own way: whole, as of one moment.

It does not migrate and holds nobody up, so it may be run just before an upgrade. The files of messages are copied
after it, by whatever copies folders: each file that the copy names was there before.
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import make_url

from app.commands.mistake import Mistake

PRIVATE = 0o600
"""Who may read it: it holds what people wrote to each other."""


def back_up(database_url: str, to: Path, *, told: Callable[[str], None]) -> None:
    """Copies the database to this file, which is there whole or not at all. Raises Mistake."""
    address = make_url(database_url)
    if address.get_backend_name() != "sqlite":
        raise Mistake("PREAU_DATABASE_URL: this is for SQLite; for PostgreSQL use pg_dump")
    source = Path(address.database or "")
    if not source.is_file():
        raise Mistake(f"{source}: there is no database")
    if to.exists():
        raise Mistake(f"{to}: is there already")
    unfinished = to.with_name(f"{to.name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE))
        _copy(source, unfinished)
        os.link(unfinished, to)  # unlike a renaming, this takes nobody's place
    except FileExistsError:
        raise Mistake(f"{to}: is there already") from None
    except (OSError, sqlite3.Error) as error:
        raise Mistake(f"{to}: {error}") from None
    finally:
        unfinished.unlink(missing_ok=True)
    told(f"{to}: {to.stat().st_size} bytes.")


def _copy(source: Path, to: Path) -> None:
    """All pages in one step, as of its beginning; whoever writes meanwhile goes on in the write-ahead log."""
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True)) as live,
        closing(sqlite3.connect(to)) as copy,
    ):
        live.backup(copy, pages=-1)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it
    with to.open("rb+") as file:
        os.fsync(file.fileno())
