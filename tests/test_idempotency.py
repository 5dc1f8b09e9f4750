"""Does repeating a mutation with its key make nothing twice, whatever has happened since?"""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from models.tables.calls import calls
from models.tables.chats import chats
from models.tables.events import idempotency_keys
from tests.api import Api, Person
from tests.school import (
    ADMINISTRATOR,
    CLASS_9A,
    CURATOR_9A,
    ENGLISH_9A_1,
    LEARNER_9A,
    LEARNER_UNLINKED,
    MATH_9A,
    NEXT_DOOR,
    NEXT_DOOR_ADMINISTRATOR,
    OTHER_LEARNER_9A,
    TEACHER,
    SchoolClock,
    school_database,
)
from tests.steps import TODAY, TOMORROW, create_subgroup_chat, import_school, link, regrouped, show

KEY = "2f1c0c8e-0b7e-4f0a-9f57-6f9b3d0a51c4"


def a_call(api: Api, **changes: Any) -> dict[str, Any]:
    given = {"chatId": api.chat("GROUP", CLASS_9A), "title": "Call", "startsAt": TOMORROW, "idempotencyKey": KEY}
    return {**given, **changes}


def a_chat(api: Api, **changes: Any) -> dict[str, Any]:
    given = {"kind": "SUBGROUP", "name": "Chat", "groupId": api.group(ENGLISH_9A_1), "idempotencyKey": KEY}
    return {**given, **changes}


async def call_made(person: Person, given: dict[str, Any]) -> str:
    return str((await person.do("createCall", "call { id }", **given))["call"]["id"])


async def chat_made(person: Person, given: dict[str, Any]) -> str:
    return str((await person.do("createChat", "chat { id }", **given))["chat"]["id"])


# ---------------------------------------------------------------------------------------------- the same


async def test_the_same_again_answers_with_the_same_and_leaves_nothing(api: Api, clock: SchoolClock) -> None:
    curator, teacher = api.as_(CURATOR_9A), api.as_(TEACHER)
    call, chat = await call_made(curator, a_call(api)), await chat_made(teacher, a_chat(api))
    clock.forward(days=400)
    with api.unchanged():
        assert await call_made(curator, a_call(api)) == call
        # The same moment in another zone, and names before trimming, are the same content.
        assert await call_made(curator, a_call(api, startsAt="2026-09-11T04:00:00.000Z", title=" Call ")) == call
        assert await chat_made(teacher, a_chat(api)) == chat
        assert await chat_made(teacher, a_chat(api, name="Chat  ", participantIds=None)) == chat


async def test_the_order_of_participants_is_no_content(api: Api) -> None:
    teacher, one, other = api.as_(TEACHER), api.as_(LEARNER_9A).id, api.as_(OTHER_LEARNER_9A).id
    chat = await chat_made(teacher, a_chat(api, participantIds=[one, other]))
    with api.unchanged():
        assert await chat_made(teacher, a_chat(api, participantIds=[other, one, other])) == chat
    for others in ([one], [], None):
        await teacher.refused("IDEMPOTENCY_CONFLICT", "createChat", **a_chat(api, participantIds=others))


async def test_the_same_again_shows_the_object_as_it_is_now(api: Api) -> None:
    curator = api.as_(CURATOR_9A)
    call = await call_made(curator, a_call(api))
    await curator.do("updateCall", callId=call, title="Another", startsAt=TODAY)
    await curator.do("publishCall", callId=call)
    with api.unchanged():
        shown = await curator.do("createCall", "call { id title status }", **a_call(api))
    assert shown["call"] == {"id": call, "title": "Another", "status": "PUBLISHED"}


async def test_without_a_key_everything_is_new(api: Api) -> None:
    curator, teacher = api.as_(CURATOR_9A), api.as_(TEACHER)
    for key in ({}, {"idempotencyKey": None}):
        given = {**a_call(api), **key} if key else {k: v for k, v in a_call(api).items() if k != "idempotencyKey"}
        assert await call_made(curator, given) != await call_made(curator, given)
        given = {**a_chat(api), **key} if key else {k: v for k, v in a_chat(api).items() if k != "idempotencyKey"}
        assert await chat_made(teacher, given) != await chat_made(teacher, given)
    assert api.rows(idempotency_keys) == []


# ----------------------------------------------------------------------------- after all that happened


