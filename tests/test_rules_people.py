"""Who sees whom? People, members of groups, memberships, and what an id leads to (semantics.md)."""

from typing import Any

import pytest
from sqlalchemy import insert, select

from jobs.demo.gorizont import GORIZONT, IN_7V, IN_9A
from jobs.demo.tilleuls import TILLEULS
from models.tables.people import GroupKind, Position, groups, memberships
from tests.api import Api, Person
from tests.school import (
    ADMINISTRATOR,
    CLASS_9A,
    CLASS_9B,
    CLASS_10A,
    CLASS_WITHOUT_CURATOR,
    CURATOR_9A,
    DIRECTOR,
    ENGLISH_9A_1,
    FRENCH,
    GUARDIAN_9A,
    GUARDIAN_OF_TWO,
    LEARNER_9A,
    LEARNER_9B,
    LIBRARIAN,
    LITERATURE_9A,
    MATH_9A,
    NEXT_DOOR,
    NEXT_DOOR_ADMINISTRATOR,
    NEXT_DOOR_CURATOR,
    NEXT_DOOR_GUARDIAN,
    NEXT_DOOR_LEARNER,
    PSYCHOLOGIST,
    SCHOOL,
    SECRETARY,
    TEACHER,
    TEACHER_OF_FRENCH,
    TEACHER_OF_TWO,
    TEACHER_WITHOUT_SUBGROUP,
)
from tests.steps import (
    chat_names,
    create_call,
    create_custom_chat,
    finish_call,
    import_school,
    publish_call,
    sees,
    show,
    without_person,
)

EVERYBODY = {person.login for person in GORIZONT.people}
GUARDIANS_9A = {f"guardian.9a.{number}" for number in range(1, 8)}
GUARDIAN_7V = "guardian.7v.1"

OF_9A = {*IN_9A, CURATOR_9A, TEACHER_OF_TWO, TEACHER}
"""Learners and teachers of the groups where LEARNER_9A is: 9А, mathematics, English and literature."""


async def people_seen(person: Person, school: str = SCHOOL) -> set[str]:
    """The logins of all whom the person sees, of this school."""
    people = GORIZONT.people if school == SCHOOL else TILLEULS.people
    ids = [person.api.as_(each.login, school).id for each in people]
    shown = await person.ask("query($ids: [ID!]!) { nodes(ids: $ids) { ... on User { id login } } }", ids=ids)
    assert [node["id"] for node in shown["nodes"] if node] == [
        id_ for id_, node in zip(ids, shown["nodes"], strict=True) if node
    ]
    return {node["login"] for node in shown["nodes"] if node}


# -------------------------------------------------------------------------------------------- people


@pytest.mark.parametrize(
    ("login", "seen"),
    [
        # Who studies with him, who teaches him, and the administrators, whom he reaches (E2).
        (LEARNER_9A, OF_9A | {ADMINISTRATOR, DIRECTOR}),
        # The same of the child, and who takes part in the chat of the parents.
        (GUARDIAN_9A, OF_9A | GUARDIANS_9A | {ADMINISTRATOR, DIRECTOR}),
        # 7В has no chats yet: no other guardian is seen.
        (GUARDIAN_7V, {*IN_7V, GUARDIAN_7V, "teacher.sport", ADMINISTRATOR, DIRECTOR}),
        (TEACHER_WITHOUT_SUBGROUP, EVERYBODY),
        (SECRETARY, EVERYBODY),
        (ADMINISTRATOR, EVERYBODY),
    ],
)
async def test_people_whom_the_school_brings_together_see_each_other(api: Api, login: str, seen: set[str]) -> None:
    assert await people_seen(api.as_(login)) == seen
    assert await people_seen(api.as_(login), NEXT_DOOR) == set()


async def test_E1_where_all_reach_all_everybody_is_visible(api: Api) -> None:
    everybody = {person.login for person in TILLEULS.people}
    for login in (NEXT_DOOR_LEARNER, NEXT_DOOR_GUARDIAN, NEXT_DOOR_CURATOR):
        assert await people_seen(api.as_(login, NEXT_DOOR), NEXT_DOOR) == everybody


