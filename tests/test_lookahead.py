"""Is what one statement answers what every field would answer alone? Random documents, compared as text.

`LOOKAHEAD_DOCUMENTS=3000` tries more of them, `LOOKAHEAD_SEED=anything` others.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLObjectType, build_schema, parse
from sqlalchemy import event

from app.messenger.builtin import OwnSignIn
from resolvers.looking import AT_ONCE
from schema import schema as served
from tests.api import PATIENCE, QUIET, Api
from tests.engines import on_postgresql
from tests.lookahead import oracle
from tests.lookahead.caches import forget_all
from tests.lookahead.conformance import assert_conforms
from tests.lookahead.faults import FAULTS, Planted
from tests.lookahead.prelude import build_lively_school
from tests.lookahead.trial import STREAMS, Differs, Trial
from tests.school import (
    ADMINISTRATOR,
    CLASS_9A,
    CURATOR_9A,
    CURATOR_9B,
    DIRECTOR,
    GUARDIAN_OF_THREE,
    GUARDIAN_OF_TWO,
    GUARDIAN_UNLINKED,
    LEARNER_9A,
    LEARNER_UNLINKED,
    LIBRARIAN,
    MATH_9A,
    NEXT_DOOR,
    NEXT_DOOR_ADMINISTRATOR,
    NEXT_DOOR_CURATOR,
    NEXT_DOOR_GUARDIAN,
    NEXT_DOOR_LEARNER,
    OTHER_LEARNER_9A,
    PSYCHOLOGIST,
    SCHOOL,
    SECRET,
    TEACHER_AND_GUARDIAN,
    TEACHER_OF_TWO,
    TEACHER_UNLINKED,
)

DOCUMENTS = int(os.environ.get("LOOKAHEAD_DOCUMENTS", "100"))
SEED = os.environ.get("LOOKAHEAD_SEED", "préau")
SDL = build_schema(served.as_str())
ENOUGH = 150
"""Within so many documents a fault has to be found."""

PEOPLE = [
    *(
        (login, SCHOOL)
        for login in (
            ADMINISTRATOR,
            DIRECTOR,  # an administrator who teaches
            CURATOR_9A,
            CURATOR_9B,  # unlinked: administers a chat and may do nothing
            TEACHER_OF_TWO,
            TEACHER_AND_GUARDIAN,
            TEACHER_UNLINKED,
            LIBRARIAN,
            PSYCHOLOGIST,  # staff, unlinked
            LEARNER_9A,
            LEARNER_UNLINKED,
            GUARDIAN_OF_TWO,
            GUARDIAN_OF_THREE,
            GUARDIAN_UNLINKED,
        )
    ),
    *(
        (login, NEXT_DOOR)
        for login in (*(NEXT_DOOR_ADMINISTRATOR, NEXT_DOOR_CURATOR, NEXT_DOOR_LEARNER, NEXT_DOOR_GUARDIAN),)
    ),
]


@pytest.fixture
async def lively(tmp_path: Path) -> AsyncIterator[Api]:
    """Both schools in the middle of a lively week."""
    async with Api.serving(build_lively_school(tmp_path / "school.db")) as api:
        yield api


@pytest.fixture
async def trial(lively: Api) -> Trial:
    trial = Trial(lively, PEOPLE, SEED)
    await trial.explore()
    return trial


# ---------------------------------------------------------------------------------- the differential test


ONCE = {
    *("NotFoundError", "DeniedError", "InvalidInputError"),  # answered by the plain executor anyway
    *("CreateChatPayload", "DeleteChatPayload", "CreateCallPayload", "DeleteCallPayload"),
    *("BeginProfileLinkPayload", "CompleteProfileLinkPayload"),
    *("CreateGroupConversationPayload", "DeleteConversationPayload", "SendMessagePayload"),
    *("DeleteMessagesPayload", "SendMailPayload", "SaveDraftPayload", "DiscardDraftPayload"),
    *("RestoreMessagesPayload", "PurgeMessagesPayload", "ReadReportPayload", "ReportedMessage"),
}
"""Types that are not answered a second time: refusals, and payloads of what cannot be done without a trace."""

NOT_YET = {"Viewer.recipients"}
"""What is not answered a second time: `test_reach` does that for the search for recipients."""


def test_the_oracle_answers_every_field() -> None:
    """A new field is written again in `tests/lookahead`, or nobody knows whether its one statement is right."""
    unanswered = [
        f"{name}.{field}"
        for name, type_ in SDL.type_map.items()
        if isinstance(type_, GraphQLObjectType) and not name.startswith("__")
        if name not in ONCE | {"Mutation", "Subscription"}
        for field in type_.fields
        if field != "reason" and not oracle.answers(name, field)
    ]
    assert {*unanswered} == NOT_YET


async def test_random_documents_are_answered_as_field_by_field(trial: Trial, lively: Api) -> None:
    before = lively.dump()
    number = 0
    while trial.tally.compared < DOCUMENTS:
        await trial.query(number)
        if number % 6 == 0:
            await trial.mutation(number)
        if number % 10 == 0:
            await trial.subscription(number)
        number += 1
    assert trial.tally.refused < trial.tally.compared / 2, "too many documents are beyond the cost rule"
    assert trial.tally.characters > 100 * DOCUMENTS, "the answers are nearly empty"
    assert lively.dump() == before, "reading and idle mutations leave nothing behind"


# ------------------------------------------------------------------------------------- does it bite?


@pytest.mark.long
@pytest.mark.parametrize("plant", FAULTS["chats"], ids=lambda plant: plant.__name__.strip("_"))
async def test_a_planted_fault_is_found(
    trial: Trial, plant: Planted, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if on_postgresql() and plant.__name__ == "_booleans_as_numbers":
        pytest.skip("its booleans are booleans, whatever is done to them")
    request.addfinalizer(forget_all)
    plant(monkeypatch)
    forget_all()
    with pytest.raises(Differs):
        for number in range(ENOUGH):
            await trial.query(number, "chats")


WHOM = "{ ... on User { name } ... on Audience { name size group { name } } }"
WRITTEN = (
    "{ viewer { conversations { nodes { unreadCount isMuted title viewerActions } } } }",
    "{ viewer { conversations(first: 50) { nodes { messages { nodes { body isRead inReplyTo { body } } } } } } }",
    f"{{ viewer {{ conversations {{ nodes {{ messages {{ nodes {{ to {WHOM} bcc {WHOM} }} }} }} }} }} }}",
    "{ viewer { conversations { nodes { participants { nodes { leftAt user { id } } } } } } }",
    "{ viewer { feed(first: 50) { nodes { at subject { ... on Message { attachments { url } } } } } } }",
)


async def test_what_everybody_has_written_is_answered_as_field_by_field(lively: Api) -> None:
    trial = Trial(lively, PEOPLE, SEED)
    for text in WRITTEN:
        await trial.everybody(text)
    assert trial.tally.refused == 0


@pytest.mark.long
@pytest.mark.parametrize("plant", FAULTS["talk"], ids=lambda plant: plant.__name__.strip("_"))
async def test_a_fault_in_what_is_written_is_found(
    lively: Api, plant: Planted, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    trial = Trial(lively, PEOPLE, SEED)
    request.addfinalizer(forget_all)
    plant(monkeypatch)
    forget_all()
    with pytest.raises(Differs):
        for text in WRITTEN:
            await trial.everybody(text)


# ------------------------------------------------------------------------------------------ conformance

ASKED = """query($ids: [ID!]!) {
  viewer { badges { newCalls } chats(first: 1) { nodes { id name kind isMandatory group { id } viewerActions
    calls(first: 1) { nodes { startsAt } } } } }
  nodes(ids: $ids) { id ... on Group { kind } }
}"""


def answer_to_spoil() -> dict[str, Any]:
    """A right answer to what is ASKED."""
    chat = {
        "id": "Chat_1",
        "name": "9А",
        "kind": "GROUP",
        "isMandatory": True,
        "group": None,
        "viewerActions": ["OPEN"],
        "calls": {"nodes": [{"startsAt": "2026-09-10T07:00:00.000Z"}]},
    }
    return {
        "viewer": {"badges": {"newCalls": 1}, "chats": {"nodes": [chat]}},
        "nodes": [{"id": "User_1"}, None, {"id": "Group_2", "kind": "CLASS"}],
    }


def conforms(answer: dict[str, Any]) -> None:
    assert_conforms(SDL, parse(ASKED), {"ids": ["User_1", "nonsense", "Group_2"]}, answer)


def test_an_answer_of_the_promised_types_conforms() -> None:
    conforms(answer_to_spoil())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "User_1"),
        ("id", 1),
        ("name", None),
        ("name", 9),
        ("kind", "CLASS"),
        ("isMandatory", 1),
        ("viewerActions", "OPEN"),
        ("viewerActions", ["open"]),
        ("viewerActions", None),
        ("calls", {"nodes": [None]}),
        ("calls", {"nodes": {}}),
        ("calls", {"nodes": [{"startsAt": "2026-09-10T07:00:00.000"}]}),
        ("calls", {"nodes": [{"startsAt": "2026-09-10 07:00:00.000Z"}]}),
        ("calls", {"nodes": [], "totalCount": 0}),
    ],
)
def test_an_answer_of_another_type_does_not_conform(field: str, value: Any) -> None:
    answer = answer_to_spoil()
    answer["viewer"]["chats"]["nodes"][0][field] = value
    with pytest.raises(AssertionError):
        conforms(answer)


def test_an_answer_with_other_keys_does_not_conform() -> None:
    missing, swapped, numbers = answer_to_spoil(), answer_to_spoil(), answer_to_spoil()
    del missing["viewer"]["badges"]
    swapped["nodes"][2] = {"kind": "CLASS", "id": "Group_2"}
    numbers["viewer"]["badges"]["newCalls"] = True
    for spoilt in (missing, swapped, numbers):
        with pytest.raises(AssertionError):
            conforms(spoilt)


# ------------------------------------------------------------------------------------ one statement each

MESSAGE = "id body isRead viewerActions author { name } conversation { title } bcc { ... on User { name } }"
TALK = f"""id title viewerActions unreadCount lastMessage {{ {MESSAGE} }}
  participants {{ nodes {{ user {{ name }} leftAt }} }} messages {{ nodes {{ {MESSAGE} }} }}"""
CHAT = "id name kind url viewerActions group { name } publishedCall { joinUrl lastActor { name } }"
READ = {
    "viewer": [
        "viewer { __typename }",
        "viewer { isLinked }",
        "viewer { user { name memberships { position group { name } } } organization { policy { chatKinds } } }",
        f"viewer {{ chats(first: 10) {{ totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ {CHAT} }} }} }}",
        "viewer { chats { edges { cursor node { participants { nodes { user { login } } } } } } }",
        "viewer { groups { name members(first: 5) { totalCount nodes { name } } } badges { newCalls } }",
        "viewer { organization { chats { nodes { calls { nodes { title status } } } } groups { totalCount } } }",
        f"viewer {{ conversations(first: 10) {{ totalCount nodes {{ {TALK} }} }} }}",
        f"viewer {{ mailbox(folder: SENT) {{ unreadCount messages {{ nodes {{ {MESSAGE} }} }} }} }}",
        "viewer { feed { nodes { at } } older: feed(first: 1) { nodes { at } } }",
        "viewer { feed { nodes { at subject { ... on Message { body } ... on Call { title } } } } }",
        'viewer { chats(filter: {kinds: GROUP, search: "nothing like this"}) { nodes { name } } }',
    ],
    "node": [
        'node(id: "nonsense") { id }',
        'node(id: "Chat_1") { __typename }',
        f'node(id: "Chat_1") {{ ... on Chat {{ {CHAT} }} }}',
        'node(id: "User_1") { ... on User { name memberships { group { curators { name } } } } }',
        'node(id: "Group_2") { ... on Group { members { nodes { name } } } ... on Chat { name } }',
        'node(id: "Organization_1") { ... on Organization { chats { totalCount } groups { nodes { name } } } }',
    ],
    "nodes": [
        "nodes(ids: []) { id }",
        'nodes(ids: ["Chat_1", "User_1", "Group_1", "Call_1", "Organization_1", "Chat_1", "nonsense"]) { id }',
        f'nodes(ids: ["Chat_1", "Chat_2", "Chat_3"]) {{ ... on Chat {{ {CHAT} }} ... on User {{ login }} }}',
    ],
}


def fields_of(type_name: str) -> set[str]:
    type_: Any = SDL.type_map[type_name]
    return set(type_.fields)


def test_every_root_field_is_counted() -> None:
    assert READ.keys() == fields_of("Query")


@pytest.mark.parametrize("selection", [each for found in READ.values() for each in found])
async def test_a_root_field_is_one_statement(lively: Api, selection: str) -> None:
    for login in (ADMINISTRATOR, LEARNER_UNLINKED):
        lively.statements.clear()
        await lively.as_(login).ask(f"{{ {selection} }}")
        assert len(lively.statements) == 1


async def test_each_root_field_is_one_statement(lively: Api) -> None:
    lively.statements.clear()
    document = " ".join(f"f{number}: {found[-1]}" for number, found in enumerate(READ.values()))
    await lively.as_(DIRECTOR).ask(f"{{ __typename {document} again: viewer {{ isLinked }} }}")
    assert len(lively.statements) == len(READ) + 1


class Written:
    """What the writer's connection was sent for one mutation."""

    def __init__(self, api: Api) -> None:
        self.statements: list[str] = []
        self.done: set[str] = set()
        self._api = api
        event.listen(
            api.database.engine, "before_cursor_execute", lambda *given: self.statements.append(given[2].strip())
        )

    def rendered(self) -> list[str]:
        """The statements that make JSON for a client."""
        return [sql for sql in self.statements if "json_object(" in sql or "json_build_object(" in sql]

    async def do(
        self, login: str, mutation: str, selection: str, *, school: str = SCHOOL, **given: Any
    ) -> dict[str, Any]:
        """It is read back inside its job, before the commit; the readers are asked for nothing, but for what a
        link in progress is tied to, before the provider is asked."""
        self.statements.clear()
        self._api.statements.clear()
        answer = await self._api.as_(login, school).do(mutation, selection, **given)
        assert len(self._api.statements) == (mutation == "completeProfileLink")
        assert len(self.rendered()) == 1
        assert self.statements[-2:] == [self.rendered()[0], "COMMIT"]
        self.done.add(mutation)
        return answer


