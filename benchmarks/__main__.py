"""Asks every question, or those that are named, and tells how the program stands to its limits.

    python -m benchmarks [QUESTION ...] [--rounds N] [--seconds S]

`n1` is asked only when it is named: it keeps a gigabyte of data.

Exits with 1 when a must is missed.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Protocol

from rich.console import Console

from benchmarks import m1, n1, q1, q2, q3, s1
from benchmarks.ratio import Outcome, Rounds
from benchmarks.report import show
from benchmarks.stage import Stage, stage

QUESTIONS: dict[str, Callable[[Stage], Outcome]] = {each.NAME: each.run for each in (q1, q2, q3, m1)}
"""In this order: what writes comes last."""


class Shown(Protocol):
    @property
    def is_met(self) -> bool: ...

    def show(self, console: Console) -> None: ...


ALONE: dict[str, Callable[[int], Shown]] = {s1.NAME: s1.run, n1.NAME: n1.run}
"""Those that have a stage of their own, and take the number of rounds."""

ON_REQUEST = frozenset({n1.NAME})


def main() -> int:
    asked = _arguments()
    console = Console(highlight=False, width=100)
    wanted = asked.questions or [name for name in (*QUESTIONS, *ALONE) if name not in ON_REQUEST]
    names = [name for name in wanted if name in QUESTIONS]
    outcomes = _on_stage(names, Rounds(asked.rounds, asked.seconds)) if names else []
    alone = [ALONE[name](asked.rounds) for name in wanted if name in ALONE]
    for outcome in outcomes:
        show(outcome, console)
    for found in alone:
        found.show(console)
    met = [outcome.is_met for outcome in outcomes] + [found.is_met for found in alone]
    return 0 if all(met) else 1


def _on_stage(names: Sequence[str], rounds: Rounds) -> list[Outcome]:
    with stage(rounds) as on:
        return [QUESTIONS[name](on) for name in names]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="The ratio benchmarks.")
    known = {**QUESTIONS, **ALONE}
    parser.add_argument(
        "questions",
        nargs="*",
        metavar="QUESTION",
        help=f"among {', '.join(known)}; else all but {', '.join(ON_REQUEST)}",
    )
    parser.add_argument("--rounds", type=int, default=15, help="how often each target is asked")
    parser.add_argument("--seconds", type=float, default=0.6, help="how long each time")
    asked = parser.parse_args()
    if unknown := set(asked.questions) - set(known):
        parser.error(f"no such question: {', '.join(sorted(unknown))}")
    return asked


if __name__ == "__main__":
    sys.exit(main())
