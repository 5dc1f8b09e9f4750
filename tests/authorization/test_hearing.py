"""Does everybody hear what the rules say, and nothing else? Every subscription, followed by everybody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from models.authorization.chats import SEES_CALL, SEES_CHAT
from models.authorization.conversations import SEES_CONVERSATION
from models.authorization.events import HEARD_BY
from models.authorization.rule import Kind, Relation, Rule
from models.tables.events import EventKind
from models.tables.people import Position
from resolvers.projection import PROJECTIONS
from resolvers.streams import STREAMS
from tests.api import QUIET, Listening, Person
from tests.authorization.cast import Case, said
from tests.authorization.happenings import COPY, HAPPENINGS, Happening
from tests.authorization.sights import has
from tests.authorization.stage import Stage, cases, staged
from tests.listening import cursor, quiet
from tests.steps import new_calls, publish_call

ONE_BY_ONE = {"messageChanged": Kind.ONESELF}
"""What is somebody's own is tried below, one person after the other."""

AFTERWARDS: dict[Kind, tuple[Kind | None, Rule]] = {
    Kind.CREATED_CALL: (Kind.CREATED_CALL, SEES_CALL),
    Kind.PUBLISHED_CALL: (Kind.FINISHED_CALL, SEES_CALL),
    Kind.FINISHED_CALL: (None, SEES_CALL),
    Kind.CHAT: (Kind.CHAT, SEES_CHAT),
    Kind.LEADERLESS_CHAT: (Kind.LEADERLESS_CHAT, SEES_CHAT),
    Kind.MANDATORY_CHAT: (Kind.MANDATORY_CHAT, SEES_CHAT),
    Kind.GROUP_CONVERSATION: (Kind.GROUP_CONVERSATION, SEES_CONVERSATION),
    Kind.CHAT_CONVERSATION: (Kind.CHAT_CONVERSATION, SEES_CONVERSATION),
}
"""What the thing is after it has happened, and by which rule it is shown with the event."""


def test_every_subscription_is_followed_with_everything_that_its_rule_names() -> None:
    wanted = {(name, kind) for name, stream in STREAMS.items() for kind in stream.heard_by.kinds}
    assert wanted == HAPPENINGS.keys() | set(ONE_BY_ONE.items())


def test_every_kind_of_event_is_told_or_ends_something() -> None:
    told = {kind for stream in STREAMS.values() for kind in stream.kinds}
    assert set(EventKind) - told == {EventKind.CHATS_SEEN, EventKind.PERSON_CHANGED}
    assert HEARD_BY.keys() == set(EventKind)


@pytest.mark.parametrize(("name", "kind"), HAPPENINGS, ids=lambda it: it.name if isinstance(it, Kind) else it)
async def test_an_event_is_for_whom_its_rule_says(name: str, kind: Kind, tmp_path: Path) -> None:
    """Heard as it happens, by all who wait together; and told again to who asks from before it."""
    happening, rule = HAPPENINGS[name, kind], STREAMS[name].heard_by
    everybody = list(cases(kind))
    async with staged(tmp_path) as stage:
        before = {case: "0" if happening.is_old else await cursor(stage.as_(case)) for case in everybody}
        if not happening.is_old:
            async with followed(stage, happening, everybody) as lines:
                _happens(stage, happening, everybody)
                await _is_heard(stage, name, rule, happening, lines)
        async with followed(stage, happening, everybody, before) as lines:
            await _is_heard(stage, name, rule, happening, lines)


@asynccontextmanager
async def followed(
    stage: Stage, happening: Happening, everybody: list[Case], after: dict[Case, str] | None = None
) -> AsyncIterator[dict[Case, Listening]]:
    """All of them listen; each waits, or has been told what there was."""
    async with AsyncExitStack() as stack:
        lines = {}
        for case in everybody:
            variables = {} if after is None else {"after": after[case]}
            lines[case] = await stack.enter_async_context(
                stage.as_(case).listening(happening.document, **variables)
            )
        for line in lines.values():
            await line.parked()
        yield lines


def _happens(stage: Stage, happening: Happening, everybody: list[Case]) -> None:
    for thing in dict.fromkeys(map(stage.thing, everybody)):
        happening.happens_to(stage, thing)


