"""How is a profile linked to the messenger and unlinked, and what is closed to whom until then?"""

from typing import Any

import pytest

from app.messenger.builtin import OwnSignIn
from tests.api import Api, Person
from tests.school import (
    ADMINISTRATOR,
    CLASS_9A,
    CURATOR_9A,
    LEARNER_9A,
    LEARNER_9B,
    LEARNER_UNLINKED,
    MATH_9A,
    NEXT_DOOR,
    NEXT_DOOR_LEARNER,
    SECRET,
    TEACHER,
    TEACHER_UNLINKED,
    SchoolClock,
)
from tests.steps import (
    TOMORROW,
    Since,
    begin_link,
    create_call,
    create_custom_chat,
    create_subgroup_chat,
    import_school,
    link,
    new_calls,
    participants,
    publish_call,
    show,
    turn,
    without_person,
)

SIGN_IN = OwnSignIn(SECRET)


async def is_linked(person: Person) -> bool:
    shown = (await person.ask("{ viewer { isLinked messengerUrl } }"))["viewer"]
    assert (shown["messengerUrl"] is not None) is shown["isLinked"]
    return bool(shown["isLinked"])


# -------------------------------------------------------------------------------- linking and unlinking


async def test_E42_signing_in_with_the_messenger_links(api: Api) -> None:
    learner = api.as_(LEARNER_UNLINKED)
    begun = await learner.do("beginProfileLink", "authorizationUrl")
    before, _, state = begun["authorizationUrl"].partition("?state=")
    assert before == "https://school.example/messenger/authorize"
    assert len(state) == 43
    assert await is_linked(learner) is False
    linked = await learner.do(
        "completeProfileLink",
        "viewer { isLinked messengerUrl user { id } }",
        code=SIGN_IN.code("mine"),
        state=state,
    )
    assert linked["viewer"] == {
        "isLinked": True,
        "messengerUrl": "https://school.example/messenger",
        "user": {"id": learner.id},
    }
    assert await is_linked(learner)


async def test_E24_the_profile_is_unlinked_and_linked_again(api: Api) -> None:
    learner = api.as_(LEARNER_9A)
    unlinked = await learner.do("unlinkProfile", "viewer { isLinked messengerUrl }")
    assert unlinked["viewer"] == {"isLinked": False, "messengerUrl": None}
    with api.unchanged():  # twice is no mistake
        unlinked = await learner.do("unlinkProfile", "viewer { isLinked messengerUrl }")
    assert unlinked["viewer"] == {"isLinked": False, "messengerUrl": None}
    await link(learner, "demo:learner.9a.1")
    assert await is_linked(learner)
    with api.unchanged():
        await api.as_(LEARNER_UNLINKED).do("unlinkProfile")


async def test_E35_the_messenger_hears_of_links_at_once(api: Api) -> None:
    learner, since = api.as_(LEARNER_UNLINKED), Since(api)
    await link(learner, "mine")
    await link(learner, "another")
    await learner.do("unlinkProfile")
    assert since.told() == [
        ("LINK_PROFILE", {"account": "mine"}, False),
        ("LINK_PROFILE", {"account": "another"}, False),
        ("UNLINK_PROFILE", {}, False),
    ]
    # Each time the person's own tiles change, and the counts of the one chat where he takes part (E19).
    assert since.events() == ["PERSON_CHANGED", "CHAT_CHANGED"] * 3


async def test_the_same_account_again_changes_nothing(api: Api) -> None:
    learner = api.as_(LEARNER_9A)
    state = await begin_link(learner)
    since = Since(api)
    await learner.do("completeProfileLink", code=SIGN_IN.code("demo:learner.9a.1"), state=state)
    assert (since.events(), since.told()) == ([], [])
    assert await is_linked(learner)


async def test_a_new_link_replaces_the_old_one_whose_account_is_free_again(api: Api) -> None:
    learner, other = api.as_(LEARNER_9A), api.as_(LEARNER_UNLINKED)
    await link(learner, "another")
    await link(other, "demo:learner.9a.1")
    assert await is_linked(learner)
    assert await is_linked(other)


