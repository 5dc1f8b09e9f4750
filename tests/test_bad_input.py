"""Is everything that a client can send wrong answered clearly, without a trace in the database?"""

from typing import Any

import pytest

from tests.api import Api, Person
from tests.school import ADMINISTRATOR, CLASS_9A, CURATOR_9A, LEARNER_9A, TEACHER, SchoolClock
from tests.steps import (
    TOMORROW,
    chat_names,
    create_call,
    create_custom_chat,
    create_subgroup_chat,
    next_night,
    publish_call,
    show,
)

# ------------------------------------------------------------------------------------ names and titles

EMPTY = ("", " ", "\t\r\n", "\u00a0", "\u2003\u3000")
TOO_LONG = ("x" * 201, "я" * 201, "🙂" * 201, "x" * 100_000)
CONTROLS = ("a\x00b", "\x00", "a\nb", "a\tb", "a\x1bb", "a\x7fb", "a\x85b", "a\u2028b", "a\u2029b")
HALF = ("\ud83d", "a\udfffb", "\udc00\ud800")
"""Half a character: what a client with a broken encoder makes of an emoji."""


async def test_a_name_is_one_to_two_hundred_characters_without_controls(api: Api) -> None:
    administrator, chat = api.as_(ADMINISTRATOR), api.chat("GROUP", CLASS_9A)
    call = await create_call(administrator, chat)
    made = await create_custom_chat(administrator)
    for text in (*EMPTY, *TOO_LONG, *CONTROLS, *HALF):
        await administrator.invalid("name", "createChat", kind="CUSTOM", name=text)
        await administrator.invalid("name", "renameChat", chatId=made, name=text)
        await administrator.invalid("title", "createCall", chatId=chat, title=text, startsAt=TOMORROW)
        await administrator.invalid("title", "updateCall", callId=call, title=text)


async def test_a_name_is_stored_trimmed_and_else_as_it_is(api: Api) -> None:
    administrator = api.as_(ADMINISTRATOR)
    chat = await create_custom_chat(administrator)
    call = await create_call(administrator, chat)
    for text, stored in (
        ("  Chat\n", "Chat"),
        ("\u00a0Chat\u2003", "Chat"),
        ("x" * 200, "x" * 200),
        (" " * 300 + "🙂" * 200 + "\t" * 300, "🙂" * 200),
        ("👩‍👩‍👧 É\u0301 שלום ١٢", "👩‍👩‍👧 É\u0301 שלום ١٢"),
        ("<b>'\"; DROP TABLE chats; --</b>", "<b>'\"; DROP TABLE chats; --</b>"),
        ("\\u0000 %s {0} ${x}", "\\u0000 %s {0} ${x}"),
    ):
        renamed = await administrator.do("renameChat", "chat { name }", chatId=chat, name=text)
        assert renamed["chat"] == {"name": stored}
        changed = await administrator.do("updateCall", "call { title }", callId=call, title=text)
        assert changed["call"] == {"title": stored}
        assert await chat_names(administrator, search=stored) == [stored]


async def test_half_a_character_in_a_document_is_no_document(api: Api) -> None:
    learner = api.as_(LEARNER_9A)
    for escape in ("\\ud83d", "\\uDFFF", "\\u{D800}", "\\u{110000}", "\\x41", "\\uZZZZ"):
        document = '{ viewer { chats(filter: { search: "%s" }) { totalCount } } }'
        await learner.fails("BAD_REQUEST", document % escape)


# ---------------------------------------------------------------------------------------------- moments


async def test_a_moment_needs_its_zone(api: Api) -> None:
    curator, chat = api.as_(CURATOR_9A), api.chat("GROUP", CLASS_9A)
    call = await create_call(curator, chat)
    for moment in (
        "2026-09-11T09:00:00",
        "2026-09-11T09:00",
        "2026-09-11T09:00:00.123",
        "2026-09-11T00:00:00.000000",
    ):
        await curator.invalid("startsAt", "createCall", chatId=chat, title="Call", startsAt=moment)
        await curator.invalid("startsAt", "updateCall", callId=call, startsAt=moment)


