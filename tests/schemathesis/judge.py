"""Is an answer one that a stranger may read? It says what he did wrong, and nothing of how the program is made.

Nothing is imported here that the program's own environment lacks: the tests judge the judge.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

STATUS = (200, 400, 429)

CODES = {"BAD_REQUEST", "LIMIT_EXCEEDED", "RATE_LIMITED", "NOT_FOUND"}
"""Of what a client may have done who is signed in. Whatever it sends is no fault of ours."""

LEAKS = re.compile(
    r"Traceback|File \"|site-packages|\.py\b|\.venv|/srv/|/home/|/root/|/work/|/tmp/"
    r"|\b(?:sqlite3?|sqlalchemy|psycopg|aiohttp|strawberry|graphql-core|orjson)\b"
    r"|\b(?:SELECT|INSERT INTO|UPDATE|DELETE FROM)\s.*\b(?:FROM|SET|VALUES|WHERE)\b"
    r"|no such (?:table|column)|UNIQUE constraint|FOREIGN KEY|syntax error at or near"
    r"|object at 0x|\b(?:resolvers|models|schema|app|jobs)\.[a-z_]+\b|has no attribute|object is not"
    r"|\b[A-Z][A-Za-z]+(?:Error|Exception)\(|recursion depth|codec can't",
    re.DOTALL,
)
"""What only the inside of a program says."""

LONGEST = 200
"""Letters of a fault that are shown."""


def faults(status: int, text: str, *, given: str = "") -> list[str]:
    """What is wrong with an answer. `given`: what was asked; a message may quote it."""
    found = [] if status in STATUS else [f"status {status}"]
    try:
        shown = json.loads(text)
    except ValueError:
        return [*found, f"no JSON: {text[:LONGEST]}"]
    if not isinstance(shown, dict) or not shown or not shown.keys() <= {"data", "errors"}:
        return [*found, f"its shape: {text[:LONGEST]}"]
    for error in shown.get("errors", ()):
        code = error.get("extensions", {}).get("code")
        if code not in CODES:
            found.append(f"code {code}: {error.get('message')}")
    return [*found, *(f"it leaks {leak!r}" for leak in _leaks(shown, given))]


def outcome(text: str) -> str:
    """How an operation ended, in a word for the figures."""
    shown = json.loads(text)
    if "errors" not in shown:
        return "answered"
    return str(shown["errors"][0]["extensions"]["code"])


def _leaks(shown: Any, given: str) -> Iterator[str]:
    for text in _texts(shown):
        for leak in LEAKS.finditer(text):
            if leak.group() not in given:
                yield leak.group()[:LONGEST]


def _texts(value: Any) -> Iterator[str]:
    """All texts in an answer, the names of members too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, below in value.items():
            yield name
            yield from _texts(below)
    elif isinstance(value, list):
        for below in value:
            yield from _texts(below)
