"""What do the trials stand on? The demo school on a database of its own, and servers that can be killed."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.auth import Tokens
from jobs.demo import SCHOOLS, import_schools
from jobs.demo.story import link_people
from models.migrate import migrate
from tests.engines import PostgresServer
from tests.school import CURATOR_9A, LEARNER_9A, SECRET, school_database, viewer

PROJECT = Path(__file__).parents[2]
CHECKS = PROJECT.parent / "shared" / "checks"
"""Programs that judge a server from outside."""

PATIENCE = 30.0
"""Seconds in which a server comes up, on a busy machine."""

FIRST_PORT = 8300
GROUP = """mutation($input: CreateGroupConversationInput!) { createGroupConversation(input: $input) {
  ... on CreateGroupConversationPayload { conversation { id } } ... on UserError { code } } }"""


def say(line: str) -> None:
    """One line of the report."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@dataclass(frozen=True)
class Scene:
    """The demo school in a database, and the folder where everything of a trial lives."""

    folder: Path
    database_url: str

    def token(self, login: str) -> str:
        who = viewer(school_database(self.database_url), login)
        return Tokens(SECRET).issue(who, now=datetime.now(UTC))

    def user(self, login: str) -> str:
        return f"User_{viewer(school_database(self.database_url), login).id}"

    def environment(self, port: int) -> dict[str, str]:
        """Of a server as in production."""
        return {
            "PREAU_DATABASE_URL": self.database_url,
            "PREAU_STORAGE_URL": f"file:{self.folder}/attachments",
            "PREAU_SECRET": SECRET,
            "PREAU_ENVIRONMENT": "production",
            "PREAU_HOST": "127.0.0.1",
            "PREAU_PORT": str(port),
            "PREAU_SENDS_PER_MINUTE": "0",
        }

    def command(self, port: int) -> str:
        """By which somebody else starts the server, who may forget to end it: `end_what_is_left` does."""
        variables = {**self.environment(port), "PYTHONPATH": str(PROJECT)}
        words = [f"{name}={value}" for name, value in variables.items()]
        served = shlex.join(["env", *words, sys.executable, "-m", "app", "serve"])
        return shlex.join(["sh", "-c", f"echo $$ > {self._process_id}; exec {served}"])

    def end_what_is_left(self) -> None:
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int(self._process_id.read_text()), signal.SIGKILL)

    @property
    def _process_id(self) -> Path:
        return self.folder / "server.pid"

    @contextmanager
    def server(self, port: int) -> Iterator["Server"]:
        server = Server(self, port)
        server.start()
        try:
            yield server
        finally:
            server.kill()


class Server:
    """A process that can be killed and started again."""

    def __init__(self, scene: Scene, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.log = scene.folder / f"server-{port}.log"
        self._environment = {**_without_settings(), **scene.environment(port)}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process_id(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app", "serve"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        end = time.monotonic() + PATIENCE
        while not is_ready(self.url):
            if time.monotonic() > end:
                raise SystemExit(f"{self.url} did not come up: {self.log.read_text()[-1000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """With a signal that it does not hear."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None


def is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def ask(url: str, token: str, document: str, **variables: Any) -> Any:
    """The data of the answer. Raises AssertionError for one with errors."""
    request = urllib.request.Request(
        f"{url}/graphql",
        json.dumps({"query": document, "variables": variables}).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        told = json.load(answer)
    assert "errors" not in told, told
    return told["data"]


def group_of_two(scene: Scene, url: str) -> str:
    """The id of a new group conversation of the curator and a learner."""
    given = {"title": "Trial", "participantIds": [scene.user(LEARNER_9A)]}
    answer = ask(url, scene.token(CURATOR_9A), GROUP, input=given)
    return str(answer["createGroupConversation"]["conversation"]["id"])


def faults_logged(log: Path) -> str:
    """How many faults of its own a server has logged, and the last of them; nothing where there are none."""
    found = [line for line in log.read_text().splitlines() if "Traceback" in line or '"fault"' in line]
    return f"; {len(found)} faults in {log.name}, {found[-1][-600:]}" if found else ""


@contextmanager
def on_a_file() -> Iterator[Scene]:
    """The school on SQLite."""
    folder = Path(tempfile.mkdtemp(prefix="preau-trial-"))
    try:
        yield _with_school(Scene(folder, f"sqlite:///{folder}/preau.db"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def on_postgresql() -> Iterator[tuple[Scene, PostgresServer]]:
    """The school on a PostgreSQL of its own, which keeps what it answered through its own crash."""
    folder = Path(tempfile.mkdtemp(prefix="preau-trial-"))
    server = PostgresServer(durable=True)
    server.start()
    try:
        yield _with_school(Scene(folder, server.create("trial"))), server
    finally:
        server.end()
        shutil.rmtree(folder, ignore_errors=True)


def _with_school(scene: Scene) -> Scene:
    database = school_database(scene.database_url)
    migrate(database.engine)
    import_schools(database)
    with database.transaction() as tx:
        for school in SCHOOLS:
            link_people(tx, school)
    return scene


def _without_settings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PREAU_")}
