"""Do chats follow the rules of the e-diary? Lists, tiles, and the chats that the school keeps itself."""

from typing import Any

import pytest

from jobs.demo.gorizont import IN_9A
from tests.api import Api, Person
from tests.school import (
    ADMINISTRATOR,
    CLASS_9A,
    CURATOR_9A,
    DIRECTOR,
    GUARDIAN_9A,
    GUARDIAN_OF_TWO,
    LEARNER_7V,
    LEARNER_9A,
    LEARNER_9B,
    LEARNER_UNLINKED,
    LITERATURE_9A,
    PSYCHOLOGIST,
    SECRETARY,
    TEACHER,
    TEACHER_AND_GUARDIAN,
    TEACHER_UNLINKED,
    SchoolClock,
)
from tests.steps import (
    TOMORROW,
    chat_names,
    create_call,
    create_custom_chat,
    create_subgroup_chat,
    finish_call,
    import_school,
    link,
    new_calls,
    next_night,
    participants,
    publish_call,
    regrouped,
    sees,
    show,
    without_group,
)

# -------------------------------------------------------------------------------------- lists and tiles


@pytest.mark.parametrize(
    ("login", "names"),
    [
        (CURATOR_9A, ["9А", "Преподаватели", "Родители, 9А"]),
        (LEARNER_9A, ["9А"]),
        (GUARDIAN_9A, ["Родители, 9А"]),
        (GUARDIAN_OF_TWO, ["Родители, 9А"]),  # 7В has no curator yet, and so no chats
        (TEACHER_AND_GUARDIAN, ["Преподаватели", "Родители, 9Б"]),
        (SECRETARY, ["Преподаватели"]),
        (ADMINISTRATOR, ["Преподаватели"]),
        (LEARNER_7V, []),
    ],
)
async def test_E13_only_own_chats_are_listed_by_name(api: Api, login: str, names: list[str]) -> None:
    assert await chat_names(api.as_(login)) == names


async def test_E14_E15_E16_filters_combine_and_names_are_searched_folded(api: Api) -> None:
    curator = api.as_(CURATOR_9A)
    for name in ("Ёлка", "Ёж", "100%_\\ done", "Élève"):
        await create_subgroup_chat(curator, name, group=LITERATURE_9A)
    await publish_call(curator, api.chat("PARENTS", CLASS_9A))
    await create_call(curator, api.chat("GROUP", CLASS_9A))
    await finish_call(curator, api.chat("GROUP", CLASS_9A))
    made = ["100%_\\ done", "Élève", "Ёж", "Ёлка"]
    everything = ["100%_\\ done", "9А", "Élève", "Ёж", "Ёлка", "Преподаватели", "Родители, 9А"]
    everything.sort(key=lambda name: name.replace("É", "e").replace("Ё", "е").casefold())
    expected: list[tuple[dict[str, Any], list[str]]] = [
        ({}, everything),
        ({"kinds": []}, everything),
        ({"kinds": None, "hasPublishedCall": None, "search": None}, everything),
        ({"search": ""}, everything),
        ({"search": "  "}, everything),
        ({"kinds": ["SUBGROUP"]}, sorted(made, key=everything.index)),
        ({"kinds": ["GROUP", "PARENTS"]}, ["9А", "Родители, 9А"]),
        ({"kinds": ["CUSTOM"]}, []),
        ({"hasPublishedCall": True}, ["Родители, 9А"]),
        ({"hasPublishedCall": False}, [name for name in everything if name != "Родители, 9А"]),
        ({"hasPublishedCall": True, "kinds": ["GROUP"]}, []),
        ({"search": "9а"}, ["9А", "Родители, 9А"]),
        ({"search": "9а", "kinds": ["PARENTS"]}, ["Родители, 9А"]),
        ({"search": "ЕЛКА"}, ["Ёлка"]),
        ({"search": "ё"}, [name for name in everything if "ё" in name.casefold() or "е" in name.casefold()]),
        ({"search": "ELEVE"}, ["Élève"]),
        ({"search": "%"}, ["100%_\\ done"]),
        ({"search": "_"}, ["100%_\\ done"]),
        ({"search": "\\"}, ["100%_\\ done"]),
        ({"search": "9%"}, []),
    ]
    for chosen, names in expected:
        assert await chat_names(curator, **chosen) == names, chosen


