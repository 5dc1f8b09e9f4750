"""Is everything that was done kept, for the administrators alone, and for ever?"""

import ast
from pathlib import Path
from typing import Any

import pytest

from jobs.demo.gorizont import GORIZONT
from jobs.demo.roster_set import write_zip
from jobs.roster import import_roster
from models.tables.events import audit_entries
from tests.api import Api, Person
from tests.school import (
    ADMINISTRATOR,
    CURATOR_9A,
    DIRECTOR,
    GUARDIAN_9A,
    NEXT_DOOR,
    NEXT_DOOR_ADMINISTRATOR,
    OTHER_LEARNER_9A,
    SECRETARY,
    TEACHER,
    build_school,
    url_of,
)
from tests.school import dump as everything
from tests.terminal import run_at

ROOT = Path(__file__).parents[1]
PAGE = """query($first: Int, $after: String, $last: Int, $before: String) { viewer { organization {
    auditEntries(first: $first, after: $after, last: $last, before: $before) {
        totalCount edges { cursor } nodes { at action subject actor { login } }
        pageInfo { hasNextPage hasPreviousPage endCursor } } } } }"""


async def page(person: Person, **given: Any) -> Any:
    return (await person.ask(PAGE, **given))["viewer"]["organization"]["auditEntries"]


async def talk(api: Api) -> tuple[str, str]:
    """A conversation of a curator and a learner, and the message in it."""
    curator, learner = api.as_(CURATOR_9A), api.as_(OTHER_LEARNER_9A)
    opened = await curator.do("openConversation", "conversation { id }", userId=learner.id)
    there = str(opened["conversation"]["id"])
    sent = await curator.do("sendMessage", "sent { id }", conversationId=there, body="Тайна")
    await learner.do("markMessagesRead", messageIds=[sent["sent"]["id"]])
    return there, str(sent["sent"]["id"])


async def test_what_was_done_is_there_newest_first_and_what_did_nothing_is_not(api: Api) -> None:
    before = (await page(api.as_(ADMINISTRATOR)))["totalCount"]
    there, message = await talk(api)
    await api.as_(OTHER_LEARNER_9A).do("markMessagesRead", messageIds=[message])  # again: nothing
    await api.as_(GUARDIAN_9A).refused("NOT_FOUND", "sendMessage", conversationId=there, body="?")
    shown = await page(api.as_(ADMINISTRATOR), first=3)
    assert shown["totalCount"] == before + 3
    assert [(it["action"], it["subject"], it["actor"]["login"]) for it in shown["nodes"]] == [
        ("markMessagesRead", message, OTHER_LEARNER_9A),
        ("sendMessage", message, CURATOR_9A),
        ("openConversation", there, CURATOR_9A),
    ]
    assert {it["at"] for it in shown["nodes"]} == {"2026-09-10T07:00:00.000Z"}
    assert "Тайна" not in str(api.rows(audit_entries))


async def test_it_is_read_page_by_page_in_one_statement_each(api: Api) -> None:
    await talk(api)
    administrator = api.as_(DIRECTOR)
    whole = (await page(administrator))["nodes"]
    read, after = [], None
    while True:
        api.statements.clear()
        part = await page(administrator, first=2, after=after)
        assert len(api.statements) == 1
        read += part["nodes"]
        after = part["pageInfo"]["endCursor"]
        if not part["pageInfo"]["hasNextPage"]:
            break
    assert read == whole
    last = await page(administrator, last=1)
    assert (last["nodes"], last["pageInfo"]["hasPreviousPage"]) == (whole[-1:], len(whole) > 1)


@pytest.mark.parametrize("login", [CURATOR_9A, OTHER_LEARNER_9A, GUARDIAN_9A, TEACHER, SECRETARY])
async def test_for_others_there_is_nothing(api: Api, login: str) -> None:
    await talk(api)
    shown = await page(api.as_(login))
    assert shown == {
        "totalCount": 0,
        "edges": [],
        "nodes": [],
        "pageInfo": {"hasNextPage": False, "hasPreviousPage": False, "endCursor": None},
    }


async def test_nothing_crosses_schools(api: Api) -> None:
    await talk(api)
    shown = await page(api.as_(NEXT_DOOR_ADMINISTRATOR, NEXT_DOOR), first=100)
    assert not {it["action"] for it in shown["nodes"]} & {"sendMessage", "openConversation"}


async def test_without_actor_it_was_the_school_itself_or_a_terminal(api: Api, tmp_path: Path) -> None:
    write_zip(GORIZONT, tmp_path / "set.zip")
    with api.unchanged():
        import_roster(api.database, tmp_path / "set.zip")
    shown = await page(api.as_(ADMINISTRATOR), last=1)
    (first,) = shown["nodes"]
    organization = (await api.as_(ADMINISTRATOR).ask("{ viewer { organization { id } } }"))["viewer"]
    assert (first["action"], first["actor"]) == ("importRoster", None)
    assert first["subject"] == organization["organization"]["id"]


def test_a_policy_that_is_changed_at_a_terminal_leaves_an_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "var" / "preau.db"
    database = build_school(path)
    run = run_at(path, monkeypatch)
    assert run("policy", GORIZONT.name, "lockdown=true").exit_code == 0
    before = everything(url_of(path))
    assert run("policy", GORIZONT.name, "lockdown=true").exit_code == 0
    assert everything(url_of(path)) == before, "the same again is no change"
    with database.engine.connect() as connection:
        rows = connection.execute(audit_entries.select().where(audit_entries.c.action == "changePolicy")).all()
    assert [(row.actor_id, row.subject) for row in rows] == [(None, "Organization_1")]


def test_entries_are_only_ever_added() -> None:
    """Nobody but `models.audit` names the table to write in it, and that knows one verb."""
    for path in sorted(ROOT.glob("*/**/*.py")):
        part = path.relative_to(ROOT).parts[0]
        if part not in ("app", "schema", "resolvers", "jobs", "models") or "migrations" in path.parts:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for call in (each for each in ast.walk(tree) if isinstance(each, ast.Call)):
            named = ast.unparse(call.func)
            arguments = {ast.unparse(each) for each in call.args}
            methods = {f"audit_entries.{verb}" for verb in ("insert", "update", "delete", "drop")}
            if named in methods or (named in ("insert", "update", "delete") and "audit_entries" in arguments):
                assert (path.relative_to(ROOT).as_posix(), named) == ("models/audit.py", "insert")
        words = [each.value for each in ast.walk(tree) if isinstance(each, ast.Constant)]
        texts = [each.upper() for each in words if isinstance(each, str) and "audit_entries" in each]
        assert not any(f"{verb} AUDIT_ENTRIES" in text for text in texts for verb in ("UPDATE", "FROM", "INTO"))