async def test_a_mutation_reads_its_payload_back_by_one_statement(lively: Api) -> None:
    written = Written(lively)
    do = written.do
    chat = f"chat {{ {CHAT} participants {{ nodes {{ user {{ name }} }} }} }}"
    call = f"call {{ id status viewerActions lastActor {{ name }} chat {{ {CHAT} }} }}"
    who = f"viewer {{ isLinked messengerUrl chats(first: 3) {{ nodes {{ {CHAT} }} }} }}"
    group, people = lively.group(MATH_9A), [lively.as_(LEARNER_9A).id, lively.as_(OTHER_LEARNER_9A).id]
    made = await do(
        TEACHER_OF_TWO, "createChat", chat, kind="SUBGROUP", name="Кружок", groupId=group, participantIds=[]
    )
    this = {"chatId": made["chat"]["id"]}
    await do(TEACHER_OF_TWO, "renameChat", chat, **this, name="Другой кружок")
    await do(TEACHER_OF_TWO, "addChatParticipants", chat, **this, userIds=people)
    await do(TEACHER_OF_TWO, "setChatAdministrator", chat, **this, userId=people[0], isAdministrator=True)
    await do(TEACHER_OF_TWO, "removeChatParticipants", chat, **this, userIds=people[1:])
    made = await do(LEARNER_9A, "createCall", call, **this, title="Встреча", startsAt="2026-09-11T09:00:00Z")
    talk = {"callId": made["call"]["id"]}
    await do(LEARNER_9A, "updateCall", call, **talk, title="Занятие")
    await do(LEARNER_9A, "publishCall", call, **talk)
    await do(TEACHER_OF_TWO, "markChatsSeen", "badges { newCalls }")
    await do(LEARNER_9A, "finishCall", call, **talk)
    await do(LEARNER_9A, "deleteCall", f"deletedCallId badges {{ newCalls }} chat {{ {CHAT} }}", **talk)
    await do(TEACHER_OF_TWO, "deleteChat", "deletedChatId badges { newCalls }", **this)
    await do(LEARNER_9A, "unlinkProfile", who)
    begun = await do(LEARNER_9A, "beginProfileLink", "authorizationUrl")
    code, state = OwnSignIn(SECRET).code("somebody"), begun["authorizationUrl"].partition("state=")[2]
    await do(LEARNER_9A, "completeProfileLink", who, code=code, state=state)
    await _write_to_each_other(lively, do)
    await _write_mail(lively, do)
    await _keep_safe(lively, do)
    assert fields_of("Mutation") - written.done == set()


