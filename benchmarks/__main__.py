"""Asks every question, or those that are named, and tells how the program stands to its limits.

    python -m benchmarks [QUESTION ...] [--rounds N] [--seconds S]

Exits with 1 when a must is missed.
"""

import argparse
import sys
from collections.abc import Callable

from rich.console import Console

from benchmarks import m1, q1, q2, q3
from benchmarks.ratio import Outcome, Rounds
from benchmarks.report import show
from benchmarks.stage import Stage, stage

QUESTIONS: dict[str, Callable[[Stage], Outcome]] = {each.NAME: each.run for each in (q1, q2, q3, m1)}
"""In this order: what writes comes last."""


def main() -> int:
    asked = _arguments()
    console = Console(highlight=False, width=100)
    with stage(Rounds(asked.rounds, asked.seconds)) as on:
        outcomes = [QUESTIONS[name](on) for name in asked.questions or QUESTIONS]
    for outcome in outcomes:
        show(outcome, console)
    return 0 if all(outcome.is_met for outcome in outcomes) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="The ratio benchmarks.")
    parser.add_argument("questions", nargs="*", metavar="QUESTION", help=f"among {', '.join(QUESTIONS)}; else all")
    parser.add_argument("--rounds", type=int, default=15, help="how often each target is asked")
    parser.add_argument("--seconds", type=float, default=0.6, help="how long each time")
    asked = parser.parse_args()
    if unknown := set(asked.questions) - set(QUESTIONS):
        parser.error(f"no such question: {', '.join(sorted(unknown))}")
    return asked


if __name__ == "__main__":
    sys.exit(main())
