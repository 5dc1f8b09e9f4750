"""Is nothing left of a person who is erased, and everything of the others? Searched for in all that is stored."""

import asyncio
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from jobs.demo.gorizont import GORIZONT
from jobs.demo.roster_set import write_zip
from jobs.erasure import erase_person
from jobs.nightly import run_nights
from jobs.orphans import remove_files
from jobs.roster import import_roster
from models.database import Database
from models.erasure import NAMES, TEXTS
from models.links import link
from models.personal import tables_of_people, word
from models.tables import metadata
from models.tables.chats import participations
from models.tables.conversations import attachments, deliveries, messages
from models.tables.events import audit_entries, idempotency_keys, outbox
from models.tables.files import loose_files
from models.tables.people import guardianships, memberships, users
from tests.api import Api, Person
from tests.mailing import CLASSMATE, CURATOR, LEARNER, PARENT, TEACHER, MailSchool, save, send
from tests.recount import assert_badges_equal_a_recount
from tests.school import (
    ADMINISTRATOR,
    CLASS_9A,
    CLASS_9B,
    CLASS_11A,
    CLASS_WITHOUT_CURATOR,
    CURATOR_9A,
    GUARDIAN_OF_THREE,
    OTHER_LEARNER_9A,
    SCHOOL,
    TEACHER_OF_TWO,
    Heard,
    build_school,
)
from tests.terminal import Run, assert_mistake, run_at

PERSON = OTHER_LEARNER_9A
CHILD_OF_THREE = "learner.9b.4"
NAME = "Семёнов Пётр Олегович"
WROTE = "незабудки-у-реки"
SECRETS = (NAME, "семенов петр", f"user:{PERSON}", PERSON, f"demo:{PERSON}", WROTE)
"""What nobody else of the school is called, and what nobody else wrote."""


def stored(database: Database) -> list[tuple[str, str]]:
    """Every value of every column of every table as text, and what is packed there unpacked."""
    with database.engine.connect() as connection:
        rows = [
            (f"{table.name}.{name}", value)
            for table in metadata.sorted_tables
            for row in connection.execute(select(table))
            for name, value in row._mapping.items()
        ]
    return [
        (place, zlib.decompress(value).decode() if isinstance(value, bytes) else str(value))
        for place, value in rows
    ]


def traces(database: Database, *words: str) -> set[tuple[str, str]]:
    """(column, word) of each word that is stored somewhere, whatever the case."""
    return {
        (place, word) for place, text in stored(database) for word in words if word.casefold() in text.casefold()
    }


def erase(api: Api, person: Person) -> None:
    assert person.viewer is not None
    assert erase_person(api.database, person.viewer.organization_id, person.viewer.id)


async def direct(one: Person, other: Person) -> str:
    opened = await one.do("openConversation", "conversation { id }", userId=other.id)
    return str(opened["conversation"]["id"])


CONVERSATION = """query($id: ID!) { node(id: $id) { ... on Conversation { title viewerActions
    participants { nodes { user { id name login isActive } leftAt } }
    messages { nodes { body author { id name login } } } } } }"""


async def seen(person: Person, conversation: str) -> Any:
    return (await person.ask(CONVERSATION, id=conversation))["node"]


@pytest.fixture
async def talked(api: Api) -> dict[str, str]:
    """The conversations of somebody who has talked a lot; his messages hold what nobody else wrote."""
    person, curator, friend = api.as_(PERSON), api.as_(CURATOR_9A), api.as_(TEACHER_OF_TWO)
    pair = await direct(person, curator)
    await person.do("sendMessage", conversationId=pair, body=f"Я видел {WROTE}", idempotencyKey=WROTE)
    await curator.do("sendMessage", conversationId=pair, body="Спасибо, молодец")
    made = await person.do(
        "createGroupConversation",
        "conversation { id }",
        title=f"Клуб: {NAME} и друзья",
        participantIds=[friend.id, curator.id],
    )
    group = str(made["conversation"]["id"])
    await person.do("sendMessage", conversationId=group, body=WROTE)
    await friend.do("sendMessage", conversationId=group, body="И я")
    asked = await person.ask(
        "query($id: ID!) { node(id: $id) { ... on Chat { conversation { id } } } }", id=api.chat("GROUP", CLASS_9A)
    )
    chat = str(asked["node"]["conversation"]["id"])
    await person.do("sendMessage", conversationId=chat, body=f"В чате: {WROTE}")
    await curator.do("sendMessage", conversationId=chat, body="Тише")
    return {"pair": pair, "group": group, "chat": chat}


