"""Do online calls follow the rules of the e-diary? Who creates, publishes, finishes, sees and joins them."""

from jobs.nightly import run_nights
from tests.api import Api, Person
from tests.listening import cursor
from tests.school import (
    ADMINISTRATOR,
    CLASS_9A,
    CURATOR_9A,
    CURATOR_9B,
    DIRECTOR,
    GUARDIAN_9A,
    LEARNER_9A,
    LEARNER_9B,
    LEARNER_UNLINKED,
    SECRETARY,
    TEACHER,
    SchoolClock,
)
from tests.steps import (
    TODAY,
    TOMORROW,
    Since,
    create_call,
    create_custom_chat,
    create_subgroup_chat,
    finish_call,
    new_calls,
    next_night,
    publish_call,
    sees,
    show,
    turn,
)


def group_chat(api: Api) -> str:
    return api.chat("GROUP", CLASS_9A)


# -------------------------------------------------------------------------------------- who acts on calls


async def test_E44_administrators_of_the_chat_and_of_the_organization(api: Api) -> None:
    teacher, learner = api.as_(TEACHER), api.as_(LEARNER_9A)
    chat = await create_subgroup_chat(teacher)
    for login in (TEACHER, ADMINISTRATOR, DIRECTOR):
        person = api.as_(login)
        call = await create_call(person, chat)
        await person.do("updateCall", callId=call, title="Another")
        await person.do("publishCall", callId=call)
        await person.do("finishCall", callId=call)
        await person.do("deleteCall", callId=call)
    await learner.refused("NOT_ADMINISTRATOR", "createCall", chatId=chat, title="Call", startsAt=TOMORROW)
    for login in (CURATOR_9B, SECRETARY, LEARNER_9B):
        given = {"chatId": chat, "title": "Call", "startsAt": TOMORROW}
        await api.as_(login).refused("NOT_FOUND", "createCall", **given)
    await teacher.do("setChatAdministrator", chatId=chat, userId=learner.id, isAdministrator=True)
    await create_call(learner, chat)


async def test_A7_the_organization_runs_calls_where_it_takes_no_part(api: Api) -> None:
    administrator, curator, chat = api.as_(ADMINISTRATOR), api.as_(CURATOR_9A), group_chat(api)
    call = await create_call(curator, chat)
    actions = "viewerActions joinUrl"
    assert await show(administrator, call, actions) == {
        "viewerActions": ["UPDATE", "PUBLISH", "DELETE"],
        "joinUrl": None,
    }
    await administrator.do("publishCall", callId=call)
    assert await show(administrator, call, actions) == {"viewerActions": ["FINISH", "DELETE"], "joinUrl": None}
    await administrator.do("finishCall", callId=call)
    assert await show(administrator, call, actions) == {"viewerActions": ["DELETE"], "joinUrl": None}
    deleted = await administrator.do(
        "deleteCall", "deletedCallId chat { id name } badges { newCalls }", callId=call
    )
    assert deleted == {
        "__typename": "DeleteCallPayload",
        "deletedCallId": call,
        "chat": {"id": chat, "name": "9А"},
        "badges": {"newCalls": 0},
    }


CALL = "title startsAt status lastActedAt lastActor { name }"


async def test_E45_E57_a_new_call_is_created_and_the_messenger_hears_at_once(api: Api) -> None:
    curator, chat, since = api.as_(CURATOR_9A), group_chat(api), Since(api)
    given = {"chatId": chat, "title": "  Литература 🙂 ", "startsAt": "2026-09-11T09:00:00.123456+05:00"}
    made = await curator.do("createCall", f"call {{ {CALL} chat {{ id }} }}", **given)
    assert made["call"] == {
        "title": "Литература 🙂",
        "startsAt": "2026-09-11T04:00:00.123Z",
        "status": "CREATED",
        "lastActedAt": "2026-09-10T07:00:00.000Z",
        "lastActor": {"name": "Соколова Елена Викторовна"},
        "chat": {"id": chat},
    }
    assert since.events() == ["CALL_CHANGED"]
    settings = {"title": "Литература 🙂", "startsAt": "2026-09-11T04:00:00.123Z"}
    assert since.told() == [("CREATE_CALL", settings, False)]
    assert await new_calls(curator) == 0


