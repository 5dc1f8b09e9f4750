"""Do conversations stay as a plain model has them, whatever people do, and whatever happens to lines and servers?

A short story at random for each example; SCHOOL_TEST_STORIES=500 tells so many, and other ones each time.
"""

import os
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import FlakyFailure
from hypothesis.stateful import run_state_machine_as_test

import models.conversations
import models.messages
import models.safeguarding
import resolvers.live
import tests.conversation_stage
import tests.followers
from models.database import Transaction
from models.idempotency import Once
from models.tables.chats import participations
from resolvers.cursors import event_number
from resolvers.fan_out import EventGroup
from resolvers.listeners import Listeners
from tests.conversation_story import Story

STORIES = "SCHOOL_TEST_STORIES"

Plant = Callable[[pytest.MonkeyPatch], None]

QUICK = settings(
    max_examples=12,
    stateful_step_count=40,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def test_stories_end_as_the_model_says() -> None:
    many = os.environ.get(STORIES)
    long = settings(QUICK, derandomize=False, max_examples=int(many), stateful_step_count=60) if many else QUICK
    run_state_machine_as_test(Story, settings=long)


# ------------------------------------------------------------------ whether it would find what it looks for


def replay_begins_late(patch: pytest.MonkeyPatch) -> None:
    read = event_number
    patch.setattr(resolvers.live, "event_number", lambda cursor: read(cursor) + 1)


def who_was_removed_still_hears(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        models.messages, "_IN_THE_ROOM", (participations.c.room_id == models.messages._given("conversation"),)
    )
    patch.setattr(models.messages, "_DELIVER_TO_MEMBERS", models.messages._members_deliveries())


def a_repeated_send_is_stored_again(patch: pytest.MonkeyPatch) -> None:
    def forgetful(tx: Transaction, actor: Any, mutation: str, key: str | None, content: Any) -> Once:
        return Once(tx, actor, mutation, None, content)

    patch.setattr(models.conversations, "Once", forgetful)


def wake_ups_get_lost(patch: pytest.MonkeyPatch) -> None:
    """One in three, and there is no poll."""
    look_at, heard = Listeners.look_at, Counter[Listeners]()

    def deaf(self: Listeners, organizations: set[int] | None) -> None:
        heard[self] += 1
        if heard[self] % 3:
            look_at(self, organizations)

    patch.setattr(Listeners, "look_at", deaf)
    patch.setattr(tests.conversation_stage, "POLL_SECONDS", 1_000.0)


def what_is_hidden_keeps_its_place(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(models.safeguarding, "list_without", lambda *_: None)


def one_push_too_many(patch: pytest.MonkeyPatch) -> None:
    tell = EventGroup._tell

    async def twice(self: EventGroup, number: int, text: str, people: Any) -> None:
        await tell(self, number, text, people)
        if number % 5 == 0:
            await tell(self, number, text, people)

    patch.setattr(EventGroup, "_tell", twice)


@pytest.mark.long
@pytest.mark.parametrize(
    "plant",
    [
        replay_begins_late,
        who_was_removed_still_hears,
        a_repeated_send_is_stored_again,
        wake_ups_get_lost,
        what_is_hidden_keeps_its_place,
        one_push_too_many,
    ],
)
def test_a_planted_fault_is_found(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    monkeypatch.setattr(tests.followers, "PATIENCE", 0.7)
    with pytest.raises((AssertionError, FlakyFailure)):
        run_state_machine_as_test(
            Story, settings=settings(QUICK, max_examples=60, phases=[Phase.generate], report_multiple_bugs=False)
        )