CREATE = "mutation($input: CreateCallInput!) { createCall(input: $input) { __typename } }"
UPDATE = "mutation($input: UpdateCallInput!) { updateCall(input: $input) { __typename } }"


async def test_what_is_no_moment_at_all_is_a_bad_request(api: Api) -> None:
    curator, chat = api.as_(CURATOR_9A), api.chat("GROUP", CLASS_9A)
    call = await create_call(curator, chat)
    wrong: tuple[Any, ...] = (
        "",
        "tomorrow",
        "2026-09-11",
        "09:00:00Z",
        "2026-09-11 09:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-09-11T24:00:00Z",
        "2026-09-11T09:60:00Z",
        "2026-12-31T23:59:60Z",  # a leap second: no clock here knows it
        "2026-09-11T09:00:00+25:00",
        "2026-09-11T09:00:00 Europe/Paris",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "+12026-01-01T00:00:00Z",
        "0001-01-01T00:00:00+05:00",  # before the first year of UTC
        "9999-12-31T23:59:59-05:00",  # after its last
        "٢٠٢٦-09-11T09:00:00Z",
        "20260911T090000Z",
        "2026-W37-5T09:00:00Z",
        "2026-254T09:00:00Z",
        " 2026-09-11T09:00:00Z",
        "2026-09-11T09:00:00Z\n",
        "2026-09-11T09:00:00Z\x00",
        "T" * 100_000,
        1_789_000_000,
        1.5,
        True,
        ["2026-09-11T09:00:00Z"],
        {"at": "2026-09-11T09:00:00Z"},
    )
    for moment in wrong:
        given = {"chatId": chat, "title": "Call", "startsAt": moment}
        await curator.fails("BAD_REQUEST", CREATE, input=given)
        await curator.fails("BAD_REQUEST", UPDATE, input={"callId": call, "startsAt": moment})
    await curator.fails("BAD_REQUEST", CREATE, input={"chatId": chat, "title": "Call", "startsAt": None})
    for literal in ('"tomorrow"', "5", "TOMORROW", "{}"):
        document = 'mutation { createCall(input: { chatId: "Chat_1", title: "x", startsAt: %s }) { __typename } }'
        await curator.fails("BAD_REQUEST", document % literal)


async def test_a_moment_comes_back_in_utc_to_the_millisecond(api: Api, clock: SchoolClock) -> None:
    curator, chat = api.as_(CURATOR_9A), api.chat("GROUP", CLASS_9A)
    for moment, stored in (
        ("2026-09-11T09:00:00Z", "2026-09-11T09:00:00.000Z"),
        ("2026-09-11t09:00:00z", "2026-09-11T09:00:00.000Z"),
        ("2026-09-11T09:00Z", "2026-09-11T09:00:00.000Z"),
        ("2026-09-11T09:00:00-03:30", "2026-09-11T12:30:00.000Z"),
        ("2026-09-11T09:00:00+14:00", "2026-09-10T19:00:00.000Z"),
        ("2026-09-11T09:00:00.9999Z", "2026-09-11T09:00:00.999Z"),
        ("0002-01-01T00:00:00Z", "0002-01-01T00:00:00.000Z"),
        ("0999-12-31T23:59:59.999Z", "0999-12-31T23:59:59.999Z"),
        ("9998-12-31T23:59:59Z", "9998-12-31T23:59:59.000Z"),
    ):
        call = await create_call(curator, chat, "Call", moment)
        assert await show(curator, call, "startsAt") == {"startsAt": stored}
        await curator.do("deleteCall", callId=call)
    for moment in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):  # no local time everywhere
        await curator.invalid("startsAt", "createCall", chatId=chat, title="Call", startsAt=moment)
    # The oldest of all calls is latest in the list, and stops no night.
    oldest = await publish_call(curator, chat, "Oldest", "0002-01-01T00:00:00Z")
    await create_call(curator, chat, "Newest", "9998-12-31T23:59:59Z")
    listed = await show(curator, chat, "calls { nodes { title } }")
    assert listed["calls"]["nodes"] == [{"title": "Newest"}, {"title": "Oldest"}]
    next_night(api.database, clock)
    assert await show(curator, oldest, "status") == {"status": "FINISHED"}


