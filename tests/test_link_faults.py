"""What may a sign-in provider get wrong without a profile being linked, or a secret being shown? Everything."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest

from models.tables.links import link_attempts, profile_links
from tests import crooked as faults
from tests.api import Api, Person
from tests.crooked import ACCESS, CODE, OTHER_KEY, Crooked, begin, crooked, is_linked, use
from tests.openid import CLIENT, CLIENT_SECRET
from tests.school import LEARNER_UNLINKED, SchoolClock

DISCOVERY, TOKEN, KEYS = "/.well-known/openid-configuration", "/token", "/keys"
COMPLETE = "mutation($input: CompleteProfileLinkInput!) { completeProfileLink(input: $input) { __typename } }"
BEGIN = "mutation { beginProfileLink { __typename } }"
LITTLE = 1.0
"""Seconds of patience with a provider that takes longer than anybody has."""

TAKE_LONG = (faults.slow, faults.trickling)


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


@pytest.fixture(autouse=True)
def secrets(api: Api, provider: Crooked, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever happens, nothing of it stands in the log."""
    caplog.set_level(logging.INFO)
    handler = logging.StreamHandler(logged := StringIO())
    logging.getLogger().addHandler(handler)
    yield
    logging.getLogger().removeHandler(handler)
    told = [CLIENT_SECRET, CODE, ACCESS, "eyJ"]
    for attempt in api.rows(link_attempts):
        told += [attempt.state, attempt.verifier, attempt.nonce]
    for secret in told:
        assert secret not in logged.getvalue()


@contextmanager
def linking_nobody(api: Api) -> Iterator[None]:
    before = api.rows(profile_links)
    yield
    assert api.rows(profile_links) == before


async def test_an_honest_provider_links(learner: Person, provider: Crooked) -> None:
    """Else the refusals below would prove nothing."""
    await learner.do("completeProfileLink", **await begin(learner, provider))
    assert await is_linked(learner)
    assert provider.asked == [DISCOVERY, TOKEN, KEYS]


async def test_what_stands_in_a_header_besides_does_not_matter(learner: Person, provider: Crooked) -> None:
    provider.header = {"a.word": "of the provider's own"}
    await learner.do("completeProfileLink", **await begin(learner, provider))


async def test_what_is_known_of_a_provider_is_not_asked_again(learner: Person, provider: Crooked) -> None:
    for _ in range(2):
        await learner.do("completeProfileLink", **await begin(learner, provider))
    assert provider.asked == [DISCOVERY, TOKEN, KEYS, TOKEN]
    provider.published = provider.signed_by = OTHER_KEY  # of the same name
    await learner.do("completeProfileLink", **await begin(learner, provider))
    assert provider.asked[4:] == [TOKEN, KEYS]


UNTRUE: dict[str, dict[str, Any]] = {
    "another nonce": {"claims": {"nonce": "x" * 43}},
    "no nonce": {"claims": {"nonce": None}},
    "a list of nonces": {"claims": {"nonce": ["x"]}},
    "for another program": {"claims": {"aud": "another"}},
    "for another program, given to this one": {"claims": {"aud": "another", "azp": CLIENT}},
    "for nobody": {"claims": {"aud": None}},
    "for several, given to another": {"claims": {"aud": [CLIENT, "another"], "azp": "another"}},
    "for several, given to nobody": {"claims": {"aud": [CLIENT, "another"]}},
    "of another issuer": {"claims": {"iss": "https://another.example"}},
    "of no issuer": {"claims": {"iss": None}},
    "over": {"claims": {"exp": 1}},
    "without an end": {"claims": {"exp": None}},
    "of the future": {"claims": {"iat": 2**33}},
    "with a moment that is none": {"claims": {"exp": "tomorrow"}},
    "about nobody": {"claims": {"sub": None}},
    "about a number": {"claims": {"sub": 5}},
    "about an empty name": {"claims": {"sub": ""}},
    "about an endless name": {"claims": {"sub": "x" * 256}},
    "about a name that is no text": {"claims": {"sub": "some\0body"}},
    "about another access": {"claims": {"at_hash": "x" * 22}},
    "signed by nobody": {"header": {"alg": "none"}},
    "signed with the secret": {"header": {"alg": "HS256"}, "signed_by": faults.shared_secret()},
    "signed by another key": {"signed_by": OTHER_KEY},
    "signed by an unknown key": {"header": {"kid": "2"}},
    "no token": {"tokens": {"id_token": "x.y.z"}},
    "a number": {"tokens": {"id_token": 1}},
    "nothing": {"tokens": {"id_token": None}},
    "with a word that nobody knows and all must heed": {"header": {"crit": ["b"], "b": 1}},
    "too deep": {"tokens": {"id_token": "W1tb" * 1_000 + ".e30.e30"}},
    "too long": {"tokens": {"id_token": "W1tb" * 40_000 + ".e30.e30"}},
}