async def test_PROFILE_TAKEN_an_account_is_one_persons(api: Api) -> None:
    learner, owner = api.as_(LEARNER_UNLINKED), api.as_(LEARNER_9A)
    state = await begin_link(learner)
    given = {"code": SIGN_IN.code("demo:learner.9a.1"), "state": state}
    await learner.refused("PROFILE_TAKEN", "completeProfileLink", **given)
    assert (await is_linked(learner), await is_linked(owner)) == (False, True)
    await owner.do("unlinkProfile")
    await learner.do("completeProfileLink", **given)  # the refusal has not used the state up
    await owner.refused("PROFILE_TAKEN", "completeProfileLink", **{**given, "state": await begin_link(owner)})
    # Next door the same account may be somebody's as well: nothing crosses organizations.
    await link(api.as_(NEXT_DOOR_LEARNER, NEXT_DOOR), "demo:learner.9a.1")


async def test_a_state_works_once_for_ten_minutes_for_who_began(api: Api, clock: SchoolClock) -> None:
    learner, other = api.as_(LEARNER_UNLINKED), api.as_(TEACHER_UNLINKED)
    state, late = await begin_link(learner), await begin_link(learner)
    code = SIGN_IN.code("mine")
    for person, wrong in ((other, state), (learner, ""), (learner, "x"), (learner, state.swapcase())):
        await person.invalid("state", "completeProfileLink", code=code, state=wrong)
    clock.forward(minutes=9, seconds=59)
    await learner.do("completeProfileLink", code=code, state=state)
    await learner.invalid("state", "completeProfileLink", code=code, state=state)
    clock.forward(seconds=1)
    await learner.invalid("state", "completeProfileLink", code=code, state=late)


async def test_a_code_that_the_messenger_did_not_give_links_nobody(api: Api) -> None:
    learner = api.as_(LEARNER_UNLINKED)
    state = await begin_link(learner)
    forged = OwnSignIn("y" * 40).code("demo:learner.9a.1")
    for code in ("", "x", "a.b.c", "🙂", forged, SIGN_IN.code("mine")[:-1]):
        await learner.invalid("code", "completeProfileLink", code=code, state=state)
    await learner.do("completeProfileLink", code=SIGN_IN.code("mine"), state=state)


# ------------------------------------------------------------------------------- what a link opens


async def test_E41_E43_A12_until_then_all_is_visible_and_nothing_can_be_done(api: Api) -> None:
    curator, learner = api.as_(CURATOR_9A), api.as_(LEARNER_UNLINKED)
    chat, call = api.chat("GROUP", CLASS_9A), await publish_call(curator, api.chat("GROUP", CLASS_9A))
    shown = await show(learner, chat, "name url viewerActions publishedCall { id joinUrl viewerActions }")
    assert shown == {
        "name": "9А",
        "url": None,
        "viewerActions": [],
        "publishedCall": {"id": call, "joinUrl": None, "viewerActions": []},
    }
    assert await participants(learner, chat) == await participants(curator, chat)
    assert await new_calls(learner) == 1
    for mutation, given in every_mutation(api, chat, call).items():
        await learner.refused("PROFILE_NOT_LINKED", mutation, **given)
    await learner.do("markChatsSeen")
    assert await new_calls(learner) == 0
    await link(learner)
    shown = await show(learner, chat, "url viewerActions publishedCall { joinUrl viewerActions }")
    assert shown["viewerActions"] == ["OPEN"]
    assert shown["publishedCall"]["viewerActions"] == ["JOIN"]
    assert shown["url"].startswith("https://school.example/messenger/chats/")
    assert shown["publishedCall"]["joinUrl"].startswith("https://school.example/messenger/calls/")


def every_mutation(api: Api, chat: str, call: str) -> dict[str, dict[str, Any]]:
    """All that acts on chats and calls, with an input of the right shape."""
    somebody = api.as_(LEARNER_9A).id
    return {
        "createChat": {"kind": "SUBGROUP", "name": "Chat"},
        "renameChat": {"chatId": chat, "name": "Another"},
        "addChatParticipants": {"chatId": chat, "userIds": [somebody]},
        "removeChatParticipants": {"chatId": chat, "userIds": [somebody]},
        "setChatAdministrator": {"chatId": chat, "userId": somebody, "isAdministrator": True},
        "deleteChat": {"chatId": chat},
        "createCall": {"chatId": chat, "title": "Call", "startsAt": TOMORROW},
        "updateCall": {"callId": call, "title": "Another"},
        "publishCall": {"callId": call},
        "finishCall": {"callId": call},
        "deleteCall": {"callId": call},
    }


