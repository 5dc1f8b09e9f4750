"""Would `make schemathesis` find what it looks for? Its judge, and what its environment is made of."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.schemathesis.judge import faults, outcome

HERE = Path(__file__).parent / "schemathesis"
ASKED = "{ viewer { user { id } } }"


def error(message: str, code: str | None = "BAD_REQUEST", **more: Any) -> str:
    extensions = {} if code is None else {"code": code}
    return json.dumps({"errors": [{"message": message, "extensions": extensions, **more}]})


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (200, json.dumps({"data": {"viewer": {"user": {"id": "User_1", "name": "Анна Белова"}}}})),
        (200, json.dumps({"data": {"chat": None, "call": [{"url": "https://school.example/a/b-c"}]}})),
        (400, error("Cannot query field 'x' on type 'Query'.")),
        (400, error("The document asks for too much: 400 fields, 300 are allowed.", "LIMIT_EXCEEDED")),
        (429, error("Too much in too short a time. Try again in 3 s.", "RATE_LIMITED")),
        (200, json.dumps({"data": None, "errors": [{"message": "No.", "extensions": {"code": "NOT_FOUND"}}]})),
    ],
)
def test_an_answer_in_order_is_none_to_complain_of(status: int, text: str) -> None:
    assert faults(status, text, given=ASKED) == []
    assert outcome(text)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 404, 301])
def test_a_server_that_fails_is_found(status: int) -> None:
    assert faults(status, '{"data": {}}') == [f"status {status}"]


@pytest.mark.parametrize("code", ["INTERNAL", "UNAVAILABLE", "UNAUTHENTICATED", "KeyError", None])
def test_a_fault_of_ours_is_found(code: str | None) -> None:
    assert faults(200, error("Internal error, reference 1f0c9a2b", code))


@pytest.mark.parametrize("text", ["", "<html>", "[]", "{}", '"x"', '{"data": {}, "extensions": {}}'])
def test_what_is_no_answer_is_found(text: str) -> None:
    assert faults(200, text)


LEAKING = (
    "Traceback (most recent call last):",
    'File "/opt/preau/app/http.py", line 3, in respond',
    "app/http.py:3",
    "(sqlite3.OperationalError) no such column: users.nickname",
    "sqlalchemy.exc.StatementError",
    "psycopg.errors.UndefinedColumn",
    "SELECT users.id FROM users WHERE users.id = ?",
    "UPDATE chats SET name = $1",
    "UNIQUE constraint failed: users.login",
    "<resolvers.context.Context object at 0x7f3c2c0d5e10>",
    "'NoneType' object is not subscriptable",
    "'Viewer' has no attribute 'name'",
    "KeyError('viewer')",
    "maximum recursion depth exceeded",
    "'utf-8' codec can't encode character",
)


@pytest.mark.parametrize("said", LEAKING)
def test_what_only_the_inside_says_is_found_wherever_it_stands(said: str) -> None:
    assert faults(400, error(f"Sorry: {said}"))
    assert faults(200, json.dumps({"data": {"viewer": {"name": said}}}))
    assert faults(400, error("Sorry.", more={"debug": [said]}))


@pytest.mark.parametrize("said", LEAKING)
def test_what_the_client_has_said_itself_is_no_leak(said: str) -> None:
    assert not faults(400, error(f"A moment is wanted, found {said}"), given=f"{{ at(moment: {said}) }}")


def test_its_environment_is_locked_and_names_no_place() -> None:
    asked, locked = (HERE / "requirements.in").read_text(), (HERE / "requirements.lock").read_text()
    pins = re.findall(r"^([\w.-]+==\S+)", locked, re.MULTILINE)
    assert asked.strip() in pins
    requirements = re.split(r"\n(?=\S)", locked)
    assert len(requirements) == len(pins)
    assert all("--hash=sha256:" in each for each in requirements)
    assert "://" not in locked
    assert not re.search(r"--(?:extra-)?index|--find-links", locked)


def test_it_is_made_by_a_target_of_its_own() -> None:
    recipe = (HERE.parents[1] / "Makefile").read_text()
    assert "var/schemathesis/bin/python -m tests.schemathesis\n" in recipe
    assert "--require-hashes" in recipe.split("var/schemathesis/.complete:")[1]
    assert "schemathesis" not in recipe.split("\ncheck:")[1].split("\n\n")[0]
