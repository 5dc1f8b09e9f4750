"""Can a school stop all writing at once, and does everybody hear of that?"""

import pytest

from models.tables.events import audit_entries
from tests.api import Api
from tests.reporting import gather, say
from tests.school import (
    ADMINISTRATOR,
    CURATOR_9A,
    DIRECTOR,
    GUARDIAN_9A,
    LEARNER_9A,
    NEXT_DOOR,
    NEXT_DOOR_LEARNER,
    PSYCHOLOGIST,
    SECRETARY,
)
from tests.steps import turn

CHANGED = """subscription($after: String) { organizationChanged(after: $after) {
    cursor organization { name policy { lockdown messagingEnabled } } } }"""


async def test_only_administrators_send_until_it_is_taken_back(api: Api) -> None:
    director, curator, learner = api.as_(DIRECTOR), api.as_(CURATOR_9A), api.as_(LEARNER_9A)
    there = await gather(curator, learner, director)
    done = await director.do("setLockdown", "organization { policy { lockdown } }", lockdown=True)
    assert done["organization"]["policy"] == {"lockdown": True}
    for person in (curator, learner):
        await person.refused("LOCKDOWN", "sendMessage", conversationId=there, body="?")
    await say(director, there, "Всем домой")
    await director.do("setLockdown", lockdown=False)
    await say(learner, there, "Ура")
    kept = [(row.action, row.subject) for row in api.rows(audit_entries) if row.action == "setLockdown"]
    assert kept == [("setLockdown", f"Organization_{director.viewer.organization_id}")] * 2  # type: ignore[union-attr]


async def test_everybody_of_the_school_hears_of_it_and_nobody_else(api: Api) -> None:
    learner, next_door = api.as_(LEARNER_9A), api.as_(NEXT_DOOR_LEARNER, NEXT_DOOR)
    async with learner.listening(CHANGED) as here, next_door.listening(CHANGED) as elsewhere:
        await here.parked()
        await elsewhere.parked()
        await api.as_(ADMINISTRATOR).do("setLockdown", lockdown=True)
        first = await here.next()
        assert first["organization"]["policy"] == {"lockdown": True, "messagingEnabled": True}
        await api.as_(ADMINISTRATOR).do("setLockdown", lockdown=False)
        assert (await here.next())["organization"]["policy"]["lockdown"] is False
        turn(api.database, messagingEnabled=False)
        assert (await here.next())["organization"]["policy"]["messagingEnabled"] is False
        await elsewhere.nothing()
    async with learner.listening(CHANGED, after=first["cursor"]) as again:
        replayed = [(await again.next())["organization"]["policy"] for _ in range(2)]
        assert replayed == [{"lockdown": False, "messagingEnabled": False}] * 2, "as it is now"
        await again.nothing()


@pytest.mark.parametrize("login", [CURATOR_9A, SECRETARY, LEARNER_9A, GUARDIAN_9A])
async def test_others_do_not_lock_a_school(api: Api, login: str) -> None:
    await api.as_(login).refused("NOT_ALLOWED", "setLockdown", lockdown=True)


async def test_officers_may_who_are_no_administrators(api: Api) -> None:
    turn(api.database, safeguardingPosition="STAFF")
    await api.as_(PSYCHOLOGIST).do("setLockdown", lockdown=True)
    await api.as_(ADMINISTRATOR).do("setLockdown", lockdown=False)


async def test_as_it_is_already_nothing_changes(api: Api) -> None:
    with api.unchanged():
        await api.as_(ADMINISTRATOR).do("setLockdown", lockdown=False)
    await api.as_(ADMINISTRATOR).do("setLockdown", lockdown=True)
    with api.unchanged():
        await api.as_(DIRECTOR).do("setLockdown", lockdown=True)
