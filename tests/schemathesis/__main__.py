"""Does the server stand when strangers ask whatever its schema admits? `make schemathesis`: a real server in
production, the demo schools, generated queries and mutations; one line of figures, and 1 where something is wrong.

Runs in an environment of its own (`requirements.lock` beside this file); the server runs in the program's.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import requests  # type: ignore[import-untyped,import-not-found,unused-ignore]
import schemathesis  # type: ignore[import-not-found,unused-ignore]
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.graphql import nodes  # type: ignore[import-not-found,unused-ignore]

from tests.schemathesis.judge import faults, outcome

ROOT = Path(__file__).parents[2]
PROGRAM = (ROOT / ".venv/bin/python", "-m", "app")

CASES = 10_000
SEED = 20_260_910
LONGEST = 40 * 60.0
"""Seconds that the whole run may take."""

PATIENCE = 10.0
"""Seconds that one answer may take."""

MOST_SHOWN = 20
"""Faults that are told in full."""

PEOPLE = (
    ("admin", "Школа Горизонт"),
    ("director", "Школа Горизонт"),
    ("curator.9a", "Школа Горизонт"),
    ("teacher.english", "Школа Горизонт"),
    ("psychologist", "Школа Горизонт"),
    ("learner.9a.1", "Школа Горизонт"),
    ("guardian.9a.1", "Школа Горизонт"),
    ("principale", "Collège des Tilleuls"),
)
"""Logins of the demo schools, one of each kind."""

KINDS = ("User", "Group", "Chat", "Call", "Conversation", "Message", "Attachment", "Organization", "Audience")

IDS = st.one_of(
    st.builds("{}_{}".format, st.sampled_from(KINDS), st.integers(1, 60)),
    st.builds("{}_{}".format, st.sampled_from(KINDS), st.sampled_from([0, -1, 2**31, 2**63, 10**30])),
    st.text(max_size=20),
)
MOMENTS = st.one_of(
    st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
    st.sampled_from(["2026-09-11T10:00:00+05:00", "2026-09-11T10:00:00", "9999-12-31T23:59:59-14:00", "", "now"]),
)


class Tried:
    """What came of the cases until now."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.operations = 0
        self.faults: list[str] = []

    @property
    def cases(self) -> int:
        return sum(self.outcomes.values())

    def line(self, seconds: float) -> str:
        told = ", ".join(f"{name} {count}" for name, count in self.outcomes.most_common())
        return (
            f"{self.cases} cases of {self.operations} operations in {seconds:.0f} s: {told}; "
            f"{len(self.faults)} faults"
        )


def main(words: Sequence[str]) -> int:
    cases = int(words[0]) if words else CASES
    began = monotonic()
    with TemporaryDirectory() as folder, _served(Path(folder)) as (address, tokens, log):
        tried = _try(address, tokens, cases=cases, until=began + LONGEST)
        tried.faults += _faults_in(log)
    if tried.cases < cases:
        tried.faults.append(f"{tried.cases} cases of {cases}: the time is up, or fewer could be made")
    for fault in tried.faults[:MOST_SHOWN]:
        sys.stdout.write(f"{fault}\n")
    sys.stdout.write(f"{tried.line(monotonic() - began)}\n")
    return 1 if tried.faults else 0


def _try(address: str, tokens: Sequence[str], *, cases: int, until: float) -> Tried:
    """Each operation has its share of the cases; one in four of these breaks the schema somewhere."""
    schemathesis.graphql.scalar("ID", IDS.map(nodes.String))
    schemathesis.graphql.scalar("DateTime", MOMENTS.map(nodes.String))
    url = f"{address}/graphql"
    schema = schemathesis.graphql.from_url(url, headers={"Authorization": tokens[0]})
    operations = [each.ok() for each in schema.get_all_operations()]
    tried, people = Tried(), cycle(tokens)
    tried.operations = len(operations)
    with requests.Session() as session:
        for number, operation in enumerate(operations):
            share = (cases * (number + 1)) // len(operations) - (cases * number) // len(operations)
            wrong = share // 4
            for mode, count in ((GenerationMode.POSITIVE, share - wrong), (GenerationMode.NEGATIVE, wrong)):
                body = operation.as_strategy(generation_mode=mode).map(lambda case: case.body)
                _try_one(body, count, tried, _Asking(session, url, people, until))
    return tried


class _Asking:
    """One operation over HTTP, each time as another person."""

    def __init__(self, session: Any, url: str, people: Iterator[str], until: float) -> None:
        self._session = session
        self._url = url
        self._people = people
        self._until = until

    @property
    def is_late(self) -> bool:
        return monotonic() > self._until

    def __call__(self, document: str) -> tuple[int, str]:
        head = {"Authorization": next(self._people)}
        answer = self._session.post(self._url, json={"query": document}, headers=head, timeout=PATIENCE)
        return answer.status_code, answer.text


def _try_one(bodies: Any, count: int, tried: Tried, asking: _Asking) -> None:
    """So many cases of one operation. What is wrong is kept, and the next one tried."""
    left = count
    while left > 0 and not asking.is_late:
        before = tried.cases

        @seed(SEED + tried.cases)
        @settings(
            max_examples=left,
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(bodies)
        def attempt(document: str) -> None:
            if asking.is_late:
                return
            try:
                status, text = asking(document)
            except requests.RequestException as error:
                tried.outcomes["no answer"] += 1
                tried.faults.append(f"{type(error).__name__} for {document}")
                return
            wrong = faults(status, text, given=document)
            tried.outcomes["wrong" if wrong else outcome(text)] += 1
            tried.faults += [f"{each} for {document}" for each in wrong]

        attempt()
        left -= tried.cases - before
        if tried.cases == before:
            return


@contextmanager
def _served(folder: Path) -> Iterator[tuple[str, list[str], Path]]:
    """A server in production on the demo schools: its address, a token for each of the people, and its log."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PREAU_")} | {
        "PREAU_DATABASE_URL": f"sqlite:///{folder}/preau.db",
        "PREAU_STORAGE_URL": f"file:{folder}/attachments",
        "PREAU_SECRET": "x" * 40,
        "PREAU_PORT": "0",
        "PREAU_ENVIRONMENT": "production",
        "PREAU_INTROSPECTION": "true",
        "PREAU_SENDS_PER_MINUTE": "0",
    }

    def said(*command: str) -> str:
        ran = subprocess.run(
            [*PROGRAM, *command], cwd=ROOT, env=variables, check=True, capture_output=True, text=True
        )
        return ran.stdout

    said("demo")
    tokens = [f"Bearer {said('token', login, '--organization', school).strip()}" for login, school in PEOPLE]
    log = folder / "log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            [*PROGRAM, "serve"], cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as server,
    ):
        try:
            assert server.stdout
            line = server.stdout.readline()
            if not line:
                raise SystemExit(log.read_text())
            yield line.split()[3].removesuffix("/graphql"), tokens, log
        finally:
            server.terminate()


def _faults_in(log: Path) -> list[str]:
    """What the server itself took for a fault of its own."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [f"in the log: {line}" for line in lines if "fault" in line or line["level"] in ("error", "critical")]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
