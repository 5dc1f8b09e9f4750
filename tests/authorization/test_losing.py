"""Is a right gone at once when it is lost? What it showed, what it allowed, and what it let somebody hear."""

import asyncio
import inspect
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from models.authorization.rule import Kind, Relation
from models.errors import Code
from models.events import record
from models.tables.events import EventKind
from models.tables.people import Position, users
from resolvers.viewer import NODES
from tests.api import QUIET, Listening
from tests.authorization.asking import everything, node
from tests.authorization.cast import Case
from tests.authorization.deeds import DEEDS
from tests.authorization.happenings import HAPPENINGS
from tests.authorization.losing import removed_from_conversation
from tests.authorization.loss import Loss
from tests.authorization.losses import LOSSES
from tests.authorization.sights import SIGHTS, has
from tests.authorization.stage import Stage, staged
from tests.authorization.test_doing import do, unknown
from tests.listening import RECEIVED, cursor


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
async def test_what_a_right_gave_goes_with_it(loss: Loss, tmp_path: Path) -> None:
    """What the person saw he sees no more, as if it had never been; what he did is refused, without a trace."""
    kind, case = loss.case[0], loss.case
    async with staged(tmp_path) as stage:
        await _has_the_right(stage, loss)
        await _lose(stage, loss)
        for field in loss.sees:
            with stage.undoing():
                assert not await SIGHTS[field, kind].shows(stage, case), field
        person, thing = stage.as_(case), stage.thing(case)
        type_name = thing.split("_")[0]
        if type_name in NODES:
            document = node(type_name, everything(type_name))
            answer = await person.send(document, id=thing)
            if loss.keeps_node:
                assert answer["data"]["node"]["id"] == thing
            else:
                assert answer == await person.send(document, id=unknown(thing)) == {"data": {"node": None}}
        with stage.untouched(without=("audit_entries",)):
            for name, code in loss.does.items():
                answer = await do(stage, name, DEEDS[name, kind], case, thing)
                assert answer.get("code") == code, (name, answer)
                if code in (Code.NOT_FOUND, Code.OUT_OF_REACH):
                    assert answer == await do(stage, name, DEEDS[name, kind], case, unknown(thing)), name


async def _has_the_right(stage: Stage, loss: Loss) -> None:
    kind, case = loss.case[0], loss.case
    for field in loss.sees:
        with stage.undoing():
            assert await SIGHTS[field, kind].shows(stage, case), field
    for name in loss.does:
        answer = await do(stage, name, DEEDS[name, kind], case, stage.thing(case), is_undone=True)
        assert answer["__typename"].endswith("Payload"), (name, answer)


async def _lose(stage: Stage, loss: Loss) -> None:
    lost = loss.lose(stage, loss.case)
    if inspect.isawaitable(lost):
        await lost


HEARD = [(loss, name) for loss in LOSSES for name in loss.hears]


@pytest.mark.parametrize(("loss", "name"), HEARD, ids=lambda it: it if isinstance(it, str) else it.name)
async def test_who_has_lost_it_hears_nothing_more(loss: Loss, name: str, tmp_path: Path) -> None:
    """Not while he listens on, and not when he asks for what there was: of what happened before it he is told at
    most that it is gone for him."""
    case, happening = loss.case, HAPPENINGS[name, loss.case[0]]
    id_ = happening.id_of
    async with staged(tmp_path) as stage:
        person = stage.as_(case)
        before = "0" if happening.is_old else await cursor(person)
        async with person.listening(happening.document, after=before) as line:
            await line.parked()
            if not happening.is_old:
                happening.happens_to(stage, stage.thing(case))
            told = await _settled(line)
            assert any(has(event, id_(stage, case)) for event in told)
            await _lose(stage, loss)
            told += (farewell := await _settled(line))
            assert loss.keeps_node or all(_says_nothing(event, name) for event in farewell), farewell
            await _tells_no_more(stage, loss, name, before, told)
            since = await cursor(person)
            if not happening.is_old:
                happening.happens_to(stage, stage.thing(case))
            assert await _settled(line) == []
        assert await _replayed(stage, loss, name, since) == []
        await _tells_no_more(stage, loss, name, before, told)


