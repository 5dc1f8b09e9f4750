"""Can somebody ask for so much text that all others wait? What is too long is refused, by what it really is."""

from typing import Any

import pytest

from schema.limits import LONG_TEXT, VALUES
from tests.api import Api
from tests.lookahead.asking import is_admitted
from tests.school import CURATOR_9A, LEARNER_9A

PAGE = "m%d: messages(last: 100) { nodes { body } }"
SEND = """mutation($in: ID!, $body: String!) { sendMessage(input: {conversationId: $in, body: $body}) {
  ... on SendMessagePayload { sent { %s } } } }"""


@pytest.fixture
async def there(api: Api, monkeypatch: pytest.MonkeyPatch) -> str:
    """A conversation with twenty long messages; an answer may be as long as one and a half pages of it."""
    curator = api.as_(CURATOR_9A)
    opened = await curator.do("openConversation", "conversation { id }", userId=api.as_(LEARNER_9A).id)
    id_: str = opened["conversation"]["id"]
    for number in range(20):
        await curator.ask(SEND % "id", **{"in": id_}, body=f"{number} {'ж' * 5_000}")
    for module in ("resolvers.lookahead", "schema.execution"):
        monkeypatch.setattr(f"{module}.LONGEST_ANSWER", 150_000)
    return id_


def conversation(*pages: str, alias: str = "node") -> str:
    return f"{alias}: node(id: $in) {{ ... on Conversation {{ {' '.join(pages)} }} }}"


async def bodies(api: Api, *fields: str, there: str) -> Any:
    return await api.as_(LEARNER_9A).ask(f"query($in: ID!) {{ {' '.join(fields)} }}", **{"in": there})


async def test_a_page_of_long_messages_is_answered(api: Api, there: str) -> None:
    answer = await bodies(api, conversation(PAGE % 0), there=there)
    assert len(answer["node"]["m0"]["nodes"]) == 20


async def test_what_is_too_long_is_refused_in_one_field_and_in_several(api: Api, there: str) -> None:
    person = api.as_(LEARNER_9A)
    twice = conversation(PAGE % 0, PAGE % 1)
    both = f"{conversation(PAGE % 0, alias='a')} {conversation(PAGE % 1, alias='b')}"
    for fields in (twice, both):
        with api.unchanged():
            answer = await person.send(f"query($in: ID!) {{ {fields} }}", **{"in": there})
        (error,) = answer["errors"]
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert "too long" in error["message"]
        assert not any((answer.get("data") or {}).values())


async def test_a_mutation_whose_answer_would_be_too_long_is_not_done(api: Api, there: str) -> None:
    """It is read back before it is committed."""
    asked = f"conversation {{ {PAGE % 0} {PAGE % 1} }}"
    with api.unchanged():
        answer = await api.as_(CURATOR_9A).send(SEND % asked, **{"in": there}, body="One more")
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["LIMIT_EXCEEDED"]
    await api.as_(CURATOR_9A).ask(SEND % "id", **{"in": there}, body="One more")


@pytest.mark.sqlite
async def test_the_engine_itself_stops(api: Api, there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resolvers.lookahead.LONGEST_ANSWER", 10**9)
    monkeypatch.setattr("schema.execution.LONGEST_ANSWER", 10**9)
    many = conversation(*(PAGE % number for number in range(30)))
    assert len((await bodies(api, many, there=there))["node"]) == 30
    monkeypatch.setattr("models.database.sqlite.LONGEST_ANSWER", 1_000_000)
    async with Api.serving(type(api.database)(api.database.url, messenger=api.database.messenger)) as other:
        viewer = other.as_(LEARNER_9A)
        answer = await viewer.send(f"query($in: ID!) {{ {many} }}", **{"in": there})
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["LIMIT_EXCEEDED"]
        assert (await viewer.ask("query($in: ID!) { node(id: $in) { id } }", **{"in": there}))["node"][
            "id"
        ] == there


def test_a_long_text_is_reckoned_as_several_values() -> None:
    def pages(count: int, field: str) -> str:
        inside = " ".join(f"m{number}: messages(first: 100) {{ nodes {{ {field} }} }}" for number in range(count))
        return f'{{ node(id: "Conversation_1") {{ ... on Conversation {{ {inside} }} }} }}'

    most = VALUES // (100 * LONG_TEXT + 3)
    assert is_admitted(pages(most - 2, "body"))
    assert not is_admitted(pages(most + 1, "body"))
    assert is_admitted(pages(most + 10, "sentAt"))
