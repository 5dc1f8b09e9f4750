"""In which order are actions on calls refused, and which are no mistakes at all?"""

from typing import Any

import pytest

from tests.api import Api
from tests.school import (
    ADMINISTRATOR,
    CLASS_9A,
    CLASS_9B,
    CURATOR_9A,
    CURATOR_9B,
    LEARNER_9A,
    LEARNER_UNLINKED,
    NEXT_DOOR,
    NEXT_DOOR_ADMINISTRATOR,
    TEACHER_UNLINKED,
    SchoolClock,
)
from tests.steps import (
    TOMORROW,
    create_call,
    finish_call,
    link,
    publish_call,
)

STRANGE_IDS = ("", "Call_999999", "Call_0", "Chat_1", "call_1", "Call_" + "9" * 40, "🙂")


def group_chat(api: Api) -> str:
    return api.chat("GROUP", CLASS_9A)


async def test_shape_comes_before_visibility(api: Api) -> None:
    learner = api.as_(LEARNER_UNLINKED)
    given = {"chatId": "Chat_999999", "title": "Call", "startsAt": TOMORROW}
    await learner.invalid("title", "createCall", **{**given, "title": " "})
    await learner.invalid("startsAt", "createCall", **{**given, "startsAt": "2026-09-11T09:00:00"})
    await learner.invalid("idempotencyKey", "createCall", **given, idempotencyKey="")
    await learner.invalid("title", "updateCall", callId="Call_999999")
    await learner.invalid("title", "updateCall", callId="Call_999999", title=None, startsAt=None)
    await learner.invalid("title", "updateCall", callId="Call_999999", title="", startsAt=TOMORROW)
    await learner.invalid("startsAt", "updateCall", callId="Call_999999", startsAt="2026-09-11T09:00")


async def test_visibility_comes_before_all_else(api: Api) -> None:
    theirs = await publish_call(api.as_(CURATOR_9B), api.chat("GROUP", CLASS_9B))
    for person in (api.as_(LEARNER_UNLINKED), api.as_(NEXT_DOOR_ADMINISTRATOR, NEXT_DOOR)):
        for call in (*STRANGE_IDS, theirs):
            await person.refused("NOT_FOUND", "updateCall", callId=call, title="Another")
            await person.refused("NOT_FOUND", "publishCall", callId=call)
            await person.refused("NOT_FOUND", "finishCall", callId=call)
            await person.refused("NOT_FOUND", "deleteCall", callId=call)


async def test_the_link_comes_before_the_right_and_the_right_before_the_state(api: Api) -> None:
    curator, chat = api.as_(CURATOR_9A), group_chat(api)
    created, published = await create_call(curator, chat), await publish_call(curator, chat)
    for login, code in ((LEARNER_UNLINKED, "PROFILE_NOT_LINKED"), (LEARNER_9A, "NOT_ADMINISTRATOR")):
        person = api.as_(login)
        for call in (created, published):
            await person.refused(code, "updateCall", callId=call, title="Another")
            await person.refused(code, "publishCall", callId=call)
            await person.refused(code, "finishCall", callId=call)
            await person.refused(code, "deleteCall", callId=call)
        await person.refused(code, "createCall", chatId=chat, title="Call", startsAt=TOMORROW)
    unlinked = api.as_(TEACHER_UNLINKED)
    given = {"chatId": api.chat("TEACHERS"), "title": "Call", "startsAt": TOMORROW}
    await unlinked.refused("PROFILE_NOT_LINKED", "createCall", **given)
    await link(unlinked)
    await unlinked.refused("NOT_ADMINISTRATOR", "createCall", **given)


@pytest.mark.parametrize(("status", "mutation"), [("PUBLISHED", "publishCall"), ("FINISHED", "finishCall")])
async def test_what_is_done_already_succeeds_and_leaves_nothing(
    api: Api, clock: SchoolClock, status: str, mutation: str
) -> None:
    curator, make = api.as_(CURATOR_9A), {"PUBLISHED": publish_call, "FINISHED": finish_call}[status]
    call = await make(curator, group_chat(api))
    clock.forward(hours=1)
    for person in (curator, api.as_(ADMINISTRATOR)):
        with api.unchanged():
            shown: Any = await person.do(mutation, "call { status lastActor { name } }", callId=call)
        assert shown["call"] == {"status": status, "lastActor": {"name": "Соколова Елена Викторовна"}}