async def test_nothing_of_an_erased_person_is_stored(api: Api, talked: dict[str, str]) -> None:
    person = api.as_(PERSON)
    assert {word for _, word in traces(api.database, *SECRETS)} == set(SECRETS), "each is there before"
    erase(api, person)
    assert traces(api.database, *SECRETS) == set()
    assert_badges_equal_a_recount(api.database)


async def test_the_conversations_of_others_are_whole(api: Api, talked: dict[str, str]) -> None:
    person, curator, friend = api.as_(PERSON), api.as_(CURATOR_9A), api.as_(TEACHER_OF_TWO)
    before = {name: await seen(curator, id_) for name, id_ in talked.items()}
    badges = await friend.ask("{ viewer { badges { unreadMessages unreadConversations newCalls } } }")
    erase(api, person)
    gone = {"id": person.id, "name": NAMES["ru"], "login": f"erased.{person.id.partition('_')[2]}"}
    for name, id_ in talked.items():
        now, then = await seen(curator, id_), before[name]
        for message in then["messages"]["nodes"]:
            if message["author"]["id"] == person.id:
                message.update(body=TEXTS["ru"], author=gone)
        assert now["messages"] == then["messages"]
    assert (await seen(curator, talked["pair"]))["title"] == NAMES["ru"]
    assert (await seen(friend, talked["group"]))["title"] == f"Клуб: {NAMES['ru']} и друзья"
    assert await friend.ask("{ viewer { badges { unreadMessages unreadConversations newCalls } } }") == badges
    there = {each["user"]["id"] for each in (await seen(curator, talked["pair"]))["participants"]["nodes"]}
    assert there == {person.id, curator.id}
    await curator.refused("COUNTERPART_GONE", "sendMessage", conversationId=talked["pair"], body="?")
    sent = await friend.do("sendMessage", "sent { id }", conversationId=talked["group"], body="Без него")
    number = int(sent["sent"]["id"].partition("_")[2])
    assert person.viewer is not None
    reached = {row.user_id for row in api.rows(deliveries) if row.message_id == number}
    assert reached == {each.viewer.id for each in (friend, curator) if each.viewer}
    administered = [
        row.user_id
        for row in api.rows(participations)
        if row.room_id == number_of(talked["group"]) and row.is_administrator and row.left_at is None
    ]
    assert len(administered) == 1, "who was there longest has succeeded"


def number_of(id_: str) -> int:
    return int(id_.partition("_")[2])


async def test_his_name_goes_from_titles_and_from_what_the_messenger_was_told(api: Api) -> None:
    api.database.messenger = Heard("x" * 40)
    administrator = api.as_(ADMINISTRATOR)
    made = await administrator.do("createChat", "chat { id }", kind="CUSTOM", name=f"Юбилей: {NAME.upper()}")
    chat = str(made["chat"]["id"])
    start = "2026-09-11T10:00:00Z"
    plain = NAME.replace("ё", "е")
    await administrator.do("createCall", chatId=chat, title=f"Встреча ({PERSON})", startsAt=start)
    await administrator.do("createCall", chatId=chat, title=f"Встреча: {PERSON}0, {plain}", startsAt=start)
    erase(api, api.as_(PERSON))
    asked = "query($id: ID!) { node(id: $id) { ... on Chat { name calls { nodes { title } } } } }"
    shown = (await administrator.ask(asked, id=chat))["node"]
    assert shown["name"] == f"Юбилей: {NAMES['ru']}"
    titles = {each["title"] for each in shown["calls"]["nodes"]}
    assert titles == {f"Встреча ({NAMES['ru']})", f"Встреча: {PERSON}0, {NAMES['ru']}"}, "another's login stays"
    assert {word for _, word in traces(api.database, NAME, plain)} == set()
    told = [json.loads(row.payload) for row in api.rows(outbox) if row.command == "RENAME_CHAT"]
    assert told == [{"name": f"Юбилей: {NAMES['ru']}"}]


async def test_he_is_signed_out_and_others_hear_of_it(api: Api, talked: dict[str, str]) -> None:
    person, curator = api.as_(PERSON), api.as_(CURATOR_9A)
    changed = "subscription { conversationChanged { conversation { id title } } }"
    async with person.listening("subscription { messageReceived { message { id } } }") as his:
        async with curator.listening(changed) as theirs:
            await asyncio.gather(his.parked(), theirs.parked())
            erase(api, person)
            told = [await theirs.next() for _ in talked]
            assert {each["conversation"]["id"] for each in told} == set(talked.values())
        assert await his.error() == "UNAUTHENTICATED"
    await person.fails("UNAUTHENTICATED", "{ viewer { isLinked } }")