async def test_E18_pages_lead_forwards_and_backwards(api: Api) -> None:
    administrator = api.as_(ADMINISTRATOR)
    page = """query($first: Int, $after: String, $last: Int, $before: String) { viewer { organization { chats(
      first: $first, after: $after, last: $last, before: $before) {
      totalCount nodes { name } edges { cursor node { name } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } } }"""

    async def pages(size: str, cursor: str, end: str, more: str) -> list[list[str]]:
        found: list[list[str]] = []
        here: str | None = None
        while True:
            shown = await administrator.ask(page, **{size: 3, cursor: here})
            chats = shown["viewer"]["organization"]["chats"]
            assert chats["totalCount"] == 9
            assert [edge["node"] for edge in chats["edges"]] == chats["nodes"]
            ends = [chats["edges"][0]["cursor"], chats["edges"][-1]["cursor"]]
            assert ends == [chats["pageInfo"]["startCursor"], chats["pageInfo"]["endCursor"]]
            found.append([node["name"] for node in chats["nodes"]])
            here = chats["pageInfo"][end]
            if not chats["pageInfo"][more]:
                return found

    forwards = await pages("first", "after", "endCursor", "hasNextPage")
    assert forwards == [
        ["10А", "11А", "9А"],
        ["9Б", "Преподаватели", "Родители, 10А"],
        ["Родители, 11А", "Родители, 9А", "Родители, 9Б"],
    ]
    assert await pages("last", "before", "startCursor", "hasPreviousPage") == forwards[::-1]


async def test_E19_a_tile_counts_who_is_linked_and_shows_the_active_call(api: Api) -> None:
    curator, learner = api.as_(CURATOR_9A), api.as_(LEARNER_UNLINKED)
    chat = api.chat("GROUP", CLASS_9A)
    tile = "name participantCount linkedParticipantCount publishedCall { title startsAt }"

    async def shown() -> tuple[int, int, Any]:
        found = await show(curator, chat, tile)
        assert found["name"] == "9А"
        return found["participantCount"], found["linkedParticipantCount"], found["publishedCall"]

    assert await shown() == (8, 7, None)
    await link(learner)
    assert await shown() == (8, 8, None)
    await learner.do("unlinkProfile")
    await api.as_(LEARNER_9A).do("unlinkProfile")
    assert await shown() == (8, 6, None)
    call = await create_call(curator, chat, "Литература", "2026-09-11T09:00:00.250+05:00")
    assert await shown() == (8, 6, None)
    await curator.do("publishCall", callId=call)
    assert await shown() == (8, 6, {"title": "Литература", "startsAt": "2026-09-11T04:00:00.250Z"})
    await curator.do("finishCall", callId=call)
    assert await shown() == (8, 6, None)


async def test_E19_the_count_follows_who_joins_and_leaves(api: Api) -> None:
    administrator, learner = api.as_(ADMINISTRATOR), api.as_(LEARNER_9A)
    unlinked = api.as_(LEARNER_UNLINKED)
    chat = await create_custom_chat(administrator, learner, unlinked)
    counts = "participantCount linkedParticipantCount"
    assert await show(administrator, chat, counts) == {"participantCount": 3, "linkedParticipantCount": 2}
    await administrator.do("removeChatParticipants", chatId=chat, userIds=[unlinked.id, learner.id])
    assert await show(administrator, chat, counts) == {"participantCount": 1, "linkedParticipantCount": 1}
    await link(unlinked)
    await learner.do("unlinkProfile")
    await administrator.do("addChatParticipants", chatId=chat, userIds=[unlinked.id, learner.id])
    assert await show(administrator, chat, counts) == {"participantCount": 3, "linkedParticipantCount": 2}


