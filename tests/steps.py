"""What do people do in many tests? Everyday steps at the demo schools; what the office and the night do."""

import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from jobs.demo.gorizont import GORIZONT
from jobs.demo.roster_set import School, write_zip
from jobs.nightly import run_nights
from jobs.roster import import_roster
from models.database import Database
from models.organization import organization_called, set_policy
from models.tables.events import events, outbox
from tests.api import Api, Person
from tests.school import ENGLISH_9A_1, SCHOOL, SECRET, Heard, SchoolClock

TODAY, TOMORROW = "2026-09-10T16:00:00+05:00", "2026-09-11T09:00:00+05:00"


# ------------------------------------------------------------------------------------------- people


async def create_call(person: Person, chat: str, title: str = "Call", starts_at: str = TOMORROW) -> str:
    """The id of a new call."""
    made = await person.do("createCall", "call { id }", chatId=chat, title=title, startsAt=starts_at)
    return str(made["call"]["id"])


async def publish_call(person: Person, chat: str, title: str = "Call", starts_at: str = TOMORROW) -> str:
    """The id of a new call that is published."""
    call = await create_call(person, chat, title, starts_at)
    await person.do("publishCall", callId=call)
    return call


async def finish_call(person: Person, chat: str, title: str = "Call") -> str:
    """The id of a new call that is over."""
    call = await publish_call(person, chat, title)
    await person.do("finishCall", callId=call)
    return call


async def create_subgroup_chat(teacher: Person, name: str = "Chat", *, group: str = ENGLISH_9A_1) -> str:
    """The id of a new chat with the learners of a subgroup."""
    group_id = teacher.api.group(group)
    made = await teacher.do("createChat", "chat { id }", kind="SUBGROUP", name=name, groupId=group_id)
    return str(made["chat"]["id"])


async def create_custom_chat(administrator: Person, *people: Person, name: str = "Chat") -> str:
    """The id of a new chat with these people."""
    given = {"kind": "CUSTOM", "name": name, "participantIds": [person.id for person in people]}
    made = await administrator.do("createChat", "chat { id }", **given)
    return str(made["chat"]["id"])


async def link(person: Person, account: str | None = None) -> None:
    """The person signs in with the messenger; by default as an account that nobody else has."""
    code = person.api.database.messenger.sign_in.code(account or f"account of {person.login}")  # type: ignore[attr-defined]
    await person.do("completeProfileLink", code=code, state=await begin_link(person))


async def begin_link(person: Person) -> str:
    """The state of a link that has begun."""
    begun = await person.do("beginProfileLink", "authorizationUrl")
    return str(begun["authorizationUrl"]).partition("state=")[2]


async def chat_names(person: Person, **chosen: Any) -> list[str]:
    """The names of the person's chats, as listed by a filter."""
    asked = "query($filter: ChatFilter) { viewer { chats(filter: $filter, first: 100) { nodes { name } } } }"
    shown = await person.ask(asked, filter=chosen or None)
    return [chat["name"] for chat in shown["viewer"]["chats"]["nodes"]]


async def new_calls(person: Person) -> int:
    """The call badge."""
    shown = await person.ask("{ viewer { badges { newCalls } } }")
    return int(shown["viewer"]["badges"]["newCalls"])


async def show(person: Person, id_: str, selection: str) -> dict[str, Any]:
    """What the person sees of an object that is visible to him."""
    type_name = id_.partition("_")[0]
    shown = await person.ask(
        f"query($id: ID!) {{ node(id: $id) {{ ... on {type_name} {{ {selection} }} }} }}", id=id_
    )
    node: dict[str, Any] | None = shown["node"]
    assert node is not None, f"{person.login} does not see {id_}"
    return node


async def sees(person: Person, id_: str) -> bool:
    """Whether the person sees an object."""
    shown = await person.ask("query($id: ID!) { node(id: $id) { id } }", id=id_)
    assert shown["node"] in (None, {"id": id_})
    return shown["node"] is not None


async def participants(person: Person, chat: str) -> dict[str, bool]:
    """Who takes part in a chat, as the person sees it: login -> whether administrator."""
    shown = await show(
        person, chat, "participants(first: 100) { nodes { isAdministrator user { login } } totalCount }"
    )
    nodes = shown["participants"]["nodes"]
    assert len(nodes) == min(shown["participants"]["totalCount"], 100)
    return {node["user"]["login"]: node["isAdministrator"] for node in nodes}


# --------------------------------------------------------------------------- the office and the night


def import_school(database: Database, school: School) -> None:
    """The office brings the school to this roster. Chats follow in the night."""
    with tempfile.TemporaryDirectory(prefix="preau-roster-") as directory:
        path = Path(directory) / "set.zip"
        write_zip(school, path)
        import_roster(database, path, preset=school.preset, time_zone=school.time_zone, locale=school.locale)


def regrouped(key: str, *, of: School = GORIZONT, **changes: Any) -> School:
    """The school with one of its groups changed: its `teachers`, `learners` or `primary`."""
    changed = [replace(group, **changes) if group.key == key else group for group in of.study_groups]
    return replace(of, study_groups=tuple(changed))


def without_group(key: str, *, of: School = GORIZONT) -> School:
    return replace(of, study_groups=tuple(group for group in of.study_groups if group.key != key))


def without_person(login: str, *, of: School = GORIZONT) -> School:
    """The school after somebody has left it."""

    def left(logins: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(each for each in logins if each != login)

    people = [replace(each, guardians=left(each.guardians)) for each in of.people if each.login != login]
    study = [
        replace(each, teachers=left(each.teachers), learners=left(each.learners), primary=left(each.primary))
        for each in of.study_groups
    ]
    return replace(of, people=tuple(people), study_groups=tuple(study))


def next_night(database: Database, clock: SchoolClock) -> None:
    """A day later, the school's night has just run."""
    clock.now += timedelta(days=1)
    assert run_nights(database, organization=SCHOOL)


def turn(database: Database, organization: str = SCHOOL, **knobs: Any) -> None:
    """Sets knobs of the organization's policy, by their names."""
    with database.transaction() as tx:
        school = organization_called(tx, organization)
        set_policy(tx, school.id, school.preset, school.policy.with_knobs(knobs))


# ------------------------------------------------------------------------------------- what was left


class Since:
    """What was stored since this was made. From then on somebody outside is told of what happens."""

    def __init__(self, api: Api) -> None:
        self._api = api
        api.database.messenger = Heard(SECRET, sign_in=api.database.messenger.sign_in)
        self._known = {table: set(api.rows(table)) for table in (events, outbox)}

    def events(self) -> list[str]:
        """The kinds of the events, in order."""
        return [row.kind for row in self._new(events)]

    def told(self) -> list[tuple[str, dict[str, Any], bool]]:
        """What the messenger is told: (command, payload, whether it waits for the night); nothing is sent yet."""
        return [(row.command, orjson.loads(row.payload), row.waits_for_night) for row in self._new(outbox)]

    def _new(self, table: Any) -> list[Any]:
        return [row for row in self._api.rows(table) if row not in self._known[table]]
