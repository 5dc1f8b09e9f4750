"""Can anything be shipped without a rule? No: the program does not start."""

from collections.abc import AsyncIterable
from typing import Any

import pytest
import strawberry
from graphql import GraphQLSchema

from models.authorization.chats import SEES_CHAT
from models.authorization.events import HEARD_BY, check_events
from models.authorization.rule import ADMINISTRATOR, EVERYBODY, Allowed, Kind, Relation, Rule, Told
from models.errors import Code
from models.tables.events import EventKind
from models.tables.people import Position, users
from resolvers.paging import Page
from resolvers.projection import PROJECTIONS, Column, Many, One, OneOf, Part, Projection
from resolvers.streams import STREAMS, Stream
from resolvers.viewer import NODES
from schema import schema
from schema.authorization import check_rules, mutation_rules
from schema.errors import mutation

RULES = mutation_rules(schema._schema)


def nothing(*_: Any) -> Any:
    raise AssertionError("nobody reads it")


@pytest.mark.parametrize(
    "declare",
    [
        lambda: Projection("Throwaway", users, name=Column()),  # type: ignore[call-arg]
        lambda: Part("User"),  # type: ignore[call-arg]
        lambda: One("User", nothing),  # type: ignore[call-arg]
        lambda: Many("User", nothing),  # type: ignore[call-arg]
        lambda: OneOf(None, {}),  # type: ignore[call-arg]
        lambda: Page("User", nothing, keys=("id",)),  # type: ignore[call-arg]
        lambda: Stream("CallChanged", (), nothing),  # type: ignore[call-arg]
        lambda: mutation(None, "Does something."),  # type: ignore[call-arg]
    ],
    ids=("type", "part", "one", "many", "one of several", "page", "stream", "mutation"),
)
def test_what_leads_anywhere_says_for_whom(declare: Any) -> None:
    with pytest.raises(TypeError, match=r"seen_by|heard_by|allowed_to"):
        declare()
    assert "Throwaway" not in PROJECTIONS


def throwaway(mutations: type | None = None, subscriptions: type | None = None) -> GraphQLSchema:
    @strawberry.type
    class Query:
        word: str

    return strawberry.Schema(Query, mutations, subscriptions)._schema


def test_a_mutation_without_a_rule_is_told_at_start() -> None:
    @strawberry.type
    class Mutation:
        @strawberry.mutation
        def shout(self) -> str:
            return nothing()  # type: ignore[no-any-return]

    with pytest.raises(TypeError, match="To whom is shout allowed"):
        check_rules(throwaway(Mutation))


def test_a_subscription_without_a_rule_is_told_at_start() -> None:
    @strawberry.type
    class Subscription:
        @strawberry.subscription
        async def whispers(self) -> AsyncIterable[str]:
            yield "nothing"

    with pytest.raises(TypeError, match="Who hears whispers"):
        check_rules(throwaway(None, Subscription))


def test_a_kind_of_event_without_a_rule_is_told_at_start() -> None:
    check_events()
    for kind in EventKind:
        with pytest.raises(TypeError, match=f"Who hears of {kind}"):
            check_events({each: rule for each, rule in HEARD_BY.items() if each is not kind})


def test_what_a_subscription_yields_is_for_whom_hears_it() -> None:
    for stream in STREAMS.values():
        assert PROJECTIONS[stream.target].seen_by is stream.heard_by


def test_a_rule_speaks_of_what_there_is_and_says_one_thing() -> None:
    with pytest.raises(TypeError, match="TEACHES is no relation to CHAT"):
        Rule("Nonsense.", Allowed((Kind.CHAT,), (Relation.TEACHES,)))
    with pytest.raises(TypeError, match="two verdicts"):
        Rule(
            "Undecided.",
            Allowed((Kind.CHAT,), (Relation.LEFT,), ADMINISTRATOR),
            Told(Code.NOT_ALLOWED, (Kind.CHAT,), (Relation.LEFT,)),
        )


def test_what_is_not_listed_is_denied_and_not_told() -> None:
    """All that there is, of a rule that lists one case."""
    only = (Kind.CHAT, Relation.LEFT, Position.STAFF)
    rule = Rule("One case.", Allowed((only[0],), (only[1],), (only[2],)))
    for kind in Kind:
        for relation in kind.relations:
            for position in EVERYBODY:
                case = (kind, relation, position)
                assert rule.allows(*case) == (case == only)
                assert rule.told(*case) is None


@pytest.mark.parametrize("name", RULES)
def test_who_sees_a_thing_is_told_why_and_nobody_else(name: str) -> None:
    """To write to somebody is another matter: there all are out of reach alike."""
    sees = {
        kind: PROJECTIONS[type_name].seen_by
        for type_name in NODES
        for kind in PROJECTIONS[type_name].seen_by.kinds
    }
    rule = RULES[name]
    for kind in rule.kinds:
        if kind is Kind.PERSON or kind not in sees:
            continue
        for relation in kind.relations:
            for position in EVERYBODY:
                case = (kind, relation, position)
                is_told = rule.told(*case) is not None
                if not sees[kind].allows(*case):
                    assert not rule.allows(*case)
                    assert not is_told, case
                elif not rule.allows(*case):
                    assert is_told or (name, kind) in NAMED_AS_ANOTHER, case


NAMED_AS_ANOTHER = {
    ("discardDraft", Kind.MAIL),
    ("sendMail", Kind.MESSAGE),
    ("saveDraft", Kind.MESSAGE),
    ("createChat", Kind.LARGER_GROUP),
}
"""What is seen, but is not what the mutation speaks of: no draft any more, no mail."""


def test_the_chats_rule_is_the_one_that_is_read() -> None:
    """The examples above are of the real thing."""
    assert PROJECTIONS["Chat"].seen_by is SEES_CHAT
    assert RULES.keys() == schema._schema.mutation_type.fields.keys()  # type: ignore[union-attr]