ALL = ["RENAME", "EDIT_PARTICIPANTS", "EDIT_ADMINISTRATORS", "DELETE", "CREATE_CALL", "OPEN"]


async def test_E20_the_icons_of_a_tile(api: Api) -> None:
    teacher = api.as_(TEACHER)
    group, parents, personnel = api.chat("GROUP", CLASS_9A), api.chat("PARENTS", CLASS_9A), api.chat("TEACHERS")
    subgroup = await create_subgroup_chat(teacher)
    await teacher.do("addChatParticipants", chatId=subgroup, userIds=[api.as_(LEARNER_UNLINKED).id])
    expected = [
        (CURATOR_9A, group, ["CREATE_CALL", "OPEN"]),
        (CURATOR_9A, parents, ["CREATE_CALL", "OPEN"]),
        (CURATOR_9A, personnel, ["OPEN"]),
        (ADMINISTRATOR, personnel, ["CREATE_CALL", "OPEN"]),
        (ADMINISTRATOR, group, ["CREATE_CALL"]),
        (LEARNER_9A, group, ["OPEN"]),
        (LEARNER_UNLINKED, group, []),
        (PSYCHOLOGIST, personnel, []),
        (TEACHER, subgroup, ALL),
        (LEARNER_9A, subgroup, ["OPEN"]),
        (LEARNER_UNLINKED, subgroup, []),
        (ADMINISTRATOR, subgroup, ["CREATE_CALL"]),
    ]
    for login, chat, actions in expected:
        shown = await show(api.as_(login), chat, "isMandatory viewerActions")
        assert shown == {"isMandatory": chat != subgroup, "viewerActions": actions}, (login, chat)


async def test_E20_what_a_client_is_told_beforehand_is_what_happens(api: Api) -> None:
    """Everybody tries everything; a refusal comes exactly where no icon was shown."""
    administrator, teacher = api.as_(ADMINISTRATOR), api.as_(TEACHER)
    away = api.as_(LEARNER_9B)
    chats = [
        (api.chat("TEACHERS"), CURATOR_9A),
        (api.chat("GROUP", CLASS_9A), LEARNER_9A),
        (await create_subgroup_chat(teacher), LEARNER_9A),
        (await create_custom_chat(administrator, teacher, api.as_(LEARNER_UNLINKED)), TEACHER),
    ]
    tried = 0
    for login in (LEARNER_UNLINKED, LEARNER_9A, CURATOR_9A, TEACHER_UNLINKED, DIRECTOR, TEACHER, ADMINISTRATOR):
        person = api.as_(login)
        for chat, member in chats:
            if not await sees(person, chat):
                continue
            shown = await show(person, chat, "name url viewerActions")
            role = (await participants(administrator, chat))[member]
            attempts: dict[str, tuple[str, dict[str, Any]]] = {
                "RENAME": ("renameChat", {"name": shown["name"]}),
                "EDIT_PARTICIPANTS": ("removeChatParticipants", {"userIds": [away.id]}),
                "EDIT_ADMINISTRATORS": (
                    "setChatAdministrator",
                    {"userId": api.as_(member).id, "isAdministrator": role},
                ),
                "CREATE_CALL": ("createCall", {"title": "Call", "startsAt": TOMORROW}),
                "DELETE": ("deleteChat", {}),
            }
            assert ("OPEN" in shown["viewerActions"]) is (shown["url"] is not None)
            for action, (mutation, given) in attempts.items():
                tried += 1
                assert await succeeds(person, mutation, chatId=chat, **given) is (
                    action in shown["viewerActions"]
                ), f"{login}, {action}, {shown}"
    assert tried == 85