async def _write_to_each_other(api: Api, do: Any) -> None:
    talk = f"conversation {{ {TALK} }}"
    badges = "badges { unreadMessages unreadConversations newCalls }"
    learner, guardian = api.as_(LEARNER_9A).id, api.as_(GUARDIAN_OF_TWO).id
    made = await do(CURATOR_9A, "createGroupConversation", talk, title="Театр", participantIds=[learner])
    this = {"conversationId": made["conversation"]["id"]}
    sent = await do(CURATOR_9A, "sendMessage", f"sent {{ {MESSAGE} }}", **this, body="Занавес")
    these = {"messageIds": [sent["sent"]["id"]]}
    await do(LEARNER_9A, "markMessagesRead", f"messages {{ {MESSAGE} }} {badges}", **these)
    await do(LEARNER_9A, "markMessagesUnread", f"messages {{ {MESSAGE} }} {badges}", **these)
    await do(LEARNER_9A, "markConversationRead", f"{talk} {badges}", **this)
    await do(LEARNER_9A, "deleteMessages", f"deletedMessageIds {badges}", **these)
    await do(LEARNER_9A, "muteConversation", f"{talk} {badges}", **this, muted=True)
    await do(CURATOR_9A, "renameConversation", talk, **this, title="Опера")
    await do(CURATOR_9A, "addParticipants", talk, **this, userIds=[guardian])
    await do(CURATOR_9A, "setParticipantAdministrator", talk, **this, userId=guardian, isAdministrator=True)
    await do(CURATOR_9A, "removeParticipants", talk, **this, userIds=[guardian])
    await do(CURATOR_9A, "leaveConversation", talk, **this)
    await do(CURATOR_9A, "deleteConversation", f"deletedConversationId {badges}", **this)
    await do(CURATOR_9A, "openConversation", talk, userId=learner)


