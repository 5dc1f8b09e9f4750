"""Who answers? Servers in processes of their own, on loopback, and the CPU that they have used."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.school import School

SECRET = "only for measuring, never for a school"
TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
"""Nanoseconds."""

_PORT = re.compile(r"http://127\.0\.0\.1:(\d+)")


def process_cpu(process_id: int) -> int:
    """What all threads of this process have used until now, in nanoseconds, to a tick of the kernel."""
    after_name = Path(f"/proc/{process_id}/stat").read_text().rpartition(") ")[2].split()
    return (int(after_name[11]) + int(after_name[12])) * TICK


def used_by_all() -> int:
    """What everything on this machine has used until now, in nanoseconds."""
    fields = Path("/proc/stat").read_text().split(maxsplit=9)[1:9]
    user, nice, system, _, _, irq, soft_irq, steal = map(int, fields)
    return (user + nice + system + irq + soft_irq + steal) * TICK


@dataclass(frozen=True)
class Server:
    """One that runs and listens."""

    port: int
    process_id: int

    def cpu(self) -> int:
        """What all its threads have used until now."""
        return process_cpu(self.process_id)


@contextmanager
def preau(school: School) -> Iterator[Server]:
    """The program itself, as it is served in production."""
    environment = {
        "PREAU_DATABASE_URL": school.url,
        "PREAU_ENVIRONMENT": "production",
        "PREAU_SECRET": SECRET,
        "PREAU_STORAGE_URL": f"file:{school.path.parent}/attachments",
        "PREAU_HOST": "127.0.0.1",
        "PREAU_PORT": "0",
        "PREAU_SENDS_PER_MINUTE": "0",
    }
    with _started(("app", "serve"), environment) as server:
        yield server


@contextmanager
def raw(school: School) -> Iterator[Server]:
    """The raw handlers of `benchmarks.raw`."""
    with _started(("benchmarks.raw", str(school.path), str(school.viewer.id)), {}) as server:
        yield server


@contextmanager
def broadcast(school: School, room: int) -> Iterator[Server]:
    """The raw server of `benchmarks.broadcast`, which stores into this room."""
    with _started(("benchmarks.broadcast", str(school.path), str(room)), {}) as server:
        yield server


@contextmanager
def ceiling(size: int) -> Iterator[Server]:
    """A server that does nothing but answer with that many bytes: what the client could ask at most."""
    with _started(("benchmarks.ceiling", str(size)), {}) as server:
        yield server


@contextmanager
def _started(command: tuple[str, ...], environment: Mapping[str, str]) -> Iterator[Server]:
    """`python -m` this, until the end of the `with`. The first line that it prints says where it listens."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREAU_")}
    process = subprocess.Popen(
        [sys.executable, "-m", *command], stdout=subprocess.PIPE, text=True, env={**kept, **environment}
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = _PORT.search(line)
        if found is None:
            raise RuntimeError(f"{' '.join(command)} did not start: {line!r}")
        yield Server(int(found[1]), process.pid)
    finally:
        process.terminate()
        process.communicate()