async def succeeds(person: Person, mutation: str, **given: Any) -> bool:
    """Whether the mutation is not refused."""
    name = f"{mutation[0].upper()}{mutation[1:]}"
    document = f"mutation($input: {name}Input!) {{ {mutation}(input: $input) {{ __typename }} }}"
    answer = await person.ask(document, input=given)
    return bool(answer[mutation]["__typename"] == f"{name}Payload")


async def test_E21_the_way_into_the_messenger(api: Api) -> None:
    asked = "{ viewer { messengerUrl chats { nodes { url } } } }"
    shown = (await api.as_(LEARNER_9A).ask(asked))["viewer"]
    assert shown["messengerUrl"] == "https://school.example/messenger"
    (chat,) = shown["chats"]["nodes"]
    assert chat["url"].startswith("https://school.example/messenger/chats/")
    assert (await api.as_(LEARNER_UNLINKED).ask(asked))["viewer"] == {
        "messengerUrl": None,
        "chats": {"nodes": [{"url": None}]},
    }
    # Who administers the organization sees every chat, and opens those he takes part in.
    administrator = api.as_(ADMINISTRATOR)
    assert await show(administrator, api.chat("GROUP", CLASS_9A), "url") == {"url": None}
    assert (await show(administrator, api.chat("TEACHERS"), "url"))["url"] is not None


async def test_E22_an_active_call_leads_to_the_call(api: Api) -> None:
    curator, learner, chat = api.as_(CURATOR_9A), api.as_(LEARNER_9A), api.chat("GROUP", CLASS_9A)
    call = await publish_call(curator, chat)
    shown = (await show(learner, chat, "publishedCall { id joinUrl viewerActions }"))["publishedCall"]
    assert shown.pop("joinUrl").startswith("https://school.example/messenger/calls/")
    assert shown == {"id": call, "viewerActions": ["JOIN"]}


async def test_E23_a_participant_sees_who_takes_part_and_the_calls(api: Api) -> None:
    curator, learner, chat = api.as_(CURATOR_9A), api.as_(LEARNER_9A), api.chat("GROUP", CLASS_9A)
    later = await create_call(curator, chat, "Later", "2026-09-12T09:00:00+05:00")
    sooner = await publish_call(curator, chat, "Sooner", "2026-09-11T09:00:00+05:00")
    shown = await show(learner, chat, "calls { nodes { id status viewerActions } totalCount }")
    assert shown["calls"] == {
        "totalCount": 2,
        "nodes": [
            {"id": later, "status": "CREATED", "viewerActions": []},
            {"id": sooner, "status": "PUBLISHED", "viewerActions": ["JOIN"]},
        ],
    }
    assert await participants(learner, chat) == {CURATOR_9A: True, **dict.fromkeys(IN_9A, False)}
    found = await show(
        learner, chat, 'participants(search: "алексеев") { nodes { user { name } joinedAt isLinked } }'
    )
    assert found["participants"]["nodes"] == [
        {
            "user": {"name": "Алексеева Анна Михайловна"},
            "joinedAt": "2026-09-10T07:00:00.000Z",
            "isLinked": True,
        }
    ]


# -------------------------------------------------------------------------------------- mandatory chats