@pytest.mark.parametrize("status", ["CREATED", "PUBLISHED", "FINISHED"])
async def test_a_deleted_call_is_answered_and_nothing_can_be_done_with_it(api: Api, status: str) -> None:
    curator = api.as_(CURATOR_9A)
    call = await call_made(curator, a_call(api))
    steps = {"CREATED": [], "PUBLISHED": ["publishCall"], "FINISHED": ["publishCall", "finishCall"]}
    for mutation in steps[status]:
        await curator.do(mutation, callId=call)
    await curator.do("deleteCall", callId=call)
    with api.unchanged():
        shown = await curator.do("createCall", "call { id title joinUrl viewerActions }", **a_call(api))
    assert shown["call"] == {"id": call, "title": "Call", "joinUrl": None, "viewerActions": []}


async def test_a_deleted_chat_is_answered_and_nothing_can_be_done_with_it(api: Api) -> None:
    given = {"kind": "CUSTOM", "name": "Chat", "idempotencyKey": KEY}
    for person, wanted in ((api.as_(TEACHER), a_chat(api)), (api.as_(ADMINISTRATOR), given)):
        chat = await chat_made(person, wanted)
        call = await call_made(person, a_call(api, chatId=chat))
        await person.do("deleteChat", chatId=chat)
        asked = "id name url viewerActions participantCount calls { totalCount } publishedCall { id }"
        with api.unchanged():
            shown = await person.do("createChat", f"chat {{ {asked} }}", **wanted)
            asked = "call { id viewerActions chat { id viewerActions } }"
            of_it = await person.do("createCall", asked, **a_call(api, chatId=chat))
        assert shown["chat"] == {
            "id": chat,
            "name": "Chat",
            "url": None,
            "viewerActions": [],
            "participantCount": 0,
            "calls": {"totalCount": 0},
            "publishedCall": None,
        }
        assert of_it["call"] == {"id": call, "viewerActions": [], "chat": {"id": chat, "viewerActions": []}}


async def test_who_has_lost_the_right_gets_the_same_answer(api: Api) -> None:
    teacher, other = api.as_(TEACHER), api.as_(LEARNER_9A)
    chat = await chat_made(teacher, a_chat(api))
    call = await call_made(teacher, a_call(api, chatId=chat))
    await teacher.do("setChatAdministrator", chatId=chat, userId=other.id, isAdministrator=True)
    await teacher.do("removeChatParticipants", chatId=chat, userIds=[teacher.id])
    await teacher.do("unlinkProfile")
    import_school(api.database, regrouped("english.9a.1", teachers=()))
    with api.unchanged():
        shown = await teacher.do(
            "createCall", "call { id title joinUrl viewerActions }", **a_call(api, chatId=chat)
        )
        assert await chat_made(teacher, a_chat(api)) == chat
    assert shown["call"] == {"id": call, "title": "Call", "joinUrl": None, "viewerActions": []}
    await teacher.refused("PROFILE_NOT_LINKED", "createChat", **a_chat(api, idempotencyKey="new"))


# ------------------------------------------------------------------------------------------- conflicts


async def test_another_content_is_a_conflict(api: Api) -> None:
    curator, teacher = api.as_(CURATOR_9A), api.as_(TEACHER)
    call, chat = await call_made(curator, a_call(api)), await chat_made(teacher, a_chat(api))
    for changes in (
        {"title": "call"},
        {"startsAt": "2026-09-11T09:00:00.001+05:00"},
        {"chatId": api.chat("PARENTS", CLASS_9A)},
        {"chatId": "Chat_999999"},
    ):
        answer = await curator.refused("IDEMPOTENCY_CONFLICT", "createCall", **a_call(api, **changes))
        assert answer["field"] == "idempotencyKey"
    others: tuple[dict[str, Any], ...] = (
        {"name": "chat"},
        {"kind": "CUSTOM", "groupId": None},
        {"groupId": api.group(MATH_9A)},
    )
    for changes in others:
        answer = await teacher.refused("IDEMPOTENCY_CONFLICT", "createChat", **a_chat(api, **changes))
        assert answer["field"] == "idempotencyKey"
    # The conflict has not harmed what the key stands for.
    assert await call_made(curator, a_call(api)) == call
    assert await chat_made(teacher, a_chat(api)) == chat