# -------------------------------------------------------------------------------------- ids and inputs


async def test_an_input_of_another_form_is_a_bad_request(api: Api) -> None:
    administrator, chat = api.as_(ADMINISTRATOR), await create_custom_chat(api.as_(ADMINISTRATOR))
    wrong: dict[str, list[dict[str, Any]]] = {
        "createChat": [
            {},
            {"kind": "CUSTOM"},
            {"kind": "custom", "name": "Chat"},
            {"kind": 5, "name": "Chat"},
            {"kind": "CUSTOM", "name": 5},
            {"kind": "CUSTOM", "name": None},
            {"kind": "CUSTOM", "name": ["Chat"]},
            {"kind": "CUSTOM", "name": "Chat", "participantIds": [None]},
            {"kind": "CUSTOM", "name": "Chat", "participantIds": [["User_1"]]},
            {"kind": "CUSTOM", "name": "Chat", "participantIds": {"0": "User_1"}},
            {"kind": "CUSTOM", "name": "Chat", "extra": 1},
            {"kind": "CUSTOM", "name": "Chat", "idempotencyKey": 5},
        ],
        "addChatParticipants": [
            {"chatId": chat},
            {"chatId": chat, "userIds": None},
            {"chatId": True, "userIds": []},
            {"chatId": 1.5, "userIds": []},
            {"chatId": [chat], "userIds": []},
            {"chatId": {}, "userIds": []},
        ],
        "setChatAdministrator": [
            {"chatId": chat, "userId": "User_1"},
            {"chatId": chat, "userId": "User_1", "isAdministrator": "yes"},
            {"chatId": chat, "userId": "User_1", "isAdministrator": 1},
            {"chatId": chat, "userId": "User_1", "isAdministrator": None},
        ],
        "markChatsSeen": [{"upTo": 5}, {"upTo": ["0"]}, {"to": "0"}],
    }
    for mutation, inputs in wrong.items():
        name = f"{mutation[0].upper()}{mutation[1:]}Input"
        document = f"mutation($input: {name}!) {{ {mutation}(input: $input) {{ __typename }} }}"
        others: list[Any] = [None, [], "x", 5]
        for given in inputs + others:
            await administrator.fails("BAD_REQUEST", document, input=given)
        await administrator.fails("BAD_REQUEST", document)


async def test_an_id_may_be_written_as_a_number_and_means_nothing(api: Api) -> None:
    administrator = api.as_(ADMINISTRATOR)
    for number in (0, 1, -1, 2**31, 2**53):
        await administrator.refused("NOT_FOUND", "deleteChat", chatId=number)
        assert await administrator.ask("query($id: ID!) { node(id: $id) { id } }", id=number) == {"node": None}


async def test_one_hundred_ids_are_enough(api: Api) -> None:
    administrator, chat = api.as_(ADMINISTRATOR), await create_custom_chat(api.as_(ADMINISTRATOR))
    fine, many = [administrator.id] * 100, [administrator.id] * 101
    await administrator.do("addChatParticipants", chatId=chat, userIds=fine)
    await administrator.do("createChat", kind="CUSTOM", name="Chat", participantIds=fine)
    await administrator.invalid("userIds", "addChatParticipants", chatId=chat, userIds=many)
    await administrator.invalid("userIds", "removeChatParticipants", chatId=chat, userIds=many)
    await administrator.invalid("participantIds", "createChat", kind="CUSTOM", name="Chat", participantIds=many)


# ----------------------------------------------------------------------------------------------- lists