async def test_A1_calls_of_a_subgroup_chat_are_the_same(api: Api) -> None:
    teacher, learner = api.as_(TEACHER), api.as_(LEARNER_9A)
    chat = await create_subgroup_chat(teacher)
    call = await create_call(teacher, chat, "Speaking")
    assert await show(learner, call, "title status") == {"title": "Speaking", "status": "CREATED"}
    await teacher.do("updateCall", callId=call, title="Writing")
    await teacher.do("publishCall", callId=call)
    await teacher.refused("WRONG_CALL_STATUS", "updateCall", callId=call, title="Reading")
    assert (await show(learner, call, "title status viewerActions")) == {
        "title": "Writing",
        "status": "PUBLISHED",
        "viewerActions": ["JOIN"],
    }
    await teacher.do("finishCall", callId=call)
    assert not await sees(learner, call)


async def test_A6_A18_a_start_in_the_past_is_no_mistake(api: Api, clock: SchoolClock) -> None:
    curator, learner, chat = api.as_(CURATOR_9A), api.as_(LEARNER_9A), group_chat(api)
    call = await publish_call(curator, chat, "Call", "2020-01-01T00:00:00Z")
    # The active call is the published one, whatever the clock says (A6).
    assert (await show(learner, chat, "publishedCall { id viewerActions }"))["publishedCall"] == {
        "id": call,
        "viewerActions": ["JOIN"],
    }
    next_night(api.database, clock)
    assert await show(learner, chat, "publishedCall { id }") == {"publishedCall": None}
    assert await show(curator, call, "status lastActor { id }") == {"status": "FINISHED", "lastActor": None}


async def test_calls_are_listed_by_start_latest_first(api: Api) -> None:
    curator, chat = api.as_(CURATOR_9A), group_chat(api)
    starts = [TOMORROW, "2026-09-12T09:00:00+05:00", TOMORROW, "2020-01-01T00:00:00Z", TOMORROW]
    made = [await create_call(curator, chat, "Call", start) for start in starts]
    wanted = [made[place] for place in (1, 4, 2, 0, 3)]
    page = """query($id: ID!, $after: String) { node(id: $id) { ... on Chat {
      calls(first: 2, after: $after) { nodes { id } totalCount pageInfo { hasNextPage endCursor } } } } }"""
    listed: list[str] = []
    after: str | None = None
    for more in (True, True, False):
        calls = (await curator.ask(page, id=chat, after=after))["node"]["calls"]
        assert (calls["totalCount"], calls["pageInfo"]["hasNextPage"]) == (5, more)
        listed += [call["id"] for call in calls["nodes"]]
        after = calls["pageInfo"]["endCursor"]
    assert listed == wanted


# -------------------------------------------------------------------------------- the life of a call


async def test_E46_a_created_call_is_edited_in_part(api: Api, clock: SchoolClock) -> None:
    curator, administrator, since = api.as_(CURATOR_9A), api.as_(ADMINISTRATOR), Since(api)
    call = await create_call(curator, group_chat(api), "Call", TODAY)
    clock.forward(minutes=5)
    await administrator.do("updateCall", callId=call, title=" Another ")
    await curator.do("updateCall", callId=call, startsAt=TOMORROW, title=None)
    shown = {
        "title": "Another",
        "startsAt": "2026-09-11T04:00:00.000Z",
        "status": "CREATED",
        "lastActedAt": "2026-09-10T07:05:00.000Z",
        "lastActor": {"name": "Соколова Елена Викторовна"},
    }
    assert await show(curator, call, CALL) == shown
    assert [payload for command, payload, _ in since.told() if command == "UPDATE_CALL"] == [
        {"title": "Another", "startsAt": "2026-09-10T11:00:00.000Z"},
        {"title": "Another", "startsAt": "2026-09-11T04:00:00.000Z"},
    ]
    clock.forward(minutes=5)
    with api.unchanged():
        await administrator.do("updateCall", callId=call, title="Another", startsAt="2026-09-11T04:00:00Z")
    assert await show(curator, call, CALL) == shown


async def test_E46_E47_E48_what_each_status_allows(api: Api) -> None:
    curator, chat = api.as_(CURATOR_9A), group_chat(api)
    for status, make, refusals in (
        ("CREATED", create_call, ["finishCall"]),
        ("PUBLISHED", publish_call, ["updateCall"]),
        ("FINISHED", finish_call, ["updateCall", "publishCall"]),
    ):
        call = await make(curator, chat)
        assert await show(curator, call, "status") == {"status": status}
        for mutation in refusals:
            given = {"title": "Another"} if mutation == "updateCall" else {}
            await curator.refused("WRONG_CALL_STATUS", mutation, callId=call, **given)
        await curator.do("deleteCall", callId=call)


