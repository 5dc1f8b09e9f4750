"""In which order are actions on chats refused, and which are no mistakes at all?"""

from sqlalchemy import insert

from models.tables.people import memberships, users
from tests.api import Api
from tests.school import (
    ADMINISTRATOR,
    CLASS_9A,
    CURATOR_9A,
    ENGLISH_9A_1,
    LEARNER_9A,
    LEARNER_9B,
    LEARNER_UNLINKED,
    NEXT_DOOR,
    TEACHER,
    TEACHER_UNLINKED,
    SchoolClock,
)
from tests.steps import (
    TOMORROW,
    create_custom_chat,
    create_subgroup_chat,
    import_school,
    show,
    turn,
    without_person,
)

STRANGE_IDS = ("", "Chat_999999", "Chat_01", "User_1", "Chat_" + "9" * 40, "🙂")

# ---------------------------------------------------------------------------------- refusals, in order


async def test_shape_comes_before_visibility(api: Api) -> None:
    learner = api.as_(LEARNER_UNLINKED)
    many = [learner.id] * 101
    await learner.invalid("name", "renameChat", chatId="Chat_999999", name=" ")
    await learner.invalid("userIds", "addChatParticipants", chatId="Chat_999999", userIds=many)
    await learner.invalid("userIds", "removeChatParticipants", chatId="Chat_999999", userIds=many)
    await learner.invalid("name", "createChat", kind="GROUP", name="", participantIds=["User_0"])
    await learner.invalid("participantIds", "createChat", kind="GROUP", name="Chat", participantIds=many)
    await learner.invalid("groupId", "createChat", kind="CUSTOM", name="Chat", groupId="Group_999999")


async def test_visibility_comes_before_all_else(api: Api) -> None:
    """Unknown, malformed and of another type are one answer, also for who may not act."""
    for chat in STRANGE_IDS:
        person = api.as_(LEARNER_UNLINKED)
        await person.refused("NOT_FOUND", "renameChat", chatId=chat, name="Another")
        await person.refused("NOT_FOUND", "addChatParticipants", chatId=chat, userIds=[])
        await person.refused("NOT_FOUND", "removeChatParticipants", chatId=chat, userIds=[])
        given = {"userId": person.id, "isAdministrator": True}
        await person.refused("NOT_FOUND", "setChatAdministrator", chatId=chat, **given)
        await person.refused("NOT_FOUND", "deleteChat", chatId=chat)
        await person.refused("NOT_FOUND", "createCall", chatId=chat, title="Call", startsAt=TOMORROW)


async def test_what_one_does_not_see_is_not_found(api: Api) -> None:
    theirs = api.chat("TEACHERS", NEXT_DOOR)
    not_mine = await create_subgroup_chat(api.as_(TEACHER))
    for login, chat in (
        (ADMINISTRATOR, theirs),
        (CURATOR_9A, theirs),
        (CURATOR_9A, not_mine),
        (LEARNER_9B, not_mine),
    ):
        person = api.as_(login)
        await person.refused("NOT_FOUND", "renameChat", chatId=chat, name="Another")
        await person.refused("NOT_FOUND", "addChatParticipants", chatId=chat, userIds=[person.id])
        await person.refused("NOT_FOUND", "deleteChat", chatId=chat)


async def test_visibility_of_people_comes_before_switches(api: Api) -> None:
    teacher, unlinked = api.as_(TEACHER), api.as_(LEARNER_UNLINKED)
    chat, mandatory = await create_subgroup_chat(teacher), api.chat("GROUP", CLASS_9A)
    await teacher.do("addChatParticipants", chatId=chat, userIds=[unlinked.id])
    nobody = ["User_999999"]
    for person, where in ((unlinked, chat), (api.as_(CURATOR_9A), mandatory)):
        await person.refused("NOT_FOUND", "addChatParticipants", chatId=where, userIds=nobody)
        await person.refused("NOT_FOUND", "removeChatParticipants", chatId=where, userIds=nobody)
        # Somebody who takes no part has no role there to change.
        for user in (*nobody, api.as_(LEARNER_9B).id):
            given = {"userId": user, "isAdministrator": True}
            await person.refused("NOT_FOUND", "setChatAdministrator", chatId=where, **given)
    await unlinked.refused("NOT_FOUND", "createChat", kind="GROUP", name="Chat", participantIds=nobody)
    await unlinked.refused("NOT_FOUND", "createChat", kind="SUBGROUP", name="Chat", groupId="Group_999999")