async def _write_mail(api: Api, do: Any) -> None:
    here = {"school": NEXT_DOOR}
    found, badges = f"messages {{ {MESSAGE} }}", "badges { unreadMail }"
    guardian = api.as_(NEXT_DOOR_GUARDIAN, NEXT_DOOR).id
    mail = {"to": [guardian], "subject": "Sortie", "body": "<p>Demain</p>"}
    curator = NEXT_DOOR_CURATOR
    draft = await do(curator, "saveDraft", f"draft {{ {MESSAGE} }}", **here, mail=mail)
    await do(curator, "discardDraft", "discardedDraftId", **here, draftId=draft["draft"]["id"])
    sent = await do(curator, "sendMail", f"sent {{ {MESSAGE} }}", **here, mail=mail)
    these = {**here, "messageIds": [sent["sent"]["id"]]}
    await do(NEXT_DOOR_GUARDIAN, "trashMessages", f"{found} {badges}", **these)
    await do(NEXT_DOOR_GUARDIAN, "restoreMessages", f"{found} {badges}", **these)
    await do(NEXT_DOOR_GUARDIAN, "trashMessages", f"{found} {badges}", **these)
    await do(NEXT_DOOR_GUARDIAN, "purgeMessages", f"purgedMessageIds {badges}", **these)