async def test_he_is_not_found_any_more_and_stands_nowhere(api: Api, talked: dict[str, str]) -> None:
    person, administrator = api.as_(PERSON), api.as_(ADMINISTRATOR)
    erase(api, person)
    found = """query($s: String!) { viewer { recipients(search: $s) { ... on User { id } }
        organization { groups { nodes { members(search: $s) { totalCount } } } } } }"""
    for search in (NAME, PERSON):
        answer = (await administrator.ask(found, s=search))["viewer"]
        assert answer["recipients"] == []
        assert {group["members"]["totalCount"] for group in answer["organization"]["groups"]["nodes"]} == {0}
    assert person.viewer is not None
    his = person.viewer.id
    assert his not in {row.user_id for row in api.rows(memberships)}
    assert his not in {each for row in api.rows(guardianships) for each in (row.guardian_id, row.child_id)}
    assert his not in {row.user_id for row in api.rows(idempotency_keys)}
    run_nights(api.database, organization=SCHOOL)
    open_rooms = {row.room_id for row in api.rows(participations) if row.user_id == his and row.left_at is None}
    assert open_rooms == {number_of(talked["pair"])}


async def test_erased_twice_is_erased_once(api: Api, talked: dict[str, str]) -> None:
    person = api.as_(PERSON)
    erase(api, person)
    (entry,) = [row for row in api.rows(audit_entries) if row.action == "erasePerson"]
    assert (entry.actor_id, entry.subject) == (None, person.id)
    assert person.viewer is not None
    with api.unchanged():
        assert not erase_person(api.database, person.viewer.organization_id, person.viewer.id)
        with pytest.raises(LookupError):
            erase_person(api.database, person.viewer.organization_id, 10**6)


async def test_of_two_erased_people_nothing_is_left_between_them(api: Api, talked: dict[str, str]) -> None:
    person, curator = api.as_(PERSON), api.as_(CURATOR_9A)
    erase(api, person)
    erase(api, curator)
    number = number_of(talked["pair"])
    assert {row.body for row in api.rows(messages) if row.conversation_id == number} == {""}
    assert_badges_equal_a_recount(api.database)


def test_the_messenger_outside_is_told_without_his_account(tmp_path: Path) -> None:
    database = build_school(tmp_path / "school.db")
    database.messenger = Heard("x" * 40)
    with database.engine.connect() as connection:
        known = users.c.login == PERSON
        person = connection.execute(select(users.c.id, users.c.organization_id).where(known)).one()
    with database.transaction(person.organization_id) as tx:
        link(tx, person.organization_id, person.id, "account-7")
    assert traces(database, "account-7") == {
        ("profile_links.account", "account-7"),
        ("outbox.payload", "account-7"),
    }
    assert erase_person(database, person.organization_id, person.id)
    assert traces(database, "account-7") == set()
    with database.engine.connect() as connection:
        told = connection.execute(select(outbox).where(outbox.c.user_id == person.id)).all()
    assert [(row.command, row.payload) for row in told] == [("UNLINK_PROFILE", "{}")]


# ----------------------------------------------------------------------------------------------- mail


async def test_MA2_of_mail_his_words_go_and_what_others_still_have_stays(api: Api) -> None:
    school = MailSchool(api)
    pupil, friend, curator, teacher = school(LEARNER), school(CLASSMATE), school(CURATOR), school(TEACHER)
    file = school.upload(pupil, f"{WROTE}.png")
    his = await send(pupil, curator, cc=[friend], subject=WROTE, body=f"<p>{WROTE}</p>", attachmentIds=[file])
    answer = await send(curator, pupil, cc=[friend], inReplyToId=his, subject="Re", body="Merci")
    alone = await send(teacher, pupil, subject="Seul", body="pour-toi-seul")
    await save(pupil, friend, subject=WROTE, body=WROTE)
    theirs = await save(curator, pupil, subject="Brouillon", body="en-cours")
    await teacher.do("trashMessages", messageIds=[alone])
    await teacher.do("purgeMessages", messageIds=[alone])
    school.upload(pupil, f"{WROTE} 2.png")
    (name,) = [row.name for row in api.rows(users) if row.id == number_of(pupil.id)]
    erase(api, pupil)
    assert traces(api.database, WROTE, LEARNER, "pour-toi-seul", name) == set()
    asked = """query($id: ID!) { node(id: $id) { ... on Message { subject body attachments { id } isRead
        author { name } to { ... on User { name } } cc { ... on User { login } } } } }"""
    left = (await friend.ask(asked, id=his))["node"]
    assert (left["subject"], left["body"], left["attachments"]) == ("", f"<p>{TEXTS['fr']}</p>", [])
    assert (left["author"], left["cc"]) == ({"name": NAMES["fr"]}, [{"login": CLASSMATE}])
    kept = (await friend.ask(asked, id=answer))["node"]
    assert (kept["subject"], kept["body"], kept["to"]) == ("Re", "Merci", [{"name": NAMES["fr"]}])
    draft = (await curator.ask(asked, id=theirs))["node"]
    assert draft["to"] == [{"name": NAMES["fr"]}]
    assert [row for row in api.rows(attachments) if row.uploader_id == number_of(pupil.id)] == []
    assert len(api.rows(loose_files)) == 2
    parent = school(PARENT)
    assert (await parent.ask("{ viewer { badges { unreadMail } } }"))["viewer"]["badges"] == {"unreadMail": 0}


