"""Does everybody see what the rules say, and nothing else? Every type and every field, asked by everybody."""

from pathlib import Path

import pytest

from models.authorization.people import AS_ITS_TYPE, HAS_DONE_IT, IS_ONESELF
from models.authorization.rule import Kind, Relation, Rule
from resolvers.projection import PROJECTIONS
from resolvers.streams import STREAMS
from resolvers.viewer import NODES
from tests.authorization.asking import everything, node
from tests.authorization.cast import said
from tests.authorization.sights import SIGHTS
from tests.authorization.stage import cases, staged
from tests.authorization.test_doing import unknown

HEARD = {stream.target for stream in STREAMS.values()}
"""Types that only a subscription yields: whoever hears the event sees them."""

OF_NODES = [(type_name, kind) for type_name in NODES for kind in PROJECTIONS[type_name].seen_by.kinds]


def own_rules() -> dict[str, Rule]:
    """The fields that have a rule of their own, which is not that of whom their object is for."""
    return {
        f"{name}.{field}": entry.seen_by
        for name, projection in PROJECTIONS.items()
        for field, entry in projection.entries.items()
        if entry.seen_by not in (None, projection.seen_by, HAS_DONE_IT, AS_ITS_TYPE)
        and name not in HEARD
        and not (name.endswith("Payload") and entry.seen_by is IS_ONESELF)  # asked with each mutation
    }


def test_every_field_with_a_rule_of_its_own_is_tried_with_everything_that_it_names() -> None:
    """A new field, or a new kind of thing in a rule, needs somebody who looks there."""
    wanted = {(field, kind) for field, rule in own_rules().items() for kind in rule.kinds}
    assert wanted - SIGHTS.keys() == set()
    assert {field for field, _ in SIGHTS.keys() - wanted} <= {"Group.parent"}  # by the rule of the group above


def test_a_type_is_for_whom_something_leads_to_it() -> None:
    """What has no id is reached by a field, and by the rule of this field."""
    ways: dict[str, list[Rule]] = {}
    for projection in PROJECTIONS.values():
        for entry in projection.entries.values():
            for name in (entry.target, getattr(entry, "item", None), *getattr(entry, "scopes", ())):
                if name in PROJECTIONS and entry.seen_by is not None:
                    ways.setdefault(name, []).append(entry.seen_by)
    reached = PROJECTIONS.keys() - NODES.keys() - HEARD - {"Query", "Subscription", "CallAlreadyPublishedError"}
    for name in reached:
        if PROJECTIONS[name].seen_by is not HAS_DONE_IT:
            assert PROJECTIONS[name].seen_by in ways[name], name


@pytest.mark.parametrize(("type_name", "kind"), OF_NODES, ids=lambda it: it.name if isinstance(it, Kind) else it)
async def test_an_object_is_for_whom_its_rule_says(type_name: str, kind: Kind, tmp_path: Path) -> None:
    """What is not seen does not exist: the same answer, byte for byte, by the same statement."""
    rule, document = PROJECTIONS[type_name].seen_by, node(type_name, everything(type_name))
    many = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    async with staged(tmp_path) as stage:
        for case in cases(kind):
            person, thing = stage.as_(case), stage.thing(case)
            nowhere = unknown(thing)
            stage.api.statements.clear()
            answer = await person.send(document, id=thing)
            of_thing = list(stage.api.statements)
            if rule.allows(*case):
                assert answer["data"]["node"]["id"] == thing, said(case)
            stage.api.statements.clear()
            none = await person.send(document, id=nowhere)
            assert none == {"data": {"node": None}}
            assert stage.api.statements == of_thing
            assert len(of_thing) == 1
            if not rule.allows(*case):
                assert answer == none, said(case)
            found = {"id": thing} if rule.allows(*case) else None
            assert await person.ask(many, ids=[nowhere, thing]) == {"nodes": [None, found]}, said(case)


@pytest.mark.parametrize(("field", "kind"), SIGHTS, ids=lambda it: it.name if isinstance(it, Kind) else it)
async def test_a_field_is_for_whom_its_rule_says(field: str, kind: Kind, tmp_path: Path) -> None:
    type_name, _, name = field.partition(".")
    rule = PROJECTIONS[type_name].entries[name].seen_by
    assert rule is not None
    async with staged(tmp_path) as stage:
        with stage.undoing():
            for case in cases(kind):
                assert await SIGHTS[field, kind].shows(stage, case) == rule.allows(*case), said(case)


async def test_a_blind_recipient_sees_himself_and_no_other(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        for case in cases(Kind.MAIL):
            if case[1] is Relation.BLIND:
                person = stage.as_(case)
                shown = await person.ask(node("Message", "bcc { ... on User { id } }"), id=stage.thing(case))
                assert shown["node"]["bcc"] == [{"id": person.id}], said(case)