def lists(chat: str, group: str) -> dict[str, str]:
    """Every list that grows, with a place for variables and one for arguments."""
    page = "{ nodes { __typename } pageInfo { endCursor hasNextPage } totalCount }"
    return {
        "own chats": f"query(%s) {{ viewer {{ chats(%s) {page} }} }}",
        "all chats": f"query(%s) {{ viewer {{ organization {{ chats(%s) {page} }} }} }}",
        "groups": f"query(%s) {{ viewer {{ organization {{ groups(%s) {page} }} }} }}",
        "members": f'query(%s) {{ node(id: "{group}") {{ ... on Group {{ members(%s) {page} }} }} }}',
        "participants": f'query(%s) {{ node(id: "{chat}") {{ ... on Chat {{ participants(%s) {page} }} }} }}',
        "calls": f'query(%s) {{ node(id: "{chat}") {{ ... on Chat {{ calls(%s) {page} }} }} }}',
    }


FORWARDS_ALONE = ("groups", "members", "participants", "calls")


async def test_the_size_of_a_page_is_one_to_one_hundred(api: Api) -> None:
    curator = api.as_(CURATOR_9A)
    for name, document in lists(api.chat("GROUP", CLASS_9A), api.group(CLASS_9A)).items():
        for argument in ("first",) if name in FORWARDS_ALONE else ("first", "last"):
            with_variable = document % ("$size: Int", f"{argument}: $size")
            for size, code in (
                (0, "BAD_REQUEST"),
                (-1, "BAD_REQUEST"),
                (-(2**31), "BAD_REQUEST"),
                (101, "LIMIT_EXCEEDED"),
                (2**31 - 1, "LIMIT_EXCEEDED"),
                (2**31, "BAD_REQUEST"),
                ("5", "BAD_REQUEST"),
                (1.5, "BAD_REQUEST"),
                (True, "BAD_REQUEST"),
                ([], "BAD_REQUEST"),
            ):
                await curator.fails(code, with_variable, size=size)
            for fine in (1, 100, None):
                await curator.ask(with_variable, size=fine)
            for literal, code in (("0", "BAD_REQUEST"), ("-1", "BAD_REQUEST"), ("101", "LIMIT_EXCEEDED")):
                await curator.fails(code, document.replace("(%s)", "", 1) % f"{argument}: {literal}")
        if name not in FORWARDS_ALONE:
            both = document % ("$first: Int, $last: Int", "first: $first, last: $last")
            await curator.fails("BAD_REQUEST", both, first=5, last=5)
            for one in ({"first": 5, "last": None}, {"first": None, "last": 5}, {"first": None, "last": None}):
                await curator.ask(both, **one)


FORGED = (
    "",
    "x",
    "null",
    "true",
    "5",
    "NaN",
    "{}",
    '"9а"',
    "[]",
    "[1]",
    '["9а"]',
    '["9а", 1, 2]',
    '[1, "9а"]',
    '["9а", "1"]',
    '["9а", 1.0]',
    '["9а", true]',
    '["9а", null]',
    "[null, 1]",
    '[["9а"], 1]',
    '[{"a": 1}, 1]',
    '["9а", 9223372036854775808]',
    '["9а", -9223372036854775809]',
    '["9а", 1e3]',
    '["9а", ' + "9" * 5000 + "]",
    '["9а", NaN]',
    '["\\ud800", 1]',
    '["\\u0000", 1]',
    "[" * 100_000,
    '["9а", 1',
    "\ud800",
    "WyI5XHUwNDMwIiwgMV0=",
)


@pytest.mark.parametrize("name", list(lists("", "")))
async def test_a_forged_cursor_is_a_bad_request(api: Api, name: str) -> None:
    curator = api.as_(CURATOR_9A)
    document = lists(api.chat("GROUP", CLASS_9A), api.group(CLASS_9A))[name]
    for argument in ("after",) if name in FORWARDS_ALONE else ("after", "before"):
        with_cursor = document % ("$cursor: String", f"{argument}: $cursor")
        for cursor in FORGED:
            await curator.fails("BAD_REQUEST", with_cursor, cursor=cursor)
        await curator.ask(with_cursor, cursor=None)