async def test_his_files_go_from_the_storage(api: Api) -> None:
    school = MailSchool(api)
    pupil = school(LEARNER)
    school.upload(pupil)
    erase(api, pupil)
    removed: list[str] = []

    class Files:
        def remove(self, keys: Any) -> None:
            removed.extend(keys)

    assert remove_files(api.database, Files()) == 1
    assert removed == ["key-0"]


# --------------------------------------------------------------------------------------------- rosters


def roster(folder: Path) -> Path:
    """The set that the main demo school came with, as a folder."""
    folder.mkdir()
    write_zip(GORIZONT, folder / "set.zip")
    with zipfile.ZipFile(folder / "set.zip") as archive:
        archive.extractall(folder)
    (folder / "set.zip").unlink()
    return folder


async def test_the_next_roster_does_not_bring_him_back(api: Api, tmp_path: Path) -> None:
    person = api.as_(PERSON)
    erase(api, person)
    places = [row for row in api.rows(users) if row.id != 0]
    summary = import_roster(api.database, roster(tmp_path / "set"))
    assert "people who were erased and stay out: 1" in summary.notes
    assert api.rows(users) == places
    assert traces(api.database, *SECRETS) == set()
    with api.unchanged():
        import_roster(api.database, roster(tmp_path / "again"))


async def test_his_guardians_stand_where_the_next_roster_would_have_them(api: Api, tmp_path: Path) -> None:
    guardian = api.as_(GUARDIAN_OF_THREE)
    asked = "{ viewer { user { memberships { group { name } position } } } }"

    async def stands() -> set[str]:
        found = (await guardian.ask(asked))["viewer"]["user"]["memberships"]
        return {each["group"]["name"] for each in found if each["position"] == "GUARDIAN"}

    before = await stands()
    assert {CLASS_9B, CLASS_11A, CLASS_WITHOUT_CURATOR} <= before
    erase(api, api.as_(CHILD_OF_THREE))
    after = await stands()
    assert CLASS_9B not in after and {CLASS_11A, CLASS_WITHOUT_CURATOR, SCHOOL} <= after
    rows = api.rows(memberships)
    import_roster(api.database, roster(tmp_path / "set"))
    assert api.rows(memberships) == rows


async def test_a_delta_does_not_bring_him_back_either(api: Api, tmp_path: Path) -> None:
    import_roster(api.database, roster(tmp_path / "set"))
    person = api.as_(PERSON)
    assert any(place == "roster_files.content" for place, _ in traces(api.database, NAME.split(maxsplit=1)[0]))
    erase(api, person)
    delta = tmp_path / "delta"
    delta.mkdir()
    for name in ("manifest.csv", "users.csv"):
        (delta / name).write_bytes((tmp_path / "set" / name).read_bytes())
    manifest = (delta / "manifest.csv").read_text(encoding="utf-8-sig").splitlines()
    said = [
        line.replace("bulk", "delta" if line.startswith("file.users") else "absent")
        if line.startswith("file.")
        else line
        for line in manifest
    ]
    (delta / "manifest.csv").write_text("\n".join(said) + "\n", encoding="utf-8")
    summary = import_roster(api.database, delta)
    assert "people who were erased and stay out: 1" in summary.notes
    assert traces(api.database, *SECRETS) == set()


