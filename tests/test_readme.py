"""Does what the README and the docs show really run? Every example is executed on the demo schools."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from graphql import OperationDefinitionNode, OperationType, parse

from app.settings import Settings
from jobs.demo import prepare
from models.migrate import migrate
from tests.api import Api
from tests.engines import new_url
from tests.school import CURATOR_9A, LEARNER_9A, SchoolClock, school_database

ROOT = Path(__file__).parent.parent
EXAMPLE = re.compile(r"```graphql\n(.*?)```", re.DOTALL)


def examples(page: str) -> list[str]:
    return EXAMPLE.findall((ROOT / page).read_text())


@pytest.fixture
async def demo(tmp_path: Path, clock: SchoolClock) -> AsyncIterator[Api]:
    """What `make run` serves."""
    database = school_database(new_url(tmp_path, "demo"), clock=clock)
    migrate(database.engine)
    prepare(database)
    async with Api.serving(database) as api:
        yield api


async def test_the_story_of_the_readme(demo: Api) -> None:
    query, subscription, mutation = examples("README.md")
    curator, learner = demo.as_(CURATOR_9A), demo.as_(LEARNER_9A)

    (chat,) = (await curator.ask(query))["viewer"]["chats"]["nodes"]
    created = [call for call in chat["calls"]["nodes"] if call["status"] == "CREATED"]
    assert chat["name"] == "9А"
    assert f'"{created[0]["id"]}"' in mutation, "the README publishes the call that the query shows"

    async with learner.listening(subscription) as badge:
        before = (await badge.next())["newCalls"]
        published = (await curator.ask(mutation))["publishCall"]["call"]
        assert published["status"] == "PUBLISHED"
        assert published["joinUrl"].startswith("https://school.example/")
        assert await badge.next() == {"newCalls": before + 1}


async def test_every_example_of_the_docs_is_answered(demo: Api) -> None:
    for example in examples("docs/api.md"):
        (operation,) = parse(example).definitions
        assert isinstance(operation, OperationDefinitionNode)
        person = demo.as_(CURATOR_9A)
        if operation.operation is OperationType.SUBSCRIPTION:
            async with person.listening(example) as events:
                assert await events.next()
        else:
            (answer,) = (await person.ask(example)).values()
            assert answer


def test_every_setting_is_in_the_readme() -> None:
    table = (ROOT / "README.md").read_text()
    missing = [name for name in Settings.model_fields if f"PREAU_{name.upper()}" not in table]
    assert not missing