async def test_a_cursor_of_a_row_that_is_gone_keeps_its_place(api: Api) -> None:
    administrator = api.as_(ADMINISTRATOR)
    made = [await create_custom_chat(administrator, name=name) for name in ("A", "B", "C")]
    page = """query($after: String) { viewer { chats(first: 2, after: $after, filter: { kinds: [CUSTOM] }) {
      nodes { name } pageInfo { endCursor } } } }"""
    first = (await administrator.ask(page))["viewer"]["chats"]
    assert first["nodes"] == [{"name": "A"}, {"name": "B"}]
    await administrator.do("deleteChat", chatId=made[1])
    rest = (await administrator.ask(page, after=first["pageInfo"]["endCursor"]))["viewer"]["chats"]
    assert rest["nodes"] == [{"name": "C"}]


async def test_a_cursor_of_another_list_shows_nothing_that_is_not_in_this_one(api: Api) -> None:
    """Where the keys have the same form, it is a place in this list as any other."""
    curator, teacher = api.as_(CURATOR_9A), api.as_(TEACHER)
    await create_subgroup_chat(teacher)
    groups = "{ viewer { organization { groups(first: 1) { edges { cursor } } } } }"
    (edge,) = (await curator.ask(groups))["viewer"]["organization"]["groups"]["edges"]
    page = "query($after: String) { viewer { chats(after: $after) { nodes { name } } } }"
    shown = (await curator.ask(page, after=edge["cursor"]))["viewer"]["chats"]["nodes"]
    assert [chat["name"] for chat in shown] == ["9А", "Преподаватели", "Родители, 9А"]
    # Calls are listed by their start: a name is no place among them.
    calls = lists(api.chat("GROUP", CLASS_9A), "")["calls"] % ("$after: String", "after: $after")
    await curator.fails("BAD_REQUEST", calls, after=edge["cursor"])


async def test_a_filter_of_another_form_is_a_bad_request(api: Api) -> None:
    learner = api.as_(LEARNER_9A)
    document = "query($filter: ChatFilter) { viewer { chats(filter: $filter) { totalCount } } }"
    wrong: list[Any] = [
        {"kinds": ["group"]},
        {"kinds": [None]},
        {"kinds": ["GROUP", 5]},
        {"kinds": {"0": "GROUP"}},
        {"hasPublishedCall": "yes"},
        {"hasPublishedCall": 1},
        {"search": 5},
        {"search": ["9А"]},
        {"name": "9А"},
        [],
        "9А",
        5,
    ]
    fine: list[Any] = [None, {}, {"kinds": None}, {"kinds": []}, {"kinds": "GROUP"}, {"kinds": ["GROUP", "GROUP"]}]
    for chosen in wrong:
        await learner.fails("BAD_REQUEST", document, filter=chosen)
    for chosen in fine:
        assert await learner.ask(document, filter=chosen) == {"viewer": {"chats": {"totalCount": 1}}}


async def test_a_search_is_a_text_of_any_sort_but_not_of_any_length(api: Api) -> None:
    learner = api.as_(LEARNER_9A)
    document = "query($search: String) { viewer { chats(filter: { search: $search }) { totalCount } } }"
    for nonsense in ("\x00", "'", '"', "%'; --", "🙂", "[", "*", "?", "\\", "\\\\", "A\u0301", "ﷺ" * 200):
        assert await learner.ask(document, search=nonsense) == {"viewer": {"chats": {"totalCount": 0}}}, nonsense
    for search in ("x" * 201, "%" * 50_000, "я" * 100_000):
        await learner.fails("LIMIT_EXCEEDED", document, search=search)
    found = "query($search: String) { %s { %s(search: $search) { totalCount } } %s"
    others = (
        found % ("viewer { organization", "groups", "} }"),
        found % (f'node(id: "{api.group(CLASS_9A)}") {{ ... on Group', "members", "} }"),
        found % (f'node(id: "{api.chat("GROUP", CLASS_9A)}") {{ ... on Chat', "participants", "} }"),
    )
    for document in others:
        await learner.fails("LIMIT_EXCEEDED", document, search="x" * 60_000)
        await ask_with_every_text(learner, document)


async def ask_with_every_text(person: Person, document: str) -> None:
    for text in (*EMPTY, *CONTROLS, "x" * 200):
        await person.ask(document, search=text)