async def _is_heard(
    stage: Stage, name: str, rule: Rule, happening: Happening, lines: dict[Case, Listening]
) -> None:
    told: dict[Case, list[Any]] = {case: [] for case in lines}
    for case, line in lines.items():
        while rule.allows(*case) and not has(told[case], happening.id_of(stage, case)):
            told[case].append(await line.next())
    await asyncio.sleep(QUIET)
    for case, line in lines.items():
        while line.waiting:
            told[case].append(await line.next())
        assert has(told[case], happening.id_of(stage, case)) == rule.allows(*case), said(case)
        _shows_what_is_seen(case, name, [event for event in told[case] if has(event, stage.thing(case))])


def _shows_what_is_seen(case: Case, name: str, events: list[Any]) -> None:
    """Of what has happened to a thing it is shown as it is now, to who sees it now."""
    field = {"chatChanged": "chat", "callChanged": "call", "conversationChanged": "conversation"}.get(name)
    if field is None or not events:
        return
    kind, rule = AFTERWARDS[case[0]]
    is_seen = kind is not None and rule.allows(kind, *case[1:])
    assert [event[field] is not None for event in events] == [is_seen] * len(events), said(case)
    if field == "call":
        sees_chat = SEES_CHAT.allows(Kind.CHAT, *case[1:])
        assert [event["chat"] is not None for event in events] == [sees_chat] * len(events), said(case)


# --------------------------------------------------------------------------------- what is somebody's own


def own(position: Position) -> Case:
    return (Kind.ONESELF, Relation.SELF, position)


async def test_each_hears_of_his_own_copies_and_badges_alone(tmp_path: Path) -> None:
    """A message in a conversation of each one's own, read by him: MESSAGE_CHANGED; his badge rises, and falls."""
    counts = "subscription { badgesChanged { unreadMessages } }"
    async with staged(tmp_path) as stage, AsyncExitStack() as stack:
        people = {position: stage.as_(own(position)) for position in Position}
        copies, badges = {}, {}
        for position, person in people.items():
            copies[position] = await stack.enter_async_context(person.listening(COPY))
            badges[position] = await stack.enter_async_context(person.listening(counts))
            assert await badges[position].next() == {"unreadMessages": 0}
        for line in (*copies.values(), *badges.values()):
            await line.parked()
        for position, person in people.items():
            there = stage.more("conversation", (Kind.PERSON, Relation.SELF, position))
            HAPPENINGS["messageReceived", Kind.GROUP_CONVERSATION].happens_to(stage, there)
            assert await badges[position].next() == {"unreadMessages": 1}
            await person.do("markConversationRead", conversationId=there)
            assert await badges[position].next() == {"unreadMessages": 0}
            assert (await copies[position].next())["message"] is not None
        await quiet(*copies.values(), *badges.values())


async def test_the_call_badge_is_of_who_takes_part_and_goes_out_for_each_alone(tmp_path: Path) -> None:
    """CHATS_SEEN is told to nobody but whose badge it is."""
    counts = "subscription { badgesChanged { newCalls } }"
    async with staged(tmp_path) as stage, AsyncExitStack() as stack:
        people = {case: stage.as_(case) for case in cases(Kind.CREATED_CALL)}
        before = {case: await new_calls(person) for case, person in people.items()}
        lines = {}
        for case, person in people.items():
            lines[case] = await stack.enter_async_context(person.listening(counts))
            assert await lines[case].next() == {"newCalls": before[case]}
        for line in lines.values():
            await line.parked()
        leads: Person = people[Kind.CREATED_CALL, Relation.ADMINISTERS, Position.LEARNER]
        await publish_call(leads, stage.more("chat", (Kind.CREATED_CALL, Relation.ADMINISTERS, Position.LEARNER)))
        there = [case for case in people if case[1] in THERE]
        for case in there:
            assert await lines[case].next() == {"newCalls": before[case] + 1}
        await leads.do("markChatsSeen")
        assert await lines[Kind.CREATED_CALL, Relation.ADMINISTERS, Position.LEARNER].next() == {"newCalls": 0}
        await quiet(*lines.values())


THERE = (Relation.ADMINISTERS, Relation.TAKES_PART, Relation.UNLINKED)


def test_what_an_event_shows_has_the_rule_of_its_type() -> None:
    """But for the call that is published: who hears of it sees it."""
    for stream in STREAMS.values():
        for field, entry in PROJECTIONS[stream.target].entries.items():
            if entry.target is not None and (stream.target, field) != ("CallPublished", "call"):
                assert entry.seen_by is PROJECTIONS[entry.target].seen_by