async def _tells_no_more(stage: Stage, loss: Loss, name: str, after: str, told: list[Any]) -> None:
    """What is replayed shows nothing of the thing, but what he keeps."""
    id_ = HAPPENINGS[name, loss.case[0]].id_of(stage, loss.case)
    for event in await _replayed(stage, loss, name, after):
        is_kept = loss.keeps_node and event in told
        is_of_another = not has(event, id_) and None not in event.values()
        assert is_kept or _says_nothing(event, name) or is_of_another, event


async def _replayed(stage: Stage, loss: Loss, name: str, after: str) -> list[Any]:
    document = HAPPENINGS[name, loss.case[0]].document
    async with stage.as_(loss.case).listening(document, after=after) as line:
        await line.parked()
        return await _settled(line)


FAREWELLS = {
    "chatChanged": "chat",
    "callChanged": "call",
    "conversationChanged": "conversation",
    "messageChanged": "message",
}
"""What tells somebody that a thing is gone for him, and what it shows then as null; all others do not tell it."""


def _says_nothing(event: dict[str, Any], name: str) -> bool:
    """Whether only ids are told: the thing itself is not shown."""
    return name in FAREWELLS and event[FAREWELLS[name]] is None


async def _settled(line: Listening) -> list[Any]:
    """What has come, when nothing more does."""
    await asyncio.sleep(QUIET)
    return [await line.next() for _ in range(line.waiting)]


# --------------------------------------------------------------------------------------- the ends of listening


async def test_listening_in_one_conversation_ends_with_taking_part(tmp_path: Path) -> None:
    case = (Kind.GROUP_CONVERSATION, Relation.TAKES_PART, Position.ADMINISTRATOR)
    async with staged(tmp_path) as stage:
        person = stage.as_(case)
        async with person.listening(RECEIVED, **{"in": stage.thing(case)}) as line:
            await line.parked()
            removed_from_conversation(stage, case)
            await line.ended()
        stranger = stage.as_((Kind.GROUP_CONVERSATION, Relation.STRANGER, Position.ADMINISTRATOR))
        for there in (stage.thing(case), unknown(stage.thing(case))):
            async with stranger.listening(RECEIVED, **{"in": there}) as line:
                assert await line.error() == "NOT_FOUND"


async def _everything(stage: Stage, stack: AsyncExitStack, case: Case) -> AsyncIterator[Listening]:
    for document in dict.fromkeys(each.document for each in HAPPENINGS.values()):
        yield await stack.enter_async_context(stage.as_(case).listening(document))
    yield await stack.enter_async_context(stage.as_(case).listening("subscription { badgesChanged { newCalls } }"))


async def test_whoever_leaves_the_school_is_cut_off(tmp_path: Path) -> None:
    """Whatever he listens to closes with 4403, and tells nothing but that."""
    case = (Kind.CHAT, Relation.ADMINISTERS, Position.ADMINISTRATOR)
    async with staged(tmp_path) as stage, AsyncExitStack() as stack:
        lines = [line async for line in _everything(stage, stack, case)]
        for line in lines:
            await line.parked()
        assert await lines[-1].next()
        viewer = stage.as_(case).viewer
        assert viewer is not None
        with stage.api.database.transaction() as tx:
            tx.execute(update(users).where(users.c.id == viewer.id).values(deactivated_at=tx.now))
            record(tx, viewer.organization_id, EventKind.PERSON_CHANGED, user_id=viewer.id)
        for line in lines:
            assert await line.error() == "UNAUTHENTICATED"
            await line.ended()
            assert (line.closed, line.waiting) == (4403, 0)