async def test_E20_what_a_client_is_told_of_a_call_is_what_happens(api: Api) -> None:
    """Everybody tries everything on a call of each status; a repetition is no mistake."""
    chat = await create_custom_chat(
        api.as_(ADMINISTRATOR), api.as_(TEACHER), api.as_(LEARNER_9A), api.as_(LEARNER_UNLINKED)
    )
    administrator = api.as_(ADMINISTRATOR)
    repeated = {("PUBLISHED", "publishCall"), ("FINISHED", "finishCall")}
    mutations = {"UPDATE": "updateCall", "PUBLISH": "publishCall", "FINISH": "finishCall", "DELETE": "deleteCall"}
    tried = 0
    for login in (LEARNER_UNLINKED, LEARNER_9A, DIRECTOR, ADMINISTRATOR):
        person = api.as_(login)
        for status, make in (("CREATED", create_call), ("PUBLISHED", publish_call), ("FINISHED", finish_call)):
            for action, mutation in mutations.items():
                call = await make(administrator, chat)
                if await sees(person, call):
                    tried += 1
                    shown = await show(person, call, "viewerActions joinUrl")
                    assert ("JOIN" in shown["viewerActions"]) is (shown["joinUrl"] is not None)
                    may = action in shown["viewerActions"]
                    is_repeated = (status, mutation) in repeated and login in (DIRECTOR, ADMINISTRATOR)
                    done = await succeeds(person, mutation, call)
                    assert done is (may or is_repeated), f"{login}, {action}, {status}: {shown}"
                if await sees(administrator, call):
                    await administrator.do("deleteCall", callId=call)
    assert tried == 2 * 8 + 2 * 12


async def succeeds(person: Person, mutation: str, call: str) -> bool:
    """Whether the mutation is not refused."""
    name = f"{mutation[0].upper()}{mutation[1:]}"
    document = f"mutation($input: {name}Input!) {{ {mutation}(input: $input) {{ __typename }} }}"
    given = {"title": "Another"} if mutation == "updateCall" else {}
    answer = await person.ask(document, input={"callId": call, **given})
    return bool(answer[mutation]["__typename"] == f"{name}Payload")


async def test_E49_E50_the_published_call_stands_in_the_way_of_another_alone(api: Api) -> None:
    curator, chat, parents = api.as_(CURATOR_9A), group_chat(api), api.chat("PARENTS", CLASS_9A)
    over = await finish_call(curator, chat)
    published = await publish_call(curator, chat)
    created = await create_call(curator, chat)
    assert await show(curator, created, "viewerActions") == {"viewerActions": ["UPDATE", "DELETE"]}
    await curator.refused("CALL_ALREADY_PUBLISHED", "publishCall", callId=created)
    await api.as_(ADMINISTRATOR).refused("CALL_ALREADY_PUBLISHED", "publishCall", callId=created)
    await curator.refused("WRONG_CALL_STATUS", "publishCall", callId=over)
    await publish_call(curator, parents)  # another chat
    await curator.do("deleteCall", callId=published)
    shown = await curator.do("publishCall", "call { status viewerActions }", callId=created)
    assert shown["call"] == {"status": "PUBLISHED", "viewerActions": ["FINISH", "DELETE", "JOIN"]}


async def test_E51_the_last_who_acted_stands_on_the_call(api: Api, clock: SchoolClock) -> None:
    curator, administrator, learner = api.as_(CURATOR_9A), api.as_(ADMINISTRATOR), api.as_(LEARNER_9A)
    call = await create_call(curator, group_chat(api))
    acted = "lastActor { name } lastActedAt"
    for person, mutation, name in (
        (administrator, "publishCall", "Белова Ирина Павловна"),
        (curator, "finishCall", "Соколова Елена Викторовна"),
    ):
        clock.forward(minutes=1)
        await person.do(mutation, callId=call)
        shown = await show(curator, call, acted)
        assert shown["lastActor"] == {"name": name}
        assert shown["lastActedAt"] == clock.now.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    call = await publish_call(administrator, group_chat(api))
    # A participant reads the name of an administrator who takes no part.
    assert (await show(learner, call, acted))["lastActor"] == {"name": "Белова Ирина Павловна"}


async def test_A11_E52_a_mutation_acts_at_once(api: Api) -> None:
    """Asking for confirmation is the client's; the answer says what it may report."""
    curator = api.as_(CURATOR_9A)
    call = await create_call(curator, group_chat(api))
    for mutation, status in (("publishCall", "PUBLISHED"), ("finishCall", "FINISHED")):
        assert (await curator.do(mutation, "call { status }", callId=call))["call"] == {"status": status}
    assert (await curator.do("deleteCall", "deletedCallId", callId=call))["deletedCallId"] == call


