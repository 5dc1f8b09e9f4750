"""What does somebody who imports a roster see? A bar while it lasts, then what was done, or every fault."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import TaskID

from app.commands.mistake import Mistake
from jobs.roster import BrokenRoster, Progress, import_roster
from models.database import Database


def import_set(
    database: Database, path: Path, *, preset: str | None, time_zone: str | None, locale: str | None
) -> list[str]:
    """The lines that say what was done. A set with faults: lists them on stderr and exits with 1.

    Raises Mistake for anything else that stands in the way. Nothing is written then.
    """
    try:
        with _bar() as progress:
            summary = import_roster(
                database, path, preset=preset, time_zone=time_zone, locale=locale, progress=progress
            )
    except BrokenRoster as broken:
        for line in broken.lines():
            typer.echo(line, err=True)
        typer.echo("Nothing was imported.", err=True)
        raise typer.Exit(1) from None
    except (ValueError, OSError) as error:
        raise Mistake(str(error)) from None
    return summary.lines()


@contextmanager
def _bar() -> Iterator[Progress]:
    """A bar per file and one for the schools, on a terminal only."""
    with Bars(console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as bars:
        shown: dict[str, TaskID] = {}

        def tell(what: str, done: int, of: int) -> None:
            if what not in shown:
                shown[what] = bars.add_task(what)
            bars.update(shown[what], completed=done, total=of)

        yield tell
