"""What does the program count? Figures for Prometheus, kept by one application, each process its own.

Labels have few values, all of them the program's own: nothing that a client or a person wrote becomes one.
"""

import platform
import tomllib
from datetime import datetime
from functools import cache
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from strawberry.types.graphql import OperationType

from models.backlog import Backlog

KINDS = (*(kind.value for kind in OperationType), "none")
"""What an operation was; `none`: it was refused before that was clear."""

OUTCOMES = ("answered", "with_errors", "refused", "failed")
"""Without an error; with errors beside the data; refused before it began; with a fault of ours."""

CODES = (
    "BAD_REQUEST",
    "INTERNAL",
    "LIMIT_EXCEEDED",
    "NOT_FOUND",
    "RATE_LIMITED",
    "UNAUTHENTICATED",
    "UNAVAILABLE",
)
OTHER_CODE = "OTHER"

SECONDS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of what requests and wake-ups take."""

ROOT = Path(__file__).parents[1]

disable_created_metrics()  # type: ignore[no-untyped-call]

_ERRORS = Counter("preau_errors_total", "Errors told to clients, by their code.", ["code"], registry=None)
_BY_CODE = {code: _ERRORS.labels(code) for code in (*CODES, OTHER_CODE)}

DELIVERIES = Counter("preau_deliveries_total", "Events that went out to subscriptions.", registry=None)
"""This one, and the errors, are counted where no application is at hand: for the whole process."""


def count_error(code: str) -> None:
    """An error that a client reads."""
    _BY_CODE[code if code in _BY_CODE else OTHER_CODE].inc()


class Metrics:
    """The public ones are told of what happens; `page` is what Prometheus reads."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        for each in (ProcessCollector(registry=None), _ERRORS, DELIVERIES):
            self._registry.register(each)
        build = self._gauge("preau_build_info", "The version that runs; always 1.", "version", "python")
        build.labels(version(), platform.python_version()).set(1)

        requests = self._counter("preau_requests_total", "Operations that were answered.", "operation", "outcome")
        self._requests = {
            (kind, outcome): requests.labels(kind, outcome) for kind in KINDS for outcome in OUTCOMES
        }
        seconds = self._histogram(
            "preau_request_seconds", "From reading a query or mutation to its answer.", "operation"
        )
        self._seconds = {kind: seconds.labels(kind) for kind in KINDS}

        self.sockets = self._gauge("preau_sockets", "WebSockets that are open.")
        self.listeners = self._gauge("preau_listeners", "Subscriptions that wait for events.")
        self.wake_up_seconds = self._histogram(
            "preau_wake_up_seconds", "From a commit to waking the listeners whom it concerns."
        )

        self._database = self._gauge("preau_database_up", "Whether the database answers: 1 or 0.")
        waiting = self._gauge(
            "preau_outbox_waiting", "Commands that wait for the messenger, or for the night.", "waits_for"
        )
        self._for_messenger, self._for_night = waiting.labels("messenger"), waiting.labels("night")
        self._oldest = self._gauge(
            "preau_outbox_oldest_seconds", "Age of the oldest command that waits for the messenger."
        )
        self._dead = self._gauge("preau_outbox_dead", "Commands that the messenger never took: dead letters.")
        self._nights = self._gauge(
            "preau_nights_recent", "Schools whose latest nightly run was in the last 26 hours."
        )
        self._last_night = self._gauge("preau_night_latest_timestamp_seconds", "When the latest nightly run was.")
        self._late_night = self._gauge(
            "preau_night_oldest_timestamp_seconds",
            "When the latest nightly run was of the school where that is longest ago.",
        )

    def answered(self, kind: str, outcome: str, seconds: float) -> None:
        """One operation: one of `KINDS`, one of `OUTCOMES`, and how long it took."""
        self._requests[kind, outcome].inc()
        self._seconds[kind].observe(seconds)

    def stands(self, backlog: Backlog | None, now: datetime) -> None:
        """What is in the database now; None when it does not answer."""
        self._database.set(backlog is not None)
        if backlog is None:
            return
        self._for_messenger.set(backlog.ready)
        self._for_night.set(backlog.for_night)
        self._oldest.set((now - (backlog.oldest or now)).total_seconds())
        self._dead.set(backlog.dead)
        self._nights.set(backlog.nights)
        for gauge, moment in ((self._last_night, backlog.latest_night), (self._late_night, backlog.oldest_night)):
            gauge.set(0 if moment is None else moment.timestamp())

    def page(self) -> bytes:
        """All of them, in the text format of Prometheus."""
        return generate_latest(self._registry)

    def names(self) -> list[str]:
        """What they are called on the page."""
        return sorted(
            f"{each.name}_total" if each.type == "counter" else each.name for each in self._registry.collect()
        )

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(name, what, labels, registry=self._registry)

    def _gauge(self, name: str, what: str, *labels: str) -> Gauge:
        return Gauge(name, what, labels, registry=self._registry)

    def _histogram(self, name: str, what: str, *labels: str) -> Histogram:
        return Histogram(name, what, labels, registry=self._registry, buckets=SECONDS)


@cache
def version() -> str:
    """Of the program, as pyproject.toml has it."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        found: str = tomllib.load(file)["project"]["version"]
    return found