async def test_E53_participants_join_a_published_call(api: Api) -> None:
    curator, chat = api.as_(CURATOR_9A), group_chat(api)
    call = await create_call(curator, chat)
    joining = "joinUrl viewerActions"
    assert await show(api.as_(LEARNER_9A), call, joining) == {"joinUrl": None, "viewerActions": []}
    await curator.do("publishCall", callId=call)
    urls = {(await show(api.as_(login), call, "joinUrl"))["joinUrl"] for login in (CURATOR_9A, LEARNER_9A)}
    assert len(urls) == 1
    assert urls.pop().startswith("https://school.example/messenger/calls/")
    assert await show(api.as_(LEARNER_9A), call, "viewerActions") == {"viewerActions": ["JOIN"]}
    assert not await sees(api.as_(LEARNER_9B), call)
    assert not await sees(api.as_(GUARDIAN_9A), call)


async def test_E54_a_finished_call_is_joined_by_nobody_and_seen_by_administrators(api: Api) -> None:
    curator, chat = api.as_(CURATOR_9A), group_chat(api)
    call, created = await finish_call(curator, chat), await create_call(curator, chat)
    listed = "calls { nodes { id } totalCount }"
    for login, seen in (
        (CURATOR_9A, {call, created}),
        (ADMINISTRATOR, {call, created}),
        (LEARNER_9A, {created}),
        (LEARNER_UNLINKED, {created}),
    ):
        person = api.as_(login)
        shown = (await show(person, chat, listed))["calls"]
        assert ({node["id"] for node in shown["nodes"]}, shown["totalCount"]) == (seen, len(seen)), login
        assert await sees(person, call) is (call in seen)
    assert await show(curator, call, "joinUrl") == {"joinUrl": None}


async def test_E55_a_deleted_call_is_gone_for_everybody(api: Api) -> None:
    curator, administrator, learner = api.as_(CURATOR_9A), api.as_(ADMINISTRATOR), api.as_(LEARNER_9A)
    chat, since = group_chat(api), Since(api)
    for make in (create_call, publish_call, finish_call):
        call = await make(curator, chat)
        await curator.do("deleteCall", callId=call)
        for person in (curator, administrator, learner):
            assert not await sees(person, call)
            assert (await show(person, chat, "calls { totalCount } publishedCall { id }")) == {
                "calls": {"totalCount": 0},
                "publishedCall": None,
            }
        for mutation in ("deleteCall", "finishCall", "publishCall"):
            await curator.refused("NOT_FOUND", mutation, callId=call)
        await curator.refused("NOT_FOUND", "updateCall", callId=call, title="Another")
    told = [command for command, _, waits in since.told() if not waits]
    assert told == [
        *("CREATE_CALL", "DELETE_CALL"),
        *("CREATE_CALL", "PUBLISH_CALL", "DELETE_CALL"),
        *("CREATE_CALL", "PUBLISH_CALL", "FINISH_CALL", "DELETE_CALL"),
    ]


async def test_E56_only_published_calls_of_past_days_end_by_themselves(api: Api, clock: SchoolClock) -> None:
    curator, chat, parents = api.as_(CURATOR_9A), group_chat(api), api.chat("PARENTS", CLASS_9A)
    created = await create_call(curator, chat, "Created", TODAY)
    published = await publish_call(curator, chat, "Published", TODAY)
    later = await publish_call(curator, parents, "Later", TOMORROW)
    since = Since(api)
    next_night(api.database, clock)
    assert since.events() == ["CALL_CHANGED"]
    assert since.told() == [("FINISH_CALL", {}, False)]
    statuses = {call: (await show(curator, call, "status"))["status"] for call in (created, published, later)}
    assert statuses == {created: "CREATED", published: "FINISHED", later: "PUBLISHED"}
    with api.unchanged():
        assert run_nights(api.database, organization="demo-gorizont") == []


# ---------------------------------------------------------------------------------- badge and tile


async def test_E58_A14_the_badge_counts_published_calls_since_the_chats_were_opened(api: Api) -> None:
    curator, learner = api.as_(CURATOR_9A), api.as_(LEARNER_9A)
    chat, subgroup = group_chat(api), await create_subgroup_chat(api.as_(TEACHER))

    async def badges() -> tuple[int, int]:
        return await new_calls(curator), await new_calls(learner)

    call = await publish_call(curator, chat)
    assert await badges() == (1, 1)  # the publisher as well
    await publish_call(api.as_(TEACHER), subgroup)
    assert await badges() == (1, 2)
    seen = await learner.do("markChatsSeen", "badges { newCalls }")
    assert seen["badges"] == {"newCalls": 0}
    assert await badges() == (1, 0)
    await curator.do("finishCall", callId=call)
    assert await badges() == (0, 0)
    call = await publish_call(curator, chat)
    assert await badges() == (1, 1)
    deleted = await curator.do("deleteCall", "badges { newCalls }", callId=call)
    assert deleted["badges"] == {"newCalls": 0}
    assert await badges() == (0, 0)


