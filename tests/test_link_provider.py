"""Is a profile linked through a real sign-in? An OpenID provider of others' making, and a real browser."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.messenger import messenger_of
from app.settings import Environment, Settings
from app.sign_in import Issuer
from models.database import wall_clock
from models.tables.events import outbox
from models.tables.links import link_attempts, profile_links
from tests.api import Api, Person
from tests.openid import CLIENT, CLIENT_SECRET, RETURN_URL, Provider, client, providing, signed_in
from tests.recount import assert_badges_equal_a_recount
from tests.school import (
    CLASS_9A,
    CURATOR_9A,
    LEARNER_UNLINKED,
    SECRET,
    TEACHER_UNLINKED,
    Heard,
    SchoolClock,
    build_school,
)
from tests.steps import Since, publish_call, show

COMPLETE = "completeProfileLink"


@pytest.fixture
def clock() -> SchoolClock:
    """Stands still at the provider's present."""
    return SchoolClock(wall_clock())


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with providing() as running:
        yield running


@pytest.fixture
async def api(tmp_path: Path, clock: SchoolClock, provider: Provider) -> AsyncIterator[Api]:
    """The demo schools, whose people sign in with the provider; somebody outside hears of it."""
    database = build_school(tmp_path / "school.db", clock=clock)
    database.messenger = Heard(SECRET, sign_in=issuer(provider))
    async with Api.serving(database) as api:
        yield api
    assert_badges_equal_a_recount(database)


def issuer(provider: Provider, **other: Any) -> Issuer:
    given = {"client_id": CLIENT, "client_secret": CLIENT_SECRET, "return_url": RETURN_URL, **other}
    return Issuer(provider.issuer, **given)


async def begin(person: Person) -> str:
    begun = await person.do("beginProfileLink", "authorizationUrl")
    return str(begun["authorizationUrl"])


async def signed(person: Person, account: str) -> dict[str, str]:
    """What `completeProfileLink` is given after this account has signed in."""
    back = await signed_in(await begin(person), account)
    return {"code": back["code"], "state": back["state"]}


async def is_linked(person: Person) -> bool:
    return bool((await person.ask("{ viewer { isLinked } }"))["viewer"]["isLinked"])


def account_of(api: Api, person: Person) -> tuple[str, str] | None:
    """The open link."""
    assert person.viewer is not None
    found = [row for row in api.rows(profile_links) if row.user_id == person.viewer.id and not row.unlinked_at]
    return (found[0].provider, found[0].account) if found else None


# ------------------------------------------------------------------------------------------- as it should be


async def test_E42_E35_E43_signing_in_links_and_the_next_answer_has_the_address(
    api: Api, provider: Provider
) -> None:
    learner, since = api.as_(LEARNER_UNLINKED), Since(api)
    call = await publish_call(api.as_(CURATOR_9A), api.chat("GROUP", CLASS_9A))
    assert await show(learner, call, "joinUrl") == {"joinUrl": None}
    asked = await begin(learner)
    assert asked.startswith(f"{provider.issuer}/auth?")
    query = {name: value for name, (value,) in parse_qs(urlsplit(asked).query).items()}
    assert {name: query[name] for name in ("response_type", "client_id", "redirect_uri", "scope")} == {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": RETURN_URL,
        "scope": "openid",
    }
    assert query["code_challenge_method"] == "S256"
    (attempt,) = api.rows(link_attempts)
    assert (query["state"], query["nonce"]) == (attempt.state, attempt.nonce)
    assert attempt.verifier not in asked and CLIENT_SECRET not in asked
    back = await signed_in(asked, "somebody")
    assert (back["state"], back["iss"]) == (attempt.state, provider.issuer)
    linked = await learner.do(COMPLETE, "viewer { isLinked }", code=back["code"], state=back["state"])
    assert linked["viewer"] == {"isLinked": True}
    assert (await show(learner, call, "joinUrl"))["joinUrl"].startswith("https://school.example/messenger/calls/")
    assert account_of(api, learner) == (provider.issuer, "somebody")
    assert ("LINK_PROFILE", {"account": "somebody"}, False) in since.told()


async def test_E35_in_production_a_bridge_hears_of_the_account(api: Api, provider: Provider) -> None:
    chosen = Settings(
        environment=Environment.PRODUCTION,
        secret=SECRET,
        messenger_url="webhook+https://bridge.example/hook",
        messenger_secret="s" * 32,
        link_issuer=provider.issuer,
        link_client_id=CLIENT,
        link_client_secret=CLIENT_SECRET,
        link_return_url=RETURN_URL,
    )
    api.database.messenger = messenger_of(chosen)
    learner, known = api.as_(LEARNER_UNLINKED), api.rows(outbox)
    await learner.do(COMPLETE, **await signed(learner, "somebody"))
    (told,) = [row for row in api.rows(outbox) if row not in known]
    assert (told.command, told.payload) == ("LINK_PROFILE", '{"account": "somebody"}')


async def test_E24_unlinked_and_linked_again_as_another_account(api: Api, provider: Provider) -> None:
    learner = api.as_(LEARNER_UNLINKED)
    for account in ("one", "two"):
        await learner.do(COMPLETE, **await signed(learner, account))
        assert account_of(api, learner) == (provider.issuer, account)
    await learner.do("unlinkProfile")
    assert not await is_linked(learner)
    await learner.do(COMPLETE, **await signed(learner, "two"))
    assert await is_linked(learner)