async def _keep_safe(api: Api, do: Any) -> None:
    hurt = await do(CURATOR_9A, "openConversation", "conversation { id }", userId=api.as_(LEARNER_9A).id)
    said = await do(
        CURATOR_9A, "sendMessage", "sent { id }", conversationId=hurt["conversation"]["id"], body="Плохо"
    )
    again = f"reported {{ {MESSAGE} viewerHasReported }}"
    await do(LEARNER_9A, "reportMessage", again, messageId=said["sent"]["id"], reason="Обидно")
    asked = "{ viewer { organization { reports(last: 1) { nodes { id } } } } }"
    reports = (await api.as_(ADMINISTRATOR).ask(asked))["viewer"]["organization"]["reports"]
    this = {"reportId": reports["nodes"][0]["id"]}
    report = "report { id status reporter { name } rulings { note officer { name } } readings { reason } }"
    read = f"{report} messages {{ id body isReported author {{ name }} attachments {{ url }} }}"
    await do(ADMINISTRATOR, "readReport", read, **this, reason="Жалоба")
    await do(ADMINISTRATOR, "decideReport", report, **this, decision="KEEP")
    await do(ADMINISTRATOR, "setLockdown", "organization { policy { lockdown } }", lockdown=True)
    curator = api.as_(CURATOR_9B).id
    await do(CURATOR_9A, "blockPerson", "blocked { name viewerHasBlocked viewerCanMessage }", userId=curator)
    await do(CURATOR_9A, "unblockPerson", "unblocked { name viewerHasBlocked }", userId=curator)


