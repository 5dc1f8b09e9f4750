"""How is it told? One table for each question, for a terminal."""

import math

from rich.console import Console
from rich.table import Table

from benchmarks.ratio import Figures, Outcome


def show(outcome: Outcome, console: Console) -> None:
    """The figures, the bounds beside them, and whether they are kept."""
    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    for column in ("requests/s", "x", "rounds", "CPU us", "CPU x", "p50 ms", "p99 ms"):
        table.add_column(column, justify="right")
    for each in outcome.figures:
        table.add_row(*_cells(each))
    bounds = outcome.bounds
    cpu = "" if math.isinf(bounds.must_cpu) else f"{bounds.must_cpu} / {bounds.aim_cpu}"
    table.add_row("must / aim", "", f"{bounds.must} / {bounds.aim}", "", "", cpu)
    console.print(outcome.title, soft_wrap=True)
    console.print(table)
    for note in outcome.notes:
        console.print(note, soft_wrap=True)
    console.print(f"Must: {outcome.verdict}.\n", soft_wrap=True)


def _cells(each: Figures) -> tuple[str, ...]:
    low, high = each.x_range
    return (
        each.name,
        f"{each.per_second:,.0f}",
        f"{each.x:.2f}",
        f"{low:.2f}-{high:.2f}",
        f"{each.cpu / 1e3:.0f}",
        f"{each.cpu_x:.2f}",
        f"{each.p50 / 1e6:.2f}",
        f"{each.p99 / 1e6:.2f}",
    )
