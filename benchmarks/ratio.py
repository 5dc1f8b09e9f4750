"""How many times slower than the limit? Targets asked in turns within one run, and the median of their ratios.

Whatever else a machine does disturbs it for seconds at a time. So rounds are short and many, each asks every
target, in an order of its own, and a ratio is taken within its round. No absolute time is ever judged.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.load import Client, Load
from benchmarks.servers import Server

CONNECTIONS = 16
WARM_UP_SECONDS = 1.0


@dataclass(frozen=True)
class Target:
    """What is asked where: one request, as it goes over the wire."""

    name: str
    server: Server
    request: bytes


@dataclass(frozen=True)
class Rounds:
    count: int
    seconds: float


@dataclass(frozen=True)
class Bounds:
    """How many times the limit's time and CPU per request may be used; CPU at will where nothing is said of it."""

    must: float
    aim: float
    must_cpu: float = math.inf
    aim_cpu: float = math.inf


@dataclass(frozen=True)
class Figures:
    """What was measured of one target: medians over the rounds. Times in nanoseconds.

    `x` is the limit's requests per second divided by this target's, `x_range` its lowest and highest round;
    `cpu_x` compares the CPU per request. `busy`: the part of one core that the client used at most.
    """

    name: str
    per_second: float
    x: float
    x_range: tuple[float, float]
    cpu: float
    cpu_x: float
    p50: float
    p99: float
    busy: float


@dataclass(frozen=True)
class Outcome:
    """The limit first, the target last. `notes` say what else the reader should know."""

    title: str
    bounds: Bounds
    figures: tuple[Figures, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_met(self) -> bool:
        return self._within(self.bounds.must, self.bounds.must_cpu)

    @property
    def verdict(self) -> str:
        if not self.is_met:
            return "MISSED"
        return "met, and the aim" if self._within(self.bounds.aim, self.bounds.aim_cpu) else "met, not the aim"

    def _within(self, x: float, cpu_x: float) -> bool:
        return self.figures[-1].x <= x and self.figures[-1].cpu_x <= cpu_x


def compare(client: Client, targets: Sequence[Target], rounds: Rounds) -> tuple[Figures, ...]:
    """Asks the targets in turns; the first is the limit that the others are held against."""
    for target in targets:
        client.ask(target.server.port, target.request, connections=CONNECTIONS, seconds=WARM_UP_SECONDS)
    taken: list[list[_Round]] = [[] for _ in targets]
    for number in range(rounds.count):
        for place in range(len(targets)):
            turn = (number + place) % len(targets)
            taken[turn].append(_ask(client, targets[turn], rounds.seconds))
    return tuple(_figures(target, own, taken[0]) for target, own in zip(targets, taken, strict=True))


@dataclass(frozen=True)
class _Round:
    load: Load
    cpu: float
    """Nanoseconds per request, of the server."""


def _ask(client: Client, target: Target, seconds: float) -> _Round:
    before = target.server.cpu()
    load = client.ask(target.server.port, target.request, connections=CONNECTIONS, seconds=seconds)
    return _Round(load, (target.server.cpu() - before) / load.requests)


def _figures(target: Target, own: list[_Round], limit: list[_Round]) -> Figures:
    pairs = [*zip(own, limit, strict=True)]
    ratios = [its.load.per_second / mine.load.per_second for mine, its in pairs]
    return Figures(
        name=target.name,
        per_second=median(each.load.per_second for each in own),
        x=median(ratios),
        x_range=(min(ratios), max(ratios)),
        cpu=median(each.cpu for each in own),
        cpu_x=median(mine.cpu / its.cpu for mine, its in pairs),
        p50=median(each.load.p50 for each in own),
        p99=median(each.load.p99 for each in own),
        busy=max(each.load.busy for each in own),
    )