@pytest.mark.parametrize("wrong", UNTRUE.values(), ids=UNTRUE)
async def test_an_ID_token_that_is_not_in_order_links_nobody(
    api: Api, learner: Person, provider: Crooked, wrong: dict[str, Any]
) -> None:
    given = await begin(learner, provider)
    for name, value in wrong.items():
        setattr(provider, name, value)
    with linking_nobody(api):
        await learner.invalid("code", "completeProfileLink", **given)
    for name in wrong:
        setattr(provider, name, vars(Crooked())[name])
    await learner.do("completeProfileLink", **given)  # it was that alone


async def test_a_code_that_is_refused_is_wrong(api: Api, learner: Person, provider: Crooked) -> None:
    given = await begin(learner, provider)
    provider.faults[TOKEN] = faults.status(400, error="invalid_grant")
    with linking_nobody(api):
        await learner.invalid("code", "completeProfileLink", **given)


FAULTS: dict[str, faults.Fault] = {
    "redirected": faults.redirected,
    "slow": faults.slow,
    "trickling": faults.trickling,
    "endless": faults.endless,
    "packed": faults.packed,
    "dropped": faults.dropped,
    "broken": faults.status(500),
    "overloaded": faults.status(503, error="temporarily_unavailable"),
    "missing": faults.status(404),
    "refusing": faults.status(400, error="invalid_client"),
    "refusing in words of its own": faults.status(400, error=f"no {CODE} here"),
    "saying nothing": faults.text(""),
    "no JSON": faults.text("<html>"),
    "no object": faults.text("[]"),
    "too deep": faults.text("[" * 100_000),
}


@pytest.mark.parametrize("place", [TOKEN, KEYS])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_provider_that_fails_when_the_browser_is_back_links_nobody(
    api: Api, learner: Person, provider: Crooked, place: str, fault: faults.Fault
) -> None:
    given = await begin(learner, provider)
    if fault in TAKE_LONG:
        use(api, provider, LITTLE)
    provider.faults[place] = fault
    with linking_nobody(api):
        await learner.fails("UNAVAILABLE", COMPLETE, input=given)
    assert provider.asked[-1] == place, "it goes nowhere else"
    provider.faults.clear()
    use(api, provider)
    await learner.do("completeProfileLink", **given)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_provider_that_does_not_say_where_it_is_cannot_be_gone_to(
    api: Api, learner: Person, provider: Crooked, fault: faults.Fault
) -> None:
    if fault in TAKE_LONG:
        use(api, provider, LITTLE)
    provider.faults[DISCOVERY] = fault
    await learner.fails("UNAVAILABLE", BEGIN)
    assert {*provider.asked} == {DISCOVERY}, "it goes nowhere else"
    provider.faults.clear()
    use(api, provider)
    await begin(learner, provider)


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "https://another.example"},
        {"issuer": None},
        {"token_endpoint": None},
        {"token_endpoint": 5},
        {"token_endpoint": "http://tokens.example/"},
        {"token_endpoint": "file:///etc/passwd"},
        {"token_endpoint": "/token"},
        {"jwks_uri": "https://name:password@keys.example/"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "https://[/"},
        {"code_challenge_methods_supported": ["plain"]},
    ],
    ids=str,
)
async def test_a_description_that_is_not_in_order_leads_nowhere(
    learner: Person, provider: Crooked, wrong: dict[str, Any]
) -> None:
    provider.discovered = wrong
    await learner.fails("UNAVAILABLE", BEGIN)
    assert provider.asked == [DISCOVERY]


async def test_a_secret_that_can_not_be_shown_in_a_known_way_is_not_shown(
    learner: Person, provider: Crooked
) -> None:
    provider.discovered = {"token_endpoint_auth_methods_supported": ["private_key_jwt"]}
    await learner.fails("UNAVAILABLE", COMPLETE, input=await begin(learner, provider))
    assert provider.asked == [DISCOVERY]


async def test_the_clocks_may_differ_a_little(learner: Person, provider: Crooked, clock: SchoolClock) -> None:
    given = await begin(learner, provider)
    provider.claims = {"exp": int((clock.now - timedelta(seconds=59)).timestamp())}
    await learner.do("completeProfileLink", **given)
    given = await begin(learner, provider)
    provider.claims = {"exp": int((clock.now - timedelta(seconds=61)).timestamp())}
    await learner.invalid("code", "completeProfileLink", **given)