async def test_who_is_erased_while_a_roster_is_read_does_not_come_with_it(api: Api, tmp_path: Path) -> None:
    person = api.as_(PERSON)

    def meanwhile(what: str, done: int, of: int) -> None:
        if (what, done, of) == ("schools", 0, 1):
            erase(api, person)

    with pytest.raises(ValueError, match="erased meanwhile"):
        import_roster(api.database, roster(tmp_path / "set"), progress=meanwhile)
    assert traces(api.database, *SECRETS) == set()
    import_roster(api.database, roster(tmp_path / "again"))
    assert traces(api.database, *SECRETS) == set()


# ---------------------------------------------------------------------------------------- what is asked

TOLD = frozenset(
    {
        *("users.source_id", "users.login", "users.name", "users.search_key", "search_words.word"),
        *("profile_links.provider", "profile_links.account", "link_attempts.provider", "outbox.payload"),
        *("messages.subject", "messages.subject_key", "messages.body", "roster_files.content"),
        *("attachments.name", "attachments.content_type", "attachments.byte_size", "attachments.digest"),
        *("idempotency_keys.key", "idempotency_keys.digest"),
        *("reports.reason", "report_readings.reason", "report_decisions.note"),
        *("chats.name", "chats.search_key", "conversations.title", "conversations.search_key", "calls.title"),
    }
)
"""Columns that name somebody or hold what he wrote: `models.erasure` has an answer for each."""

OF_IDS = frozenset(
    {
        *("audit_entries", "calls", "conversations", "deliveries", "events", "messages", "participations"),
        *("recipients", "attachments", "users", "outbox", "reports", "report_readings", "report_decisions"),
    }
)
EMPTIED = frozenset(
    {
        *("guardianships", "idempotency_keys", "link_attempts", "memberships", "profile_links", "search_words"),
        "blocks",
    }
)
"""Tables of people: in the first ones rows stay, with a number; of the others his go."""


def test_whoever_adds_something_personal_says_what_an_erasure_makes_of_it() -> None:
    words = {"name", "address", "content", "roster"}
    columns = {
        str(column) for table in metadata.sorted_tables for column in table.columns if word(column) in words
    }
    assert columns == TOLD, "what becomes of it in models.erasure? Then list it here"
    assert {table.name for table in tables_of_people()} == OF_IDS | EMPTIED, "the same"


# ----------------------------------------------------------------------------------------- the commands


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "preau.db"


@pytest.fixture
def run(path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(path.parent.parent)
    return run_at(path, monkeypatch)


@pytest.mark.sqlite
def test_the_file_itself_holds_nothing_of_him(run: Run, path: Path) -> None:
    build_school(path)
    before = path.read_bytes()
    assert NAME.encode() in before and PERSON.encode() in before
    result = run("erase-person", PERSON, "--yes")
    assert result.exit_code == 0, result.stderr
    left = b"".join(each.read_bytes() for each in path.parent.glob("preau.db*"))
    for secret in SECRETS:
        assert secret.encode() not in left
    assert "семенов" in before.decode("utf-8", "ignore") and "петр олегович" not in left.decode("utf-8", "ignore")


def test_erasing_asks_first(run: Run, path: Path) -> None:
    database = build_school(path)
    assert run("erase-person", PERSON).exit_code == 1
    assert (NAME, PERSON) in [(row.name, row.login) for row in _people(database)]
    assert_mistake(run("erase-person", "nobody", "--yes"), "nobody")
    assert_mistake(run("erase-person", "library", "--yes"), "library", "User_")
    number = next(row.id for row in _people(database) if row.login == PERSON)
    assert run("erase-person", f"User_{number}", "--yes").stdout.startswith(f"User_{number} is erased.")
    assert "has been erased before" in run("erase-person", f"User_{number}", "--yes").stdout
    assert_mistake(run("token", PERSON), PERSON)


def test_somebody_may_be_admitted_again_as_somebody_new(run: Run, path: Path, tmp_path: Path) -> None:
    database = build_school(path)
    assert_mistake(run("admit-again", f"user:{PERSON}", "--organization", SCHOOL), PERSON)
    assert run("erase-person", PERSON, "--yes").exit_code == 0
    assert run("admit-again", f"user:{PERSON}", "--organization", SCHOOL).exit_code == 0
    import_roster(database, roster(tmp_path / "set"))
    found = [row for row in _people(database) if row.login == PERSON]
    assert [row.name for row in found] == [NAME]
    assert len([row for row in _people(database) if row.name == NAMES["ru"]]) == 1


def _people(database: Database) -> list[Any]:
    with database.engine.connect() as connection:
        return list(connection.execute(select(users)).all())