async def test_a_refusal_with_an_object_is_one_statement(lively: Api) -> None:
    curator = lively.as_(CURATOR_9A)
    chat = lively.chat("GROUP", CLASS_9A)
    made = await curator.do("createCall", "call { id }", chatId=chat, title="Ещё", startsAt="2026-09-11T09:00:00Z")
    lively.statements.clear()
    refused = await curator.refused("CALL_ALREADY_PUBLISHED", "publishCall", callId=made["call"]["id"])
    assert refused["__typename"] == "CallAlreadyPublishedError"
    assert len(lively.statements) == 1


@pytest.mark.parametrize("stream", STREAMS)
async def test_a_page_of_a_subscription_is_one_statement(lively: Api, stream: str) -> None:
    """Whatever is in it. Nobody is woken here, so each page but the last is a full one."""
    chat, call = f"chat {{ {CHAT} }}", f"call {{ title viewerActions chat {{ {CHAT} }} }}"
    message = f"message {{ {MESSAGE} }}"
    told = {
        "callPublished": call,
        "callChanged": f"{chat} {call}",
        "chatChanged": chat,
        "messageReceived": message,
        "messageChanged": message,
        "conversationChanged": "conversation { id title viewerActions messages { nodes { body } } }",
        "organizationChanged": "organization { name policy { lockdown } chats { nodes { name } } }",
        "reportChanged": "report { id status reporter { name } readings { reader { name } } }",
    }[stream]
    await lively.operations.context(None).listeners.stop()
    who = lively.as_(LEARNER_9A if stream == "messageChanged" else ADMINISTRATOR)
    document = f'subscription {{ {stream}(after: "0") {{ cursor {told} }} }}'
    lively.statements.clear()
    heard = 0
    async with who.listening(document) as changes:
        while True:
            try:
                await asyncio.wait_for(changes.next(), QUIET if heard else PATIENCE)
                heard += 1
            except TimeoutError:
                break
    assert heard > 1
    assert len(lively.statements) == heard // AT_ONCE + 1


async def test_badges_are_one_statement(lively: Api) -> None:
    await lively.operations.context(None).listeners.stop()
    learner = lively.as_(LEARNER_9A)
    lively.statements.clear()
    async with learner.listening("subscription { badgesChanged { newCalls } }") as badges:
        await badges.next()
        await badges.nothing()
    assert len(lively.statements) == 1
