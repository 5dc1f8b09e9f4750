"""Who asks too often, and who is not held up by that? Allowances of people and addresses, through the API."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSServerHandshakeError, hdrs
from aiohttp.test_utils import make_mocked_request
from graphql import parse
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict
from pydantic import ValidationError

from app.proxies import Proxies
from app.rates import KINDS, LINKS, MINUTE, MOST_KNOWN, RECIPIENTS, REQUESTS_SIGNED_OUT, UPLOADS, Allowance, Rates
from app.settings import Settings
from app.websocket import Terms
from schema import schema
from schema.counted import fields_of
from tests.api import Api, Person
from tests.filing import filing, png
from tests.school import CURATOR_9A, LEARNER_9A, TEACHER
from tests.test_websocket import PROTOCOL, init
from tests.web import served

SENDS = 5
SECOND = 1_000_000_000

SEND = 'sendMessage(input: {conversationId: $c, body: "%s"}) { ... on SendMessagePayload { sent { body } } }'
DRAFT = 'saveDraft(input: {mail: {subject: "%s"}}) { __typename }'


class Moments:
    """A clock that goes when the test says so, in nanoseconds."""

    def __init__(self) -> None:
        self.now = 7 * SECOND

    def __call__(self) -> int:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)


@pytest.fixture
def moments(api: Api) -> Moments:
    """Of the allowances of the API, few as they are here."""
    moments = Moments()
    api.operations.rates = Rates(sends_per_minute=SENDS, moment=moments)
    return moments


async def conversation(api: Api, one: str, other: str) -> str:
    opened = await api.as_(one).do("openConversation", "conversation { id }", userId=api.as_(other).id)
    found: str = opened["conversation"]["id"]
    return found


def sends(*bodies: str) -> str:
    fields = " ".join(f"s{number}: {SEND % body}" for number, body in enumerate(bodies))
    return f"mutation($c: ID!) {{ {fields} }}"


async def too_often(person: Person, document: str, /, **variables: Any) -> int:
    """Refused as a whole, before it began, and nothing is written; after how many seconds again."""
    with person.api.unchanged():
        answer = await person.send(document, **variables)
    assert list(answer) == ["errors"], answer
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert list(error) == ["message", "extensions"]
    after = error["extensions"]["retryAfter"]
    assert type(after) is int
    assert f"{after} s" in error["message"]
    found: int = after
    return found


# ------------------------------------------------------------------------------------ of people, and fields


async def test_sends_are_counted_by_the_field_whatever_the_alias(api: Api, moments: Moments) -> None:
    there = await conversation(api, TEACHER, CURATOR_9A)
    teacher = api.as_(TEACHER)
    await teacher.ask(sends("1", "2", "3"), c=there)
    assert await too_often(teacher, sends("4", "5", "6"), c=there) == 12, "a minute, five times"
    await teacher.ask(sends("4", "5"), c=there)
    assert await too_often(teacher, sends("6"), c=there) == 12
    moments.forward(11.5)
    assert await too_often(teacher, sends("6"), c=there) == 1, "rather too long than too short"
    moments.forward(0.5)
    await teacher.ask(sends("6"), c=there)
    assert await too_often(teacher, sends("7"), c=there) == 12
    moments.forward(600)  # an allowance is whole again, and no more than that
    await teacher.ask(sends(*"abcde"), c=there)
    assert await too_often(teacher, sends("f"), c=there) == 12


async def test_others_are_not_held_up(api: Api, moments: Moments) -> None:
    there = await conversation(api, TEACHER, CURATOR_9A)
    await api.as_(TEACHER).ask(sends(*"abcde"), c=there)
    await too_often(api.as_(TEACHER), sends("f"), c=there)
    await api.as_(CURATOR_9A).ask(sends(*"abcde"), c=there)
    assert await api.as_(TEACHER).ask("{ viewer { conversations { nodes { id } } } }"), "nor other fields"


def test_fragments_count_wherever_they_are_spread() -> None:
    document = f"""
        mutation Other($c: ID!) {{ {SEND % "other"} }}
        mutation M($c: ID!) {{ ...A a: {SEND % "a"} ... on Mutation {{ b: {SEND % "b"} ...B }} }}
        fragment A on Mutation {{ c: {SEND % "c"} d: {SEND % "d"} ...B }}
        fragment B on Mutation {{ e: {SEND % "e"} }}
    """
    counted = fields_of(parse(document), "M")
    assert counted["sendMessage"] == 6
    assert counted["sent"] == 6
    assert fields_of(parse(document), None)["sendMessage"] == 1
    assert fields_of(parse(document), "nobody") == {}


async def test_all_that_is_written_to_others_has_one_allowance(api: Api, moments: Moments) -> None:
    there = await conversation(api, TEACHER, CURATOR_9A)
    teacher = api.as_(TEACHER)
    await teacher.ask(sends("1", "2", "3"), c=there)
    await teacher.ask(f"mutation {{ a: {DRAFT % 'a'} b: {DRAFT % 'b'} }}")
    assert await too_often(teacher, f"mutation {{ {DRAFT % 'c'} }}") == 12
    assert await too_often(teacher, sends("4"), c=there) == 12


async def test_a_refused_operation_uses_nothing_up(api: Api, moments: Moments) -> None:
    there = await conversation(api, TEACHER, CURATOR_9A)
    teacher = api.as_(TEACHER)
    await teacher.ask(sends("1", "2", "3", "4"), c=there)
    for _ in range(20):
        await too_often(teacher, sends("5", "6"), c=there)
        await teacher.fails("BAD_REQUEST", f"mutation {{ sendMessage {DRAFT % 'c'} }}")
        await teacher.fails("LIMIT_EXCEEDED", sends(*"abcdefghijkl"), c=there)
    await teacher.ask(sends("5"), c=there)


async def test_more_than_a_whole_allowance_is_refused_until_it_is_whole(api: Api, moments: Moments) -> None:
    there = await conversation(api, TEACHER, CURATOR_9A)
    teacher = api.as_(TEACHER)
    await teacher.ask(sends("1"), c=there)
    assert await too_often(teacher, sends(*"abcdefgh"), c=there) == 12
    moments.forward(12)
    await teacher.ask(sends(*"abcdefgh"), c=there)
    assert await too_often(teacher, sends("i"), c=there) == 48, "what was too much is paid for later"


async def test_0_is_no_limit(api: Api) -> None:
    api.operations.rates = Rates(sends_per_minute=0, moment=Moments())
    there = await conversation(api, TEACHER, CURATOR_9A)
    for _ in range(3):
        await api.as_(TEACHER).ask(sends(*"abcdefghij"), c=there)


async def test_people_are_looked_for_so_often(api: Api, moments: Moments) -> None:
    teacher = api.as_(TEACHER)
    one = '{ viewer { recipients(search: "zz") { __typename } } }'
    two = f"{{ a: {one[2:-2]} b: {one[2:-2]} }}"
    for _ in range(RECIPIENTS // 2):
        api.operations.rates.operation(teacher.viewer.id if teacher.viewer else 0, {"recipients": 2})
    assert await too_often(teacher, one) == 1
    moments.forward(60 / RECIPIENTS)
    assert await too_often(teacher, two) == 1
    await teacher.ask(one)


async def test_links_are_begun_and_completed_so_often(api: Api, moments: Moments) -> None:
    learner = api.as_(LEARNER_9A)
    for _ in range(LINKS):
        await learner.send('mutation { completeProfileLink(input: {code: "x", state: "y"}) { __typename } }')
    assert await too_often(learner, "mutation { beginProfileLink { __typename } }") == 60 // LINKS


async def test_a_socket_counts_as_well(api: Api, moments: Moments) -> None:
    there = await conversation(api, TEACHER, CURATOR_9A)
    async with api.as_(TEACHER).listening(sends(*"abcde"), c=there) as socket:
        await socket.ended()
    with api.unchanged():
        async with api.as_(TEACHER).listening(sends("f"), c=there) as socket:
            assert await socket.error() == "RATE_LIMITED"


async def test_who_is_signed_out_is_told_that_and_counts_nowhere(api: Api, moments: Moments) -> None:
    for _ in range(SENDS + 1):
        await api.signed_out().fails("UNAUTHENTICATED", f"mutation {{ {DRAFT % 'a'} }}")
    assert all(not len(allowance) for allowance in api.operations.rates._of_person.values())


def test_the_fields_that_are_counted_exist() -> None:
    fields = {name for type_ in schema._schema.type_map.values() for name in getattr(type_, "fields", ())}
    assert fields >= KINDS.keys()


# ------------------------------------------------------------------------------------------ allowances


@given(st.integers(1, 50), st.lists(st.tuples(st.integers(0, 5 * SECOND), st.integers(1, 5)), max_size=200))
def test_no_minute_holds_more_than_two_allowances_and_the_wait_is_true(
    per_minute: int, asked: list[tuple[int, int]]
) -> None:
    """One that was there, and one that filled up meanwhile."""
    moments = Moments()
    allowance = Allowance(per_minute, moments)
    done: list[tuple[int, int]] = []
    for pause, times in asked:
        moments.now += pause
        if wait := allowance.wait("me", times):
            moments.now += wait - 1
            assert allowance.wait("me", times)
            moments.now += 1
            assert not allowance.wait("me", times)
        allowance.take("me", times)
        done.append((moments.now, times))
        recent = sum(count for at, count in done if at > moments.now - MINUTE)
        assert recent <= 2 * per_minute + times


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.rates.MOST_KNOWN", 3)
    allowance = Allowance(1, Moments())
    for key in (1, 2, 3, 1, 4, 5):
        allowance.take(key)
        assert len(allowance) <= 3
    assert allowance.wait(1), "who was seen last is remembered"
    assert not allowance.wait(2)
    assert MOST_KNOWN == 50_000


# ----------------------------------------------------------------------------------------- at the edge


async def test_files_come_in_so_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert UPLOADS == 300
    monkeypatch.setattr("app.rates.UPLOADS", 2)
    async with filing(tmp_path) as school:
        for _ in range(2):
            await school.upload("ada")
        kept = school.files()
        url, head = (
            f"{school.address}/attachments?name=a.png",
            {**school.token("ada"), "Content-Type": "image/png"},
        )
        async with school.client.post(url, data=png(), headers=head) as answer:
            said = await answer.json()
            assert answer.status == 429
            assert answer.headers["Retry-After"] == str(said["retryAfter"])
        assert said["code"] == "RATE_LIMITED"
        assert said["retryAfter"] in (29, 30)
        assert school.files() == kept
        assert len(school.rows()) == 2
        assert not school.loose()
        await school.upload("bob")


async def test_who_is_signed_out_asks_so_often_from_one_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert REQUESTS_SIGNED_OUT == 1_200
    monkeypatch.setattr("app.rates.REQUESTS_SIGNED_OUT", 4)
    async with served(tmp_path) as school:
        for token in ("", "Bearer x", "Basic eDp5", "Bearer a.b.c"):
            status, answer = await school.ask("{ number }", headers={"Authorization": token})
            assert (status, answer) == (200, {"data": {"number": 1}})
        async with school.client.post(school.url, json={"query": "{ number }"}) as refused:
            (error,) = (await refused.json())["errors"]
            assert refused.status == 429
            assert error["extensions"] == {"retryAfter": 15, "code": "RATE_LIMITED"}
            assert refused.headers["Retry-After"] == "15"
        async with school.client.post(f"{school.address}/attachments?name=a.png", data=png()) as refused:
            assert refused.status == 429
        for _ in range(6):
            assert (await school.ask("{ me }"))[1] == {"data": {"me": "1"}}, "the school behind it goes on"


async def test_sockets_are_few_until_somebody_signs_in(tmp_path: Path) -> None:
    assert Terms().sockets_signed_out == 1_000
    async with served(tmp_path, terms=Terms(sockets_signed_out=2, to_close=0.2)) as school:

        async def connect() -> ClientWebSocketResponse:
            return await school.client.ws_connect(school.url, protocols=[PROTOCOL])

        there = []
        for _ in range(5):  # a school comes in one after another
            ws = await connect()
            await ws.send_json(init(school.token()))
            assert (await ws.receive_json())["type"] == "connection_ack"
            there.append(ws)
        first, second = await connect(), await connect()
        with pytest.raises(WSServerHandshakeError) as refused:
            await connect()
        assert refused.value.status == 429
        await first.send_json(init(school.token()))
        assert (await first.receive_json())["type"] == "connection_ack"
        third = await connect()
        await second.send_json(init("Bearer x"))
        await second.receive(timeout=5)
        assert second.close_code == 4403
        await first.close()
        async with asyncio.timeout(5):
            while True:
                try:
                    there.append(await connect())
                    break
                except WSServerHandshakeError:
                    await asyncio.sleep(0.01)
        with pytest.raises(WSServerHandshakeError):
            await connect()
        for ws in (third, *there):
            await ws.close()


# ------------------------------------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    ("trusted", "remote", "forwarded", "client"),
    [
        ("", "192.0.2.1", [], "192.0.2.1"),
        ("", "192.0.2.1", ["203.0.113.9"], "192.0.2.1"),
        ("127.0.0.1", "192.0.2.1", ["203.0.113.9"], "192.0.2.1"),
        ("127.0.0.1", "127.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", "127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", "127.0.0.1", ["198.51.100.7, 203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", "127.0.0.1", ["198.51.100.7", "203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1, 10.0.0.0/8", "127.0.0.1", ["198.51.100.7, 203.0.113.9, 10.1.2.3"], "203.0.113.9"),
        ("127.0.0.1", "127.0.0.1", ["203.0.113.9, nonsense"], ""),
        ("127.0.0.1", "127.0.0.1", ["203.0.113.9, "], ""),
        ("::1", "::1", ["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"),
        ("", "2001:db8:1:2:ffff::1", [], "2001:db8:1:2::/64"),
        ("", "::ffff:192.0.2.1", [], "192.0.2.1"),
        ("", None, ["203.0.113.9"], ""),
    ],
)
def test_whom_a_request_comes_from(trusted: str, remote: str | None, forwarded: list[str], client: str) -> None:
    heads = CIMultiDict([(hdrs.X_FORWARDED_FOR, each) for each in forwarded])
    request = make_mocked_request("POST", "/graphql", headers=heads).clone(remote=remote or "")
    assert str(Proxies(trusted).client(request)) == client


def test_proxies_are_addresses_and_networks() -> None:
    assert Settings(trusted_proxies="127.0.0.1, 10.0.0.0/8,::1").trusted_proxies
    for wrong in ("nginx", "10.0.0.1/8", "*"):
        with pytest.raises(ValidationError):
            Settings(trusted_proxies=wrong)


async def test_what_a_proxy_says_counts_where_it_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.rates.REQUESTS_SIGNED_OUT", 1)
    async with served(tmp_path, trusted_proxies="127.0.0.1") as school:
        for client, status in (("192.0.2.1", 200), ("192.0.2.1", 429), ("192.0.2.2", 200)):
            heads = {"X-Forwarded-For": f"198.51.100.1, {client}"}
            assert (await school.ask("{ number }", headers=heads))[0] == status
