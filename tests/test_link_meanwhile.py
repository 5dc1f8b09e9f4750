"""What happens at the school while a sign-in provider is asked who somebody is?"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from models.links import link
from models.tables.links import profile_links
from tests.api import Api, Person
from tests.crooked import Crooked, begin, crooked, is_linked, use
from tests.school import CLASS_9A, CURATOR_9A, LEARNER_UNLINKED, TEACHER_UNLINKED, SchoolClock
from tests.steps import import_school, publish_call, without_person

SHOWN = """
mutation($input: CompleteProfileLinkInput!) {
  completeProfileLink(input: $input) { __typename ... on UserError { code } ... on InvalidInputError { field } }
}
"""


@pytest.fixture
async def provider(api: Api, clock: SchoolClock) -> AsyncIterator[Crooked]:
    """The one that people of the school sign in with."""
    async with crooked() as provider:
        provider.now = int(clock.now.timestamp())
        use(api, provider)
        yield provider


@pytest.fixture
def learner(api: Api) -> Person:
    return api.as_(LEARNER_UNLINKED)


class Pausing:
    """Lets whoever asks for tokens wait until it is opened."""

    def __init__(self) -> None:
        self.reached, self.open = asyncio.Event(), asyncio.Event()

    async def __call__(self, provider: Crooked, request: web.Request) -> web.StreamResponse:
        self.reached.set()
        await self.open.wait()
        provider.faults.clear()
        return await provider.respond(request)


@asynccontextmanager
async def meanwhile(person: Person, provider: Crooked) -> AsyncIterator["asyncio.Task[dict[str, Any]]"]:
    """While the provider is asked for the person's tokens. The answer comes when this is left."""
    given, pausing = await begin(person, provider), Pausing()
    provider.faults["/token"] = pausing
    answer = asyncio.create_task(person.send(SHOWN, input=given))
    async with asyncio.timeout(30):
        await pausing.reached.wait()
        yield answer
        pausing.open.set()
        await answer


async def test_nobody_waits_for_the_provider(api: Api, learner: Person, provider: Crooked) -> None:
    async with meanwhile(learner, provider) as answer:
        await publish_call(api.as_(CURATOR_9A), api.chat("GROUP", CLASS_9A))  # in the same school
        assert not answer.done()
    assert answer.result()["data"]["completeProfileLink"] == {"__typename": "CompleteProfileLinkPayload"}


async def test_who_leaves_the_school_meanwhile_is_not_linked(api: Api, learner: Person, provider: Crooked) -> None:
    async with meanwhile(learner, provider) as answer:
        import_school(api.database, without_person(LEARNER_UNLINKED))
        before = api.rows(profile_links)
    assert answer.result()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert api.rows(profile_links) == before


async def test_an_account_that_is_taken_meanwhile_stays_with_who_was_first(
    api: Api, learner: Person, provider: Crooked
) -> None:
    teacher = api.as_(TEACHER_UNLINKED)
    async with meanwhile(learner, provider) as answer:
        with api.database.transaction() as tx:
            assert teacher.viewer is not None
            link(tx, teacher.viewer.organization_id, teacher.viewer.id, "somebody")
    assert answer.result()["data"]["completeProfileLink"]["code"] == "PROFILE_TAKEN"
    assert (await is_linked(learner), await is_linked(teacher)) == (False, True)


async def test_an_attempt_that_is_completed_twice_at_once_links_once(learner: Person, provider: Crooked) -> None:
    """Even where the provider takes a code as often as it comes."""
    given = await begin(learner, provider)
    answers = await asyncio.gather(*(learner.send(SHOWN, input=given) for _ in range(5)))
    said = [answer["data"]["completeProfileLink"] for answer in answers]
    refused = [each for each in said if each["__typename"] != "CompleteProfileLinkPayload"]
    assert refused == [{"__typename": "InvalidInputError", "code": "INVALID_INPUT", "field": "state"}] * 4