async def test_participants_of_a_chat_see_each_other_while_they_take_part(api: Api) -> None:
    administrator, learner, guardian = api.as_(ADMINISTRATOR), api.as_(LEARNER_9B), api.as_(GUARDIAN_7V)
    assert not await sees(learner, guardian.id)
    chat = await create_custom_chat(administrator, learner, guardian)
    assert (await sees(learner, guardian.id), await sees(guardian, learner.id)) == (True, True)
    await administrator.do("removeChatParticipants", chatId=chat, userIds=[learner.id])
    assert (await sees(learner, guardian.id), await sees(guardian, learner.id)) == (False, False)
    await administrator.do("addChatParticipants", chatId=chat, userIds=[learner.id])
    assert await sees(learner, guardian.id)
    await administrator.do("deleteChat", chatId=chat)
    assert not await sees(learner, guardian.id)


async def test_what_is_visible_has_name_and_login(api: Api) -> None:
    learner = api.as_(LEARNER_9A)
    shown = await show(learner, api.as_(CURATOR_9A).id, "name login isActive")
    assert shown == {"name": "Соколова Елена Викторовна", "login": CURATOR_9A, "isActive": True}
    assert await show(learner, api.as_(TEACHER).id, "name") == {"name": "O'Brien Shannon"}
    # Elsewhere the given name comes first.
    eleve = api.as_(NEXT_DOOR_LEARNER, NEXT_DOOR)
    assert await show(eleve, eleve.id, "name") == {"name": "Chloë Vasseur"}


async def test_memberships_are_all_for_the_office_and_shared_ones_for_others(api: Api) -> None:
    learner = api.as_(LEARNER_9A)
    everything = [
        (SCHOOL, "LEARNER"),
        (CLASS_9A, "LEARNER"),
        (ENGLISH_9A_1, "LEARNER"),
        (LITERATURE_9A, "LEARNER"),
        (MATH_9A, "LEARNER"),
    ]
    shared_with_curator = [(SCHOOL, "LEARNER"), (CLASS_9A, "LEARNER"), (LITERATURE_9A, "LEARNER")]
    for login, seen in (
        (LEARNER_9A, everything),
        (SECRETARY, everything),
        (ADMINISTRATOR, everything),
        (GUARDIAN_OF_TWO, everything),  # the guardian is in all groups of the child
        (CURATOR_9A, shared_with_curator),
        (TEACHER_WITHOUT_SUBGROUP, [(SCHOOL, "LEARNER")]),
    ):
        shown = await show(api.as_(login), learner.id, "memberships { position group { name } }")
        found = [(each["group"]["name"], each["position"]) for each in shown["memberships"]]
        assert sorted(found) == sorted(seen), login
    # Several positions in one group are several memberships.
    shown = await show(learner, api.as_(CURATOR_9A).id, "memberships { position group { name } }")
    assert [(each["group"]["name"], each["position"]) for each in shown["memberships"]] == [
        (CLASS_9A, "CURATOR"),
        (CLASS_9A, "TEACHER"),
        (LITERATURE_9A, "TEACHER"),
        (SCHOOL, "TEACHER"),
    ]


# -------------------------------------------------------------------------------------------- groups


async def members(person: Person, group: str, **chosen: Any) -> set[str]:
    """The logins of a group's members as the person sees them."""
    shown = await person.ask(
        "query($id: ID!, $position: Position, $search: String) { node(id: $id) { ... on Group { "
        "members(position: $position, search: $search, first: 100) { nodes { login } totalCount } } } }",
        id=group,
        **chosen,
    )
    nodes = shown["node"]["members"]["nodes"]
    assert len(nodes) == shown["node"]["members"]["totalCount"]
    return {node["login"] for node in nodes}


async def test_members_of_a_class_by_the_position_of_the_viewer(api: Api) -> None:
    group = api.group(CLASS_9A)
    shown_to_families = {*IN_9A, CURATOR_9A}
    everybody = shown_to_families | GUARDIANS_9A
    for login, seen in (
        (SECRETARY, everybody),
        (ADMINISTRATOR, everybody),
        (TEACHER_WITHOUT_SUBGROUP, everybody),
        (CURATOR_9A, everybody),
        (LEARNER_9A, shown_to_families),
        (GUARDIAN_9A, shown_to_families | {GUARDIAN_9A}),  # himself, and no other guardian
        (GUARDIAN_OF_TWO, shown_to_families | {GUARDIAN_OF_TWO}),
    ):
        assert await members(api.as_(login), group) == seen, login


