"""What becomes of linked profiles when people sign in with another provider than before, and when it is back?"""

from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select

from app.messenger import BuiltinMessenger, WebhookMessenger, messenger_of
from app.messenger.builtin import NoSignIn, OwnSignIn
from app.settings import Settings
from app.sign_in import Issuer
from jobs.change_of_messenger import go_over
from models.links import link
from models.sign_in import SignIn
from models.tables.chats import participations
from models.tables.links import profile_links
from tests.api import Api, Person
from tests.bridging import rows_of_outbox
from tests.school import (
    CLASS_9A,
    CURATOR_9A,
    LEARNER_9A,
    LEARNER_UNLINKED,
    OTHER_LEARNER_9A,
    SECRET,
    Heard,
)
from tests.steps import TOMORROW, Since, show

OWN = OwnSignIn(SECRET)
ISSUER = "https://id.example.org"
BRIDGE = {"messenger_url": "webhook+https://bridge.example/hook", "messenger_secret": "s" * 32}
SOUND = {"link_issuer": ISSUER, "link_client_id": "preau", "link_return_url": "https://school.example/back"}


def issuer() -> Issuer:
    """One that nobody asks."""
    return Issuer(ISSUER, client_id="preau", client_secret=None, return_url="https://school.example/")


def change(api: Api, sign_in: SignIn) -> None:
    """The server starts with this provider; to start again changes nothing."""
    api.database.messenger = Heard(SECRET, sign_in=sign_in)
    go_over(api.database)
    with api.unchanged():
        go_over(api.database)


def link_as(api: Api, person: Person, account: str) -> None:
    assert person.viewer is not None
    with api.database.transaction(person.viewer.organization_id) as tx:
        link(tx, person.viewer.organization_id, person.viewer.id, account)


def account_of(api: Api, person: Person) -> str | None:
    assert person.viewer is not None
    mine = profile_links.c.user_id == person.viewer.id, profile_links.c.unlinked_at.is_(None)
    with api.database.engine.connect() as connection:
        return connection.execute(select(profile_links.c.account).where(*mine)).scalar_one_or_none()


async def is_linked(person: Person) -> bool:
    return bool((await person.ask("{ viewer { isLinked } }"))["viewer"]["isLinked"])


def links_told(api: Api) -> list[tuple[str, int]]:
    return [(row.command, row.user_id) for row in rows_of_outbox(api.database) if row.user_id is not None]


async def linked_of_class(api: Api) -> int:
    shown = await show(api.as_(CURATOR_9A), api.chat("GROUP", CLASS_9A), "linkedParticipantCount")
    return int(shown["linkedParticipantCount"])


# -------------------------------------------------------------------------------- there, and back again


async def test_E19_E41_links_of_another_provider_do_not_count(api: Api) -> None:
    learner, curator, chat = api.as_(LEARNER_9A), api.as_(CURATOR_9A), api.chat("GROUP", CLASS_9A)
    before = await linked_of_class(api)
    assert await is_linked(learner) and before == 7
    since = Since(api)
    change(api, issuer())
    assert not await is_linked(learner)
    assert await linked_of_class(api) == 0
    assert {*since.events()} == {"PERSON_CHANGED", "CHAT_CHANGED"}
    await curator.refused("PROFILE_NOT_LINKED", "createCall", chatId=chat, title="Call", startsAt=TOMORROW)
    with api.database.engine.connect() as connection:
        counted = select(func.count()).where(participations.c.is_linked, participations.c.left_at.is_(None))
        assert connection.execute(counted).scalar_one() == 0
    change(api, OWN)
    assert account_of(api, learner) == f"demo:{LEARNER_9A}"
    assert await is_linked(learner)
    assert await linked_of_class(api) == before


async def test_a_change_is_seen_by_who_listens(api: Api) -> None:
    asked = "subscription { chatChanged { chat { linkedParticipantCount } } }"
    async with api.as_(CURATOR_9A).listening(asked) as changes:
        await changes.parked()
        change(api, issuer())
        assert await changes.next() == {"chat": {"linkedParticipantCount": 0}}


async def test_each_provider_has_links_of_its_own(api: Api) -> None:
    learner, other = api.as_(LEARNER_9A), api.as_(OTHER_LEARNER_9A)
    change(api, issuer())
    link_as(api, learner, "there")
    await other.do("unlinkProfile")  # nothing is open, and nothing is given up
    change(api, OWN)
    assert (account_of(api, learner), await is_linked(other)) == (f"demo:{LEARNER_9A}", True)
    await learner.do("unlinkProfile")
    change(api, issuer())
    assert account_of(api, learner) is None, "who has ended a link has ended all"
    change(api, OWN)
    assert account_of(api, learner) is None


