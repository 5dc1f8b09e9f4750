"""By which statement are events read? A page for one person, or a look for many at once.

A page is for a person who reads alone: it tells how far the history goes, what he may hear, and renders that for
him. A look is for people who wait with the same selection: each event is rendered once, with those who may hear
it. Both ask the same rule of `models.audience`, with the rights of now.
"""

from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    FromClause,
    Integer,
    Select,
    String,
    case,
    exists,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.sql.visitors import iterate

from models.actor import Viewer, person
from models.audience import DEPARTURES, happened, people_gone, takes_part
from models.conversation_scopes import visible_conversations
from models.errors import LimitExceeded
from models.tables.conversations import conversations
from models.tables.events import events
from models.tables.organization import organizations
from models.tables.people import users
from resolvers.asked import Field
from resolvers.dialects import json_array, json_list, json_value, numbers_of
from resolvers.lookahead import PLANS, Plan
from resolvers.projection import Rendered, all_rows, an_object, one_row
from resolvers.statement import VIEWER, Expression, Row, Statement, given
from resolvers.streams import STREAMS

AT_ONCE = 100
"""Events in one page, or in one look."""

_SINCE = given("since", Integer())
_WHERE = given("conversation", Integer())
_PEOPLE = given("people", String())
_ONE = literal_column("together.id", users.c.id.type)
"""The number of each of those who wait together. As text: nothing is correlated by accident."""

# ---------------------------------------------------------------------------------- for one, who reads alone


class Page(NamedTuple):
    """How far the history goes, the next events (number, what is told of it) that the viewer may hear, and how
    he stands to the one conversation that he listens to."""

    last: int
    changes: list[tuple[int, Any]]
    is_visible: bool
    takes_part: bool


@lru_cache(maxsize=PLANS)
def page_plan(field: Field, *, in_one: bool) -> Plan:
    """Reads a `Page`, given `since` and `conversation`; null for who is not active."""
    stream = STREAMS[field.name]
    history = select(organizations.c.last_event).where(
        organizations.c.id == VIEWER.organization_id,
        exists(person(VIEWER).with_only_columns(literal(1))),
    )
    found = stream.heard(VIEWER, _SINCE, _WHERE if in_one else None)
    in_order = found.order_by(found.selected_columns.number).limit(AT_ONCE)

    def change(row: Row) -> Rendered:
        told = an_object(stream.target, field.selection, row)
        finish = told.load
        load = None if finish is None else lambda pair, actor: [pair[0], finish(pair[1], actor)]
        return Rendered(json_array((row.number, told.expression)), load, told.mark)

    def page(row: Row) -> Rendered:
        changes = all_rows(row.statement, in_order, change)
        visible = visible_conversations(VIEWER).where(conversations.c.id == _WHERE)
        there = takes_part(VIEWER, _WHERE) if in_one else true()
        sees = or_(exists(visible.with_only_columns(literal(1))), there) if in_one else true()
        finish = changes.load
        return Rendered(
            json_array((row.last_event, changes.expression, json_value(sees), json_value(there))),
            lambda answer, actor: [answer[0], finish(answer[1], actor) if finish else answer[1], *answer[2:]],
            None if finish and changes.mark is None else _IN_EVERY_LIST,
        )

    return Plan(lambda statement, _: one_row(statement, history, page))


# -------------------------------------------------------------------------------- for many, who wait together


class Look(NamedTuple):
    """How far the history goes, how far was looked, the events until there (number, what is told of it, who of
    the people hears it, perhaps nobody), and the people of whom it has to be asked whether they may listen any
    longer."""

    last: int
    until: int
    changes: list[tuple[int, Any, list[int]]]
    leaving: list[int]


class Shared(NamedTuple):
    """A plan for many. Where `mark` stands in what is told, each has to read that alone."""

    plan: Plan
    mark: str | None