async def test_members_are_chosen_by_position_and_by_name(api: Api) -> None:
    group, staff, learner = api.group(CLASS_9A), api.as_(SECRETARY), api.as_(LEARNER_9A)
    assert await members(staff, group, position="GUARDIAN") == GUARDIANS_9A
    assert await members(staff, group, position="CURATOR") == {CURATOR_9A}
    assert await members(staff, group, position="EXPERT") == set()
    assert await members(learner, group, position="GUARDIAN") == set()
    assert await members(api.as_(GUARDIAN_9A), group, position="GUARDIAN") == {GUARDIAN_9A}
    assert await members(learner, group, position="LEARNER") == set(IN_9A)
    assert await members(staff, group, search="алексеев") == {"learner.9a.1", "guardian.9a.1", "guardian.9a.2"}
    assert await members(staff, group, search="zoe") == {"learner.9a.4"}
    assert await members(learner, group, search="алексеев") == {"learner.9a.1"}
    assert await members(staff, group, search="семен", position="GUARDIAN") == {"guardian.9a.4"}


async def test_members_of_large_groups_are_for_personnel(api: Api) -> None:
    cycle = {person.login for person in TILLEULS.people if person.login.startswith(("eleve", "parent", "pp"))}
    everybody = {person.login for person in TILLEULS.people}
    for group, seen in ((api.group("Cycle 4"), cycle | {"principale"}), (api.group(NEXT_DOOR), everybody)):
        for login in (NEXT_DOOR_ADMINISTRATOR, NEXT_DOOR_CURATOR, LIBRARIAN):
            assert await members(api.as_(login, NEXT_DOOR), group) == seen, login
        for login in (NEXT_DOOR_LEARNER, NEXT_DOOR_GUARDIAN):
            assert await members(api.as_(login, NEXT_DOOR), group) == set(), login
            assert await members(api.as_(login, NEXT_DOOR), group, position="TEACHER") == set()
    department = api.as_(SECRETARY).viewer
    assert department is not None
    people = [api.as_(login).viewer for login in (LEARNER_9A, GUARDIAN_9A, TEACHER)]
    positions = (Position.LEARNER, Position.GUARDIAN, Position.TEACHER)
    with api.database.transaction() as tx:
        own = {"organization_id": department.organization_id}
        texts = {"source": "org", "source_id": "dep", "name": "Кафедра", "search_key": "кафедра"}
        made = insert(groups).values(kind=GroupKind.DEPARTMENT, **own, **texts).returning(groups.c.id)
        key = tx.execute(made).scalar_one()
        for person, position in zip(people, positions, strict=True):
            assert person is not None
            values = {"user_id": person.id, "group_id": key, "position": position, "since": tx.now}
            tx.execute(insert(memberships).values(**own, **values))
    assert await members(api.as_(TEACHER), f"Group_{key}") == {LEARNER_9A, GUARDIAN_9A, TEACHER}
    for login in (LEARNER_9A, GUARDIAN_9A):
        assert await members(api.as_(login), f"Group_{key}") == set()


async def test_groups_are_all_for_personnel_and_own_for_others(api: Api) -> None:
    with api.database.engine.connect() as connection:
        every = select(groups.c.name).where(groups.c.organization_id == api.as_(TEACHER).viewer.organization_id)  # type: ignore[union-attr]
        everything = set(connection.execute(every).scalars())
    asked = "{ viewer { organization { groups(first: 100) { nodes { name } totalCount } } groups { name } } }"
    of_9a = {SCHOOL, CLASS_9A, MATH_9A, LITERATURE_9A, ENGLISH_9A_1}
    for login, listed, own in (
        (SECRETARY, everything, {SCHOOL}),
        (TEACHER, everything, {SCHOOL, CLASS_9B, ENGLISH_9A_1}),
        (LEARNER_9A, of_9a, of_9a),
        (GUARDIAN_9A, of_9a, of_9a),
        (GUARDIAN_OF_TWO, of_9a | {"7В", "Физкультура 7В"}, of_9a | {"7В", "Физкультура 7В"}),
    ):
        viewer = (await api.as_(login).ask(asked))["viewer"]
        found = [node["name"] for node in viewer["organization"]["groups"]["nodes"]]
        assert viewer["organization"]["groups"]["totalCount"] == len(found) == len(listed)
        assert set(found) == listed, login
        assert {group["name"] for group in viewer["groups"]} == own, login
    chosen = (
        "{ viewer { groups(kind: SUBGROUP) { name discipline } "
        'organization { groups(kind: CLASS, search: "9а") { nodes { name curators { login } } } } } }'
    )
    viewer = (await api.as_(TEACHER).ask(chosen))["viewer"]
    assert viewer == {
        "groups": [{"name": ENGLISH_9A_1, "discipline": "Английский язык"}],
        "organization": {"groups": {"nodes": [{"name": CLASS_9A, "curators": [{"login": CURATOR_9A}]}]}},
    }