async def test_switches_come_in_their_order_and_before_the_right(api: Api) -> None:
    teacher, learner = api.as_(TEACHER_UNLINKED), api.as_(LEARNER_UNLINKED)
    for person in (teacher, learner):
        await person.refused("KIND_NOT_OFFERED", "createChat", kind="TEACHERS", name="Chat")
        await person.refused("PROFILE_NOT_LINKED", "createChat", kind="SUBGROUP", name="Chat")
        await person.refused("PROFILE_NOT_LINKED", "createChat", kind="CUSTOM", name="Chat")
    for person, chat in ((teacher, api.chat("TEACHERS")), (learner, api.chat("GROUP", CLASS_9A))):
        await person.refused("PROFILE_NOT_LINKED", "renameChat", chatId=chat, name="Another")
        await person.refused("PROFILE_NOT_LINKED", "addChatParticipants", chatId=chat, userIds=[person.id])
        await person.refused("PROFILE_NOT_LINKED", "removeChatParticipants", chatId=chat, userIds=[person.id])
        given = {"userId": person.id, "isAdministrator": True}
        await person.refused("PROFILE_NOT_LINKED", "setChatAdministrator", chatId=chat, **given)
        await person.refused("PROFILE_NOT_LINKED", "deleteChat", chatId=chat)
        await person.refused("PROFILE_NOT_LINKED", "createCall", chatId=chat, title="Call", startsAt=TOMORROW)
    turn(api.database, chatKinds=["SUBGROUP"])
    await learner.refused("KIND_NOT_OFFERED", "createChat", kind="CUSTOM", name="Chat")
    await api.as_(ADMINISTRATOR).refused("KIND_NOT_OFFERED", "createChat", kind="CUSTOM", name="Chat")


async def test_a_chat_takes_five_hundred_people(api: Api, clock: SchoolClock) -> None:
    administrator = api.as_(ADMINISTRATOR)
    chat = await create_custom_chat(administrator)
    crowd = newcomers(api, 500)
    for start in range(0, 400, 100):
        await administrator.do("addChatParticipants", chatId=chat, userIds=crowd[start : start + 100])
    answer = await administrator.refused("TOO_LARGE", "addChatParticipants", chatId=chat, userIds=crowd[400:])
    assert answer["field"] == "userIds"
    # Who takes part already counts once.
    await administrator.do("addChatParticipants", chatId=chat, userIds=[administrator.id, *crowd[400:499]])
    assert await show(administrator, chat, "participantCount") == {"participantCount": 500}
    await administrator.do("addChatParticipants", chatId=chat, userIds=crowd[450:499])
    await administrator.refused("TOO_LARGE", "addChatParticipants", chatId=chat, userIds=crowd[499:])


async def test_a_subgroup_of_more_than_five_hundred_is_too_large_for_a_chat(api: Api) -> None:
    teacher, group = api.as_(TEACHER), api.group(ENGLISH_9A_1)
    learners = [int(id_.partition("_")[2]) for id_ in newcomers(api, 497)]
    with api.database.transaction() as tx:
        own = {"organization_id": teacher.viewer.organization_id}  # type: ignore[union-attr]
        where = {"group_id": int(group.partition("_")[2]), "position": "LEARNER", "since": tx.now}
        tx.execute(insert(memberships), [{**own, **where, "user_id": learner} for learner in learners])
    given = {"kind": "SUBGROUP", "name": "Chat", "groupId": group}
    answer = await teacher.refused("TOO_LARGE", "createChat", **given)
    assert answer["field"] == "participantIds"
    await teacher.do("createChat", **given, participantIds=[f"User_{learner}" for learner in learners[:100]])


def newcomers(api: Api, count: int) -> list[str]:
    """The ids of new people of the school."""
    with api.database.transaction() as tx:
        organization_id = api.as_(ADMINISTRATOR).viewer.organization_id  # type: ignore[union-attr]
        names = [f"newcomer.{number}" for number in range(count)]
        values = [
            {
                "organization_id": organization_id,
                "source_id": name,
                "login": name,
                "name": name,
                "search_key": name,
                "created_at": tx.now,
            }
            for name in names
        ]
        made = tx.execute(insert(users).returning(users.c.id, sort_by_parameter_order=True), values)
        return [f"User_{key}" for key in made.scalars()]


# ------------------------------------------------------------------------------------------ no refusals


async def test_what_is_done_already_succeeds_and_leaves_nothing(api: Api) -> None:
    teacher, learner = api.as_(TEACHER), api.as_(LEARNER_9A)
    chat = await create_subgroup_chat(teacher)
    away = api.as_(LEARNER_9B).id
    with api.unchanged():
        assert (await teacher.do("renameChat", "chat { name }", chatId=chat, name=" Chat "))["chat"] == {
            "name": "Chat"
        }
        await teacher.do("addChatParticipants", chatId=chat, userIds=[learner.id, teacher.id])
        await teacher.do("addChatParticipants", chatId=chat, userIds=[])
        await teacher.do("removeChatParticipants", chatId=chat, userIds=[away, away])
        await teacher.do("removeChatParticipants", chatId=chat, userIds=[])
        await teacher.do("setChatAdministrator", chatId=chat, userId=learner.id, isAdministrator=False)
        await teacher.do("setChatAdministrator", chatId=chat, userId=teacher.id, isAdministrator=True)
    await teacher.do("removeChatParticipants", chatId=chat, userIds=[learner.id, away])
    with api.unchanged():
        await teacher.do("removeChatParticipants", chatId=chat, userIds=[learner.id])
    import_school(api.database, without_person(LEARNER_9B))
    with api.unchanged():
        await teacher.do("removeChatParticipants", chatId=chat, userIds=[away])