@lru_cache(maxsize=PLANS)
def shared_plan(field: Field, engine: str, *, in_one: bool) -> Shared | None:
    """Reads a `Look`, given `since`, `people` and `conversation`. None where what was selected is not the same
    for all: a statement that would have to name the viewer, or what only his own row says."""
    stream = STREAMS[field.name]
    where = _WHERE if in_one else None
    organization = VIEWER.organization_id
    history = select(organizations.c.last_event).where(organizations.c.id == organization)
    columns = stream.heard(VIEWER, _SINCE, where).selected_columns
    next_ones = happened(organization, _SINCE, stream.kinds, where).order_by(events.c.number).limit(AT_ONCE)
    window = next_ones.with_only_columns(*columns)
    marks: list[str | None] = []

    def heard(number: Expression) -> Select[Any]:
        """Who hears the event with this number."""
        found = stream.heard(Viewer(_ONE, organization), literal(0), where)
        return found.with_only_columns(_ONE.label("id")).select_from(_people()).where(events.c.number == number)

    def change(row: Row) -> Rendered:
        told = an_object(stream.target, field.selection, row)
        if told.load is not None and told.mark is None:
            raise _Personal
        marks.append(told.mark)
        people = heard(row.number).subquery()
        hearing = select(json_list(people.c.id)).select_from(people).scalar_subquery()
        is_heard = exists(heard(row.number).with_only_columns(literal(1)))
        return Rendered(json_array((row.number, case((is_heard, told.expression), else_=null()), hearing)))

    def look(row: Row) -> Rendered:
        numbers = window.with_only_columns(events.c.number).subquery()
        full = case((func.count() == AT_ONCE, func.max(numbers.c.number)), else_=row.last_event)
        until = select(full).select_from(numbers).scalar_subquery()
        changes = all_rows(row.statement, window, change)
        gone = people_gone(organization, _SINCE).where(events.c.user_id.in_(numbers_of(_PEOPLE))).subquery()
        leaving = select(json_list(gone.c.user_id)).select_from(gone).scalar_subquery()
        left = _left() if in_one else json_array(())
        return Rendered(json_array((row.last_event, until, changes.expression, leaving, left)))

    def render(statement: Statement, _: Row) -> Rendered:
        statement.is_shared = True
        rendered = one_row(statement, history, look)
        if any(
            isinstance(each, BindParameter) and each.key == "viewer_id" for each in iterate(rendered.expression)
        ):
            raise _Personal
        return Rendered(rendered.expression, _as_look, _IN_EVERY_LIST)

    plan = Plan(render)
    try:
        plan.compiled(engine)
    except (_Personal, KeyError, LimitExceeded):
        return None
    return Shared(plan, marks[0])


@lru_cache(maxsize=PLANS)
def badges_plan(field: Field) -> Plan:
    """Reads the pairs of a person and his badges, given `people`; those who are not active are missing."""
    active = select(users).where(
        users.c.id.in_(numbers_of(_PEOPLE)),
        users.c.organization_id == VIEWER.organization_id,
        users.c.deactivated_at.is_(None),
    )

    def pair(row: Row) -> Rendered:
        return Rendered(json_array((row.id, an_object("Badges", field.selection, row).expression)))

    def render(statement: Statement, _: Row) -> Rendered:
        return Rendered(all_rows(statement, active, pair).expression, lambda pairs, _: pairs, _IN_EVERY_LIST)

    return Plan(render)


def _left() -> Expression:
    """The people who do not take part in the one conversation any more, if anybody has come or gone there."""
    moved = happened(VIEWER.organization_id, _SINCE, DEPARTURES, _WHERE).with_only_columns(literal(1))
    left = select(_ONE.label("id")).select_from(_people())
    those = left.where(exists(moved), ~takes_part(Viewer(_ONE, None), _WHERE)).subquery()
    return select(json_list(those.c.id)).select_from(those).scalar_subquery()


def _people() -> FromClause:
    """The FROM of `_ONE`: a table, in which engines find who they look for by the number."""
    return select(users.c.id).where(users.c.id.in_(numbers_of(_PEOPLE))).subquery("together")


def _as_look(answer: list[Any], _: Any) -> Look:
    last, until, changes, gone, left = answer
    return Look(last, until, changes, [*gone, *left])


class _Personal(Exception):
    """What was selected is not the same for everybody."""


_IN_EVERY_LIST = "["
"""The mark of what is read as a list in any case, and needs nothing of who asks."""