async def test_what_a_group_belongs_to(api: Api) -> None:
    eleve = api.as_(NEXT_DOOR_LEARNER, NEXT_DOOR)
    shown = await show(eleve, api.group("3e A"), "kind parent { name kind parent { name kind parent { id } } }")
    assert shown == {
        "kind": "CLASS",
        "parent": {
            "name": "Cycle 4",
            "kind": "CYCLE",
            "parent": {"name": NEXT_DOOR, "kind": "ORGANIZATION", "parent": None},
        },
    }


# ----------------------------------------------------------------------------------------------- nodes


async def test_an_id_leads_to_what_one_sees_and_to_nothing_else(api: Api) -> None:
    """Another school's, an unknown, a malformed one and one that is not shown: all null alike."""
    curator, administrator = api.as_(CURATOR_9A), api.as_(ADMINISTRATOR)
    chat = api.chat("GROUP", CLASS_9A)
    call, over = await publish_call(curator, chat), await finish_call(curator, api.chat("PARENTS", CLASS_9A))
    ids = {
        "organization": await organization_of(curator),
        "curator": curator.id,
        "group": api.group(CLASS_9A),
        "chat": chat,
        "call": call,
        "over": over,
    }
    expected = {
        CURATOR_9A: set(ids),
        ADMINISTRATOR: set(ids),
        LEARNER_9A: set(ids) - {"over"},
        GUARDIAN_9A: set(ids) - {"chat", "call", "over"},
        TEACHER_OF_FRENCH: {"organization", "curator", "group"},
        LEARNER_9B: {"organization"},
    }
    for login, seen in expected.items():
        assert await seen_of(api.as_(login), ids) == seen, login
    for login in (NEXT_DOOR_ADMINISTRATOR, NEXT_DOOR_LEARNER):
        assert await seen_of(api.as_(login, NEXT_DOOR), ids) == set()
    theirs = {
        "organization": await organization_of(api.as_(NEXT_DOOR_LEARNER, NEXT_DOOR)),
        "person": api.as_(LIBRARIAN, NEXT_DOOR).id,
        "group": api.group("3e A"),
        "chat": api.chat("GROUP", "3e A"),
    }
    assert await seen_of(administrator, theirs) == set()


async def organization_of(person: Person) -> str:
    return str((await person.ask("{ viewer { organization { id } } }"))["viewer"]["organization"]["id"])


async def seen_of(person: Person, ids: dict[str, str]) -> set[str]:
    """Which of these the person sees, one by one and all at once."""
    one_by_one = {name for name, id_ in ids.items() if await sees(person, id_)}
    shown = await person.ask("query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", ids=list(ids.values()))
    at_once = set()
    for (name, id_), node in zip(ids.items(), shown["nodes"], strict=True):
        if node is not None:
            assert node == {"__typename": id_.partition("_")[0], "id": id_}
            at_once.add(name)
    assert at_once == one_by_one
    return one_by_one


@pytest.mark.parametrize("type_name", ["Organization", "User", "Group", "Chat", "Call"])
async def test_ids_that_name_nothing_are_null_all_alike(api: Api, type_name: str) -> None:
    administrator = api.as_(ADMINISTRATOR)
    wrong = ("0", "999999", "-1", "01", "1.0", "1 ", " 1", "", "x", "٣", "1" * 18, "9" * 18, "9" * 19, "9" * 400)
    ids = [f"{type_name}_{key}" for key in wrong]
    ids += [
        type_name,
        f"{type_name.lower()}_1",
        f" {type_name}_1",
        f"{type_name}:1",
        "Viewer_1",
        "Badges_1",
        "1",
        "🙂",
    ]
    shown = await administrator.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=ids)
    assert shown == {"nodes": [None] * len(ids)}
    for id_ in ids[:8]:
        assert await administrator.ask("query($id: ID!) { node(id: $id) { id } }", id=id_) == {"node": None}