async def test_who_links_again_keeps_the_newer_account(api: Api) -> None:
    learner, other = api.as_(LEARNER_9A), api.as_(LEARNER_UNLINKED)
    change(api, issuer())
    link_as(api, learner, "there")
    change(api, OWN)
    # A command that runs with the other settings, before a server does.
    api.database.messenger = Heard(SECRET, sign_in=issuer())
    link_as(api, other, "there")
    link_as(api, learner, "elsewhere")
    change(api, issuer())
    assert (account_of(api, learner), account_of(api, other)) == ("elsewhere", "there")
    change(api, OWN)
    assert (await is_linked(learner), await is_linked(other)) == (False, False)


async def test_E35_the_messenger_hears_of_links_that_go_and_come(api: Api) -> None:
    learner = api.as_(LEARNER_9A)
    assert learner.viewer is not None
    change(api, OWN)  # with it somebody outside is told for the first time
    told = links_told(api)
    assert ("LINK_PROFILE", learner.viewer.id) in told
    assert {command for command, _ in told} == {"LINK_PROFILE"}
    change(api, issuer())
    gone = links_told(api)[len(told) :]
    assert sorted(gone) == sorted(("UNLINK_PROFILE", person) for _, person in told)
    change(api, OWN)
    assert sorted(links_told(api)[2 * len(told) :]) == sorted(told)


async def test_E35_who_was_never_told_is_not_told_of_an_end(api: Api) -> None:
    change(api, issuer())
    assert links_told(api) == []


# ---------------------------------------------------------------------------------------- the settings


def settings(**given: Any) -> Settings:
    return Settings(secret=SECRET, **given)


@pytest.mark.parametrize(
    ("given", "kind", "provider"),
    [
        ({}, OwnSignIn, "builtin"),
        ({"environment": "production"}, OwnSignIn, "builtin"),
        (BRIDGE, OwnSignIn, "builtin"),
        ({**BRIDGE, "environment": "production"}, NoSignIn, "none"),
        ({**SOUND, **BRIDGE, "environment": "production"}, Issuer, ISSUER),
        ({**SOUND, "environment": "production"}, Issuer, ISSUER),
        ({**SOUND, "link_return_url": None}, Issuer, ISSUER),
        ({"link_issuer": ""}, OwnSignIn, "builtin"),
    ],
    ids=str,
)
def test_the_settings_choose_the_provider(given: dict[str, Any], kind: type, provider: str) -> None:
    messenger = messenger_of(settings(**given))
    assert isinstance(messenger, WebhookMessenger if "messenger_url" in given else BuiltinMessenger)
    assert isinstance(messenger.sign_in, kind)
    assert messenger.sign_in.provider == provider


@pytest.mark.parametrize(
    "given",
    [
        {"link_issuer": "http://id.example.org"},
        {"link_issuer": "id.example.org"},
        {"link_issuer": "https://id.example.org/?tenant=1"},
        {"link_issuer": "https://id.example.org/#x"},
        {"link_issuer": "https://name:secret@id.example.org/"},
        {"link_client_id": None},
        {"link_client_id": ""},
        {"link_return_url": "http://school.example/"},
        {"link_return_url": "https://school.example/#back"},
        {"link_return_url": None, "environment": "production"},
    ],
    ids=str,
)
def test_a_provider_that_is_not_sound_is_refused(given: dict[str, Any]) -> None:
    settings(**SOUND)
    with pytest.raises(ValidationError) as refusal:
        settings(**{**SOUND, **given})
    assert "secret@" not in str(refusal.value.errors()[0]["msg"])


@pytest.mark.parametrize("outside", [{}, BRIDGE], ids=("built in", "outside"))
async def test_E42_where_nobody_can_sign_in_nobody_is_sent_anywhere(api: Api, outside: dict[str, Any]) -> None:
    learner = api.as_(LEARNER_UNLINKED)
    state = (await learner.do("beginProfileLink", "authorizationUrl"))["authorizationUrl"].partition("state=")[2]
    api.database.messenger = messenger_of(settings(**outside, environment="production"))
    await learner.refused("NOT_ALLOWED", "beginProfileLink")
    answer = await learner.send(
        "mutation($input: CompleteProfileLinkInput!) { completeProfileLink(input: $input) { __typename } }",
        input={"code": OWN.code("mine"), "state": state},
    )
    assert answer["data"]["completeProfileLink"]["__typename"] == "InvalidInputError"
    assert not await is_linked(learner)
