"""Does any operation make the server fail, or tell more than it should? Hundreds at random over the whole schema.

SCHOOL_TEST_FUZZ=10000 tries so many, and other ones each time.
"""

import asyncio
import json
import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings

from app.answers import Answer, encode, refusal
from app.auth import Identity
from app.operations import read_json, read_operation
from app.rates import Rates
from models.errors import RequestFault
from schema.execution import Events
from tests.api import Api
from tests.fuzzing import bodies
from tests.school import ADMINISTRATOR, CURATOR_9A, GUARDIAN_9A, LEARNER_9A, NEXT_DOOR, NEXT_DOOR_LEARNER

FUZZ = os.environ.get("SCHOOL_TEST_FUZZ")

CODES = {"BAD_REQUEST", "LIMIT_EXCEEDED", "UNAUTHENTICATED", "NOT_FOUND", "RATE_LIMITED"}
"""Of what a client may have done. Nothing that it sends is a fault of ours."""

OURS = ("Traceback", "sqlite", "psycopg", "sqlalchemy", ".py", "SELECT ", " object at 0x", "resolvers.", "models.")
"""What an error may not say."""

QUICK = settings(
    max_examples=300,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
LONG = settings(QUICK, derandomize=False, max_examples=int(FUZZ or 0) or 1)


def faults(answer: Answer) -> list[str]:
    """What is wrong with an answer."""
    shown = json.loads(encode(answer))
    found = [] if shown.keys() <= {"data", "errors"} and shown else ["its shape"]
    for error in shown.get("errors", ()):
        found += [] if error["extensions"]["code"] in CODES else [str(error)]
        found += [f"{text} in {error}" for text in OURS if text in error["message"]]
    return found


async def answered(api: Api, body: str, identity: Identity | None) -> Answer:
    """As a server does it, from the text of the body on."""
    try:
        operation = read_operation(read_json(body), body)
    except RequestFault as fault:
        return refusal(fault)
    context = api.operations.context(identity)
    opened = await api.operations.open(operation, context)
    if not isinstance(opened, Events):
        return opened
    shown: Answer = {"data": None}
    try:
        async with asyncio.timeout(1):
            async for event in opened.source.news():
                shown = {"data": {opened.key: event.value}}
                break
    except TimeoutError:
        pass
    except RequestFault as fault:
        shown = refusal(fault)
    finally:
        opened.source.close()
    return shown


async def test_no_operation_makes_the_server_fail_or_tell_too_much(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    api.operations.rates = Rates(sends_per_minute=0, moment=lambda: 0)
    logins = ((ADMINISTRATOR,), (CURATOR_9A,), (LEARNER_9A,), (GUARDIAN_9A,), (NEXT_DOOR_LEARNER, NEXT_DOOR))
    people = [*(api.as_(*each).viewer for each in logins), None]
    outcomes: Counter[str] = Counter()
    loop = asyncio.get_running_loop()

    @(LONG if FUZZ else QUICK)
    @given(bodies())
    def attempt(body: str) -> None:
        viewer = people[len(body) % len(people)]
        identity = Identity(viewer, 2**40) if viewer else None
        answer = asyncio.run_coroutine_threadsafe(answered(api, body, identity), loop).result(30)
        outcomes["refused" if "data" not in answer else "with errors" if "errors" in answer else "good"] += 1
        assert not faults(answer)

    await asyncio.to_thread(attempt)
    assert "Internal error" not in caplog.text
    assert outcomes["good"] > sum(outcomes.values()) / 10, f"most never began: {outcomes}"


@pytest.mark.parametrize(
    "message", ["sqlite3.OperationalError: no such column", 'File "app/http.py", line 3', "SELECT users.id"]
)
def test_what_is_looked_for_would_be_found(message: str) -> None:
    error = {"message": message, "extensions": {"code": "BAD_REQUEST"}}
    assert faults({"errors": [error]})
    assert faults({"errors": [{**error, "message": "Internal error", "extensions": {"code": "INTERNAL"}}]})
    assert not faults({"data": {"a": 1}})