async def test_nodes_come_in_the_order_of_their_ids(api: Api) -> None:
    learner = api.as_(LEARNER_9A)
    ids = [learner.id, "User_0", api.group(CLASS_9A), learner.id, api.group(CLASS_10A)]
    shown = await learner.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=ids)
    assert [node and node["id"] for node in shown["nodes"]] == [ids[0], None, ids[2], ids[3], None]
    assert await learner.ask("{ nodes(ids: []) { id } }") == {"nodes": []}
    hundred = ["User_0"] * 100
    document = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert await learner.ask(document, ids=hundred) == {"nodes": [None] * 100}
    await learner.fails("LIMIT_EXCEEDED", document, ids=[*hundred, "User_0"])


# --------------------------------------------------------------------------------------- chats and calls


async def test_E44_all_chats_of_the_organization_are_for_its_administrators(api: Api) -> None:
    await create_custom_chat(api.as_(ADMINISTRATOR), api.as_(GUARDIAN_7V), name="Выпускной")
    everything = ["10А", "11А", "9А", "9Б", "Выпускной", "Преподаватели"]
    everything += ["Родители, 10А", "Родители, 11А", "Родители, 9А", "Родители, 9Б"]
    for login in (ADMINISTRATOR, DIRECTOR):
        assert await all_chats(api.as_(login)) == everything
    for login in (CURATOR_9A, SECRETARY, LEARNER_9A, GUARDIAN_7V, TEACHER):
        person = api.as_(login)
        assert await all_chats(person) == await chat_names(person), login
    principale = api.as_(NEXT_DOOR_ADMINISTRATOR, NEXT_DOOR)
    assert await all_chats(principale) == ["3e A", "4e B", "Enseignants", "Parents, 3e A", "Parents, 4e B"]


async def all_chats(person: Person) -> list[str]:
    asked = "{ viewer { organization { chats(first: 100) { nodes { name } totalCount } } } }"
    chats = (await person.ask(asked))["viewer"]["organization"]["chats"]
    assert chats["totalCount"] == len(chats["nodes"])
    return [chat["name"] for chat in chats["nodes"]]


async def test_the_office_sees_into_a_chat_and_does_not_enter_it(api: Api) -> None:
    curator, administrator, chat = api.as_(CURATOR_9A), api.as_(ADMINISTRATOR), api.chat("GROUP", CLASS_9A)
    call, over = await publish_call(curator, chat), await finish_call(curator, api.chat("PARENTS", CLASS_9A))
    created = await create_call(curator, chat)
    shown = await show(
        administrator,
        chat,
        "url viewerIsAdministrator participants { totalCount } calls { nodes { id joinUrl } } "
        "publishedCall { id }",
    )
    calls = shown.pop("calls")["nodes"]
    assert shown == {
        "url": None,
        "viewerIsAdministrator": False,
        "participants": {"totalCount": 8},
        "publishedCall": {"id": call},
    }
    assert sorted(each["id"] for each in calls) == sorted([call, created])
    assert [each["joinUrl"] for each in calls] == [None, None]
    assert (await show(curator, call, "joinUrl"))["joinUrl"] is not None
    assert await show(administrator, over, "status") == {"status": "FINISHED"}


async def test_a_group_of_a_chat_is_shown_to_who_sees_it(api: Api) -> None:
    administrator = api.as_(ADMINISTRATOR)
    guardian = api.as_(GUARDIAN_7V)
    french = api.as_(TEACHER_OF_FRENCH)
    given = {"kind": "SUBGROUP", "name": "Chat", "groupId": api.group(FRENCH), "participantIds": [guardian.id]}
    chat = (await french.do("createChat", "chat { id }", **given))["chat"]["id"]
    assert await show(french, chat, "group { name }") == {"group": {"name": FRENCH}}
    assert await show(administrator, chat, "group { name }") == {"group": {"name": FRENCH}}
    assert await show(guardian, chat, "group { name }") == {"group": None}


async def test_who_has_left_is_shown_as_gone(api: Api) -> None:
    learner = api.as_(LEARNER_9A)
    import_school(api.database, without_person(LEARNER_9A))
    assert await show(api.as_(PSYCHOLOGIST), learner.id, "isActive name") == {
        "isActive": False,
        "name": "Алексеева Анна Михайловна",
    }
    assert LEARNER_9A not in await members(api.as_(SECRETARY), api.group(CLASS_9A))
    assert await members(api.as_(SECRETARY), api.group(CLASS_WITHOUT_CURATOR), position="LEARNER") == set(IN_7V)
