"""What does somebody see who runs the night at a terminal, or asks about past ones?"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from app.commands.mistake import Mistake
from jobs.night import told
from jobs.nightly import Progress, run_nights
from jobs.past_nights import PastNight, PastNights, past_nights
from models.database import Database


def run(database: Database, *, local_date: date | None, organization: str | None) -> Iterator[str]:
    """One line per night that ran now. Raises Mistake for an organization that is not there, or a date beyond the
    calendar."""
    try:
        with _bar() as progress:
            nights = run_nights(database, local_date=local_date, organization=organization, progress=progress)
    except ValueError as error:
        raise Mistake(str(error)) from None
    except OverflowError:
        raise Mistake(f"{local_date}: beyond the calendar") from None
    yield from (night.line() for night in nights)
    if not nights:
        yield "Nothing to do: the night has run in every organization that was asked for."


def show_status(database: Database, *, organization: str | None, most: int) -> None:
    """A table on a terminal, plain lines else. Raises Mistake for an organization that is not there."""
    try:
        past = past_nights(database, organization=organization, most=most)
    except ValueError as error:
        raise Mistake(str(error)) from None
    if sys.stdout.isatty():
        Console().print(_table(past.nights))
    else:
        for night in past.nights:
            typer.echo(night.line())
    for line in _notes(past):
        typer.echo(line)


def _notes(past: PastNights) -> Iterator[str]:
    if not past.nights:
        yield "No night has run yet."
    for name in past.missing:
        yield f"{name}: today's night has not run yet; the server runs it, or: python -m app nightly"


def _table(nights: Sequence[PastNight]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("Organization", "Night of", "Began"):
        table.add_column(heading)
    table.add_column("Took", justify="right")
    table.add_column("Changes")
    for night in nights:
        table.add_row(
            Text(night.organization),  # a name is no markup
            str(night.local_date),
            f"{night.began:%Y-%m-%d %H:%M:%S %z}",
            f"{night.milliseconds} ms",
            told(night.did),
        )
    return table


@contextmanager
def _bar() -> Iterator[Progress]:
    """How many schools are done, on a terminal only."""
    columns = (TextColumn("schools"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as bars:
        task = bars.add_task("schools", total=None)

        def tell(done: int, of: int) -> None:
            bars.update(task, completed=done, total=of)

        yield tell
