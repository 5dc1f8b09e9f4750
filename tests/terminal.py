"""How do tests type commands? In this process through the command line's own entry, or as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.__main__ import cli
from tests.engines import new_url
from tests.school import SECRET

Run = Callable[..., Result]


def run_at(path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Types commands for the database at this path, with no other settings."""
    wanted = settings(path)
    for variable in [name for name in os.environ if name.startswith("PREAU_")]:
        monkeypatch.delenv(variable)
    for variable, value in wanted.items():
        monkeypatch.setenv(variable, value)

    def run(*words: str) -> Result:
        return CliRunner().invoke(cli, list(words), catch_exceptions=False)

    return run


def started(path: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """The program as a process, as somebody starts it at a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "app", *words],
        env=environment(path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def environment(path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREAU_")}
    return kept | settings(path)


def settings(path: Path) -> dict[str, str]:
    return {"PREAU_DATABASE_URL": new_url(path.parent, path.stem), "PREAU_SECRET": SECRET}


def assert_mistake(result: Result, *words: str) -> None:
    """One line on stderr that names what is wrong, nothing on stdout, exit code 1."""
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    for word in words:
        assert word in result.stderr
