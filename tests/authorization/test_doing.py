"""May everybody do what the rules say, and nothing else? Every mutation, by everybody, with every thing."""

import inspect
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from models.authorization.rule import Kind, Relation
from models.errors import Code
from models.tables.people import Position
from schema import schema
from schema.authorization import mutation_rules
from tests.authorization.asking import mutation as document
from tests.authorization.cast import SCHOOL, Case, said
from tests.authorization.deeds import DEEDS, Deed
from tests.authorization.stage import Stage, cases, staged
from tests.steps import publish_call, turn

RULES = mutation_rules(schema._schema)

WRITES_TO = ("openConversation", "createGroupConversation", "addParticipants", "sendMail", "saveDraft")
"""To people and audiences: who does not exist is out of reach."""


def test_every_mutation_is_tried_with_everything_that_its_rule_names() -> None:
    """A new mutation, or a new kind of thing in a rule, needs somebody who tries it."""
    assert DEEDS.keys() == {(name, kind) for name, rule in RULES.items() for kind in rule.kinds}


@pytest.mark.parametrize(("name", "kind"), DEEDS, ids=lambda it: it.name if isinstance(it, Kind) else it)
async def test_a_mutation_is_for_whom_its_rule_says(name: str, kind: Kind, tmp_path: Path) -> None:
    """What is not allowed is refused in the words for what does not exist, or told to who knows of the thing."""
    rule, deed = RULES[name], DEEDS[name, kind]
    everybody = list(cases(kind))
    async with staged(tmp_path) as stage:
        if deed.knobs:
            turn(stage.api.database, SCHOOL, **deed.knobs)
        with stage.untouched(without=_leaves(name)):
            for case in everybody:
                if rule.allows(*case):
                    answer = await do(stage, name, deed, case, stage.thing(case), is_undone=True)
                    assert answer["__typename"].endswith("Payload"), (said(case), answer)
                    continue
                stage.asked.clear()
                answer = await do(stage, name, deed, case, stage.thing(case))
                asked = list(stage.asked)
                code = rule.told(*case)
                if code is None:
                    stage.asked.clear()
                    assert answer == await do(stage, name, deed, case, unknown(stage.thing(case))), said(case)
                    assert stage.asked == asked, said(case)
                    code = Code.OUT_OF_REACH if name in WRITES_TO and _is_somebody(kind) else Code.NOT_FOUND
                assert answer.get("code") == code, (said(case), answer)
            await _knows_no_other_ids(stage, name, deed, (kind, kind.relations[0], Position.ADMINISTRATOR))


async def _knows_no_other_ids(stage: Stage, name: str, deed: Deed, case: Case) -> None:
    """What is no id, and what is the id of something else, is answered as an unknown one."""
    if case[0] is Kind.ONESELF:
        return  # nothing is named
    thing = stage.thing(case)
    kind, _, number = thing.partition("_")
    wanted = await do(stage, name, deed, case, unknown(thing))
    assert "code" in wanted
    for strange in ("", "🙂", f" {thing}", f"{kind}_0{number}", f"{thing}{'9' * 40}", "Organization_1"):
        assert await do(stage, name, deed, case, strange) == wanted, strange


async def test_E50_which_call_stands_in_the_way_is_for_who_may_publish(tmp_path: Path) -> None:
    """All others are refused as if none did."""
    rule, shown = RULES["publishCall"], "... on CallAlreadyPublishedError { publishedCall { id } }"
    asked = (
        f"mutation($id: ID!) {{ publishCall(input: {{callId: $id}}) {{ ... on UserError {{ code }} {shown} }} }}"
    )
    everybody = list(cases(Kind.CREATED_CALL))
    async with staged(tmp_path) as stage:
        first = stage.as_((Kind.CREATED_CALL, Relation.ADMINISTERS, Position.LEARNER))
        other = await publish_call(first, stage.more("chat", everybody[0]))
        with stage.untouched():
            for case in everybody:
                answer = (await stage.as_(case).ask(asked, id=stage.thing(case)))["publishCall"]
                code = rule.told(*case) or Code.NOT_FOUND
                wanted: dict[str, Any] = {"code": code}
                if rule.allows(*case):
                    wanted = {"code": Code.CALL_ALREADY_PUBLISHED, "publishedCall": {"id": other}}
                assert answer == wanted, said(case)


async def do(
    stage: Stage, name: str, deed: Deed, case: Case, thing: str, *, is_undone: bool = False
) -> dict[str, Any]:
    given = deed.given(stage, case, thing)
    if inspect.isawaitable(given):
        given = await given
    with stage.undoing() if is_undone else nullcontext():
        answer: dict[str, Any] = (await stage.as_(case).ask(document(name), input=given))[name]
    return answer


def unknown(thing: str) -> str:
    """An id of the same type that never existed."""
    kind, _, rest = thing.partition("_")
    position = rest.partition("_")[2]
    return f"{kind}_999999_{position}" if position else f"{kind}_999999"


def _is_somebody(kind: Kind) -> bool:
    return Relation.REACHES in kind.relations


def _leaves(name: str) -> tuple[str, ...]:
    """What may be left behind: an officer who is not let read a report, in the audit; attempts to sign in."""
    return {"readReport": ("audit_entries",), "completeProfileLink": ("link_attempts",)}.get(name, ())