async def test_PROFILE_TAKEN_an_account_of_the_provider_is_one_persons(api: Api) -> None:
    learner, teacher = api.as_(LEARNER_UNLINKED), api.as_(TEACHER_UNLINKED)
    await learner.do(COMPLETE, **await signed(learner, "somebody"))
    await teacher.refused("PROFILE_TAKEN", COMPLETE, **await signed(teacher, "somebody"))
    assert (await is_linked(learner), await is_linked(teacher)) == (True, False)


@pytest.mark.parametrize(
    ("known_as", "secret"),
    [
        ({"token_endpoint_auth_method": "client_secret_basic"}, CLIENT_SECRET),
        ({"token_endpoint_auth_method": "none", "client_secret": None}, None),
    ],
    ids=("with a secret", "public"),
)
async def test_a_client_with_or_without_a_secret(
    tmp_path: Path, clock: SchoolClock, known_as: dict[str, Any], secret: str | None
) -> None:
    known = {name: value for name, value in client(**known_as).items() if value is not None}
    async with providing(known) as provider:
        database = build_school(tmp_path / "school.db", clock=clock)
        database.messenger = Heard(SECRET, sign_in=issuer(provider, client_secret=secret))
        async with Api.serving(database) as api:
            learner = api.as_(LEARNER_UNLINKED)
            await learner.do(COMPLETE, **await signed(learner, "somebody"))
            assert await is_linked(learner)


# ------------------------------------------------------------------------------------------- as it should not


async def test_a_code_that_the_provider_did_not_give_links_nobody(api: Api) -> None:
    learner = api.as_(LEARNER_UNLINKED)
    given = await signed(learner, "somebody")
    for code in ("", "x", "two words", "é", "\0", "x" * 3000, given["code"][:-1], given["code"] + "x"):
        await learner.invalid("code", COMPLETE, code=code, state=given["state"])
    await learner.do(COMPLETE, **given)  # what was refused has used nothing up


async def test_a_code_belongs_to_the_attempt_that_asked_for_it(api: Api) -> None:
    """PKCE: the provider refuses a code that comes with the verifier of another attempt."""
    learner, teacher = api.as_(LEARNER_UNLINKED), api.as_(TEACHER_UNLINKED)
    first, second = await signed(learner, "somebody"), await signed(learner, "somebody")
    foreign = await signed(teacher, "somebody")
    await learner.invalid("code", COMPLETE, code=first["code"], state=second["state"])
    await learner.invalid("code", COMPLETE, code=foreign["code"], state=second["state"])
    await learner.invalid("state", COMPLETE, **foreign)
    await teacher.invalid("state", COMPLETE, **first)
    await learner.do(COMPLETE, **second)
    assert not await is_linked(teacher)


async def test_a_state_links_once_for_ten_minutes(api: Api, clock: SchoolClock) -> None:
    learner = api.as_(LEARNER_UNLINKED)
    given, late = await signed(learner, "somebody"), await signed(learner, "somebody")
    for state in ("", "x", "\0", given["state"].swapcase()):
        await learner.invalid("state", COMPLETE, code=given["code"], state=state)
    await learner.do(COMPLETE, **given)
    await learner.invalid("state", COMPLETE, **given)
    clock.forward(minutes=10)
    await learner.invalid("state", COMPLETE, **late)


async def test_signed_out_the_provider_is_not_asked(api: Api, provider: Provider) -> None:
    await provider.stop()
    await api.signed_out().fails("UNAUTHENTICATED", "mutation { beginProfileLink { __typename } }")


async def test_a_provider_that_is_down_links_nobody(api: Api, provider: Provider) -> None:
    learner = api.as_(LEARNER_UNLINKED)
    given = await signed(learner, "somebody")
    await provider.stop()
    complete = f"mutation($input: CompleteProfileLinkInput!) {{ {COMPLETE}(input: $input) {{ __typename }} }}"
    text = await learner.fails("UNAVAILABLE", complete, input=given)
    assert text == "The provider that people sign in with cannot be asked now: nothing was linked."
    api.database.messenger = Heard(SECRET, sign_in=issuer(provider))  # which knows nothing of it yet
    await learner.fails("UNAVAILABLE", "mutation { beginProfileLink { __typename } }")
    assert not await is_linked(learner)


async def test_a_secret_that_the_provider_does_not_know_is_said_and_not_shown(
    api: Api, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    learner = api.as_(LEARNER_UNLINKED)
    api.database.messenger = Heard(SECRET, sign_in=issuer(provider, client_secret="mistaken-secret"))
    given = await signed(learner, "somebody")
    complete = f"mutation($input: CompleteProfileLinkInput!) {{ {COMPLETE}(input: $input) {{ __typename }} }}"
    await learner.fails("UNAVAILABLE", complete, input=given)
    assert "the sign-in provider cannot be asked: tokens: status 401, invalid_client" in caplog.text
    (attempt,) = api.rows(link_attempts)
    for secret in ("mistaken-secret", given["code"], attempt.state, attempt.verifier, attempt.nonce):
        assert secret not in caplog.text