async def test_E58_participants_have_the_badge_and_nobody_else(api: Api) -> None:
    await publish_call(api.as_(CURATOR_9A), group_chat(api))
    for login in (CURATOR_9A, LEARNER_9A, LEARNER_UNLINKED):
        assert await new_calls(api.as_(login)) == 1
    for login in (ADMINISTRATOR, LEARNER_9B, GUARDIAN_9A, SECRETARY):
        assert await new_calls(api.as_(login)) == 0


async def test_E58_what_came_after_the_cursor_stays_unseen(api: Api) -> None:
    curator, learner = api.as_(CURATOR_9A), api.as_(LEARNER_UNLINKED)  # seeing needs no link (A12)
    cursors = [await cursor(learner)]
    await publish_call(curator, group_chat(api))
    cursors.append(await cursor(learner))
    since = Since(api)
    seen = await learner.do("markChatsSeen", "badges { newCalls }", upTo=cursors[0])
    assert seen["badges"] == {"newCalls": 1}
    assert since.events() == []
    seen = await learner.do("markChatsSeen", "badges { newCalls }", upTo=cursors[1])
    assert seen["badges"] == {"newCalls": 0}
    assert since.events() == ["CHATS_SEEN"]
    # An older cursor, and the same again, take nothing back.
    with api.unchanged():
        for given in ({"upTo": cursors[0]}, {"upTo": cursors[1]}):
            assert (await learner.do("markChatsSeen", "badges { newCalls }", **given))["badges"] == {"newCalls": 0}
    for up_to in ("", "x", "-1", "1.5", "9" * 30):
        document = "mutation($upTo: String) { markChatsSeen(input: { upTo: $upTo }) { badges { newCalls } } }"
        await learner.fails("BAD_REQUEST", document, upTo=up_to)


async def test_markChatsSeen_takes_an_input_or_none(api: Api) -> None:
    learner, curator = api.as_(LEARNER_9A), api.as_(CURATOR_9A)
    for document in (
        "mutation { markChatsSeen { badges { newCalls } } }",
        "mutation { markChatsSeen(input: null) { badges { newCalls } } }",
        "mutation { markChatsSeen(input: {}) { badges { newCalls } } }",
        "mutation { markChatsSeen(input: { upTo: null }) { badges { newCalls } } }",
    ):
        call = await publish_call(curator, group_chat(api))
        assert await new_calls(learner) == 1
        assert await learner.ask(document) == {"markChatsSeen": {"badges": {"newCalls": 0}}}
        await curator.do("deleteCall", callId=call)


async def test_E59_the_tile_shows_the_call(api: Api) -> None:
    curator, learner, chat = api.as_(CURATOR_9A), api.as_(LEARNER_9A), group_chat(api)
    await publish_call(curator, chat, "Литература", TODAY)
    tile = "{ viewer { chats { nodes { name publishedCall { title startsAt status joinUrl } } } } }"
    (shown,) = (await learner.ask(tile))["viewer"]["chats"]["nodes"]
    url = shown["publishedCall"].pop("joinUrl")
    assert shown == {
        "name": "9А",
        "publishedCall": {"title": "Литература", "startsAt": "2026-09-10T11:00:00.000Z", "status": "PUBLISHED"},
    }
    assert url.startswith("https://school.example/messenger/calls/")


async def test_A8_a_knob_hides_created_calls_from_participants(api: Api) -> None:
    curator, learner, chat = api.as_(CURATOR_9A), api.as_(LEARNER_9A), group_chat(api)
    call = await create_call(curator, chat)
    assert await sees(learner, call)
    turn(api.database, callVisibility="PUBLISHED_ONLY")
    assert not await sees(learner, call)
    assert await show(learner, chat, "calls { totalCount }") == {"calls": {"totalCount": 0}}
    await learner.refused("NOT_FOUND", "deleteCall", callId=call)
    for login in (CURATOR_9A, ADMINISTRATOR):
        assert await sees(api.as_(login), call)
    await curator.do("publishCall", callId=call)
    assert await sees(learner, call)