@pytest.mark.parametrize(
    ("kind", "group", "login"),
    [
        ("TEACHERS", None, ADMINISTRATOR),  # administers it
        ("GROUP", CLASS_9A, CURATOR_9A),
        ("PARENTS", CLASS_9A, CURATOR_9A),
        ("TEACHERS", None, SECRETARY),  # takes part
        ("GROUP", CLASS_9A, LEARNER_9A),
        ("PARENTS", CLASS_9A, GUARDIAN_9A),
        ("GROUP", CLASS_9A, ADMINISTRATOR),  # sees it
    ],
)
async def test_E30_E31_nobody_changes_or_deletes_a_mandatory_chat(
    api: Api, kind: str, group: str | None, login: str
) -> None:
    person, chat = api.as_(login), api.chat(kind, group)
    member = next(iter(await participants(api.as_(ADMINISTRATOR), chat)))
    for role in (True, False):
        given = {"userId": api.as_(member).id, "isAdministrator": role}
        await person.refused("MANDATORY_CHAT", "setChatAdministrator", chatId=chat, **given)
    await person.refused("MANDATORY_CHAT", "renameChat", chatId=chat, name="Another")
    await person.refused("MANDATORY_CHAT", "addChatParticipants", chatId=chat, userIds=[api.as_(LEARNER_9B).id])
    await person.refused("MANDATORY_CHAT", "removeChatParticipants", chatId=chat, userIds=[api.as_(member).id])
    await person.refused("MANDATORY_CHAT", "deleteChat", chatId=chat)


@pytest.mark.parametrize("kind", ["TEACHERS", "GROUP", "PARENTS"])
async def test_E25_E30_nobody_makes_a_mandatory_chat(api: Api, kind: str) -> None:
    for login in (ADMINISTRATOR, CURATOR_9A, LEARNER_9A, LEARNER_UNLINKED):
        given = {"kind": kind, "name": "Another", "groupId": None}
        await api.as_(login).refused("KIND_NOT_OFFERED", "createChat", **given)


async def test_E32_E44_administrators_create_calls_in_mandatory_chats(api: Api) -> None:
    for kind, others in (("GROUP", LEARNER_9A), ("PARENTS", GUARDIAN_9A)):
        chat = api.chat(kind, CLASS_9A)
        for login in (CURATOR_9A, ADMINISTRATOR):
            await create_call(api.as_(login), chat)
        await api.as_(others).refused(
            "NOT_ADMINISTRATOR", "createCall", chatId=chat, title="Call", startsAt=TOMORROW
        )
    given = {"chatId": api.chat("TEACHERS"), "title": "Call", "startsAt": TOMORROW}
    await api.as_(CURATOR_9A).refused("NOT_ADMINISTRATOR", "createCall", **given)
    await api.as_(DIRECTOR).do("createCall", **given)


async def test_A9_without_a_curator_the_chats_stay_and_the_organization_runs_their_calls(
    api: Api, clock: SchoolClock
) -> None:
    curator, administrator, learner = api.as_(CURATOR_9A), api.as_(ADMINISTRATOR), api.as_(LEARNER_9A)
    chat = api.chat("GROUP", CLASS_9A)
    import_school(api.database, regrouped("9a", teachers=(), primary=()))
    assert await chat_names(curator) == ["9А", "Преподаватели", "Родители, 9А"]
    next_night(api.database, clock)
    assert await chat_names(curator) == ["Преподаватели"]
    assert await participants(learner, chat) == dict.fromkeys(IN_9A, False)
    call = await publish_call(administrator, chat)
    assert await new_calls(learner) == 1
    await administrator.do("finishCall", callId=call)


async def test_A9_an_ended_group_archives_its_chats(api: Api, clock: SchoolClock) -> None:
    curator, learner, administrator = api.as_(CURATOR_9A), api.as_(LEARNER_9A), api.as_(ADMINISTRATOR)
    chat = api.chat("GROUP", CLASS_9A)
    call = await publish_call(curator, chat)
    import_school(api.database, without_group("9a"))
    assert await sees(learner, chat)
    next_night(api.database, clock)
    for person in (curator, learner, administrator):
        assert not await sees(person, chat)
        assert not await sees(person, call)
        assert await chat_names(person, search="9А") == []
    assert await new_calls(learner) == 0


async def test_A10_one_person_one_membership_the_strongest_role(api: Api) -> None:
    shown = await participants(api.as_(SECRETARY), api.chat("TEACHERS"))
    assert len(shown) == 17
    assert [login for login, role in shown.items() if role] == [ADMINISTRATOR, DIRECTOR]
