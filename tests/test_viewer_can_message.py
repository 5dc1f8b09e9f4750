"""Is a client told beforehand whom the viewer may start writing to, and why not? (I2, I3, I10, MA8)"""

from pathlib import Path

import pytest

from models.people_scopes import visible_people
from tests.api import Person
from tests.finding import HILL, finds, hill
from tests.school import SchoolClock
from tests.steps import turn


async def reasons(person: Person, *logins: str, organization: str = HILL) -> dict[str, str | None]:
    """For each of these people the reason why the viewer may not start; None where he may."""
    asked = """query($ids: [ID!]!) { nodes(ids: $ids) { ... on User {
        login viewerCanMessage viewerCannotMessageReason } } }"""
    ids = [person.api.as_(login, organization).id for login in logins]
    shown = {node["login"]: node for node in (await person.ask(asked, ids=ids))["nodes"]}
    assert [*shown] == [*logins], "all are visible"
    for node in shown.values():
        assert node["viewerCanMessage"] is (node["viewerCannotMessageReason"] is None)
    return {login: shown[login]["viewerCannotMessageReason"] for login in logins}


async def test_I2_I3_IA7_who_may_start_and_why_not(tmp_path: Path, clock: SchoolClock) -> None:
    async with hill(tmp_path, clock, "ISPRING") as (api, _):
        assert await reasons(api.as_("head", HILL), "l.1a", "t.1a", "l.gone", "head") == {
            "l.1a": None,
            "t.1a": "OUT_OF_REACH",
            "l.gone": "COUNTERPART_GONE",
            "head": "OUT_OF_REACH",
        }
        assert await reasons(api.as_("l.1a", HILL), "head", "trainer", "l.1a.2") == {
            "head": "CANNOT_START",
            "trainer": None,
            "l.1a.2": "OUT_OF_REACH",
        }
        assert await reasons(api.as_("trainer", HILL), "l.1a") == {"l.1a": "CANNOT_START"}


async def test_I10_IA4_switched_off_nobody_may_start(tmp_path: Path, clock: SchoolClock) -> None:
    """Whoever it is, oneself and those who have gone as well. The expert stays visible."""
    async with hill(tmp_path, clock, "ISPRING") as (api, _):
        turn(api.database, HILL, messagingEnabled=False, lockdown=True)
        off = dict.fromkeys(("trainer", "l.1a.2", "head"), "MESSAGING_DISABLED")
        assert await reasons(api.as_("l.1a", HILL), *off) == off
        assert await finds(api.as_("l.1a", HILL), "tom") == ["trainer"]


async def test_in_a_lockdown_only_administrators_start(tmp_path: Path, clock: SchoolClock) -> None:
    async with hill(tmp_path, clock, "EPOS_SCHOOL") as (api, _):
        turn(api.database, HILL, lockdown=True)
        assert await reasons(api.as_("t.1a", HILL), "l.1a", "l.gone") == dict.fromkeys(
            ("l.1a", "l.gone"), "LOCKDOWN"
        )
        assert await reasons(api.as_("head", HILL), "l.1a", "l.gone") == {
            "l.1a": None,
            "l.gone": "COUNTERPART_GONE",
        }


async def test_without_kinds_of_conversation_nobody_starts(tmp_path: Path, clock: SchoolClock) -> None:
    async with hill(tmp_path, clock, "EPOS_SCHOOL") as (api, _):
        turn(api.database, HILL, conversationKinds=[])
        assert await reasons(api.as_("head", HILL), "l.1a") == {"l.1a": "KIND_NOT_OFFERED"}


async def test_P2_MA8_oneself_and_ones_own_child(tmp_path: Path, clock: SchoolClock) -> None:
    async with hill(tmp_path, clock, "ENT") as (api, _):
        family = {"l.1a": None, "g.two": None, "g.one": "OUT_OF_REACH", "nurse": None}
        assert await reasons(api.as_("g.two", HILL), "l.1a", "g.two", "nurse") == {
            each: family[each] for each in ("l.1a", "g.two", "nurse")
        }
        assert await reasons(api.as_("l.1a", HILL), "g.two", "g.one", "l.1a", "l.1a.2") == dict.fromkeys(
            ("g.two", "g.one", "l.1a", "l.1a.2")
        )


@pytest.mark.parametrize("preset", ["CAMPUS", "EPOS_COLLEGE", "EPOS_SCHOOL"])
async def test_clients_are_told_beforehand_what_opening_answers(
    tmp_path: Path, clock: SchoolClock, preset: str
) -> None:
    """The same decision: whoever may be written to can be opened, and nobody else."""
    async with hill(tmp_path, clock, preset) as (api, school):
        person = api.as_("t.1a", HILL)
        with api.database.transaction() as tx:
            seen = tx.execute(visible_people(school.viewer("t.1a"))).all()
        told = await reasons(person, *(row.login for row in seen))
        assert {None, "COUNTERPART_GONE"} <= set(told.values())
        for login, code in told.items():
            other = api.as_(login, HILL).id
            if code is None:
                await person.do("openConversation", userId=other)
            else:
                await person.refused(code, "openConversation", userId=other)
