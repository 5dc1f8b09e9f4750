"""Do the chats that people make follow the rules of the e-diary? Who makes, changes and deletes which."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from jobs.demo.gorizont import GORIZONT, IN_9A
from jobs.demo.tilleuls import TILLEULS
from jobs.nightly import run_nights
from models.tables.chats import participations
from tests.api import Api, Person
from tests.school import (
    ADMINISTRATOR,
    CLASS_9A,
    CLASS_9B,
    CURATOR_9A,
    CURATOR_9B,
    DIRECTOR,
    ENGLISH_9A_1,
    FRENCH,
    GUARDIAN_9A,
    HISTORY_11A,
    LEARNER_9A,
    LEARNER_9B,
    LITERATURE_9A,
    MATH_9A,
    NEXT_DOOR,
    NEXT_DOOR_ADMINISTRATOR,
    NEXT_DOOR_LEARNER,
    NEXT_DOOR_TEACHER,
    OTHER_LEARNER_9A,
    SECRETARY,
    TEACHER,
    TEACHER_OF_FRENCH,
    TEACHER_UNLINKED,
    TEACHER_WITHOUT_SUBGROUP,
    SchoolClock,
    school_database,
)
from tests.steps import (
    TOMORROW,
    Since,
    chat_names,
    create_call,
    create_custom_chat,
    create_subgroup_chat,
    import_school,
    new_calls,
    next_night,
    participants,
    publish_call,
    regrouped,
    sees,
    show,
    without_group,
    without_person,
)

ALL = ["RENAME", "EDIT_PARTICIPANTS", "EDIT_ADMINISTRATORS", "DELETE", "CREATE_CALL", "OPEN"]


async def test_E36_E33_who_teaches_a_subgroup_creates_chats_for_it(api: Api) -> None:
    teacher, since = api.as_(TEACHER), Since(api)
    given = {"kind": "SUBGROUP", "name": " Английский ", "groupId": api.group(ENGLISH_9A_1)}
    made = (await teacher.do("createChat", f"chat {{ id {TILE} }}", **given))["chat"]
    chat = made.pop("id")
    assert made == {
        "name": "Английский",
        "kind": "SUBGROUP",
        "isMandatory": False,
        "group": {"name": ENGLISH_9A_1, "discipline": "Английский язык"},
        "participantCount": 4,
        "viewerIsAdministrator": True,
        "viewerActions": ALL,
    }
    assert await show(teacher, chat, TILE) == made
    assert await participants(teacher, chat) == {TEACHER: True, **dict.fromkeys(IN_9A[:3], False)}
    members = [
        {"user": int(api.as_(login).id.partition("_")[2]), "isAdministrator": login == TEACHER}
        for login in (TEACHER, *IN_9A[:3])
    ]
    members.sort(key=lambda member: member["user"])
    payload = {"kind": "SUBGROUP", "name": "Английский", "members": members}
    assert since.told() == [("CREATE_CHAT", payload, False)]
    assert since.events() == ["CHAT_CHANGED"]


TILE = "name kind isMandatory group { name discipline } participantCount viewerIsAdministrator viewerActions"


@pytest.mark.parametrize(
    ("login", "group"),
    [
        (TEACHER, MATH_9A),  # somebody else's subgroup
        (TEACHER, CLASS_9B),  # a class where he teaches is no subgroup
        (CURATOR_9A, CLASS_9A),
        (CURATOR_9B, MATH_9A),  # teaches no subgroup
        (CURATOR_9B, None),
        (TEACHER_WITHOUT_SUBGROUP, MATH_9A),
        (TEACHER_WITHOUT_SUBGROUP, None),
        (ADMINISTRATOR, MATH_9A),
        (SECRETARY, None),
        (LEARNER_9A, MATH_9A),
        (LEARNER_9A, None),
        (GUARDIAN_9A, MATH_9A),
        (GUARDIAN_9A, None),
    ],
)
async def test_E36_nobody_else_creates_a_subgroup_chat(api: Api, login: str, group: str | None) -> None:
    group_id = None if group is None else api.group(group)
    await api.as_(login).refused("NO_SUBGROUP", "createChat", kind="SUBGROUP", name="Chat", groupId=group_id)


async def test_E36_a_group_that_one_does_not_see_is_not_there(api: Api) -> None:
    for login in (LEARNER_9B, LEARNER_9A):
        given = {"kind": "SUBGROUP", "name": "Chat", "groupId": api.group(PHYSICS_OR_FRENCH[login])}
        await api.as_(login).refused("NOT_FOUND", "createChat", **given)
    for id_ in ("Group_999999", "Chat_1", "", api.as_(TEACHER).id):
        await api.as_(TEACHER).refused("NOT_FOUND", "createChat", kind="SUBGROUP", name="Chat", groupId=id_)
    with_theirs = {"kind": "SUBGROUP", "name": "Chat", "groupId": api.group("Anglais 3e A")}
    await api.as_(TEACHER).refused("NOT_FOUND", "createChat", **with_theirs)


PHYSICS_OR_FRENCH = {LEARNER_9A: FRENCH, LEARNER_9B: MATH_9A}


async def test_E36_what_a_client_is_told_beforehand(api: Api) -> None:
    async def told(login: str) -> tuple[bool, list[str]]:
        shown = await api.as_(login).ask(
            "{ viewer { canCreateChat organization { groups { nodes { name viewerCanCreateChat } } } } }"
        )
        nodes = shown["viewer"]["organization"]["groups"]["nodes"]
        return shown["viewer"]["canCreateChat"], [node["name"] for node in nodes if node["viewerCanCreateChat"]]

    assert await told(TEACHER) == (True, [ENGLISH_9A_1])
    assert await told(CURATOR_9A) == (True, [LITERATURE_9A])
    assert await told(DIRECTOR) == (True, [HISTORY_11A])
    assert await told(ADMINISTRATOR) == (True, [])  # a CUSTOM chat (A2)
    for login in (TEACHER_WITHOUT_SUBGROUP, TEACHER_UNLINKED, CURATOR_9B, SECRETARY, LEARNER_9A, GUARDIAN_9A):
        assert await told(login) == (False, []), login


async def test_E36_whoever_teaches_a_subgroup_says_which(api: Api) -> None:
    await api.as_(TEACHER).invalid("groupId", "createChat", kind="SUBGROUP", name="Chat")
    await api.as_(TEACHER).invalid("groupId", "createChat", kind="SUBGROUP", name="Chat", groupId=None)


async def test_A3_several_chats_of_a_subgroup_none_rebuilt_at_night(api: Api, clock: SchoolClock) -> None:
    teacher = api.as_(TEACHER)
    chat = await create_subgroup_chat(teacher, "One")
    await create_subgroup_chat(teacher, "Two")
    import_school(api.database, regrouped("english.9a.1", learners=IN_9A))
    next_night(api.database, clock)
    assert await chat_names(teacher, kinds=["SUBGROUP"]) == ["One", "Two"]
    assert await participants(teacher, chat) == {TEACHER: True, **dict.fromkeys(IN_9A[:3], False)}
    import_school(api.database, without_group("english.9a.1"))
    next_night(api.database, clock)
    assert await participants(teacher, chat) == {TEACHER: True, **dict.fromkeys(IN_9A[:3], False)}
    assert (await show(teacher, chat, "group { name }")) == {"group": None}


async def test_A3_who_is_named_takes_part_and_nobody_else(api: Api) -> None:
    teacher, stranger = api.as_(TEACHER), api.as_(GUARDIAN_9A)
    given = {"kind": "SUBGROUP", "name": "Chat", "groupId": api.group(ENGLISH_9A_1)}
    for named, wanted in (
        ([stranger.id, stranger.id], {TEACHER: True, GUARDIAN_9A: False}),
        ([], {TEACHER: True}),
        ([teacher.id], {TEACHER: True}),
    ):
        made = await teacher.do("createChat", "chat { id }", **given, participantIds=named)
        assert await participants(teacher, made["chat"]["id"]) == wanted
    made = await teacher.do("createChat", "chat { participantCount }", **given, participantIds=None)
    assert made["chat"] == {"participantCount": 4}


async def test_E40_A2_custom_chats_are_the_administrators(api: Api) -> None:
    administrator, guardian = api.as_(ADMINISTRATOR), api.as_(GUARDIAN_9A)
    chat = await create_custom_chat(administrator, guardian, name="Выпускной")
    assert await show(guardian, chat, "name kind isMandatory group { id }") == {
        "name": "Выпускной",
        "kind": "CUSTOM",
        "isMandatory": False,
        "group": None,
    }
    assert await participants(guardian, chat) == {ADMINISTRATOR: True, GUARDIAN_9A: False}
    alone = await administrator.do("createChat", "chat { participantCount }", kind="CUSTOM", name="Chat")
    assert alone["chat"] == {"participantCount": 1}
    for login in (TEACHER, CURATOR_9A, SECRETARY, LEARNER_9A, GUARDIAN_9A):
        await api.as_(login).refused("NOT_ALLOWED", "createChat", kind="CUSTOM", name="Chat")
    await administrator.invalid("groupId", "createChat", kind="CUSTOM", name="Chat", groupId=api.group(MATH_9A))
    await administrator.invalid("groupId", "createChat", kind="CUSTOM", name="Chat", groupId="")


async def test_people_of_a_chat_are_active_people_of_the_organization(api: Api) -> None:
    administrator = api.as_(ADMINISTRATOR)
    chat = await create_custom_chat(administrator)
    import_school(api.database, without_person(LEARNER_9A))
    gone, foreign = api.as_(LEARNER_9A), api.as_(NEXT_DOOR_LEARNER, NEXT_DOOR)
    fine = api.as_(LEARNER_9B).id
    for id_ in (gone.id, foreign.id, "User_999999", chat, "nobody", ""):
        ids = [fine, id_]
        await administrator.refused("NOT_FOUND", "createChat", kind="CUSTOM", name="Chat", participantIds=ids)
        await administrator.refused("NOT_FOUND", "addChatParticipants", chatId=chat, userIds=ids)
    assert await participants(administrator, chat) == {ADMINISTRATOR: True}


async def test_E37_what_the_administrator_of_a_chat_does(api: Api) -> None:
    teacher, learner, other = api.as_(TEACHER), api.as_(LEARNER_9A), api.as_(LEARNER_9B)
    chat = await create_subgroup_chat(teacher)
    since = Since(api)
    renamed = await teacher.do("renameChat", "chat { name }", chatId=chat, name="  Speaking ")
    assert renamed["chat"] == {"name": "Speaking"}
    assert await chat_names(learner) == ["9А", "Speaking"]
    added = await teacher.do("addChatParticipants", "chat { participantCount }", chatId=chat, userIds=[other.id])
    assert added["chat"] == {"participantCount": 5}
    given: dict[str, Any] = {"chatId": chat, "userId": learner.id, "isAdministrator": True}
    await teacher.do("setChatAdministrator", **given)
    assert (await participants(other, chat)) == {
        TEACHER: True,
        LEARNER_9A: True,
        LEARNER_9B: False,
        **dict.fromkeys(IN_9A[1:3], False),
    }
    shown = await learner.do(
        "removeChatParticipants", "chat { participantCount }", chatId=chat, userIds=[other.id]
    )
    assert shown["chat"] == {"participantCount": 4}
    assert not await sees(other, chat)
    await create_call(learner, chat)
    await learner.do("setChatAdministrator", **{**given, "isAdministrator": False})
    assert (await show(learner, chat, "viewerActions")) == {"viewerActions": ["OPEN"]}
    assert (await teacher.do("deleteChat", "deletedChatId", chatId=chat))["deletedChatId"] == chat
    assert [command for command, _, _ in since.told()] == [
        "RENAME_CHAT",
        "SET_MEMBERS",
        "SET_MEMBERS",
        "SET_MEMBERS",
        "CREATE_CALL",
        "SET_MEMBERS",
        "DELETE_CHAT",
    ]
    changes = ["CHAT_CHANGED"] * 4 + ["CALL_CHANGED", "CHAT_CHANGED"] + ["CALL_CHANGED", "CHAT_CHANGED"]
    assert since.events() == changes


async def test_A13_names_go_out_at_once_and_people_with_the_night(api: Api) -> None:
    teacher, other = api.as_(TEACHER), api.as_(LEARNER_9B)
    chat = await create_subgroup_chat(teacher)
    since = Since(api)
    await teacher.do("renameChat", chatId=chat, name="Speaking")
    await teacher.do("addChatParticipants", chatId=chat, userIds=[other.id])
    await teacher.do("setChatAdministrator", chatId=chat, userId=other.id, isAdministrator=True)
    await teacher.do("removeChatParticipants", chatId=chat, userIds=[other.id])
    await teacher.do("deleteChat", chatId=chat)
    assert since.told() == [
        ("RENAME_CHAT", {"name": "Speaking"}, False),
        ("SET_MEMBERS", {}, True),
        ("SET_MEMBERS", {}, True),
        ("SET_MEMBERS", {}, True),
        ("DELETE_CHAT", {}, False),
    ]


async def test_E38_E39_A7_only_administrators_of_the_chat_edit_and_delete_it(api: Api) -> None:
    teacher, learner, administrator = api.as_(TEACHER), api.as_(LEARNER_9A), api.as_(ADMINISTRATOR)
    chat = await create_subgroup_chat(teacher)
    for person, code in ((learner, "NOT_ADMINISTRATOR"), (administrator, "NOT_ALLOWED")):
        await person.refused(code, "renameChat", chatId=chat, name="Another")
        await person.refused(code, "addChatParticipants", chatId=chat, userIds=[person.id])
        await person.refused(code, "removeChatParticipants", chatId=chat, userIds=[learner.id])
        given = {"userId": learner.id, "isAdministrator": True}
        await person.refused(code, "setChatAdministrator", chatId=chat, **given)
        await person.refused(code, "deleteChat", chatId=chat)
    await teacher.do("addChatParticipants", chatId=chat, userIds=[administrator.id])
    await administrator.refused("NOT_ADMINISTRATOR", "deleteChat", chatId=chat)
    await teacher.do("setChatAdministrator", chatId=chat, userId=administrator.id, isAdministrator=True)
    await teacher.do("removeChatParticipants", chatId=chat, userIds=[teacher.id])
    await teacher.refused("NOT_FOUND", "deleteChat", chatId=chat)
    await administrator.do("deleteChat", chatId=chat)


async def test_A19_calls_go_with_their_chat(api: Api) -> None:
    teacher, learner = api.as_(TEACHER), api.as_(LEARNER_9A)
    chat = await create_subgroup_chat(teacher)
    call, created = await publish_call(teacher, chat), await create_call(teacher, chat)
    assert (await new_calls(teacher), await new_calls(learner)) == (1, 1)
    given = await teacher.do("deleteChat", "deletedChatId badges { newCalls }", chatId=chat)
    assert given == {"__typename": "DeleteChatPayload", "deletedChatId": chat, "badges": {"newCalls": 0}}
    assert await new_calls(learner) == 0
    for person in (teacher, learner, api.as_(ADMINISTRATOR)):
        assert [await sees(person, id_) for id_ in (chat, call, created)] == [False, False, False]
        await person.refused("NOT_FOUND", "deleteChat", chatId=chat)
        await person.refused("NOT_FOUND", "finishCall", callId=call)
        await person.refused("NOT_FOUND", "createCall", chatId=chat, title="Call", startsAt=TOMORROW)


async def test_A20_the_last_administrator_stays_one(api: Api) -> None:
    teacher, learner = api.as_(TEACHER), api.as_(LEARNER_9A)
    chat = await create_subgroup_chat(teacher)
    dismissed = {"chatId": chat, "userId": teacher.id, "isAdministrator": False}
    everybody = [teacher.id, *(api.as_(login).id for login in IN_9A[:3])]
    await teacher.refused("LAST_ADMINISTRATOR", "setChatAdministrator", **dismissed)
    await teacher.refused("LAST_ADMINISTRATOR", "removeChatParticipants", chatId=chat, userIds=[teacher.id])
    await teacher.refused("LAST_ADMINISTRATOR", "removeChatParticipants", chatId=chat, userIds=everybody)
    await teacher.do("setChatAdministrator", chatId=chat, userId=learner.id, isAdministrator=True)
    await teacher.refused("LAST_ADMINISTRATOR", "removeChatParticipants", chatId=chat, userIds=everybody)
    left = await teacher.do(
        "removeChatParticipants",
        "chat { name url viewerIsAdministrator viewerActions participants { totalCount } calls { totalCount } }",
        chatId=chat,
        userIds=[teacher.id],
    )
    assert left["chat"] == {
        "name": "Chat",
        "url": None,
        "viewerIsAdministrator": False,
        "viewerActions": [],
        "participants": {"totalCount": 0},
        "calls": {"totalCount": 0},
    }
    assert await participants(learner, chat) == {LEARNER_9A: True, **dict.fromkeys(IN_9A[1:3], False)}


async def test_A20_of_two_who_step_down_at_once_one_stays(api: Api, clock: SchoolClock) -> None:
    teacher, learner = api.as_(TEACHER), api.as_(LEARNER_9A)
    chat = await create_subgroup_chat(teacher)
    document = """mutation($input: SetChatAdministratorInput!) { setChatAdministrator(input: $input) {
      ... on UserError { code } } }"""

    async def step_down(person: Person) -> Any:
        given = {"chatId": chat, "userId": person.id, "isAdministrator": False}
        return (await person.ask(document, input=given))["setChatAdministrator"].get("code")

    async with Api.serving(school_database(api.database.url, clock=clock)) as other:
        for _ in range(10):
            (stays,) = [login for login, role in (await participants(teacher, chat)).items() if role]
            for person in (teacher, learner):
                given = {"chatId": chat, "userId": person.id, "isAdministrator": True}
                await api.as_(stays).do("setChatAdministrator", **given)
            codes = await asyncio.gather(step_down(teacher), step_down(other.as_(LEARNER_9A)))
            assert set(codes) == {None, "LAST_ADMINISTRATOR"}


async def test_invariant_5_an_administrator_who_has_gone_is_none(api: Api) -> None:
    teacher, french = api.as_(TEACHER), api.as_(TEACHER_OF_FRENCH)
    chat = await create_subgroup_chat(teacher)
    await teacher.do("addChatParticipants", chatId=chat, userIds=[french.id])
    await teacher.do("setChatAdministrator", chatId=chat, userId=french.id, isAdministrator=True)
    import_school(api.database, without_person(TEACHER_OF_FRENCH))
    dismissed = {"chatId": chat, "userId": teacher.id, "isAdministrator": False}
    await teacher.refused("LAST_ADMINISTRATOR", "setChatAdministrator", **dismissed)
    await teacher.refused("LAST_ADMINISTRATOR", "removeChatParticipants", chatId=chat, userIds=[teacher.id])
    await teacher.do("removeChatParticipants", chatId=chat, userIds=[french.id])


async def test_a_chat_without_administrator_gets_one_from_the_organization(api: Api, clock: SchoolClock) -> None:
    teacher, learner, administrator = api.as_(TEACHER), api.as_(LEARNER_9A), api.as_(ADMINISTRATOR)
    chat = await create_subgroup_chat(teacher)
    appointed: dict[str, Any] = {"chatId": chat, "userId": learner.id, "isAdministrator": True}
    await administrator.refused("NOT_ALLOWED", "setChatAdministrator", **appointed)
    import_school(api.database, without_person(TEACHER))
    asked = "viewerActions"
    assert await show(administrator, chat, asked) == {"viewerActions": ["EDIT_ADMINISTRATORS", "CREATE_CALL"]}
    assert await show(learner, chat, asked) == {"viewerActions": ["OPEN"]}
    next_night(api.database, clock)
    assert await participants(learner, chat) == dict.fromkeys(IN_9A[:3], False)
    await administrator.refused("NOT_ALLOWED", "renameChat", chatId=chat, name="Another")
    await learner.refused("NOT_ADMINISTRATOR", "setChatAdministrator", **appointed)
    await administrator.do("setChatAdministrator", **appointed)
    assert (await participants(learner, chat))[LEARNER_9A] is True
    await administrator.refused("NOT_ALLOWED", "setChatAdministrator", **{**appointed, "isAdministrator": False})


async def test_A21_the_two_editions_differ_in_reach_alone(api: Api) -> None:
    asked = "{ viewer { organization { policy { preset chatKinds linkRequirement messagingEnabled lockdown } } } }"
    rules = {
        "chatKinds": ["TEACHERS", "GROUP", "PARENTS", "SUBGROUP", "CUSTOM"],
        "linkRequirement": "ACT",
        "messagingEnabled": True,
        "lockdown": False,
    }
    for person, preset in (
        (api.as_(LEARNER_9A), GORIZONT.preset),
        (api.as_(NEXT_DOOR_LEARNER, NEXT_DOOR), TILLEULS.preset),
    ):
        assert await person.ask(asked) == {"viewer": {"organization": {"policy": {"preset": preset, **rules}}}}
    teacher = api.as_(NEXT_DOOR_TEACHER, NEXT_DOOR)
    await create_subgroup_chat(teacher, "Club", group="Anglais 3e A")
    assert await chat_names(teacher) == ["Club", "Enseignants"]
    assert await chat_names(api.as_(NEXT_DOOR_ADMINISTRATOR, NEXT_DOOR)) == ["Enseignants"]


async def test_A15_who_comes_back_has_two_intervals_and_keeps_no_role(api: Api, clock: SchoolClock) -> None:
    teacher, learner = api.as_(TEACHER), api.as_(LEARNER_9A)
    chat = await create_subgroup_chat(teacher)
    await teacher.do("setChatAdministrator", chatId=chat, userId=learner.id, isAdministrator=True)
    await teacher.do("removeChatParticipants", chatId=chat, userIds=[learner.id])
    clock.forward(hours=1)
    await teacher.do("addChatParticipants", chatId=chat, userIds=[learner.id])
    found = await show(
        teacher, chat, 'participants(search: "алексеева") { nodes { isAdministrator isLinked joinedAt } }'
    )
    assert found["participants"]["nodes"] == [
        {"isAdministrator": False, "isLinked": True, "joinedAt": "2026-09-10T08:00:00.000Z"}
    ]
    key = int(learner.id.partition("_")[2])
    room = int(chat.partition("_")[2])
    intervals = [row._mapping for row in api.rows(participations) if (row.user_id, row.room_id) == (key, room)]
    assert [(row["joined_at"], row["left_at"] is None) for row in intervals] == [
        (clock.now - timedelta(hours=1), False),
        (clock.now, True),
    ]


async def test_E34_who_has_left_the_school_leaves_all_chats_in_the_night(api: Api, clock: SchoolClock) -> None:
    administrator, learner = api.as_(ADMINISTRATOR), api.as_(OTHER_LEARNER_9A)
    chat = await create_custom_chat(administrator, learner, api.as_(LEARNER_9B))
    import_school(api.database, without_person(OTHER_LEARNER_9A))
    assert OTHER_LEARNER_9A in await participants(administrator, chat)
    assert (await show(administrator, learner.id, "isActive memberships { position }")) == {
        "isActive": False,
        "memberships": [],
    }
    next_night(api.database, clock)
    assert await participants(administrator, chat) == {ADMINISTRATOR: True, LEARNER_9B: False}
    assert run_nights(api.database, organization="demo-gorizont") == []