async def test_E41_who_unlinks_loses_what_he_could_do(api: Api) -> None:
    teacher, administrator = api.as_(TEACHER), api.as_(ADMINISTRATOR)
    chat = await create_subgroup_chat(teacher)
    call = await create_call(teacher, chat)
    for person in (teacher, administrator):
        await person.do("unlinkProfile")
        for mutation, given in every_mutation(api, chat, call).items():
            await person.refused("PROFILE_NOT_LINKED", mutation, **given)
        asked = "viewerActions calls { nodes { viewerActions } }"
        assert await show(person, chat, asked) == {
            "viewerActions": [],
            "calls": {"nodes": [{"viewerActions": []}]},
        }
        assert await person.ask("{ viewer { canCreateChat } }") == {"viewer": {"canCreateChat": False}}


@pytest.mark.parametrize(
    ("requirement", "opens", "acts"), [("NONE", True, True), ("JOIN", False, True), ("ACT", False, False)]
)
async def test_E41_A12_the_knob_says_what_is_closed(api: Api, requirement: str, opens: bool, acts: bool) -> None:
    administrator, teacher = api.as_(ADMINISTRATOR), api.as_(TEACHER_UNLINKED)
    chat = await create_custom_chat(administrator, teacher)
    await administrator.do("setChatAdministrator", chatId=chat, userId=teacher.id, isAdministrator=True)
    call = await publish_call(administrator, chat)
    turn(api.database, linkRequirement=requirement)
    asked = "{ viewer { messengerUrl canCreateChat organization { policy { linkRequirement } } } }"
    viewer = (await teacher.ask(asked))["viewer"]
    assert (viewer["messengerUrl"] is not None, viewer["canCreateChat"]) == (opens, acts)
    assert viewer["organization"] == {"policy": {"linkRequirement": requirement}}
    shown = await show(teacher, chat, "url viewerActions")
    assert (shown["url"] is not None, "OPEN" in shown["viewerActions"]) == (opens, opens)
    assert ("RENAME" in shown["viewerActions"], "CREATE_CALL" in shown["viewerActions"]) == (acts, acts)
    joined = await show(teacher, call, "joinUrl viewerActions")
    assert (joined["joinUrl"] is not None, "JOIN" in joined["viewerActions"]) == (opens, opens)
    if acts:
        await teacher.do("renameChat", chatId=chat, name="Another")
        await teacher.do("finishCall", callId=call)
    else:
        await teacher.refused("PROFILE_NOT_LINKED", "renameChat", chatId=chat, name="Another")
        await teacher.refused("PROFILE_NOT_LINKED", "finishCall", callId=call)


# -------------------------------------------------------------------------------------- who is nobody


async def test_signed_out_nothing_can_be_read_or_done(api: Api) -> None:
    nobody, chat = api.signed_out(), api.chat("GROUP", CLASS_9A)
    call = await create_call(api.as_(CURATOR_9A), chat)
    await refuses_everything(nobody, chat, call)


async def test_who_has_left_the_school_is_signed_out(api: Api) -> None:
    learner, chat = api.as_(LEARNER_9A), api.chat("GROUP", CLASS_9A)
    call = await create_call(api.as_(CURATOR_9A), chat)
    import_school(api.database, without_person(LEARNER_9A))
    await refuses_everything(learner, chat, call)


async def refuses_everything(person: Person, chat: str, call: str) -> None:
    given = [*every_mutation(person.api, chat, call).items(), ("completeProfileLink", {"code": "x", "state": "x"})]
    for mutation, values in given:
        name = f"{mutation[0].upper()}{mutation[1:]}Input"
        document = f"mutation($input: {name}!) {{ {mutation}(input: $input) {{ __typename }} }}"
        await person.fails("UNAUTHENTICATED", document, input=values)
    for document in (
        "{ viewer { user { id } } }",
        "mutation { markChatsSeen { badges { newCalls } } }",
        "mutation { beginProfileLink { __typename } }",
        "mutation { unlinkProfile { __typename } }",
    ):
        await person.fails("UNAUTHENTICATED", document)


async def test_a_refusal_speaks_the_language_of_the_school(api: Api) -> None:
    learner, eleve = api.as_(LEARNER_9B), api.as_(NEXT_DOOR_LEARNER, NEXT_DOOR)
    given = {"kind": "SUBGROUP", "name": "Chat"}
    answer = await learner.refused("NO_SUBGROUP", "createChat", **given)
    assert answer["reason"] == "Чат можно создать только для подгруппы, которую вы ведёте."
    answer = await eleve.refused("NO_SUBGROUP", "createChat", **given)
    assert answer["reason"] == "Vous ne pouvez créer une discussion que pour un groupe où vous enseignez."
    answer = await learner.refused("NOT_FOUND", "createChat", **given, groupId=api.group(MATH_9A))
    assert answer["reason"] == "Этого нет, или у вас нет к нему доступа."
