"""Is anything lost, doubled or out of order while servers are killed, lines cut and the database restarted?

    python -m tests.faults.deliveries [--messages 20000] [--kills 20] [--only NAME ...]

Sets everything up itself and judges from outside, by `delivery.py` of the checks beside the project. One line for
each trial: what it counted, and how many violations. Ends with 1 when there is one.
"""

import argparse
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from subprocess import PIPE, STDOUT
from typing import NamedTuple

from tests.engines import PostgresServer
from tests.faults.scene import (
    CHECKS,
    FIRST_PORT,
    Scene,
    faults_logged,
    group_of_two,
    on_a_file,
    on_postgresql,
    say,
)
from tests.school import CURATOR_9A, LEARNER_9A

BETWEEN_RESTARTS = 6.0
"""Seconds between two crashes of the database."""

AWAY = 1.0
"""Seconds for which it is gone each time."""


class Terms(NamedTuple):
    messages: int
    kills: int


class Trial:
    """One run of the check against servers of one database."""

    def __init__(self, scene: Scene, terms: Terms, *, port: int) -> None:
        self.scene = scene
        self.terms = terms
        self.port = port
        with scene.server(port) as server:
            self.conversation = group_of_two(scene, server.url)

    def judge(self, *, url: str, through: str | None = None) -> tuple[bool, str]:
        """Whether nothing was violated, and what was counted. The server on our port is started and killed by the
        check."""
        tokens = ",".join(self.scene.token(login) for login in (CURATOR_9A, LEARNER_9A))
        command = [sys.executable, str(CHECKS / "delivery.py"), f"{url}/graphql"]
        command += ["--conversation", self.conversation, "--tokens", tokens, "--cut", "1.5"]
        command += ["--messages", str(self.terms.messages), "--kills", str(self.terms.kills)]
        command += ["--server", self.scene.command(self.port)]
        if through is not None:
            command += ["--through", f"{through}/graphql"]
        began = time.monotonic()
        try:
            done = subprocess.run(
                command, cwd=self.scene.folder, stdout=PIPE, stderr=STDOUT, text=True, check=False
            )
        finally:
            self.scene.end_what_is_left()
        lines = [line[:300] for line in done.stdout.splitlines()] or ["no word"]
        told = [f"{time.monotonic() - began:.0f} s", *lines[:4], *lines[4:][-1:]]
        return done.returncode == 0, "; ".join(told) + faults_logged(self.scene.folder / "delivery-server.log")


def on_one_file(terms: Terms) -> tuple[bool, str]:
    """SQLite, its one server killed."""
    with on_a_file() as scene:
        trial = Trial(scene, terms, port=FIRST_PORT + 1)
        return trial.judge(url=f"http://127.0.0.1:{FIRST_PORT + 1}")


def through_cuts(terms: Terms) -> tuple[bool, str]:
    """The same, and the line between clients and server is cut, slow, and carries seven bytes at a time."""
    with on_a_file() as scene:
        trial = Trial(scene, terms, port=FIRST_PORT + 1)
        faults = ["--cut-every", "3", "--slice", "7", "--latency-ms", "1", "--jitter-ms", "3"]
        with _running(str(CHECKS / "faultproxy.py"), str(FIRST_PORT), f"127.0.0.1:{FIRST_PORT + 1}", *faults):
            direct, proxied = (f"http://127.0.0.1:{port}" for port in (FIRST_PORT + 1, FIRST_PORT))
            return trial.judge(url=direct, through=proxied)


def on_two_servers(terms: Terms) -> tuple[bool, str]:
    """PostgreSQL, two servers behind a balancer: one of them is killed, and the database crashes in between."""
    with on_postgresql() as (scene, postgres):
        trial = Trial(scene, terms, port=FIRST_PORT + 2)
        ports = [str(FIRST_PORT + number) for number in range(3)]
        with scene.server(FIRST_PORT + 1) as other, _running("-m", "tests.faults.balancer", *ports):
            with _crashing(postgres) as crashes:
                holds, told = trial.judge(url=f"http://127.0.0.1:{FIRST_PORT}")
            return holds, f"{told}; {len(crashes)} crashes of the database{faults_logged(other.log)}"


TRIALS: dict[str, Callable[[Terms], tuple[bool, str]]] = {
    "file": on_one_file,
    "cuts": through_cuts,
    "servers": on_two_servers,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--only", nargs="+", choices=TRIALS, default=list(TRIALS))
    given = parser.parse_args()
    if not (CHECKS / "delivery.py").exists():
        say(f"skipped: there is no delivery.py in {CHECKS}")
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # what runs beside us ends with us
    all_hold = True
    for name in given.only:
        holds, told = TRIALS[name](Terms(given.messages, given.kills))
        say(f"{name}: {'holds' if holds else 'VIOLATED'}, {told}")
        all_hold &= holds
    raise SystemExit(0 if all_hold else 1)


@contextmanager
def _running(*command: str) -> Iterator[None]:
    """Something in Python beside us, until the end of the `with`."""
    process = subprocess.Popen([sys.executable, *command], stdin=subprocess.DEVNULL)
    try:
        time.sleep(0.5)
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _crashing(postgres: PostgresServer) -> Iterator[list[float]]:
    """Meanwhile the database crashes again and again, and comes back."""
    crashes: list[float] = []
    over = threading.Event()

    def crash() -> None:
        while not over.wait(BETWEEN_RESTARTS):
            postgres.stop("immediate")
            time.sleep(AWAY)
            postgres.start()
            crashes.append(time.monotonic())

    thread = threading.Thread(target=crash)
    with ExitStack() as stack:
        stack.callback(thread.join)
        stack.callback(over.set)
        thread.start()
        yield crashes


if __name__ == "__main__":
    main()
