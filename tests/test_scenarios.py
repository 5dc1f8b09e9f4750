"""The acceptance scenarios of the e-diary's chats and calls, as its people play them."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

from jobs.demo.gorizont import GORIZONT, IN_9A, IN_9B
from jobs.demo.roster_set import Person as Enrolled
from jobs.demo.roster_set import School, StudyGroup
from jobs.nightly import run_nights
from tests.api import Api, Person
from tests.school import (
    ADMINISTRATOR,
    CLASS_9A,
    CLASS_9B,
    CURATOR_9A,
    DIRECTOR,
    ENGLISH_9A_1,
    GUARDIAN_9A,
    LEARNER_9A,
    LEARNER_9B,
    LEARNER_UNLINKED,
    MATH_9A,
    SCHOOL,
    SECRETARY,
    TEACHER,
    TEACHER_OF_TWO,
    TEACHER_WITHOUT_SUBGROUP,
    SchoolClock,
    school_database,
)
from tests.steps import (
    TODAY,
    TOMORROW,
    Since,
    chat_names,
    create_call,
    create_subgroup_chat,
    import_school,
    link,
    new_calls,
    next_night,
    participants,
    publish_call,
    regrouped,
    sees,
    show,
)

CALL = "status title startsAt joinUrl viewerActions lastActor { name } lastActedAt"


async def test_E58_the_badge_of_each_participant_rises_when_a_call_is_published(api: Api) -> None:
    curator, learner = api.as_(CURATOR_9A), api.as_(LEARNER_9A)
    chat = api.chat("GROUP", CLASS_9A)
    async with learner.listening("subscription { badgesChanged { newCalls } }") as badges:
        assert await badges.next() == {"newCalls": 0}
        call = await create_call(curator, chat)
        await badges.nothing()
        await curator.do("publishCall", "call { status }", callId=call)
        assert await badges.next() == {"newCalls": 1}
        await learner.do("markChatsSeen")
        assert await badges.next() == {"newCalls": 0}


# ---------------------------------------------------------------------------------- 1: mandatory chats


def small_school(*teachers_of_h: str) -> School:
    """Three of the staff, an administrator, G with its curator, H with these teachers."""

    def pupil(login: str, *guardians: str) -> Enrolled:
        return Enrolled(login, "student", login, "Pupil", "", guardians)

    def group(key: str, teachers: tuple[str, ...], *learners: str) -> StudyGroup:
        return StudyGroup(key, key.upper(), "Class", teachers, learners, True, teachers)

    guardians = tuple(Enrolled(f"g{number}", "guardian", f"g{number}", "Parent") for number in (1, 2, 3, 4))
    return School(
        source_id="small",
        name="Small",
        preset="EPOS_SCHOOL",
        time_zone="Asia/Yekaterinburg",
        locale="en",
        people=(
            Enrolled("head", "administrator", "Head", "Master"),
            Enrolled("c", "teacher", "Curator", "Of G"),
            Enrolled("t", "teacher", "Teacher", "Of H"),
            Enrolled("s", "aide", "Staff", "Member"),
            pupil("l1", "g1", "g2"),
            pupil("l2", "g3"),
            pupil("l3", "g4"),
            *guardians,
        ),
        study_groups=(group("g", ("c",), "l1", "l2"), group("h", teachers_of_h, "l3")),
    )


async def chats_of(administrator: Person) -> dict[tuple[str, str], dict[str, bool]]:
    """Every chat of the organization: (kind, name) -> its participants."""
    shown = await administrator.ask(
        "{ viewer { organization { chats { nodes { kind name participants { nodes { "
        "isAdministrator user { login } } } } } } } }"
    )
    return {
        (chat["kind"], chat["name"]): {
            each["user"]["login"]: each["isAdministrator"] for each in chat["participants"]["nodes"]
        }
        for chat in shown["viewer"]["organization"]["chats"]["nodes"]
    }


async def test_scenario_1_mandatory_chats_E25_E26_E27_E28_E29(api: Api, clock: SchoolClock) -> None:
    import_school(api.database, small_school())
    head = api.as_("head", "Small")
    assert await chats_of(head) == {}

    clock.forward(days=1)
    run_nights(api.database)

    of_g: dict[tuple[str, str], dict[str, bool]] = {
        ("TEACHERS", "Teachers"): {"head": True, "c": False, "t": False, "s": False},
        ("GROUP", "G"): {"c": True, "l1": False, "l2": False},
        ("PARENTS", "Parents, G"): {"c": True, "g1": False, "g2": False, "g3": False},
    }
    assert await chats_of(head) == of_g

    import_school(api.database, small_school("t"))
    assert await chats_of(head) == of_g
    clock.forward(days=1)
    run_nights(api.database)
    assert await chats_of(head) == {
        **of_g,
        ("GROUP", "H"): {"t": True, "l3": False},
        ("PARENTS", "Parents, H"): {"t": True, "g4": False},
    }


# ------------------------------------------------------------------------ 2: only at night, idempotent


async def test_scenario_2_only_at_night_and_once_E34(api: Api, clock: SchoolClock) -> None:
    curator, mover = api.as_(CURATOR_9A), api.as_(LEARNER_9A)
    in_9a, in_9b = api.chat("GROUP", CLASS_9A), api.chat("GROUP", CLASS_9B)
    moved = regrouped("9a", learners=tuple(login for login in IN_9A if login != LEARNER_9A))
    import_school(api.database, regrouped("9b", of=moved, learners=(*IN_9B, LEARNER_9A)))

    assert (await participants(curator, in_9a))[LEARNER_9A] is False
    assert LEARNER_9A not in await participants(api.as_(LEARNER_9B), in_9b)
    assert await chat_names(mover) == ["9А"]

    next_night(api.database, clock)
    assert LEARNER_9A not in await participants(curator, in_9a)
    assert (await participants(mover, in_9b))[LEARNER_9A] is False
    assert await chat_names(mover) == ["9Б"]

    with api.unchanged():
        assert run_nights(api.database, organization=SCHOOL) == []
    clock.forward(hours=5)
    with api.unchanged():
        assert run_nights(api.database, organization=SCHOOL) == []


# ------------------------------------------------------------------------------------------- 3: locked


async def test_scenario_3_locked_E30_E31_E32(api: Api) -> None:
    curator = api.as_(CURATOR_9A)
    chat, newcomer = api.chat("GROUP", CLASS_9A), api.as_(LEARNER_9B)
    await curator.refused("MANDATORY_CHAT", "renameChat", chatId=chat, name="Наш класс")
    await curator.refused("MANDATORY_CHAT", "addChatParticipants", chatId=chat, userIds=[newcomer.id])
    await curator.refused(
        "MANDATORY_CHAT", "removeChatParticipants", chatId=chat, userIds=[api.as_(LEARNER_9A).id]
    )
    await curator.refused("MANDATORY_CHAT", "deleteChat", chatId=chat)
    made = await curator.do("createCall", "call { status }", chatId=chat, title="Call", startsAt=TOMORROW)
    assert made["call"] == {"status": "CREATED"}


# ------------------------------------------------------------------------------------ 4: new chat right


async def test_scenario_4_new_chat_right_E33_E36(api: Api) -> None:
    teacher = api.as_(TEACHER_WITHOUT_SUBGROUP)
    may_create = "{ viewer { canCreateChat } }"
    wanted = {"kind": "SUBGROUP", "name": "Кружок", "groupId": api.group(MATH_9A)}
    assert await teacher.ask(may_create) == {"viewer": {"canCreateChat": False}}
    await teacher.refused("NO_SUBGROUP", "createChat", **wanted)

    import_school(api.database, regrouped("math.9a", teachers=(TEACHER_OF_TWO, TEACHER_WITHOUT_SUBGROUP)))
    assert await teacher.ask(may_create) == {"viewer": {"canCreateChat": True}}
    since = Since(api)
    made = await teacher.do("createChat", "chat { id kind name viewerIsAdministrator }", **wanted)
    chat = made["chat"].pop("id")
    assert made["chat"] == {"kind": "SUBGROUP", "name": "Кружок", "viewerIsAdministrator": True}
    assert await participants(teacher, chat) == {TEACHER_WITHOUT_SUBGROUP: True, **dict.fromkeys(IN_9A, False)}
    ((command, _, waits),) = since.told()
    assert (command, waits) == ("CREATE_CHAT", False)


# ----------------------------------------------------------------------------------- 6: call life cycle


async def test_scenario_6_call_life_cycle_E45_E46_E47_E48_E51(api: Api, clock: SchoolClock) -> None:
    curator, administrator = api.as_(CURATOR_9A), api.as_(ADMINISTRATOR)
    chat = api.chat("GROUP", CLASS_9A)
    call = await create_call(curator, chat, "Литература", TODAY)
    assert await show(curator, call, CALL) == {
        "status": "CREATED",
        "title": "Литература",
        "startsAt": "2026-09-10T11:00:00.000Z",
        "joinUrl": None,
        "viewerActions": ["UPDATE", "PUBLISH", "DELETE"],
        "lastActor": {"name": "Соколова Елена Викторовна"},
        "lastActedAt": "2026-09-10T07:00:00.000Z",
    }

    clock.forward(minutes=1)
    changed = await administrator.do(
        "updateCall", f"call {{ {CALL} }}", callId=call, title="Проза", startsAt=TOMORROW
    )
    assert changed["call"] == {
        "status": "CREATED",
        "title": "Проза",
        "startsAt": "2026-09-11T04:00:00.000Z",
        "joinUrl": None,
        "viewerActions": ["UPDATE", "PUBLISH", "DELETE"],
        "lastActor": {"name": "Белова Ирина Павловна"},
        "lastActedAt": "2026-09-10T07:01:00.000Z",
    }

    clock.forward(minutes=1)
    published = (await curator.do("publishCall", f"call {{ {CALL} }}", callId=call))["call"]
    assert published.pop("joinUrl").startswith("https://school.example/messenger/calls/")
    assert published == {
        "status": "PUBLISHED",
        "title": "Проза",
        "startsAt": "2026-09-11T04:00:00.000Z",
        "viewerActions": ["FINISH", "DELETE", "JOIN"],
        "lastActor": {"name": "Соколова Елена Викторовна"},
        "lastActedAt": "2026-09-10T07:02:00.000Z",
    }
    await curator.refused("WRONG_CALL_STATUS", "updateCall", callId=call, title="Стихи")

    clock.forward(minutes=1)
    finished = (await administrator.do("finishCall", f"call {{ {CALL} }}", callId=call))["call"]
    assert finished == {
        "status": "FINISHED",
        "title": "Проза",
        "startsAt": "2026-09-11T04:00:00.000Z",
        "joinUrl": None,
        "viewerActions": ["DELETE"],
        "lastActor": {"name": "Белова Ирина Павловна"},
        "lastActedAt": "2026-09-10T07:03:00.000Z",
    }
    await curator.refused("WRONG_CALL_STATUS", "updateCall", callId=call, title="Стихи")
    await curator.refused("WRONG_CALL_STATUS", "publishCall", callId=call)
    assert (await curator.do("deleteCall", "deletedCallId", callId=call))["deletedCallId"] == call
    assert not await sees(curator, call)


# -------------------------------------------------------------------------------------- 7: one published


async def test_scenario_7_one_published_E49_E50(api: Api) -> None:
    curator, chat = api.as_(CURATOR_9A), api.chat("GROUP", CLASS_9A)
    first = await publish_call(curator, chat, "Первый")
    second = await create_call(curator, chat, "Второй")
    await curator.refused("CALL_ALREADY_PUBLISHED", "publishCall", callId=second)
    assert await show(curator, second, "status") == {"status": "CREATED"}
    assert await publish(curator, second) == {
        "__typename": "CallAlreadyPublishedError",
        "code": "CALL_ALREADY_PUBLISHED",
        "reason": "В чате есть опубликованный онлайн-звонок: сначала завершите его.",
        "publishedCall": {"id": first, "title": "Первый"},
    }
    await curator.do("finishCall", callId=first)
    assert await publish(curator, second) == {"__typename": "PublishCallPayload", "call": {"id": second}}


async def test_scenario_7_of_many_at_once_exactly_one_wins_E49(api: Api, clock: SchoolClock) -> None:
    """Forty tasks, half of them through a second server on the same database."""
    chat = api.chat("GROUP", CLASS_9A)
    async with AsyncExitStack() as stack:
        other = await stack.enter_async_context(Api.serving(school_database(api.database.url, clock=clock)))
        people = [each.as_(login) for each in (api, other) for login in (CURATOR_9A, ADMINISTRATOR, DIRECTOR)]
        calls = [await create_call(people[0], chat, f"Call {number}") for number in range(40)]
        racers = [people[number % len(people)] for number in range(len(calls))]
        since = Since(api)
        other.database.messenger = api.database.messenger  # told by whichever server wins
        answers = await asyncio.gather(*map(publish, racers, calls))
    won = [answer for answer in answers if answer["__typename"] == "PublishCallPayload"]
    lost = [answer for answer in answers if answer["__typename"] == "CallAlreadyPublishedError"]
    assert (len(won), len(lost)) == (1, 39)
    winner = won[0]["call"]["id"]
    assert {answer["publishedCall"]["id"] for answer in lost} == {winner}
    assert since.events() == ["CALL_PUBLISHED"]
    assert [command for command, _, _ in since.told()] == ["PUBLISH_CALL"]
    shown = await show(api.as_(CURATOR_9A), chat, "publishedCall { id } calls(first: 100) { nodes { id status } }")
    assert shown["publishedCall"] == {"id": winner}
    assert {node["id"]: node["status"] for node in shown["calls"]["nodes"]} == {
        call: "PUBLISHED" if call == winner else "CREATED" for call in calls
    }


async def publish(person: Person, call: str) -> dict[str, Any]:
    """Whatever the answer is."""
    document = """
        mutation($input: PublishCallInput!) { publishCall(input: $input) {
          __typename
          ... on PublishCallPayload { call { id } }
          ... on CallAlreadyPublishedError { code reason publishedCall { id title } }
        } }"""
    answer: dict[str, Any] = (await person.ask(document, input={"callId": call}))["publishCall"]
    return answer


# ------------------------------------------------------------------------------------------ 9: unlinked


async def test_scenario_9_unlinked_E43_A12(api: Api) -> None:
    curator, learner = api.as_(CURATOR_9A), api.as_(LEARNER_UNLINKED)
    call = await publish_call(curator, api.chat("GROUP", CLASS_9A), "Литература", TODAY)
    tile = "{ viewer { chats { nodes { publishedCall { id title startsAt joinUrl } } } } }"

    async def seen() -> Any:
        (chat,) = (await learner.ask(tile))["viewer"]["chats"]["nodes"]
        url = chat["publishedCall"].pop("joinUrl")
        assert chat["publishedCall"] == {
            "id": call,
            "title": "Литература",
            "startsAt": "2026-09-10T11:00:00.000Z",
        }
        return url

    assert await seen() is None
    await link(learner)
    url = await seen()
    assert url.startswith("https://school.example/messenger/calls/")
    assert await show(curator, call, "joinUrl") == {"joinUrl": url}
    await learner.do("unlinkProfile")
    assert await seen() is None


# --------------------------------------------------------------------------------------- 10: stale calls


async def test_scenario_10_stale_calls_E56_A4_A5(api: Api, clock: SchoolClock) -> None:
    """In Yekaterinburg (UTC+5) the eleventh begins at 19:00 UTC of the tenth."""
    curator, learner, guardian = api.as_(CURATOR_9A), api.as_(LEARNER_9A), api.as_(GUARDIAN_9A)
    of_yesterday = await publish_call(curator, api.chat("GROUP", CLASS_9A), "A", "2026-09-10T23:30:00+05:00")
    of_today = await publish_call(curator, api.chat("PARENTS", CLASS_9A), "B", "2026-09-11T09:00:00+05:00")
    clock.now = clock.now.replace(hour=18, minute=59)
    assert run_nights(api.database) == []

    clock.now += timedelta(minutes=1)
    (night, *_) = run_nights(api.database)
    assert (night.organization, night.calls_finished) == ("Школа Горизонт", 1)
    assert await show(curator, of_yesterday, "status lastActor { id } lastActedAt") == {
        "status": "FINISHED",
        "lastActor": None,
        "lastActedAt": "2026-09-10T19:00:00.000Z",
    }
    assert not await sees(learner, of_yesterday)
    assert await new_calls(learner) == 0
    assert await show(guardian, of_today, "status") == {"status": "PUBLISHED"}
    assert await new_calls(guardian) == 1


# -------------------------------------------------------------------------------------------- 11: rights


async def test_scenario_11_rights_E23_E44_A7(api: Api) -> None:
    administrator, teacher, learner = api.as_(ADMINISTRATOR), api.as_(TEACHER), api.as_(LEARNER_9A)
    subgroup_chat = await create_subgroup_chat(teacher, group=ENGLISH_9A_1)
    for chat in (subgroup_chat, api.chat("GROUP", CLASS_9A), api.chat("PARENTS", CLASS_9B), api.chat("TEACHERS")):
        made = await administrator.do("createCall", "call { id }", chatId=chat, title="Call", startsAt=TOMORROW)
        shown = await administrator.do("publishCall", "call { status }", callId=made["call"]["id"])
        assert shown["call"] == {"status": "PUBLISHED"}
    await administrator.refused("NOT_ALLOWED", "deleteChat", chatId=subgroup_chat)

    created = await create_call(teacher, subgroup_chat, "Следующий")
    asked = "viewerActions participants { nodes { user { login } } } calls { nodes { id status } }"
    shown = await show(learner, subgroup_chat, asked)
    assert shown["viewerActions"] == ["OPEN"]
    assert [each["user"]["login"] for each in shown["participants"]["nodes"]] == [
        TEACHER,
        "learner.9a.1",
        "learner.9a.2",
        "learner.9a.3",
    ]
    assert {"id": created, "status": "CREATED"} in shown["calls"]["nodes"]
    assert len(shown["calls"]["nodes"]) == 2
    assert await learner.ask("{ viewer { canCreateChat } }") == {"viewer": {"canCreateChat": False}}
    assert await api.as_(SECRETARY).ask("{ viewer { canCreateChat } }") == {"viewer": {"canCreateChat": False}}


# --------------------------------------------------------------------------- 13: filter, search, paging


def large_school() -> School:
    """Twenty-two classes. `many` takes part in 25 chats: as curator of four classes and parent in sixteen
    others, and among the personnel."""
    curated = [f"9А-{number}" for number in range(1, 5)]
    attended = [f"9А-{number}" for number in range(5, 14)] + [f"10Б-{number}" for number in range(1, 8)]
    strange = ["9А-98", "9А-99"]
    children = [
        Enrolled(f"child.{name}", "student", "Child", name, "", ("many",) if name in attended else ())
        for name in (*curated, *attended, *strange)
    ]
    classes = []
    for name in (*curated, *attended, *strange):
        teacher = "many" if name in curated else "somebody"
        classes.append(StudyGroup(name, name, "Class", (teacher,), (f"child.{name}",), True, (teacher,)))
    return replace(
        GORIZONT,
        source_id="large",
        name="Large",
        people=(
            Enrolled("head", "administrator", "Head", "Master"),
            Enrolled("many", "teacher", "Many", "Chats"),
            Enrolled("somebody", "teacher", "Somebody", "Else"),
            *children,
        ),
        study_groups=tuple(classes),
    )


PAGE = """query($filter: ChatFilter, $after: String) { viewer { chats(filter: $filter, first: 10, after: $after) {
  totalCount pageInfo { hasNextPage endCursor } nodes { name kind publishedCall { status } } } } }"""


async def test_scenario_13_filter_search_paging_E13_E14_E15_E16_E18(api: Api) -> None:
    import_school(api.database, large_school())
    run_nights(api.database, local_date=api.database.clock().date() + timedelta(days=1), organization="Large")
    head, many = api.as_("head", "Large"), api.as_("many", "Large")
    await link(head)
    shown = await head.ask("{ viewer { organization { chats(first: 100) { nodes { id name } } } } }")
    ids = {chat["name"]: chat["id"] for chat in shown["viewer"]["organization"]["chats"]["nodes"]}
    assert len(ids) == 45
    silent = ("Родители, 9А-4", "Родители, 9А-13")
    calls = {name: await publish_call(head, chat) for name, chat in ids.items() if name not in silent}

    async def page(after: str | None, **chosen: Any) -> tuple[list[str], str | None]:
        found = (await many.ask(PAGE, filter=chosen or None, after=after))["viewer"]["chats"]
        assert found["totalCount"] == (11 if chosen else 25)
        cursor = found["pageInfo"]["endCursor"] if found["pageInfo"]["hasNextPage"] else None
        return [chat["name"] for chat in found["nodes"]], cursor

    listed: list[str] = []
    cursor: str | None = None
    while True:
        names, cursor = await page(cursor)
        listed += names
        if cursor is None:
            break
    assert len(listed) == len(set(listed)) == 25
    assert not {"Родители, 9А-98", "Родители, 9А-99", "9А-98"} & set(listed)

    chosen = {"kinds": ["PARENTS"], "hasPublishedCall": True, "search": "9А"}
    wanted = sorted(f"Родители, 9А-{number}" for number in range(1, 14) if number not in (4, 13))
    assert [name for name in listed if name in wanted] == wanted
    first, cursor = await page(None, **chosen)
    assert (first, cursor is None) == (wanted[:10], False)
    # What is published and finished meanwhile moves no page; the rest comes exactly once.
    await head.do("finishCall", callId=calls[wanted[3]])
    await publish_call(head, ids["Родители, 9А-4"])
    assert await page(cursor, **chosen) == (wanted[10:], None)
