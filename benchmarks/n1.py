"""N1, the night of a region: 1,000,000 people in 1,000 schools, with nothing changed and with 0.1 % changed.

Against the set difference written by hand, on the same file, in turns; each night is a date of its own, in a
process of its own. Opt-in: the data takes minutes to make and a gigabyte to keep, below `var/`. Every night
without changes checks the one before it: where one of the two had left something undone, the other would find it.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks import region

NAME = "n1"
TITLE = "N1, the night of 1,000,000 people in 1,000 schools"
VAR = Path("var")

MUST, AIM = 2.0, 1.2
MUST_MEGABYTES, AIM_MEGABYTES = 150, 80
CHANGED = 0.001
"""The share of people who change classes before a night."""

OURS, BY_HAND = "night_of_ours", "night_by_hand"
MOST_ROUNDS = 5


@dataclass(frozen=True)
class Run:
    """One night of all schools. Seconds of the clock, seconds of CPU."""

    seconds: float
    cpu: float
    megabytes: float
    moved: int


@dataclass(frozen=True)
class Compared:
    """The nights of one kind, ours and those by hand, round by round."""

    title: str
    ours: tuple[Run, ...]
    by_hand: tuple[Run, ...]

    @property
    def x(self) -> float:
        """How many times longer ours takes: the median over the rounds."""
        return median(mine.seconds / its.seconds for mine, its in self._pairs())

    @property
    def cpu_x(self) -> float:
        return median(mine.cpu / its.cpu for mine, its in self._pairs())

    @property
    def megabytes(self) -> float:
        return max(run.megabytes for run in self.ours)

    def _pairs(self) -> list[tuple[Run, Run]]:
        return list(zip(self.ours, self.by_hand, strict=True))


@dataclass(frozen=True)
class Outcome:
    compared: tuple[Compared, ...]
    longest_hold: int
    """Milliseconds for which one school's night held the writer's lock."""

    @property
    def is_met(self) -> bool:
        return self._within(MUST, MUST_MEGABYTES)

    @property
    def verdict(self) -> str:
        if not self.is_met:
            return "MISSED"
        return "met, and the aim" if self._within(AIM, AIM_MEGABYTES) else "met, not the aim"

    def _within(self, x: float, megabytes: float) -> bool:
        return all(one.x <= x and one.megabytes <= megabytes for one in self.compared)

    def show(self, console: Console) -> None:
        table = Table(box=None, pad_edge=False)
        table.add_column("", no_wrap=True)
        for column in ("seconds", "x", "CPU s", "CPU x", "MB", "people moved"):
            table.add_column(column, justify="right")
        for one in self.compared:
            table.add_row(f"{one.title}, by hand", *_cells(one.by_hand))
            table.add_row(f"{one.title}, Préau", *_cells(one.ours, f"{one.x:.2f}", f"{one.cpu_x:.2f}"))
        table.add_row("must / aim", "", f"{MUST} / {AIM}", "", "", f"{MUST_MEGABYTES} / {AIM_MEGABYTES}")
        console.print(TITLE, soft_wrap=True)
        console.print(table)
        console.print(f"The writer's lock was held for at most {self.longest_hold} ms per school.")
        console.print(f"Must: {self.verdict}.\n", soft_wrap=True)


def run(rounds: int, folder: Path = VAR, schools: int = region.SCHOOLS) -> Outcome:
    """Raises AssertionError where the two do not do the same."""
    made = region.kept(folder, schools)
    dates = _unused_dates(made)
    choose = Random(2026)
    unchanged: list[dict[str, Run]] = []
    changed: list[dict[str, Run]] = []
    hold = 0
    for number in range(max(1, min(rounds, MOST_ROUNDS))):
        order = (OURS, BY_HAND) if number % 2 else (BY_HAND, OURS)
        for runs, share in ((changed, CHANGED), (unchanged, 0.0)):
            runs.append({})
            for module in order:
                moved = region.move_some(made, choose, share)
                local_date = next(dates)
                runs[-1][module] = _night(module, made, local_date)
                assert bool(runs[-1][module].moved) == bool(moved), "somebody was forgotten"
                if module == OURS:
                    hold = max(hold, region.longest_night(made, local_date))
    compared = (_compared("nothing changed", unchanged), _compared("0.1 % changed", changed))
    return Outcome(compared, hold)


def _compared(title: str, runs: Sequence[dict[str, Run]]) -> Compared:
    return Compared(title, tuple(each[OURS] for each in runs), tuple(each[BY_HAND] for each in runs))


def _night(module: str, made: region.Region, local_date: date) -> Run:
    words = [sys.executable, "-m", f"benchmarks.{module}", str(made.path), local_date.isoformat()]
    done = subprocess.run(words, capture_output=True, check=True, text=True)
    return Run(**json.loads(done.stdout))


def _unused_dates(made: region.Region) -> Iterator[date]:
    day = region.last_night(made)
    while True:
        day += timedelta(days=1)
        yield day


def _cells(runs: Sequence[Run], x: str = "1.00", cpu_x: str = "1.00") -> tuple[str, ...]:
    return (
        f"{median(run.seconds for run in runs):.2f}",
        x,
        f"{median(run.cpu for run in runs):.2f}",
        cpu_x,
        f"{max(run.megabytes for run in runs):.0f}",
        f"{median(run.moved for run in runs):,.0f}",
    )