async def test_a_wrong_shape_comes_before_the_key(api: Api) -> None:
    curator = api.as_(CURATOR_9A)
    await call_made(curator, a_call(api))
    await curator.invalid("title", "createCall", **a_call(api, title=" "))
    await curator.invalid("startsAt", "createCall", **a_call(api, startsAt="2026-09-11T09:00:00"))
    for key in ("", "  ", "k" * 201, "a\nb", "a\x00b"):
        await curator.invalid("idempotencyKey", "createCall", **a_call(api, idempotencyKey=key))
        await curator.invalid("idempotencyKey", "createChat", **a_chat(api, idempotencyKey=key))
    assert await call_made(curator, a_call(api, idempotencyKey="k" * 200)) == await call_made(
        curator, a_call(api, idempotencyKey="k" * 200)
    )


async def test_a_refusal_does_not_use_the_key_up(api: Api) -> None:
    teacher, unlinked = api.as_(TEACHER), api.as_(LEARNER_UNLINKED)
    await teacher.refused("NO_SUBGROUP", "createChat", **a_chat(api, groupId=api.group(MATH_9A)))
    await teacher.refused("NOT_FOUND", "createChat", **a_chat(api, participantIds=["User_0"]))
    chat = await chat_made(teacher, a_chat(api))
    await teacher.refused("NOT_FOUND", "createCall", **a_call(api))
    await call_made(teacher, a_call(api, chatId=chat))
    # The very same that was refused succeeds once it is allowed.
    given = a_call(api, chatId=chat)
    await teacher.do("addChatParticipants", chatId=chat, userIds=[unlinked.id])
    await unlinked.refused("PROFILE_NOT_LINKED", "createCall", **given)
    await link(unlinked)
    await unlinked.refused("NOT_ADMINISTRATOR", "createCall", **given)
    await teacher.do("setChatAdministrator", chatId=chat, userId=unlinked.id, isAdministrator=True)
    assert await call_made(unlinked, given) == await call_made(unlinked, given)


async def test_keys_of_people_schools_and_mutations_do_not_meet(api: Api) -> None:
    curator, administrator = api.as_(CURATOR_9A), api.as_(ADMINISTRATOR)
    principale = api.as_(NEXT_DOOR_ADMINISTRATOR, NEXT_DOOR)
    made = {
        await call_made(curator, a_call(api)),
        await call_made(administrator, a_call(api)),
        await call_made(principale, a_call(api, chatId=api.chat("TEACHERS", NEXT_DOOR))),
        await chat_made(administrator, {"kind": "CUSTOM", "name": "Chat", "idempotencyKey": KEY}),
    }
    assert len(made) == 4
    assert await show(administrator, api.chat("GROUP", CLASS_9A), "calls { totalCount }") == {
        "calls": {"totalCount": 2}
    }
    assert {row.key for row in api.rows(idempotency_keys)} == {KEY}
    assert len(api.rows(idempotency_keys)) == 4


# --------------------------------------------------------------------------------------------- at once


async def test_concurrent_repeats_make_one(api: Api, clock: SchoolClock) -> None:
    """Forty tasks, half of them through a second server on the same database."""
    async with AsyncExitStack() as stack:
        other = await stack.enter_async_context(Api.serving(school_database(api.database.url, clock=clock)))
        curators = [each.as_(CURATOR_9A) for each in (api, other)] * 20
        teachers = [each.as_(TEACHER) for each in (api, other)] * 20
        made = await asyncio.gather(
            *(call_made(curator, a_call(api)) for curator in curators),
            *(chat_made(teacher, a_chat(api)) for teacher in teachers),
        )
    assert len(set(made[:40])) == len(set(made[40:])) == 1
    assert len(api.rows(calls)) == 1
    assert len([row for row in api.rows(chats) if row.kind == "SUBGROUP"]) == 1


async def test_of_concurrent_contents_one_has_the_key(api: Api) -> None:
    teacher = api.as_(TEACHER)
    chat = await create_subgroup_chat(teacher)
    document = """mutation($input: CreateCallInput!) { createCall(input: $input) {
      __typename ... on CreateCallPayload { call { title } } ... on UserError { code } } }"""

    async def create(title: str) -> Any:
        return (await teacher.ask(document, input=a_call(api, chatId=chat, title=title)))["createCall"]

    answers = await asyncio.gather(*(create(f"Call {number}") for number in range(20)))
    made = [answer for answer in answers if answer["__typename"] == "CreateCallPayload"]
    refused = [answer for answer in answers if answer.get("code") == "IDEMPOTENCY_CONFLICT"]
    assert (len(made), len(refused)) == (1, 19)
    assert [row.title for row in api.rows(calls)] == [made[0]["call"]["title"]]
